"""Exports: the canonical form of the company's facts, and tables as CSV for people.

Canonical means: what the company is and did, one JSON object a line, tables by name and rows by key,
without wall-clock columns and without what the gate, the models and the inbox keep for themselves. An
empty bucket of stock is no fact: databases differ in which of them they keep.
The same facts give the same bytes on SQLite and PostgreSQL.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from datetime import date, datetime
from hashlib import sha256
from typing import Any, BinaryIO, TextIO

from sqlalchemy import Column, Connection, Engine, Select, Table, collate, or_, select
from sqlalchemy import String as Text

from erp_core.finance import model as finance
from erp_core.gate.contract import DomainError
from erp_core.inventory import model as inventory
from erp_core.master import model as master
from erp_core.master.queries import visible
from erp_core.master.queries.prices import last_prices
from erp_core.master.queries.residency import list_residency_rules
from erp_core.master.rules.residency import check_leaving
from erp_core.orders import model as orders
from erp_core.planning import model as planning
from erp_core.procurement import model as procurement
from erp_core.returns import model as returns
from erp_core.storage.engine import reading
from erp_core.storage.types import canonical_json, money_text

ROWS_AT_ONCE = 5_000
DOWNLOAD = "download"
"""The destination of a file that somebody takes away."""
_CONTEXTS = (master, inventory, finance, orders, procurement, returns)
_LEFT_OUT = frozenset({"audit_id", "proposal_id", "recorded_at", "updated_at"})


class UnknownExport(DomainError):
    """There is no such export."""

    code = "unknown_export"


def canonical_tables() -> list[Table]:
    """The tables of the canonical export, by name."""
    found = {
        value.name: value
        for module in _CONTEXTS
        for value in vars(module).values()
        if isinstance(value, Table)
    }
    found |= {planning.promotions.name: planning.promotions}
    return [found[name] for name in sorted(found)]


def export_lines(engine: Engine, destination: str = DOWNLOAD) -> Iterator[bytes]:
    """The canonical export in pieces of whole lines, all from one snapshot.

    Raises `DataStaysHere`, before anything is read out, where a rule keeps a customer's data from the destination.
    """
    with reading(engine) as connection:
        check_export(connection, destination)
    return _all_lines(engine)


def check_export(connection: Connection, destination: str) -> None:
    """Pass when names and addresses of every customer's country may go there. Raises `DataStaysHere`."""
    rules = list_residency_rules(connection)
    if rules:
        held = orders.customers.c
        named = or_(held.name.is_not(None), held.email.is_not(None))
        check_leaving(
            rules, "export", destination, connection.scalars(select(held.country).distinct().where(named))
        )


def _all_lines(engine: Engine) -> Iterator[bytes]:
    with reading(engine) as connection:
        for table in canonical_tables():
            yield from _table_lines(connection, table)


def export_canonical(engine: Engine, out: BinaryIO | None = None) -> str:
    """Write the canonical export to `out`, if given; its SHA-256 as hex."""
    digest = sha256()
    for piece in export_lines(engine):
        digest.update(piece)
        if out is not None:
            out.write(piece)
    return digest.hexdigest()


def _table_lines(connection: Connection, table: Table) -> Iterator[bytes]:
    columns = [column for column in table.columns if column.name not in _LEFT_OUT]
    names = [str(column.name) for column in columns]
    keys = [_ordering(connection, column) for column in table.primary_key.columns]
    statement = select(*columns).order_by(*keys)
    if table is inventory.stock_balances:
        statement = statement.where(table.c.quantity != 0)
    result = connection.execution_options(yield_per=ROWS_AT_ONCE).execute(statement)
    for rows in result.partitions(ROWS_AT_ONCE):
        lines = [
            canonical_json({"table": table.name, "row": dict(zip(names, map(_plain, row), strict=True))})
            for row in rows
        ]
        yield ("\n".join(lines) + "\n").encode()


def _ordering(connection: Connection, column: Column[Any]) -> Any:
    """The same order of texts on both databases: by code point."""
    if isinstance(column.type, Text) and connection.dialect.name == "postgresql":
        return collate(column, "C")
    return column


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, float):
        return repr(value)
    return value.isoformat() if isinstance(value, date | datetime) else value


def _items() -> Select[Any]:
    t = master.items
    return select(
        t.c.sku,
        t.c.name,
        t.c.category,
        t.c.brand,
        t.c.base_unit,
        t.c.standard_cost,
        t.c.list_price,
        t.c.abc_class,
        t.c.introduced_on,
        t.c.status,
    ).order_by(t.c.sku)


def _suppliers() -> Select[Any]:
    s, o, i, p = master.suppliers, master.supplier_items, master.items, last_prices()
    return (
        select(
            s.c.code.label("supplier"),
            s.c.name.label("supplier_name"),
            s.c.country,
            s.c.currency,
            s.c.payment_days,
            s.c.delivery_terms,
            s.c.minimum_order,
            s.c.lead_time_days,
            s.c.segment,
            s.c.risk_class,
            i.c.sku,
            o.c.supplier_sku,
            p.c.price,
            o.c.minimum_quantity,
            o.c.order_multiple,
            o.c.lead_time_days.label("item_lead_time_days"),
            o.c.rank,
        )
        .outerjoin(o, o.c.supplier_id == s.c.id)
        .outerjoin(i, i.c.id == o.c.item_id)
        .outerjoin(p, (p.c.supplier_id == o.c.supplier_id) & (p.c.item_id == o.c.item_id))
        .order_by(s.c.code, i.c.sku)
    )


