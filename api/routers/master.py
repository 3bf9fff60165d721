"""Master data: items, suppliers and their items, locations, channels."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from fastapi import APIRouter

from api.auth import OfCompany, Reader
from api.fields import public_in, reveal
from api.paging import Limit, Offset
from api.problems import require_known
from erp_core.master.queries import (
    Channel,
    Item,
    Location,
    Source,
    Supplier,
    list_channels,
    list_items,
    list_locations,
    list_sources,
    list_suppliers,
)
from erp_core.master.queries.planning_policies import OwnedPolicy, list_policies
from erp_core.master.rules import ITEM_STATUSES, SUPPLIER_STATUSES
from erp_core.storage.engine import reading

router = APIRouter(tags=["master data"])


@router.get("/items", response_model=public_in(list, Item))
def items(
    actor: Reader,
    company: OfCompany,
    text: str | None = None,
    category: str | None = None,
    status: str | None = None,
    limit: Limit = 100,
    offset: Offset = 0,
) -> Any:
    """Items by SKU; `text` is looked for in SKU and name."""
    require_known("status", [status] if status else None, ITEM_STATUSES)
    with reading(company.engine) as connection:
        found = list_items(
            connection, text=text, category=category, status=status, limit=limit, offset=offset
        )
    return [reveal(one, actor.rights) for one in found]


@router.get("/items/{item_id}/suppliers", response_model=public_in(list, Source))
def item_suppliers(item_id: UUID, actor: Reader, company: OfCompany) -> Any:
    """Who supplies an item: the preferred supplier first, then the alternates by rank, at today's prices."""
    with reading(company.engine) as connection:
        found = list_sources(connection, item_id, on=company.clock.today())
    return [reveal(one, actor.rights) for one in found]


@router.get("/suppliers", response_model=public_in(list, Supplier))
def suppliers(actor: Reader, company: OfCompany, status: str | None = None) -> Any:
    """Suppliers by code, with their terms."""
    require_known("status", [status] if status else None, SUPPLIER_STATUSES)
    with reading(company.engine) as connection:
        return [reveal(one, actor.rights) for one in list_suppliers(connection, status=status)]


@router.get("/locations")
def locations(_actor: Reader, company: OfCompany) -> list[Location]:
    """Places that hold stock, by code."""
    with reading(company.engine) as connection:
        return list_locations(connection)


@router.get("/planning-policies")
def planning_policies(
    _actor: Reader,
    company: OfCompany,
    item_id: UUID | None = None,
    channel_id: UUID | None = None,
    on: date | None = None,
) -> list[OwnedPolicy]:
    """How well items are to be served where, on a day or today, and who answers for it; with a channel what counts for it."""
    with reading(company.engine) as connection:
        return list_policies(connection, on or company.clock.today(), item_id=item_id, channel_id=channel_id)


@router.get("/channels")
def channels(_actor: Reader, company: OfCompany) -> list[Channel]:
    """Ways customers order, by priority."""
    with reading(company.engine) as connection:
        return list_channels(connection)
