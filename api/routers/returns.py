"""Returns: what waits, their terms, how long they take, and what suppliers owe. Changes go through commands."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from fastapi import APIRouter

from api.auth import OfCompany, Reader
from api.fields import public_in, reveal
from api.labels import labels_for
from api.paging import Limit, Offset
from api.problems import require_known
from api.routers.documents import Records
from erp_core.procurement.claims.rules import CLAIM_STEPS
from erp_core.returns.figures import TimeToStock, time_to_stock
from erp_core.returns.of_orders import returns_of
from erp_core.returns.queries import (
    CustomerCredit,
    ReturnDetail,
    TermsOfReturn,
    VendorClaim,
    list_customer_credits,
    list_return_terms,
    list_vendor_claims,
)
from erp_core.returns.waiting import WaitingGoods, WaitsIn, waiting_goods
from erp_core.storage.engine import reading

router = APIRouter(tags=["returns"])


@router.get("/returns/waiting", response_model=public_in(Records, WaitingGoods))
def waiting(
    actor: Reader,
    company: OfCompany,
    state: WaitsIn | None = None,
    location_id: UUID | None = None,
    stranded: bool = False,
    limit: Limit = 100,
    offset: Offset = 0,
) -> Any:
    """Goods that came back and wait for an inspection or a decision: where, since when, for what, and who may act.

    With `stranded` only those that wait for longer than they should.
    """
    with reading(company.engine) as connection:
        found = waiting_goods(
            connection, company.clock.today(), state=state, location_id=location_id, stranded_only=stranded
        )
        shown = found[offset : offset + limit]
        return {
            "rows": [reveal(one, actor.rights) for one in shown],
            "total": len(found),
            "limit": limit,
            "offset": offset,
            "labels": labels_for(connection, shown),
        }


@router.get("/returns/claims", response_model=public_in(list, VendorClaim))
def claims(actor: Reader, company: OfCompany, status: str | None = None) -> Any:
    """What suppliers owe for goods that went back to them, the oldest first."""
    require_known("status", [status] if status else None, CLAIM_STEPS)
    with reading(company.engine) as connection:
        return [reveal(one, actor.rights) for one in list_vendor_claims(connection, status=status)]


@router.get("/returns/credits", response_model=list[CustomerCredit])
def credits(
    actor: Reader, company: OfCompany, order_id: UUID | None = None, limit: Limit = 100, offset: Offset = 0
) -> Any:
    """Money that customers were given back without a return, the newest first; before tax."""
    with reading(company.engine) as connection:
        return list(list_customer_credits(connection, order_id=order_id, limit=limit, offset=offset))


@router.get("/returns/terms", response_model=list[TermsOfReturn])
def terms(actor: Reader, company: OfCompany) -> Any:
    """What may come back of which channel and category, and how long. Where none holds, the default does."""
    with reading(company.engine) as connection:
        return list(list_return_terms(connection))


@router.get("/returns/time-to-stock", response_model=TimeToStock)
def time_back(actor: Reader, company: OfCompany, start: date, end: date) -> Any:
    """Days from return to sellable by unit, of what was decided on between two days; null where nothing was."""
    with reading(company.engine) as connection:
        return time_to_stock(connection, start, end, company.clock.today())


@router.get("/orders/{order_id}/returns", response_model=public_in(list, ReturnDetail))
def of_order(order_id: UUID, actor: Reader, company: OfCompany) -> Any:
    """What came back of an order, the oldest first."""
    with reading(company.engine) as connection:
        return [reveal(one, actor.rights) for one in returns_of(connection, order_id)]
