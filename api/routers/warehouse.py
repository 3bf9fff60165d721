"""Work in the warehouse and views of stock: buckets on any day, figures, ageing, counts, refills, transfers, snapshots."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from fastapi import APIRouter

from api.auth import OfCompany, Reader
from api.fields import public_in, reveal
from api.paging import Limit
from api.problems import not_found, require_known
from erp_core.inventory.ageing import AgedStock, aged_stock
from erp_core.inventory.buckets import BucketStock, bucket_stock
from erp_core.inventory.bundles import KitAvailability, kit_availability
from erp_core.inventory.counts.queries import Count, SheetLine, due_counts, find_count, list_counts, sheet
from erp_core.inventory.counts.rules import COUNT_STATUSES, DueCount
from erp_core.inventory.pick_faces.queries import Refill, due_refills
from erp_core.inventory.snapshots.queries import SnapshotDifference, snapshot_differences
from erp_core.master.queries.kits import Kit, list_kits
from erp_core.orders.queries.kept import kept_units
from erp_core.orders.queries.reserved import ReservedForChannel, reserved_by_channel
from erp_core.planning.balancing import TransferAdvice, transfer_advice
from erp_core.procurement.figures import channel_atp, stock_figures
from erp_core.storage.engine import reading

router = APIRouter(tags=["stock"])


@dataclass(frozen=True, slots=True)
class StockInDepth:
    """An item by location, state, lot and owner, and for which channel's orders it is reserved."""

    as_of: date
    buckets: list[BucketStock]
    reserved: list[ReservedForChannel]


@dataclass(frozen=True, slots=True)
class Figures:
    """Every figure of an item at a place, in base units. `atp` is what may be promised for the day `on`.

    `subscription_committed` is a part of what is available; no order of another channel is promised it.
    """

    item_id: UUID
    location_id: UUID
    on: date
    states: dict[str, int]
    on_hand: int
    sellable: int
    in_transit: int
    non_pickable: int
    on_order: int
    supplier_confirmed: int
    inbound_due: int
    backordered: int
    subscription_committed: int
    atp: int


@dataclass(frozen=True, slots=True)
class CountSheet:
    """A count with its lines; what was expected shows once it is counted."""

    count: Count
    lines: list[SheetLine]


@router.get("/stock/buckets")
def buckets(
    _reader: Reader,
    company: OfCompany,
    item_id: UUID,
    location_id: UUID | None = None,
    state: str | None = None,
    lot_id: UUID | None = None,
    as_of: date | None = None,
) -> StockInDepth:
    """The item's buckets now or at the end of the day `as_of`; `/stock/moves` lists what is behind each."""
    with reading(company.engine) as connection:
        return StockInDepth(
            as_of or company.clock.today(),
            bucket_stock(
                connection, item_id, location_id=location_id, state=state, lot_id=lot_id, as_of=as_of
            ),
            reserved_by_channel(connection, item_id, location_id=location_id, as_of=as_of),
        )


@router.get("/stock/figures")
def figures(
    _reader: Reader,
    company: OfCompany,
    item_id: UUID,
    location_id: UUID,
    channel_id: UUID | None = None,
    on: date | None = None,
) -> Figures:
    """What there is, what comes, what is owed and what may be promised.

    A channel keeps its buffer back and is not promised what others keep; without one, what subscriptions keep is not.
    """
    day, pair = on or company.clock.today(), (item_id, location_id)
    with reading(company.engine) as connection:
        found = stock_figures(connection, [pair])
        one = found[pair]
        atp = one.atp(day) if channel_id is None else channel_atp(connection, found, channel_id, day)[pair]
        kept = kept_units(connection, item_id, location_id, day)
    available = one.position.available
    return Figures(
        item_id,
        location_id,
        day,
        dict(one.position.states),
        one.position.on_hand,
        one.position.sellable,
        one.position.in_transit,
        one.non_pickable,
        one.on_order,
        one.supplier_confirmed,
        one.due_by(day),
        one.backordered,
        kept.committed(available),
        atp - kept.from_others(channel_id, available),
    )


@router.get("/stock/ageing")
def ageing(
    _reader: Reader,
    company: OfCompany,
    location_id: UUID | None = None,
    item_id: UUID | None = None,
    trapped: bool = False,
    limit: Limit = 100,
) -> list[AgedStock]:
    """Stock by age, the oldest first; `trapped` for what lies where nobody can sell it."""
    with reading(company.engine) as connection:
        found = aged_stock(
            connection,
            company.clock.today(),
            location_id=location_id,
            item_id=item_id,
            trapped_only=trapped,
        )
    return found[:limit]


@router.get("/stock/transfer-advice")
def advice(
    _reader: Reader, company: OfCompany, location_id: UUID | None = None, limit: Limit = 100
) -> list[TransferAdvice]:
    """Transfers that would cover what a place lacks and has room for from what another can spare."""
    with reading(company.engine) as connection:
        return transfer_advice(connection, location_id=location_id)[:limit]


@router.get("/stock/refills")
def refills(_reader: Reader, company: OfCompany, location_id: UUID | None = None) -> list[Refill]:
    """Pick faces below their minimum, the emptiest first."""
    with reading(company.engine) as connection:
        return due_refills(connection, location_id)


@router.get("/stock/snapshot-differences")
def reported_differences(
    _reader: Reader, company: OfCompany, location_id: UUID | None = None, tolerated: bool = False
) -> list[SnapshotDifference]:
    """Where the latest snapshot of a location and the ledger of its day differ."""
    with reading(company.engine) as connection:
        return snapshot_differences(connection, location_id, tolerated=tolerated)


@router.get("/kits", response_model=public_in(list, Kit))
def kits(actor: Reader, company: OfCompany) -> Any:
    """Kits and what they consist of."""
    with reading(company.engine) as connection:
        return [reveal(one, actor.rights) for one in list_kits(connection)]


@router.get("/stock/kits")
def kits_available(
    _reader: Reader, company: OfCompany, kit_item_id: UUID | None = None
) -> list[KitAvailability]:
    """How many kits can be promised, by location."""
    with reading(company.engine) as connection:
        return kit_availability(connection, None if kit_item_id is None else [kit_item_id])


@router.get("/counts")
def counts(
    _reader: Reader,
    company: OfCompany,
    location_id: UUID | None = None,
    status: str | None = None,
    limit: Limit = 100,
) -> list[Count]:
    """Counts, latest first."""
    require_known("status", None if status is None else [status], COUNT_STATUSES)
    with reading(company.engine) as connection:
        return list_counts(connection, location_id=location_id, status=status, limit=limit)


@router.get("/counts/due", response_model=public_in(list, DueCount))
def counts_due(actor: Reader, company: OfCompany, location_id: UUID | None = None, limit: Limit = 100) -> Any:
    """What is to be counted now, most urgent first."""
    with reading(company.engine) as connection:
        found = due_counts(connection, company.clock.today(), location_id=location_id, limit=limit)
    return [reveal(one, actor.rights) for one in found]


@router.get("/counts/{count_id}")
def count_sheet(_reader: Reader, company: OfCompany, count_id: UUID) -> CountSheet:
    """A count and its sheet."""
    with reading(company.engine) as connection:
        found = find_count(connection, count_id)
        if found is None:
            raise not_found("count", "list the counts first")
        return CountSheet(found, sheet(connection, count_id))
