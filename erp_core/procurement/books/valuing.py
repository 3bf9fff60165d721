"""What goods of an order are worth in company currency when they are taken in: at its price, and the rate of the day."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from erp_core.finance.costs import Costs, CostSource
from erp_core.finance.journal import Journal
from erp_core.gate.contract import Transaction
from erp_core.procurement.ordering.purchase_orders import Line, PurchaseOrder


def require_rate(tx: Transaction, order: PurchaseOrder, day: date) -> None:
    """Raise `NoExchangeRate` where the order's currency has no rate on the day: its goods could not be valued."""
    Journal.of(tx).worth(order.currency, 0, day)


def take_in(tx: Transaction, order: PurchaseOrder, line: Line, units: int, on: date, audit_id: UUID) -> None:
    """Value accepted units, and owe them to the supplier in the order's currency until they are invoiced.

    The cost balance of the item must be loaded before its stock moves (`Costs.load`).
    """
    paid = Journal.of(tx).worth(order.currency, units * line.unit_price, on)
    source = CostSource("receipt", "purchase_order", order.id, on, audit_id, line.id, paid=paid)
    Costs.of(tx).receive(line.item_id, units, paid.value, source)
