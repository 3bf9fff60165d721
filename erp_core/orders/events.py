"""Domain events of orders that higher contexts may subscribe to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class CustomersForgotten:
    """The personal data of these customers is to go, wherever it was copied to."""

    customer_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class LinesBackordered:
    """Lines of these orders found no stock for all their units, at these (item, place) pairs."""

    pairs: frozenset[tuple[UUID, UUID]]
    order_ids: frozenset[UUID]
    occurred_at: datetime
    audit_id: UUID


@dataclass(frozen=True, slots=True)
class OrdersAlerted:
    """What service is alerted of changed for orders that wait at these (item, place) pairs, under these audit entries."""

    pairs: Mapping[tuple[UUID, UUID], UUID]
    occurred_at: datetime
