"""What a supplier said otherwise than it was ordered, as cases that are raised the moment it is said."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from erp_core.exceptions.draft import CaseDraft, by_hand, fact
from erp_core.exceptions.rules import CaseKey
from erp_core.procurement.ordering.purchase_orders import Line, PurchaseOrder
from erp_core.storage.types import money_text

CONFIRMATION = "confirmation_difference"
NOTICE = "shipping_notice_difference"


def confirmation_key(line: Line) -> CaseKey:
    """What makes the case of a line's confirmation the same one."""
    return CONFIRMATION, str(line.id)


def confirmation_differences(line: Line) -> Iterator[tuple[str, str, str]]:
    """What the supplier confirmed otherwise than ordered: what, as ordered, as confirmed."""
    if line.confirmed_quantity is not None and line.confirmed_quantity != _ordered(line):
        yield "quantity", str(_ordered(line)), str(line.confirmed_quantity)
    if line.confirmed_price is not None and line.confirmed_price != line.unit_price:
        yield "price", money_text(line.unit_price), money_text(line.confirmed_price)
    late = line.need_by is not None and line.promised_on is not None and line.promised_on > line.need_by
    if late and line.confirmed_quantity != 0:
        yield "day", str(line.need_by), str(line.promised_on)


def over(lines: Iterable[Line]) -> list[CaseKey]:
    """The cases of what these lines were confirmed otherwise that end with them: nothing of them is open any more.

    A price that differs meets the invoice then, which the match holds.
    """
    return [confirmation_key(line) for line in lines if line.open_quantity <= 0]


def differing(lines: Iterable[Line]) -> list[Line]:
    """Those of the lines that were confirmed otherwise than they are ordered."""
    return [line for line in lines if any(confirmation_differences(line))]


def confirmation_case(order: PurchaseOrder, line: Line, occurred_at: datetime) -> CaseDraft | None:
    """The case of a line that was confirmed otherwise than ordered; None where nothing differs.

    It is worth what a dearer price costs; what is late or short is priced by the scan, where it makes somebody wait.
    """
    differences = list(confirmation_differences(line))
    if not differences:
        return None
    dearer = max((line.confirmed_price or line.unit_price) - line.unit_price, 0)
    units = _ordered(line) if line.confirmed_quantity is None else line.confirmed_quantity
    told = ", ".join(_in_words(line))
    return CaseDraft(
        kind=CONFIRMATION,
        subject_key=str(line.id),
        title=f"{order.number} line {line.line_no}: the supplier confirms {told}",
        subjects=_subjects(order, line),
        probability=1.0,
        deadline=_deadline(line.promised_on, occurred_at),
        expected_loss=dearer * units,
        residual_loss=0,
        action_cost=0,
        evidence=tuple(
            fact
            for what, ordered, confirmed in differences
            for fact in (_fact(f"{what} ordered", ordered, what), _fact(f"{what} confirmed", confirmed, what))
        ),
        action=by_hand("change the order to what was confirmed, or insist"),
    )


def notice_case(
    order: PurchaseOrder, line: Line, reference: str, announced: int, expected_on: date, occurred_at: datetime
) -> CaseDraft | None:
    """The case of a line of which a shipping notice announces more than is open; None where it does not."""
    over = announced - max(line.open_quantity, 0)
    if over <= 0:
        return None
    return CaseDraft(
        kind=NOTICE,
        subject_key=f"{line.id}:{reference}",
        title=f"{order.number} line {line.line_no}: {announced} units announced, {line.open_quantity} open",
        subjects=_subjects(order, line),
        probability=1.0,
        deadline=_deadline(expected_on, occurred_at),
        expected_loss=0,
        residual_loss=0,
        action_cost=0,
        evidence=(
            _fact("units open", str(line.open_quantity), "quantity"),
            _fact("units announced", str(announced), "quantity"),
        ),
        action=by_hand("agree with the supplier before it arrives"),
    )


def _ordered(line: Line) -> int:
    return line.quantity - line.cancelled_quantity


def _in_words(line: Line) -> Iterator[str]:
    """What differs, for a title that everybody reads: prices stand in the evidence, which not everybody sees."""
    for what, ordered, confirmed in confirmation_differences(line):
        if what == "price":
            yield "another price"
        elif what == "day":
            yield f"{_day(confirmed)} instead of {_day(ordered)}"
        else:
            yield f"{what} {confirmed} instead of {ordered}"


def _day(told: str) -> str:
    return f"{date.fromisoformat(told):%-d %b %Y}"


def _subjects(order: PurchaseOrder, line: Line) -> tuple[tuple[str, Any], ...]:
    return (
        ("po_line", line.id),
        ("purchase_order", order.id),
        ("supplier", order.supplier_id),
        ("item", line.item_id),
    )


def _deadline(day: date | None, occurred_at: datetime) -> datetime:
    """The day that it is about; at least a day is left to decide."""
    least = occurred_at + timedelta(days=1)
    return least if day is None else max(least, datetime.combine(day, time.min, UTC))


_UNITS = {"quantity": "units", "price": "currency", "day": "day"}


def _fact(label: str, value: str, what: str) -> Mapping[str, Any]:
    return fact(label, value, _UNITS[what])
