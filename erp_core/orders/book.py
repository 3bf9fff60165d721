"""The order book: the open orders a transaction works on, read once and written once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from erp_core.gate.contract import Event, NotFound, Transaction
from erp_core.gate.statuses import require_step
from erp_core.inventory import locks
from erp_core.master.rules.fulfilment import Offer
from erp_core.orders.model import order_lines, orders, pick_lines, pick_lists
from erp_core.orders.rules import HELD, OPEN_PICKS, ORDER_STATUSES, PICK_STATUSES, LineParts, status_of
from erp_core.storage.bulk import insert_rows, update_rows
from erp_core.storage.lookup import fetch_in

_ORDER = select(
    orders.c.id,
    orders.c.number,
    orders.c.channel_id,
    orders.c.status,
    orders.c.status_since,
    orders.c.customer_country,
    orders.c.speed,
    orders.c.ordered_on,
    orders.c.promised_on,
    orders.c.shipped_on,
    orders.c.hold_reason,
    orders.c.cancel_reason,
    orders.c.freight_cost,
    orders.c.shipments,
    orders.c.version,
    orders.c.parcels_allowed,
    orders.c.customer_id,
)
_LINE = select(
    order_lines.c.id,
    order_lines.c.order_id,
    order_lines.c.item_id,
    order_lines.c.location_id,
    order_lines.c.promised_on,
    order_lines.c.expected_on,
    order_lines.c.shipped_on,
    order_lines.c.quantity,
    order_lines.c.reserved_quantity,
    order_lines.c.shipped_quantity,
    order_lines.c.shipped_by_promise,
    order_lines.c.cancelled_quantity,
    order_lines.c.picked_quantity,
    order_lines.c.unit_price,
    order_lines.c.list_price,
    order_lines.c.cost,
    order_lines.c.kit_line_id,
    order_lines.c.per_kit,
).order_by(order_lines.c.order_id, order_lines.c.line_no)
_PICK = select(
    pick_lists.c.id,
    pick_lists.c.order_id,
    pick_lists.c.location_id,
    pick_lists.c.wave_id,
    pick_lists.c.status,
    pick_lists.c.released_at,
    pick_lists.c.status_since,
    pick_lists.c.audit_id,
    pick_lists.c.service_id,
    pick_lists.c.service_reason,
    pick_lists.c.service_override,
    pick_lists.c.freight_price,
    pick_lists.c.cutoff_at,
    pick_lists.c.arrives_on,
).where(pick_lists.c.status.in_(OPEN_PICKS))
_PICK_LINE = select(pick_lines.c.pick_id, pick_lines.c.order_line_id, pick_lines.c.quantity)
_MAY_BE_PICKED = ("pick_released", "picked", "packed", "partly_shipped")


@dataclass(slots=True)
class BookLine:
    """A line of an order in work."""

    id: UUID
    item_id: UUID
    location_id: UUID
    promised_on: date | None
    expected_on: date | None
    shipped_on: date | None
    parts: LineParts
    shipped_by_promise: int
    unit_price: int
    list_price: int
    cost: int | None
    kit_line_id: UUID | None = None
    per_kit: int | None = None
    changed: bool = False


@dataclass(frozen=True, slots=True)
class Way:
    """The service a parcel goes with; nothing is known where the company keeps no carriers."""

    service_id: UUID | None = None
    reason: str | None = None
    override: bool = False
    price: int | None = None
    cutoff: datetime | None = None
    arrives_on: date | None = None

    @classmethod
    def by(cls, offer: Offer | None, reason: str, *, override: bool = False) -> Way:
        """The way of an offer."""
        if offer is None:
            return cls(reason=reason)
        return cls(offer.service.id, reason, override, offer.price, offer.pickup.cutoff, offer.arrives_on)


@dataclass(slots=True)
class BookPick:
    """A pick list of an order in work; `units` by order line, to fetch or fetched."""

    id: UUID
    order_id: UUID
    location_id: UUID
    wave_id: UUID | None
    status: str
    released_at: datetime
    status_since: datetime
    audit_id: UUID
    way: Way = field(default_factory=Way)
    units: dict[UUID, int] = field(default_factory=dict)
    new: bool = False
    changed: bool = False

    def step_to(self, status: str, at: datetime) -> None:
        """Change the status along the graph. Raises `IllegalTransition`."""
        require_step(PICK_STATUSES, self.status, status, "the pick list")
        self.status, self.status_since, self.changed = status, at, True


@dataclass(slots=True)
class BookOrder:
    """An order in work. Change it, then call `advance`."""

    id: UUID
    number: str
    channel_id: UUID
    status: str
    status_since: datetime | None
    customer_country: str
    speed: str | None
    ordered_on: date
    promised_on: date | None
    shipped_on: date | None
    hold_reason: str | None
    cancel_reason: str | None
    freight_cost: int
    shipments: int
    version: int
    parcels_allowed: int | None = None
    customer_id: UUID | None = None
    lines: dict[UUID, BookLine] = field(default_factory=dict)
    picks: dict[UUID, BookPick] = field(default_factory=dict)
    changed: bool = False

    @property
    def open_picks(self) -> list[BookPick]:
        """Pick lists that are neither shipped nor cancelled."""
        return [pick for pick in self.picks.values() if pick.status in OPEN_PICKS]

    def advance(self, at: datetime, hold_reason: str | None = None) -> None:
        """Take the status that lines and pick lists give it (on hold with a reason), as the graph allows.

        Counts the version.
        """
        target = status_of(
            (line.parts for line in self.lines.values()), (pick.status for pick in self.open_picks)
        )
        if hold_reason is not None and target in ("reserved", "backordered"):
            target = self.status if self.status in HELD else "on_hold"
        self.step_to(target, at)
        self.hold_reason = hold_reason if target in HELD else None

    def step_to(self, status: str, at: datetime) -> None:
        """Take the status along the graph, and count the version. Raises `IllegalTransition`."""
        if status != self.status:
            require_step(ORDER_STATUSES, self.status, status, f"order {self.number}")
            self.status, self.status_since = status, at
        self.version += 1
        self.changed = True

    def event(self, kind: str, **data: Any) -> Event:
        """The order's event for the outbox, at its present version."""
        return Event(
            kind, "order", self.id, self.version, {"number": self.number, "status": self.status, **data}
        )


