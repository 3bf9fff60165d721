"""What a metric is: governed words around one formula over additive measures.

A formula names measures of facts (`"shipped.net_sales"`). Groups and totals agree because only additive
measures are ever summed, and the formula is applied to the sums.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Unit = Literal["units", "money", "percent", "days", "hours", "count", "ratio"]
Direction = Literal["up_good", "down_good", "neutral"]
Kind = Literal["flow", "position"]


@dataclass(frozen=True, slots=True)
class Total:
    """A sum of measures less others. It has no value where none of them has one."""

    plus: tuple[str, ...]
    minus: tuple[str, ...] = ()

    @property
    def measures(self) -> tuple[str, ...]:
        """Every measure it reads."""
        return self.plus + self.minus


@dataclass(frozen=True, slots=True)
class Ratio:
    """One total over another; no value where the denominator is 0 or unknown.

    `unbounded`: a positive numerator over 0 is infinite rather than unknown. `complement`: one less
    the ratio.
    """

    numerator: Total
    denominator: Total
    unbounded: bool = False
    complement: bool = False

    @property
    def measures(self) -> tuple[str, ...]:
        """Every measure it reads."""
        return self.numerator.measures + self.denominator.measures


@dataclass(frozen=True, slots=True)
class Spread:
    """Weighted population standard deviation of x from sums of w, w·x and w·x²; no value below two records."""

    weight: str
    weighted: str
    squared: str
    records: str

    @property
    def measures(self) -> tuple[str, ...]:
        """Every measure it reads."""
        return (self.weight, self.weighted, self.squared, self.records)


@dataclass(frozen=True, slots=True)
class Quantile:
    """The smallest value at or below which at least `percent` of the weight lies; no value where nothing weighs."""

    weight: str
    value: str
    percent: int

    @property
    def measures(self) -> tuple[str, ...]:
        """Every measure it reads."""
        return (self.weight, self.value)


Formula = Total | Ratio | Spread | Quantile


def total(*plus: str, minus: tuple[str, ...] = ()) -> Total:
    """The sum of the measures, less those in `minus`."""
    return Total(plus, minus)


def ratio(numerator: str | Total, denominator: str | Total) -> Ratio:
    """Numerator over denominator; a bare name stands for that measure's total."""
    return Ratio(_total(numerator), _total(denominator))


def _total(part: str | Total) -> Total:
    return Total((part,)) if isinstance(part, str) else part


@dataclass(frozen=True, slots=True)
class Metric:
    """One governed measure of the business.

    `definition` says what is counted and how the hard cases count. `right` is what a principal needs
    to see it; `feeds` are the kinds of fact the company must have for it to have a value. A `position`
    is as of a day, a `flow` is over a period (its time axis is in `axis`). `distinct` metrics count
    each document once per group, so that groups may add up to more than the total.
    """

    name: str
    label: str
    definition: str
    unit: Unit
    formula: Formula
    axis: str
    owner: str
    direction: Direction
    synonyms: tuple[str, ...]
    feeds: tuple[str, ...] = ()
    right: str | None = None
    kind: Kind = "flow"
    distinct: bool = False

    @property
    def feed(self) -> str | None:
        """The first feed it rests on."""
        return self.feeds[0] if self.feeds else None

    @property
    def additive(self) -> bool:
        """Whether the values of groups add up to the value of the whole."""
        return isinstance(self.formula, Total) and not self.distinct

    @property
    def measures(self) -> tuple[str, ...]:
        """The measures of its formula, each once."""
        return tuple(dict.fromkeys(self.formula.measures))
