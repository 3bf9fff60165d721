"""Cost: one balance of quantity and value per item, moved by signed entries.

At the weighted average an issue takes the average rounded half up, and the last unit what is left. Under FIFO it takes the
oldest layers, which are kept beside the balance and always add up to it. Nothing in stock has no value under either. An item
without a balance has an unknown cost: issues give None, never 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import exists, select

from erp_core.finance.accounts import ACCOUNTS, AccountCode, contra_of
from erp_core.finance.journal import Journal, Worth, own
from erp_core.finance.layer_book import Arrival, LayerBook, Part
from erp_core.finance.model import cost_balances, cost_entries
from erp_core.finance.model_layers import cost_methods
from erp_core.finance.rules import issue_value, unit_cost
from erp_core.gate.contract import DomainError, Transaction
from erp_core.inventory import locks
from erp_core.inventory.model import stock_balances
from erp_core.inventory.rules import OWN, VALUED_STATES
from erp_core.master.feeds import Feeds
from erp_core.master.model import items
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


_METHOD = select(cost_methods.c.method).order_by(cost_methods.c.valid_from.desc()).limit(1).scalar_subquery()
_BALANCES = select(*cost_balances.c, _METHOD.label("method"))
_UNVALUED = select(
    items.c.id,
    exists()
    .where(
        stock_balances.c.item_id == items.c.id,
        stock_balances.c.state.in_(VALUED_STATES),
        stock_balances.c.owner == OWN,
        stock_balances.c.quantity > 0,
    )
    .label("lies_there"),
    _METHOD.label("method"),
)


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
        self._fifo = False
        self._layers = LayerBook(tx)

    @classmethod
    def of(cls, tx: Transaction) -> Costs:
        """The transaction's costs."""
        return tx.unit(cls, cls)

    def load(self, item_ids: Iterable[UUID]) -> None:
        """Read and lock the cost balances of these items, with their open layers under FIFO.

        The method of the books is read with them: whoever changes it waits for all that hold a balance, and holds off
        the others.
        """
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
        if self._fifo:
            self._layers.load(wanted)

    def _read(self, item_ids: Iterable[UUID]) -> None:
        column = cost_balances.c.item_id
        for row in locks.lock_documents(self._tx.connection, _BALANCES, column, item_ids):
            self._balances[row.item_id] = _Balance(row.quantity, row.value, stored=True)
            self._fifo = row.method == "fifo"

    def _lying_there(self, item_ids: Iterable[UUID]) -> set[UUID]:
        found = set()
        for row in fetch_in(self._tx.connection, _UNVALUED, items.c.id, item_ids):
            self._fifo = row.method == "fifo"
            if row.lies_there:
                found.add(row.id)
        return found

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
        """Take stock out: at the average cost, or under FIFO its oldest layers. Gives its value; None, and no entry, while
        its cost is unknown.

        Under FIFO goods that leave for the line they came with (a return that is sent on, say), or because the document that
        brought them is reversed, take their own layer first.
        """
        self.load([item_id])
        balance = self._balances.get(item_id)
        if balance is None or not balance.stored:
            return None
        self.require({item_id: quantity})
        parts = self._leaving(item_id, quantity, _own_arrival(source))
        value = issue_value(quantity, balance.quantity, balance.value) if parts is None else _worth(parts)
        self._enter(item_id, balance, -quantity, -value, source, parts)
        return value

    def take_back(
        self, item_id: UUID, quantity: int, source: CostSource, paid: Worth, came_with: UUID | None = None
    ) -> int:
        """Take units out with the value they came with, where the rest is worth that; else at the average. Gives it.

        Under FIFO they take the layer of their line that came with that audit entry, then the line's others, then the oldest.

        What is `paid` goes back to the account it came from; what the units left at beyond it, or less, is a loss of stock.
        Raises `ValuationMismatch` where fewer units are valued.
        """
        self.require({item_id: quantity})
        balance = self._balances[item_id]
        parts = self._leaving(item_id, quantity, Arrival(source.line_id, came_with))
        if parts is not None:
            value = _worth(parts)
        elif balance.quantity > quantity and paid.value <= balance.value:
            value = paid.value
        else:
            value = issue_value(quantity, balance.quantity, balance.value)
        back = Worth(paid.currency, -paid.amount, -paid.value)
        self._enter(item_id, balance, -quantity, -value, replace(source, paid=back), parts)
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

    def mixed_quantity(self, item_id: UUID) -> int:
        """Units that are valued and not told apart by how they came: all of them at the average."""
        if not self._under_fifo(item_id):
            return self.quantity(item_id)
        return sum(one.quantity for one in self._layers.mixed(item_id))

    def own_quantity(self, item_id: UUID, arrival: Arrival) -> int:
        """Units left in the layers that an arrival made; 0 at the average, where there is none."""
        if not self._under_fifo(item_id):
            return 0
        return sum(one.quantity for one in self._layers.own(item_id, arrival))

    def worth_of(self, item_id: UUID, arrival: Arrival, units: int) -> int:
        """The most that `revalue` can take off so many units of an arrival: all there is of the item at the average."""
        if not self._under_fifo(item_id):
            return self.value(item_id)
        return self._layers.worth_of(item_id, arrival, units)

    def revalue(
        self,
        item_id: UUID,
        value: int,
        source: CostSource,
        arrival: Arrival | None = None,
        units: int | None = None,
    ) -> None:
        """Add to the value of what is there; its units stay. Nothing is entered for nothing.

        Under FIFO that many `units` of an arrival carry it: its own layers, then goods that are not told apart. Raises `ValuationMismatch` where no valued unit could carry it.
        """
        if not value:
            return
        self.require({item_id: 1})
        parts = self._layers.raising(item_id, value, arrival, units) if self._fifo else None
        self._enter(item_id, self._balances[item_id], 0, value, source, parts)

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

    def _under_fifo(self, item_id: UUID) -> bool:
        self.load([item_id])
        return self._fifo and item_id in self._balances

    def _leaving(self, item_id: UUID, quantity: int, arrival: Arrival | None) -> list[Part] | None:
        """What the units take of each layer; None at the average."""
        if not self._fifo:
            return None
        parts = self._layers.leaving(item_id, quantity, arrival)
        if sum(part.quantity for part in parts) != -quantity:
            raise ValuationMismatch(
                f"the layers of the item hold fewer than {quantity} units",
                field="quantity",
                remedy="compare the valuation of the item with its layers before going on",
                item=item_id,
            )
        return parts

    def _enter(
        self,
        item_id: UUID,
        balance: _Balance,
        quantity: int,
        value: int,
        source: CostSource,
        parts: Iterable[Part] | None = None,
    ) -> None:
        balance.quantity += quantity
        balance.value += value
        balance.stored = True
        self._changed.add(item_id)
        self._post("stock", value, source)
        entry_id = self._tx.new_id()
        if self._fifo:
            if parts is None:
                document = (source.document_kind, source.document_id, source.line_id)
                layer = self._layers.made(item_id, source.occurred_on, document, source.audit_id)
                parts = [Part(layer, quantity, value)]
            self._layers.enter(parts, source.occurred_on, entry_id, source.audit_id)
        self._entries.append(
            {
                "id": entry_id,
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
        """Write entries, balances and layers."""
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
        self._layers.flush()
        days = [entry["occurred_on"] for entry in self._entries]
        Feeds.of(self._tx).touch("cost", min(days), max(days))
        self._entries, self._changed = [], set()

    def discard(self) -> None:
        """Forget what is pending and what was read."""
        self._balances, self._unknown, self._changed, self._entries = {}, set(), set(), []
        self._fifo = False
        self._layers.discard()


def _worth(parts: Iterable[Part]) -> int:
    return -sum(part.value for part in parts)


def _own_arrival(source: CostSource) -> Arrival | None:
    """What goods that leave came as, where their document says it."""
    if source.line_id is not None:
        return Arrival(source.line_id)
    return Arrival(None, document_id=source.document_id) if source.event == "reversal" else None
