"""What was bought from whom: the facts that approval rests on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from sqlalchemy import Connection, bindparam, exists, func, select

from erp_core.finance.rules import converted
from erp_core.master.model import items, suppliers
from erp_core.procurement.model import po_lines, purchase_orders
from erp_core.storage.lookup import AnyRow, fetch_in


def ever_ordered_from(connection: Connection, supplier_ids: Iterable[UUID]) -> set[UUID]:
    """Those of the suppliers to whom a purchase order was ever sent."""
    return {row.id for row in fetch_in(connection, _SENT_TO, suppliers.c.id, supplier_ids)}


def unasked_purchases(
    connection: Connection, supplier_ids: Iterable[UUID], since: datetime
) -> Sequence[AnyRow]:
    """Orders to these suppliers that took effect after a moment without anybody having been asked: id, supplier_id,
    currency, total, approved_at."""
    return fetch_in(connection, _UNASKED, purchase_orders.c.supplier_id, supplier_ids, since=since)


_UNASKED = select(
    purchase_orders.c.id,
    purchase_orders.c.supplier_id,
    purchase_orders.c.currency,
    purchase_orders.c.total,
    purchase_orders.c.approved_at,
).where(
    purchase_orders.c.approved_at > bindparam("since"),
    purchase_orders.c.proposal_id.is_(None),
    purchase_orders.c.status != "cancelled",
)


def committed_by_category(
    connection: Connection, wanted: Iterable[tuple[str, date]], rates: Mapping[str, int]
) -> dict[tuple[str, date], int]:
    """Goods ordered in a month by category, in company currency, for these categories and months.

    An order counts in the month in which it took effect; one whose currency has no rate does not count.
    """
    keys = list(wanted)
    months = {month for _, month in keys}
    first = datetime.combine(min(months), time.min, UTC)
    last = datetime.combine(max(months) + timedelta(days=31), time.min, UTC)
    rows = fetch_in(
        connection, _COMMITTED, items.c.category, {name for name, _ in keys}, first=first, last=last
    )
    found: dict[tuple[str, date], int] = {}
    for row in rows:
        key = (row.category, row.approved_at.date().replace(day=1))
        if row.currency in rates:
            found[key] = found.get(key, 0) + converted(int(row.value), rates[row.currency])
    return found


_COMMITTED = (
    select(
        items.c.category,
        purchase_orders.c.approved_at,
        purchase_orders.c.currency,
        func.sum(po_lines.c.unit_price * (po_lines.c.quantity - po_lines.c.cancelled_quantity)).label(
            "value"
        ),
    )
    .join(purchase_orders, purchase_orders.c.id == po_lines.c.po_id)
    .join(items, items.c.id == po_lines.c.item_id)
    .where(
        purchase_orders.c.approved_at >= bindparam("first"),
        purchase_orders.c.approved_at < bindparam("last"),
        purchase_orders.c.status != "cancelled",
    )
    .group_by(items.c.category, purchase_orders.c.approved_at, purchase_orders.c.currency)
)
_SENT_TO = select(suppliers.c.id).where(
    exists().where(purchase_orders.c.supplier_id == suppliers.c.id, purchase_orders.c.sent_on.is_not(None))
)
