"""Proposals on the command line: what waits, decisions that quote the hash shown, new versions, lent rights, reviews."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from api.cli.options import AsJson, Home, new_key


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    for command in (proposals, propose, approve, reject, withdraw, rebase, revise, reviews, delegate):
        app.command()(command)
    app.command("send-back")(send_back)


def proposals(
    proposal: Annotated[str | None, typer.Argument(metavar="[ID]", help="Show this one in full.")] = None,
    status: Annotated[str, typer.Option(help="pending, executed, rejected, ... or all.")] = "pending",
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """List what waits for people, or show one proposal with its plan, rule and hash."""
    from api.cli.client import connect
    from api.cli.output import moment, money, print_json, table

    with connect(home) as client:
        if proposal is not None:
            found = client.get(f"/proposals/{proposal}")
            print_json(found) if as_json else _show_proposal(found)
            return
        page = client.get("/proposals", status=status, limit=100)
    if as_json:
        print_json(page)
        return
    rows = [
        (
            one["id"],
            one["title"],
            money(one["amount"]),
            f"{one['requester']}{' (agent)' if one['via'] == 'agent' else ''}",
            _status(one),
            moment(one["expires_at"]),
        )
        for one in page["rows"]
    ]
    columns = [
        ("id", "left"),
        ("what", "left"),
        ("amount", "right"),
        ("asked by", "left"),
        ("status", "left"),
    ]
    table(f"{page['total']} proposals ({status})", [*columns, ("until", "left")], rows)


def _status(proposal: dict[str, Any]) -> str:
    standing = proposal["standing"] or {}
    words = [proposal["status"]]
    if standing.get("stale"):
        words.append("changed since")
    if standing.get("runs_out_soon"):
        words.append("runs out soon")
    return ", ".join(words)


def _show_proposal(found: dict[str, Any]) -> None:
    from api.cli.output import facts, moment, money, out, table, words

    out.print(found["title"], style="bold", markup=False)
    asked = (
        f"{found['requester']}, through {found['via']}{', saw untrusted text' if found['tainted'] else ''}"
    )
    facts(
        [
            ("why", found["reason"]),
            ("amount", money(found["amount"])),
            ("status", found["status"]),
            ("asked by", asked),
            ("rule", found["policy_name"]),
            ("needs", _needs(found)),
            ("version", f"{found['version']} of {len(found['versions'])}"),
            ("undone by", "; ".join(str(one["by"] or "nothing") for one in found["compensation"])),
            ("until", moment(found["expires_at"])),
            ("hash", found["payload_hash"]),
            ("you", found["deciding"]["why_not"] or "may decide"),
        ]
    )
    for step in found["plan"]:
        out.print(f"\n{step['command']}", style="bold", markup=False)
        facts([(words(one["name"]), _plain(one)) for one in step["fields"]])
        if step["lines"]:
            columns = [
                (words(one["name"]), "left" if one["kind"] == "record" else "right")
                for one in step["lines"][0]
            ]
            table("", columns, [[_plain(one) for one in line] for line in step["lines"]])
    for change in found["changes"]:
        out.print(
            f"changed since: {words(change['fact'])} was {change['then']}, is {change['now']}", markup=False
        )


def _needs(found: dict[str, Any]) -> str:
    between = ", then " if found["in_order"] else " and "
    needs = between.join(f"{one['people']} {one['role']}" for one in found["approvers"])
    given = ", ".join(f"{one['person']} {one['decision'].replace('_', ' ')}" for one in found["decisions"])
    stand_in = f"; {found['escalated_to']} may stand in" if found["escalated_to"] else ""
    return needs + stand_in + (f" (so far: {given})" if given else "")


def _plain(field: dict[str, Any]) -> str:
    from api.cli.output import money

    if field["kind"] == "money":
        return money(field["value"])
    return str(field["label"] or field["value"])


Shown = Annotated[
    str | None, typer.Option("--hash", help="The hash you were shown; without it you are shown it and asked.")
]


def approve(
    proposal: Annotated[str, typer.Argument(metavar="ID")],
    payload_hash: Shown = None,
    comment: str = "",
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Approve a proposal, quoting the hash that was shown."""
    _decide("approve", proposal, payload_hash, comment, home, as_json)


