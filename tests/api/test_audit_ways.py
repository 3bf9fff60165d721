"""The audit log over HTTP and on the command line: verified, proved, exported, checked without the company."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from api.company import open_company
from erp_core.gate.contract import Command
from erp_core.gate.model import audit_entries, idempotency_keys, users
from erp_core.gate.passwords import hash_password
from erp_core.gate.principals import INSTALLER
from erp_core.settings import Settings
from erp_core.storage.engine import reading
from tests.api.test_cli import Cli

PASSWORD = "a long password"
ABOUT_NO_RECORD = {
    "AdaptChannelQuotas",
    "AlertOrders",
    "CheckContracts",
    "CheckImportDocuments",
    "EndUnusedReturns",
    "EscalateProposals",
    "ExpireProposals",
    "ExpireReservations",
    "FollowUpSuppliers",
    "ForgetCustomers",
    "IssueSalesInvoices",
    "MatchSupplierInvoices",
    "OrderDropShipments",
    "QuarantineExpired",
    "RaiseStageAlerts",
    "ResumeAutomation",
    "ScoreOutcomes",
    "SetAutomationLimits",
    "SetBudget",
    "SetCompanyFact",
    "SetDocumentKind",
    "SetExchangeRate",
    "SetMasterParameter",
    "SetReadinessThreshold",
    "SetReasonCode",
    "SetRulePrecedence",
    "SetShortageRule",
    "SetStageLimit",
    "StopAutomation",
}
"""Commands about the company as a whole, or about whatever is due: their payload or result says what."""


@pytest.fixture
def home(tmp_path: Path, sqlite_template: Path) -> Path:
    """A company with a manager and two checkpoints."""
    folder = tmp_path / "company"
    folder.mkdir()
    shutil.copy(sqlite_template, folder / "quartermaster.db")
    company = open_company(Settings(home=folder, database_url=None))
    company.gate.install_policies()
    company.sealer.seal(company.clock.now())
    company.gate.bootstrap_user("manager", ("manager",), password_hash=hash_password(PASSWORD))
    company.sealer.seal(company.clock.now())
    company.close()
    return folder


@pytest.fixture
def cli(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Cli:
    made = Cli(home, tmp_path / "config", monkeypatch, capsys)
    made("login", "manager", given=f"{PASSWORD}\n")
    return made


@pytest.mark.capability("S207")
def test_an_entry_is_proved_to_somebody_without_the_company(cli: Cli, tmp_path: Path) -> None:
    (entry, *_) = json.loads(cli("audit", "--outcome", "executed", "--limit", "1", "--json"))
    proof, key = tmp_path / "proof.json", tmp_path / "key.pem"
    proof.write_text(cli("audit", "prove", entry["id"]))
    key.write_text(cli("audit", "key"))
    assert key.read_text().startswith("-----BEGIN PUBLIC KEY-----")
    elsewhere = {"QUARTERMASTER_HOME": str(tmp_path / "nothing")}
    told = cli("audit", "check-proof", str(proof), "--key", str(key), **elsewhere)
    assert told.startswith("proved: leaf") and entry["command"] in told
    forged = json.loads(proof.read_text())
    forged["entry"]["command"] = "Other"
    proof.write_text(json.dumps(forged))
    cli("audit", "check-proof", str(proof), "--key", str(key), expect=3)
    assert "it was altered" in cli.errors
    cli("audit", "prove", "01890000-0000-7000-8000-000000000000", expect=3)


@pytest.mark.capability("S207")
def test_the_log_is_proved_to_extend_a_checkpoint_that_was_kept(cli: Cli, tmp_path: Path) -> None:
    kept, proof = tmp_path / "kept.jsonl", tmp_path / "proof.json"
    lines = (cli.home / "audit" / "checkpoints.jsonl").read_text().splitlines(keepends=True)
    kept.write_text("".join(lines[:1]))
    size = json.loads(lines[0])["size"]
    for old in (str(kept), str(size)):
        proof.write_text(cli("audit", "consistency", old))
        assert f"the first {size} of" in cli("audit", "check-proof", str(proof))
    assert "intact" in cli("audit", "verify", "--against", str(kept))
    other = json.loads(lines[0]) | {"log": "01890000-0000-7000-8000-000000000000"}
    kept.write_text(json.dumps(other))
    cli("audit", "verify", "--against", str(kept), expect=3)
    cli("audit", "consistency", "nowhere", expect=2)
    (tmp_path / "empty").write_text("")
    cli("audit", "verify", "--against", str(tmp_path / "empty"), expect=2)


@pytest.mark.capability("S207")
def test_an_auditor_gets_an_export_and_who_took_it_is_audited(cli: Cli, tmp_path: Path) -> None:
    target = tmp_path / "audit.zip"
    cli("audit", "export", str(target))
    found: dict[str, Any] = json.loads(cli("audit", "check-export", str(target), "--json"))
    assert found["intact"] and found["left_out"] == 0 and found["entries"] > 10
    (taken, *_) = json.loads(cli("audit", "--command", "export_audit", "--json"))
    assert taken["payload"]["entries"] == found["entries"]
    cli("audit", "export", str(target), "--since", "2030-01-01")
    assert "0 entries of log" in cli("audit", "check-export", str(target))
    cli("audit", "export", str(target), "--since", "2030-01-01", "--until", "2029-01-01", expect=2)
    (tmp_path / "other").write_text("no export")
    cli("audit", "check-export", str(tmp_path / "other"), expect=3)


@pytest.mark.capability("S207")
def test_the_log_of_a_whole_company_says_who_did_what_to_which_record(tiny_template: Path) -> None:
    """Each remembered execution has its one entry; whatever was executed says what came of it."""
    company = open_company(Settings(home=tiny_template, database_url=None))
    try:
        assert company.sealer.verify().findings == ()
        with reading(company.engine) as connection:
            known = set(connection.scalars(select(users.c.id))) | {INSTALLER.user_id}
            done = connection.execute(
                select(audit_entries).where(
                    audit_entries.c.outcome == "executed",
                    audit_entries.c.command.in_(company.gate.registry.names()),
                )
            ).all()
            remembered = {
                one["executed"]
                for one in connection.scalars(select(idempotency_keys.c.outcome))
                if "executed" in one
            }
        assert remembered <= {str(one.id) for one in done}
        assert {one.principal_id for one in done} <= known
        assert len({one.command for one in done}) > 30
        for one in done:
            assert one.rule and one.payload is not None, one.command
            assert one.after is not None or one.before is not None, one.command
        commands = (company.gate.registry.require(name).command for name in company.gate.registry.names())
        assert {one.__name__ for one in commands if one.subject is Command.subject} == ABOUT_NO_RECORD
    finally:
        company.close()
