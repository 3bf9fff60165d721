"""Customers' orders for service: which are late or short, and what became of one, in one timeline."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from itertools import groupby
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, Response

from api.auth import OfCompany
from api.company import Company
from api.console.view import page, seeing
from api.fields import reveal
from api.paging import Offset
from api.problems import not_found, require_known
from erp_core.analytics.names import record_names
from erp_core.gate.principals import Principal
from erp_core.master.queries import Names, list_channels
from erp_core.orders.queries import Parcel, get_order, list_orders
from erp_core.orders.queries.alerts import list_alerts, messages_of
from erp_core.orders.queries.documents import list_sales_documents
from erp_core.orders.queries.promises import PromiseChange, list_promise_changes
from erp_core.orders.queries.shortages import list_shortages
from erp_core.orders.queries.story import OrderStory, order_story
from erp_core.orders.rules import HELD, ORDER_STATUSES
from erp_core.procurement.ordering.drop_ship import drop_shipments_of
from erp_core.returns.of_orders import returns_of
from erp_core.returns.queries import list_customer_credits
from erp_core.storage.engine import reading

router = APIRouter(include_in_schema=False, prefix="/orders")
Reader = Annotated[Principal, Depends(seeing("read_records"))]
Search = Annotated[str, Query(max_length=60)]
PER_PAGE = 40
MOST_ENTRIES = 200
"""So many of each kind a timeline shows, the latest."""
WHY_THERE: Mapping[str | None, str] = {
    None: "the order names it",
    "set_node": "a rule names it",
    "whole_order": "it has all of the order",
    "largest_part": "it has most of the order",
    "nothing_available": "no place had any",
    "arrives_in_time": "in time from there",
    "preferred_node": "the channel prefers it",
    "cheapest_way": "the cheapest way",
    "outage": "in place of one that was out",
    "outage_over": "its outage is over",
}
"""Why a line is served from its place, by reason."""
PATHS = {"purchase_order": "/buying/orders/", "order": "/orders/"}
"""Where the documents that change promises are shown."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Something in the story of an order; `at` is None where only its day is known."""

    day: date
    at: datetime | None
    kind: str
    about: Any


@router.get("", response_class=HTMLResponse)
def late_and_short(request: Request, viewer: Reader, company: OfCompany, offset: Offset = 0) -> Response:
    """Lines that are late or short, the earliest promise first."""
    with reading(company.engine) as connection:
        alerts = list_alerts(connection)
        shown = alerts[offset : offset + PER_PAGE]
        names = Names.read(connection, items={one.item_id for one in shown})
    return page(
        request,
        company,
        viewer,
        "orders.html",
        "orders",
        tab="late",
        alerts=shown,
        affected=len({one.order_id for one in alerts}),
        names=names,
        shown={"total": len(alerts), "limit": PER_PAGE, "offset": offset},
    )


@router.get("/review", response_class=HTMLResponse)
def waiting_for_review(request: Request, viewer: Reader, company: OfCompany, offset: Offset = 0) -> Response:
    """Orders that are held until somebody decides, the newest first."""
    return _listed(request, viewer, company, "review", statuses=HELD, offset=offset)


@router.get("/all", response_class=HTMLResponse)
def every_order(
    request: Request,
    viewer: Reader,
    company: OfCompany,
    status: str = "",
    channel: str = "",
    search: Search = "",
    offset: Offset = 0,
) -> Response:
    """Orders, the newest first: of a status, of a channel, or by a part of the number or the external reference."""
    statuses = [status] if status else None
    require_known("status", statuses, ORDER_STATUSES)
    return _listed(request, viewer, company, "all", statuses, channel, search, offset)


def _listed(
    request: Request,
    viewer: Principal,
    company: Company,
    tab: str,
    statuses: Sequence[str] | None,
    channel: str = "",
    search: str = "",
    offset: int = 0,
) -> HTMLResponse:
    with reading(company.engine) as connection:
        channels = {one.code: one for one in list_channels(connection)}
        require_known("channel", [channel] if channel else None, channels)
        found = list_orders(
            connection,
            status=statuses,
            channel_id=channels[channel].id if channel else None,
            search=search.strip() or None,
            limit=PER_PAGE + 1,
            offset=offset,
        )
    return page(
        request,
        company,
        viewer,
        "orders.html",
        "orders",
        tab=tab,
        orders=[reveal(one, viewer.rights) for one in found[:PER_PAGE]],
        channels={one.id: one for one in channels.values()},
        statuses=list(ORDER_STATUSES),
        wanted={"status": statuses[0] if statuses else "", "channel": channel, "search": search.strip()},
        offset=offset,
        earlier=max(offset - PER_PAGE, 0) if offset else None,
        further=offset + PER_PAGE if len(found) > PER_PAGE else None,
    )


