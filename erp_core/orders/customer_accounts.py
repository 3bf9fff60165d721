"""The accounts of orders while commands change them: what is owed, was paid in advance, and is to be given back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from uuid import UUID

from sqlalchemy import select

from erp_core.gate.contract import DomainError, NotFound, Transaction
from erp_core.inventory.locks import lock_documents
from erp_core.orders.model import orders
from erp_core.orders.queries.customer_accounts import order_accounts
from erp_core.orders.rules.payments import OrderAccount

_ORDERS = select(orders.c.id, orders.c.number).where(orders.c.import_id.is_(None))


class ExceedsDue(DomainError):
    """More is paid, given back or set off than is due; `details` says what is."""

    code = "exceeds_due"


class CustomerAccounts:
    """The accounts of the orders of a batch, which stay locked until the transaction ends.

    A command tries what it does, and keeps it when all of it fits.
    """

    def __init__(self, tx: Transaction, order_ids: Iterable[UUID]) -> None:
        wanted = set(order_ids)
        rows = lock_documents(tx.connection, _ORDERS, orders.c.id, wanted)
        self._numbers: dict[UUID, str] = {row.id: row.number for row in rows}
        self._kept = order_accounts(tx.connection, self._numbers)
        self._tried: dict[UUID, OrderAccount] = {}

    def of(self, order_id: UUID) -> OrderAccount:
        """The account, to be changed. Raises `NotFound`."""
        if order_id not in self._numbers:
            raise NotFound("there is no such order", field="order_id", remedy="look it up by its number")
        return self._tried.setdefault(order_id, replace(self._kept[order_id]))

    def number(self, order_id: UUID) -> str:
        """The order's number."""
        return self._numbers[order_id]

    def keep(self) -> None:
        """Let what was tried stand."""
        self._kept |= self._tried
        self._tried = {}

    def drop(self) -> None:
        """Forget what was tried."""
        self._tried = {}
