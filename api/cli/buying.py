"""Buying on the command line: orders with what became of them, requisitions, quotations, contracts, sources, scorecards."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from api.cli.options import AsJson, Home


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    group = typer.Typer(
        help="Purchase orders, requisitions, quotations, contracts, sources and scorecards.",
        no_args_is_help=True,
    )
    for command in (orders, order, requisitions, quotations, contracts, sources, scorecard):
        group.command()(command)
    app.add_typer(group, name="buying")


def orders(
    status: Annotated[list[str] | None, typer.Option("--status", help="Left out: every status.")] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """List purchase orders, the newest first."""
    found = _get(home, "/purchase-orders", status=status)
    names = ("number", "status", "created_on", "sent_on", "currency", "total", "id")
    _show(found, found["rows"], f"{found['total']} purchase orders", names, as_json)


def order(
    po_id: Annotated[str, typer.Argument(help="The id of a purchase order.")],
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Show what changed on an order, what was announced, and what bills it."""
    found = _get(home, f"/purchase-orders/{po_id}/story")
    rows = [one | {"changed": _changed(one["changes"])} for one in found["revisions"]]
    names = ("revision", "changed_on", "reason_code", "changed", "total_before", "total_after")
    _show(found, rows, f"{len(rows)} changes, {len(found['invoices'])} invoices", names, as_json)


def requisitions(
    status: Annotated[list[str] | None, typer.Option("--status", help="Left out: every status.")] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """List what people asked to have bought, the earliest needed first."""
    found = _get(home, "/requisitions", status=status)
    names = ("number", "status", "quantity", "need_by", "reason", "id")
    _show(found, found, f"{len(found)} requisitions", names, as_json)


def quotations(
    request: Annotated[str | None, typer.Argument(help="The id of a request: its comparison.")] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """List requests for quotation, or compare what one's suppliers offer."""
    if request is None:
        found = _get(home, "/quotation-requests")
        names = ("number", "status", "requested_on", "deadline_on", "id")
        _show(found, found, f"{len(found)} requests for quotation", names, as_json)
        return
    found = _get(home, f"/quotation-requests/{request}")
    rows = [
        {"line": one["line"]["line_no"]} | offer for one in found["comparison"] for offer in one["offers"]
    ]
    _show(found, rows, f"{found['asked']['request']['number']} compared", ("line", *_OFFER), as_json)


def contracts(
    over: Annotated[bool, typer.Option("--over", help="Also those that are over.")] = False,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """List blanket contracts: what was called off, and what is left."""
    found = _get(home, "/contracts", over=over)
    rows = [
        {"number": one["number"], "supplier": one["supplier"], "valid_to": one["valid_to"]}
        | {"state": "behind" if one["behind"] else one["state"]}
        | line
        for one in found
        for line in one["lines"]
    ]
    names = ("number", "supplier", "state", "valid_to", "sku", "price", "agreed", "called_off", "left")
    _show(found, rows, f"{len(found)} contracts", names, as_json)


def sources(
    sku: Annotated[str, typer.Argument(help="An item.")],
    quantity: Annotated[int, typer.Option(min=1)] = 100,
    need_by: Annotated[str | None, typer.Option(help="A day, as 2026-06-30.")] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Compare what each supplier of an item offers: landed cost, lead time, risk."""
    from api.cli.client import connect
    from api.cli.errors import CliError

    with connect(home) as client:
        alike = client.get("/items", text=sku.strip())
        item = next((one for one in alike if one["sku"].lower() == sku.strip().lower()), None)
        if item is None:
            raise CliError(f"there is no item {sku}", remedy="look it up by its SKU")
        found = client.get(f"/sources/{item['id']}", quantity=quantity, need_by=need_by)
    rows = [
        one | {"why": "; ".join(filter(None, (one["why"], one["quantity_why"], one["terms_why"])))}
        for one in found
    ]
    _show(found, rows, f"sources of {item['sku']}", _OFFER, as_json)


def scorecard(
    by: Annotated[str, typer.Option(help="supplier, category, warehouse, item or month.")] = "supplier",
    period: Annotated[str, typer.Option(help="A named period.")] = "last_12_months",
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Show how suppliers keep what they promise; a dash is no data."""
    from api.cli.output import cell, print_json, table

    found = _get(home, "/scorecards", by=by, period=period)
    if as_json:
        print_json(found)
        return
    columns = [(name.replace("_", " "), "right" if n else "left") for n, name in enumerate(found["columns"])]
    table(f"by {by}", columns, [[cell(value, None) for value in row] for row in found["rows"]])


_OFFER = ("code", "quantity", "unit_price", "landed_cost", "lead_days", "arrives_on", "risk_class", "why")
_MONEY = {"total", "total_before", "total_after", "unit_price", "landed_cost", "price"}


def _changed(changes: dict[str, dict[str, list[Any]]]) -> str:
    from api.cli.output import words

    return "; ".join(
        f"{'' if where == 'order' else f'line {where} '}{words(name)}: {before} → {after}"
        for where, fields in changes.items()
        for name, (before, after) in fields.items()
    )


def _get(home: Any, path: str, **asked: Any) -> Any:
    from api.cli.client import connect

    with connect(home) as client:
        return client.get(path, **asked)


def _show(found: Any, rows: list[dict[str, Any]], title: str, names: tuple[str, ...], as_json: bool) -> None:
    from api.cli.output import money, print_json, table, words

    if as_json:
        print_json(found)
        return
    columns = [(words(name), "right" if name in _MONEY else "left") for name in names]
    table(
        title,
        columns,
        [[money(one[name]) if name in _MONEY else one[name] for name in names] for one in rows],
    )
