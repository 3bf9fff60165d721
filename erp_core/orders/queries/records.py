"""Orders, their lines and parcels, and the lines a shortage hits."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Select, Subquery, Table, func, or_, select, text

from erp_core.master.queries import visible
from erp_core.orders.demand import LIVE
from erp_core.orders.model import UNFILLED, demand_daily, order_lines, orders, shipment_lines, shipments
from erp_core.orders.rules import WAITING
from erp_core.storage.lookup import AnyRow, fetch_in


def _visible(table: Table, name: str) -> Subquery:
    return select(table).where(visible(table.c.import_id)).subquery(name)


visible_orders = _visible(orders, "visible_orders")
visible_order_lines = _visible(order_lines, "visible_order_lines")
visible_demand = (
    select(demand_daily)
    .where(or_(demand_daily.c.import_id == LIVE, visible(demand_daily.c.import_id)))
    .subquery("visible_demand")
)


@dataclass(frozen=True, slots=True)
class OrderLine:
    """An order line. Money in ten-thousandths; `cost` is of what shipped, None while unknown."""

    id: UUID
    order_id: UUID
    line_no: int
    item_id: UUID
    location_id: UUID
    location_reason: str | None
    channel_id: UUID
    customer_country: str
    ordered_on: date
    promised_on: date | None
    expected_on: date | None
    shipped_on: date | None
    quantity: int
    reserved_quantity: int
    picked_quantity: int
    shipped_quantity: int
    cancelled_quantity: int
    unit_price: int
    list_price: int
    cost: int | None

    @property
    def open_quantity(self) -> int:
        """Units still owed to the customer."""
        return self.quantity - self.shipped_quantity - self.cancelled_quantity

    @property
    def backordered_quantity(self) -> int:
        """Units owed for which no stock is reserved."""
        return self.open_quantity - self.reserved_quantity


@dataclass(frozen=True, slots=True)
class Order:
    """An order without its lines."""

    id: UUID
    number: str
    external_ref: str
    channel_id: UUID
    customer_id: UUID | None
    customer_country: str
    status: str
    status_since: datetime | None
    ordered_at: datetime
    promised_on: date | None
    shipped_on: date | None
    hold_reason: str | None
    cancel_reason: str | None
    freight_cost: int
    shipments: int
    parcels_allowed: int | None
    version: int


@dataclass(frozen=True, slots=True)
class Parcel:
    """One parcel, with units by order line."""

    id: UUID
    location_id: UUID
    shipped_on: date
    freight_cost: int
    units: dict[UUID, int]


@dataclass(frozen=True, slots=True)
class OrderDetail:
    """An order with its lines and parcels."""

    order: Order
    lines: tuple[OrderLine, ...]
    parcels: tuple[Parcel, ...]


@dataclass(frozen=True, slots=True)
class ExposedLine:
    """An open order line that waits for goods of an item at a location."""

    order_id: UUID
    order_number: str
    line_id: UUID
    item_id: UUID
    location_id: UUID
    channel_id: UUID
    promised_on: date | None
    open_quantity: int
    backordered_quantity: int
    unit_price: int


def _columns(record: type[Any], table: Table | Subquery) -> list[Any]:
    return [table.c[part.name] for part in fields(record)]


def get_order(connection: Connection, order_id: UUID) -> OrderDetail | None:
    """The order with lines and parcels."""
    source = visible_orders
    row = connection.execute(select(*_columns(Order, source)).where(source.c.id == order_id)).one_or_none()
    if row is None:
        return None
    statement = select(*_columns(OrderLine, order_lines)).order_by(order_lines.c.line_no)
    lines = connection.execute(statement.where(order_lines.c.order_id == order_id)).all()
    return OrderDetail(Order(*row), tuple(OrderLine(*line) for line in lines), _parcels(connection, order_id))


def _parcels(connection: Connection, order_id: UUID) -> tuple[Parcel, ...]:
    rows = connection.execute(
        select(
            shipments.c.id,
            shipments.c.location_id,
            shipments.c.shipped_on,
            shipments.c.freight_cost,
            shipment_lines.c.order_line_id,
            shipment_lines.c.quantity,
        )
        .join(shipment_lines, shipment_lines.c.shipment_id == shipments.c.id)
        .where(shipments.c.order_id == order_id)
        .order_by(shipments.c.shipped_on, shipments.c.id)
    )
    parcels: dict[UUID, Parcel] = {}
    for id_, location_id, shipped_on, freight_cost, line_id, quantity in rows:
        parcel = parcels.setdefault(id_, Parcel(id_, location_id, shipped_on, freight_cost, {}))
        parcel.units[line_id] = quantity
    return tuple(parcels.values())


def find_order(connection: Connection, number: str) -> OrderDetail | None:
    """The order of this number, in any case, or of this external reference if only one channel has it."""
    source = visible_orders
    ids = connection.scalars(select(source.c.id).where(func.lower(source.c.number) == number.lower())).all()
    ids = ids or connection.scalars(select(source.c.id).where(source.c.external_ref == number)).all()
    return get_order(connection, ids[0]) if len(ids) == 1 else None


def list_orders(
    connection: Connection,
    *,
    status: Iterable[str] | None = None,
    channel_id: UUID | None = None,
    search: str | None = None,
    limit: int = 100,
    offset: int = 0,
) -> list[Order]:
    """Orders, latest first; `search` is a part of the number or the external reference, in any case."""
    source = visible_orders
    statement = select(*_columns(Order, source)).order_by(source.c.ordered_at.desc(), source.c.id.desc())
    if status is not None:
        statement = statement.where(source.c.status.in_(list(status)))
    if channel_id is not None:
        statement = statement.where(source.c.channel_id == channel_id)
    if search is not None:
        wanted = search.lower()
        references = (source.c.number, source.c.external_ref)
        statement = statement.where(
            or_(*(func.lower(one).contains(wanted, autoescape=True) for one in references))
        )
    return [Order(*row) for row in connection.execute(statement.limit(limit).offset(offset))]


def order_lines_by_id(connection: Connection, line_ids: Iterable[UUID]) -> dict[UUID, OrderLine]:
    """Order lines by id, those that are visible."""
    source = visible_order_lines
    rows = fetch_in(connection, select(*_columns(OrderLine, source)), source.c.id, line_ids)
    return {row.id: OrderLine(*row) for row in rows}


def order_lines_of(connection: Connection, order_ids: Iterable[UUID]) -> list[OrderLine]:
    """The visible lines of these orders, in their order."""
    source = visible_order_lines
    statement = select(*_columns(OrderLine, source)).order_by(source.c.order_id, source.c.line_no)
    return [OrderLine(*row) for row in fetch_in(connection, statement, source.c.order_id, order_ids)]


def exposed_lines(
    connection: Connection,
    *,
    item_ids: Iterable[UUID] | None = None,
    location_id: UUID | None = None,
) -> list[ExposedLine]:
    """Open order lines without enough stock reserved, earliest promise first: whom a shortage hits."""
    statement = _unfilled(
        orders.c.id,
        orders.c.number,
        order_lines.c.id,
        order_lines.c.item_id,
        order_lines.c.location_id,
        order_lines.c.channel_id,
        order_lines.c.promised_on,
        order_lines.c.quantity - order_lines.c.shipped_quantity - order_lines.c.cancelled_quantity,
        _BACKORDERED,
        order_lines.c.unit_price,
    ).order_by(
        order_lines.c.promised_on.is_(None), order_lines.c.promised_on, orders.c.ordered_at, order_lines.c.id
    )
    if location_id is not None:
        statement = statement.where(order_lines.c.location_id == location_id)
    rows: Iterable[AnyRow] = (
        connection.execute(statement)
        if item_ids is None
        else fetch_in(connection, statement, order_lines.c.item_id, item_ids)
    )
    return [ExposedLine(*row) for row in rows]


_BACKORDERED = (
    order_lines.c.quantity
    - order_lines.c.reserved_quantity
    - order_lines.c.shipped_quantity
    - order_lines.c.cancelled_quantity
)


def backordered_units(
    connection: Connection, item_ids: Iterable[UUID] | None = None
) -> dict[tuple[UUID, UUID], int]:
    """Units owed without stock by (item, location); pairs without any are not in it."""
    statement = _unfilled(order_lines.c.item_id, order_lines.c.location_id, func.sum(_BACKORDERED)).group_by(
        order_lines.c.item_id, order_lines.c.location_id
    )
    rows: Iterable[AnyRow] = (
        connection.execute(statement)
        if item_ids is None
        else fetch_in(connection, statement, order_lines.c.item_id, item_ids)
    )
    return {(item_id, location_id): int(units) for item_id, location_id, units in rows}


def backordered_pairs() -> Select[Any]:
    """A select of the `item_id, location_id` of lines that wait for stock; a pair may come more than once."""
    return _unfilled(order_lines.c.item_id, order_lines.c.location_id)


def _unfilled(*columns: Any) -> Select[Any]:
    return (
        select(*columns)
        .join_from(order_lines, orders, orders.c.id == order_lines.c.order_id)
        .where(
            text(UNFILLED),
            orders.c.status.in_(WAITING),
            visible(order_lines.c.import_id),
        )
    )
