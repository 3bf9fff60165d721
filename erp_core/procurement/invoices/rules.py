"""The three-way match: what was ordered, what was accepted and what is billed, line by line, over many of each.

Quantities in base units, money in ten-thousandths, tolerances in hundredths of a percent. Everything within a bound,
the bound itself included, passes. No database and no clock: rows come in, findings go out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args
from uuid import UUID

from erp_core.gate.statuses import StatusGraph

INVOICE_STEPS: StatusGraph = {
    "held": frozenset({"matched", "disputed", "rejected"}),
    "disputed": frozenset({"held", "matched", "rejected"}),
    "matched": frozenset({"paid", "disputed"}),
    "paid": frozenset(),
    "rejected": frozenset(),
}
PAYABLE = ("matched", "paid")
"""What counts as invoiced: nothing that is held, disputed or rejected uses up what may be billed."""
INVOICE_KINDS = ("invoice", "credit_note")
CHARGE_KINDS = ("freight", "prepayment", "deduction")
WHOLE = 10_000

FindingCode = Literal[
    "quantity",
    "price_high",
    "price_low",
    "freight",
    "prepayment",
    "deduction",
    "total",
    "currency",
    "duplicate",
    "credit_quantity",
    "credit_value",
]
FINDING_CODES: tuple[FindingCode, ...] = get_args(FindingCode)


@dataclass(frozen=True, slots=True)
class Tolerance:
    """What may differ before an invoice is held. Shares in hundredths of a percent, amounts in ten-thousandths.

    A price may be higher by `price_over` of the ordered price, while what all invoices of the line charged too much
    stays within `overcharge`. Both bounds hold.
    """

    quantity_over: int = 0
    price_over: int = 100
    overcharge: int = 500_000
    price_under: int = 1_000
    freight_over: int = 0
    total_off: int = 100
    prepayment: int = 0
    duplicate_days: int = 90


@dataclass(frozen=True, slots=True)
class OrderedLine:
    """A purchase order line before the invoice: accepted units, and what payable invoices billed of them so far."""

    id: UUID
    po_id: UUID
    accepted: int
    unit_price: int
    invoiced: int = 0
    overcharged: int = 0


@dataclass(frozen=True, slots=True)
class OrderedCharges:
    """What an order agreed to beside its goods, and what payable invoices billed of it so far."""

    po_id: UUID
    currency: str
    total: int
    freight: int
    freight_billed: int = 0
    prepaid: int = 0
    deducted: int = 0


@dataclass(frozen=True, slots=True)
class BilledLine:
    """Units of a purchase order line at a price; `price_only` credits a part of the price, and no units."""

    po_line_id: UUID
    quantity: int
    unit_price: int
    price_only: bool = False

    @property
    def amount(self) -> int:
        """What the line comes to."""
        return self.quantity * self.unit_price


def units_by_line(lines: Sequence[BilledLine]) -> dict[UUID, int]:
    """Units by purchase order line; what credits a part of the price has none."""
    units: dict[UUID, int] = {}
    for line in lines:
        if not line.price_only:
            units[line.po_line_id] = units.get(line.po_line_id, 0) + line.quantity
    return units


@dataclass(frozen=True, slots=True)
class BilledCharge:
    """Freight, a payment in advance, or one that is taken off, of an order."""

    po_id: UUID
    kind: str
    amount: int


@dataclass(frozen=True, slots=True)
class Billed:
    """What a supplier's document says."""

    currency: str
    lines: Sequence[BilledLine]
    charges: Sequence[BilledCharge]
    tax: int
    total: int

    @property
    def adds_up_to(self) -> int:
        """The sum of its parts."""
        charges = sum(-one.amount if one.kind == "deduction" else one.amount for one in self.charges)
        return sum(line.amount for line in self.lines) + charges + self.tax


@dataclass(frozen=True, slots=True)
class Finding:
    """One reason to hold: `actual` against `expected`, of which `allowed` would have passed."""

    code: FindingCode
    expected: int
    actual: int
    allowed: int
    po_line_id: UUID | None = None
    po_id: UUID | None = None
    other_id: UUID | None = None


def part_of(amount: int, share: int) -> int:
    """A share of an amount, rounded down: a tolerance is never widened by rounding."""
    return amount * share // WHOLE


def match(
    billed: Billed,
    lines: Mapping[UUID, OrderedLine],
    orders: Mapping[UUID, OrderedCharges],
    tolerances: Mapping[UUID, Tolerance],
    general: Tolerance,
) -> list[Finding]:
    """Why the invoice is held; nothing when it is payable. `tolerances` by line, `general` for what has no line.

    Lines of the same purchase order line count together, and with all that payable invoices billed before.
    """
    found = [*_currency(billed, orders), *_total(billed, general)]
    units: dict[UUID, int] = {}
    excess: dict[UUID, int] = {}
    for line in billed.lines:
        ordered, tolerance = lines[line.po_line_id], tolerances.get(line.po_line_id, general)
        units[ordered.id] = units.get(ordered.id, 0) + line.quantity
        over = max(line.unit_price - ordered.unit_price, 0) * line.quantity
        excess[ordered.id] = excess.get(ordered.id, 0) + over
        found += _price(line, ordered, tolerance, excess[ordered.id])
    for line_id, billed_units in units.items():
        found += _quantity(lines[line_id], billed_units, tolerances.get(line_id, general))
    return found + _charges(billed, orders, general)


