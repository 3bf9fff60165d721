"""Tax, customer invoices, documents of trade and retention on the command line."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from api.cli.options import AsJson, Home

_Reason = Annotated[str, typer.Option("--reason", help="Why; it stays in the audit log.")]
_Class = Annotated[
    str,
    typer.Argument(
        help="sales_document, customer, supplier_invoice, trade_document, stock_move or journal_entry."
    ),
]
_Since = Annotated[str, typer.Option(help="The first day, as 2026-06-01.")]
_Until = Annotated[str, typer.Option(help="The last day, as 2026-06-30.")]


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    for name, about, commands in (
        (
            "taxes",
            "Tax on sales: its rules, invoices and credit notes, sums and revenue.",
            (tax_rules, documents, sums, revenue),
        ),
        ("trade", "What goods need to be sold or imported, and the documents there are.", (rules, papers)),
        (
            "retention",
            "How long records are kept, what falls due, and legal holds.",
            (kept, due, keep, hold, release, dispose),
        ),
    ):
        group = typer.Typer(help=about, no_args_is_help=True)
        for command in commands:
            group.command(_NAMES.get(command.__name__, command.__name__))(command)
        app.add_typer(group, name=name)


_NAMES = {"tax_rules": "rules", "documents": "invoices", "papers": "documents", "kept": "rules"}


def tax_rules(home: Home = None, as_json: AsJson = False) -> None:
    """List the tax rules."""
    found = _get(home, "/tax-rules")
    _show(found, "tax rules", ("name", "treatment", "rate", "valid_from", "valid_to", "id"), as_json)


def documents(
    order: Annotated[str | None, typer.Option(help="The id of an order.")] = None,
    kind: Annotated[str | None, typer.Option(help="invoice or credit_note.")] = None,
    since: Annotated[str | None, typer.Option(help="The first day of issue.")] = None,
    until: Annotated[str | None, typer.Option(help="The last day of issue.")] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """List invoices and credit notes to customers, the newest first."""
    found = _get(home, "/sales-documents", order_id=order, kind=kind, since=since, until=until)
    _show(
        found,
        "invoices and credit notes",
        ("number", "issued_on", "customer_country", "net", "tax", "id"),
        as_json,
    )


def sums(since: _Since, until: _Until, home: Home = None, as_json: AsJson = False) -> None:
    """Add up net and tax of what was issued, by kind, treatment and rate."""
    found = _get(home, "/tax-sums", since=since, until=until)
    _show(found, f"tax from {since} to {until}", ("kind", "treatment", "rate", "net", "tax"), as_json)


def revenue(since: _Since, until: _Until, home: Home = None, as_json: AsJson = False) -> None:
    """Show what revenue counts in a period, and what is deferred at its end."""
    found = _get(home, "/revenue", since=since, until=until)
    _show(
        found if as_json else [found], f"revenue from {since} to {until}", ("recognised", "deferred"), as_json
    )


def rules(home: Home = None, as_json: AsJson = False) -> None:
    """List which goods may not go or come where, or need documents."""
    found = _get(home, "/trade-rules")
    names = ("name", "direction", "trade_class", "hs_prefix", "country", "document_kinds", "valid_from")
    _show(found, "rules of trade", names, as_json)


def papers(
    of: Annotated[
        str | None, typer.Option(help="The id of an item, order, parcel or purchase order.")
    ] = None,
    ends_before: Annotated[str | None, typer.Option(help="Those that run out before this day.")] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """List documents of import, export and licence."""
    found = _get(home, "/trade-documents", subject_id=of, ends_before=ends_before)
    names = ("kind", "number", "issuer", "valid_from", "valid_to", "subject_kind", "id")
    _show(found, "documents", names, as_json)


def kept(home: Home = None, as_json: AsJson = False) -> None:
    """Show how long records are kept, by class, and what is on legal hold."""
    found = _get(home, "/retention")
    if as_json:
        _show(found, "", (), as_json)
        return
    _show(found["rules"], "rules", ("record_class", "valid_from", "years", "basis", "reason"), False)
    _show(found["holds"], "holds", ("record_class", "record_id", "from_day", "to_day", "reason", "id"), False)


def due(home: Home = None, as_json: AsJson = False) -> None:
    """List what no rule keeps any more today, beside what is kept, held or under no rule."""
    found = _get(home, "/retention/due")
    names = ("record_class", "records", "oldest", "newest", "kept", "held", "unruled")
    _show(found, "records whose time is over", names, as_json)


def keep(
    record_class: _Class,
    years: Annotated[int, typer.Argument(help="For so many years.")],
    reason: _Reason,
    since: Annotated[str, typer.Option("--from", help="Records from this day on.")],
    basis: Annotated[
        str, typer.Option(help="From the record's own day (date), or its year's end.")
    ] = "year_end",
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Propose how long records of a class are kept: a manager and finance agree."""
    body = {"record_class": record_class, "years": years, "valid_from": since, "basis": basis}
    _run(home, "SetRecordRetention", body | {"reason": reason}, as_json)


def hold(
    reason: _Reason,
    record_class: Annotated[
        str | None, typer.Option("--class", help="Of one class; left out: of all.")
    ] = None,
    record: Annotated[str | None, typer.Option(help="One record or customer; left out: all.")] = None,
    since: Annotated[str | None, typer.Option("--from", help="From this day on.")] = None,
    until: Annotated[str | None, typer.Option(help="Up to, not on, this day.")] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Keep records whatever the rules say, until the hold is released."""
    from erp_core.storage.ids import new_id

    body = {"hold_id": str(new_id()), "record_class": record_class, "record_id": record}
    _run(home, "HoldRecords", body | {"from_day": since, "to_day": until, "reason": reason}, as_json)


def release(
    hold_id: Annotated[str, typer.Argument(help="The id of a hold.")],
    reason: _Reason,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Propose to release a hold: a manager and finance agree."""
    _run(home, "ReleaseRecords", {"hold_id": hold_id, "reason": reason}, as_json)


def dispose(
    record_class: _Class,
    before: Annotated[str, typer.Option(help="Records of days before this one.")],
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Propose to blank records whose time is over; refused while a rule or a hold keeps one of them."""
    _run(home, "DisposeRecords", {"record_class": record_class, "before": before}, as_json)


def _get(home: Any, path: str, **asked: Any) -> Any:
    from api.cli.client import connect

    with connect(home) as client:
        return client.get(path, **asked)


def _run(home: Any, command: str, body: dict[str, Any], as_json: bool) -> None:
    from api.cli.client import connect
    from api.cli.output import out, print_json
    from erp_core.storage.ids import new_id

    given = {name: value for name, value in body.items() if value is not None}
    with connect(home) as client:
        found = client.post(f"/commands/{command}", given, key=str(new_id()))
    if as_json:
        print_json(found)
        return
    waits = found.get("proposal_id")
    out.print(f"proposed as {waits}: others must agree" if waits else f"done: {found['result']}")


def _show(found: Any, title: str, names: tuple[str, ...], as_json: bool) -> None:
    from api.cli.output import print_json, table

    if as_json:
        print_json(found)
        return
    money = {"net", "tax", "recognised", "deferred"}
    columns = [(name.replace("_", " "), "right" if name in {*money, "rate"} else "left") for name in names]
    table(title, columns, [[_shown(one[name], name in money) for name in names] for one in found])


def _shown(value: Any, money: bool) -> Any:
    if value is None:
        return ""
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "forbidden"
    return value / 10_000 if money else value
