"""What is owed to suppliers on the command line."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from api.cli.options import AsJson, Home


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    group = typer.Typer(
        help="Suppliers' invoices, what holds them, what is not invoiced yet, and what suppliers owe.",
        no_args_is_help=True,
    )
    for command in (invoices, show, accrued, claims):
        group.command()(command)
    app.add_typer(group, name="payables")


def invoices(
    status: Annotated[
        list[str] | None, typer.Option("--status", help="held, disputed, matched, paid or rejected.")
    ] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """List suppliers' invoices, those that wait longest first."""
    found = _get(home, "/supplier-invoices", status=status)
    names = ("number", "kind", "status", "age_days", "owner_role", "currency", "total", "due_on", "id")
    _show(found, found["rows"], f"{found['total']} supplier invoices", names, as_json)


def show(
    invoice: Annotated[str, typer.Argument(help="The id of an invoice.")],
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Show what holds an invoice, and what is proposed about it."""
    found = _get(home, f"/supplier-invoices/{invoice}")
    one = found["invoice"]
    title = f"{one['number']} is {one['status']}"
    _show(found, found["reasons"], title, ("code", "owner", "action", "explanation"), as_json)


def accrued(
    as_of: Annotated[str | None, typer.Option(help="The end of a day, as 2026-06-30.")] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """List goods received and not invoiced on a day."""
    found = _get(home, "/accruals", as_of=as_of)
    rows = [one["accrual"] | one for one in found["rows"]]
    _show(
        found,
        rows,
        f"received and not invoiced on {found['as_of']}",
        ("po_line_id", "received", "invoiced", "units", "currency", "value"),
        as_json,
    )


def claims(
    status: Annotated[
        str | None, typer.Option(help="open, credited, refused or withdrawn; left out: all.")
    ] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """List what suppliers owe for goods that went back to them, from customers' returns and from stock."""
    found = _get(home, "/returns/claims", status=status)
    rows = [
        one | {"source": "stock" if one["return_line_id"] is None else "customer's return"} for one in found
    ]
    names = ("opened_on", "source", "quantity", "expected", "status", "credited", "credit_note", "id")
    _show(found, rows, f"{len(found)} claims on suppliers", names, as_json)


def _get(home: Any, path: str, **asked: Any) -> Any:
    from api.cli.client import connect

    with connect(home) as client:
        return client.get(path, **asked)


def _show(found: Any, rows: list[dict[str, Any]], title: str, names: tuple[str, ...], as_json: bool) -> None:
    from api.cli.output import print_json, table

    if as_json:
        print_json(found)
        return
    money = {"total", "value", "expected", "credited"}
    columns = [(name.replace("_", " "), "right" if name in money else "left") for name in names]
    table(
        title,
        columns,
        [
            [
                "" if one[name] is None else one[name] / 10_000 if name in money else one[name]
                for name in names
            ]
            for one in rows
        ],
    )
