"""Commands of finance: valuing opening stock. Other changes of stock are valued where they happen."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import func, select

from erp_core.finance.conversions import value_conversion
from erp_core.finance.cost_method import SetCostMethod, set_cost_method
from erp_core.finance.costs import Costs, CostSource
from erp_core.finance.model import budgets, exchange_rates
from erp_core.gate.contract import Command, DomainError, Done, Registration, Registry, Task, Transaction, each
from erp_core.inventory.events import StockChanged, StockConverted
from erp_core.inventory.model import stock_balances
from erp_core.inventory.rules import OWN, VALUED_STATES
from erp_core.master.commands.records import existing, unknown
from erp_core.master.model import items
from erp_core.master.values import Amount, Currency
from erp_core.storage.bulk import upsert_replace
from erp_core.storage.lookup import fetch_in


class OpeningCost(BaseModel):
    """What one base unit of an item cost, landed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    item_id: UUID
    unit_cost: Amount


class SetOpeningCost(Command):
    """Value the stock that lies there now, item by item. An item is valued once; after that, its moves are."""

    document_id: UUID
    lines: Annotated[tuple[OpeningCost, ...], Field(min_length=1, max_length=10_000)]

    @property
    def subject(self) -> tuple[str, UUID]:
        """The valuation."""
        return ("opening_cost", self.document_id)


class SetBudget(Command):
    """What a category may cost in a month: approval policies are told what is left of it."""

    category: Annotated[str, Field(min_length=1, max_length=60)]
    month: date
    amount: Amount


class SetExchangeRate(Command):
    """What one unit of another currency is worth in the company's, from a day on. In hundred-millionths."""

    currency: Currency
    valid_from: date
    rate: Annotated[int, Field(gt=0, le=10**15)]


class NoMonth(DomainError):
    """A budget is named by the first day of its month."""

    code = "no_month"


class AlreadyValued(DomainError):
    """The item's stock has a value, which only receipts and issues change."""

    code = "already_valued"


def set_opening_cost(task: Task[SetOpeningCost], tx: Transaction) -> Done:
    """Begin the cost balances; items without stock are named in the result and left alone."""
    command = task.command
    wanted = [line.item_id for line in command.lines]
    known = existing(tx, items, wanted)
    tx.flush()
    held = _held(tx, wanted)
    costs = Costs.of(tx)
    costs.load(wanted)
    source = CostSource("opening", "opening_cost", command.document_id, task.occurred_on, task.audit_id)
    value, without_stock = 0, []
    for line in command.lines:
        if line.item_id not in known:
            raise unknown("item", line.item_id)
        if costs.known(line.item_id):
            sku = known[line.item_id]["sku"]
            raise AlreadyValued(
                f"{sku} is valued already",
                field="lines",
                remedy="leave it out, or adjust its stock",
                item=sku,
            )
        if line.item_id not in held:
            without_stock.append(str(line.item_id))
            continue
        value += costs.begin(line.item_id, held[line.item_id], line.unit_cost, source)
    return Done(
        {"document_id": str(command.document_id), "value": value, "without_stock": without_stock},
        after={"value": value, "items": len(command.lines) - len(without_stock)},
    )


def set_budget(task: Task[SetBudget], tx: Transaction) -> Done:
    """Put a budget in the place of the one before."""
    command = task.command
    if command.month.day != 1:
        raise NoMonth(
            "a budget is for a month", field="month", remedy=f"name it by {command.month.replace(day=1)}"
        )
    key = (budgets.c.category == command.category, budgets.c.month == command.month)
    before = tx.connection.scalar(select(budgets.c.amount).where(*key))
    row = {
        "category": command.category,
        "month": command.month,
        "amount": command.amount,
        "audit_id": task.audit_id,
    }
    upsert_replace(tx.connection, budgets, [row], ["amount", "audit_id"])
    return Done(before={"amount": before}, after={"amount": command.amount})


def set_exchange_rate(task: Task[SetExchangeRate], tx: Transaction) -> Done:
    """Record a rate from a day on."""
    row = {**task.command.model_dump(include={"currency", "valid_from", "rate"}), "audit_id": task.audit_id}
    upsert_replace(tx.connection, exchange_rates, [row], ["rate", "audit_id"])
    return Done(after={"currency": task.command.currency, "rate": task.command.rate})


def _held(tx: Transaction, item_ids: list[UUID]) -> dict[UUID, int]:
    statement = (
        select(stock_balances.c.item_id, func.sum(stock_balances.c.quantity).label("units"))
        .where(
            stock_balances.c.state.in_(VALUED_STATES),
            stock_balances.c.owner == OWN,
            stock_balances.c.quantity > 0,
        )
        .group_by(stock_balances.c.item_id)
    )
    return {
        row.item_id: int(row.units)
        for row in fetch_in(tx.connection, statement, stock_balances.c.item_id, item_ids)
    }


def value_stock_changes(event: StockChanged, tx: Transaction) -> None:
    """Follow opening stock, adjustments and reversals with their value, where the item's cost is known."""
    costs = Costs.of(tx)
    costs.load(change.item_id for change in event.changes)
    for change in event.changes:
        source = CostSource(
            change.event,
            change.document_kind,
            change.document_id,
            change.occurred_at.date(),
            change.audit_id,
        )
        if change.quantity > 0:
            costs.receive(change.item_id, change.quantity, None, source)
        else:
            costs.issue(change.item_id, -change.quantity, source)


def register(registry: Registry) -> None:
    """Add the commands of finance, and let it follow the stock."""
    registry.register(Registration(SetOpeningCost, each(set_opening_cost)))
    registry.register(Registration(SetCostMethod, each(set_cost_method), governed=True))
    registry.register(Registration(SetBudget, each(set_budget), governed=True))
    registry.register(Registration(SetExchangeRate, each(set_exchange_rate), governed=True))
    registry.subscribe(StockChanged, value_stock_changes)
    registry.subscribe(StockConverted, value_conversion)
