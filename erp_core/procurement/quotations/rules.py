"""Pure rules of quotations: statuses, what a supplier answered, and which of its quotations counts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Literal
from uuid import UUID

from erp_core.gate.statuses import StatusGraph

QUOTATION_STEPS: StatusGraph = {
    "open": frozenset({"partly_awarded", "awarded", "cancelled"}),
    "partly_awarded": frozenset({"awarded", "cancelled"}),
    "awarded": frozenset(),
    "cancelled": frozenset(),
}
OPEN = ("open", "partly_awarded")

Answer = Literal["waiting", "quoted", "declined"]


@dataclass(frozen=True, slots=True)
class QuotedTerms:
    """What a supplier offers for a line: price per base unit in ten-thousandths, `breaks` as (from quantity, price)."""

    line_id: UUID
    unit_price: int
    breaks: tuple[tuple[int, int], ...]
    minimum_quantity: int
    order_multiple: int
    lead_time_days: int | None


@dataclass(frozen=True, slots=True)
class Quotation:
    """A supplier's answer to a request; without lines it declines. `note` is untrusted text: shown as data only."""

    id: UUID
    request_id: UUID
    supplier_id: UUID
    revision: int
    reference: str | None
    currency: str
    valid_until: date | None
    note: str | None
    received_on: date
    lines: tuple[QuotedTerms, ...]

    def line(self, line_id: UUID) -> QuotedTerms | None:
        """What it offers for a line, or None."""
        return next((one for one in self.lines if one.line_id == line_id), None)

    def valid_on(self, day: date) -> bool:
        """Whether it still holds on the day."""
        return self.valid_until is not None and day <= self.valid_until


def latest(quotations: Iterable[Quotation]) -> dict[UUID, Quotation]:
    """The quotation that counts of each supplier: its last."""
    found: dict[UUID, Quotation] = {}
    for one in sorted(quotations, key=lambda quotation: quotation.revision):
        found[one.supplier_id] = one
    return found


def answer_of(quotation: Quotation | None) -> Answer:
    """What a supplier that was asked has answered."""
    if quotation is None:
        return "waiting"
    return "quoted" if quotation.lines else "declined"
