"""Tools over records: lists of orders, purchase orders, lines and returns, one document, the stock of an item."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import Field
from sqlalchemy import Connection

from copilot.agents.answer import AnswerTable, Source
from copilot.agents.interpreter import periods
from copilot.agents.untrusted import extract, label
from copilot.tools.figures import from_result
from copilot.tools.members import find_member, record_id
from copilot.tools.tool import Fact, Tool, ToolContext, ToolError, ToolInput, ToolOutput, table
from erp_core.analytics.query import MetricQuery, Where
from erp_core.analytics.records import Record
from erp_core.analytics.records import find_records as find
from erp_core.analytics.records import get_record as get
from erp_core.analytics.run import run
from erp_core.orders.rules import OPEN as OPEN_ORDERS
from erp_core.procurement.queries import find_purchase_order, supplier_messages_of
from erp_core.procurement.rules import COMMITTED
from erp_core.returns.queries import find_return, return_detail

ROWS = 100
_KINDS = {
    "orders": "order",
    "order_lines": "order_line",
    "purchase_orders": "po",
    "po_lines": "po_line",
    "returns": "return_line",
    "items": "item",
    "suppliers": "supplier",
    "stock_moves": "stock_move",
}
_BY_LINE = {"orders": "order_lines", "purchase_orders": "po_lines"}
_LINE_ONLY = {
    "orders": ("item", "category", "brand", "warehouse", "supplier"),
    "purchase_orders": ("item", "category", "brand"),
}
_UNITS = {
    "quantity": "units", "reserved": "units", "shipped": "units", "cancelled": "units", "accepted": "units", "held": "units",
    "rejected": "units", "open_units": "units", "unit_price": "money", "list_price": "money", "cost": "money", "total": "money",
    "freight_cost": "money", "expedite_cost": "money", "reference_price": "money", "refund": "money", "recovered": "money",
    "written_off": "money", "standard_cost": "money", "days_late": "days", "lead_time_days": "days", "payment_days": "days",
}  # fmt: skip
_SCANNED = 1_000
STOCK_METRICS = ("on_hand_units", "available_units", "reserved_units", "on_order_units")


Status = Annotated[str, Field(max_length=30)]
Statuses = Status | Annotated[list[Status], Field(min_length=1, max_length=20)]


class FindRecords(ToolInput):
    """Which records. `late`: past the promised day and still open; `open`: not finished."""

    kind: Literal[
        "orders",
        "order_lines",
        "purchase_orders",
        "po_lines",
        "returns",
        "stock",
        "items",
        "suppliers",
        "messages",
        "stock_moves",
    ]
    item: str | None = Field(default=None, max_length=120)
    category: str | None = Field(default=None, max_length=80)
    brand: str | None = Field(default=None, max_length=80)
    supplier: str | None = Field(default=None, max_length=160)
    warehouse: str | None = Field(default=None, max_length=120)
    channel: str | None = Field(default=None, max_length=120)
    customer_country: str | None = Field(default=None, max_length=60)
    order_status: Statuses | None = None
    po_status: Statuses | None = None
    late: bool = False
    open: bool = False
    period: dict[str, str] | str | None = None
    limit: int = Field(default=20, ge=1, le=ROWS)


class GetRecord(ToolInput):
    """One document by its number."""

    kind: Literal["order", "purchase_order", "return", "item", "supplier"]
    number: str = Field(min_length=1, max_length=60)


def _rights(context: ToolContext) -> frozenset[str]:
    """An agent reads no names or addresses of customers, whatever its user may see (its rights leave that out)."""
    return context.rights


def find_records(given: FindRecords, context: ToolContext) -> ToolOutput:
    """A page of records, newest first; late ones by how late they are."""
    if given.kind == "stock":
        return _stock(given, context)
    if given.kind == "messages":
        return _messages(given, context)
    kind = given.kind
    if any(getattr(given, name) for name in _LINE_ONLY.get(kind, ())):
        kind = _BY_LINE[kind]  # type: ignore[assignment]
    filters = {
        name: value
        for name in (
            "item",
            "category",
            "brand",
            "supplier",
            "warehouse",
            "channel",
            "customer_country",
            "order_status",
            "po_status",
        )
        if (value := getattr(given, name)) is not None
    }
    if given.period is not None:
        span = periods.bounds(given.period, context.today)
        if span is None:
            raise ToolError(
                "invalid",
                f"{given.period!r} is no period",
                field="period",
                remedy="use last_month, 2026-05 or two dates",
            )
        filters |= {"from": span[0].isoformat(), "to": span[1].isoformat()}
    if given.open or given.late:
        if kind in ("orders", "order_lines"):
            filters.setdefault("order_status", list(OPEN_ORDERS))
        elif kind in ("purchase_orders", "po_lines"):
            filters.setdefault("po_status", list(COMMITTED))
    by_line = kind == "purchase_orders" and given.late
    wanted = "po_lines" if by_line else kind
    with context.reading() as connection:
        page = find(
            connection,
            _KINDS[wanted],
            filters,
            limit=_SCANNED if given.late else given.limit,
            rights=_rights(context),
        )
    rows, total = list(page.records), page.total
    if given.late:
        rows = sorted(
            (late for one in rows if (late := _late(one, context.today))), key=lambda one: -one["days_late"]
        )
        total = len(rows)
    elif given.open and kind == "po_lines":
        rows = [one for one in rows if _open_units(one)]
    notes = ("only the newest 1,000 open records were looked at",) if given.late and page.cut else ()
    title = f"{'Late ' if given.late else 'Open ' if given.open else ''}{wanted.replace('_', ' ')}"
    return ToolOutput(
        tables=(_table(title[0].upper() + title[1:], rows[: given.limit], total),),
        sources=(Source(kind="records", id=_KINDS[wanted], label=title, detail={"filters": filters}),),
        notes=notes,
        facts={"records": Fact(value=total, unit="count", label="Records in all")},
        as_of=context.today,
    )


def _open_units(one: Record) -> int:
    return int(one["quantity"] - one.get("accepted", one.get("shipped", 0)) - one.get("cancelled", 0))


def _late(one: Record, today: date) -> Record | None:
    promised = one.get("first_promised_on") or one.get("promised_on")
    if (
        promised is None
        or promised >= today
        or one.get("completed_on")
        or ("quantity" in one and _open_units(one) <= 0)
    ):
        return None
    open_units = {"open_units": _open_units(one)} if "quantity" in one else {}
    return {**one, **open_units, "days_late": (today - promised).days}


def _table(title: str, rows: Sequence[Record], total: int) -> AnswerTable:
    names = [name for name in (rows[0] if rows else ()) if name not in ("id", "text")]
    filled = [name for name in names if any(one.get(name) is not None for one in rows)]
    columns: list[tuple[str, str, str | None]] = [
        (name, name.replace("_", " ").capitalize(), _UNITS.get(name)) for name in filled
    ]
    cells = [
        tuple(label(one[name]) if isinstance(one[name], str) else one[name] for name in filled)
        for one in rows
    ]
    return table(title, columns, cells, total=total)


def _stock(given: FindRecords, context: ToolContext) -> ToolOutput:
    where = tuple(
        Where(dim=name, op="eq", values=(value,))
        for name in ("item", "category", "brand", "warehouse", "supplier")
        if (value := getattr(given, name)) is not None
    )
    query = MetricQuery(metrics=STOCK_METRICS, by=("warehouse",), where=where, limit=given.limit)
    with context.reading() as connection:
        result = run(
            connection,
            query,
            today=context.today,
            rights=context.rights,
            computed_at=context.gate.clock.now(),
        )
        name = find_member(connection, "item", given.item, "item").name if given.item else "all items"
    return from_result(result, title=f"Stock of {label(name)}")


def _messages(given: FindRecords, context: ToolContext) -> ToolOutput:
    """Supplier messages as handles with extracted fields; the text itself goes to people only."""
    with context.reading() as connection:
        supplier = record_id(connection, "supplier", given.supplier)
        if supplier is None:
            raise ToolError("missing_supplier", "messages of which supplier?", field="supplier")
        found = supplier_messages_of(connection, supplier_id=supplier, limit=given.limit)
    return _message_output(found, context.today)


def _message_output(found: Sequence[Any], today: date) -> ToolOutput:
    rows = []
    texts = {}
    for one in found:
        handle = f"message-{one.id}"
        texts[handle] = one.body
        fields = extract(one.body, one.received_at)
        rows.append(
            (
                handle,
                fields["received_on"],
                ", ".join(fields["dates"]) or None,
                ", ".join(fields["documents"]) or None,
                fields["characters"],
            )
        )
    columns: list[tuple[str, str, str | None]] = [
        ("handle", "Message", None),
        ("received", "Received", None),
        ("dates", "Dates it names", None),
        ("documents", "Documents it names", None),
        ("characters", "Length", "count"),
    ]
    return ToolOutput(
        tables=(table("Supplier messages", columns, rows),),
        texts=texts,
        sources=(Source(kind="records", id="supplier_messages", label="Supplier messages"),),
        as_of=today,
    )


def get_record(given: GetRecord, context: ToolContext) -> ToolOutput:
    """A document with its lines. Messages and comments on it come as handles."""
    kind = {"purchase_order": "po", "return": "return_line"}.get(given.kind, given.kind)
    with context.reading() as connection:
        found = get(connection, kind, given.number, rights=_rights(context))
        if found is None:
            raise ToolError(
                "not_found",
                f"there is no {given.kind.replace('_', ' ')} {given.number}",
                field="number",
                remedy="check the number",
            )
        number = str(found["number"])
        lines = _lines(connection, given.kind, found, context)
        texts = _texts(connection, given.kind, number)
    head = {name: value for name, value in found.items() if name not in ("id", "text") and value is not None}
    facts = {
        name: Fact(
            value=label(v) if isinstance(v, str) else v.isoformat() if isinstance(v, date) else v,
            unit=_UNITS.get(name),
            label=name.replace("_", " ").capitalize(),
        )
        for name, v in head.items()
    }
    details = [
        (name.replace("_", " ").capitalize(), label(v) if isinstance(v, str) else v)
        for name, v in head.items()
    ]
    tables = [
        table(
            f"{given.kind.replace('_', ' ').capitalize()} {number}",
            [("field", "Field", None), ("value", "Value", None)],
            details,
        )
    ]
    if lines:
        tables.append(_table("Lines", lines, len(lines)))
    return ToolOutput(
        tables=tuple(tables),
        facts=facts,
        sources=(
            Source(kind="records", id=str(found["id"]), label=f"{given.kind.replace('_', ' ')} {number}"),
        ),
        texts=texts,
        data={"kind": given.kind, "number": number, "lines": len(lines)},
        as_of=context.today,
    )


def _lines(connection: Connection, kind: str, found: Record, context: ToolContext) -> list[Record]:
    """The document's own lines, in order."""
    from sqlalchemy import select

    from erp_core.analytics.record_kinds import KINDS
    from erp_core.orders.model import order_lines
    from erp_core.procurement.model import po_lines
    from erp_core.returns.model import return_lines

    line_kind, parent = {
        "order": ("order_line", order_lines.c.order_id),
        "purchase_order": ("po_line", po_lines.c.po_id),
        "return": ("return_line", return_lines.c.return_id),
    }.get(kind, ("", None))
    if parent is None:
        return []
    source = KINDS[line_kind]
    document = found["id"]
    if kind == "return":
        document = connection.execute(
            select(return_lines.c.return_id).where(return_lines.c.id == document)
        ).scalar_one()
    sees = _rights(context)
    shown = {
        name: column
        for name, column in source.columns.items()
        if name != "number" and source.rights.get(name, "") in ("", *sees)
    }
    statement = (
        select(*(column.label(name) for name, column in shown.items()))
        .select_from(source.source())
        .where(parent == document)
    )
    from erp_core.storage.types import money_decimal

    rows = connection.execute(statement.order_by(source.table.c.line_no).limit(ROWS)).mappings()
    return [
        {
            name: money_decimal(row[name]) if name in source.money and row[name] is not None else row[name]
            for name in shown
        }
        for row in rows
    ]


def _texts(connection: Connection, kind: str, number: str) -> dict[str, str]:
    if kind == "purchase_order" and (order := find_purchase_order(connection, number)):
        return {
            f"message-{one.id}": one.body
            for one in supplier_messages_of(connection, po_id=order.id, limit=10)
        }
    if kind == "return" and (header := find_return(connection, number)):
        detail = return_detail(connection, header.id)
        return {f"comment-{one.id}": one.comment for one in (detail.lines if detail else ()) if one.comment}
    return {}


TOOLS: tuple[Tool[Any], ...] = (
    Tool(
        "find_records",
        "List records: orders, order lines, purchase orders, PO lines, returns, supplier messages, or the stock of an item; filters, late, open.",
        FindRecords,
        "read_records",
        "read",
        ROWS,
        find_records,
    ),
    Tool(
        "get_record",
        "One document by number, with its lines.",
        GetRecord,
        "read_records",
        "read",
        ROWS,
        get_record,
    ),
)
