"""`CaseDraft`: what a detector found, priced, before it becomes a case."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

SCANNED = (
    "stockout_risk",
    "overstock",
    "demand_spike",
    "demand_drop",
    "supplier_delay_risk",
    "po_overdue",
    "channel_oversell",
    "expiring_lot",
    "valuation_difference",
    "snapshot_difference",
    "return_uninspected",
    "return_spike",
)
"""What a scan judges: a case of these kinds that it does not find again is over."""

AT_ONCE = (
    "confirmation_difference",
    "confirmation_missing",
    "shipping_notice_difference",
    "receipt_variance",
    "unordered_goods",
    "packaging_difference",
    "milestone_missed",
    "orders_delayed",
    "invoice_mismatch",
    "import_document",
    "unmapped_sku",
    "contract_behind",
    "contract_running_out",
)
"""What a context raises and settles itself, in the transaction that finds it; no scan touches these."""

KINDS = (*SCANNED, *AT_ONCE)


CURRENCY = "currency"
"""The unit of evidence that tells money."""


def evidence_for(evidence: Iterable[Mapping[str, Any]], rights: Collection[str]) -> list[Mapping[str, Any]]:
    """The evidence that the holder of these rights may read: without `see_cost` nothing that tells money."""
    return [one for one in evidence if "see_cost" in rights or one.get("unit") != CURRENCY]


def fact(label: str, value: object, unit: str | None = "") -> dict[str, Any]:
    """A line of evidence that no query shows anew; the value is told as text."""
    return {"label": label, "value": str(value), "unit": unit, "query": None}


def by_hand(label: str) -> dict[str, Any]:
    """An action for a person to decide: words, without commands."""
    return {"kind": "decide", "label": label, "commands": []}


@dataclass(frozen=True, slots=True)
class CaseDraft:
    """One exception as a scan sees it. Money in ten-thousandths of the company's currency.

    `subject_key` makes it the same case at the next scan. `subjects` are (kind, id) pairs.
    `evidence` is a list of ``{"label", "value", "unit", "query"}`` with JSON-safe values (numbers as
    text or int). `action` is ``{"kind", "label", "commands": [{"command", "payload"}]}`` ready to
    propose, or None. `caused_by` names the `subject_key` of the root case of the same loss: then
    the three amounts are 0 here. `expected_loss` is the money lost by `deadline` if nothing is done.
    """

    kind: str
    subject_key: str
    title: str
    subjects: tuple[tuple[str, UUID], ...]
    probability: float
    deadline: datetime
    expected_loss: int
    residual_loss: int
    action_cost: int
    evidence: tuple[Mapping[str, Any], ...]
    action: Mapping[str, Any] | None
    caused_by: tuple[str, str] | None = None
    notes: tuple[str, ...] = field(default=())

    @property
    def net_benefit(self) -> int:
        """The rank: expected loss less what remains after the best action and what that costs."""
        return self.expected_loss - self.residual_loss - self.action_cost
