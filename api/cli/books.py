"""The books on the command line: balances, entries of the journal, and closing a month."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from api.cli.options import AsJson, Home, new_key

Month = Annotated[str, typer.Argument(help="A month, as 2026-05.")]


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    period = typer.Typer(
        help="The months of the books: which are closed, and closing one.", no_args_is_help=True
    )
    period.command("list")(list_months)
    period.command("close")(close)
    app.add_typer(period, name="period")
    books = typer.Typer(help="Balances of accounts and entries of the journal.", no_args_is_help=True)
    books.command("balance")(balance)
    books.command("account")(account)
    books.command("journal")(journal)
    app.add_typer(books, name="books")


def list_months(home: Home = None, as_json: AsJson = False) -> None:
    """List the months, the newest first."""
    from api.cli.client import connect
    from api.cli.output import money, print_json, table

    with connect(home) as client:
        found = client.get("/finance/periods")
    if as_json:
        print_json(found)
        return
    rows = [
        (
            one["month"][:7],
            "closed" if one["closed_on"] else "can be closed" if one["over"] else "not over",
            one["closed_on"] or "",
            "" if one["figures"] is None else money(one["figures"]["valuation"]),
        )
        for one in found
    ]
    table(
        "months",
        [("month", "left"), ("state", "left"), ("closed on", "left"), ("stock value", "right")],
        rows,
    )


def close(month: Month, home: Home = None, as_json: AsJson = False) -> None:
    """Close a month that is over. A manager agrees, and nothing opens it again."""
    from api.cli.client import connect
    from api.cli.deciding import show_outcome

    with connect(home) as client:
        done = client.post("/commands/ClosePeriod", {"month": f"{month[:7]}-01"}, key=new_key())
    show_outcome(done, as_json)


def balance(
    as_of: Annotated[str | None, typer.Option(help="The end of a day, as 2026-06-30.")] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Show the balance of every account, and where one is not what its records add up to."""
    from api.cli.client import connect
    from api.cli.output import print_json, table

    with connect(home) as client:
        found = client.get("/finance/trial-balance", as_of=as_of)
    if as_json:
        print_json(found)
        return
    rows = [(one["code"], one["name"], *_amounts(one, "debit", "credit", "balance")) for one in found["rows"]]
    rows.append(("", "all", *_amounts(found, "debit", "credit"), ""))
    columns = [("account", "left"), ("name", "left")]
    table(
        f"balances on {found['as_of']}",
        [*columns, ("debit", "right"), ("credit", "right"), ("balance", "right")],
        rows,
    )
    for one in found["differences"]:
        typer.echo(f"{one['account']} is not what its records add up to", err=True)


def account(
    code: Annotated[str, typer.Argument(help="An account, as payables.")],
    first: Annotated[str | None, typer.Option("--from", help="From this day on.")] = None,
    last: Annotated[str | None, typer.Option("--to", help="Up to this day.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=500)] = 100,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Show what moved an account."""
    from api.cli.client import connect
    from api.cli.output import print_json, table

    with connect(home) as client:
        found = client.get(f"/finance/accounts/{code}", first=first, last=last, limit=limit)
    if as_json:
        print_json(found)
        return
    names = ("occurred_on", "event", "document_kind", "document_id", "against", "currency")
    rows = [(*(one[name] for name in names), *_amounts(one, "amount", "value")) for one in found["rows"]]
    columns = [(name.replace("_", " "), "left") for name in names]
    table(found["name"], [*columns, ("amount", "right"), ("value", "right")], rows)


def journal(
    document: Annotated[str | None, typer.Option(help="Only what this document posted, by its id.")] = None,
    first: Annotated[str | None, typer.Option("--from", help="From this day on.")] = None,
    last: Annotated[str | None, typer.Option("--to", help="Up to this day.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write all of it to this CSV file.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=500)] = 100,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Show entries of the journal, or write them to a file."""
    from api.cli.client import connect
    from api.cli.output import print_json, table

    with connect(home) as client:
        if out is not None:
            out.write_bytes(b"".join(client.download("/finance/journal.csv", first=first, last=last)))
            typer.echo(f"written to {out}")
            return
        found = client.get("/finance/journal", document_id=document, first=first, last=last, limit=limit)
    if as_json:
        print_json(found)
        return
    names = ("occurred_on", "event", "document_kind", "debit", "credit", "currency")
    rows = [(*(one[name] for name in names), *_amounts(one, "amount", "value")) for one in found["rows"]]
    columns = [(name.replace("_", " "), "left") for name in names]
    table("journal", [*columns, ("amount", "right"), ("value", "right")], rows)


def _amounts(one: dict[str, Any], *names: str) -> list[str]:
    from api.cli.output import money

    return [money(one[name]) for name in names]
