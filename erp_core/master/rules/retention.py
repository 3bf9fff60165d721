"""Pure rules of keeping records: how long by class, and what a legal hold keeps beyond that."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal
from uuid import UUID

from erp_core.gate.contract import DomainError

RecordClass = Literal[
    "sales_document", "customer", "supplier_invoice", "trade_document", "stock_move", "journal_entry"
]
RECORD_CLASSES: dict[str, str] = {
    "sales_document": "invoices and credit notes to customers, from the day of issue",
    "customer": "name, address and tax id of customers, from their last order",
    "supplier_invoice": "suppliers' invoices, from the day they were recorded",
    "trade_document": "import, export and licence documents, from the last day they were valid",
    "stock_move": "moves of stock, from the day they happened",
    "journal_entry": "the journal, from the day of the entry",
}
"""What is kept, and from which day it counts."""
Basis = Literal["date", "year_end"]


class UnderRetention(DomainError):
    """A rule says that records are kept longer."""

    code = "under_retention"


class OnLegalHold(DomainError):
    """A legal hold keeps records until it is released."""

    code = "on_legal_hold"


@dataclass(frozen=True, slots=True)
class RetentionRule:
    """One version: records of the class from `valid_from` on are kept for so many years after their day, or its year's end."""

    record_class: str
    version: int
    valid_from: date
    years: int
    basis: str
    reason: str

    def free_on(self, day: date) -> date:
        """The first day on which a record of that day need not be kept any more."""
        if self.basis == "year_end":
            return date(day.year + self.years + 1, 1, 1)
        try:
            return day.replace(year=day.year + self.years)
        except ValueError:
            return date(day.year + self.years, 3, 1)


@dataclass(frozen=True, slots=True)
class LegalHold:
    """Keeps records of a class (None: of every one), one of them or all, of some days or any, until it is released."""

    id: UUID
    record_class: str | None
    record_id: UUID | None
    from_day: date | None
    to_day: date | None
    reason: str
    held_on: date

    def covers(self, record_class: str, record_ids: Collection[UUID], first: date, last: date) -> bool:
        """Whether it keeps a record that any of these ids names, of any of these days, both included."""
        return (
            self.record_class in (None, record_class)
            and (self.record_id is None or self.record_id in record_ids)
            and (self.from_day is None or last >= self.from_day)
            and (self.to_day is None or first < self.to_day)
        )


@dataclass(frozen=True, slots=True)
class Retention:
    """The rules and the holds in force."""

    rules: Sequence[RetentionRule]
    holds: Sequence[LegalHold]

    def rule_for(self, record_class: str, day: date) -> RetentionRule | None:
        """The rule for a record of that day: the one that began last; of several from one day the newest version."""
        covering = [one for one in self.rules if one.record_class == record_class and one.valid_from <= day]
        return max(covering, key=lambda one: (one.valid_from, one.version), default=None)

    def free_on(self, record_class: str, day: date) -> date | None:
        """The first day on which no rule keeps a record of that day; None where no rule is about it."""
        rule = self.rule_for(record_class, day)
        return None if rule is None else rule.free_on(day)

    def hold_on(
        self, record_class: str, record_ids: Collection[UUID], first: date, last: date | None = None
    ) -> LegalHold | None:
        """A hold that keeps a record of that day, or of the days up to `last`."""
        return next(
            (one for one in self.holds if one.covers(record_class, record_ids, first, last or first)), None
        )

    def obstacle(
        self, record_class: str, record_ids: Collection[UUID], day: date, today: date
    ) -> DomainError | None:
        """Why a record of that day must stay; None where nothing keeps it."""
        hold = self.hold_on(record_class, record_ids, day)
        if hold is not None:
            return on_hold(hold)
        rule = self.rule_for(record_class, day)
        if rule is not None and today < rule.free_on(day):
            return under_retention(rule, day)
        return None


def on_hold(hold: LegalHold) -> OnLegalHold:
    """The refusal that names the hold."""
    return OnLegalHold(
        f"a legal hold of {hold.held_on} keeps it: {hold.reason}",
        remedy="let the hold be released first",
        hold_id=hold.id,
    )


def under_retention(rule: RetentionRule, day: date) -> UnderRetention:
    """The refusal that says until when."""
    return UnderRetention(
        f"{rule.record_class.replace('_', ' ')} of {day} is kept up to {rule.free_on(day)}: {rule.reason}",
        remedy=f"wait until {rule.free_on(day)}",
        record_class=rule.record_class,
        free_on=rule.free_on(day),
    )


def latest(days: Iterable[date | None]) -> date | None:
    """The last of the days that are known."""
    return max((day for day in days if day is not None), default=None)