class OrderBook:
    """A transaction's unit of work for orders: each order is there once, whoever changes it."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._orders: dict[UUID, BookOrder] = {}

    @classmethod
    def of(cls, tx: Transaction) -> OrderBook:
        """The transaction's order book."""
        return tx.unit(cls, cls)

    def load(self, order_ids: Iterable[UUID], *, skip_busy: bool = False) -> None:
        """Read and lock these orders with their lines; `skip_busy` leaves out those another writer holds."""
        wanted = {id_ for id_ in order_ids if id_ not in self._orders}
        if not wanted:
            return
        connection = self._tx.connection
        rows = locks.lock_documents(connection, _ORDER, orders.c.id, wanted, skip_busy=skip_busy)
        for row in rows:
            self._orders[row.id] = BookOrder(*row)
        for row in fetch_in(connection, _LINE, order_lines.c.order_id, [row.id for row in rows]):
            (
                id_,
                order_id,
                item_id,
                location_id,
                promised_on,
                expected_on,
                shipped_on,
                quantity,
                reserved,
                shipped,
                by_promise,
                cancelled,
                picked,
                unit_price,
                list_price,
                cost,
                kit_line_id,
                per_kit,
            ) = row
            self._orders[order_id].lines[id_] = BookLine(
                id_,
                item_id,
                location_id,
                promised_on,
                expected_on,
                shipped_on,
                LineParts(quantity, reserved, shipped, cancelled, picked),
                by_promise,
                unit_price,
                list_price,
                cost,
                kit_line_id,
                per_kit,
            )

        self._load_picks([row.id for row in rows if row.status in _MAY_BE_PICKED])

    def _load_picks(self, order_ids: list[UUID]) -> None:
        connection = self._tx.connection
        picks = []
        for row in fetch_in(connection, _PICK, pick_lists.c.order_id, order_ids):
            picks.append(BookPick(*row[:8]))
            picks[-1].way = Way(*row[8:])
        for pick in picks:
            self._orders[pick.order_id].picks[pick.id] = pick
        by_id = {pick.id: pick for pick in picks}
        for pick_id, line_id, units in fetch_in(connection, _PICK_LINE, pick_lines.c.pick_id, by_id):
            by_id[pick_id].units[line_id] = units

    def get(self, order_id: UUID) -> BookOrder:
        """A loaded order. Raises `NotFound`."""
        if order_id not in self._orders:
            raise NotFound(
                f"there is no order {order_id}", field="order_id", remedy="give the id of an order"
            )
        return self._orders[order_id]

    def loaded(self, order_id: UUID) -> bool:
        """Whether the order is here."""
        return order_id in self._orders

    def flush(self) -> None:
        """Write the orders and lines that changed."""
        changed = [order for order in self._orders.values() if order.changed]
        if not changed:
            return
        lines = [line for order in changed for line in order.lines.values() if line.changed]
        update_rows(self._tx.connection, orders, [_order_values(order) for order in changed])
        update_rows(self._tx.connection, order_lines, [_line_values(line) for line in lines])
        self._flush_picks([pick for order in changed for pick in order.picks.values() if pick.changed])
        for order in changed:
            order.changed = False
        for line in lines:
            line.changed = False

    def _flush_picks(self, picks: list[BookPick]) -> None:
        """Those that were there first: one that ended makes room for the next of its order and place."""
        connection, new = self._tx.connection, [pick for pick in picks if pick.new]
        old = [pick for pick in picks if not pick.new]
        update_rows(
            connection,
            pick_lists,
            [
                {name: value for name, value in _pick_values(pick).items() if name in _PICK_CHANGES}
                for pick in old
            ],
        )
        update_rows(connection, pick_lines, _pick_line_values(old))
        insert_rows(connection, pick_lists, [_pick_values(pick) for pick in new])
        insert_rows(connection, pick_lines, _pick_line_values(new))
        for pick in picks:
            pick.new = pick.changed = False

    def discard(self) -> None:
        """Forget every order read."""
        self._orders = {}