@dataclass(frozen=True, slots=True)
class Creditable:
    """What an invoice billed and was not credited yet: units and value by line, amounts by order and kind of charge."""

    units: Mapping[UUID, int]
    values: Mapping[UUID, int]
    charges: Mapping[tuple[UUID, str], int]


def match_credit(
    billed: Billed, left: Creditable, orders: Mapping[UUID, OrderedCharges], general: Tolerance
) -> list[Finding]:
    """Why a credit note is held: it gives back more units, or more money, than the invoice billed and still stands."""
    found = [*_currency(billed, orders), *_total(billed, general)]
    units: dict[UUID, int] = {}
    values: dict[UUID, int] = {}
    for line in billed.lines:
        if not line.price_only:
            units[line.po_line_id] = units.get(line.po_line_id, 0) + line.quantity
        values[line.po_line_id] = values.get(line.po_line_id, 0) + line.amount
    for line_id, credited in units.items():
        most = left.units.get(line_id, 0)
        if credited > most:
            found.append(Finding("credit_quantity", most, credited, most, line_id))
    for line_id, credited in values.items():
        most = left.values.get(line_id, 0)
        if credited > most:
            found.append(Finding("credit_value", most, credited, most, line_id))
    for charge in billed.charges:
        most = left.charges.get((charge.po_id, charge.kind), 0)
        if charge.amount > most:
            found.append(Finding("credit_value", most, charge.amount, most, po_id=charge.po_id))
    return found


def _currency(billed: Billed, orders: Mapping[UUID, OrderedCharges]) -> list[Finding]:
    return [
        Finding("currency", 0, 0, 0, po_id=one.po_id)
        for one in orders.values()
        if one.currency != billed.currency
    ]


def _total(billed: Billed, general: Tolerance) -> list[Finding]:
    expected = billed.adds_up_to
    if abs(billed.total - expected) <= general.total_off:
        return []
    return [Finding("total", expected, billed.total, general.total_off)]


def _price(line: BilledLine, ordered: OrderedLine, tolerance: Tolerance, excess: int) -> list[Finding]:
    highest = ordered.unit_price + part_of(ordered.unit_price, tolerance.price_over)
    lowest = ordered.unit_price - part_of(ordered.unit_price, tolerance.price_under)
    too_much = ordered.overcharged + excess > tolerance.overcharge
    if line.unit_price > highest or (line.unit_price > ordered.unit_price and too_much):
        return [Finding("price_high", ordered.unit_price, line.unit_price, highest, ordered.id)]
    if line.unit_price < lowest:
        return [Finding("price_low", ordered.unit_price, line.unit_price, lowest, ordered.id)]
    return []


def _quantity(ordered: OrderedLine, units: int, tolerance: Tolerance) -> list[Finding]:
    billable = max(ordered.accepted - ordered.invoiced, 0)
    allowed = max(ordered.accepted + part_of(ordered.accepted, tolerance.quantity_over) - ordered.invoiced, 0)
    return [] if units <= allowed else [Finding("quantity", billable, units, allowed, ordered.id)]


def _charges(billed: Billed, orders: Mapping[UUID, OrderedCharges], general: Tolerance) -> list[Finding]:
    found: list[Finding] = []
    asked = {(one.po_id, one.kind): one.amount for one in billed.charges}
    deductible = billed.adds_up_to + sum(one.amount for one in billed.charges if one.kind == "deduction")
    for order in orders.values():
        freight = asked.get((order.po_id, "freight"), 0)
        agreed = max(order.freight - order.freight_billed, 0)
        allowed = max(order.freight + part_of(order.freight, general.freight_over) - order.freight_billed, 0)
        if freight > allowed:
            found.append(Finding("freight", agreed, freight, allowed, po_id=order.po_id))
        advance = asked.get((order.po_id, "prepayment"), 0)
        room = max(part_of(order.total, general.prepayment) - order.prepaid, 0)
        if advance > room:
            found.append(Finding("prepayment", room, advance, room, po_id=order.po_id))
        deduction = asked.get((order.po_id, "deduction"), 0)
        standing = order.prepaid - order.deducted
        due = 0 if advance else min(standing, deductible)
        deductible -= due
        if deduction > standing or deduction < due:
            found.append(Finding("deduction", due, deduction, standing, po_id=order.po_id))
    return found
