"""Reads of returns. Money in ten-thousandths, quantities in base units.

Rows of an import that is not complete are never seen.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Table, func, select

from erp_core.master.queries import visible
from erp_core.procurement.model import vendor_claims
from erp_core.returns.model import return_lines, return_terms, returns
from erp_core.returns.model_credits import customer_credits
from erp_core.storage.lookup import AnyRow


@dataclass(frozen=True, slots=True)
class ReturnHeader:
    """A return without its lines."""

    id: UUID
    number: str
    order_id: UUID | None
    channel_id: UUID
    customer_country: str
    status: str
    returned_on: date
    version: int
    override_reason: str | None
    risk_score: int | None
    risk_reasons: list[dict[str, Any]] | None


@dataclass(frozen=True, slots=True)
class ReturnLine:
    """A line of a return. `comment` is the customer's untrusted text: show it as data only."""

    id: UUID
    line_no: int
    order_line_id: UUID | None
    item_id: UUID
    location_id: UUID
    returned_on: date
    shipped_on: date | None
    quantity: int
    reason: str
    condition: str | None
    packaging: str | None
    resale_eligible: bool | None
    rule: str | None
    rule_because: str | None
    disposition: str | None
    disposed_on: date | None
    refund: int
    cost: int | None
    recovered: int | None
    written_off: int | None
    comment: str | None


@dataclass(frozen=True, slots=True)
class ReturnDetail:
    """A return with its lines."""

    header: ReturnHeader
    lines: Sequence[ReturnLine]


@dataclass(frozen=True, slots=True)
class VendorClaim:
    """What a supplier owes for goods that went back; `supplier_id` is None where nobody is known to have sold them.

    They came from a customer's return (`return_line_id`) or from stock (`vendor_return_id`); `po_line_id` is None where
    nobody knows which order brought them.
    """

    id: UUID
    return_line_id: UUID | None
    vendor_return_id: UUID | None
    po_line_id: UUID | None
    supplier_id: UUID | None
    item_id: UUID
    quantity: int
    expected: int | None
    status: str
    credited: int | None
    credit_note: str | None
    opened_on: date
    settled_on: date | None


@dataclass(frozen=True, slots=True)
class OpenClaims:
    """What suppliers still owe for goods that went back; `expected` without the claims that nobody knows the cost of."""

    claims: int
    units: int
    expected: int
    of_unknown_cost: int
    oldest_on: date | None


@dataclass(frozen=True, slots=True)
class CustomerCredit:
    """Money given back to a customer for which no goods came back, without its tax."""

    id: UUID
    number: str
    order_id: UUID
    reason: str
    amount: int
    credited_on: date


@dataclass(frozen=True, slots=True)
class TermsOfReturn:
    """What may come back of a channel and category; None stands for all of them."""

    id: UUID
    channel_id: UUID | None
    category: str | None
    window_days: int
    fault_window_days: int
    reasons: list[str] | None
    resale: str


R = TypeVar("R")


def list_returns(
    connection: Connection, *, statuses: Collection[str] | None = None, limit: int = 50, offset: int = 0
) -> tuple[tuple[ReturnHeader, ...], int]:
    """A page of returns, the newest first, and how many there are in all."""
    conditions: list[ColumnElement[bool]] = [visible(returns.c.import_id)]
    if statuses is not None:
        conditions.append(returns.c.status.in_(list(statuses)))
    total = connection.execute(select(func.count()).select_from(returns).where(*conditions)).scalar_one()
    statement = select(*_columns(ReturnHeader, returns)).where(*conditions)
    newest_first = (
        statement.order_by(returns.c.returned_on.desc(), returns.c.id.desc()).limit(limit).offset(offset)
    )
    return _read(ReturnHeader, connection.execute(newest_first)), total


def find_return(connection: Connection, number: str) -> ReturnHeader | None:
    """The return of this number, in any case, or None."""
    statement = select(*_columns(ReturnHeader, returns)).where(
        func.lower(returns.c.number) == number.lower(), visible(returns.c.import_id)
    )
    found = _read(ReturnHeader, connection.execute(statement))
    return found[0] if len(found) == 1 else None


