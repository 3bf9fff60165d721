"""Books: what every account holds, what moved it, what a document posted, and the months with their state."""

from __future__ import annotations

from datetime import date
from itertools import groupby
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, Response

from api.auth import OfCompany
from api.console.view import page, seeing
from api.paging import Offset, Page
from api.problems import not_found
from erp_core.finance.accounts import ACCOUNTS
from erp_core.finance.books import LedgerEntry, journal_of, ledger_of, trial_balance
from erp_core.gate.principals import Principal
from erp_core.procurement.books.periods import list_periods
from erp_core.procurement.books.reconciling import journal_differences
from erp_core.storage.engine import reading

router = APIRouter(include_in_schema=False, prefix="/books")
Bookkeeper = Annotated[Principal, Depends(seeing("read_books"))]
AT_ONCE = 100
FIRST_DAY = date(2000, 1, 1)


@router.get("", response_class=HTMLResponse)
def books(request: Request, viewer: Bookkeeper, company: OfCompany, as_of: date | None = None) -> Response:
    """The trial balance of a day by type of account, and the months."""
    today = company.clock.today()
    day = as_of or today
    with reading(company.engine) as connection:
        rows = trial_balance(connection, day)
        differences = journal_differences(connection, day)
        periods = list_periods(connection, today)
    groups = [(kind, list(of_kind)) for kind, of_kind in groupby(rows, key=lambda one: one.type)]
    return page(
        request,
        company,
        viewer,
        "books.html",
        "books",
        day=day,
        groups=groups,
        debit=sum(one.debit for one in rows),
        credit=sum(one.credit for one in rows),
        differences=[(ACCOUNTS[one.account].name, one) for one in differences],
        periods=periods[:24],
    )


@router.get("/accounts/{code}", response_class=HTMLResponse)
def account(
    request: Request,
    viewer: Bookkeeper,
    company: OfCompany,
    code: str,
    as_of: date | None = None,
    offset: Offset = 0,
) -> Response:
    """What moved an account up to a day, oldest first."""
    one = ACCOUNTS.get(code)
    if one is None:
        raise not_found("account", "choose one of the books")
    day = as_of or company.clock.today()
    with reading(company.engine) as connection:
        rows = ledger_of(connection, one.code, FIRST_DAY, day, limit=AT_ONCE + 1, offset=offset)
    seen = offset + len(rows)
    entries: Page[LedgerEntry] = Page(rows=rows[:AT_ONCE], total=seen, limit=AT_ONCE, offset=offset)
    return page(
        request,
        company,
        viewer,
        "books_account.html",
        "books",
        account=one,
        day=day,
        names={each.code: each.name for each in ACCOUNTS.values()},
        entries=entries,
    )


@router.get("/documents/{document_id}", response_class=HTMLResponse)
def document(request: Request, viewer: Bookkeeper, company: OfCompany, document_id: UUID) -> Response:
    """Everything that a document posted."""
    with reading(company.engine) as connection:
        rows = journal_of(connection, document_id)
    if not rows:
        raise not_found("document in the journal", "choose an entry of an account")
    return page(
        request,
        company,
        viewer,
        "books_document.html",
        "books",
        entries=rows,
        kind=rows[0].document_kind,
        names={each.code: each.name for each in ACCOUNTS.values()},
    )
