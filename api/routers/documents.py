"""Documents: sales orders, purchase orders, returns. Changes go through their commands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel
from sqlalchemy import Connection

from api.auth import OfCompany, Reader
from api.fields import public_in, reveal
from api.labels import Label, labels_for
from api.paging import Limit, Offset, Page
from api.problems import not_found, require_known
from erp_core.gate.principals import Principal
from erp_core.orders.queries import (
    ExposedLine,
    Order,
    OrderDetail,
    exposed_lines,
    find_order,
    get_order,
    list_orders,
)
from erp_core.orders.rules import ORDER_STATUSES
from erp_core.procurement.queries import (
    OpenLine,
    PurchaseOrderDetail,
    PurchaseOrderHeader,
    find_purchase_order,
    list_purchase_orders,
    open_lines,
    purchase_order,
)
from erp_core.procurement.rules import PURCHASE_ORDER_STEPS
from erp_core.returns.queries import ReturnDetail, ReturnHeader, find_return, list_returns, return_detail
from erp_core.returns.rules import RETURN_STEPS
from erp_core.storage.engine import reading

router = APIRouter()
T = TypeVar("T")
Statuses = Annotated[list[str] | None, Query(description="left out: every status")]
Search = Annotated[
    str | None, Query(min_length=1, max_length=60, description="part of a number or an external reference")
]


class Records(Page[T], Generic[T]):
    """A page of documents; `labels` gives code and name of every item, supplier, location and channel named."""

    labels: dict[UUID, Label]


class Document(BaseModel, Generic[T]):
    """One document with its labels."""

    record: T
    labels: dict[UUID, Label]


def _page(
    connection: Connection,
    actor: Principal,
    records: Sequence[Any],
    total: int | None,
    limit: int,
    offset: int,
) -> dict[str, Any]:
    return {
        "rows": [reveal(one, actor.rights) for one in records],
        "total": total,
        "limit": limit,
        "offset": offset,
        "labels": labels_for(connection, records),
    }


def _document(connection: Connection, actor: Principal, record: Any) -> dict[str, Any]:
    return {"record": reveal(record, actor.rights), "labels": labels_for(connection, [record])}


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


@router.get("/orders", tags=["orders"], response_model=public_in(Records, Order))
def orders(
    actor: Reader,
    company: OfCompany,
    status: Statuses = None,
    channel_id: UUID | None = None,
    search: Search = None,
    limit: Limit = 50,
    offset: Offset = 0,
) -> Any:
    """Sales orders, latest first. `total` is null: counting a long history would cost a scan."""
    require_known("status", status, ORDER_STATUSES)
    with reading(company.engine) as connection:
        found = list_orders(
            connection, status=status, channel_id=channel_id, search=search, limit=limit, offset=offset
        )
        return _page(connection, actor, found, None, limit, offset)


@router.get("/orders/exposed", tags=["orders"], response_model=public_in(Records, ExposedLine))
def exposed(
    actor: Reader, company: OfCompany, item_id: UUID | None = None, location_id: UUID | None = None
) -> Any:
    """Open order lines without enough stock reserved, the earliest promise first."""
    with reading(company.engine) as connection:
        items = [item_id] if item_id else None
        found = exposed_lines(connection, item_ids=items, location_id=location_id)
        return _page(connection, actor, found[:500], len(found), 500, 0)


@router.get("/orders/{order}", tags=["orders"], response_model=public_in(Document, OrderDetail))
def order(order: str, actor: Reader, company: OfCompany) -> Any:
    """One sales order by id, number or external reference, with lines and parcels."""
    with reading(company.engine) as connection:
        id_ = _id(order)
        found = get_order(connection, id_) if id_ else find_order(connection, order)
        if found is None:
            raise not_found("order", "list the orders first")
        return _document(connection, actor, found)


@router.get(
    "/purchase-orders",
    tags=["purchase orders"],
    response_model=public_in(Records, PurchaseOrderHeader),
)
def purchase_orders(
    actor: Reader,
    company: OfCompany,
    status: Statuses = None,
    supplier_id: UUID | None = None,
    limit: Limit = 50,
    offset: Offset = 0,
) -> Any:
    """Purchase orders, newest first."""
    require_known("status", status, PURCHASE_ORDER_STEPS)
    with reading(company.engine) as connection:
        found, total = list_purchase_orders(
            connection, statuses=status, supplier_id=supplier_id, limit=limit, offset=offset
        )
        return _page(connection, actor, found, total, limit, offset)


@router.get(
    "/purchase-orders/inbound",
    tags=["purchase orders"],
    response_model=public_in(Records, OpenLine),
)
def inbound(actor: Reader, company: OfCompany, supplier_id: UUID | None = None, late: bool = False) -> Any:
    """Lines on their way, the earliest promise first; `late` for those past their first promise."""
    with reading(company.engine) as connection:
        found = open_lines(
            connection, supplier_id=supplier_id, late_on=company.clock.today() if late else None
        )
        return _page(connection, actor, found[:500], len(found), 500, 0)


@router.get(
    "/purchase-orders/{po}",
    tags=["purchase orders"],
    response_model=public_in(Document, PurchaseOrderDetail),
)
def purchase_order_(po: str, actor: Reader, company: OfCompany) -> Any:
    """One purchase order by id or number, with lines, receipts and the supplier's messages."""
    with reading(company.engine) as connection:
        id_ = _id(po)
        if id_ is None:
            header = find_purchase_order(connection, po)
            id_ = header.id if header else None
        found = purchase_order(connection, id_) if id_ else None
        if found is None:
            raise not_found("purchase order", "list the purchase orders first")
        return _document(connection, actor, found)


@router.get("/returns", tags=["returns"], response_model=public_in(Records, ReturnHeader))
def returns(
    actor: Reader, company: OfCompany, status: Statuses = None, limit: Limit = 50, offset: Offset = 0
) -> Any:
    """Returns, newest first."""
    require_known("status", status, RETURN_STEPS)
    with reading(company.engine) as connection:
        found, total = list_returns(connection, statuses=status, limit=limit, offset=offset)
        return _page(connection, actor, found, total, limit, offset)


@router.get("/returns/{ref}", tags=["returns"], response_model=public_in(Document, ReturnDetail))
def return_(ref: str, actor: Reader, company: OfCompany) -> Any:
    """One return by id or number, with its lines."""
    with reading(company.engine) as connection:
        id_ = _id(ref)
        if id_ is None:
            header = find_return(connection, ref)
            id_ = header.id if header else None
        found = return_detail(connection, id_) if id_ else None
        if found is None:
            raise not_found("return", "list the returns first")
        return _document(connection, actor, found)
