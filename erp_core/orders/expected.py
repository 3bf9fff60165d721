"""What of orders did not leave yet, with tax as of a day: what customers may pay before they are invoiced."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from uuid import UUID

from sqlalchemy import select

from erp_core.gate.contract import Transaction
from erp_core.orders.model import order_lines, orders
from erp_core.orders.rules.documents import SuppliedLine
from erp_core.orders.taxation import Supply, Taxation
from erp_core.storage.lookup import AnyRow, fetch_in

_LINES = (
    select(
        order_lines.c.id,
        order_lines.c.order_id,
        order_lines.c.item_id,
        order_lines.c.location_id,
        order_lines.c.unit_price,
        (order_lines.c.quantity - order_lines.c.cancelled_quantity - order_lines.c.shipped_quantity).label(
            "units"
        ),
        orders.c.channel_id,
        orders.c.customer_id,
        orders.c.customer_country,
    )
    .join(orders, orders.c.id == order_lines.c.order_id)
    .order_by(order_lines.c.order_id, order_lines.c.line_no)
)


def expected_charges(tx: Transaction, order_ids: Iterable[UUID], day: date) -> dict[UUID, int]:
    """What these orders will still be invoiced for, as if it all left today in one parcel from each place.

    Nothing for a company that has no tax rule that day: it invoices elsewhere. Raises `TaxUndetermined`.
    """
    lines = fetch_in(tx.connection, _LINES, order_lines.c.order_id, order_ids)
    taxation = Taxation(
        tx,
        items={line.item_id for line in lines},
        order_lines={line.id for line in lines},
        customer_ids={line.customer_id for line in lines},
    )
    parcels: dict[tuple[UUID, UUID], list[AnyRow]] = {}
    for line in lines:
        if line.units > 0:
            parcels.setdefault((line.order_id, line.location_id), []).append(line)
    found: dict[UUID, int] = {}
    for (order_id, _), parts in parcels.items():
        invoice = taxation.assess(_supply(parts, taxation, day))
        if invoice is not None:
            found[order_id] = found.get(order_id, 0) + sum(one.net + one.tax for one in invoice.lines)
    return found


def _supply(parts: list[AnyRow], taxation: Taxation, day: date) -> Supply:
    first = parts[0]
    return Supply(
        order_id=first.order_id,
        shipment_id=first.order_id,
        channel_id=first.channel_id,
        location_id=first.location_id,
        customer_id=first.customer_id,
        customer_country=first.customer_country,
        supplied_on=day,
        lines=tuple(
            SuppliedLine(line.id, line.item_id, line.units, line.unit_price, taxation.gross.get(line.id))
            for line in parts
        ),
    )
