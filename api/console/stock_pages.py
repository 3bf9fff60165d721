"""Stock: where each item lies in which state, now or at the end of a past day, and the moves behind every figure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from itertools import groupby
from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy import Connection

from api.auth import OfCompany
from api.console.view import page, seeing
from api.paging import Offset
from api.problems import invalid, not_found, require_known
from erp_core.analytics.names import record_names
from erp_core.gate.principals import Principal
from erp_core.gate.queries import who_acted
from erp_core.inventory.buckets import BucketStock, bucket_stock
from erp_core.inventory.lots.queries import list_holds, lots_by_id
from erp_core.inventory.lots.rules import Lot
from erp_core.inventory.model import STATES
from erp_core.inventory.months import retired_until
from erp_core.inventory.queries import Position, positions, stock_moves_of
from erp_core.inventory.rules import NO_LOT, ON_HAND_STATES, OWN
from erp_core.inventory.scanning import read_barcode
from erp_core.master.queries import (
    Item,
    Location,
    Names,
    find_by_gtin,
    find_item,
    list_items,
    list_locations,
)
from erp_core.orders.queries.kept import kept_by_pair
from erp_core.orders.queries.published import Published, published_by_channel
from erp_core.orders.queries.quotas import ChannelQuota, list_quotas
from erp_core.orders.queries.reserved import ReservedForChannel, reserved_by_channel
from erp_core.procurement.figures import Pair, StockFigures, known_pairs, stock_figures
from erp_core.storage.engine import reading

router = APIRouter(include_in_schema=False, prefix="/stock")
Reader = Annotated[Principal, Depends(seeing("read_records"))]
Asked = Annotated[str, Query(max_length=120)]
PER_PAGE = 40
LOTS_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Standing:
    """An item at a place as the list shows it; of a past day nobody knows what was on order or owed, nor what could be promised."""

    item_id: UUID
    location_id: UUID
    figures: StockFigures
    subscriptions: int
    atp: int


@dataclass(frozen=True, slots=True)
class PlaceRow:
    """Units of an item at a place by state, of one owner."""

    location_id: UUID
    owner: str
    states: dict[str, int]

    @property
    def on_hand(self) -> int:
        """Units physically there."""
        return sum(self.states.get(state, 0) for state in ON_HAND_STATES)


@dataclass(frozen=True, slots=True)
class LotRow:
    """Units of a lot at a place in a state. `days_left` until its last day; below 0: over; None where it has none."""

    lot: Lot
    bucket: BucketStock
    days_left: int | None


@dataclass(frozen=True, slots=True)
class ChannelRow:
    """What a channel's orders hold of an item, what it may offer of it and why that is less than what is available."""

    channel_id: UUID
    reserved: int
    offer: Published | None
    quotas: tuple[ChannelQuota, ...]


@router.get("", response_class=HTMLResponse)
def stock(
    request: Request,
    viewer: Reader,
    company: OfCompany,
    text: Asked = "",
    place: Asked = "",
    as_of: Asked = "",
    offset: Offset = 0,
) -> Response:
    """Every item at every place, by SKU; an SKU or barcode leads to its item at once."""
    today, wanted = company.clock.today(), text.strip()
    day = _past_day(as_of, today)
    with reading(company.engine) as connection:
        places = list_locations(connection)
        here = _place(places, place)
        exact = _exactly(connection, wanted) if wanted else None
        if exact is not None:
            return RedirectResponse(_address(f"/stock/{exact.id}", place=place, as_of=as_of), 303)
        pairs, total = known_pairs(
            connection,
            text=wanted,
            location_id=here.id if here else None,
            as_of=day,
            limit=PER_PAGE,
            offset=offset,
        )
        rows = _standings(connection, pairs, today, day)
        names = Names.read(
            connection, items={pair[0] for pair in pairs}, locations={pair[1] for pair in pairs}
        )
        alike = list_items(connection, text=wanted, limit=PER_PAGE) if wanted and not total else []
    return page(
        request,
        company,
        viewer,
        "stock.html",
        "stock",
        groups=[(item_id, list(same)) for item_id, same in groupby(rows, key=lambda one: one.item_id)],
        alike=alike,
        names=names,
        places=places,
        day=day,
        asked={"text": wanted, "place": place, "as_of": as_of},
        base=_address("/stock", text=wanted, place=place, as_of=as_of),
        address=lambda item_id, code: _address(f"/stock/{item_id}", place=code, as_of=as_of),
        shown={"total": total, "limit": PER_PAGE, "offset": offset},
    )


