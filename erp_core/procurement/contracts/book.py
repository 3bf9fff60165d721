"""Drawing on contracts when an order commits: locked, counted exactly, and refused beyond what is left."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import select

from erp_core.gate.contract import DomainError, Transaction
from erp_core.inventory.locks import lock_documents
from erp_core.master.queries import Names
from erp_core.procurement.contracts.reading import contract_terms
from erp_core.procurement.contracts.rules import ContractTerms, Drawn, state_on
from erp_core.procurement.model.contracts import supplier_contracts
from erp_core.procurement.ordering.purchase_orders import Line, PurchaseOrders
from erp_core.storage.lookup import AnyRow
from erp_core.storage.types import money_text


class ContractOverdrawn(DomainError):
    """An order takes more of a contract than is left; `details` says how much that is."""

    code = "contract_overdrawn"


class ContractNotRunning(DomainError):
    """The order's price is a contract's that does not run on the day."""

    code = "contract_not_running"


def drawn(line: Line, fields: Mapping[str, tuple[Any, Any]] | None = None) -> Drawn:
    """What a line takes of its contract, as it is or with these fields (before, after) changed."""
    after = {name: pair[1] for name, pair in (fields or {}).items()}
    units = after.get("quantity", line.quantity) - after.get("cancelled_quantity", line.cancelled_quantity)
    return Drawn(units, units * after.get("unit_price", line.unit_price))


class ContractBook:
    """The transaction's call-offs. Orders without contract lines cost no statement.

    Each contract's row is locked until the transaction ends, so that two orders never take the same units.
    """

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._contracts: dict[UUID, AnyRow] = {}
        self._terms: dict[tuple[UUID, UUID], ContractTerms] = {}
        self._taken: dict[tuple[UUID, UUID], Drawn] = {}

    @classmethod
    def of(cls, tx: Transaction) -> ContractBook:
        """The transaction's book."""
        return tx.unit(cls, cls)

    def load(self, lines: Iterable[Line]) -> None:
        """Lock the contracts of these lines and read what was called off of them."""
        wanted = {line.contract_id for line in lines if line.contract_id is not None} - {*self._contracts}
        if not wanted:
            return
        PurchaseOrders.of(self._tx).flush()
        table = supplier_contracts.c
        header = select(table.id, table.number, table.valid_from, table.valid_to, table.ended_on)
        for row in lock_documents(self._tx.connection, header, table.id, wanted):
            self._contracts[row.id] = row
        self._terms |= contract_terms(self._tx.connection, wanted)

    def take(self, parts: Iterable[tuple[Line, Drawn]], day: date) -> None:
        """Call off units and value beyond what the lines took already; below zero gives back.

        All of it or nothing: raises `ContractNotRunning` or `ContractOverdrawn` before anything is noted.
        """
        taken = dict(self._taken)
        for line, part in parts:
            if line.contract_id is None or part == Drawn():
                continue
            key = (line.contract_id, line.item_id)
            taken[key] = taken.get(key, Drawn()) + part
            if part.units > 0 or part.value > 0:
                self._check(key, taken, day)
        self._taken = taken

    def _check(self, key: tuple[UUID, UUID], taken: dict[tuple[UUID, UUID], Drawn], day: date) -> None:
        contract, terms = self._contracts[key[0]], self._terms[key]
        if state_on(day, contract.valid_from, contract.valid_to, contract.ended_on) != "running":
            raise ContractNotRunning(
                f"contract {contract.number} does not run on {day}",
                field="po_id",
                remedy="draft it anew: it then takes the price in force",
                contract=contract.number,
            )
        left = terms.left_units(taken[key])
        if left is not None and left < 0:
            sku = Names.read(self._tx.connection, items=[key[1]]).code(key[1])
            within = left + taken[key].units
            raise ContractOverdrawn(
                f"of {sku} {max(within, 0)} units are left of contract {contract.number},"
                f" not {taken[key].units}",
                field="lines.quantity",
                remedy=f"order at most {within} at its price and the rest in another order"
                if within > 0
                else "draft it anew: it then takes the price in force",
                contract=contract.number,
                left=max(within, 0),
            )
        value = terms.value_drawn + sum(part.value for (id_, _), part in taken.items() if id_ == key[0])
        if terms.agreed_value is not None and value > terms.agreed_value:
            raise ContractOverdrawn(
                f"contract {contract.number} is agreed up to {money_text(terms.agreed_value)},"
                f" and {money_text(value)} would be called off",
                field="lines.quantity",
                remedy="order less at its price, or have more agreed",
                contract=contract.number,
                left=max(terms.agreed_value - terms.value_drawn, 0),
            )

    def flush(self) -> None:
        """What was taken is what the orders' lines say: nothing is kept beside them."""

    def discard(self) -> None:
        """Forget what was taken."""
        self._contracts, self._terms, self._taken = {}, {}, {}
