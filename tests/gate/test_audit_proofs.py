"""Proofs and exports: what an auditor checks with the public key alone."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from copy import deepcopy
from datetime import date
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Engine, select

from erp_core.gate.audit import Sealer
from erp_core.gate.audit.checkpoints import pem_of
from erp_core.gate.audit.export import ExportRefused, Selection, check_export, export
from erp_core.gate.audit.proofs import (
    NotSealed,
    ProofRefused,
    check_proof,
    checkpoint_at,
    prove_consistency,
    prove_extension,
    prove_inclusion,
)
from erp_core.gate.commands import SetCompanyFact
from erp_core.gate.contract import Submission
from erp_core.gate.model import audit_leaves
from erp_core.gate.principals import Principal
from erp_core.gate.submission import Gate
from erp_core.storage.engine import reading
from tests.gate.owner import as_the_owner_of_the_database, literal

SIZES = (4, 11, 21, 22)


@pytest.fixture
def admin(gate: Gate, person: Callable[..., Principal]) -> Principal:
    return person(gate, "admin")


@pytest.fixture
def sealed(gate: Gate, admin: Principal, tmp_path: Path) -> Sealer:
    """22 entries under checkpoints at 4, 11, 21 and 22."""
    sealer = Sealer(gate.engine, tmp_path)
    done = 1
    for size in SIZES:
        facts = [SetCompanyFact(key="name", value=f"Acme {number}") for number in range(done, size)]
        gate.submit_many([Submission(one, one.value) for one in facts], admin)
        sealer.seal(gate.clock.now())
        done = size
    return sealer


def entries(engine: Engine) -> list[Any]:
    with reading(engine) as connection:
        return list(connection.scalars(select(audit_leaves.c.audit_id).order_by(audit_leaves.c.leaf)))


@pytest.mark.capability("S207")
def test_every_entry_is_proved_to_stand_in_the_log_without_the_database(gate: Gate, sealed: Sealer) -> None:
    key = sealed.files.public_key()
    assert key is not None
    for leaf, audit_id in enumerate(entries(gate.engine)):
        with reading(gate.engine) as connection:
            proof = prove_inclusion(connection, audit_id)
        assert check_proof(json.loads(json.dumps(proof)), key).startswith(f"leaf {leaf} of 22")


@pytest.mark.capability("S207")
@pytest.mark.parametrize(
    "change",
    [
        lambda proof: proof["entry"]["payload"].update(value="forged"),
        lambda proof: proof.update(leaf=proof["leaf"] + 1),
        lambda proof: proof.update(leaf_hash="0" * 64),
        lambda proof: proof["path"].pop(),
        lambda proof: proof["path"].append("0" * 64),
        lambda proof: proof["checkpoint"].update(root="0" * 64),
        lambda proof: proof["checkpoint"].update(size=23),
        lambda proof: proof["checkpoint"].update(log=str(uuid4())),
        lambda proof: proof["checkpoint"].update(sealed_at="2020-01-01T00:00:00.000000Z"),
        lambda proof: proof.update(proof="other"),
        lambda proof: proof.pop("path"),
        lambda proof: proof.update(path=["no hash"]),
    ],
)
def test_a_proof_that_was_changed_proves_nothing(
    gate: Gate, sealed: Sealer, change: Callable[[dict[str, Any]], object]
) -> None:
    key = sealed.files.public_key()
    with reading(gate.engine) as connection:
        proof = prove_inclusion(connection, entries(gate.engine)[9])
    assert key is not None and check_proof(proof, key)
    forged = deepcopy(proof)
    change(forged)
    with pytest.raises(ProofRefused):
        check_proof(forged, key)


@pytest.mark.capability("S207")
def test_a_proof_is_refused_under_another_companys_key(gate: Gate, sealed: Sealer) -> None:
    with reading(gate.engine) as connection:
        proof = prove_inclusion(connection, entries(gate.engine)[0])
    with pytest.raises(ProofRefused, match="not signed by this key"):
        check_proof(proof, Ed25519PrivateKey.generate().public_key())


@pytest.mark.capability("S207")
def test_each_checkpoint_is_proved_to_extend_every_older_one(gate: Gate, sealed: Sealer) -> None:
    key = sealed.files.public_key()
    assert key is not None
    with reading(gate.engine) as connection:
        for position, new in enumerate(SIZES[1:], 1):
            for old in SIZES[:position]:
                told = check_proof(prove_consistency(connection, old, new), key)
                assert f"the first {old} of {new} entries are as they were" in told


@pytest.mark.capability("S207")
def test_a_log_rewritten_by_the_holder_of_the_key_does_not_extend_the_checkpoint_kept_elsewhere(
    gate: Gate, sealed: Sealer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with reading(gate.engine) as connection:
        kept = checkpoint_at(connection, 11)
    victim = literal(gate.engine, entries(gate.engine)[5])
    with as_the_owner_of_the_database(gate.engine) as connection:
        connection.exec_driver_sql(f"UPDATE audit_entries SET payload = '{{}}' WHERE id = {victim}")
        connection.exec_driver_sql("DELETE FROM audit_leaves")
        connection.exec_driver_sql("DELETE FROM audit_checkpoints")
    sealed.checkpoint_file.unlink()
    monkeypatch.setattr("erp_core.gate.audit.sealing.uuid4", lambda: kept.log)
    Sealer(gate.engine, tmp_path).seal(gate.clock.now())
    key = sealed.files.public_key()
    with reading(gate.engine) as connection:
        assert key is not None
        with pytest.raises(ProofRefused, match="it was rewritten"):
            check_proof(prove_extension(connection, kept), key)


def test_what_is_not_sealed_has_no_proof(gate: Gate, sealed: Sealer) -> None:
    with reading(gate.engine) as connection:
        with pytest.raises(NotSealed, match="is not sealed, or there is none"):
            prove_inclusion(connection, uuid4())
        with pytest.raises(NotSealed, match="no checkpoint at 7"):
            prove_consistency(connection, 7)


@pytest.fixture
def exported(gate: Gate, sealed: Sealer, tmp_path: Path) -> Path:
    target = tmp_path / "audit.zip"
    export(gate.engine, sealed.files, target, Selection(), gate.clock.now())
    return target


def unpacked(path: Path) -> Path:
    folder = path.with_suffix("")
    with zipfile.ZipFile(path) as archive:
        archive.extractall(folder)
    return folder


def change_line(folder: Path, number: int, change: Callable[[dict[str, Any]], object]) -> None:
    file = folder / "entries.jsonl"
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    change(lines[number])
    file.write_text("".join(f"{json.dumps(line)}\n" for line in lines))


@pytest.mark.capability("S207")
def test_an_export_is_checked_zipped_or_unpacked_without_the_database(exported: Path, sealed: Sealer) -> None:
    for path in (exported, unpacked(exported)):
        found = check_export(path, sealed.files.public_pem())
        assert found.findings == ()
        assert (found.shown, found.left_out, found.root) == (22, 0, sealed.verify().root)


@pytest.mark.capability("S207")
def test_an_export_names_the_first_bad_entry(exported: Path) -> None:
    folder = unpacked(exported)
    change_line(folder, 9, lambda line: line["entry"].update(outcome="refused"))
    change_line(folder, 6, lambda line: line["entry"].update(outcome="refused"))
    first, *_ = check_export(folder).findings
    assert (first.problem, first.leaf) == ("the entry was altered", 6)
    assert first.about is not None and "SetCompanyFact" in first.about


@pytest.mark.capability("S207")
@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        (lambda lines: lines[:-1], "cut or lengthened"),
        (lambda lines: [*lines[:5], *lines[6:]], "missing or out of order"),
        (lambda lines: [*lines[:5], lines[6], lines[5], *lines[7:]], "out of order"),
        (lambda lines: [*lines, lines[-1]], "cut or lengthened"),
    ],
)
def test_lines_cut_put_in_or_moved_are_found(
    exported: Path, damage: Callable[[list[str]], list[str]], problem: str
) -> None:
    folder = unpacked(exported)
    file = folder / "entries.jsonl"
    file.write_text("".join(damage(file.read_text().splitlines(keepends=True))))
    findings = check_export(folder).findings
    assert any(problem in one.problem for one in findings)
    assert any("not the file that the manifest lists" in one.problem for one in findings)


@pytest.mark.capability("S207")
def test_an_entry_forged_with_its_hash_breaks_the_signed_tree_head(exported: Path) -> None:
    folder = unpacked(exported)
    change_line(folder, 12, lambda line: line.update(hash="0" * 64, entry=None))
    assert any("one of the leaves 11 to 20" in one.problem for one in check_export(folder).findings)


@pytest.mark.capability("S207")
def test_a_filtered_export_shows_what_was_asked_for_and_still_leads_to_the_signed_head(
    gate: Gate, sealed: Sealer, person: Callable[..., Principal], tmp_path: Path
) -> None:
    planner = person(gate, "planner")
    sealed.seal(gate.clock.now())
    target = tmp_path / "some.zip"
    manifest = export(gate.engine, sealed.files, target, Selection(subject=planner.user_id), gate.clock.now())
    assert (manifest["entries"], manifest["left_out"]) == (1, 22)
    found = check_export(target, sealed.files.public_pem())
    assert found.findings == () and (found.shown, found.left_out) == (1, 22)
    folder = unpacked(target)
    lines = [json.loads(line) for line in (folder / "entries.jsonl").read_text().splitlines()]
    assert [line.get("leaves") for line in lines] == [16, 4, 2, None]
    change_line(folder, 1, lambda line: line.update(hash="0" * 64))
    assert not check_export(folder).intact


def test_a_period_before_the_company_leaves_every_entry_out(
    gate: Gate, sealed: Sealer, tmp_path: Path
) -> None:
    selection = Selection(until=date(2000, 1, 1))
    manifest = export(gate.engine, sealed.files, tmp_path / "none.zip", selection, gate.clock.now())
    assert manifest["entries"] == 0
    assert check_export(tmp_path / "none.zip").intact


def test_an_export_that_hides_entries_without_a_filter_is_found(
    gate: Gate, sealed: Sealer, tmp_path: Path
) -> None:
    target = tmp_path / "some.zip"
    export(gate.engine, sealed.files, target, Selection(until=date(2000, 1, 1)), gate.clock.now())
    folder = unpacked(target)
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(manifest | {"selection": {"until": None}}))
    assert any("no filter was asked for" in one.problem for one in check_export(folder).findings)


def test_an_export_under_another_key_is_refused(exported: Path) -> None:
    other = Ed25519PrivateKey.generate().public_key()
    assert any(
        "wrong signature" in one.problem for one in check_export(exported, pem_of(other).decode()).findings
    )


def test_what_is_no_export_is_refused_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_text("no zip")
    for path in (tmp_path / "x.zip", tmp_path, tmp_path / "missing"):
        with pytest.raises(ExportRefused, match="no export of an audit log"):
            check_export(path)
