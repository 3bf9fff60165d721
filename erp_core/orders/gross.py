"""Orders whose prices have their tax in them: lines keep what is left without it, invoices come to what was seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from erp_core.gate.contract import DomainError, Task, Transaction
from erp_core.master.rules.taxes import RATE_SCALE, TaxUndetermined, rounded
from erp_core.orders.commands.place import OrderLine, PlaceOrder
from erp_core.orders.taxation import Taxation


class KitPricedWithTax(DomainError):
    """A kit's parts may be taxed differently: one price with tax cannot be shared among them."""

    code = "kit_priced_with_tax"


class GrossPrices:
    """A batch of new orders at prices without tax: `tasks` have them. A batch without such orders pays nothing.

    `unit_prices` are those that the customers saw, by line.
    """

    def __init__(self, tx: Transaction, tasks: Sequence[Task[PlaceOrder]]) -> None:
        self.tasks = tasks
        self.unit_prices: dict[UUID, int] = {}
        self._refusals: dict[UUID, DomainError] = {}
        gross = [task.command for task in tasks if task.command.prices_include_tax]
        if not gross:
            return
        taxation = Taxation(
            tx,
            items={line.item_id for one in gross for line in one.lines},
            customer_ids={one.customer_id for one in gross},
        )
        self.tasks = [
            self._without_tax(task, taxation) if task.command.prices_include_tax else task for task in tasks
        ]

    def _without_tax(self, task: Task[PlaceOrder], taxation: Taxation) -> Task[PlaceOrder]:
        command = task.command
        try:
            lines = tuple(self._line(line, task, taxation) for line in command.lines)
        except DomainError as error:
            self._refusals[command.order_id] = error
            return task
        self.unit_prices |= {line.line_id: line.unit_price for line in command.lines}
        return replace(task, command=command.model_copy(update={"lines": lines}))

    @staticmethod
    def _line(line: OrderLine, task: Task[PlaceOrder], taxation: Taxation) -> OrderLine:
        command = task.command
        if not taxation.begun(task.occurred_on):
            raise TaxUndetermined(
                "the company has no tax rule that day: nobody knows how much tax is in the prices",
                field="prices_include_tax",
                remedy="give prices without tax, or let finance save a rule (SetTaxRule)",
            )
        _, rule = taxation.rule(
            command.channel_id,
            line.location_id,
            command.customer_country,
            command.customer_id,
            line.item_id,
            task.occurred_on,
        )
        prices = {
            name: price - rounded(price * rule.rate, RATE_SCALE + rule.rate, 1)
            for name, price in (("unit_price", line.unit_price), ("list_price", line.list_price))
        }
        return line.model_copy(update=prices)

    def check(self, command: PlaceOrder, kit_parts: Mapping[UUID, Any]) -> None:
        """Raise why an order's prices cannot be told without tax."""
        if command.order_id in self._refusals:
            raise self._refusals[command.order_id]
        if command.prices_include_tax and any(line.line_id in kit_parts for line in command.lines):
            raise KitPricedWithTax(
                "the order has a kit, whose parts may be taxed differently",
                field="prices_include_tax",
                remedy="give the order's prices without tax",
            )
