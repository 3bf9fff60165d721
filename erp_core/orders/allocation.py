"""Reserving stock for orders that wait for it: oldest order first, as soon as goods are available."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text

from erp_core.gate.contract import Transaction
from erp_core.inventory.events import GoodsAvailable, ReservationsDue, ReservationsExpired
from erp_core.inventory.ledger import Bucket, Ledger
from erp_core.inventory.reservations import Request, Reservations
from erp_core.orders.book import BookLine, BookOrder, OrderBook
from erp_core.orders.kits import lines_of_kit, sets_to_fill, with_whole_kits
from erp_core.orders.model import UNFILLED, order_lines, orders
from erp_core.orders.restrictions import forbidden_lines
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
    .where(text(UNFILLED), orders.c.status.in_(("backordered", "partly_shipped")))
)


def load_buckets(tx: Transaction, lines: Iterable[BookLine]) -> None:
    """Load what filling these lines reads and writes, at once."""
    Ledger.of(tx).load(
        Bucket.of(line.item_id, line.location_id, state)
        for line in lines
        for state in ("available", "reserved")
    )


def fill(
    tx: Transaction, order: BookOrder, lines: Iterable[BookLine], occurred_at: datetime, audit_id: UUID
) -> int:
    """Reserve what is available for the unfilled units of these lines of a loaded order. Gives the units.

    A line that is part of a kit is filled together with the kit's others, in whole sets.
    """
    ledger = Ledger.of(tx)
    requests: list[Request] = []
    taken: dict[Bucket, int] = {}
    sets: dict[UUID, int] = {}

    def free(line: BookLine) -> int:
        bucket = Bucket.of(line.item_id, line.location_id)
        return ledger.quantity(bucket) - taken.get(bucket, 0)

    for line in with_whole_kits(order, lines):
        bucket = Bucket.of(line.item_id, line.location_id)
        before = taken.get(bucket, 0)
        units = min(line.parts.unfilled, ledger.quantity(bucket) - before)
        if line.kit_line_id is not None:
            if line.kit_line_id not in sets:
                sets[line.kit_line_id] = sets_to_fill(lines_of_kit(order, line.kit_line_id), free)
            units = sets[line.kit_line_id] * (line.per_kit or 1)
        if units > 0:
            taken[bucket] = before + units
            line.parts.reserved += units
            line.changed = True
            requests.append(
                Request(
                    "order", order.id, line.id, line.item_id, line.location_id, units, occurred_at, audit_id
                )
            )
    Reservations.of(tx).reserve(requests)
    return sum(taken.values())


def allocate_backorders(event: GoodsAvailable, tx: Transaction) -> None:
    """Give what arrived to the orders that wait for it, the oldest first, where no restriction forbids it.

    An order that another writer is changing at this moment is passed over; the next arrival finds it.
    """
    book, ledger = OrderBook.of(tx), Ledger.of(tx)
    book.flush()
    arrivals = {(arrival.item_id, arrival.location_id): arrival for arrival in event.arrivals}
    waiting = [
        row
        for row in fetch_in(tx.connection, _WAITING, order_lines.c.item_id, (key[0] for key in arrivals))
        if (row.item_id, row.location_id) in arrivals
    ]
    waiting.sort(key=lambda row: (row.ordered_at, row.order_id, row.line_no))
    waiting = [row for row in waiting if ledger.quantity(Bucket.of(row.item_id, row.location_id))]
    forbidden = forbidden_lines(tx, [row.id for row in waiting])
    waiting = [row for row in waiting if row.id not in forbidden]
    book.load((row.order_id for row in waiting), skip_busy=True)
    ledger.load(Bucket.of(row.item_id, row.location_id, "reserved") for row in waiting)
    partners = _partners(book, waiting)
    load_buckets(tx, partners)
    forbidden |= forbidden_lines(tx, [line.id for line in partners])
    parted = {line.kit_line_id for line in partners if line.id in forbidden}
    filled: dict[UUID, BookOrder] = {}
    for row in waiting:
        if not book.loaded(row.order_id) or not ledger.quantity(Bucket.of(row.item_id, row.location_id)):
            continue
        order, arrival = book.get(row.order_id), arrivals[row.item_id, row.location_id]
        if order.status not in ("backordered", "partly_shipped") or row.kit_line_id in parted:
            continue
        if fill(tx, order, [order.lines[row.id]], arrival.occurred_at, arrival.audit_id):
            filled[order.id] = order
    for order in filled.values():
        order.advance()


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
            _give_back(tx, order, event)
        order.advance("reservation_expired")


def _give_back(tx: Transaction, order: BookOrder, event: ReservationsExpired) -> None:
    kept = {line.id: line.parts.reserved for line in order.lines.values() if line.parts.reserved}
    Reservations.of(tx).end(order.id, kept, "voided", event.occurred_at, event.audit_id)
    for line_id in kept:
        order.lines[line_id].parts.reserved = 0
        order.lines[line_id].changed = True
