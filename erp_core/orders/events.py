"""Domain events of orders that higher contexts may subscribe to."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class CustomersForgotten:
    """The personal data of these customers is to go, wherever it was copied to."""

    customer_ids: tuple[UUID, ...]
