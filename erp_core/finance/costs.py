"""Weighted average cost: one balance of quantity and value per item, moved by signed entries.

The value of an issue is the average rounded half up; the last unit takes what is left, so that nothing
in stock always has no value. An item without a balance has an unknown cost: issues give None, never 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import select

from erp_core.finance.accounts import ACCOUNTS, AccountCode, contra_of
from erp_core.finance.journal import Journal, Worth, own
from erp_core.finance.model import cost_balances, cost_entries
from erp_core.finance.rules import issue_value, unit_cost
from erp_core.gate.contract import DomainError, Transaction
from erp_core.inventory import locks
from erp_core.inventory.model import stock_balances
from erp_core.inventory.rules import OWN, VALUED_STATES
from erp_core.master.feeds import Feeds
from erp_core.storage.bulk import insert_rows, upsert_replace
from erp_core.storage.lookup import fetch_in

CostEvent = Literal[
    "opening",
    "receipt",
    "shipment",
    "return",
    "write_off",
    "adjustment",
    "reversal",
    "kitting",
    "landed_cost",
]


class ValuationMismatch(DomainError):
    """More is taken out of the cost balance than it holds: stock and its value have parted."""

    code = "valuation_mismatch"


@dataclass(frozen=True, slots=True)
class CostSource:
    """What a cost entry rests on.

    `contra` is the account on the other side in the journal, by the event where it is left out; `paid` what stands
    there in another currency than the company's. An open item there is named by `line_id`; `exact`: what closes it takes
    the value given, as long as anything is left of it.
    """

    event: CostEvent
    document_kind: str
    document_id: UUID
    occurred_on: date
    audit_id: UUID
    line_id: UUID | None = None
    contra: AccountCode | None = None
    paid: Worth | None = None
    exact: bool = False


@dataclass(slots=True)
class _Balance:
    quantity: int
    value: int
    stored: bool


class Costs:
    """A transaction's unit of work for cost. Quantities in base units, values in ten-thousandths.

    Call `load` for a batch's items before its stock moves are posted: an item without a balance begins
    one only while no stock of it lies there unvalued.
    """

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._journal = Journal.of(tx)
        self._balances: dict[UUID, _Balance] = {}
        self._unknown: set[UUID] = set()
        self._changed: set[UUID] = set()
        self._entries: list[dict[str, Any]] = []

    @classmethod
    def of(cls, tx: Transaction) -> Costs:
        """The transaction's costs."""
        return tx.unit(cls, cls)

    def load(self, item_ids: Iterable[UUID]) -> None:
        """Read and lock the cost balances of these items."""
        wanted = {id_ for id_ in item_ids if id_ not in self._balances and id_ not in self._unknown}
        if not wanted:
            return
        self._read(wanted)
        bare = wanted - self._balances.keys()
        if bare:
            locks.lock_names(self._tx.connection, (f"cost {id_}" for id_ in bare))
            self._read(bare)
            bare -= self._balances.keys()
        self._unknown |= self._lying_there(bare)
        for id_ in bare - self._unknown:
            self._balances[id_] = _Balance(0, 0, stored=False)

    def _read(self, item_ids: Iterable[UUID]) -> None:
        column = cost_balances.c.item_id
        for row in locks.lock_documents(self._tx.connection, select(cost_balances), column, item_ids):
            self._balances[row.item_id] = _Balance(row.quantity, row.value, stored=True)

    def _lying_there(self, item_ids: Iterable[UUID]) -> set[UUID]:
        statement = (
            select(stock_balances.c.item_id)
            .where(
                stock_balances.c.state.in_(VALUED_STATES),
                stock_balances.c.owner == OWN,
                stock_balances.c.quantity > 0,
            )
            .distinct()
        )
        return {
            row[0] for row in fetch_in(self._tx.connection, statement, stock_balances.c.item_id, item_ids)
        }

    def known(self, item_id: UUID) -> bool:
        """Whether the item's stock is valued."""
        self.load([item_id])
        balance = self._balances.get(item_id)
        return balance is not None and balance.stored

    def can_begin(self, item_id: UUID) -> bool:
        """Whether goods of the item that come in can be valued: no stock of it lies there unvalued."""
        self.load([item_id])
        return item_id in self._balances

    def expected_cost(self, item_id: UUID) -> int | None:
        """The average cost of one unit, or the last one known; None while there was none."""
        self.load([item_id])
        balance = self._balances.get(item_id)
        return None if balance is None else self._estimate(item_id, balance, 1)

    def unit_cost(self, item_id: UUID) -> int | None:
        """The average cost of one unit, rounded half up; None while unknown or nothing is there."""
        self.load([item_id])
        balance = self._balances.get(item_id)
        if balance is None or balance.quantity == 0:
            return None
        return unit_cost(balance.quantity, balance.value)

    def receive(self, item_id: UUID, quantity: int, value: int | None, source: CostSource) -> int | None:
        """Add stock worth `value` in total (None: at the average cost, or the last one known).

        Gives the value that was added; None, and no cost entry, while the item's cost is unknown. What was bought
        for a value is owed all the same.
        """
        self.load([item_id])
        balance = self._balances.get(item_id)
        if balance is None:
            if value is not None and source.event == "receipt":
                self._post("unvalued_purchases", value, source)
            return None
        if value is None:
            value = self._estimate(item_id, balance, quantity)
            if value is None:
                del self._balances[item_id]
                self._unknown.add(item_id)
                return None
        self._enter(item_id, balance, quantity, value, source)
        return value

    def require(self, demand: Mapping[UUID, int]) -> None:
        """Raise `ValuationMismatch` unless each item, where its cost is known, has that many units valued."""
        self.load(demand)
        for item_id, quantity in demand.items():
            balance = self._balances.get(item_id)
            if balance is not None and balance.stored and balance.quantity < quantity:
                raise ValuationMismatch(
                    f"{quantity} units go out, {balance.quantity} are valued",
                    field="quantity",
                    remedy="compare stock and valuation of the item before going on",
                    item=item_id,
                )

    def issue(self, item_id: UUID, quantity: int, source: CostSource) -> int | None:
        """Take stock out at the average cost. Gives its value; None, and no entry, while its cost is unknown."""
        self.load([item_id])
        balance = self._balances.get(item_id)
        if balance is None or not balance.stored:
            return None
        self.require({item_id: quantity})
        value = issue_value(quantity, balance.quantity, balance.value)
        self._enter(item_id, balance, -quantity, -value, source)
        return value

    def take_back(self, item_id: UUID, quantity: int, source: CostSource, paid: Worth) -> int:
        """Take units out with the value they came with, where the rest is worth that; else at the average. Gives it.

        What is `paid` goes back to the account it came from; what the units left at beyond it, or less, is a loss of stock.
        Raises `ValuationMismatch` where fewer units are valued.
        """
        self.require({item_id: quantity})
        balance = self._balances[item_id]
        own_value = balance.quantity > quantity and paid.value <= balance.value
        value = paid.value if own_value else issue_value(quantity, balance.quantity, balance.value)
        back = Worth(paid.currency, -paid.amount, -paid.value)
        self._enter(item_id, balance, -quantity, -value, replace(source, paid=back))
        self._journal.post("stock_losses", "stock", own(value - paid.value), source)
        return value

    def quantity(self, item_id: UUID) -> int:
        """Units of the item that are valued; 0 while its cost is unknown."""
        self.load([item_id])
        balance = self._balances.get(item_id)
        return 0 if balance is None else balance.quantity

    def value(self, item_id: UUID) -> int:
        """What the valued units of the item are worth; 0 while its cost is unknown."""
        self.load([item_id])
        balance = self._balances.get(item_id)
        return 0 if balance is None else balance.value

    def revalue(self, item_id: UUID, value: int, source: CostSource) -> None:
        """Add to the value of what is there; its units stay. Nothing is entered for nothing.

        Raises `ValuationMismatch` where no valued unit could carry it.
        """
        if not value:
            return
        self.require({item_id: 1})
        self._enter(item_id, self._balances[item_id], 0, value, source)

    def begin(self, item_id: UUID, quantity: int, unit_cost: int, source: CostSource) -> int:
        """Value stock of an item whose cost was unknown. Gives the value."""
        self.load([item_id])
        self._unknown.discard(item_id)
        balance = self._balances.setdefault(item_id, _Balance(0, 0, stored=False))
        self._enter(item_id, balance, quantity, quantity * unit_cost, source)
        return quantity * unit_cost

    def _estimate(self, item_id: UUID, balance: _Balance, quantity: int) -> int | None:
        if balance.quantity:
            return (2 * balance.value * quantity + balance.quantity) // (2 * balance.quantity)
        own = [entry for entry in self._entries if entry["item_id"] == item_id]
        if own:
            held, worth = abs(own[-1]["quantity"]), abs(own[-1]["value"])
            return unit_cost(held, worth) * quantity
        last = self._tx.connection.execute(
            select(cost_entries.c.quantity, cost_entries.c.value)
            .where(cost_entries.c.item_id == item_id)
            .order_by(cost_entries.c.occurred_on.desc(), cost_entries.c.id.desc())
            .limit(1)
        ).one_or_none()
        return None if last is None else unit_cost(abs(last.quantity), abs(last.value)) * quantity

    def _enter(self, item_id: UUID, balance: _Balance, quantity: int, value: int, source: CostSource) -> None:
        balance.quantity += quantity
        balance.value += value
        balance.stored = True
        self._changed.add(item_id)
        self._post("stock", value, source)
        self._entries.append(
            {
                "id": self._tx.new_id(),
                "item_id": item_id,
                "occurred_on": source.occurred_on,
                "event": source.event,
                "quantity": quantity,
                "value": value,
                "document_kind": source.document_kind,
                "document_id": source.document_id,
                "line_id": source.line_id,
                "audit_id": source.audit_id,
            }
        )

    def _post(self, account: AccountCode, value: int, source: CostSource) -> None:
        contra = source.contra or contra_of(source.event, source.document_kind)
        self._journal.post(
            account,
            contra,
            source.paid or own(value),
            source,
            credit_of=source.line_id if ACCOUNTS[contra].open_items else None,
            exact=source.exact,
        )

    def flush(self) -> None:
        """Write entries and balances."""
        if not self._entries:
            return
        connection = self._tx.connection
        insert_rows(connection, cost_entries, self._entries)
        upsert_replace(
            connection,
            cost_balances,
            [
                {
                    "item_id": item_id,
                    "quantity": self._balances[item_id].quantity,
                    "value": self._balances[item_id].value,
                }
                for item_id in sorted(self._changed)
            ],
            ["quantity", "value"],
        )
        days = [entry["occurred_on"] for entry in self._entries]
        Feeds.of(self._tx).touch("cost", min(days), max(days))
        self._entries, self._changed = [], set()

    def discard(self) -> None:
        """Forget what is pending and what was read."""
        self._balances, self._unknown, self._changed, self._entries = {}, set(), set(), []
