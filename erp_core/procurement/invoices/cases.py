"""The case that an invoice makes while it is held or disputed: what was found, what it may cost, what is proposed. Pure.

It is worth what is charged too much, and interest for paying the rest late. What another open case carries already (a
dearer price that the supplier confirmed, goods beyond the order that wait for a decision) is not counted again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID

from erp_core.exceptions.draft import CURRENCY, CaseDraft, by_hand, fact
from erp_core.exceptions.rules import CaseKey
from erp_core.finance.rules import RATE_SCALE, converted
from erp_core.procurement.invoices.book import Invoice
from erp_core.procurement.invoices.resolutions import Resolution, resolve
from erp_core.procurement.invoices.rules import WHOLE, Billed, Finding
from erp_core.procurement.ordering.differences import confirmation_key
from erp_core.procurement.ordering.purchase_orders import Line, PurchaseOrder
from erp_core.procurement.receiving.rules import variance_key
from erp_core.storage.types import money_text

MISMATCH = "invoice_mismatch"
LATE_INTEREST = 1_000
"""What a supplier may charge a year on what is paid late, in hundredths of a percent: assumed, not agreed."""
LATE_DAYS = 30
"""How much later than due an invoice that is held is paid: assumed."""
TOLD_ORDERS = 3
TOLD_FINDINGS = 8

_WORDS = {
    "quantity": "more units are billed than were accepted",
    "price_high": "billed dearer than ordered",
    "price_low": "billed cheaper than ordered",
    "freight": "more freight than was agreed",
    "prepayment": "a payment in advance that was not agreed",
    "deduction": "what was paid in advance is not taken off as it should be",
    "total": "its parts do not add up",
    "currency": "another currency than the order's",
    "duplicate": "it looks like another invoice",
    "credit_quantity": "more units are credited than were billed",
    "credit_value": "more is credited than was billed",
}
_ACTIONS = {
    "wait": "wait for the goods: it is matched again when they arrive",
    "ask_credit": "ask the supplier for a credit note, or accept it if that was agreed",
    "accept": "accept it if the lower price is meant",
    "ask_correction": "ask the supplier for a corrected invoice",
    "reject": "reject it, unless it is meant",
}
_URGENCY = ("reject", "ask_correction", "ask_credit", "accept", "wait")
_UNITS_SAID = ("quantity", "credit_quantity")


@dataclass(frozen=True, slots=True)
class Held:
    """An invoice that waits, with its orders by id and the rate of its currency in 10^-8 (None: unknown)."""

    invoice: Invoice
    billed: Billed
    findings: Sequence[Finding]
    orders: Mapping[UUID, PurchaseOrder]
    rate: int | None

    def line(self, line_id: UUID | None) -> Line | None:
        """The order line, where a finding is about one."""
        found = (order.lines.get(line_id) for order in self.orders.values()) if line_id else ()
        return next((line for line in found if line is not None), None)


def mismatch_key(invoice_id: UUID) -> CaseKey:
    """What makes the case of an invoice the same one."""
    return MISMATCH, str(invoice_id)


def possible_causes(held: Held) -> dict[tuple[str, UUID], CaseKey]:
    """By code and order line of a finding, the case that carries the same loss if it is open."""
    found: dict[tuple[str, UUID], CaseKey] = {}
    for one in held.findings:
        line = held.line(one.po_line_id)
        if line is None:
            continue
        if one.code == "price_high" and (line.confirmed_price or 0) > line.unit_price:
            found[one.code, line.id] = confirmation_key(line)
        if one.code == "quantity" and line.held_quantity:
            found[one.code, line.id] = variance_key(line)
    return found


def mismatch_case(held: Held, open_causes: Collection[CaseKey], occurred_at: datetime) -> CaseDraft:
    """The case of an invoice that is held or disputed."""
    invoice = held.invoice
    causes = {what: key for what, key in possible_causes(held).items() if key in open_causes}
    over = overcharges(held)
    own = sum(amount for what, amount in over.items() if what not in causes)
    lost = min(own, invoice.total) + interest(held, sum(over.values()))
    carried = bool(causes) and own == 0
    loss = 0 if carried or held.rate is None else converted(lost, held.rate)
    return CaseDraft(
        kind=MISMATCH,
        subject_key=str(invoice.id),
        title=_title(held),
        subjects=tuple(_subjects(held)),
        probability=1.0,
        deadline=max(occurred_at + timedelta(days=1), datetime.combine(invoice.due_on, time.min, UTC)),
        expected_loss=loss,
        residual_loss=0,
        action_cost=0,
        evidence=tuple(_evidence(held)),
        action=by_hand(_action(held)),
        caused_by=min(causes.values()) if carried else None,
    )


def overcharges(held: Held) -> dict[tuple[str, UUID | None], int]:
    """What is asked for beyond what is owed, by code and by line or order, in the invoice's currency. Credit notes ask nothing."""
    if held.invoice.sign < 0:
        return {}
    found: dict[tuple[str, UUID | None], int] = {}
    for one in held.findings:
        about = one.po_line_id or one.po_id
        found[one.code, about] = max(_overcharge(one, held), found.get((one.code, about), 0))
    return {what: amount for what, amount in found.items() if amount > 0}