def _stock() -> Select[Any]:
    b, i, place = inventory.stock_balances, master.items, master.locations
    return (
        select(i.c.sku, place.c.code.label("location"), b.c.state, b.c.owner, b.c.quantity)
        .join(i, i.c.id == b.c.item_id)
        .join(place, place.c.id == b.c.location_id)
        .where(b.c.quantity > 0)
        .order_by(i.c.sku, place.c.code, b.c.state)
    )


def _sales() -> Select[Any]:
    o, line, i, place, way = (
        orders.orders,
        orders.order_lines,
        master.items,
        master.locations,
        master.channels,
    )
    return (
        select(
            o.c.external_ref.label("order_number"),
            o.c.ordered_at,
            way.c.code.label("channel"),
            o.c.customer_country.label("country"),
            place.c.code.label("location"),
            i.c.sku,
            line.c.quantity,
            line.c.cancelled_quantity,
            line.c.shipped_quantity,
            line.c.unit_price,
            line.c.list_price,
            line.c.promised_on,
            line.c.shipped_on,
            o.c.status,
        )
        .join(o, o.c.id == line.c.order_id)
        .join(i, i.c.id == line.c.item_id)
        .join(place, place.c.id == line.c.location_id)
        .join(way, way.c.id == line.c.channel_id)
        .where(visible(o.c.import_id))
        .order_by(o.c.ordered_at, o.c.external_ref, line.c.line_no)
    )


def _purchases() -> Select[Any]:
    po, line, i, place, s = (
        procurement.purchase_orders,
        procurement.po_lines,
        master.items,
        master.locations,
        master.suppliers,
    )
    return (
        select(
            po.c.number.label("po_number"),
            line.c.line_no,
            s.c.code.label("supplier"),
            place.c.code.label("location"),
            po.c.status,
            po.c.sent_on,
            i.c.sku,
            line.c.quantity,
            line.c.unit_price,
            line.c.first_promised_on,
            line.c.promised_on,
            line.c.accepted_quantity,
            line.c.rejected_quantity,
            line.c.cancelled_quantity,
            line.c.completed_on,
            po.c.currency,
        )
        .join(po, po.c.id == line.c.po_id)
        .join(s, s.c.id == po.c.supplier_id)
        .join(i, i.c.id == line.c.item_id)
        .join(place, place.c.id == po.c.location_id)
        .where(visible(po.c.import_id))
        .order_by(po.c.created_on, po.c.number, line.c.line_no)
    )


def _returns() -> Select[Any]:
    r, line, i, place, way, o = (
        returns.returns,
        returns.return_lines,
        master.items,
        master.locations,
        master.channels,
        orders.orders,
    )
    return (
        select(
            r.c.number.label("return_number"),
            line.c.returned_on,
            way.c.code.label("channel"),
            o.c.external_ref.label("order_number"),
            i.c.sku,
            line.c.quantity,
            line.c.refund,
            line.c.reason,
            place.c.code.label("location"),
            line.c.customer_country.label("country"),
            line.c.condition,
            line.c.disposition,
            line.c.disposed_on,
        )
        .join(r, r.c.id == line.c.return_id)
        .join(i, i.c.id == line.c.item_id)
        .join(place, place.c.id == line.c.location_id)
        .join(way, way.c.id == line.c.channel_id)
        .outerjoin(o, o.c.id == r.c.order_id)
        .where(visible(r.c.import_id))
        .order_by(line.c.returned_on, r.c.number, line.c.line_no)
    )


TABLES: dict[str, Callable[[], Select[Any]]] = {
    "items": _items,
    "suppliers": _suppliers,
    "stock": _stock,
    "sales": _sales,
    "purchase-orders": _purchases,
    "returns": _returns,
}
_MONEY = frozenset({"standard_cost", "list_price", "minimum_order", "price", "unit_price", "refund"})


def export_table(engine: Engine, kind: str, out: TextIO) -> int:
    """Write one kind of record as CSV with a header; how many rows. Rows of unfinished imports stay out.

    Money is in currency units. A text that a spreadsheet would run as a formula gets an apostrophe.
    """
    if kind not in TABLES:
        raise UnknownExport(
            f"there is no export {kind!r}", field="kind", remedy=f"use one of {', '.join(TABLES)}"
        )
    writer = csv.writer(out)
    written = 0
    with reading(engine) as connection:
        result = connection.execution_options(yield_per=ROWS_AT_ONCE).execute(TABLES[kind]())
        names = list(result.keys())
        writer.writerow(names)
        for row in result:
            writer.writerow(_cell(name, value) for name, value in zip(names, row, strict=True))
            written += 1
    return written


def _cell(name: str, value: Any) -> Any:
    if value is None:
        return ""
    if name in _MONEY:
        return money_text(value)
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return f"'{value}"
    return _plain(value)
