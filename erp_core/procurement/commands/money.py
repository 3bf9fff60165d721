"""What a purchase comes to in company currency, with what it follows upon, and what it leaves of the budget."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from erp_core.finance.queries import budgets_of, rates_on
from erp_core.finance.rules import converted
from erp_core.gate.contract import Asked, DomainError
from erp_core.gate.policies.unasked import Unasked, unasked_since
from erp_core.master.queries import Supplier
from erp_core.procurement.commands.purchase import Purchase
from erp_core.procurement.commands.purchase_orders import SubmitPurchaseOrder
from erp_core.procurement.queries import committed_by_category, unasked_purchases
from erp_core.storage.locks import lock_names


@dataclass(slots=True)
class CompanyMoney:
    """Rates, budgets and earlier orders that the facts of a batch of purchases need; read with four statements.

    Who reads what was bought from a supplier without asking, or in a category, keeps others from it until the
    transaction ends, so that orders at the same moment count with each other.
    """

    rates: Mapping[str, int]
    budgets: Mapping[tuple[str, date], int]
    committed: Mapping[tuple[str, date], int]
    categories: Mapping[UUID, str]
    unasked: Unasked
    asked: dict[tuple[str, date], int] = field(default_factory=dict)

    @classmethod
    def read(
        cls,
        asked: Sequence[Asked[SubmitPurchaseOrder]],
        purchases: Sequence[Purchase | DomainError],
        suppliers: Mapping[UUID, Supplier],
        categories: Mapping[UUID, str],
        connection: Connection,
    ) -> CompanyMoney:
        """Read what these purchases need."""
        moments = [one.occurred_at for one in asked if one.occurred_at is not None]
        if not moments or not suppliers:
            return cls({}, {}, {}, categories, Unasked())
        rates = rates_on(connection, {one.currency for one in suppliers.values()}, max(moments).date())
        months = {moment.date().replace(day=1) for moment in moments}
        wanted = {
            categories[item_id]
            for one in purchases
            if isinstance(one, Purchase)
            for item_id in one.item_ids
            if item_id in categories
        }
        counted_by = [f"purchases from {supplier_id}" for supplier_id in suppliers]
        lock_names(connection, [*counted_by, *(f"purchases of {category}" for category in wanted)])
        unasked = Unasked()
        for order in unasked_purchases(connection, suppliers, unasked_since(moments)):
            if order.currency in rates:
                amount = converted(order.total, rates[order.currency])
                unasked.add(order.supplier_id, order.approved_at, amount)
        budgets = budgets_of(connection, wanted, months)
        committed = committed_by_category(connection, budgets, rates) if budgets else {}
        return cls(rates, budgets, committed, categories, unasked)

    def facts(self, purchase: Purchase, supplier: Supplier, moment: datetime | None) -> dict[str, Any]:
        """Amounts of a purchase, which from now on counts with those that follow it in the batch."""
        rate = self.rates.get(supplier.currency)
        if rate is None or moment is None:
            return {}
        amount = converted(purchase.total, rate)
        left = self._left(purchase, rate, moment.date().replace(day=1))
        return {
            "amount": amount,
            "cumulative_amount": self.unasked.with_earlier(supplier.id, moment, amount),
            **({} if left is None else {"budget_left": left}),
        }

    def _left(self, purchase: Purchase, rate: int, month: date) -> int | None:
        """What the tightest budget has left after the purchase; None where no category has one."""
        for item_id, quantity, price in purchase.lines:
            key = (self.categories[item_id], month)
            self.asked[key] = self.asked.get(key, 0) + converted(quantity * price, rate)
        keys = {(self.categories[item_id], month) for item_id in purchase.item_ids}
        return min(
            (
                self.budgets[key] - self.committed.get(key, 0) - self.asked[key]
                for key in keys
                if key in self.budgets
            ),
            default=None,
        )
