"""What can be asked for a return. Money in ten-thousandths, quantities in base units."""

from __future__ import annotations

from typing import Annotated, ClassVar, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from erp_core.gate.contract import Command
from erp_core.inventory.lots.rules import LotFields
from erp_core.master.values import Comment, ReasonCode, Units
from erp_core.returns.rules.disposition import Condition, Disposition, Packaging
from erp_core.returns.rules.terms import Resale

Days = Annotated[int, Field(ge=0, le=3_650)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class AuthorisedLine(_Part):
    """What may come back of an order line. Without `refund` the price charged counts, and never more than was paid."""

    return_line_id: UUID
    order_line_id: UUID
    quantity: Units
    reason_code: ReasonCode
    refund: int | None = Field(default=None, ge=0)


class ArrivedLine(LotFields):
    """How much of a line came back, where it is less than authorised; of a tracked item also which lot or numbers."""

    return_line_id: UUID
    quantity: Units


class InspectedLine(_Part):
    """What an inspector found. Without `packaging` the condition says it; `resale_eligible` False keeps goods off the shelf."""

    return_line_id: UUID
    condition: Condition
    packaging: Packaging | None = None
    resale_eligible: bool = True


class DisposedLine(_Part):
    """What happens to a line. Without `disposition` the rule for its condition decides; another needs a reason."""

    return_line_id: UUID
    disposition: Disposition | None = None
    reason_code: ReasonCode | None = None


class _OnReturn(Command):
    return_id: UUID

    @property
    def subject(self) -> tuple[str, UUID]:
        return ("return", self.return_id)


class AuthoriseReturn(_OnReturn):
    """Let a customer send goods back, within the terms of the channel and category. Governed.

    With `override_reason` also after the window, for a reason that is not accepted, or more than was shipped: then
    policy asks somebody. The refund is never more than was paid. `location_id` is where the goods go; without it,
    where they were shipped from. `comment` is the customer's own text.
    """

    untrusted: ClassVar[frozenset[str]] = frozenset({"comment"})

    number: str | None = Field(default=None, min_length=1, max_length=40)
    order_id: UUID
    location_id: UUID | None = None
    lines: tuple[AuthorisedLine, ...] = Field(min_length=1, max_length=200)
    override_reason: ReasonCode | None = None
    comment: str | None = Field(default=None, max_length=4_000)


class ReceiveReturn(_OnReturn):
    """The goods are back and wait for inspection: nobody can buy them yet.

    Lines that are not named arrived as authorised.
    """

    lines: tuple[ArrivedLine, ...] = Field(default=(), max_length=200)


class CancelReturn(_OnReturn):
    """The goods will not come: the authorisation ends and counts for nothing any more."""

    reason_code: ReasonCode


class ReverseReturnReceipt(_OnReturn):
    """What was received did not come, or belongs to another return: the goods leave again and the return waits for them.

    Only while nothing of it was disposed. What was authorised holds again; inspection starts anew.
    """

    reason_code: ReasonCode


class EndUnusedReturns(Command):
    """End authorised returns that nobody sent within the days of `return_authorisation_days`, as of `occurred_at`."""

    limit: Annotated[int, Field(ge=1, le=5_000)] = 1_000


class InspectReturn(_OnReturn):
    """Record what was found of every line; the rule's disposition is kept with it."""

    lines: tuple[InspectedLine, ...] = Field(min_length=1, max_length=200)


class DisposeReturn(_OnReturn):
    """Decide what happens to inspected goods: the decision is the stock move and the cost.

    Lines that are not named follow the rule for their condition.
    """

    lines: tuple[DisposedLine, ...] = Field(default=(), max_length=200)


class CreditOrder(Command):
    """Give a customer money back for which no goods come back: goodwill, late delivery, a price promise. Governed.

    `amount` is without tax; the tax that was charged on it goes back beside it. Of a line where one is named, else
    shared over the lines of the order by what may still be given back of each. Never more than that.
    """

    credit_id: UUID
    number: str | None = Field(default=None, min_length=1, max_length=40)
    order_id: UUID
    order_line_id: UUID | None = None
    amount: int = Field(gt=0, le=10**15)
    reason_code: ReasonCode
    comment: Comment | None = None

    @property
    def subject(self) -> tuple[str, UUID]:
        """The order."""
        return ("order", self.order_id)


class SettleVendorClaim(Command):
    """Record what a supplier credits for goods that went back to it, by its credit note. Zero: it refused."""

    claim_id: UUID
    credited: int = Field(ge=0, le=10**15)
    credit_note: (
        Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40)] | None
    ) = None

    @property
    def subject(self) -> tuple[str, UUID]:
        """The claim."""
        return ("vendor_claim", self.claim_id)

    @model_validator(mode="after")
    def _paper(self) -> Self:
        if self.credited and self.credit_note is None:
            raise ValueError("a credit needs the number of the credit note")
        return self


class SetReturnTerms(Command):
    """Set what may come back of a channel and category, for how long, and whether it may be sold again. Governed.

    Without channel or category they hold for all. `reasons` left out accepts every one; faults always are.
    `active` False withdraws them.
    """

    terms_id: UUID
    channel_id: UUID | None = None
    category: Annotated[str, Field(min_length=1, max_length=80)] | None = None
    window_days: Days
    fault_window_days: Days = 730
    reasons: tuple[ReasonCode, ...] | None = Field(default=None, max_length=100)
    resale: Resale = "always"
    active: bool = True

    @property
    def subject(self) -> tuple[str, UUID]:
        """The terms."""
        return ("return_terms", self.terms_id)
