"""Pure rules of customer invoices and credit notes: what the lines of a parcel come to, and what a refund gives back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from erp_core.master.rules.taxes import TaxRule, credited_tax, tax_parts


@dataclass(frozen=True, slots=True)
class SuppliedLine:
    """Units of an order line that leave, at a price without tax, or with it where `gross_price` is given."""

    order_line_id: UUID
    item_id: UUID
    quantity: int
    unit_price: int
    gross_price: int | None = None

    @property
    def amount(self) -> int:
        """What is charged for them, with tax where the price has it."""
        return self.quantity * (self.unit_price if self.gross_price is None else self.gross_price)


class TaxedLine(NamedTuple):
    """A line with the rule that taxes it. Net and tax are what is charged together."""

    line: SuppliedLine
    tax_class: str
    rule: TaxRule
    net: int
    tax: int


def taxed_lines(lines: Sequence[tuple[SuppliedLine, str, TaxRule]]) -> list[TaxedLine]:
    """The lines of a document with their tax; those under one rule are rounded together where it says so."""
    by_rule: dict[UUID, list[int]] = {}
    for position, (_, _, rule) in enumerate(lines):
        by_rule.setdefault(rule.id, []).append(position)
    taxes = [0] * len(lines)
    for positions in by_rule.values():
        rule = lines[positions[0]][2]
        parts = tax_parts(
            [lines[position][0].amount for position in positions],
            rule.rate,
            rule.rounding,
            rule.rounding_unit,
            inclusive=[lines[position][0].gross_price is not None for position in positions],
        )
        for position, part in zip(positions, parts, strict=True):
            taxes[position] = part
    return [
        TaxedLine(line, tax_class, rule, line.amount - (tax if line.gross_price is not None else 0), tax)
        for (line, tax_class, rule), tax in zip(lines, taxes, strict=True)
    ]


@dataclass(slots=True)
class InvoicedLine:
    """A line of an invoice with what was credited of it so far."""

    document_id: UUID
    line_no: int
    order_line_id: UUID
    net: int
    tax: int
    tax_class: str
    treatment: str
    rate: int
    reason: str | None
    rule_id: UUID
    rule_version: int
    credited_net: int = 0
    credited_tax: int = 0


class RefundLine(NamedTuple):
    """The money without tax that is given back of an order line, and the units that came back for it, if any did."""

    return_line_id: UUID | None
    order_line_id: UUID
    quantity: int
    amount: int


class Refund(NamedTuple):
    """What is given back for a return, or by a credit without one: one of both is named."""

    return_id: UUID | None
    order_id: UUID
    customer_country: str
    lines: Sequence[RefundLine]
    credit_id: UUID | None = None


class Credit(NamedTuple):
    """What is given back of a line of an invoice."""

    line: InvoicedLine
    net: int
    tax: int


def credits_of(lines: Iterable[InvoicedLine], amount: int) -> list[Credit]:
    """Give an amount without tax back over the lines, the first invoiced first, each with its part of its tax.

    The lines remember it; all that was invoiced has exactly its tax. What is beyond what was invoiced is left out.
    """
    found = []
    for line in lines:
        part = min(amount, line.net - line.credited_net)
        if part <= 0:
            continue
        tax = credited_tax(line.tax, line.net, line.credited_net, line.credited_tax, part)
        line.credited_net += part
        line.credited_tax += tax
        amount -= part
        found.append(Credit(line, part, tax))
    return found


def from_deferred(net: int, deferred: int) -> tuple[int, int]:
    """What a credit takes from revenue that counts already, and from revenue that is still deferred, which goes first."""
    still = min(net, deferred)
    return net - still, still


def by_document(credits: Iterable[Credit]) -> Mapping[UUID, int]:
    """The net that is given back, by invoice."""
    sums: dict[UUID, int] = {}
    for one in credits:
        sums[one.line.document_id] = sums.get(one.line.document_id, 0) + one.net
    return sums
