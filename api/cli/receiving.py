"""The warehouse's door on the command line: what is expected by day, what is held, and what to decide about it."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from api.cli.options import AsJson, Home, new_key

Place = Annotated[str | None, typer.Option(help="Code of the place; left out: every one.")]


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    for command in (expected, held, decide_held, putaway):
        app.command()(command)


def _place(client: Any, code: str | None) -> str | None:
    from api.cli.errors import CliError

    if code is None:
        return None
    for one in client.get("/locations"):
        if one["code"].casefold() == code.casefold():
            return str(one["id"])
    raise CliError(f"there is no place {code}", remedy="give its code as it is written")


def expected(
    place: Place = None,
    until: Annotated[str | None, typer.Option(help="Up to this day, as 2026-07-31.")] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Show what is on its way, by place and day: purchases, transfers and returns."""
    from api.cli.client import connect
    from api.cli.output import print_json, table

    with connect(home) as client:
        found = client.get("/receiving/expected", location_id=_place(client, place), until=until, limit=500)
    if as_json:
        print_json(found)
        return
    rows = [
        (
            found["labels"][one["location_id"]]["code"],
            one["day"] or "no day",
            one["kind"],
            "late" if one["late"] else "",
            one["documents"],
            one["lines"],
            one["units"],
            one["cartons"],
            one["not_confirmed_units"],
        )
        for one in found["days"]
    ]
    left, right = ("place", "day", "kind", ""), ("documents", "lines", "units", "cartons", "not confirmed")
    columns = [*((name, "left") for name in left), *((name, "right") for name in right)]
    table(f"{found['total']} lines are on their way", columns, rows)


def held(place: Place = None, home: Home = None, as_json: AsJson = False) -> None:
    """List goods that are held at the door, the longest first."""
    from api.cli.client import connect
    from api.cli.output import print_json, table, words

    with connect(home) as client:
        found = client.get("/receiving/held", location_id=_place(client, place), limit=500)
    if as_json:
        print_json(found)
        return
    label = found["labels"]
    rows = [
        (
            one["number"],
            one["line_no"],
            label[one["item_id"]]["code"],
            label[one["location_id"]]["code"],
            words(one["reason"]),
            one["since"],
            one["units"],
        )
        for one in found["rows"]
    ]
    names = ("order", "line", "item", "place", "held for", "since")
    table(f"{found['total']} are held", [*((name, "left") for name in names), ("units", "right")], rows)


def decide_held(
    number: Annotated[str, typer.Argument(help="Number of the purchase order.")],
    line: Annotated[int, typer.Argument(help="Its line.")],
    decision: Annotated[str, typer.Argument(help="accept, return, correct or quarantine.")],
    units: Annotated[int, typer.Argument(min=1)],
    reason: Annotated[
        str | None, typer.Option("--for", help="beyond, inspection or quarantine, where several are held.")
    ] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Decide about goods of a line that are held."""
    from uuid import uuid4

    from api.cli.client import connect
    from api.cli.deciding import show_outcome
    from api.cli.errors import USAGE, CliError

    with connect(home) as client:
        order = client.get(f"/purchase-orders/{number}")["record"]
        found = next((one["id"] for one in order["lines"] if one["line_no"] == line), None)
        if found is None:
            raise CliError(f"{number} has no line {line}", code=USAGE, remedy="list what is held")
        body = {
            "decision_id": str(uuid4()),
            "po_id": order["order"]["id"],
            "po_line_id": found,
            "decision": decision,
            "quantity": units,
            "held_for": reason,
        }
        done = client.post("/commands/DecideHeldGoods", body, key=new_key())
    show_outcome(done, as_json)


def putaway(
    place: Annotated[str, typer.Argument(help="Code of the site.")],
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Show where what lies at a site itself should be put away, and why there."""
    from api.cli.client import connect
    from api.cli.output import print_json, table, words

    with connect(home) as client:
        found = client.get("/receiving/putaway", location_id=_place(client, place))
    if as_json:
        print_json(found)
        return
    label = found["labels"]
    rows = [
        (
            label[one["item_id"]]["code"],
            one["units"],
            label[one["location_id"]]["code"] if one["location_id"] else "no rule fits, or no room",
            words(one["reason"]) if one["reason"] else None,
        )
        for one in found["rows"]
    ]
    columns = [("item", "left"), ("units", "right"), ("to", "left"), ("because of", "left")]
    table(f"{len(rows)} to put away at {place}", columns, rows)
