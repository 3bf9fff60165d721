"""Reads of the journal: balances of accounts, what a document posted, and what moved an account."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import Connection, Select, func, or_, select

from erp_core.finance.accounts import ACCOUNTS, AccountCode, AccountType
from erp_core.finance.model_journal import journal_entries
from erp_core.storage.lookup import AnyRow

_TABLE = journal_entries.c


@dataclass(frozen=True, slots=True)
class AccountBalance:
    """What an account was debited and credited with until the end of a day, in company currency, ten-thousandths.

    `balance` is on the account's own side: above zero what an asset or expense holds, and what is owed on a liability.
    """

    code: AccountCode
    name: str
    type: AccountType
    debit: int
    credit: int

    @property
    def balance(self) -> int:
        """Debits less credits of an asset or expense, credits less debits of the others."""
        return side_of(self.type) * (self.debit - self.credit)


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One entry: `amount` in `currency` and `value` in company currency went from `credit` to `debit`."""

    id: UUID
    occurred_on: date
    event: str
    document_kind: str
    document_id: UUID
    debit: str
    credit: str
    currency: str
    amount: int
    value: int
    audit_id: UUID


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """An entry as one account sees it: signed to its own side, with the account on the other."""

    occurred_on: date
    event: str
    document_kind: str
    document_id: UUID
    against: str
    currency: str
    amount: int
    value: int


def side_of(kind: AccountType) -> int:
    """1 where an account of the type grows by debits, -1 where it grows by credits."""
    return 1 if kind in ("asset", "expense") else -1


def trial_balance(connection: Connection, day: date) -> list[AccountBalance]:
    """Every account that was ever posted to by the end of a day, in the order of the chart. Debits equal credits."""
    debits, credits = (
        {
            row.account: int(row.value)
            for row in connection.execute(
                select(side.label("account"), func.sum(_TABLE.value).label("value"))
                .where(_TABLE.occurred_on <= day)
                .group_by(side)
            )
        }
        for side in (_TABLE.debit, _TABLE.credit)
    )
    return [
        AccountBalance(one.code, one.name, one.type, debits.get(one.code, 0), credits.get(one.code, 0))
        for one in ACCOUNTS.values()
        if one.code in debits or one.code in credits
    ]


def account_amounts(connection: Connection, code: AccountCode, day: date) -> dict[str, tuple[int, int]]:
    """What an account holds at the end of a day by currency: amount in it and value, signed to the account's side."""
    found: dict[str, tuple[int, int]] = {}
    own = side_of(ACCOUNTS[code].type)
    for side, sign in ((_TABLE.debit, own), (_TABLE.credit, -own)):
        rows = connection.execute(
            select(_TABLE.currency, func.sum(_TABLE.amount), func.sum(_TABLE.value))
            .where(side == code, _TABLE.occurred_on <= day)
            .group_by(_TABLE.currency)
        )
        for currency, amount, value in rows:
            before = found.get(currency, (0, 0))
            found[currency] = (before[0] + sign * int(amount), before[1] + sign * int(value))
    return {currency: held for currency, held in sorted(found.items()) if held != (0, 0)}


def worthless_open_items(connection: Connection, day: date) -> list[tuple[str, UUID, str]]:
    """Open items, as (account, item, currency), of which nothing is open at the end of a day and a value is left: none."""
    codes = [one.code for one in ACCOUNTS.values() if one.open_items]
    parts = [
        select(
            side.label("account"),
            item.label("item"),
            _TABLE.currency,
            (sign * _TABLE.amount).label("amount"),
            (sign * _TABLE.value).label("value"),
        ).where(side.in_(codes), item.is_not(None), _TABLE.occurred_on <= day)
        for side, item, sign in ((_TABLE.debit, _TABLE.debit_of, 1), (_TABLE.credit, _TABLE.credit_of, -1))
    ]
    both = parts[0].union_all(parts[1]).subquery().c
    statement = (
        select(both.account, both.item, both.currency)
        .group_by(both.account, both.item, both.currency)
        .having(func.sum(both.amount) == 0, func.sum(both.value) != 0)
    )
    return [(row.account, row.item, row.currency) for row in connection.execute(statement)]


def _entries() -> Select[tuple[object, ...]]:
    names = (name for name in JournalEntry.__slots__)
    return select(*(_TABLE[name] for name in names))


def journal_of(connection: Connection, document_id: UUID) -> list[JournalEntry]:
    """What a document posted, in the order of posting."""
    statement = _entries().where(_TABLE.document_id == document_id).order_by(_TABLE.id)
    return [_entry(row) for row in connection.execute(statement)]


def journal_between(
    connection: Connection, first: date, last: date, *, limit: int | None = None, offset: int = 0
) -> list[JournalEntry]:
    """The entries of these days, oldest first."""
    statement = (
        _entries()
        .where(_TABLE.occurred_on.between(first, last))
        .order_by(_TABLE.occurred_on, _TABLE.id)
        .limit(limit)
        .offset(offset)
    )
    return [_entry(row) for row in connection.execute(statement)]


def ledger_of(
    connection: Connection,
    code: AccountCode,
    first: date,
    last: date,
    *,
    limit: int | None = None,
    offset: int = 0,
) -> list[LedgerEntry]:
    """What moved an account on these days, oldest first."""
    own = side_of(ACCOUNTS[code].type)
    statement = (
        _entries()
        .where(or_(_TABLE.debit == code, _TABLE.credit == code), _TABLE.occurred_on.between(first, last))
        .order_by(_TABLE.occurred_on, _TABLE.id)
        .limit(limit)
        .offset(offset)
    )
    found = []
    for row in connection.execute(statement):
        one = _entry(row)
        sign, against = (own, one.credit) if one.debit == code else (-own, one.debit)
        found.append(
            LedgerEntry(
                one.occurred_on,
                one.event,
                one.document_kind,
                one.document_id,
                against,
                one.currency,
                sign * one.amount,
                sign * one.value,
            )
        )
    return found


def _entry(row: AnyRow) -> JournalEntry:
    return JournalEntry(*row)
