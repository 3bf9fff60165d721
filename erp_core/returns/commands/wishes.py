"""What can be asked for a return. Money in ten-thousandths, quantities in base units."""

from __future__ import annotations

from typing import ClassVar, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from erp_core.gate.contract import Command
from erp_core.inventory.lots.rules import LotFields
from erp_core.master.values import ReasonCode, Units

Condition = Literal["as_new", "opened", "damaged_packaging", "damaged", "defective", "suspect"]
Disposition = Literal["restock", "refurbish", "quarantine", "vendor_return", "write_off"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class AuthorisedLine(_Part):
    """What may come back of an order line. Without `refund` the price charged counts."""

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
    """The condition an inspector found."""

    return_line_id: UUID
    condition: Condition


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
    """Let a customer send goods back: never more than shipped less what came back already.

    `location_id` is where they go; without it, where they were shipped from. `comment` is the
    customer's own text.
    """

    untrusted: ClassVar[frozenset[str]] = frozenset({"comment"})

    number: str | None = Field(default=None, min_length=1, max_length=40)
    order_id: UUID
    location_id: UUID | None = None
    lines: tuple[AuthorisedLine, ...] = Field(min_length=1, max_length=200)
    comment: str | None = Field(default=None, max_length=4_000)


class ReceiveReturn(_OnReturn):
    """The goods are back and wait for inspection: nobody can buy them yet.

    Lines that are not named arrived as authorised.
    """

    lines: tuple[ArrivedLine, ...] = Field(default=(), max_length=200)


class InspectReturn(_OnReturn):
    """Record the condition of every line."""

    lines: tuple[InspectedLine, ...] = Field(min_length=1, max_length=200)


class DisposeReturn(_OnReturn):
    """Decide what happens to inspected goods: the decision is the stock move and the cost.

    Lines that are not named follow the rule for their condition.
    """

    lines: tuple[DisposedLine, ...] = Field(default=(), max_length=200)