def return_detail(connection: Connection, return_id: UUID) -> ReturnDetail | None:
    """One return in full, or None when there is none."""
    header = select(*_columns(ReturnHeader, returns)).where(
        returns.c.id == return_id, visible(returns.c.import_id)
    )
    found = _read(ReturnHeader, connection.execute(header))
    if not found:
        return None
    lines = select(*_columns(ReturnLine, return_lines)).where(return_lines.c.return_id == return_id)
    return ReturnDetail(
        found[0], _read(ReturnLine, connection.execute(lines.order_by(return_lines.c.line_no)))
    )


def list_vendor_claims(connection: Connection, *, status: str | None = None) -> tuple[VendorClaim, ...]:
    """Claims on suppliers, the oldest first."""
    statement = select(*_columns(VendorClaim, vendor_claims)).order_by(
        vendor_claims.c.opened_on, vendor_claims.c.id
    )
    if status is not None:
        statement = statement.where(vendor_claims.c.status == status)
    return _read(VendorClaim, connection.execute(statement))


def vendor_claims_page(
    connection: Connection, *, status: str | None = None, limit: int = 50, offset: int = 0
) -> tuple[tuple[VendorClaim, ...], int]:
    """A page of claims on suppliers, and how many there are in all: open ones first, the oldest first, then the last settled."""
    claim = vendor_claims.c
    conditions = [] if status is None else [claim.status == status]
    total = connection.execute(
        select(func.count()).select_from(vendor_claims).where(*conditions)
    ).scalar_one()
    statement = select(*_columns(VendorClaim, vendor_claims)).where(*conditions)
    open_first = statement.order_by(
        claim.settled_on.is_not(None), claim.settled_on.desc(), claim.opened_on, claim.id
    )
    return _read(VendorClaim, connection.execute(open_first.limit(limit).offset(offset))), total


def vendor_claim(connection: Connection, claim_id: UUID) -> VendorClaim | None:
    """One claim on a supplier, or None when there is none."""
    statement = select(*_columns(VendorClaim, vendor_claims)).where(vendor_claims.c.id == claim_id)
    found = _read(VendorClaim, connection.execute(statement))
    return found[0] if found else None


def open_vendor_claims(connection: Connection) -> OpenClaims:
    """All open claims on suppliers together."""
    claim = vendor_claims.c
    row = connection.execute(
        select(
            func.count(),
            func.coalesce(func.sum(claim.quantity), 0),
            func.coalesce(func.sum(claim.expected), 0),
            func.count() - func.count(claim.expected),
            func.min(claim.opened_on),
        ).where(claim.status == "open")
    ).one()
    claims, units, expected, of_unknown_cost, oldest_on = row
    return OpenClaims(claims, int(units), int(expected), of_unknown_cost, oldest_on)


def list_customer_credits(
    connection: Connection, *, order_id: UUID | None = None, limit: int = 100, offset: int = 0
) -> tuple[CustomerCredit, ...]:
    """Credits without a return, the newest first; of one order, or of all."""
    credit = customer_credits.c
    statement = select(*_columns(CustomerCredit, customer_credits))
    if order_id is not None:
        statement = statement.where(credit.order_id == order_id)
    newest_first = statement.order_by(credit.credited_on.desc(), credit.id.desc())
    return _read(CustomerCredit, connection.execute(newest_first.limit(limit).offset(offset)))


def list_return_terms(connection: Connection) -> tuple[TermsOfReturn, ...]:
    """The return terms in force; where none holds, the default of `rules.terms` does."""
    statement = select(*_columns(TermsOfReturn, return_terms)).where(return_terms.c.active)
    return _read(TermsOfReturn, connection.execute(statement.order_by(return_terms.c.id)))


def _columns(record: type[Any], table: Table) -> list[Any]:
    return [table.c[part.name] for part in fields(record)]


def _read(record: Callable[..., R], rows: Iterable[AnyRow]) -> tuple[R, ...]:
    return tuple(record(*row) for row in rows)
