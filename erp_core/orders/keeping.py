"""How long a customer's name must be kept: as long as their orders, and the invoices that name them, are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import Connection, func, select

from erp_core.gate.contract import DomainError
from erp_core.master.queries.retention import read_retention
from erp_core.master.rules.retention import Retention, latest
from erp_core.orders.model import orders
from erp_core.orders.model_documents import sales_documents
from erp_core.storage.lookup import fetch_in

_LAST_ORDERS = (
    select(orders.c.customer_id, func.max(orders.c.ordered_on).label("day"))
    .where(orders.c.customer_id.is_not(None))
    .group_by(orders.c.customer_id)
)
_LAST_DOCUMENTS = (
    select(orders.c.customer_id, func.max(sales_documents.c.issued_on).label("day"))
    .join(orders, orders.c.id == sales_documents.c.order_id)
    .where(orders.c.customer_id.is_not(None))
    .group_by(orders.c.customer_id)
)
_CLASSES = (("customer", _LAST_ORDERS), ("sales_document", _LAST_DOCUMENTS))


@dataclass(frozen=True, slots=True)
class Kept:
    """Why a customer's name stays: `free_on` is the first day without a rule that keeps it, None where none is about it."""

    obstacle: DomainError | None
    free_on: date | None
    held: bool


class CustomerKeeping:
    """What keeps the names of customers."""

    def __init__(self, connection: Connection, customer_ids: Iterable[UUID]) -> None:
        self._retention: Retention = read_retention(connection)
        self._days: dict[str, dict[UUID, date]] = {}
        wanted = list(customer_ids) if self._retention.rules or self._retention.holds else []
        for name, statement in _CLASSES:
            rows = fetch_in(connection, statement, orders.c.customer_id, wanted)
            self._days[name] = {row.customer_id: row.day for row in rows}

    def of(self, customer_id: UUID, today: date) -> Kept:
        """What keeps the name of a customer today."""
        ends, obstacles, held = [], [], False
        for name, days in self._days.items():
            day = days.get(customer_id)
            if day is None and name != "customer":
                continue
            held = held or self._retention.hold_on(name, (customer_id,), day or today) is not None
            if day is None:
                continue
            ends.append(self._retention.free_on(name, day))
            obstacles.append(self._retention.obstacle(name, (customer_id,), day, today))
        obstacle = next((one for one in obstacles if one is not None), None)
        return Kept(obstacle, latest(ends), held)
