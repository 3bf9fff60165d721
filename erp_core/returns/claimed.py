"""What suppliers are to credit for goods that went back, against the account that says so."""

from __future__ import annotations

from datetime import date

from sqlalchemy import Connection, func, or_, select

from erp_core.finance.books import account_amounts
from erp_core.procurement.books.reconciling import BookDifference
from erp_core.procurement.model import vendor_claims


def claim_differences(connection: Connection, day: date) -> list[BookDifference]:
    """Where the account of claims is not what the claims open at the end of a day are worth: none, if all is well."""
    claim = vendor_claims.c
    expected = connection.scalar(
        select(func.coalesce(func.sum(claim.expected), 0)).where(
            claim.opened_on <= day, or_(claim.settled_on.is_(None), claim.settled_on > day)
        )
    )
    held = sum(value for _, value in account_amounts(connection, "claims_receivable", day).values())
    if held == expected:
        return []
    return [BookDifference("claims_receivable", None, held, int(expected or 0))]
