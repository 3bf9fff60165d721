"""Buying: purchase orders and what became of each, requisitions, contracts, sources, scorecards."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, Response

from api.auth import OfCompany
from api.console.tables import laid_out
from api.console.view import page, seeing
from api.fields import reveal
from api.paging import Offset
from api.problems import not_found, require_known
from erp_core.analytics.errors import QueryError
from erp_core.analytics.metrics import catalogue
from erp_core.analytics.scorecard import BY, scorecard
from erp_core.gate.principals import Principal
from erp_core.gate.queries import list_users
from erp_core.master.queries import Names, list_items, list_locations
from erp_core.planning.continuity import continuity_plan
from erp_core.procurement.contracts.reading import list_contracts
from erp_core.procurement.ordering.late_causes import late_causes
from erp_core.procurement.ordering.requests import list_requisitions
from erp_core.procurement.ordering.sourcing import compare_sources
from erp_core.procurement.ordering.steps import due_steps
from erp_core.procurement.ordering.supplier_view import suppliers_order
from erp_core.procurement.queries import list_purchase_orders, purchase_order
from erp_core.procurement.queries.order_story import order_story
from erp_core.procurement.rules import PURCHASE_ORDER_STEPS, REQUISITION_STEPS
from erp_core.storage.engine import reading

router = APIRouter(include_in_schema=False, prefix="/buying")
Reader = Annotated[Principal, Depends(seeing("read_records"))]
CostReader = Annotated[Principal, Depends(seeing("see_cost"))]
PER_PAGE = 40
LATE_SINCE = timedelta(days=730)
PERIODS = ("last_30_days", "last_90_days", "last_12_months", "all")


@router.get("", response_class=HTMLResponse)
def orders(
    request: Request, viewer: Reader, company: OfCompany, status: str = "", offset: Offset = 0
) -> Response:
    """Purchase orders, the newest first."""
    statuses = [status] if status else None
    require_known("status", statuses, PURCHASE_ORDER_STEPS)
    with reading(company.engine) as connection:
        found, total = list_purchase_orders(connection, statuses=statuses, limit=PER_PAGE, offset=offset)
        names = Names.read(
            connection,
            suppliers={one.supplier_id for one in found},
            locations={one.location_id for one in found},
        )
    return page(
        request,
        company,
        viewer,
        "buying_orders.html",
        "buying",
        tab="orders",
        orders=[reveal(one, viewer.rights) for one in found],
        names=names,
        statuses=list(PURCHASE_ORDER_STEPS),
        wanted=status,
        shown={"total": total, "limit": PER_PAGE, "offset": offset},
    )


@router.get("/orders/{po_id}", response_class=HTMLResponse)
def order(po_id: UUID, request: Request, viewer: Reader, company: OfCompany) -> Response:
    """One purchase order: lines and what was confirmed, changes, milestones, receipts, invoices, whose the late days are."""
    today = company.clock.today()
    with reading(company.engine) as connection:
        found = purchase_order(connection, po_id)
        if found is None:
            raise not_found("purchase order", "choose one of the list")
        header = found.order
        theirs = suppliers_order(connection, header.supplier_id, po_id, today)
        story = order_story(connection, po_id)
        late = {
            one.line_id: one
            for one in late_causes(
                connection, today, since=today - LATE_SINCE, supplier_id=header.supplier_id
            )
            if one.po_id == po_id
        }
        names = Names.read(
            connection,
            items=[line.item_id for line in found.lines],
            suppliers=[header.supplier_id],
            locations=[header.location_id],
        )
        people = {one.id: one.name for one in list_users(connection)}
        due = due_steps(connection, today, po_id)
    return page(
        request,
        company,
        viewer,
        "buying_order.html",
        "buying",
        tab="orders",
        order=reveal(header, viewer.rights),
        lines=[reveal(line, viewer.rights) for line in found.lines],
        confirmed={line.id: line for line in theirs.lines} if theirs else {},
        receipts=found.receipts,
        messages=found.messages,
        numbers={line.id: line.line_no for line in found.lines},
        story=story,
        late=late,
        due=due,
        names=names,
        people=people,
        sees_cost=viewer.has_right("see_cost"),
        item_ids={str(line.item_id): line.item_id for line in found.lines},
    )


@router.get("/requisitions", response_class=HTMLResponse)
def requisitions(request: Request, viewer: Reader, company: OfCompany, status: str = "approved") -> Response:
    """What people asked to have bought, the earliest needed first."""
    statuses = [status] if status else None
    require_known("status", statuses, REQUISITION_STEPS)
    with reading(company.engine) as connection:
        found = list_requisitions(connection, statuses=statuses)
        names = Names.read(
            connection,
            items={one.item_id for one in found},
            locations={one.location_id for one in found},
        )
        people = {one.id: one.name for one in list_users(connection)}
    return page(
        request,
        company,
        viewer,
        "buying_requisitions.html",
        "buying",
        tab="requisitions",
        requisitions=found,
        names=names,
        people=people,
        statuses=list(REQUISITION_STEPS),
        wanted=status,
    )


@router.get("/contracts", response_class=HTMLResponse)
def contracts(request: Request, viewer: CostReader, company: OfCompany, over: bool = False) -> Response:
    """Blanket contracts: what was called off and what is left."""
    with reading(company.engine) as connection:
        found = list_contracts(connection, company.clock.today(), over=over)
    return page(
        request,
        company,
        viewer,
        "buying_contracts.html",
        "buying",
        tab="contracts",
        contracts=found,
        over=over,
    )


@router.get("/sources", response_class=HTMLResponse)
def sources(
    request: Request,
    viewer: CostReader,
    company: OfCompany,
    sku: str = "",
    quantity: Annotated[int, Query(ge=1, le=10**9)] = 100,
    need_by: str = "",
    place: str = "",
    without: UUID | None = None,
) -> Response:
    """Who would deliver an item, landed and when; with a place, also what else helps when supply fails."""
    today, needed = company.clock.today(), _day(need_by)
    offers, options, item = [], [], None
    with reading(company.engine) as connection:
        places = [one for one in list_locations(connection) if one.physical]
        if sku:
            alike = list_items(connection, text=sku.strip())
            item = next((one for one in alike if one.sku.lower() == sku.strip().lower()), None)
        here = next((one for one in places if one.code == place), None)
        if item is not None:
            failed = () if without is None else (without,)
            offers = list(
                compare_sources(connection, item.id, quantity, today, need_by=needed, without=failed)
            )
            if here is not None:
                options = continuity_plan(
                    connection,
                    item.id,
                    here.id,
                    quantity,
                    today,
                    failed_supplier_id=without,
                    need_by=needed,
                )
    return page(
        request,
        company,
        viewer,
        "buying_sources.html",
        "buying",
        tab="sources",
        item=item,
        offers=offers,
        options=[one for one in options if one.kind != "alternate"],
        places=places,
        asked={"sku": sku, "quantity": quantity, "need_by": need_by, "place": place},
    )


@router.get("/scorecards", response_class=HTMLResponse)
def scorecards(
    request: Request,
    viewer: Reader,
    company: OfCompany,
    by: str = "supplier",
    period: str = "last_12_months",
) -> Response:
    """How suppliers keep what they promise."""
    require_known("by", [by], BY)
    card, unclear = None, ""
    with reading(company.engine) as connection:
        try:
            card = scorecard(
                connection,
                by=[by],
                period=period,
                today=company.clock.today(),
                rights=viewer.rights,
                computed_at=company.clock.now(),
            )
        except QueryError as error:
            unclear = str(error)
    return page(
        request,
        company,
        viewer,
        "buying_scorecards.html",
        "buying",
        tab="scorecards",
        columns=laid_out(_columns(card.columns), card.rows) if card else (),
        rows=range(len(card.rows)) if card else (),
        definitions=card.definitions if card else {},
        unclear=unclear,
        dimensions=BY,
        periods=PERIODS,
        chosen={"by": by, "period": period},
    )


def _columns(names: Any) -> list[dict[str, Any]]:
    known = catalogue().metrics
    return [
        {"name": name, "label": _with_unit(known[name].label, known[name].unit), "unit": known[name].unit}
        if name in known
        else {"name": name}
        for name in names
    ]


def _with_unit(label: str, unit: str) -> str:
    """The heading of a column; one of days, hours or units says so, where its name does not."""
    named = unit not in ("days", "hours", "units") or unit in label.lower()
    return label if named else f"{label} ({unit})"


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None
