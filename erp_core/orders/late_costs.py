"""Cost that becomes known after goods were sold: it is booked on the order lines that took them, on the day it is known."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from uuid import UUID

from sqlalchemy import select

from erp_core.finance.rules import shares
from erp_core.gate.contract import Transaction
from erp_core.orders.model import late_costs, order_lines, shipment_lines, shipments
from erp_core.storage.bulk import insert_rows


def charge_sold(
    tx: Transaction,
    item_id: UUID,
    *,
    since: date,
    units: int,
    amount: int,
    source: Mapping[str, object],
) -> tuple[int, int]:
    """Book an amount for `units` sold units of an item on the lines shipped first since a day.

    Gives (units found, amount booked): where fewer were shipped, only their part of the amount. `source` gives
    `booked_on`, `document_kind`, `document_id` and `audit_id`. The parts add up exactly, the remainder is last.
    """
    tx.flush()
    rows = tx.connection.execute(
        select(shipment_lines.c.order_line_id, shipment_lines.c.quantity)
        .join(shipments, shipments.c.id == shipment_lines.c.shipment_id)
        .join(order_lines, order_lines.c.id == shipment_lines.c.order_line_id)
        .where(order_lines.c.item_id == item_id, shipments.c.shipped_on >= since)
        .order_by(shipments.c.shipped_on, shipments.c.id, shipment_lines.c.order_line_id)
    )
    taken: dict[UUID, int] = {}
    left = units
    for line_id, quantity in rows:
        part = min(left, quantity)
        if part <= 0:
            break
        taken[line_id] = taken.get(line_id, 0) + part
        left -= part
    found = units - left
    if not found:
        return 0, 0
    booked = amount * found // units
    parts = shares(booked, list(taken.values()))
    insert_rows(
        tx.connection,
        late_costs,
        [
            {"id": tx.new_id(), "order_line_id": line_id, "amount": part, **source}
            for line_id, part in zip(taken, parts, strict=True)
            if part
        ],
    )
    return found, booked


def take_back_late_costs(
    tx: Transaction, document_kind: str, document_id: UUID, source: Mapping[str, object]
) -> int:
    """Book the late costs of a document the other way round, line by line. Gives the amount taken back."""
    tx.flush()
    rows = tx.connection.execute(
        select(late_costs.c.order_line_id, late_costs.c.amount)
        .where(late_costs.c.document_kind == document_kind, late_costs.c.document_id == document_id)
        .order_by(late_costs.c.id)
    ).all()
    insert_rows(
        tx.connection,
        late_costs,
        [{"id": tx.new_id(), "order_line_id": row[0], "amount": -row[1], **source} for row in rows],
    )
    return sum(int(row[1]) for row in rows)
