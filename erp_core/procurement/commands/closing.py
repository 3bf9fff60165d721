"""Closing a month: when stock, its valuation and what is owed to suppliers agree, and for good."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from pydantic import field_validator
from sqlalchemy import Connection, select

from erp_core.finance.books import trial_balance
from erp_core.finance.queries import valuation, valuation_differences_on
from erp_core.gate.contract import (
    Command,
    DomainError,
    Done,
    Event,
    Registration,
    Registry,
    Task,
    Transaction,
    each,
)
from erp_core.gate.model_periods import closed_periods
from erp_core.gate.periods import PeriodClosed, closed_until
from erp_core.procurement.books.accruals import accruals
from erp_core.procurement.books.reconciling import journal_differences
from erp_core.procurement.invoices.payables import payables, payables_by_invoice
from erp_core.storage.bulk import insert_rows
from erp_core.storage.locks import lock_names


class ClosePeriod(Command):
    """Close a month that is over. Governed, and never undone: corrections happen in an open month.

    It is refused while the valuation is not the ledger's on the month's last day, while the invoices that are open are not
    what was booked and not paid, or while an account of the journal is not what its records add up to.
    """

    month: date

    @field_validator("month")
    @classmethod
    def _first_day(cls, month: date) -> date:
        if month.day != 1:
            raise ValueError(f"a month is named by its first day: {month.replace(day=1)}")
        return month

    @property
    def subject(self) -> tuple[str, UUID]:
        """The month."""
        return ("period", uuid5(NAMESPACE_URL, f"quartermaster:period:{self.month}"))


class PeriodNotOver(DomainError):
    """The month is not over yet."""

    code = "period_not_over"


class PeriodDiffers(DomainError):
    """Records that should agree at the end of the month do not."""

    code = "period_differs"


@dataclass(frozen=True, slots=True)
class PeriodFigures:
    """What the books say at the end of a day. Money in ten-thousandths; what is owed by currency, and the balance of
    every account in company currency.
    """

    units: int
    valuation: int
    accrued: dict[str, int]
    payables: dict[str, int]
    accounts: dict[str, int]

    def as_json(self) -> dict[str, Any]:
        """As it is kept."""
        return {
            "units": self.units,
            "valuation": self.valuation,
            "accrued": self.accrued,
            "payables": self.payables,
            "accounts": self.accounts,
        }


def figures_on(connection: Connection, day: date) -> PeriodFigures:
    """The figures at the end of a day, from what is only added."""
    worth = valuation(connection, day)
    owed: dict[str, int] = {}
    for one in accruals(connection, day):
        owed[one.currency] = owed.get(one.currency, 0) + one.value
    return PeriodFigures(
        sum(one.quantity for one in worth),
        sum(one.value for one in worth),
        {currency: value for currency, value in sorted(owed.items()) if value},
        payables(connection, day),
        {one.code: one.balance for one in trial_balance(connection, day) if one.balance},
    )


def closed_differences(connection: Connection) -> list[date]:
    """Closed months whose figures are no longer what they were closed with: none, if all is well."""
    rows = connection.execute(select(closed_periods).order_by(closed_periods.c.month))
    return [
        row.month
        for row in rows
        if figures_on(connection, last_day(row.month)).as_json() != dict(row.figures)
    ]


def last_day(month: date) -> date:
    """The last day of a month."""
    return month.replace(day=monthrange(month.year, month.month)[1])


def close_period(task: Task[ClosePeriod], tx: Transaction) -> Done:
    """Check that the month agrees, and close it with its figures."""
    month, connection = task.command.month, tx.connection
    tx.flush()
    lock_names(connection, ["period"])
    end = last_day(month)
    if tx.today <= end:
        raise PeriodNotOver(
            f"{month:%B %Y} is not over",
            field="month",
            remedy=f"close it from {end + timedelta(days=1)} on",
        )
    closed = closed_until(connection)
    if closed is not None and month <= closed:
        raise PeriodClosed(
            f"{month:%B %Y} is closed",
            field="month",
            remedy="close the month that follows the last closed one",
        )
    differing = valuation_differences_on(connection, end)
    if differing:
        raise PeriodDiffers(
            f"the valuation of {len(differing)} items is not their stock on {end}",
            field="month",
            remedy="find why, and correct their stock or value",
            items=[one.item_id for one in differing[:20]],
        )
    figures = figures_on(connection, end)
    if figures.payables != payables_by_invoice(connection, end):
        raise PeriodDiffers(
            f"the invoices open on {end} are not what was booked and not paid",
            field="month",
            remedy="have the steps of the invoices looked at",
        )
    apart = journal_differences(connection, end)
    if apart:
        raise PeriodDiffers(
            f"the journal is not what the records add up to on {end}: {', '.join(sorted({one.account for one in apart}))}",
            field="month",
            remedy="find what was posted beside its document, and post the difference in this month",
            accounts=[
                {
                    "account": one.account,
                    "currency": one.currency,
                    "in_journal": one.in_journal,
                    "in_records": one.in_records,
                }
                for one in apart
            ],
        )
    row = {"month": month, "closed_on": tx.today, "figures": figures.as_json(), "audit_id": task.audit_id}
    insert_rows(connection, closed_periods, [row])
    (kind, id_) = task.command.subject
    return Done(
        {"month": month.isoformat(), **figures.as_json()},
        (Event("PeriodClosed", kind, id_, 1, {"month": month.isoformat()}),),
        after=figures.as_json(),
    )


def register(registry: Registry) -> None:
    """Add the command."""
    registry.register(
        Registration(
            ClosePeriod, each(close_period), governed=True, compensation="none: post in an open month"
        )
    )