@router.get("/{order_id}", response_class=HTMLResponse)
def order(order_id: UUID, request: Request, viewer: Reader, company: OfCompany) -> Response:
    """One order: what waits, its lines, and all that happened to it."""
    with reading(company.engine) as connection:
        found = get_order(connection, order_id)
        if found is None:
            raise not_found("order", "choose one of the list")
        alerts = list_alerts(connection, [order_id])
        story = order_story(connection, order_id)
        changes = list_promise_changes(connection, order_id=order_id, limit=MOST_ENTRIES)
        came_back = returns_of(connection, order_id)
        messages = messages_of(connection, [order_id])[-MOST_ENTRIES:]
        documents = list_sales_documents(connection, order_id=order_id, limit=MOST_ENTRIES)
        credits = list_customer_credits(connection, order_id=order_id, limit=MOST_ENTRIES)
        substituted = list_shortages(connection, action="substitute", order_id=order_id)
        by_suppliers = drop_shipments_of(connection, [order_id])
        names = Names.read(
            connection,
            items={
                *(line.item_id for line in found.lines),
                *(line.item_id for one in came_back for line in one.lines),
            },
            locations={
                *(line.location_id for line in found.lines),
                *(one.location_id for one in found.parcels),
            },
            channels={found.order.channel_id},
        )
        causes = record_names(connection, {(one.cause_kind, one.cause_id) for one in changes})
    numbers = {line.id: line.line_no for line in found.lines}
    happened = [
        *_parcels(found.parcels, story, numbers),
        *_moves(reversed(changes)),
        *(Entry(one.sent_on, None, "message", one) for one in messages),
        *(Entry(one.header.returned_on, None, "return", reveal(one, viewer.rights)) for one in came_back),
        *(Entry(one.issued_on, None, "document", one) for one in reversed(documents)),
        *(Entry(one.credited_on, None, "credit", one) for one in reversed(credits)),
    ]
    return page(
        request,
        company,
        viewer,
        "order.html",
        "orders",
        order=reveal(found.order, viewer.rights),
        lines=found.lines,
        numbers=numbers,
        items={line.id: line.item_id for line in found.lines},
        alerts=sorted(alerts, key=lambda one: numbers[one.line_id]),
        timeline=_timeline(story, happened),
        stands_for={one.other_line_id: one.line_id for one in substituted if one.other_line_id},
        by_suppliers={one.order_line_id: one for one in by_suppliers},
        why_there=WHY_THERE,
        paths=PATHS,
        names=names,
        causes=causes,
    )


def _timeline(story: OrderStory, happened: Iterable[Entry]) -> list[Entry]:
    """All that happened, the latest first, down to its placing; what has no hour comes after what has one on that day."""
    steps = [
        Entry(one.occurred_at.date(), one.occurred_at, "step", one)
        for one in story.steps
        if one.shipment_id is None
    ]
    return [*sorted((*steps[1:], *happened), key=_when)[::-1], *steps[:1]]


def _when(entry: Entry) -> tuple[date, time]:
    return entry.day, entry.at.time() if entry.at else time.max


def _parcels(parcels: Iterable[Parcel], story: OrderStory, numbers: Mapping[UUID, int]) -> Iterator[Entry]:
    """Each parcel as it left, with its units in the order of the lines, and as it came."""
    left = {one.shipment_id: one.occurred_at for one in story.steps}
    ways = {one.shipment_id: one for one in story.parcels}
    for one in parcels:
        way = ways[one.id]
        units = sorted(one.units.items(), key=lambda line: numbers[line[0]])
        about = {"location_id": one.location_id, "way": way, "units": units}
        yield Entry(one.shipped_on, left.get(one.id), "parcel", about)
        if way.delivered_on is not None:
            yield Entry(way.delivered_on, None, "delivery", way)


def _moves(changes: Iterable[PromiseChange]) -> Iterator[Entry]:
    """What one cause moved at once is one entry."""
    for (at, _), some in groupby(changes, lambda one: (one.occurred_at, one.cause_id)):
        yield Entry(at.date(), at, "promise", tuple(some))
