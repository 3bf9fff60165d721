"""The books: balances of accounts, entries of the journal, and the months that are closed."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import astuple, fields
from datetime import date
from io import StringIO
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from api.auth import OfCompany, Reader, holding
from api.paging import Limit, Offset
from api.problems import require_known
from erp_core.finance.accounts import ACCOUNTS, AccountCode, AccountType
from erp_core.finance.books import (
    JournalEntry,
    LedgerEntry,
    journal_between,
    journal_of,
    ledger_of,
    trial_balance,
)
from erp_core.procurement.books.periods import Period, list_periods
from erp_core.procurement.books.reconciling import BookDifference, journal_differences
from erp_core.storage.engine import reading
from erp_core.storage.types import money_text

router = APIRouter(
    prefix="/finance",
    tags=["finance"],
    dependencies=[Depends(holding("read_books")), Depends(holding("see_cost"))],
)
FIRST_DAY = date(2000, 1, 1)


class Balance(BaseModel):
    """An account with what it was debited and credited with; `balance` on its own side. Company currency."""

    code: AccountCode
    name: str
    type: AccountType
    debit: int
    credit: int
    balance: int


class TrialBalance(BaseModel):
    """All accounts at the end of a day; `debit` and `credit` are their sums, which are equal.

    `differences` name the accounts that are not what the records behind them add up to: none, if all is well.
    """

    as_of: date
    rows: list[Balance]
    debit: int
    credit: int
    differences: list[BookDifference]


class Entries(BaseModel):
    """Entries of the journal, oldest first."""

    rows: list[JournalEntry]
    limit: int
    offset: int


class AccountLedger(BaseModel):
    """What moved an account, oldest first, signed to the account's own side."""

    account: AccountCode
    name: str
    rows: list[LedgerEntry]
    limit: int
    offset: int


@router.get("/periods")
def periods(_actor: Reader, company: OfCompany) -> list[Period]:
    """The months of the books, the newest first: closed with their figures, or open."""
    with reading(company.engine) as connection:
        return list_periods(connection, company.clock.today())


@router.get("/trial-balance")
def balances(_actor: Reader, company: OfCompany, as_of: date | None = None) -> TrialBalance:
    """The balance of every account at the end of a day; left out, today."""
    day = as_of or company.clock.today()
    with reading(company.engine) as connection:
        rows, differences = trial_balance(connection, day), journal_differences(connection, day)
    return TrialBalance(
        as_of=day,
        rows=[
            Balance(
                code=one.code,
                name=one.name,
                type=one.type,
                debit=one.debit,
                credit=one.credit,
                balance=one.balance,
            )
            for one in rows
        ],
        debit=sum(one.debit for one in rows),
        credit=sum(one.credit for one in rows),
        differences=differences,
    )


@router.get("/accounts/{code}")
def account(
    code: str,
    _actor: Reader,
    company: OfCompany,
    first: Annotated[date | None, Query(description="left out: from the beginning")] = None,
    last: Annotated[date | None, Query(description="left out: until today")] = None,
    limit: Limit = 100,
    offset: Offset = 0,
) -> AccountLedger:
    """What moved an account on these days."""
    require_known("code", [code], ACCOUNTS)
    one = ACCOUNTS[code]
    with reading(company.engine) as connection:
        rows = ledger_of(
            connection,
            one.code,
            first or FIRST_DAY,
            last or company.clock.today(),
            limit=limit,
            offset=offset,
        )
    return AccountLedger(account=one.code, name=one.name, rows=rows, limit=limit, offset=offset)


@router.get("/journal")
def journal(
    _actor: Reader,
    company: OfCompany,
    document_id: Annotated[UUID | None, Query(description="only what this document posted")] = None,
    first: Annotated[date | None, Query(description="left out: from the beginning")] = None,
    last: Annotated[date | None, Query(description="left out: until today")] = None,
    limit: Limit = 100,
    offset: Offset = 0,
) -> Entries:
    """Entries of the journal: a document's, or those of some days."""
    with reading(company.engine) as connection:
        if document_id is not None:
            rows = journal_of(connection, document_id)[offset : offset + limit]
        else:
            rows = journal_between(
                connection,
                first or FIRST_DAY,
                last or company.clock.today(),
                limit=limit,
                offset=offset,
            )
    return Entries(rows=rows, limit=limit, offset=offset)


@router.get("/journal.csv", response_class=StreamingResponse)
def journal_file(
    _actor: Reader,
    company: OfCompany,
    first: Annotated[date | None, Query(description="left out: from the beginning")] = None,
    last: Annotated[date | None, Query(description="left out: until today")] = None,
) -> StreamingResponse:
    """The journal of some days as a file; amounts are decimal numbers."""
    until = last or company.clock.today()
    return StreamingResponse(
        _lines(company, first or FIRST_DAY, until),
        media_type="text/csv",
        headers={"Content-Disposition": f'attachment; filename="journal-{until}.csv"'},
    )


AT_ONCE = 5_000


def _lines(company: Any, first: date, last: date) -> Iterator[str]:
    names = [one.name for one in fields(JournalEntry)]
    yield _row(names)
    offset = 0
    while True:
        with reading(company.engine) as connection:
            rows = journal_between(connection, first, last, limit=AT_ONCE, offset=offset)
        for one in rows:
            told = dict(zip(names, astuple(one), strict=True))
            yield _row(
                [money_text(told[name]) if name in ("amount", "value") else told[name] for name in names]
            )
        if len(rows) < AT_ONCE:
            return
        offset += AT_ONCE


def _row(values: Sequence[Any]) -> str:
    line = StringIO()
    csv.writer(line).writerow(values)
    return line.getvalue()
