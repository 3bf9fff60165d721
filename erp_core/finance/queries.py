"""Reads of finance: valuation now and on any past day, and whether it agrees with the ledger."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import Connection, bindparam, func, select, union_all

from erp_core.finance.model import budgets, cost_balances, cost_entries, exchange_rates
from erp_core.finance.rules import RATE_SCALE, unit_cost
from erp_core.gate.queries import company_facts
from erp_core.inventory.as_of import stock_at
from erp_core.inventory.model import stock_balances
from erp_core.inventory.rules import OWN, VALUED_STATES
from erp_core.storage.lookup import fetch_in, fetch_in_pairs


@dataclass(frozen=True, slots=True)
class ItemValue:
    """Stock of an item and what it is worth, in ten-thousandths."""

    item_id: UUID
    quantity: int
    value: int


@dataclass(frozen=True, slots=True)
class CostEntry:
    """One movement of an item's cost balance, signed like the stock."""

    occurred_on: date
    event: str
    quantity: int
    value: int
    document_kind: str
    document_id: UUID


@dataclass(frozen=True, slots=True)
class ValuationDifference:
    """An item whose valued quantity, or whose balance, is not what the records behind it add up to."""

    item_id: UUID
    valued: ItemValue
    in_stock: int
    entered: ItemValue


def unit_costs(connection: Connection, item_ids: Iterable[UUID]) -> dict[UUID, int]:
    """Average cost of one unit by item; items with no stock or no known cost are not in it."""
    rows = fetch_in(connection, select(cost_balances), cost_balances.c.item_id, item_ids)
    return {row.item_id: unit_cost(row.quantity, row.value) for row in rows if row.quantity}


def valuation(connection: Connection, as_of: date | None = None) -> list[ItemValue]:
    """Items whose cost is known, with quantity and value at the end of the day `as_of` (None: now)."""
    if as_of is None:
        statement = select(cost_balances.c.item_id, cost_balances.c.quantity, cost_balances.c.value)
    else:
        statement = (
            select(cost_entries.c.item_id, func.sum(cost_entries.c.quantity), func.sum(cost_entries.c.value))
            .where(cost_entries.c.occurred_on <= as_of)
            .group_by(cost_entries.c.item_id)
        )
    return [
        ItemValue(item_id, int(units), int(value)) for item_id, units, value in connection.execute(statement)
    ]


def cost_history(connection: Connection, item_id: UUID, limit: int = 200) -> list[CostEntry]:
    """The item's cost entries, latest first."""
    table = cost_entries
    rows = connection.execute(
        select(
            table.c.occurred_on,
            table.c.event,
            table.c.quantity,
            table.c.value,
            table.c.document_kind,
            table.c.document_id,
        )
        .where(table.c.item_id == item_id)
        .order_by(table.c.occurred_on.desc(), table.c.id.desc())
        .limit(limit)
    )
    return [CostEntry(*row) for row in rows]


def valuation_differences_on(connection: Connection, day: date) -> list[ValuationDifference]:
    """Where the valuation at the end of a day and the ledger at the end of that day disagree: none, if all is well.

    Items whose cost was not known yet that day are not compared.
    """
    held = union_all(*stock_at(day)).subquery().c
    in_stock = {
        item_id: int(units)
        for item_id, units in connection.execute(
            select(held.item_id, func.sum(held.units))
            .where(held.state.in_(VALUED_STATES))
            .group_by(held.item_id)
        )
    }
    return [
        ValuationDifference(worth.item_id, worth, in_stock.get(worth.item_id, 0), worth)
        for worth in valuation(connection, day)
        if worth.quantity != in_stock.get(worth.item_id, 0)
    ]


def valuation_differences(connection: Connection) -> list[ValuationDifference]:
    """Where valuation, its entries and the ledger disagree now: none, if all is well."""
    in_stock = {
        item_id: int(units)
        for item_id, units in connection.execute(
            select(stock_balances.c.item_id, func.sum(stock_balances.c.quantity))
            .where(stock_balances.c.state.in_(VALUED_STATES), stock_balances.c.owner == OWN)
            .group_by(stock_balances.c.item_id)
        )
    }
    entered = {worth.item_id: worth for worth in valuation(connection, date.max)}
    return [
        ValuationDifference(valued.item_id, valued, in_stock.get(valued.item_id, 0), there)
        for valued in valuation(connection)
        if valued != (there := entered.get(valued.item_id, ItemValue(valued.item_id, 0, 0)))
        or valued.quantity != in_stock.get(valued.item_id, 0)
    ]


def budgets_of(
    connection: Connection, categories: Iterable[str], months: Iterable[date]
) -> dict[tuple[str, date], int]:
    """The budgets that there are, by category and first day of the month."""
    rows = fetch_in_pairs(
        connection,
        select(budgets.c.category, budgets.c.month, budgets.c.amount),
        (budgets.c.category, budgets.c.month),
        [(category, month) for category in set(categories) for month in set(months)],
    )
    return {(row.category, row.month): row.amount for row in rows}


def rates_on(connection: Connection, currencies: Iterable[str], day: date) -> dict[str, int]:
    """Company currency for one unit of each currency on a day, in 10^-8; a currency without a rate is left out.

    The company's own is 1; in a company that names no currency of its own every one is.
    """
    own, wanted = company_facts(connection).get("currency"), set(currencies)
    found = {currency: RATE_SCALE for currency in wanted if own is None or currency == own}
    rows = fetch_in(connection, _RATES, exchange_rates.c.currency, wanted - found.keys(), day=day)
    return found | {row.currency: row.rate for row in rows}


_RATES = (
    select(exchange_rates.c.currency, exchange_rates.c.rate)
    .where(exchange_rates.c.valid_from <= bindparam("day"))
    .order_by(exchange_rates.c.valid_from)
)
