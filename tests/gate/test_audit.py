"""The sealed log: whatever is done to it beside the gate is found, and the first bad entry named."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine, select

from api.composition import make_gate
from erp_core.clock import Clock
from erp_core.gate.audit import Sealer
from erp_core.gate.audit.checkpoints import SigningKeyMissing, read_lines
from erp_core.gate.commands import SetCompanyFact
from erp_core.gate.model import audit_leaves
from erp_core.gate.principals import Principal
from erp_core.gate.submission import Gate
from erp_core.storage.engine import open_engine, reading
from tests.gate.owner import as_the_owner_of_the_database, literal


@pytest.fixture
def sealed(gate: Gate, person: Callable[..., Principal], tmp_path: Path) -> Sealer:
    """21 entries under two checkpoints, at 11 and at 21."""
    admin = person(gate, "admin")
    sealer = Sealer(gate.engine, tmp_path)
    rename(gate, admin, range(10))
    assert sealer.seal(gate.clock.now()) == 11
    rename(gate, admin, range(10, 20))
    assert sealer.seal(gate.clock.now()) == 10
    return sealer


def rename(gate: Gate, admin: Principal, numbers: range) -> None:
    for number in numbers:
        gate.submit(SetCompanyFact(key="name", value=f"Acme {number}"), admin, key=f"{number}")


def leaf(engine: Engine, number: int) -> UUID:
    with reading(engine) as connection:
        query = select(audit_leaves.c.audit_id).where(audit_leaves.c.leaf == number)
        return connection.execute(query).scalar_one()


def tamper(gate: Gate, *statements: str, number: int = 7) -> UUID:
    """Run statements as the owner of the database; `{id}` is the entry of leaf `number`."""
    victim = leaf(gate.engine, number)
    with as_the_owner_of_the_database(gate.engine) as connection:
        for statement in statements:
            connection.exec_driver_sql(statement.format(id=literal(gate.engine, victim)))
    return victim


@pytest.mark.capability("S207")
def test_an_untouched_log_is_intact_and_says_what_is_not_sealed_yet(
    gate: Gate, sealed: Sealer, person: Callable[..., Principal]
) -> None:
    person(gate, "planner")
    result = sealed.verify()
    assert result.findings == ()
    assert (result.entries, result.sealed, result.unsealed) == (22, 21, 1)


@pytest.mark.capability("S207")
@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ('UPDATE audit_entries SET payload = \'{{"value":"forged"}}\' WHERE id = {id}', "altered"),
        ("UPDATE audit_entries SET payload = 'no json' WHERE id = {id}", "altered"),
        ("UPDATE audit_entries SET principal_kind = 'agent' WHERE id = {id}", "altered"),
        ("UPDATE audit_entries SET recorded_at = '2020-01-01 00:00:00' WHERE id = {id}", "altered"),
        ("UPDATE audit_entries SET after = NULL WHERE id = {id}", "altered"),
        ("DELETE FROM audit_entries WHERE id = {id}", "deleted"),
    ],
)
def test_an_altered_or_deleted_entry_is_found_and_named(
    gate: Gate, sealed: Sealer, change: str, problem: str
) -> None:
    victim = tamper(gate, change)
    first = sealed.verify().findings[0]
    assert problem in first.problem
    assert (first.leaf, first.audit_id) == (7, victim)
    assert first.about is not None
    assert ("SetCompanyFact by" if problem == "altered" else "made about 20") in first.about


@pytest.mark.capability("S207")
def test_of_several_bad_entries_the_first_is_named_first(gate: Gate, sealed: Sealer) -> None:
    tamper(gate, "DELETE FROM audit_entries WHERE id = {id}", number=15)
    tamper(gate, "UPDATE audit_entries SET command = 'Other' WHERE id = {id}", number=4)
    assert [one.leaf for one in sealed.verify().findings][:2] == [4, 15]


@pytest.mark.capability("S207")
def test_two_entries_that_changed_places_are_both_named_as_moved(gate: Gate, sealed: Sealer) -> None:
    other = literal(gate.engine, leaf(gate.engine, 12))
    free = literal(gate.engine, uuid4())
    tamper(
        gate,
        f"UPDATE audit_leaves SET audit_id = {free} WHERE leaf = 12",
        f"UPDATE audit_leaves SET audit_id = {other} WHERE leaf = 7",
        "UPDATE audit_leaves SET audit_id = {id} WHERE leaf = 12",
    )
    findings = sealed.verify().findings
    assert [(one.leaf, one.problem) for one in findings] == [
        (7, "the entry was moved: it was sealed as leaf 12"),
        (12, "the entry was moved: it was sealed as leaf 7"),
    ]


@pytest.mark.capability("S207")
def test_a_leaf_forged_along_with_its_entry_breaks_the_signed_tree_head_of_its_batch(
    gate: Gate, sealed: Sealer
) -> None:
    tamper(gate, f"UPDATE audit_leaves SET leaf_hash = '{'0' * 64}' WHERE audit_id = {{id}}", number=13)
    findings = sealed.verify().findings
    assert any("one of the leaves 11 to 20" in one.problem and one.leaf == 11 for one in findings)


@pytest.mark.capability("S207")
def test_an_entry_put_in_between_breaks_the_tree_head(gate: Gate, sealed: Sealer) -> None:
    tamper(
        gate,
        f"UPDATE audit_leaves SET audit_id = {literal(gate.engine, uuid4())} WHERE leaf = 0",
        "UPDATE audit_leaves SET leaf = leaf + 1000 WHERE leaf > 7",
        "UPDATE audit_leaves SET leaf = leaf - 999 WHERE leaf > 1000",
        "INSERT INTO audit_leaves (leaf, audit_id, leaf_hash) VALUES (8, "
        f"{literal(gate.engine, leaf(gate.engine, 0))}, '{'a' * 64}')",
    )
    findings = sealed.verify().findings
    assert findings[0].leaf == 0
    assert any("one of the leaves 0 to 10" in one.problem for one in findings)


@pytest.mark.capability("S207")
@pytest.mark.parametrize("table", ["audit_checkpoints WHERE size > 11", "audit_checkpoints"])
def test_a_log_cut_short_with_its_checkpoints_is_known_from_the_file_outside(
    gate: Gate, sealed: Sealer, table: str
) -> None:
    tamper(gate, f"DELETE FROM {table}", "DELETE FROM audit_leaves WHERE leaf >= 11")
    first = sealed.verify().findings[0]
    assert "was cut" in first.problem and first.leaf == 11


@pytest.mark.capability("S207")
def test_missing_leaves_are_named(gate: Gate, sealed: Sealer) -> None:
    tamper(gate, "DELETE FROM audit_leaves WHERE leaf IN (5, 6)")
    assert any("leaves 5 to 6 are missing" in one.problem for one in sealed.verify().findings)


@pytest.mark.capability("S207")
def test_an_entry_slipped_in_behind_the_seal_is_named(gate: Gate, sealed: Sealer) -> None:
    names = "occurred_at, principal_kind, principal_id, command, outcome, rule, payload"
    forged = uuid4()
    tamper(
        gate,
        f"INSERT INTO audit_entries (id, recorded_at, {names}) SELECT {literal(gate.engine, forged)}, "
        f"'2024-01-01 00:00:00.000000', {names} FROM audit_entries WHERE id = {{id}}",
    )
    assert sealed.seal(gate.clock.now()) == 0
    (found,) = sealed.verify().findings
    assert "slipped in" in found.problem and found.audit_id == forged


@pytest.mark.capability("S207")
def test_a_row_written_beside_the_gate_is_named(gate: Gate, sealed: Sealer) -> None:
    made, by = literal(gate.engine, uuid4()), literal(gate.engine, uuid4())
    tamper(
        gate,
        "INSERT INTO channels (id, code, name, kind, priority, audit_id) "
        f"VALUES ({made}, 'X', 'X', 'web', 1, {by})",
    )
    (found,) = sealed.verify().findings
    assert "a row of channels has no audit entry" in found.problem
    assert found.about is not None and found.about.startswith("channels ")


@pytest.mark.capability("S207")
def test_a_record_deleted_beside_the_gate_is_named(
    gate: Gate, sealed: Sealer, person: Callable[..., Principal]
) -> None:
    person(gate, "planner", login="gone")
    tamper(
        gate,
        "DELETE FROM user_roles WHERE user_id IN (SELECT id FROM users WHERE login = 'gone')",
        "DELETE FROM users WHERE login = 'gone'",
    )
    (found,) = sealed.verify().findings
    assert "is gone from users" in found.problem


@pytest.mark.capability("S207")
def test_a_checkpoint_renamed_to_another_log_has_a_wrong_signature(gate: Gate, sealed: Sealer) -> None:
    tamper(gate, f"UPDATE audit_checkpoints SET log_id = {literal(gate.engine, uuid4())}")
    assert any("wrong signature" in one.problem for one in sealed.verify().findings)


@pytest.mark.capability("S207")
def test_a_checkpoint_file_of_another_company_is_known(
    gate: Gate, sealed: Sealer, sqlite_template: Path, clock: Clock, tmp_path: Path
) -> None:
    home = tmp_path / "other"
    (home / "audit").mkdir(parents=True)
    for name in ("signing-key.pem", "public-key.pem"):
        shutil.copy(tmp_path / "audit" / name, home / "audit" / name)
    shutil.copy(sqlite_template, home / "other.db")
    other = make_gate(open_engine(f"sqlite:///{home / 'other.db'}"), clock, home=home)
    other.bootstrap_user("admin", ("admin",))
    elsewhere = Sealer(other.engine, home)
    assert elsewhere.seal(clock.now()) == 1
    shutil.copy(elsewhere.checkpoint_file, sealed.checkpoint_file)
    first = sealed.verify().findings[0]
    assert "belongs to another log" in first.problem and "swapped" in first.problem
    other.engine.dispose()


@pytest.mark.capability("S207")
def test_an_older_copy_of_the_checkpoint_file_is_known(gate: Gate, sealed: Sealer) -> None:
    lines = sealed.checkpoint_file.read_text().splitlines(keepends=True)
    sealed.checkpoint_file.write_text(lines[0])
    assert any("ends earlier than the log, at 11" in one.problem for one in sealed.verify().findings)


@pytest.mark.capability("S207")
def test_an_older_copy_of_the_database_is_known_from_the_file_and_from_a_copy_kept_elsewhere(
    gate: Gate, sealed: Sealer
) -> None:
    """Who restores an older database together with an older file is found out by a copy of the file alone."""
    kept_elsewhere = list(read_lines(sealed.checkpoint_file.read_text()))
    tamper(
        gate,
        "DELETE FROM audit_checkpoints WHERE size > 11",
        "DELETE FROM audit_entries WHERE id IN (SELECT audit_id FROM audit_leaves WHERE leaf >= 11)",
        "DELETE FROM audit_leaves WHERE leaf >= 11",
    )
    assert any("older copy" in one.problem for one in sealed.verify().findings)
    sealed.checkpoint_file.write_text(sealed.checkpoint_file.read_text().splitlines(keepends=True)[0])
    assert sealed.verify().intact
    (found,) = sealed.verify(against=kept_elsewhere).findings
    assert "the copy kept elsewhere knows 21 entries, 11 are left" in found.problem


@pytest.mark.capability("S207")
def test_a_log_rewritten_and_signed_again_differs_from_a_copy_kept_elsewhere(
    gate: Gate, sealed: Sealer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even the holder of the key cannot rewrite what somebody else has a checkpoint of."""
    kept_elsewhere = list(read_lines(sealed.checkpoint_file.read_text()))
    tamper(
        gate,
        "UPDATE audit_entries SET payload = '{{}}' WHERE id = {id}",
        "DELETE FROM audit_checkpoints",
        "DELETE FROM audit_leaves",
    )
    sealed.checkpoint_file.unlink()
    monkeypatch.setattr("erp_core.gate.audit.sealing.uuid4", lambda: kept_elsewhere[0].log)
    again = Sealer(gate.engine, sealed.files.folder.parent)
    assert again.seal(gate.clock.now()) == 21
    assert again.verify().intact
    first = again.verify(against=kept_elsewhere).findings[0]
    assert "differs from the checkpoint in the copy kept elsewhere" in first.problem and first.leaf == 0


