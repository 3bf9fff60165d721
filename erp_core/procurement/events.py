"""Domain events of procurement that higher contexts may subscribe to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from erp_core.gate.principals import Principal
from erp_core.procurement.ordering.purchase_orders import PurchaseOrder


@dataclass(frozen=True, slots=True)
class PurchaseApproving:
    """A purchase order is about to be approved. A subscriber that raises a `DomainError` keeps it a draft.

    `proposal_id` is None where no person was asked.
    """

    order: PurchaseOrder
    principal: Principal
    proposal_id: UUID | None
    occurred_at: datetime
    audit_id: UUID


@dataclass(frozen=True, slots=True)
class ClaimCovered:
    """A claim all of whose units suppliers' credit notes give back; `credited` is their worth in company currency."""

    claim_id: UUID
    credited: int
    credit_note: str
    on: date
    audit_id: UUID


@dataclass(frozen=True, slots=True)
class ClaimsCovered:
    """Open claims that credit notes cover from now on."""

    claims: Sequence[ClaimCovered]
