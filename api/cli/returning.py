"""Goods that came back, on the command line."""

from __future__ import annotations

from typing import Annotated

import typer

from api.cli.options import AsJson, Home


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    group = typer.Typer(help="Goods that customers sent back.", no_args_is_help=True)
    group.command()(waiting)
    app.add_typer(group, name="returns")


def waiting(
    state: Annotated[
        str | None, typer.Option(help="return_pending, refurbishing or quarantined; left out: all.")
    ] = None,
    stranded: Annotated[
        bool, typer.Option("--stranded", help="Only what waits for longer than it should.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, max=500)] = 100,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """List goods that wait for an inspection or a decision, what waits longest first, and who may act."""
    from api.cli.client import connect
    from api.cli.output import print_json, table, words

    with connect(home) as client:
        found = client.get("/returns/waiting", state=state, stranded=stranded, limit=limit)
    if as_json:
        print_json(found)
        return
    codes = {id_: label["code"] for id_, label in found["labels"].items()}
    rows = [
        (
            one["number"],
            codes[one["item_id"]],
            codes[one["location_id"]],
            one["quantity"],
            words(one["state"]),
            one["since"],
            one["days"],
            ", ".join(words(way) for way in one["ways"]) or "inspect",
            ", ".join(one["roles"]),
        )
        for one in found["rows"]
    ]
    numbers = {"units", "days"}
    names = ("return", "item", "place", "units", "waits in", "since", "days", "to decide", "by")
    columns = [(name, "right" if name in numbers else "left") for name in names]
    table(f"{found['total']} lines of returns wait", columns, rows)
