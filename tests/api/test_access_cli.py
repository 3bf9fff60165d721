"""Identity from the command line: what one may do, accounts and roles, keys, sessions."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from sqlalchemy import Engine

from api.cli import output
from api.composition import make_gate
from erp_core.clock import Clock
from erp_core.gate.passwords import hash_password
from erp_core.settings import Settings
from erp_core.storage.engine import open_engine
from tests.api.test_cli import Cli
from tests.conftest import TODAY

PASSWORD = "seven green lanterns\n"
pytestmark = pytest.mark.capability("S204")


@pytest.fixture
def cli(sqlite_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> Cli:
    home = tmp_path / "company"
    home.mkdir()
    shutil.copy(sqlite_template, home / "quartermaster.db")
    engine: Engine = open_engine(Settings(home=home).url)
    gate = make_gate(engine, Clock(fixed_business_date=TODAY), home=home)
    gate.install_policies()
    for role in ("admin", "manager", "planner"):
        gate.bootstrap_user(role, [role], password_hash=hash_password(PASSWORD.strip()))
    engine.dispose()
    return Cli(home, tmp_path / "config", monkeypatch, capsys)


def test_the_table_of_roles_needs_no_company(cli: Cli, tmp_path: Path) -> None:
    table = cli.json("roles")
    row = next(one for one in table["commands"] if one["command"] == "GrantRole")
    assert (row["roles"], row["governed"], row["agents_may_propose"]) == (["admin"], True, False)
    assert {"see_cost", "see_customers"} <= {one["right"] for one in table["rights"] if one["fields"]}


def test_one_hears_who_one_is_and_whether_one_may(cli: Cli) -> None:
    cli("login", "planner", given=PASSWORD)
    shown = cli("whoami")
    assert "planner (person)" in shown and "session" in shown and "until" in shown and "lent" not in shown
    assert cli("can", "SubmitPurchaseOrder").startswith("yes: as planner you may run it; an approval policy")
    assert cli("can", "GrantRole", expect=4).strip() == "no: it is for: admin"


@pytest.mark.capability("S206")
def test_who_borrows_a_right_hears_whose_it_is_and_until_when(cli: Cli) -> None:
    cli("login", "manager", given=PASSWORD)
    today = datetime.now(UTC).date()
    last = str(today + timedelta(days=3))
    days = ("--from", str(today - timedelta(days=1)), "--to", last, "--below", "5000")
    cli("delegate", "planner", "--role", "manager", *days, "--reason", "on leave")
    cli("login", "planner", given=PASSWORD)
    assert f"manager, by manager until {last}, below 5,000.00" in cli("whoami")
    assert cli.json("whoami")["lent"][0]["ends_on"] == last


def test_an_account_is_added_and_given_roles_and_power_waits_for_somebody_else(cli: Cli) -> None:
    cli("login", "admin", given=PASSWORD)
    cli("users", "add", "nova", "--name", "Nova Newcomer", "--role", "buyer", given="nine amber umbrellas\n")
    assert "waits for 1 manager" in cli("users", "grant", "nova", "finance")
    cli("users", "grant", "nova", "planner")
    nova = next(one for one in cli.json("users", "list") if one["login"] == "nova")
    assert nova["roles"] == ["buyer", "planner"]
    cli("users", "add", "nova2", "--name", "Nova Newcomer", given="nine amber umbrellas\n", expect=3)
    assert nova["person_id"] in cli.errors
    cli("users", "add", "nova2", "--name", "N", "--same-person-as", "nova", given="nine amber umbrellas\n")
    cli("users", "deactivate", "nova")
    cli("login", "nova", given="nine amber umbrellas\n", expect=4)


def test_a_key_carries_a_program_within_its_scope(cli: Cli) -> None:
    cli("login", "planner", given=PASSWORD)
    made = cli.json("keys", "issue", "sheet", "--right", "read_metrics", "--days", "7")
    assert cli.json("whoami", QUARTERMASTER_TOKEN=made["token"])["scope"]["rights"] == ["read_metrics"]
    cli("exceptions", QUARTERMASTER_TOKEN=made["token"], expect=4)
    fresh = json.loads(cli("keys", "rotate", made["key_id"], "--json"))
    assert fresh["token"] not in cli("keys", "list")
    cli("keys", "revoke", fresh["key_id"])
    cli("whoami", QUARTERMASTER_TOKEN=fresh["token"], expect=4)


def test_sessions_end_and_the_password_changes(cli: Cli) -> None:
    cli("login", "planner", given=PASSWORD)
    first = cli.token()
    cli("login", "planner", given=PASSWORD)
    assert len(cli.json("sessions", "list")) == 2
    cli("password", given=PASSWORD + "nine amber umbrellas\n")
    cli("whoami", QUARTERMASTER_TOKEN=first, expect=4)
    cli("sessions", "end", "--all")
    cli("whoami", expect=4)
    cli("login", "planner", given=PASSWORD, expect=4)
    cli("login", "planner", given="nine amber umbrellas\n")


def test_what_is_asked_for_wrongly_is_answered_with_field_and_remedy(cli: Cli, tmp_path: Path) -> None:
    cli("login", "planner", given=PASSWORD)
    nothing = "00000000-0000-0000-0000-000000000000"
    for args, code, told in (
        (("sessions", "end", nothing), 3, "no live session of yours has this id"),
        (("sessions", "end", "x"), 2, "session_id: is no id – copy the whole id"),
        (("delegate", "manager"), 2, "missing: --role, --from, --reason – say which role"),
        (("delegate", "nobody", "--role", "planner"), 2, "missing: --from, --reason"),
        (("propose", str(tmp_path / "none.json")), 2, "No such file or directory – name a file"),
        (("policy", "explain", "SetBudget", "--payload", "{x"), 2, "the payload is not JSON"),
        (("audit", "export", str(tmp_path / "none" / "log.zip")), 2, "cannot be written"),
    ):
        cli(*args, expect=code)
        assert told in cli.errors and "Traceback" not in cli.errors, args


def test_a_case_of_a_policy_test_that_cannot_be_read_names_its_field(cli: Cli, tmp_path: Path) -> None:
    cli("login", "planner", given=PASSWORD)
    cases = tmp_path / "cases.toml"
    cases.write_text('[[case]]\ncommand = "SetBudget"\n', encoding="utf-8")
    cli("policy", "test", str(cases), expect=2)
    assert "case.0.name: Field required" in cli.errors


def test_a_table_that_a_screen_is_too_narrow_for_stands_as_blocks(
    monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    columns, rows = [("id", "left"), ("what", "left"), ("", "left")], [["9" * 36, "a long title " * 4, ""]]
    for width, lines in ((120, 3), (50, 4)):
        console = Console(width=width, force_terminal=True, highlight=False, color_system=None)
        monkeypatch.setattr(output, "out", console)
        output.table("things", columns, rows)
        shown = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
        assert len(shown) == lines and any(rows[0][0] in line for line in shown)
    monkeypatch.undo()
    output.table("things", columns, [["1", "word " * 100, "x"]])
    assert len(capsys.readouterr().out.splitlines()) == 3, "a pipe gets each row on a line of its own"
