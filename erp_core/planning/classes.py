"""The inventory classes of every item as of a day, from what it sold and what it is."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import Connection, and_, func, select

from erp_core.master.model import items, supplier_items, suppliers
from erp_core.master.model_selection import brands, item_classes
from erp_core.master.queries import feeds
from erp_core.master.queries.parameters import parameters
from erp_core.master.rules.classes import MONTHS, Classified, Selling, classify
from erp_core.orders.queries import visible_demand


def classify_items(connection: Connection, today: date) -> list[Classified]:
    """The classes of all items, drafts too, by SKU; in five statements. `RecordItemClasses` stores them.

    Days after the last one of the sales feed do not count as days without sales: it looks back from there.
    """
    values = parameters(connection)
    sales = feeds(connection).get("sales")
    until = min(today, sales.last_on) if sales is not None else today
    sold = _sold(connection, until - timedelta(days=values["class_days"]), until)
    starts = _month_starts(until)
    enough = sales is not None and sales.first_on <= starts[0]
    months = _by_month(connection, starts) if enough else {}
    nobody = (0,) * MONTHS
    selling = [
        Selling(
            row.id,
            *sold.get(row.id, (0, 0)),
            months.get(row.id, nobody) if enough else None,
            row.introduced_on,
            bool(row.private_label),
            row.segment == "imported",
        )
        for row in connection.execute(_NATURE)
    ]
    return classify(selling, today, values, sales_known=sales is not None)


def reclassified(connection: Connection, today: date) -> list[Classified]:
    """The items whose classes, or whose ABC class, are others today than those that are stored.

    Once something was classified on a day, nothing is read again until the next.
    """
    if connection.scalar(select(func.max(item_classes.c.classified_on))) == today:
        return []
    kept = {
        row.id: (row.abc_class, None if row.classes is None else tuple(row.classes))
        for row in connection.execute(_KEPT)
    }
    return [
        one
        for one in classify_items(connection, today)
        if kept[one.item_id][1] != one.classes or one.abc not in (None, kept[one.item_id][0])
    ]


_KEPT = select(items.c.id, items.c.abc_class, item_classes.c.classes).select_from(
    items.outerjoin(item_classes, item_classes.c.item_id == items.c.id)
)
_NATURE = (
    select(items.c.id, items.c.introduced_on, brands.c.private_label, suppliers.c.segment)
    .outerjoin(brands, brands.c.name == items.c.brand)
    .outerjoin(supplier_items, and_(supplier_items.c.item_id == items.c.id, supplier_items.c.rank == 1))
    .outerjoin(suppliers, suppliers.c.id == supplier_items.c.supplier_id)
    .order_by(items.c.sku)
)


def _sold(connection: Connection, after: date, until: date) -> dict[UUID, tuple[int, int]]:
    demand = visible_demand.c
    rows = connection.execute(
        select(demand.item_id, func.sum(demand.net_sales), func.sum(demand.units))
        .where(demand.day > after, demand.day <= until)
        .group_by(demand.item_id)
    )
    return {item_id: (int(money), int(units)) for item_id, money, units in rows}


def _month_starts(until: date) -> list[date]:
    """The first days of the last twelve full months, and of the month after them."""
    month = until.year * MONTHS + until.month - 1
    return [date(one // MONTHS, one % MONTHS + 1, 1) for one in range(month - MONTHS, month + 1)]


def _by_month(connection: Connection, starts: list[date]) -> dict[UUID, tuple[int, ...]]:
    demand = visible_demand.c
    rows = connection.execute(
        select(demand.item_id, demand.day, func.sum(demand.units))
        .where(demand.day >= starts[0], demand.day < starts[-1])
        .group_by(demand.item_id, demand.day)
    )
    first = starts[0].year * MONTHS + starts[0].month
    found: defaultdict[UUID, list[int]] = defaultdict(lambda: [0] * MONTHS)
    for item_id, day, units in rows:
        found[item_id][day.year * MONTHS + day.month - first] += int(units)
    return {item_id: tuple(units) for item_id, units in found.items()}
