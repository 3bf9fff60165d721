"""The warehouse's door: what is expected by day, and what is held there."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel

from api.arrivals import Arrival, ExpectedDay, arrivals, by_day
from api.auth import OfCompany, Reader
from api.fields import public_in, reveal
from api.labels import Label, labels_for
from api.paging import Limit
from api.routers.documents import Records
from erp_core.inventory.putaway.queries import putaway_advice
from erp_core.inventory.putaway.rules import Advice
from erp_core.procurement.queries.held import HeldGoods, held_goods
from erp_core.storage.engine import reading

router = APIRouter(prefix="/receiving", tags=["receiving"])


class Expected(BaseModel):
    """What places await: by day, and the rows behind it, of which `total` counts all."""

    today: date
    days: list[ExpectedDay]
    rows: list[Arrival]
    total: int
    labels: dict[UUID, Label]


class PutawayAdvice(BaseModel):
    """Advice by item and lot."""

    rows: list[Advice]
    labels: dict[UUID, Label]


@router.get("/expected")
def expected(
    _reader: Reader,
    company: OfCompany,
    location_id: UUID | None = None,
    until: Annotated[date | None, Query(description="left out: whenever it comes")] = None,
    limit: Limit = 200,
) -> Expected:
    """Purchases, transfers and returns on their way, by place and day; what is late stands apart, by its day."""
    today = company.clock.today()
    with reading(company.engine) as connection:
        found = arrivals(connection, today, location_id=location_id, until=until)
        days = by_day(found)
        labels = labels_for(connection, [*days, *found[:limit]])
    return Expected(today=today, days=days, rows=found[:limit], total=len(found), labels=labels)


@router.get("/putaway")
def putaway(
    _reader: Reader, company: OfCompany, location_id: UUID, item_id: UUID | None = None
) -> PutawayAdvice:
    """Where what lies at a site itself should be put away, and why there."""
    with reading(company.engine) as connection:
        found = putaway_advice(
            connection, location_id, company.clock.today(), None if item_id is None else [item_id]
        )
        return PutawayAdvice(rows=found, labels=labels_for(connection, found))


@router.get("/held", response_model=public_in(Records, HeldGoods))
def held(actor: Reader, company: OfCompany, location_id: UUID | None = None, limit: Limit = 200) -> Any:
    """Goods that wait for a decision: beyond an order, to be inspected, in doubt, or not ordered; the longest first."""
    with reading(company.engine) as connection:
        found = held_goods(connection, location_id=location_id)
        labels = labels_for(connection, found[:limit])
    return {
        "rows": [reveal(one, actor.rights) for one in found[:limit]],
        "total": len(found),
        "limit": limit,
        "offset": 0,
        "labels": labels,
    }