def _order_values(order: BookOrder) -> dict[str, Any]:
    return {
        "id": order.id,
        "status": order.status,
        "status_since": order.status_since,
        "promised_on": order.promised_on,
        "shipped_on": order.shipped_on,
        "hold_reason": order.hold_reason,
        "cancel_reason": order.cancel_reason,
        "freight_cost": order.freight_cost,
        "shipments": order.shipments,
        "parcels_allowed": order.parcels_allowed,
        "version": order.version,
    }


def _line_values(line: BookLine) -> dict[str, Any]:
    return {
        "id": line.id,
        "promised_on": line.promised_on,
        "expected_on": line.expected_on,
        "shipped_on": line.shipped_on,
        "reserved_quantity": line.parts.reserved,
        "picked_quantity": line.parts.picked,
        "shipped_quantity": line.parts.shipped,
        "shipped_by_promise": line.shipped_by_promise,
        "cancelled_quantity": line.parts.cancelled,
        "cost": line.cost,
    }


_PICK_CHANGES = (
    "id",
    "status",
    "status_since",
    "service_id",
    "service_reason",
    "service_override",
    "freight_price",
    "cutoff_at",
    "arrives_on",
)


def _pick_values(pick: BookPick) -> dict[str, Any]:
    return {
        "id": pick.id,
        "order_id": pick.order_id,
        "location_id": pick.location_id,
        "wave_id": pick.wave_id,
        "status": pick.status,
        "released_at": pick.released_at,
        "status_since": pick.status_since,
        "service_id": pick.way.service_id,
        "service_reason": pick.way.reason,
        "service_override": pick.way.override,
        "freight_price": pick.way.price,
        "cutoff_at": pick.way.cutoff,
        "arrives_on": pick.way.arrives_on,
        "audit_id": pick.audit_id,
    }


def _pick_line_values(picks: Iterable[BookPick]) -> list[dict[str, Any]]:
    return [
        {"pick_id": pick.id, "order_line_id": line_id, "quantity": units}
        for pick in picks
        for line_id, units in pick.units.items()
    ]