@router.get("/{item_id}", response_class=HTMLResponse)
def stock_of_item(
    item_id: UUID,
    request: Request,
    viewer: Reader,
    company: OfCompany,
    place: Asked = "",
    as_of: Asked = "",
    state: Asked = "",
    lot: UUID | None = None,
    offset: Offset = 0,
) -> Response:
    """One item by place and state, by lot and by channel, with the moves behind it; `state` and `lot` narrow these down."""
    today = company.clock.today()
    day = _past_day(as_of, today)
    require_known("state", [state] if state else None, STATES)
    with reading(company.engine) as connection:
        item = next(iter(list_items(connection, ids=[item_id])), None)
        if item is None:
            raise not_found("item", "look for it by its SKU or name")
        places = list_locations(connection)
        here = _place(places, place)
        at = here.id if here else None
        buckets = bucket_stock(connection, item_id, location_id=at, as_of=day)
        pairs, _ = known_pairs(connection, item_id=item_id, location_id=at, as_of=day)
        moves = stock_moves_of(
            connection,
            item_id=item_id,
            location_id=at,
            state=state or None,
            lot_id=lot,
            last_on=day,
            limit=PER_PAGE + 1,
            offset=offset,
        )
        holds = list_holds(connection, item_id=item_id)
        lot_ids = {one.lot_id for one in buckets} | {one.lot_id for one in holds} | _some(lot)
        known_lots = lots_by_id(connection, lot_ids - {NO_LOT})
        channels = _channels(connection, item_id, at, today, day)
        documents = record_names(connection, {(one.document_kind, one.document_id) for one in moves})
        names = Names.read(
            connection,
            locations={one.location_id for one in buckets}
            | {one.location_id for one in holds if one.location_id}
            | {place_id for _, place_id in pairs}
            | {end for one in moves for end in (one.from_location_id, one.to_location_id)},
            channels={one.channel_id for one in channels},
        )
        people = who_acted(connection, {one.audit_id for one in moves})
        coming = [] if day else _standings(connection, pairs, today, None)
        begins = retired_until(connection)
    by_place = _by_place(buckets, names)
    lots = _lot_rows(buckets, known_lots, day or today)
    return page(
        request,
        company,
        viewer,
        "stock_item.html",
        "stock",
        item=item,
        places=places,
        names=names,
        day=day,
        begins=begins,
        by_place=by_place,
        states=[one for one in STATES if any(row.states.get(one) for row in by_place)],
        coming=coming,
        lots=lots[:LOTS_AT_ONCE],
        more_lots=max(len(lots) - LOTS_AT_ONCE, 0),
        lot=known_lots.get(lot) if lot else None,
        known_lots=known_lots,
        holds=holds,
        channels=channels,
        moves=moves[:PER_PAGE],
        documents=documents,
        people=people,
        asked={"place": place, "as_of": as_of, "state": state, "lot": lot or ""},
        address=partial(_moves_address, item_id, place=place, as_of=as_of),
        newer=max(offset - PER_PAGE, 0) if offset else None,
        older=offset + PER_PAGE if len(moves) > PER_PAGE else None,
    )


def _standings(
    connection: Connection, pairs: Sequence[Pair], today: date, day: date | None
) -> list[Standing]:
    if day is not None:
        held = positions(connection, item_ids={item_id for item_id, _ in pairs}, as_of=day)
        then = {pair: StockFigures(held.get(pair, Position(*pair)), (), 0) for pair in pairs}
        return [Standing(*pair, figures, 0, 0) for pair, figures in then.items()]
    found, kept = stock_figures(connection, pairs), kept_by_pair(connection, pairs, today)
    committed = {pair: kept[pair].committed(found[pair].position.available) for pair in pairs}
    return [
        Standing(*pair, found[pair], committed[pair], found[pair].atp(today, committed[pair]))
        for pair in pairs
    ]


