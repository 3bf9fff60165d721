"""The journal of a transaction: every entry is a debit and a credit of the same money.

Entries are summed by document, event and pair of accounts; what cancels out is not written. In another currency than the
company's an open item keeps the value at which it was opened: what closes it at another rate leaves an exchange
difference, as an entry of its own that has a value and no amount.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from sqlalchemy import Connection, func, select

from erp_core.finance.accounts import ACCOUNTS, AccountCode
from erp_core.finance.model import exchange_rates
from erp_core.finance.model_journal import journal_entries
from erp_core.finance.rules import carried_value, in_company_currency
from erp_core.gate.contract import DomainError, Transaction
from erp_core.gate.model import company
from erp_core.storage.bulk import insert_rows
from erp_core.storage.lookup import fetch_in

NO_CURRENCY = "XXX"
"""ISO 4217's code for no currency: of a company that names none of its own, where every amount is worth itself."""


class NoExchangeRate(DomainError):
    """An amount in a currency that has no rate on the day: it cannot be posted."""

    code = "no_exchange_rate"


@dataclass(frozen=True, slots=True)
class Worth:
    """An amount in a currency (None: the company's own) and its value in the company's, in ten-thousandths."""

    currency: str | None
    amount: int
    value: int


def own(amount: int) -> Worth:
    """An amount in company currency."""
    return Worth(None, amount, amount)


def own_currency(connection: Connection) -> str:
    """The company's currency; `NO_CURRENCY` where it names none."""
    return connection.scalar(select(company.c.value).where(company.c.key == "currency")) or NO_CURRENCY


class Source(Protocol):
    """What an entry rests on."""

    @property
    def event(self) -> str:
        """What happened."""

    @property
    def document_kind(self) -> str:
        """The kind of the document that says so."""

    @property
    def document_id(self) -> UUID:
        """The document."""

    @property
    def occurred_on(self) -> date:
        """The day."""

    @property
    def audit_id(self) -> UUID:
        """The audit entry."""


@dataclass(frozen=True, slots=True)
class JournalSource:
    """What an entry rests on."""

    event: str
    document_kind: str
    document_id: UUID
    occurred_on: date
    audit_id: UUID


class _Pair(NamedTuple):
    """Two accounts in the order of their codes; a sum is above zero where the first is debited."""

    event: str
    document_kind: str
    document_id: UUID
    occurred_on: date
    audit_id: UUID
    first: AccountCode
    first_of: UUID | None
    second: AccountCode
    second_of: UUID | None
    currency: str | None
    exact: bool


Position = tuple[int, int]
_Key = tuple[str, UUID, str]


