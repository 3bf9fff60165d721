"""The command line: the same authentication with and without a server, exit codes, one JSON value."""

from __future__ import annotations

import io
import json
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from api.cli.main import app, main
from api.cli.shown import as_markdown, known_capabilities, shown_by
from api.demo import PASSWORD
from tests.api.conftest import QUARTERMASTER, Process, app_over, free_port

_command = cache(get_command)
"""The commands as Typer puts them together, once in a process: most of what a short one takes."""


class Cli:
    """`quartermaster` run as somebody's account on a machine; `home` is the company's."""

    def __init__(self, home: Path, config: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
        self.home, self.config = home, config
        self.errors = ""
        self._monkeypatch, self._capsys = monkeypatch, capsys

    def __call__(self, *arguments: str, given: str = "", expect: int = 0, **environment: str) -> str:
        self._capsys.readouterr()
        code: object = 0
        with self._monkeypatch.context() as patch:
            for name in ("DATABASE_URL", "QUARTERMASTER_TOKEN", "QUARTERMASTER_URL"):
                patch.delenv(name, raising=False)
            patch.setenv("QUARTERMASTER_CONFIG", str(self.config))
            patch.setenv("QUARTERMASTER_HOME", str(self.home))
            for name, value in environment.items():
                patch.setenv(name, value)
            patch.setattr("api.cli.inprocess.create_app", lambda _, **wanted: app_over(**wanted))
            patch.setattr("typer.main.get_command", _command)
            patch.setattr("sys.argv", ["quartermaster", *arguments])
            patch.setattr("sys.stdin", io.StringIO(given))
            try:
                main()
            except SystemExit as end:
                code = end.code or 0
        shown = self._capsys.readouterr()
        self.errors = shown.err
        assert code == expect, (code, shown.out, shown.err)
        return shown.out

    def json(self, *arguments: str, **more: Any) -> Any:
        return json.loads(self(*arguments, "--json", **more))

    def token(self) -> str:
        (token,) = json.loads((self.config / "tokens.json").read_text()).values()
        return token


@pytest.fixture
def cli(tiny_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> Cli:
    return Cli(tiny_home, tmp_path / "config", monkeypatch, capsys)


@pytest.mark.capability("S209")
def test_with_and_without_a_server_the_same_person_gets_the_same_answers(
    cli: Cli, start: Callable[..., Process]
) -> None:
    cli("whoami", expect=4)
    assert "quartermaster login" in cli.errors
    cli("login", "planner", given="wrong\n", expect=4)
    cli("login", "planner", given=f"{PASSWORD}\n")
    assert (cli.config / "tokens.json").stat().st_mode & 0o777 == 0o600
    alone = cli.json("exceptions")
    question = cli.json("ask", "net sales by channel")

    start("serve", "--no-jobs", "--home", str(cli.home), "--port", str(free_port()))
    assert cli.json("exceptions") == alone
    assert cli.json("ask", "net sales by channel")["text"] == question["text"]
    assert cli.json("whoami")["login"] == "planner"
    cli("train", expect=4)
    cli("approve", "01890000-0000-7000-8000-000000000000", "--hash", "0" * 64, expect=3)
    cli("approve", "01890000-0000-7000-8000-000000000000", expect=2)
    cli("logout")
    cli("whoami", expect=4)


@pytest.mark.capability("S238")
def test_a_proposal_is_asked_for_and_approved_from_the_command_line(cli: Cli) -> None:
    tokens = {}
    for login in ("planner", "manager"):
        cli("login", login, given=f"{PASSWORD}\n")
        tokens[login] = cli.token()
    as_planner, as_manager = ({"QUARTERMASTER_TOKEN": tokens[one]} for one in ("planner", "manager"))
    answer = json.loads(
        cli("ask", "order 60 of OUT-0112 from Ningbo Harvest Metalware", "--json", **as_planner)
    )
    (proposed,) = answer["proposals"]
    shown = json.loads(cli("proposals", proposed["id"], "--json", **as_manager))
    cli("approve", proposed["id"], "--hash", shown["payload_hash"], expect=3, **as_planner)
    outcome = json.loads(
        cli("approve", proposed["id"], "--hash", shown["payload_hash"], "--json", **as_manager)
    )
    assert outcome["result"]["status"] == "executed"
    assert "intact" in cli("audit", "verify", **as_manager)


@pytest.mark.capability("S231")
def test_a_batch_of_questions_gives_one_json_answer_a_line(cli: Cli, tmp_path: Path) -> None:
    cli("login", "planner", given=f"{PASSWORD}\n")
    batch = tmp_path / "questions.jsonl"
    batch.write_text('"net sales by channel"\n{"id": 7, "question": "units on hand by warehouse"}\n')
    lines = [json.loads(line) for line in cli("ask", "--batch", str(batch)).splitlines()]
    assert [one["status"] for one in lines] == ["answered", "answered"] and lines[1]["id"] == 7
    batch.write_text("not json\n")
    cli("ask", "--batch", str(batch), expect=2)
    cli("ask", expect=2)


def test_a_company_is_created_imported_into_and_examined(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    cli = Cli(tmp_path / "new", tmp_path / "config", monkeypatch, capsys)
    cli("exceptions", expect=3)
    assert "quartermaster init" in cli.errors
    cli("init", "--admin-login", "root", given="short\n", expect=2)
    cli("init", "--admin-login", "root", "--name", "New Company", given="long enough\n")
    cli("login", "root", given="long enough\n")
    file = tmp_path / "items.csv"
    file.write_text("wrong,header\n1,2\n")
    cli("import", "items", str(file), "--as-of", "2026-06-30", expect=3)
    cli("import", "nonsense", str(file), "--as-of", "2026-06-30", expect=2)
    checks = {one["check"]: one["state"] for one in cli.json("doctor")}
    assert {checks[name] for name in ("database", "ledger", "past sales")} == {"good"}
    assert checks["feeds"] == "note"
    digests = {cli.json("export", "--canonical")["sha256"] for _ in range(2)}
    assert len(digests) == 1


def test_an_unreachable_server_has_its_own_exit_code(cli: Cli) -> None:
    cli("whoami", expect=5, QUARTERMASTER_URL=f"http://127.0.0.1:{free_port()}")
    assert cli.errors.count("\n") == 1


def test_every_command_of_the_list_is_there_and_helps() -> None:
    wanted = "login demo init serve import export train forecast scan exceptions ask proposals approve reject metrics audit"
    for name in [*wanted.split(), "eval", "capabilities", "doctor", "jobs", "logout", "whoami"]:
        result = CliRunner().invoke(app, [name, "--help"])
        assert result.exit_code == 0, name


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; sys.argv = ['quartermaster', '--help']\n"
        "from api.cli.main import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'sqlalchemy', 'fastapi', 'numpy', 'sklearn', 'langchain', 'chromadb', 'pydantic', 'httpx', 'mcp', 'rich.table'}\n"
        "sys.exit(str(sorted(heavy & sys.modules.keys())) if heavy & sys.modules.keys() else 0)"
    )
    python = QUARTERMASTER.with_name("python")
    done = subprocess.run([str(python), "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_all_capabilities_are_listed_and_marked_tests_are_found(tmp_path: Path) -> None:
    assert [one.number for one in known_capabilities()] == [f"S{number}" for number in range(1, 242)]
    folder = tmp_path / "tests"
    folder.mkdir()
    (folder / "test_one.py").write_text(
        "import pytest\npytestmark = [pytest.mark.capability('S1'), pytest.mark.slow]\n"
        "@pytest.mark.capability('S2', 'S3')\ndef test_a(): ...\n"
        "@pytest.mark.capability('S4')\nclass TestB:\n    def test_b(self): ...\n"
        "def helper(): ...\n"
    )
    shown = shown_by(folder)
    assert shown["S1"] == ["tests/test_one.py::test_a", "tests/test_one.py::TestB::test_b"]
    assert shown["S3"] == ["tests/test_one.py::test_a"]
    assert shown["S4"] == ["tests/test_one.py::TestB::test_b"]


def test_the_page_of_capabilities_is_up_to_date() -> None:
    page = Path(__file__).parents[2] / "docs" / "capabilities.md"
    assert page.read_text(encoding="utf-8") == as_markdown()
