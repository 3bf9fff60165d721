"""What orders earn, what capital is bound and what purchases may yet cost, on the command line."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from api.cli.options import AsJson, Home


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    group = typer.Typer(
        help="The margin of an order, bound capital, and what purchases may yet cost.", no_args_is_help=True
    )
    for command in (margin, capital, purchases):
        group.command()(command)
    app.add_typer(group, name="exposure")


def margin(
    order: Annotated[str, typer.Argument(help="The id of a sales order.")],
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Show what an order leaves after goods, freight and returns, with the source of each component."""
    from api.cli.output import print_json, table

    found = _get(home, f"/orders/{order}/margin")
    if as_json:
        print_json(found)
        return
    rows = [
        (one["name"].replace("_", " "), _money(one["amount"]), one["source"]) for one in found["components"]
    ]
    for name in ("gross_margin", "contribution_margin"):
        rows.append((name.replace("_", " "), _money(found[name]), "of the components above"))
    title = f"margin of {found['order']['number']}"
    table(title, [("component", "left"), ("amount", "right"), ("source", "left")], rows)


def capital(
    by: Annotated[str, typer.Option(help="category, supplier, warehouse or item.")] = "category",
    as_of: Annotated[str | None, typer.Option(help="The end of a past day, as 2026-06-30.")] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Show what capital stock and commitments bind, part by part."""
    from api.cli.output import print_json, table

    found = _get(home, "/working-capital", by=by, as_of=as_of)
    if as_json:
        print_json(found)
        return
    columns, rows = found["groups"]["columns"], found["groups"]["rows"]
    kinds = [(one["label"], "right" if one["unit"] == "money" else "left") for one in columns]
    table(f"bound capital on {found['groups']['as_of']}", kinds, rows)
    for note in found["notes"]:
        typer.echo(note)


def purchases(
    by: Annotated[str, typer.Option(help="supplier, category or month.")] = "supplier",
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Show price variance and landed cost that purchases may yet bring, before they are billed."""
    from api.cli.output import print_json, table

    found = _get(home, "/purchase-exposure", by=by)
    if as_json:
        print_json(found)
        return
    parts = list(found["shares"])
    rows = [
        (
            one["name"] or ("all" if one is found["whole"] else "–"),
            one["lines"],
            _money(one["value"]),
            _money(one["variance"]),
            *(_money(one["landed"][part]) for part in parts),
            one["unknown"],
        )
        for one in (*found["groups"], found["whole"])
    ]
    names = ("lines", "value", "price variance", *parts, "lines with an unknown part")
    columns = [(by, "left"), *((name, "right") for name in names)]
    table(f"what purchases may yet cost, {found['as_of']}", columns, rows)


def _money(amount: int | None) -> Any:
    return "unknown" if amount is None else amount / 10_000


def _get(home: Any, path: str, **asked: Any) -> Any:
    from api.cli.client import connect

    with connect(home) as client:
        return client.get(path, **asked)