class Journal:
    """The transaction's journal: `post` collects, flush writes one statement."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._sums: dict[_Pair, list[int]] = {}
        self._own: str | None = None
        self._rates: dict[tuple[str, date], int] = {}

    @classmethod
    def of(cls, tx: Transaction) -> Journal:
        """The transaction's journal."""
        return tx.unit(cls, cls)

    @property
    def currency(self) -> str:
        """The company's currency; `NO_CURRENCY` where it names none."""
        if self._own is None:
            self._own = own_currency(self._tx.connection)
        return self._own

    def worth(self, currency: str, amount: int, day: date) -> Worth:
        """An amount with its value at the rate of a day. Raises `NoExchangeRate`: nothing is posted at a guess."""
        if self.currency in (currency, NO_CURRENCY):
            return Worth(currency, amount, amount)
        if (currency, day) not in self._rates:
            rate = self._tx.connection.scalar(
                select(exchange_rates.c.rate)
                .where(exchange_rates.c.currency == currency, exchange_rates.c.valid_from <= day)
                .order_by(exchange_rates.c.valid_from.desc())
                .limit(1)
            )
            if rate is None:
                raise NoExchangeRate(
                    f"{currency} has no rate on {day}",
                    field="currency",
                    remedy=f"set what one {currency} is worth from that day on",
                    currency=currency,
                )
            self._rates[currency, day] = rate
        return Worth(currency, amount, in_company_currency(amount, self._rates[currency, day]))

    def post(
        self,
        debit: AccountCode,
        credit: AccountCode,
        money: Worth,
        source: Source,
        *,
        debit_of: UUID | None = None,
        credit_of: UUID | None = None,
        exact: bool = False,
    ) -> None:
        """Debit one account and credit another with the same money; below zero it is the other way round.

        `debit_of` and `credit_of` name the open item, of accounts that have some. `exact`: the value stands as it is given, even
        where it closes an open item, as long as anything is left of it.
        """
        if debit == credit:
            return
        first, first_of, second, second_of, sign = debit, debit_of, credit, credit_of, 1
        if debit > credit:
            first, first_of, second, second_of, sign = credit, credit_of, debit, debit_of, -1
        pair = _Pair(
            source.event,
            source.document_kind,
            source.document_id,
            source.occurred_on,
            source.audit_id,
            first,
            first_of,
            second,
            second_of,
            money.currency,
            exact,
        )
        total = self._sums.setdefault(pair, [0, 0])
        total[0] += sign * money.amount
        total[1] += sign * money.value

    def reverse(self, sources: Mapping[UUID, Source]) -> None:
        """Post the contra of everything that stands of these documents, under the source given for each."""
        self.flush()
        for row in fetch_in(self._tx.connection, _ENTRIES, journal_entries.c.document_id, sources):
            source = sources[row.document_id]
            if row.document_kind == source.document_kind:
                self.post(
                    row.credit,
                    row.debit,
                    Worth(row.currency, row.amount, row.value),
                    source,
                    debit_of=row.credit_of,
                    credit_of=row.debit_of,
                    exact=True,
                )

    def flush(self) -> None:
        """Write what was posted, with the exchange differences that follow from it."""
        if not self._sums:
            return
        sums = {
            pair._replace(currency=self.currency) if pair.currency is None else pair: (amount, value)
            for pair, (amount, value) in self._sums.items()
            if amount or value
        }
        self._sums = {}
        differences = self._differences(sums)
        rows = [row for pair, money in (*sums.items(), *differences) for row in self._rows(pair, *money)]
        insert_rows(self._tx.connection, journal_entries, rows)

    def _rows(self, pair: _Pair, amount: int, value: int) -> Iterator[dict[str, Any]]:
        parts = [(amount, value)] if amount * value >= 0 else [(amount, 0), (0, value)]
        for part, worth in parts:
            first, second = (pair.first, pair.first_of), (pair.second, pair.second_of)
            debit, credit = (first, second) if (part or worth) > 0 else (second, first)
            yield {
                "id": self._tx.new_id(),
                "occurred_on": pair.occurred_on,
                "event": pair.event,
                "document_kind": pair.document_kind,
                "document_id": pair.document_id,
                "debit": debit[0],
                "debit_of": debit[1],
                "credit": credit[0],
                "credit_of": credit[1],
                "currency": pair.currency,
                "amount": abs(part),
                "value": abs(worth),
                "audit_id": pair.audit_id,
            }

    def _differences(self, sums: Mapping[_Pair, tuple[int, int]]) -> list[tuple[_Pair, tuple[int, int]]]:
        foreign = [pair for pair in sums if NO_CURRENCY != self.currency != pair.currency]
        touched = {key for pair in foreign for key, _ in _open_items(pair)}
        if not touched:
            return []
        positions = read_positions(self._tx.connection, touched)
        found: list[tuple[_Pair, tuple[int, int]]] = []
        for pair in foreign:
            for key, sign in _open_items(pair):
                amount, value = sign * sums[pair][0], sign * sums[pair][1]
                open_amount, open_value = positions.get(key, (0, 0))
                left = open_amount + amount
                carried = (
                    value if pair.exact and left else carried_value(open_amount, open_value, amount, value)
                )
                positions[key] = (left, open_value + carried)
                if carried != value:
                    account, item, _ = key
                    found.append((_exchange(pair, account, item), (0, carried - value)))
        return found

    def discard(self) -> None:
        """Forget what is pending."""
        self._sums, self._own, self._rates = {}, None, {}


def _open_items(pair: _Pair) -> Iterator[tuple[_Key, int]]:
    """The open items that a pair moves, with the sign of what is debited."""
    for account, item, sign in ((pair.first, pair.first_of, 1), (pair.second, pair.second_of, -1)):
        if item is not None and ACCOUNTS[account].open_items:
            yield (account, item, pair.currency or NO_CURRENCY), sign


def _exchange(pair: _Pair, account: str, item: UUID) -> _Pair:
    code = ACCOUNTS[account].code
    return pair._replace(first=code, first_of=item, second="exchange_differences", second_of=None, exact=True)


def _sums_of(side: str) -> Any:
    table = journal_entries.c
    return select(
        table[side].label("account"),
        table[f"{side}_of"].label("item"),
        table.currency,
        func.sum(table.amount).label("amount"),
        func.sum(table.value).label("value"),
    ).group_by(table[side], table[f"{side}_of"], table.currency)


_ENTRIES = select(journal_entries).order_by(journal_entries.c.id)
_DEBITS, _CREDITS = _sums_of("debit"), _sums_of("credit")


def read_positions(connection: Connection, keys: Iterable[_Key]) -> dict[_Key, Position]:
    """What is open of items, as (account, item, currency): amount and value, debits less credits."""
    wanted = set(keys)
    items = {item for _, item, _ in wanted}
    found: dict[_Key, Position] = {}
    for statement, column, sign in (
        (_DEBITS, journal_entries.c.debit_of, 1),
        (_CREDITS, journal_entries.c.credit_of, -1),
    ):
        for row in fetch_in(connection, statement, column, items):
            key = (row.account, row.item, row.currency)
            amount, value = found.get(key, (0, 0))
            found[key] = (amount + sign * int(row.amount), value + sign * int(row.value))
    return {key: position for key, position in found.items() if key in wanted}
