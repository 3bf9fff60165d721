"""What is at risk, record by record: late inbound, the orders it exposes, and SKUs about to run out."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, and_, func, or_, select

from erp_core.analytics.facts import Scope, visible
from erp_core.analytics.facts.purchasing import WITH_SUPPLIER, is_late
from erp_core.exceptions.model import case_subjects, cases
from erp_core.exceptions.rules import CLOSED
from erp_core.inventory.model import stock_balances
from erp_core.inventory.rules import OWN
from erp_core.master.model import channels, items, locations, suppliers
from erp_core.orders.model import demand_daily, order_lines, orders
from erp_core.orders.rules import COMMITTED
from erp_core.procurement.model import po_lines, purchase_orders
from erp_core.storage.types import MONEY_SCALE

_DEMAND_DAYS = 90
_open = po_lines.c.quantity - po_lines.c.cancelled_quantity - po_lines.c.accepted_quantity


@dataclass(frozen=True, slots=True)
class LateLine:
    """An open purchase order line past its first confirmed day, or promised anew for later.

    `expected_on` is the latest promise if it lies ahead; None when an overdue line has no new date.
    `days_late` counts from the first promise to the expected day, or to today. Money in currency units.
    """

    line_id: UUID
    po_number: str
    line_no: int
    supplier: str
    item_id: UUID
    item: str
    item_name: str
    location_id: UUID
    warehouse: str
    first_promised_on: date
    expected_on: date | None
    days_late: int
    open_units: int
    open_value: Decimal


@dataclass(frozen=True, slots=True)
class ExposedOrder:
    """An order line with units that no stock covers, waiting for a late purchase order line.

    `expected_on` None: nobody said when the goods come.
    """

    order_id: UUID
    order_number: str
    line_id: UUID
    channel: str
    item: str
    warehouse: str
    ordered_on: date
    promised_on: date | None
    short_units: int
    sales_value: Decimal
    po_line_id: UUID
    po_number: str
    expected_on: date | None


@dataclass(frozen=True, slots=True)
class StockoutRisk:
    """An open stockout case, for one channel: the case's loss is split by the channel's share of demand.

    `demand_share` is of the units ordered in the last 90 days; `channel` None when there were none.
    """

    case_id: UUID
    item: str
    item_name: str
    warehouse: str
    channel: str | None
    demand_share: Decimal
    probability: Decimal
    deadline: date
    available: int
    on_order: int
    expected_loss: Decimal


def _money(amount: int) -> Decimal:
    return Decimal(amount) / MONEY_SCALE


def late_lines(
    connection: Connection, *, today: date, line_ids: Collection[UUID] | None = None
) -> list[LateLine]:
    """Delayed inbound, the longest delay first; of these lines only where given."""
    scope = Scope(today, today, frozenset())
    moved = and_(
        purchase_orders.c.status.in_(WITH_SUPPLIER),
        _open > 0,
        po_lines.c.promised_on > po_lines.c.first_promised_on,
    )
    due = func.coalesce(po_lines.c.first_promised_on, po_lines.c.promised_on, po_lines.c.need_by)
    statement = (
        select(
            po_lines.c.id,
            purchase_orders.c.number,
            po_lines.c.line_no,
            suppliers.c.code.label("supplier"),
            items.c.id.label("item_id"),
            items.c.sku,
            items.c.name,
            locations.c.id.label("location_id"),
            locations.c.code.label("warehouse"),
            due.label("due"),
            po_lines.c.promised_on,
            _open.label("open_units"),
            po_lines.c.unit_price,
        )
        .join(purchase_orders, purchase_orders.c.id == po_lines.c.po_id)
        .join(suppliers, suppliers.c.id == purchase_orders.c.supplier_id)
        .join(items, items.c.id == po_lines.c.item_id)
        .join(locations, locations.c.id == purchase_orders.c.location_id)
        .where(visible(purchase_orders), or_(is_late(scope), moved))
    )
    if line_ids is not None:
        statement = statement.where(po_lines.c.id.in_(list(line_ids)))
    found = [_late_line(row, today) for row in connection.execute(statement)]
    return sorted(found, key=lambda line: (-line.days_late, line.po_number, line.line_no))


def _late_line(row: Any, today: date) -> LateLine:
    expected = row.promised_on if row.promised_on is not None and row.promised_on >= today else None
    return LateLine(
        line_id=row.id,
        po_number=row.number,
        line_no=row.line_no,
        supplier=row.supplier,
        item_id=row.item_id,
        item=row.sku,
        item_name=row.name,
        location_id=row.location_id,
        warehouse=row.warehouse,
        first_promised_on=row.due,
        expected_on=expected,
        days_late=((expected or today) - row.due).days,
        open_units=row.open_units,
        open_value=_money(row.open_units * row.unit_price),
    )


def exposed_orders(
    connection: Connection, *, today: date, po_line_ids: Collection[UUID] | None = None
) -> list[ExposedOrder]:
    """Order lines that late inbound exposes: units not covered by stock, promised before the goods are expected.

    An order line waits for the late line of its item and location that is expected first. Lines without a
    promise, and lines whose goods have no new date, are exposed too. Largest sales value first.
    """
    late = late_lines(connection, today=today, line_ids=po_line_ids)
    awaited: dict[tuple[UUID, UUID], LateLine] = {}
    for waited in sorted(late, key=lambda line: (line.expected_on or date.max, line.po_number, line.line_no)):
        awaited.setdefault((waited.item_id, waited.location_id), waited)
    short = (
        order_lines.c.quantity
        - order_lines.c.reserved_quantity
        - order_lines.c.shipped_quantity
        - order_lines.c.cancelled_quantity
    )
    rows = connection.execute(
        select(
            orders.c.id.label("order_id"),
            orders.c.number,
            order_lines.c.id.label("line_id"),
            order_lines.c.item_id,
            order_lines.c.location_id,
            order_lines.c.ordered_on,
            order_lines.c.promised_on,
            order_lines.c.unit_price,
            short.label("short"),
            channels.c.code.label("channel"),
        )
        .select_from(order_lines)
        .join(orders, orders.c.id == order_lines.c.order_id)
        .join(channels, channels.c.id == orders.c.channel_id)
        .where(visible(orders), orders.c.status.in_(COMMITTED), short > 0)
    )
    exposed = []
    for row in rows:
        line = awaited.get((row.item_id, row.location_id))
        if line is not None and not _is_in_time(line.expected_on, row.promised_on):
            exposed.append(_exposed(row, line))
    return sorted(exposed, key=lambda order: (-order.sales_value, order.order_number, order.item))


def _is_in_time(expected_on: date | None, promised_on: date | None) -> bool:
    return expected_on is not None and promised_on is not None and expected_on <= promised_on


def _exposed(row: Any, line: LateLine) -> ExposedOrder:
    return ExposedOrder(
        order_id=row.order_id,
        order_number=row.number,
        line_id=row.line_id,
        channel=row.channel,
        item=line.item,
        warehouse=line.warehouse,
        ordered_on=row.ordered_on,
        promised_on=row.promised_on,
        short_units=row.short,
        sales_value=_money(row.short * row.unit_price),
        po_line_id=line.line_id,
        po_number=line.po_number,
        expected_on=line.expected_on,
    )


def stockout_risks(connection: Connection, *, today: date) -> list[StockoutRisk]:
    """Open stockout cases by channel, the largest expected loss first."""
    item_subject, place_subject = case_subjects.alias("item_subject"), case_subjects.alias("place_subject")
    demand = (
        select(
            demand_daily.c.item_id,
            demand_daily.c.location_id,
            demand_daily.c.channel_id,
            func.sum(demand_daily.c.units).label("units"),
        )
        .where(
            visible(demand_daily), demand_daily.c.day.between(today - timedelta(days=_DEMAND_DAYS - 1), today)
        )
        .group_by(demand_daily.c.item_id, demand_daily.c.location_id, demand_daily.c.channel_id)
        .having(func.sum(demand_daily.c.units) > 0)
        .subquery()
    )
    available = (
        select(
            stock_balances.c.item_id,
            stock_balances.c.location_id,
            func.sum(stock_balances.c.quantity).label("units"),
        )
        .where(stock_balances.c.state == "available", stock_balances.c.owner == OWN)
        .group_by(stock_balances.c.item_id, stock_balances.c.location_id)
        .subquery()
    )
    inbound = (
        select(po_lines.c.item_id, purchase_orders.c.location_id, func.sum(_open).label("units"))
        .join(purchase_orders, purchase_orders.c.id == po_lines.c.po_id)
        .where(visible(purchase_orders), purchase_orders.c.status.in_(WITH_SUPPLIER), _open > 0)
        .group_by(po_lines.c.item_id, purchase_orders.c.location_id)
        .subquery()
    )
    place = (item_subject.c.subject_id, place_subject.c.subject_id)

    def at(table: Any) -> Any:
        return and_(table.c.item_id == place[0], table.c.location_id == place[1])

    rows = connection.execute(
        select(
            cases.c.id,
            cases.c.probability,
            cases.c.deadline,
            cases.c.expected_loss,
            items.c.sku,
            items.c.name,
            locations.c.code.label("warehouse"),
            channels.c.code.label("channel"),
            func.coalesce(demand.c.units, 0).label("demand"),
            func.coalesce(available.c.units, 0).label("available"),
            func.coalesce(inbound.c.units, 0).label("inbound"),
        )
        .select_from(cases)
        .join(item_subject, and_(item_subject.c.case_id == cases.c.id, item_subject.c.subject_kind == "item"))
        .join(
            place_subject,
            and_(place_subject.c.case_id == cases.c.id, place_subject.c.subject_kind == "location"),
        )
        .join(items, items.c.id == item_subject.c.subject_id)
        .join(locations, locations.c.id == place_subject.c.subject_id)
        .outerjoin(demand, at(demand))
        .outerjoin(channels, channels.c.id == demand.c.channel_id)
        .outerjoin(available, at(available))
        .outerjoin(inbound, at(inbound))
        .where(cases.c.kind == "stockout_risk", cases.c.status.not_in(sorted(CLOSED)))
    )
    by_case: dict[UUID, list[Any]] = {}
    for row in rows:
        by_case.setdefault(row.id, []).append(row)
    risks = [risk for parts in by_case.values() for risk in _risks(parts)]
    return sorted(
        risks, key=lambda risk: (-risk.expected_loss, risk.item, risk.warehouse, risk.channel or "")
    )


def _risks(rows: list[Any]) -> list[StockoutRisk]:
    """The rows of one case; without demand in any channel they share its loss equally."""
    demand = sum(int(row.demand) for row in rows)
    shares = [Decimal(int(row.demand)) / demand if demand else Decimal(1) / len(rows) for row in rows]
    return [
        StockoutRisk(
            case_id=row.id,
            item=row.sku,
            item_name=row.name,
            warehouse=row.warehouse,
            channel=row.channel,
            demand_share=round(share, 6),
            probability=Decimal(repr(round(row.probability, 6))),
            deadline=row.deadline.date(),
            available=int(row.available),
            on_order=int(row.inbound),
            expected_loss=_money(round(row.expected_loss * share)),
        )
        for row, share in zip(rows, shares, strict=True)
    ]
