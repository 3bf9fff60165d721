"""The supplier's own channel: its orders, what it sent, and its EDIFACT interchanges. Nothing of anybody else."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID, uuid5

from fastapi import APIRouter, Depends, Query, Request
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool

from api.auth import Actor, OfCompany
from api.outcomes import OUTCOMES, ExecutedBody, Key, answer
from api.paging import Limit
from api.problems import Problem, lacks_right, not_found, require_known
from erp_core.integration.edifact.commands import LARGEST, ReceiveInterchange
from erp_core.procurement.ordering.supplier_view import (
    Sent,
    SuppliersOrder,
    SuppliersOrderDetail,
    sent_by_supplier,
    suppliers_order,
    suppliers_orders,
)
from erp_core.procurement.quotations.suppliers_requests import SuppliersRequest, suppliers_requests
from erp_core.procurement.rules import PURCHASE_ORDER_STEPS
from erp_core.storage.engine import reading

router = APIRouter(prefix="/supplier", tags=["supplier"])
Statuses = Annotated[list[str] | None, Query(description="left out: every status")]


def own_supplier(actor: Actor) -> UUID:
    """The supplier that the login acts for, or 403: nobody else has a place here."""
    if not actor.has_right("supplier_channel"):
        raise lacks_right("supplier_channel", actor.login)
    if actor.supplier_id is None:
        raise Problem(
            403,
            "not_your_supplier",
            "the login acts for no supplier",
            remedy="ask for one that is bound to yours",
        )
    return actor.supplier_id


OwnSupplier = Annotated[UUID, Depends(own_supplier)]


@router.get("/purchase-orders")
def purchase_orders(
    supplier_id: OwnSupplier, company: OfCompany, status: Statuses = None, limit: Limit = 100
) -> list[SuppliersOrder]:
    """The orders that were sent to you, the newest first."""
    require_known("status", status, PURCHASE_ORDER_STEPS)
    with reading(company.engine) as connection:
        return list(suppliers_orders(connection, supplier_id, statuses=status, limit=limit))


@router.get("/purchase-orders/{po_id}")
def purchase_order(po_id: UUID, supplier_id: OwnSupplier, company: OfCompany) -> SuppliersOrderDetail:
    """One of your orders: lines, what is asked of you, notices, milestones and history."""
    with reading(company.engine) as connection:
        found = suppliers_order(connection, supplier_id, po_id, company.clock.today())
    if found is None:
        raise not_found("purchase order", "list your orders first")
    return found


@router.get("/quotation-requests")
def quotation_requests(
    supplier_id: OwnSupplier, company: OfCompany, limit: Limit = 100
) -> list[SuppliersRequest]:
    """What you were asked to quote, with your own last answer; `RecordQuotation` answers."""
    with reading(company.engine) as connection:
        return list(suppliers_requests(connection, supplier_id, limit=limit))


@router.get("/sent")
def sent(supplier_id: OwnSupplier, company: OfCompany, limit: Limit = 100) -> list[Sent]:
    """What you sent by any way in, taken or refused with the remedy, the newest first."""
    with reading(company.engine) as connection:
        return list(sent_by_supplier(connection, supplier_id, limit=limit))


@router.post("/interchanges", response_model=ExecutedBody, responses=OUTCOMES)
async def interchange(
    request: Request, actor: Actor, supplier_id: OwnSupplier, company: OfCompany, key: Key
) -> Any:
    """Send an EDIFACT interchange (ORDRSP, DESADV, INVOIC) as the body: taken as a whole, and once by its reference."""
    body = await request.body()
    try:
        command = ReceiveInterchange(
            interchange_id=uuid5(supplier_id, key), supplier_id=supplier_id, content=body.decode("utf-8")
        )
    except (UnicodeDecodeError, ValidationError):
        raise Problem(
            422,
            "invalid",
            "the body is empty, too large or no text",
            remedy=f"send one interchange in UTF-8 of at most {LARGEST} signs",
        ) from None
    return answer(await run_in_threadpool(company.gate.submit, command, actor, key=key))