def reject(
    proposal: Annotated[str, typer.Argument(metavar="ID")],
    comment: Annotated[str, typer.Option(help="Why.")],
    payload_hash: Shown = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Reject a proposal with a reason."""
    _decide("reject", proposal, payload_hash, comment, home, as_json)


def send_back(
    proposal: Annotated[str, typer.Argument(metavar="ID")],
    comment: Annotated[str, typer.Option(help="What another version should change.")],
    payload_hash: Shown = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Ask for another version of a proposal."""
    _decide("send-back", proposal, payload_hash, comment, home, as_json)


def withdraw(
    proposal: Annotated[str, typer.Argument(metavar="ID")], home: Home = None, as_json: AsJson = False
) -> None:
    """Take your own proposal back."""
    from api.cli.client import connect

    with connect(home) as client:
        show_outcome(client.post(f"/proposals/{proposal}/withdraw", key=new_key()), as_json)


def rebase(
    proposal: Annotated[str, typer.Argument(metavar="ID")], home: Home = None, as_json: AsJson = False
) -> None:
    """Propose the same plan again on what holds now: the next version, unapproved."""
    from api.cli.client import connect

    with connect(home) as client:
        show_outcome(client.post(f"/proposals/{proposal}/rebase", key=new_key()), as_json)


def revise(
    proposal: Annotated[str, typer.Argument(metavar="ID")],
    plan: Annotated[
        Path,
        typer.Argument(help="The changed plan as JSON: title, reason, commands; `propose` takes the same."),
    ],
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Put a changed plan in a proposal's place: the next version, unapproved."""
    from api.cli.client import connect

    body = _plan_from(plan)
    with connect(home) as client:
        show_outcome(client.post(f"/proposals/{proposal}/revise", body, key=new_key()), as_json)


def propose(
    plan: Annotated[
        Path, typer.Argument(help='JSON: {"title", "reason", "commands": [{"command", "payload"}]}.')
    ],
    urgent: Annotated[
        bool, typer.Option("--urgent", help="Ask for the expedited path; reviewed later.")
    ] = False,
    break_glass: Annotated[
        bool,
        typer.Option(
            "--break-glass", help="Run without approvals: role emergency, with a reason, reviewed later."
        ),
    ] = False,
    key: Annotated[str | None, typer.Option(help="Idempotency key; the same key acts once.")] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Submit a plan of commands: it runs where policy lets it, and waits for people where not."""
    from api.cli.client import connect

    body = _plan_from(plan) | {"urgent": urgent, "breaks_glass": break_glass}
    with connect(home) as client:
        show_outcome(client.post("/proposals", body, key=key or new_key()), as_json)


def _plan_from(file: Path) -> dict[str, Any]:
    import json

    from api.cli.errors import USAGE, CliError

    try:
        body = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        told = error.strerror if isinstance(error, OSError) else str(error)
        raise CliError(
            f"{file} cannot be read as JSON: {told}",
            remedy="name a file with title, reason and commands",
            code=USAGE,
        ) from error
    if not isinstance(body, dict):
        raise CliError(
            f"{file} holds no plan", remedy="write an object with title, reason, commands", code=USAGE
        )
    return body


def reviews(
    complete: Annotated[str | None, typer.Option(metavar="ID", help="Say how this one was.")] = None,
    verdict: Annotated[str, typer.Option(help="justified or not_justified.")] = "justified",
    comment: Annotated[str, typer.Option(help="What you found.")] = "",
    done: Annotated[bool, typer.Option("--done", help="Show those that were looked at as well.")] = False,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """List what ran with fewer approvals than usual and waits for a look, or complete one."""
    from api.cli.client import connect
    from api.cli.output import moment, print_json, table

    with connect(home) as client:
        if complete is not None:
            body = {"review_id": complete, "verdict": verdict, "comment": comment}
            show_outcome(client.post("/commands/CompleteReview", body, key=new_key()), as_json)
            return
        found = client.get("/reviews", done=done)
    if as_json:
        print_json(found)
        return
    rows = [
        (
            one["id"],
            one["kind"].replace("_", " "),
            one["title"],
            one["person"],
            one["reason"],
            one["role"],
            f"{moment(one['due_at'])}{' (overdue)' if one['overdue'] else ''}",
            (one["verdict"] or "").replace("_", " "),
        )
        for one in found
    ]
    names = ("id", "kind", "what", "by", "why", "for", "due", "verdict")
    table(f"{len(found)} reviews", [(name, "left") for name in names], rows)


def delegate(
    to: Annotated[str | None, typer.Argument(metavar="[LOGIN]", help="To whom; none: list them.")] = None,
    role: Annotated[str, typer.Option(help="A role of yours.")] = "",
    first: Annotated[str, typer.Option("--from", help="First day, 2026-07-01.")] = "",
    last: Annotated[str, typer.Option("--to", help="Last day.")] = "",
    below: Annotated[float | None, typer.Option(help="Only proposals below this amount.")] = None,
    reason: Annotated[str, typer.Option(help="Why.")] = "",
    end: Annotated[str | None, typer.Option(metavar="ID", help="Take this one back.")] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Lend your right to decide for some days, take it back, or list what is lent."""
    from uuid import uuid4

    from api.cli.client import connect
    from api.cli.errors import USAGE, CliError
    from api.cli.output import money, print_json, table

    with connect(home) as client:
        if end is not None:
            outcome = client.post("/commands/EndDelegation", {"delegation_id": end}, key=new_key())
            show_outcome(outcome, as_json)
            return
        if to is not None:
            lacking = [
                name
                for name, given in (("--role", role), ("--from", first or last), ("--reason", reason))
                if not given
            ]
            if lacking:
                raise CliError(
                    f"missing: {', '.join(lacking)}",
                    remedy="say which role of yours is lent, from when, and why",
                    code=USAGE,
                )
            person = next((one for one in client.get("/users") if one["login"] == to), None)
            if person is None:
                raise CliError(
                    f"there is no user {to}", remedy="`quartermaster users list` shows them", code=USAGE
                )
            body = {
                "delegation_id": str(uuid4()),
                "to_user_id": person["id"],
                "role": role,
                "starts_on": first or last,
                "ends_on": last or first,
                "amount_below": None if below is None else round(below * 10_000),
                "reason": reason,
            }
            show_outcome(client.post("/commands/DelegateAuthority", body, key=new_key()), as_json)
            return
        found = client.get("/delegations")
    if as_json:
        print_json(found)
        return
    rows = [
        (
            one["id"],
            one["lender"],
            one["borrower"],
            one["role"],
            f"{one['starts_on']} to {one['ends_on']}",
            "any" if one["amount_below"] is None else f"under {money(one['amount_below'])}",
            "taken back" if one["ended_at"] else "",
        )
        for one in found
    ]
    names = ("id", "from", "to", "role", "days", "amount", "")
    table(f"{len(found)} lent rights", [(name, "left") for name in names], rows)


def _decide(
    decision: str, proposal: str, payload_hash: str | None, comment: str, home: Path | None, as_json: bool
) -> None:
    import sys

    from api.cli.client import connect
    from api.cli.errors import USAGE, CliError

    with connect(home) as client:
        if payload_hash is None:
            if not sys.stdin.isatty():
                raise CliError(
                    "a decision quotes the hash that was shown",
                    remedy="give --hash from `proposals ID`",
                    code=USAGE,
                )
            found = client.get(f"/proposals/{proposal}")
            _show_proposal(found)
            if not typer.confirm(f"{decision} this?"):
                raise typer.Abort()
            payload_hash = found["payload_hash"]
        outcome = client.post(
            f"/proposals/{proposal}/{decision}",
            {"payload_hash": payload_hash, "comment": comment},
            key=new_key(),
        )
    show_outcome(outcome, as_json)


def show_outcome(outcome: dict[str, Any], as_json: bool) -> None:
    from api.cli.errors import REFUSED, CliError
    from api.cli.output import out, print_json

    result = outcome.get("result") or {}
    if as_json:
        print_json(outcome)
    elif outcome["outcome"] == "proposed":
        needs = ", ".join(f"{one['people']} {one['role']}" for one in outcome["approvers"])
        out.print(f"proposed {outcome['proposal_id']}: waits for {needs} ({outcome['policy']})", markup=False)
    elif "failed" not in result:
        out.print(f"{result.get('status', 'done')} (audit entry {outcome['audit_id']})", markup=False)
    if "failed" in result:
        failed = result["failed"]
        raise CliError(f"not executed: {failed['message']}", remedy=failed.get("remedy", ""), code=REFUSED)