def _overcharge(finding: Finding, held: Held) -> int:
    match finding.code:
        case "price_high":
            return sum(
                max(line.unit_price - finding.expected, 0) * line.quantity
                for line in held.billed.lines
                if line.po_line_id == finding.po_line_id
            )
        case "quantity":
            line = held.line(finding.po_line_id)
            beyond = finding.actual - finding.expected
            return 0 if line is None or finding.actual <= line.quantity else beyond * line.unit_price
        case "freight" | "prepayment" | "total":
            return finding.actual - finding.expected
        case "deduction":
            return finding.expected - finding.actual
        case "duplicate":
            return held.invoice.total
        case _:
            return 0


def interest(held: Held, overcharged: int) -> int:
    """What paying the rest late may cost; nothing for goods that are still to come, nor where it is disputed."""
    waits = any(one.code == "quantity" for one in held.findings)
    if waits or held.invoice.sign < 0 or held.invoice.status == "disputed":
        return 0
    owed = max(held.invoice.total - overcharged, 0)
    return owed * LATE_INTEREST * LATE_DAYS // (WHOLE * 365)


def _resolutions(held: Held) -> list[Resolution]:
    units: dict[UUID, int] = {}
    for part in held.billed.lines:
        units[part.po_line_id] = units.get(part.po_line_id, 0) + part.quantity
    found = []
    for one in held.findings:
        line = held.line(one.po_line_id)
        billed = 0 if line is None else units.get(line.id, 0)
        ordered, price = (0, 0) if line is None else (line.quantity, line.unit_price)
        found.append(resolve(one, ordered=ordered, units=billed, unit_price=price))
    return found


def _action(held: Held) -> str:
    if held.invoice.status == "disputed":
        return "settle the dispute with the supplier, then match it again, accept it or reject it"
    wanted = {one.action for one in _resolutions(held)}
    return "; ".join(_ACTIONS[action] for action in _URGENCY if action in wanted)


def _title(held: Held) -> str:
    """Everybody reads it: no money, and not the number, which the supplier wrote."""
    what = "a credit note" if held.invoice.sign < 0 else "an invoice"
    numbers = _concerned(held)
    if held.invoice.status == "disputed":
        return f"{numbers}: {what} is disputed"
    reasons = ", ".join(_WORDS[code] for code in dict.fromkeys(one.code for one in held.findings))
    return f"{numbers}: {what} is held, {reasons}"


def _concerned(held: Held) -> str:
    """The orders in which something is wrong, or all where nobody can say; of many the first few."""
    lines = [held.line(one.po_line_id) for one in held.findings]
    wrong = {line.po_id for line in lines if line is not None} | {one.po_id for one in held.findings}
    found = sorted(order.number for id_, order in held.orders.items() if id_ in wrong)
    numbers = found or sorted(order.number for order in held.orders.values())
    more = len(numbers) - TOLD_ORDERS
    return ", ".join(numbers[:TOLD_ORDERS]) + (f" and {more} more" if more > 0 else "")


def _subjects(held: Held) -> Iterator[tuple[str, UUID]]:
    yield "supplier_invoice", held.invoice.id
    yield "supplier", held.invoice.supplier_id
    for order in held.orders.values():
        yield "purchase_order", order.id
    for one in held.findings:
        line = held.line(one.po_line_id)
        if line is not None:
            yield "po_line", line.id
            yield "item", line.item_id


def _evidence(held: Held) -> Iterator[Mapping[str, Any]]:
    invoice = held.invoice
    for one in held.findings[:TOLD_FINDINGS]:
        yield from _told(one, held)
    if len(held.findings) > TOLD_FINDINGS:
        yield _fact("further reasons", str(len(held.findings) - TOLD_FINDINGS), "")
    if invoice.status == "disputed" and invoice.reason_code is not None:
        yield _fact("disputed because of", invoice.reason_code.replace("_", " "), "")
    yield _fact("it asks for", _money(invoice.total, held), CURRENCY)
    yield _fact("due on", invoice.due_on.isoformat(), "day")
    if interest(held, 0):
        yield _fact("interest assumed on what is paid late, a year", f"{LATE_INTEREST // 100} %", "")
        yield _fact("days that it may be late, assumed", str(LATE_DAYS), "days")
    if held.rate is None:
        yield _fact("not priced", f"there is no rate of {invoice.currency}", "")


def _told(finding: Finding, held: Held) -> Iterator[Mapping[str, Any]]:
    line, order = held.line(finding.po_line_id), held.orders.get(finding.po_id) if finding.po_id else None
    where = "the invoice"
    if line is not None:
        where = f"{held.orders[line.po_id].number} line {line.line_no}"
    elif order is not None:
        where = order.number
    what = f"{where}: {_WORDS[finding.code]}"
    if finding.code == "currency":
        yield _fact(what, held.invoice.currency, "")
        return
    in_units = finding.code in _UNITS_SAID
    names = ("owed", "billed", "let pass")
    for name, value in zip(names, (finding.expected, finding.actual, finding.allowed), strict=True):
        if name == "let pass" and (value in (finding.expected, 0) or finding.code == "duplicate"):
            continue
        if in_units:
            yield _fact(f"{what}: {name}", str(value), "units")
        else:
            yield _fact(f"{what}: {name}", _money(value, held), CURRENCY)


def _money(amount: int, held: Held) -> str:
    text = money_text(amount)
    return text if held.rate == RATE_SCALE else f"{text} {held.invoice.currency}"


def _fact(label: str, value: str, unit: str) -> Mapping[str, Any]:
    return fact(label, value, unit or None)
