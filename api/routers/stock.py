"""Stock: positions now and on a past day, and the ledger moves behind a number."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel

from api.auth import OfCompany, Reader
from api.labels import Label, labels_for
from api.paging import Limit, Offset
from erp_core.inventory.queries import MoveRecord, Position, positions, stock_moves_of
from erp_core.storage.engine import reading

router = APIRouter(prefix="/stock", tags=["stock"])


class PositionBody(BaseModel):
    """Stock of an item at a location, in base units. `states` names every state that holds something."""

    item_id: UUID
    location_id: UUID
    states: dict[str, int]
    on_hand: int
    available: int
    reserved: int
    sellable: int
    in_transit: int

    @classmethod
    def of(cls, found: Position) -> PositionBody:
        """The position as the API shows it."""
        return cls(
            item_id=found.item_id,
            location_id=found.location_id,
            states=dict(found.states),
            on_hand=found.on_hand,
            available=found.available,
            reserved=found.reserved,
            sellable=found.sellable,
            in_transit=found.in_transit,
        )


class Positions(BaseModel):
    """A page of positions, by item and location code."""

    rows: list[PositionBody]
    total: int
    limit: int
    offset: int
    as_of: date
    labels: dict[UUID, Label]


@router.get("")
def stock(
    _reader: Reader,
    company: OfCompany,
    item_id: UUID | None = None,
    location_id: UUID | None = None,
    as_of: date | None = None,
    limit: Limit = 100,
    offset: Offset = 0,
) -> Positions:
    """Positions now, or at the end of the day `as_of`; pairs without stock are left out."""
    with reading(company.engine) as connection:
        found = positions(
            connection, item_ids=[item_id] if item_id else None, location_id=location_id, as_of=as_of
        )
        records = sorted(found.values(), key=lambda one: (one.item_id, one.location_id))
        shown = records[offset : offset + limit]
        return Positions(
            rows=[PositionBody.of(one) for one in shown],
            total=len(records),
            limit=limit,
            offset=offset,
            as_of=as_of or company.clock.today(),
            labels=labels_for(connection, shown),
        )


@router.get("/moves")
def moves(
    _reader: Reader,
    company: OfCompany,
    item_id: UUID | None = None,
    location_id: UUID | None = None,
    state: str | None = None,
    document_id: UUID | None = None,
    first_on: date | None = None,
    last_on: date | None = None,
    limit: Limit = 100,
) -> list[MoveRecord]:
    """Ledger moves, latest first."""
    with reading(company.engine) as connection:
        return stock_moves_of(
            connection,
            item_id=item_id,
            location_id=location_id,
            state=state,
            document_id=document_id,
            first_on=first_on,
            last_on=last_on,
            limit=limit,
        )
