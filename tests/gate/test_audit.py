"""The sealed log: whatever is done to it beside the gate is found and named."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, select

from erp_core.gate.audit import Sealer
from erp_core.gate.commands import SetCompanyFact
from erp_core.gate.merkle import extend, inclusion_proof, leaf_hash, root, root_from_proof
from erp_core.gate.model import audit_entries
from erp_core.gate.principals import Principal
from erp_core.gate.submission import Gate
from erp_core.storage.append_only import APPEND_ONLY
from erp_core.storage.engine import reading


@contextmanager
def as_the_owner_of_the_database(engine: Engine) -> Iterator[Connection]:
    """What an administrator of the database can do: drop the triggers and write."""
    with engine.begin() as connection:
        for table in APPEND_ONLY:
            for change in ("update", "delete"):
                on = f" ON {table}" if engine.dialect.name == "postgresql" else ""
                connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {table}_refuse_{change}{on}")
        yield connection


@pytest.fixture
def sealed(gate: Gate, person: Callable[..., Principal], tmp_path: Path) -> Sealer:
    admin = person(gate, "admin")
    for number in range(20):
        gate.submit(SetCompanyFact(key="name", value=f"Acme {number}"), admin, key=f"{number}")
    sealer = Sealer(gate.engine, tmp_path)
    assert sealer.seal(gate.clock.now()) == 21
    return sealer


def entry_ids(gate: Gate) -> list[str]:
    with reading(gate.engine) as connection:
        found = connection.scalars(
            select(audit_entries.c.id).order_by(audit_entries.c.recorded_at, audit_entries.c.id)
        )
        return [one.hex if gate.engine.dialect.name == "sqlite" else str(one) for one in found]


@pytest.mark.capability("S207")
def test_an_untouched_log_is_intact_and_says_what_is_not_sealed_yet(
    gate: Gate, sealed: Sealer, person: Callable[..., Principal]
) -> None:
    person(gate, "planner")
    result = sealed.verify()
    assert result.intact
    assert (result.entries, result.sealed, result.unsealed) == (22, 21, 1)


@pytest.mark.capability("S207")
@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ("UPDATE audit_entries SET payload = '{{\"value\":\"forged\"}}' WHERE id = '{id}'", "altered"),
        ("UPDATE audit_entries SET principal_kind = 'agent' WHERE id = '{id}'", "altered"),
        ("DELETE FROM audit_entries WHERE id = '{id}'", "deleted"),
    ],
)
def test_an_altered_or_deleted_entry_is_found_and_named(
    gate: Gate, sealed: Sealer, change: str, problem: str
) -> None:
    victim = entry_ids(gate)[7]
    with as_the_owner_of_the_database(gate.engine) as connection:
        connection.exec_driver_sql(change.format(id=victim))
    findings = sealed.verify().findings
    assert problem in findings[0].problem
    assert findings[0].leaf == 7
    assert findings[0].audit_id is not None and findings[0].audit_id.hex == victim.replace("-", "")


def test_a_leaf_forged_along_with_its_entry_breaks_the_signed_tree_head(gate: Gate, sealed: Sealer) -> None:
    victim = entry_ids(gate)[3]
    with as_the_owner_of_the_database(gate.engine) as connection:
        connection.exec_driver_sql(
            f"UPDATE audit_leaves SET leaf_hash = '{'0' * 64}' WHERE audit_id = '{victim}'"
        )
    assert any("tree head" in finding.problem for finding in sealed.verify().findings)


def test_a_log_cut_short_with_its_checkpoints_is_known_from_the_file_outside(
    gate: Gate, sealed: Sealer
) -> None:
    with as_the_owner_of_the_database(gate.engine) as connection:
        connection.exec_driver_sql("DELETE FROM audit_checkpoints")
        connection.exec_driver_sql("DELETE FROM audit_leaves WHERE leaf >= 10")
    assert any("was cut" in finding.problem for finding in sealed.verify().findings)


def test_an_entry_slipped_in_and_a_row_written_beside_the_gate_are_found(gate: Gate, sealed: Sealer) -> None:
    with as_the_owner_of_the_database(gate.engine) as connection:
        connection.exec_driver_sql(
            "INSERT INTO channels (id, code, name, kind, priority, audit_id) VALUES "
            "('00000000-0000-0000-0000-000000000009', 'X', 'X', 'web', 1, '00000000-0000-0000-0000-000000000008')"
            if gate.engine.dialect.name == "postgresql"
            else "INSERT INTO channels (id, code, name, kind, priority, audit_id) VALUES "
            "('00000000000000000000000000000009', 'X', 'X', 'web', 1, '00000000000000000000000000000008')"
        )
    assert any("beside the gate" in finding.problem for finding in sealed.verify().findings)


def test_sealing_twice_adds_nothing(gate: Gate, sealed: Sealer) -> None:
    assert sealed.seal(gate.clock.now()) == 0
    assert sealed.verify().intact


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=80), st.data())
def test_every_leaf_has_a_proof_that_leads_to_the_tree_head(
    entries: list[bytes], data: st.DataObject
) -> None:
    leaves = [leaf_hash(entry) for entry in entries]
    index = data.draw(st.integers(0, len(leaves) - 1))
    head = root(extend((), leaves))
    proof = inclusion_proof(index, leaves)
    assert root_from_proof(leaves[index], index, len(leaves), proof) == head
    assert (
        root_from_proof(leaf_hash(b"other"), index, len(leaves), proof) != head or entries[index] == b"other"
    )


@given(st.lists(st.binary(max_size=40), max_size=80), st.integers(0, 80))
def test_sealing_in_batches_gives_the_same_tree_head_as_at_once(entries: list[bytes], cut: int) -> None:
    leaves = [leaf_hash(entry) for entry in entries]
    assert root(extend(extend((), leaves[:cut]), leaves[cut:])) == root(extend((), leaves))
