"""Reserving stock for orders that wait for it: oldest order first, as soon as goods are available."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select, text

from erp_core.gate.contract import Transaction
from erp_core.inventory.checks import tracked_items
from erp_core.inventory.events import Arrival, GoodsAvailable, ReservationsDue, ReservationsExpired
from erp_core.inventory.ledger import Bucket, Ledger
from erp_core.inventory.lots.book import LotBook
from erp_core.inventory.reservations import Request, Reservations
from erp_core.inventory.rules import NO_LOT
from erp_core.orders.book import BookLine, BookOrder, OrderBook
from erp_core.orders.kits import lines_of_kit, sets_to_fill, with_whole_kits
from erp_core.orders.model import UNFILLED, order_lines, orders
from erp_core.orders.restrictions import forbidden_lines
from erp_core.orders.rules import WAITING
from erp_core.orders.shares import Shares
from erp_core.storage.lookup import AnyRow, fetch_in

_WAITING = (
    select(
        order_lines.c.id,
        order_lines.c.order_id,
        order_lines.c.item_id,
        order_lines.c.location_id,
        orders.c.ordered_at,
        order_lines.c.line_no,
        order_lines.c.kit_line_id,
    )
    .join(orders, orders.c.id == order_lines.c.order_id)
    .where(text(UNFILLED), orders.c.status.in_(WAITING))
)


def load_buckets(tx: Transaction, lines: Iterable[BookLine]) -> None:
    """Load what filling these lines reads and writes, at once."""
    wanted, lots = list(lines), LotBook.of(tx)
    tracked = tracked_items(tx, {line.item_id for line in wanted})
    lots.read_stock(tracked)
    buckets = lots.buckets(tracked)
    buckets.update(
        Bucket.of(line.item_id, line.location_id, state)
        for line in wanted
        if line.item_id not in tracked
        for state in ("available", "reserved")
    )
    Ledger.of(tx).load(buckets)


def free_units(
    tx: Transaction, channel_id: UUID, item_id: UUID, place: UUID, shares: Shares, on: date
) -> int:
    """Units of an item at a place that may be promised to a channel; its buckets are loaded."""
    lots = LotBook.of(tx)
    there = lots.promisable(item_id, place, on, lots.minimum_days(channel_id, item_id))
    return shares.allowed(channel_id, item_id, place, there)


def fill(
    tx: Transaction,
    order: BookOrder,
    lines: Iterable[BookLine],
    shares: Shares,
    occurred_at: datetime,
    audit_id: UUID,
) -> int:
    """Reserve what may be promised for the unfilled units of these lines of a loaded order. Gives the units.

    A line that is part of a kit is filled together with the kit's others, in whole sets.
    """
    lots, today = LotBook.of(tx), occurred_at.date()
    requests: list[Request] = []
    taken: dict[Bucket, int] = {}
    sets: dict[UUID, int] = {}

    def free(line: BookLine) -> int:
        there = free_units(tx, order.channel_id, line.item_id, line.location_id, shares, today)
        return there - taken.get(Bucket.of(line.item_id, line.location_id), 0)

    for line in with_whole_kits(order, lines):
        bucket = Bucket.of(line.item_id, line.location_id)
        days = lots.minimum_days(order.channel_id, line.item_id)
        units = min(line.parts.unfilled, free(line))
        if line.kit_line_id is not None:
            if line.kit_line_id not in sets:
                sets[line.kit_line_id] = sets_to_fill(lines_of_kit(order, line.kit_line_id), free)
            units = sets[line.kit_line_id] * (line.per_kit or 1)
        if units > 0:
            taken[bucket] = taken.get(bucket, 0) + units
            line.parts.reserved += units
            line.expected_on = line.expected_on if line.parts.unfilled else None
            line.changed = True
            requests.append(
                Request(
                    "order",
                    order.id,
                    line.id,
                    line.item_id,
                    line.location_id,
                    units,
                    occurred_at,
                    audit_id,
                    minimum_days=days,
                )
            )
    Reservations.of(tx).reserve(requests)
    for one in requests:
        shares.take(order.channel_id, one.item_id, one.location_id, one.quantity)
    return sum(taken.values())


def allocate_backorders(event: GoodsAvailable, tx: Transaction) -> None:
    """Give what arrived to the orders that wait for it, the oldest first, where no restriction forbids it.

    An order that another writer is changing at this moment is passed over; the next arrival finds it.
    """
    book, ledger, lots = OrderBook.of(tx), Ledger.of(tx), LotBook.of(tx)
    book.flush()
    arrivals = {(arrival.item_id, arrival.location_id): arrival for arrival in event.arrivals}
    waiting = [
        row
        for row in fetch_in(tx.connection, _WAITING, order_lines.c.item_id, (key[0] for key in arrivals))
        if (row.item_id, row.location_id) in arrivals
    ]
    lots.read_stock({one.item_id for one in event.arrivals if one.lot_id != NO_LOT}, again=True)
    waiting.sort(key=lambda row: (row.ordered_at, row.order_id, row.line_no))
    waiting = [row for row in waiting if _there(row, arrivals, lots)]
    forbidden = forbidden_lines(tx, [row.id for row in waiting])
    waiting = [row for row in waiting if row.id not in forbidden]
    book.load((row.order_id for row in waiting), skip_busy=True)
    ledger.load(
        Bucket.of(row.item_id, row.location_id, "reserved") for row in waiting if not lots.tracks(row.item_id)
    )
    partners = _partners(book, waiting)
    if partners:
        load_buckets(tx, partners)
        forbidden |= forbidden_lines(tx, [line.id for line in partners])
    parted = {line.kit_line_id for line in partners if line.id in forbidden}
    items = {row.item_id for row in waiting} | {line.item_id for line in partners}
    shares = Shares(tx, items, none=not waiting)
    filled: dict[UUID, tuple[BookOrder, datetime]] = {}
    for row in waiting:
        if not book.loaded(row.order_id) or not _there(row, arrivals, lots):
            continue
        order, arrival = book.get(row.order_id), arrivals[row.item_id, row.location_id]
        if order.status not in WAITING or row.kit_line_id in parted:
            continue
        if fill(tx, order, [order.lines[row.id]], shares, arrival.occurred_at, arrival.audit_id):
            filled[order.id] = order, arrival.occurred_at
    for order, at in filled.values():
        order.advance(at)


def _there(row: AnyRow, arrivals: Mapping[tuple[UUID, UUID], Arrival], lots: LotBook) -> int:
    """Units that arrived or lie there and may be promised to somebody."""
    today = arrivals[row.item_id, row.location_id].occurred_at.date()
    return lots.promisable(row.item_id, row.location_id, today)


def _partners(book: OrderBook, waiting: Iterable[AnyRow]) -> list[BookLine]:
    """The other lines of the kits of which lines wait, in the orders that are loaded."""
    orders_of_kits = {row.order_id for row in waiting if row.kit_line_id is not None}
    kits = {row.kit_line_id for row in waiting}
    return [
        line
        for order_id in sorted(orders_of_kits)
        if book.loaded(order_id)
        for line in book.get(order_id).lines.values()
        if line.kit_line_id is not None and line.kit_line_id in kits
    ]


def lock_due_orders(event: ReservationsDue, tx: Transaction) -> None:
    """Lock the orders before their reservations, as everyone does who works on an order."""
    if event.document_kind == "order":
        OrderBook.of(tx).load(event.document_ids)


def hold_expired_orders(event: ReservationsExpired, tx: Transaction) -> None:
    """Put orders whose reservation ran out on hold; one that is partly shipped goes on waiting for stock.

    An order on hold keeps no stock: what its lines got later, without a limit of its own, is given back as well.
    """
    if event.document_kind != "order":
        return
    book, reservations = OrderBook.of(tx), Reservations.of(tx)
    order_ids = {order_id for order_id, _ in event.units}
    book.load(order_ids)
    reservations.load(order_ids)
    Ledger.of(tx).load(reservations.buckets(order_ids))
    for (order_id, line_id), units in event.units.items():
        line = book.get(order_id).lines[line_id]
        line.parts.reserved -= units
        line.changed = True
    for order_id in sorted(order_ids):
        order = book.get(order_id)
        if order.status != "partly_shipped":
            give_back(tx, order, event.occurred_at, event.audit_id)
        order.advance(event.occurred_at, "reservation_expired")


def give_back(tx: Transaction, order: BookOrder, occurred_at: datetime, audit_id: UUID) -> None:
    """Give back all that is reserved for a loaded order, nothing of which is picked."""
    kept = {line.id: line.parts.reserved for line in order.lines.values() if line.parts.reserved}
    Reservations.of(tx).end(order.id, kept, "voided", occurred_at, audit_id)
    for line_id in kept:
        order.lines[line_id].parts.reserved = 0
        order.lines[line_id].changed = True
