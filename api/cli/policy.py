"""Approval policies on the command line: which there are, which applies and why, tests, and what a change touches."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from api.cli.options import AsJson, Home, new_key


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    group = typer.Typer(help="Approval policies: list, explain, test, preview, save.", no_args_is_help=True)
    for name, command in (
        ("list", list_),
        ("explain", explain),
        ("test", run_test),
        ("preview", preview),
        ("save", save),
        ("separation", separation),
    ):
        group.command(name)(command)
    app.add_typer(group, name="policy")


def list_(
    command: Annotated[str | None, typer.Argument(help="Only those about this command.")] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """List the policies in force: when they hold and what they ask for."""
    from api.cli.client import connect
    from api.cli.output import print_json, table

    with connect(home) as client:
        found = client.get("/policies", command=command)
    if as_json:
        print_json(found)
        return
    rows = [
        (one["command"], one["name"], "\n".join(one["when"]) or "always", one["asks"], one["version"])
        for one in found
    ]
    names = ("command", "policy", "when", "asks for", "version")
    table(f"{len(found)} approval policies", [(name, "left") for name in names], rows)


def explain(
    command: Annotated[str, typer.Argument(help="A command's name, such as SubmitPurchaseOrder.")],
    payload: Annotated[str, typer.Option(help="Its payload as JSON, or @FILE.")] = "{}",
    urgent: Annotated[bool, typer.Option("--urgent")] = False,
    tainted: Annotated[bool, typer.Option("--tainted")] = False,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Say which policy would decide about a command of yours, and why; nothing is submitted."""
    from api.cli.client import connect
    from api.cli.output import out, print_json

    body = {"command": command, "payload": _payload(payload), "urgent": urgent, "tainted": tainted}
    with connect(home) as client:
        found = client.post("/policies/explain", body)
    if as_json:
        print_json(found)
        return
    if not found:
        out.print(f"{command} is not governed: it runs at once for whoever may run it", markup=False)
    for one in found:
        verdict = one["decides"] or f"refused: {one['error']['message']}"
        out.print(f"{one['command']}: {verdict}", style="bold", markup=False)
        for policy in one["policies"]:
            mark = "→" if policy["decides"] else "✓" if policy["holds"] else "✗"
            out.print(f"  {mark} {policy['name']} (asks for {policy['asks']})", markup=False)
            for condition in policy["conditions"]:
                holds = "✓" if condition["holds"] else "✗"
                out.print(
                    f"      {holds} {condition['label']}: {condition['wants']}; it is {condition['value']}",
                    markup=False,
                )


def run_test(
    file: Annotated[Path, typer.Argument(help="Cases as TOML: [[case]] name, command, facts, decides …")],
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Run cases against the policies in force; exits with an error when one fails."""
    from api.cli.client import connect
    from api.cli.errors import REFUSED, CliError
    from api.cli.output import out, print_json

    text = _read(file)
    with connect(home) as client:
        found = client.post("/policies/test", {"cases": text})
    if as_json:
        print_json(found)
    else:
        for one in found:
            mark = "✓" if one["passed"] else "✗"
            told = "" if one["passed"] else f": expected {one['expected']}, got {one['found']}"
            out.print(f"{mark} {one['name']}{told}", markup=False)
    failed = sum(not one["passed"] for one in found)
    if failed:
        raise CliError(f"{failed} of {len(found)} cases failed", code=REFUSED)


def preview(
    file: Annotated[Path, typer.Argument(help="A policy as JSON: the payload of SaveApprovalPolicy.")],
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Show which waiting proposals a change of policy would touch; nothing is saved."""
    from api.cli.client import connect
    from api.cli.output import print_json, table

    with connect(home) as client:
        found = client.post("/policies/preview", _payload(f"@{file}"))
    if as_json:
        print_json(found)
        return
    rows = [(one["proposal_id"], one["title"], one["asks_now"], one["would_ask"]) for one in found]
    names = ("proposal", "what", "asks now", "would ask")
    table(f"{len(found)} waiting proposals would be touched", [(name, "left") for name in names], rows)


def save(
    file: Annotated[Path, typer.Argument(help="A policy as JSON: the payload of SaveApprovalPolicy.")],
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Propose a new or changed policy; it is in force once those it asks for approve."""
    from api.cli.client import connect
    from api.cli.deciding import show_outcome

    with connect(home) as client:
        show_outcome(
            client.post("/commands/SaveApprovalPolicy", _payload(f"@{file}"), key=new_key()), as_json
        )


def separation(home: Home = None, as_json: AsJson = False) -> None:
    """List the rules of separation: duties in one document that no single person may have."""
    from api.cli.client import connect
    from api.cli.output import print_json, table

    with connect(home) as client:
        found = client.get("/policies/separation")
    if as_json:
        print_json(found)
        return
    rows = [(one["name"], _words(one["duty"]), _words(one["other"])) for one in found]
    table(f"{len(found)} rules of separation", [(name, "left") for name in ("rule", "duty", "other")], rows)


def _words(duty: str) -> str:
    return duty.replace("_", " ")


def _payload(given: str) -> dict[str, Any]:
    from api.cli.errors import USAGE, CliError

    what = given[1:] if given.startswith("@") else "the payload"
    text = _read(Path(what)) if given.startswith("@") else given
    remedy = "give one JSON object with the command's fields"
    try:
        body = json.loads(text)
    except ValueError as error:
        raise CliError(f"{what} is not JSON: {error}", remedy=remedy, code=USAGE) from error
    if not isinstance(body, dict):
        raise CliError(f"{what} is no JSON object", remedy=remedy, code=USAGE)
    return body


def _read(file: Path) -> str:
    from api.cli.errors import USAGE, CliError

    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise CliError(
            f"{file} cannot be read: {error.strerror}", remedy="name a file that is there", code=USAGE
        ) from error
