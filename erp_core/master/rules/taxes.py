"""Pure rules of tax on sales: which rule holds, when two contradict each other, and how the amounts come out.

Amounts are in ten-thousandths, rates in millionths: 19 % is 190,000.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal
from uuid import UUID

from erp_core.gate.contract import DomainError
from erp_core.master.rules.periods import Period

RATE_SCALE = 1_000_000
STANDARD = "standard"
"""The tax class of an item that has none of its own."""
TREATMENTS = ("taxed", "zero_rated", "exempt", "reverse_charge", "collected_by_marketplace", "out_of_scope")
Treatment = Literal[
    "taxed", "zero_rated", "exempt", "reverse_charge", "collected_by_marketplace", "out_of_scope"
]
Rounding = Literal["line", "document"]
Recognition = Literal["shipment", "delivery"]


class TaxUndetermined(DomainError):
    """No rule says how a sale is taxed, so that no invoice can be written."""

    code = "tax_undetermined"


class RuleTie(DomainError):
    """Two rules would hold for the same sale on the same day, and neither goes before the other."""

    code = "rule_tie"


@dataclass(frozen=True, slots=True)
class TaxedSale:
    """What decides about the tax of a line; countries as codes of two letters, None where they are not known.

    `business`: the customer has a tax id that checks out.
    """

    channel_id: UUID
    seller_country: str | None
    customer_country: str | None
    business: bool
    tax_class: str


@dataclass(frozen=True, slots=True)
class TaxRule:
    """One version of a rule. What it leaves open (None) it holds for all of.

    `rounding_unit` is what tax is rounded to, half up: 100 is the cent. `reason` is printed wherever no tax is charged.
    """

    id: UUID
    version: int
    name: str
    channel_id: UUID | None
    business: bool | None
    customer_countries: tuple[str, ...] | None
    tax_class: str | None
    seller_country: str | None
    treatment: str
    rate: int
    reason: str | None
    rounding: str
    rounding_unit: int
    valid_from: date
    valid_to: date | None

    def holds_for(self, sale: TaxedSale, day: date) -> bool:
        """Whether the sale falls under it on that day; `valid_to` is the first day on which it does not."""
        return (
            Period(self.valid_from, self.valid_to).covers(day)
            and self.channel_id in (None, sale.channel_id)
            and self.business in (None, sale.business)
            and (self.customer_countries is None or sale.customer_country in self.customer_countries)
            and self.tax_class in (None, sale.tax_class)
            and self.seller_country in (None, sale.seller_country)
        )

    @property
    def precision(self) -> tuple[int, ...]:
        """How precise it is; the greater goes first: channel, business, customer's country, tax class, seller's country."""
        countries = 0 if self.customer_countries is None else 2 if len(self.customer_countries) == 1 else 1
        return (
            int(self.channel_id is not None),
            int(self.business is not None),
            countries,
            int(self.tax_class is not None),
            int(self.seller_country is not None),
        )

    def ties_with(self, other: TaxRule) -> bool:
        """Whether both would hold for some sale on some day, and neither goes before the other."""
        mine, theirs = self.customer_countries, other.customer_countries
        return (
            self.id != other.id
            and self.precision == other.precision
            and _overlap(self.valid_from, self.valid_to, other.valid_from, other.valid_to)
            and self.channel_id == other.channel_id
            and self.business == other.business
            and (mine is None or theirs is None or not set(mine).isdisjoint(theirs))
            and self.tax_class == other.tax_class
            and self.seller_country == other.seller_country
        )


@dataclass(frozen=True, slots=True)
class RevenueRule:
    """When revenue counts: at shipment, or at delivery and deferred until then."""

    id: UUID
    version: int
    channel_id: UUID | None
    customer_country: str | None
    recognise_at: str
    valid_from: date
    valid_to: date | None

    def holds_for(self, channel_id: UUID, customer_country: str | None, day: date) -> bool:
        """Whether a sale falls under it on that day."""
        return (
            Period(self.valid_from, self.valid_to).covers(day)
            and self.channel_id in (None, channel_id)
            and self.customer_country in (None, customer_country)
        )

    @property
    def precision(self) -> tuple[int, ...]:
        """How precise it is; the greater goes first: channel, customer's country."""
        return (int(self.channel_id is not None), int(self.customer_country is not None))

    def ties_with(self, other: RevenueRule) -> bool:
        """Whether both say it for the same sales on some day."""
        return (
            self.id != other.id
            and (self.channel_id, self.customer_country) == (other.channel_id, other.customer_country)
            and _overlap(self.valid_from, self.valid_to, other.valid_from, other.valid_to)
        )


def _overlap(from_: date, to: date | None, other_from: date, other_to: date | None) -> bool:
    return (to is None or other_from < to) and (other_to is None or from_ < other_to)


def tax_rule_for(rules: Iterable[TaxRule], sale: TaxedSale, day: date) -> TaxRule | None:
    """The most precise rule that holds; None where none does."""
    holding = [one for one in rules if one.holds_for(sale, day)]
    return max(holding, key=lambda one: one.precision, default=None)


def recognised_at(
    rules: Iterable[RevenueRule], channel_id: UUID, customer_country: str | None, day: date
) -> str:
    """When the revenue of a sale counts, by the most precise rule; at shipment where none holds."""
    holding = [one for one in rules if one.holds_for(channel_id, customer_country, day)]
    return max(holding, key=lambda one: one.precision).recognise_at if holding else "shipment"


def rounded(numerator: int, denominator: int, unit: int) -> int:
    """A quotient of amounts, rounded half up to a multiple of the unit. Nothing is below zero."""
    return (2 * numerator + denominator * unit) // (2 * denominator * unit) * unit


def tax_parts(
    amounts: Sequence[int], rate: int, rounding: str, unit: int, *, inclusive: Sequence[bool]
) -> list[int]:
    """The tax of each line. An amount that is `inclusive` has its tax in it, the others come without.

    Rounded by `line`, or by `document`: then the tax of all is rounded once, lines take it rounded down and the last
    one that bears any the remainder, so that they add up to it exactly.
    """
    whole = [RATE_SCALE + rate if included else RATE_SCALE for included in inclusive]
    if rounding == "line" or not rate:
        return [rounded(one * rate, base, unit) for one, base in zip(amounts, whole, strict=True)]
    exact = [
        one * rate * (RATE_SCALE * (RATE_SCALE + rate) // base)
        for one, base in zip(amounts, whole, strict=True)
    ]
    scale = RATE_SCALE * (RATE_SCALE + rate)
    total = rounded(sum(exact), scale, unit)
    parts = [one // (scale * unit) * unit for one in exact]
    last = max((position for position, one in enumerate(exact) if one), default=len(parts) - 1)
    parts[last] += total - sum(parts)
    return parts


def credited_tax(tax: int, net: int, credited_net: int, credited_tax: int, now: int) -> int:
    """The tax of `now` more of an invoiced line's net that is given back; all of the net has all of the tax."""
    if not net or credited_net + now >= net:
        return tax - credited_tax
    return (2 * tax * (credited_net + now) + net) // (2 * net) - credited_tax
