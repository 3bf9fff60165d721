"""What orders do when stock that was promised to them is held back."""

from __future__ import annotations

from erp_core.gate.contract import Transaction
from erp_core.inventory.events import ReservationsHalted, ReservationsVoided
from erp_core.inventory.ledger import Ledger
from erp_core.inventory.reservations import Reservations
from erp_core.orders.book import OrderBook
from erp_core.orders.picking import withdraw


def put_back(event: ReservationsHalted, tx: Transaction) -> None:
    """Lock the orders, and put back what was picked for these lines, packed or not."""
    if event.document_kind != "order":
        return
    book, reservations = OrderBook.of(tx), Reservations.of(tx)
    lines = {line_id for _, line_id in event.lines}
    order_ids = sorted({order_id for order_id, _ in event.lines})
    book.load(order_ids)
    reservations.load(order_ids)
    Ledger.of(tx).load(reservations.buckets(order_ids))
    for order_id in order_ids:
        order = book.get(order_id)
        picks = [pick for pick in order.open_picks if lines & pick.units.keys()]
        for pick in picks:
            withdraw(tx, order, pick, event.occurred_at, event.audit_id)
        if picks:
            order.advance(event.occurred_at)


def wait_again(event: ReservationsVoided, tx: Transaction) -> None:
    """Let the lines wait for other stock; their orders are backordered until there is some."""
    if event.document_kind != "order":
        return
    book = OrderBook.of(tx)
    book.load({order_id for order_id, _ in event.units})
    for (order_id, line_id), units in event.units.items():
        line = book.get(order_id).lines[line_id]
        line.parts.reserved -= units
        line.changed = True
    for order_id in sorted({order_id for order_id, _ in event.units}):
        book.get(order_id).advance(event.occurred_at)