def _by_place(buckets: Iterable[BucketStock], names: Names) -> list[PlaceRow]:
    """By code of the place, the company's own stock first."""
    held: dict[tuple[UUID, str], dict[str, int]] = {}
    for one in buckets:
        states = held.setdefault((one.location_id, one.owner), {})
        states[one.state] = states.get(one.state, 0) + one.units
    rows = [PlaceRow(*key, states) for key, states in held.items()]
    return sorted(rows, key=lambda one: (one.owner != OWN, names.code(one.location_id)))


def _lot_rows(buckets: Iterable[BucketStock], known: dict[UUID, Lot], on: date) -> list[LotRow]:
    """The first to expire first."""
    rows = [
        LotRow(lot, one, (lot.expires_on - on).days if lot.expires_on else None)
        for one in buckets
        if (lot := known.get(one.lot_id)) is not None
    ]
    return sorted(rows, key=lambda one: (one.lot.turn, one.bucket.location_id, one.bucket.state))


def _channels(
    connection: Connection, item_id: UUID, at: UUID | None, today: date, day: date | None
) -> list[ChannelRow]:
    """Channels whose orders hold units, or that may take some today, by code."""
    held = _by_channel(reserved_by_channel(connection, item_id, location_id=at, as_of=day))
    offers: dict[UUID, Published] = {}
    quotas: list[ChannelQuota] = []
    if day is None:
        told = published_by_channel(connection, item_ids=[item_id], today=today)
        offers = {channel_id: found[0] for channel_id, found in told.items()}
        quotas = [one for one in list_quotas(connection, today) if one.item_id in (None, item_id)]
    wanted = {*held, *(one for one, offer in offers.items() if offer.available or offer.allowed)}
    rows = [
        ChannelRow(one, held.get(one, 0), offers.get(one), tuple(q for q in quotas if q.channel_id == one))
        for one in wanted
    ]
    codes = Names.read(connection, channels=wanted)
    return sorted(rows, key=lambda one: codes.code(one.channel_id))


def _by_channel(reserved: Iterable[ReservedForChannel]) -> dict[UUID, int]:
    units: dict[UUID, int] = {}
    for one in reserved:
        units[one.channel_id] = units.get(one.channel_id, 0) + one.units
    return units


def _exactly(connection: Connection, text: str) -> Item | None:
    """The item whose SKU or barcode this is."""
    found = find_item(connection, text)
    if found is not None:
        return found
    gtin = read_barcode(text).gtin
    return find_by_gtin(connection, gtin) if gtin else None


def _place(places: Iterable[Location], code: str) -> Location | None:
    if not code:
        return None
    found = next((one for one in places if one.code == code), None)
    if found is None:
        raise not_found(f"place as {code}", "choose one of the list")
    return found


def _past_day(text: str, today: date) -> date | None:
    """The day asked for; None for now, which is what today means too. Raises 422 for what is no day, or is still to come."""
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise invalid(
            [{"field": "as_of", "reason": f"“{text[:20]}” is no day", "remedy": f"write it as {today}"}]
        ) from None
    if day > today:
        raise invalid(
            [{"field": "as_of", "reason": f"{day} is still to come", "remedy": f"choose a day up to {today}"}]
        )
    return None if day == today else day


def _moves_address(item_id: UUID, **asked: object) -> str:
    return _address(f"/stock/{item_id}", **asked) + "#moves"


def _some(lot: UUID | None) -> set[UUID]:
    return set() if lot is None else {lot}


def _address(path: str, **asked: object) -> str:
    """The address with what was asked."""
    query = urlencode({name: str(value) for name, value in asked.items() if value})
    return f"{path}?{query}" if query else path
