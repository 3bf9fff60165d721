"""Weighted average cost: one balance of quantity and value per item, moved by signed entries.

The value of an issue is the average rounded half up; the last unit takes what is left, so that nothing
in stock always has no value. An item without a balance has an unknown cost: issues give None, never 0.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Literal
from uuid import UUID

from erp_core.gate.contract import Transaction

CostEvent = Literal["opening", "receipt", "shipment", "return", "write_off", "adjustment", "reversal"]


@dataclass(frozen=True, slots=True)
class CostSource:
    """What a cost entry rests on."""

    event: CostEvent
    document_kind: str
    document_id: UUID
    occurred_on: date
    audit_id: UUID
    line_id: UUID | None = None


class Costs:
    """A transaction's unit of work for cost. Quantities in base units, values in ten-thousandths.

    Call `load` for a batch's items before its stock moves are posted: an item without a balance can begin
    one only while no stock of it lies there unvalued.
    """

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    @classmethod
    def of(cls, tx: Transaction) -> Costs:
        """The transaction's costs."""
        return tx.unit(cls, cls)

    def load(self, item_ids: Iterable[UUID]) -> None:
        """Read and lock the cost balances of these items."""
        raise NotImplementedError

    def receive(self, item_id: UUID, quantity: int, value: int | None, source: CostSource) -> int | None:
        """Add stock worth `value` in total (None: at the average cost). Gives the value, None while unknown."""
        raise NotImplementedError

    def issue(self, item_id: UUID, quantity: int, source: CostSource) -> int | None:
        """Take stock out at the average cost. Gives its value, None while the item's cost is unknown."""
        raise NotImplementedError

    def unit_cost(self, item_id: UUID) -> int | None:
        """The average cost of one unit, rounded half up; None while unknown or nothing is there."""
        raise NotImplementedError

    def flush(self) -> None:
        """Write entries and balances."""

    def discard(self) -> None:
        """Forget what is pending and what was read."""
