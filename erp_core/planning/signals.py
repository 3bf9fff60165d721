"""What is to be refilled when goods leave."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from erp_core.gate.contract import Transaction
from erp_core.inventory.ledger import Ledger
from erp_core.orders.after_shipping import Due
from erp_core.orders.book import OrderBook
from erp_core.planning.queries import reorder_targets
from erp_core.procurement.queries import positions


def replenishment_due(tx: Transaction, pairs: Iterable[tuple[UUID, UUID]]) -> dict[tuple[UUID, UUID], Due]:
    """Of these (item, location) those whose position is at the reorder point or below.

    What is on order counts, so that nothing is asked for twice; without a reorder point nobody knows what is wanted.
    """
    targets = reorder_targets(tx.connection, pairs)
    if not targets:
        return {}
    OrderBook.of(tx).flush()
    Ledger.of(tx).flush()
    stands = positions(tx.connection, targets)
    return {
        pair: Due(stands[pair].units, target.reorder_point, target.order_up_to)
        for pair, target in targets.items()
        if stands[pair].units <= target.reorder_point
    }
