"""Commands on purchase orders, from draft to closed. Money in ten-thousandths, quantities in base units."""

from __future__ import annotations

from datetime import date
from typing import Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from erp_core.gate.contract import Command
from erp_core.master.values import LARGEST_AMOUNT, Amount, Comment, ReasonCode, Units
from erp_core.procurement.ordering.in_units import InUnit


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PurchaseOrderLine(InUnit, _Part):
    """What to buy. Without `unit_price`, which is of a base unit, the price in force with the supplier counts.

    `quantity` is in base units, or in `unit`, one of the item's: it is converted exactly, or refused.
    """

    line_id: UUID
    item_id: UUID
    quantity: Units
    unit_price: Amount | None = None
    need_by: date | None = None


class LinePromise(_Part):
    """What the supplier confirms for a line: the day, and units and price where they are not those ordered.

    Without units or price those of the order are confirmed. No units at all means that the supplier will not deliver
    the line; then there is no day.
    """

    po_line_id: UUID
    promised_on: date | None = None
    quantity: int | None = Field(default=None, ge=0, le=LARGEST_AMOUNT)
    unit_price: Amount | None = None

    @model_validator(mode="after")
    def _dated_unless_refused(self) -> Self:
        if (self.promised_on is None) != (self.quantity == 0):
            raise ValueError("give promised_on, or a quantity of 0 where the line will not be delivered")
        return self


class LineRepromise(_Part):
    """A new promise for a line, with the cause where the supplier gave one."""

    po_line_id: UUID
    promised_on: date
    cause: ReasonCode | None = None


class _OnPurchaseOrder(Command):
    po_id: UUID

    @property
    def subject(self) -> tuple[str, UUID]:
        return ("purchase_order", self.po_id)


class CreatePurchaseOrder(_OnPurchaseOrder):
    """Make a draft, which commits nothing. Without `number` one is derived from the id.

    `override_reason_code` lets a quantity stand that breaks the supplier's minimum or multiple.
    """

    number: str | None = Field(default=None, min_length=1, max_length=40)
    supplier_id: UUID
    location_id: UUID
    lines: tuple[PurchaseOrderLine, ...] = Field(min_length=1, max_length=500)
    freight_cost: Amount = 0
    expedite_cost: Amount = 0
    reason: str = Field(min_length=1, max_length=500)
    override_reason_code: ReasonCode | None = None


class SubmitPurchaseOrder(_OnPurchaseOrder):
    """Ask that a draft be bought: what approval policy may hold. Executed, it is approved."""


class SendPurchaseOrder(_OnPurchaseOrder):
    """Issue an approved purchase order to its supplier."""


class ConfirmPurchaseOrder(_OnPurchaseOrder):
    """The supplier promises a day per line; a line's first promise is kept for ever.

    Units, day or price that differ from the order's become exceptions at once.
    """

    lines: tuple[LinePromise, ...] = Field(min_length=1, max_length=500)


class ChangePurchaseOrderDates(_OnPurchaseOrder):
    """The supplier promises again; the first promise stays what lateness is measured by."""

    lines: tuple[LineRepromise, ...] = Field(min_length=1, max_length=500)


class CancelPurchaseOrder(_OnPurchaseOrder):
    """End a purchase order of which nothing was received."""

    reason_code: ReasonCode
    comment: Comment | None = None


class ClosePurchaseOrder(_OnPurchaseOrder):
    """End a purchase order after receipt; what is still open is cancelled."""

    reason_code: ReasonCode = "complete"
    comment: Comment | None = None


class LineChange(_Part):
    """What becomes of a line; what is left out stays. Less than what came already is refused."""

    po_line_id: UUID
    quantity: Units | None = None
    unit_price: Amount | None = None
    need_by: date | None = None


class LineCancellation(_Part):
    """Units of a line that are not wanted any more; without `quantity` all that has not come."""

    po_line_id: UUID
    quantity: Units | None = None


class ChangePurchaseOrder(_OnPurchaseOrder):
    """Change an order that was approved; what it adds beyond what people agreed to needs their yes again.

    `added` lines are priced and checked as those of a draft. A line changed or added after the order was sent is to be
    confirmed again, unless the change is what the supplier confirmed.
    """

    reason_code: ReasonCode
    comment: Comment | None = None
    lines: tuple[LineChange, ...] = Field(default=(), max_length=500)
    added: tuple[PurchaseOrderLine, ...] = Field(default=(), max_length=500)
    cancelled: tuple[LineCancellation, ...] = Field(default=(), max_length=500)
    freight_cost: Amount | None = None
    expedite_cost: Amount | None = None
    override_reason_code: ReasonCode | None = None

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        named = [one.po_line_id for one in self.lines] + [one.po_line_id for one in self.cancelled]
        if not named and not self.added and self.freight_cost is None and self.expedite_cost is None:
            raise ValueError("name the lines, freight_cost or expedite_cost that change")
        if len(set(named)) < len(named):
            raise ValueError("a line is changed twice: give each line once, in lines or in cancelled")
        if len({one.line_id for one in self.added}) < len(self.added):
            raise ValueError("two added lines have one line_id: give each its own")
        return self

    def added_as_draft(self, supplier_id: UUID, location_id: UUID) -> CreatePurchaseOrder:
        """The added lines as a draft to the order's supplier and place, to be checked and priced as one."""
        return CreatePurchaseOrder(
            po_id=self.po_id,
            supplier_id=supplier_id,
            location_id=location_id,
            lines=self.added,
            reason=self.reason_code,
            override_reason_code=self.override_reason_code,
        )
