"""The flow of orders on the command line: pick lists, clocks of stages, ageing by exception code."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from api.cli.options import AsJson, Home


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    for command in (picks, clocks, ageing):
        app.command()(command)


def _asked(home: Any, path: str, **params: Any) -> Any:
    from api.cli.client import connect

    with connect(home) as client:
        return client.get(path, **params)


def picks(
    status: Annotated[str | None, typer.Option(help="Left out: those that are open.")] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """List pick lists, the earliest carrier cutoff first."""
    from api.cli.output import print_json, table, words

    found = _asked(home, "/pick-lists", status=status)
    if as_json:
        print_json(found)
        return
    rows = [
        (
            one["id"],
            one["order_number"],
            words(one["status"]),
            sum(one["units"].values()),
            one["cutoff_at"],
            one["service_reason"],
        )
        for one in found
    ]
    left = ("pick list", "order", "status")
    columns = [
        *((name, "left") for name in left),
        ("units", "right"),
        ("cutoff", "left"),
        ("carrier", "left"),
    ]
    table(f"{len(found)} pick lists", columns, rows)


def clocks(home: Home = None, as_json: AsJson = False) -> None:
    """List orders whose stage is about to pass its limit, or has."""
    from api.cli.output import print_json, table, words

    found = _asked(home, "/order-clocks")
    if as_json:
        print_json(found)
        return
    rows = [
        (one["order_number"], words(one["stage"]), words(one["standing"]), one["since"], one["due_at"])
        for one in found
    ]
    names = ("order", "stage", "standing", "since", "due")
    table(f"{len(found)} clocks run out", [(name, "left") for name in names], rows)


def ageing(home: Home = None, as_json: AsJson = False) -> None:
    """Show orders on hold or without stock, by exception code and age."""
    from api.cli.output import print_json, table, words

    found = _asked(home, "/order-ageing")
    if as_json:
        print_json(found)
        return
    rows = [
        (words(one["code"]), one["bucket"], one["orders"], one["units"], one["oldest_since"]) for one in found
    ]
    columns = [("code", "left"), ("age", "left"), ("orders", "right"), ("units", "right"), ("oldest", "left")]
    table("orders that are stuck", columns, rows)
