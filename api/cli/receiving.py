"""The warehouse's door on the command line: what is expected by day, what is held, and what to decide about it."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from api.cli.options import AsJson, Home, new_key

Place = Annotated[str | None, typer.Option(help="Code of the place; left out: every one.")]


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    for command in (expected, held, decide_held, reverse_receipt, putaway):
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


def reverse_receipt(
    number: Annotated[str, typer.Argument(help="Number of the purchase order.")],
    reason: Annotated[
        str, typer.Argument(help="A code of the catalogue, as counted_wrongly or wrong_order.")
    ],
    receipt: Annotated[
        str | None, typer.Option(help="The id of the receipt, where several of the order stand.")
    ] = None,
    comment: Annotated[str | None, typer.Option(help="What else there is to say.")] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Take a wrong receipt back, all of it; policy may ask somebody first."""
    from api.cli.client import connect
    from api.cli.deciding import show_outcome
    from api.cli.errors import USAGE, CliError

    with connect(home) as client:
        order = client.get(f"/purchase-orders/{number}")["record"]
        standing = {
            one["receipt_id"]: one["received_on"] for one in order["receipts"] if one["reversed_on"] is None
        }
        if receipt is None and len(standing) != 1:
            told = ", ".join(f"{id_} of {day}" for id_, day in standing.items())
            raise CliError(
                f"{number} has {len(standing)} receipts that stand"
                if standing
                else f"{number} has no receipt",
                code=USAGE,
                remedy=f"name one with --receipt: {told}" if standing else "receive goods against it first",
            )
        body = {
            "po_id": order["order"]["id"],
            "receipt_id": receipt or next(iter(standing)),
            "reason_code": reason,
            "comment": comment,
        }
        done = client.post("/commands/ReverseReceipt", body, key=new_key())
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
