"""Lots and numbered units: what there is, what expires, what is held, where one came from and went."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query

from api.auth import OfCompany, Reader
from api.fields import public, reveal
from api.paging import Limit
from api.problems import require_known
from erp_core.gate.contract import NotFound
from erp_core.inventory.lots.queries import (
    ExpiringLot,
    Hold,
    LotMove,
    LotStock,
    authorities,
    expiring_lots,
    list_holds,
    list_lots,
    lots_by_id,
    shelf_life,
)
from erp_core.inventory.lots.rules import HOLD_STEPS, Lot
from erp_core.inventory.model import LOT_STATUSES
from erp_core.inventory.ownership import OwnedStock, owned_stock
from erp_core.orders.queries.lots import LotShipment, trace_lot
from erp_core.procurement.queries import receipts_under
from erp_core.storage.engine import reading

router = APIRouter(tags=["lots"])


@dataclass(frozen=True, slots=True)
class LotWay:
    """A lot both ways: `origins` with the supplier `receipts` behind them, and forward to shipments and customers."""

    lot: Lot
    stock: list[LotStock]
    origins: list[LotMove]
    receipts: list[UUID]
    transfers: list[LotMove]
    shipments: list[LotShipment]
    others: list[LotMove]


@dataclass(frozen=True, slots=True)
class ShelfLife:
    """Days that a lot must last yet when it is promised on a channel; without an item for all without a rule."""

    channel_id: UUID
    item_id: UUID | None
    minimum_days: int


@dataclass(frozen=True, slots=True)
class Authority:
    """The system that is believed about an owner's stock at a location."""

    location_id: UUID
    owner: str
    system: str


@router.get("/lots")
def lots(
    _reader: Reader,
    company: OfCompany,
    item_id: UUID | None = None,
    code: str | None = None,
    status: str | None = None,
    limit: Limit = 100,
) -> list[Lot]:
    """Lots and numbered units, the first to expire first."""
    require_known("status", None if status is None else [status], LOT_STATUSES)
    with reading(company.engine) as connection:
        return list_lots(connection, item_id=item_id, code=code, status=status, limit=limit)


@router.get("/lots/expiring")
def expiring(
    _reader: Reader, company: OfCompany, days: Annotated[int, Query(ge=0, le=3_650)] = 30
) -> list[ExpiringLot]:
    """Own stock whose last day is at most `days` away, or over, by place."""
    with reading(company.engine) as connection:
        return expiring_lots(connection, company.clock.today(), days)


@router.get("/lots/{lot_id}", response_model=public(LotWay))
def lot(actor: Reader, company: OfCompany, lot_id: UUID) -> Any:
    """Where a lot came from, where what is left of it lies, and who got the rest."""
    with reading(company.engine) as connection:
        found = lots_by_id(connection, [lot_id]).get(lot_id)
        if found is None:
            raise NotFound(
                f"there is no lot {lot_id}",
                field="lot_id",
                remedy="list the lots of the item, or look for a code",
            )
        trace = trace_lot(connection, lot_id)
        receipts = receipts_under(connection, {move.audit_id for move in trace.origins})
    way = LotWay(found, trace.stock, trace.origins, receipts, trace.transfers, trace.shipments, trace.others)
    return reveal(way, actor.rights)


@router.get("/holds")
def holds(
    _reader: Reader,
    company: OfCompany,
    status: str | None = "open",
    item_id: UUID | None = None,
    limit: Limit = 100,
) -> list[Hold]:
    """What is held back and why, the latest first; an empty `status` for all."""
    require_known("status", [status] if status else None, HOLD_STEPS)
    with reading(company.engine) as connection:
        return list_holds(connection, status=status or None, item_id=item_id, limit=limit)


@router.get("/shelf-life")
def shelf_life_rules(_reader: Reader, company: OfCompany) -> list[ShelfLife]:
    """How long a lot must last yet, by channel and item."""
    with reading(company.engine) as connection:
        return [ShelfLife(*key, days) for key, days in shelf_life(connection).items()]


@router.get("/stock/ownership")
def ownership(_reader: Reader, company: OfCompany, item_id: UUID | None = None) -> list[OwnedStock]:
    """Whose the stock is, who holds it, and which system is right about it."""
    with reading(company.engine) as connection:
        return owned_stock(connection, item_id=item_id)


@router.get("/stock/authorities")
def stock_authorities(_reader: Reader, company: OfCompany) -> list[Authority]:
    """Which system is believed where it is not this ledger."""
    with reading(company.engine) as connection:
        return [Authority(*key, system) for key, system in authorities(connection).items()]