@pytest.mark.capability("S207")
def test_protection_that_was_taken_off_is_named(gate: Gate, sealed: Sealer) -> None:
    postgresql = gate.engine.dialect.name == "postgresql"
    with gate.engine.begin() as connection:
        connection.exec_driver_sql(
            "DROP TRIGGER append_only ON stock_moves"
            if postgresql
            else "DROP TRIGGER stock_moves_refuse_update"
        )
    (found,) = sealed.verify().findings
    assert "triggers that refuse direct writes are gone" in found.problem and "stock_moves" in found.problem


def test_sealing_twice_adds_nothing(gate: Gate, sealed: Sealer) -> None:
    assert sealed.seal(gate.clock.now()) == 0
    assert sealed.verify().intact


def test_a_backlog_of_hours_is_sealed_whole(
    gate: Gate, sealed: Sealer, person: Callable[..., Principal], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("erp_core.gate.audit.sealing._BACKLOG", 3)
    for _ in range(8):
        person(gate, "planner")
    assert sealed.seal(gate.clock.now() + timedelta(hours=5)) == 8
    assert sealed.verify().findings == ()


def test_a_sealer_killed_before_it_reached_the_file_is_made_up_for(gate: Gate, sealed: Sealer) -> None:
    lines = sealed.checkpoint_file.read_text().splitlines(keepends=True)
    sealed.checkpoint_file.write_text(lines[0] + lines[1][:40])
    assert Sealer(gate.engine, sealed.files.folder.parent).seal(gate.clock.now()) == 0
    assert sealed.verify().intact


def test_a_lost_signing_key_is_not_replaced_by_another(
    gate: Gate, sealed: Sealer, person: Callable[..., Principal]
) -> None:
    (sealed.files.folder / "signing-key.pem").unlink()
    person(gate, "planner")
    with pytest.raises(SigningKeyMissing, match="restore"):
        sealed.seal(gate.clock.now())
    assert sealed.verify().intact
    assert sealed.verify().unsealed == 1


def test_verifying_makes_no_key(gate: Gate, tmp_path: Path) -> None:
    assert Sealer(gate.engine, tmp_path).verify().intact
    assert not (tmp_path / "audit").exists()
