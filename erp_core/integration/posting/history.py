"""Past sales, returns and purchases: what happened, without stock moves."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from erp_core.integration.ids import record_id
from erp_core.integration.model import import_chunks
from erp_core.integration.past_sales import AddedUpRow, StagedLines, StagedOrders
from erp_core.integration.posting.base import Posting, to_day
from erp_core.integration.rows import (
    PurchaseLineRow,
    PurchaseRow,
    ReceiptRow,
    ReturnLineRow,
    ReturnRow,
)
from erp_core.integration.staging import ImportMissing
from erp_core.orders.history import PastLines, PastOrders, write_past_orders
from erp_core.orders.model import customers, order_lines, orders
from erp_core.orders.past_sums import add_up_past_lines
from erp_core.procurement.ordering.history import (
    PastPoLine,
    PastPurchaseOrder,
    PastReceipt,
    write_past_purchases,
)
from erp_core.returns.history import PastReturn, PastReturnLine, write_past_returns
from erp_core.storage.bulk import insert_missing
from erp_core.storage.derived import derived_id
from erp_core.storage.lookup import fetch_in_pairs


def post_sales(parts: dict[str, dict[str, list[Any]]], posting: Posting) -> None:
    """Write past orders, staged by column; customers are known by code and country alone."""
    staged, lines = StagedOrders(**parts["orders"]), StagedLines(**parts["lines"])
    countries = {code: country for code, country in zip(staged.customer, staged.country, strict=True) if code}
    customer_ids = ensure_customers(posting, countries)
    item_ids, location_ids = posting.items(lines.sku), posting.locations(lines.location)
    channel_ids = posting.channels(staged.channel)
    ordered_on = list(map(date.fromisoformat, staged.ordered_on))
    past = PastOrders(
        id=[
            derived_id(day, posting.import_id, "order", reference)
            for day, reference in zip(ordered_on, staged.external_ref, strict=True)
        ],
        number=staged.number,
        external_ref=staged.external_ref,
        channel_id=[channel_ids[code] for code in staged.channel],
        customer_id=[customer_ids[code] if code else None for code in staged.customer],
        customer_country=staged.country,
        ordered_at=list(map(datetime.fromisoformat, staged.ordered_at)),
        ordered_on=ordered_on,
        promised_on=list(map(to_day, staged.promised_on)),
        shipped_on=list(map(to_day, staged.shipped_on)),
        lines=staged.lines,
    )
    sold = PastLines(
        line_no=lines.line_no,
        item_id=[item_ids[sku] for sku in lines.sku],
        location_id=[location_ids[code] for code in lines.location],
        quantity=lines.quantity,
        cancelled=lines.cancelled,
        unit_price=lines.unit_price,
        list_price=lines.list_price,
    )
    write_past_orders(
        posting.tx.connection, past, sold, import_id=posting.import_id, audit_id=posting.audit_id
    )


def add_up_sales(parts: dict[str, list[list[Any]]], posting: Posting) -> None:
    """Add up the lines of the items; refused while past orders of the import wait."""
    waiting = posting.tx.connection.scalar(
        select(import_chunks.c.chunk)
        .where(
            import_chunks.c.import_id == posting.import_id,
            import_chunks.c.kind == "sales",
            import_chunks.c.audit_id.is_(None),
        )
        .limit(1)
    )
    if waiting is not None:
        raise ImportMissing(
            f"chunk {waiting} of past orders is not posted", field="chunk", remedy="post it first"
        )
    skus = [AddedUpRow(*cells).sku for cells in parts["items"]]
    add_up_past_lines(posting.tx.connection, posting.items(skus).values(), import_id=posting.import_id)


def ensure_customers(posting: Posting, countries: dict[str, str]) -> dict[str, UUID]:
    """Ids of customers by code; new ones get a code and a country and nothing else."""
    connection = posting.tx.connection
    insert_missing(
        connection,
        customers,
        [
            {
                "id": record_id("customers", code),
                "code": code,
                "country": country,
                "name": None,
                "email": None,
                "audit_id": posting.audit_id,
            }
            for code, country in countries.items()
        ],
    )
    return posting.ids(customers, customers.c.code, countries)


def post_returns(parts: dict[str, list[list[Any]]], posting: Posting) -> None:
    """Write past returns, tied to their sale where it is known."""
    rows = [_return(cells) for cells in parts["returns"]]
    item_ids = posting.items({line.sku for row in rows for line in row.lines})
    location_ids = posting.locations({line.location for row in rows for line in row.lines})
    channel_ids = posting.channels({row.channel for row in rows})
    order_ids = _orders(posting, {(channel_ids[row.channel], row.order) for row in rows if row.order})
    line_ids = _order_lines(
        posting,
        {
            (order_ids[channel_ids[row.channel], row.order], line.order_line)
            for row in rows
            if row.order
            for line in row.lines
            if line.order_line
        },
    )
    past = []
    for row in rows:
        returned_on = date.fromisoformat(row.returned_on)
        order = order_ids[channel_ids[row.channel], row.order] if row.order else None
        past.append(
            PastReturn(
                id=derived_id(returned_on, posting.import_id, "return", row.number),
                number=row.number,
                order_id=order,
                channel_id=channel_ids[row.channel],
                customer_country=row.country,
                returned_on=returned_on,
                known_on=returned_on,
                lines=[
                    PastReturnLine(
                        line.line_no,
                        line_ids[order, line.order_line] if order and line.order_line else None,
                        item_ids[line.sku],
                        location_ids[line.location],
                        to_day(line.shipped_on),
                        line.quantity,
                        line.refund,
                        line.reason,
                        line.condition,
                        line.disposition,
                        to_day(line.disposed_on),
                    )
                    for line in row.lines
                ],
            )
        )
    write_past_returns(posting.tx.connection, past, import_id=posting.import_id, audit_id=posting.audit_id)


def _orders(posting: Posting, references: set[tuple[UUID, str]]) -> dict[tuple[UUID, str], UUID]:
    columns = [orders.c.channel_id, orders.c.external_ref]
    rows = fetch_in_pairs(posting.tx.connection, select(*columns, orders.c.id), columns, references)
    return {(channel, reference): id_ for channel, reference, id_ in rows}


def _order_lines(posting: Posting, lines: set[tuple[UUID, int]]) -> dict[tuple[UUID, int], UUID]:
    columns = [order_lines.c.order_id, order_lines.c.line_no]
    rows = fetch_in_pairs(posting.tx.connection, select(*columns, order_lines.c.id), columns, lines)
    return {(order, line_no): id_ for order, line_no, id_ in rows}


def post_purchases(parts: dict[str, list[list[Any]]], posting: Posting) -> None:
    """Write purchase orders with their receipts; the importer stands as buyer."""
    rows = [_purchase(cells) for cells in parts["orders"]]
    item_ids = posting.items({line.sku for row in rows for line in row.lines})
    supplier_ids = posting.suppliers({row.supplier for row in rows})
    location_ids = posting.locations({row.location for row in rows})
    past = [
        PastPurchaseOrder(
            id=derived_id(date.fromisoformat(row.created_on), posting.import_id, "po", row.number),
            number=row.number,
            supplier_id=supplier_ids[row.supplier],
            location_id=location_ids[row.location],
            buyer_id=posting.task.principal.user_id,
            currency=row.currency,
            created_on=date.fromisoformat(row.created_on),
            sent_on=to_day(row.sent_on),
            known_on=date.fromisoformat(row.known_on),
            freight_cost=row.freight_cost,
            lines=[
                PastPoLine(
                    line.line_no,
                    item_ids[line.sku],
                    line.quantity,
                    line.unit_price,
                    to_day(line.first_promised_on),
                    to_day(line.promised_on),
                    line.cancelled,
                    [
                        PastReceipt(
                            date.fromisoformat(one.received_on),
                            date.fromisoformat(one.known_on),
                            one.accepted,
                            one.rejected,
                        )
                        for one in line.receipts
                    ],
                )
                for line in row.lines
            ],
        )
        for row in rows
    ]
    write_past_purchases(posting.tx.connection, past, import_id=posting.import_id, audit_id=posting.audit_id)


def _return(cells: list[Any]) -> ReturnRow:
    return ReturnRow(*cells)._replace(lines=tuple(ReturnLineRow(*line) for line in cells[-1]))


def _purchase(cells: list[Any]) -> PurchaseRow:
    return PurchaseRow(*cells)._replace(lines=tuple(_purchase_line(line) for line in cells[-1]))


def _purchase_line(cells: list[Any]) -> PurchaseLineRow:
    return PurchaseLineRow(*cells)._replace(receipts=tuple(ReceiptRow(*receipt) for receipt in cells[-1]))
