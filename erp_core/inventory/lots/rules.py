"""Rules of lots: which may be promised, which goes first, what must be said when units come in.

A **lot** is a part of an item's stock that was made together: it has a code of the maker and often a last day. A **serial
number** is a lot of one unit, so that all that is true of a lot (it moves, is held, is traced) is true of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from erp_core.gate.contract import DomainError
from erp_core.gate.statuses import StatusGraph

RELEASED, HELD, RECALLED = "released", "held", "recalled"
HOLD_REASONS = "quality_hold"
"""The kind of reason for holding stock back."""
EXPIRED = "expired"
"""The reason of a hold that the calendar opens."""
LOT_STEPS: StatusGraph = {
    RELEASED: frozenset({HELD, RECALLED}),
    HELD: frozenset({RELEASED, RECALLED}),
    RECALLED: frozenset({RELEASED}),
}
HOLD_STEPS: StatusGraph = {
    "open": frozenset({"released", "rejected"}),
    "released": frozenset(),
    "rejected": frozenset(),
}

LotCode = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40)]


class LotRequired(DomainError):
    """The item is tracked by lot, serial number or last day, and what came says nothing of it."""

    code = "lot_required"


class NotTracked(DomainError):
    """A lot, serial number or last day is given for an item that has none."""

    code = "not_tracked"


class LotDiffers(DomainError):
    """The lot is there already, and is another one than is said now."""

    code = "lot_differs"


class SerialTwice(DomainError):
    """A serial number is in one place only."""

    code = "serial_twice"


class LotHeld(DomainError):
    """A held, recalled or expired lot is neither promised nor sent out."""

    code = "lot_held"


@dataclass(frozen=True, slots=True)
class Tracking:
    """What is asked of every unit of an item that comes in."""

    sku: str
    lots: bool
    serials: bool
    expiry: bool


@dataclass(frozen=True, slots=True)
class Lot:
    """A lot, or a numbered unit. `expires_on` is the last day it may be used."""

    id: UUID
    item_id: UUID
    code: str
    serial: bool
    batch_id: UUID | None
    expires_on: date | None
    received_on: date
    supplier_id: UUID | None
    source_kind: str
    source_id: UUID
    status: str

    def promisable(self, on: date, minimum_days: int = 0) -> bool:
        """Whether it may be promised on a day to who asks for so many days before its last one."""
        lasts = self.expires_on is None or (self.expires_on - on).days >= minimum_days
        return self.status == RELEASED and lasts

    def state_on(self, on: date) -> Literal["available", "quarantined"]:
        """Where units of it go that come in: what may not be promised is quarantined at once."""
        return "available" if self.promisable(on) else "quarantined"

    def expired(self, on: date) -> bool:
        """Whether its last day is over."""
        return self.expires_on is not None and self.expires_on < on

    @property
    def turn(self) -> tuple[date, date, str]:
        """First expired first out; what never expires goes last, and the oldest of equals first."""
        return (self.expires_on or date.max, self.received_on, self.code)


def first_expired(stock: Iterable[tuple[Lot, int]], wanted: int) -> list[tuple[Lot, int]]:
    """So many units of each lot, the first to expire first, `wanted` in all or what there is."""
    parts: list[tuple[Lot, int]] = []
    for lot, units in sorted(stock, key=lambda one: one[0].turn):
        part = min(units, wanted)
        if part > 0:
            parts.append((lot, part))
            wanted -= part
    return parts


class LotFields(BaseModel):
    """What says which lot units belong to: the maker's lot code, the last day, the number of each unit."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    lot_code: LotCode | None = None
    expires_on: date | None = None
    serials: Annotated[tuple[LotCode, ...], Field(max_length=10_000)] = ()


@dataclass(frozen=True, slots=True)
class Named:
    """Units that are said to be of a lot; for a numbered unit `batch` is the code of the lot it is of."""

    item_id: UUID
    code: str
    serial: bool
    batch: str | None
    expires_on: date | None
    quantity: int


def named_lots(
    item_id: UUID,
    tracking: Tracking | None,
    quantity: int,
    said: LotFields,
    *,
    field: str = "lines",
    arriving: bool = True,
) -> list[Named]:
    """The lots that `quantity` units are said to be of; none for an item that is not tracked.

    What comes in must say all that the item is tracked by; what goes out or comes back need not repeat the
    last day. Raises `LotRequired`, `NotTracked` or `SerialTwice`.
    """
    if tracking is None:
        _require_silence(said, field)
        return []
    asks = "comes with" if arriving else "is told apart by"
    if tracking.lots and said.lot_code is None and (arriving or not tracking.serials):
        raise LotRequired(
            f"{tracking.sku} {asks} a lot code",
            field=_of(field, "lot_code"),
            remedy="read it from the label and give it",
            item=tracking.sku,
        )
    if not tracking.lots and said.lot_code is not None:
        raise NotTracked(
            f"{tracking.sku} has serial numbers and no lots",
            field=_of(field, "lot_code"),
            remedy="give the serial numbers only",
            item=tracking.sku,
        )
    if arriving and tracking.expiry and said.expires_on is None:
        raise LotRequired(
            f"{tracking.sku} {asks} a last day",
            field=_of(field, "expires_on"),
            remedy="read it from the label and give it",
            item=tracking.sku,
        )
    if not tracking.expiry and said.expires_on is not None:
        raise NotTracked(
            f"{tracking.sku} has no last day",
            field=_of(field, "expires_on"),
            remedy="leave it out",
            item=tracking.sku,
        )
    if not tracking.serials:
        if said.serials:
            raise NotTracked(
                f"{tracking.sku} has no serial numbers",
                field=_of(field, "serials"),
                remedy="leave them out",
                item=tracking.sku,
            )
        assert said.lot_code is not None
        return [Named(item_id, said.lot_code, False, None, said.expires_on, quantity)]
    _require_serials(tracking, quantity, said.serials, field)
    return [Named(item_id, code, True, said.lot_code, said.expires_on, 1) for code in said.serials]


def _of(field: str, name: str) -> str:
    return f"{field}.{name}" if field else name


def _require_silence(said: LotFields, field: str) -> None:
    if said.lot_code is not None or said.expires_on is not None or said.serials:
        raise NotTracked(
            "the item is tracked by nothing: its units are all alike",
            field=_of(field, "lot_code"),
            remedy="leave lot, last day and serial numbers out",
        )


def _require_serials(tracking: Tracking, quantity: int, serials: Sequence[str], field: str) -> None:
    if len(serials) != quantity:
        raise LotRequired(
            f"{quantity} units of {tracking.sku} and {len(serials)} serial numbers",
            field=_of(field, "serials"),
            remedy="give the number of each unit",
            item=tracking.sku,
            units=quantity,
            serials=len(serials),
        )
    twice = sorted(code for code, times in Counter(serials).items() if times > 1)
    if twice:
        raise SerialTwice(
            f"serial number {twice[0]} of {tracking.sku} stands twice",
            field=_of(field, "serials"),
            remedy="scan each unit once",
            item=tracking.sku,
            serial=twice[0],
        )


def lot_differs(lot: Lot, said: Any, field: str, what: str) -> LotDiffers:
    """The refusal of a lot that is known otherwise."""
    known = getattr(lot, field)
    return LotDiffers(
        f"{lot.code} has {what} {known}, not {said}",
        field=field,
        remedy="check the label; a lot is the same wherever it lies",
        lot=lot.code,
        known=known,
        said=said,
    )
