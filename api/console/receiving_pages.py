"""Receiving: what is expected by day, receiving against an order, and what to decide about goods that are held."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends, Form, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, Response
from pydantic import ValidationError

from api.arrivals import Arrival, arrivals
from api.auth import OfCompany
from api.company import Company
from api.console.forms import texts_of
from api.console.view import Viewer, back, page, seeing
from api.fields import reveal
from api.labels import labels_for
from api.problems import Problem, accepted, from_validation, not_found
from erp_core.gate.contract import Command, Proposed
from erp_core.gate.principals import Principal
from erp_core.inventory.lots.queries import tracking_of
from erp_core.master.queries import find_item, list_locations
from erp_core.procurement.commands import DecideHeldGoods, DecideUnorderedGoods, ReceiveGoods
from erp_core.procurement.queries import PurchaseOrderDetail, purchase_order
from erp_core.procurement.queries.held import held_goods
from erp_core.procurement.rules import RECEIVABLE
from erp_core.storage.engine import reading

router = APIRouter(include_in_schema=False, prefix="/receiving")
Reader = Annotated[Principal, Depends(seeing("read_records"))]
Key = Annotated[str, Form(min_length=8, max_length=80)]
DAYS_SHOWN = 14
DECISIONS: Mapping[str, Sequence[str]] = {
    "beyond": ("accept", "return", "correct"),
    "inspection": ("accept", "return", "quarantine", "correct"),
    "quarantine": ("accept", "return", "correct"),
    "not_ordered": ("accept", "return", "correct"),
    "substituted": ("accept", "return", "correct"),
}
WHY_HELD: Mapping[str, str] = {
    "beyond": "more than ordered",
    "inspection": "to be inspected",
    "quarantine": "in doubt",
    "not_ordered": "not ordered",
    "substituted": "a substitute",
}


@dataclass(frozen=True, slots=True)
class Delivery:
    """What one document brings to a place on a day."""

    first: Arrival
    lines: int
    units: int
    cartons: int
    not_confirmed: bool


@dataclass(frozen=True, slots=True)
class Day:
    """The deliveries of a day; `day` None where nobody gave one."""

    day: date | None
    deliveries: Sequence[Delivery]

    @property
    def units(self) -> int:
        """All units of the day."""
        return sum(one.units for one in self.deliveries)

    @property
    def cartons(self) -> int:
        """The cartons that were announced."""
        return sum(one.cartons for one in self.deliveries)


@router.get("", response_class=HTMLResponse)
def receiving(request: Request, viewer: Reader, company: OfCompany, place: str = "") -> Response:
    """Late first, then by day, then what has no day; beside it what is held."""
    return _overview(request, viewer, company, place)


def _overview(
    request: Request, viewer: Principal, company: Company, place: str, problem: Problem | None = None
) -> HTMLResponse:
    today = company.clock.today()
    with reading(company.engine) as connection:
        places = list_locations(connection)
        chosen = next((one.id for one in places if one.code == place), None)
        found = arrivals(connection, today, location_id=chosen)
        held = held_goods(connection, location_id=chosen)
        labels = labels_for(connection, [*found, *held])
    soon = today + timedelta(days=DAYS_SHOWN)
    late = [one for one in found if one.late_days]
    coming = [one for one in found if one.due_on is not None and not one.late_days and one.due_on <= soon]
    return page(
        request,
        company,
        viewer,
        "receiving.html",
        "receiving",
        status=problem.status if problem else 200,
        problem=problem.body if problem else None,
        late=_days(late),
        days=_days(coming),
        undated=_days([one for one in found if one.due_on is None]),
        later=sum(one.units for one in found if one.due_on is not None and one.due_on > soon),
        held=[reveal(one, viewer.rights) for one in held],
        decisions=DECISIONS,
        why_held=WHY_HELD,
        may_receive=viewer.may_run("ReceiveGoods"),
        may_decide=viewer.may_run("DecideHeldGoods"),
        labels=labels,
        places=places,
        place=place if chosen else "",
        shown_days=DAYS_SHOWN,
        due=sum(one.units for one in coming if one.due_on == today),
        keys=lambda: f"console-{uuid4()}",
    )


def _days(found: Sequence[Arrival]) -> list[Day]:
    return [Day(day, list(_deliveries(list(some)))) for day, some in groupby(found, lambda one: one.due_on)]


def _deliveries(some: Sequence[Arrival]) -> list[Delivery]:
    by_document: dict[tuple[UUID, UUID], list[Arrival]] = {}
    for one in some:
        by_document.setdefault((one.document_id, one.location_id), []).append(one)
    return [
        Delivery(
            lines[0],
            len(lines),
            sum(one.units for one in lines),
            len({label for one in lines for label in one.cartons or ()}),
            any(one.standing == "not_confirmed" for one in lines),
        )
        for lines in by_document.values()
    ]


@router.get("/{po_id}", response_class=HTMLResponse)
def order(po_id: UUID, request: Request, viewer: Reader, company: OfCompany) -> Response:
    """One order at the door: what was announced, and a form to say what came."""
    return _order(po_id, request, viewer, company)


def _order(
    po_id: UUID,
    request: Request,
    viewer: Principal,
    company: Company,
    problem: Problem | None = None,
    typed: Mapping[str, str] | None = None,
) -> HTMLResponse:
    with reading(company.engine) as connection:
        detail = purchase_order(connection, po_id)
        if detail is None:
            raise not_found("purchase order", "choose one of those that are expected")
        today = company.clock.today()
        coming = [one for one in arrivals(connection, today) if one.document_id == po_id]
        held = [one for one in held_goods(connection) if one.po_id == po_id]
        tracking = tracking_of(connection, {line.item_id for line in detail.lines})
        labels = labels_for(connection, [detail, *held])
    due: dict[UUID | None, int] = {}
    announced: dict[UUID | None, int] = {}
    for one in coming:
        due[one.line_id] = due.get(one.line_id, 0) + one.units
        if one.standing == "announced":
            announced[one.line_id] = announced.get(one.line_id, 0) + one.units
    return page(
        request,
        company,
        viewer,
        "receive.html",
        "receiving",
        status=problem.status if problem else 200,
        problem=problem.body if problem else None,
        order=detail.order,
        lines=detail.lines,
        due=due,
        announced=announced,
        cartons=sorted({label for one in coming for label in one.cartons or ()}),
        tracking=tracking,
        labels=labels,
        held=[reveal(one, viewer.rights) for one in held],
        decisions=DECISIONS,
        why_held=WHY_HELD,
        may_receive=viewer.may_run("ReceiveGoods") and detail.order.status in RECEIVABLE,
        may_decide=viewer.may_run("DecideHeldGoods"),
        typed=typed or {},
        keys=lambda: f"console-{uuid4()}",
    )


@router.post("/{po_id}")
async def receive(po_id: UUID, request: Request, viewer: Viewer, company: OfCompany) -> Response:
    """Say what came; what is wrong is said beside what was typed."""
    typed = await texts_of(request)
    return await run_in_threadpool(_receive, po_id, request, viewer, company, typed)


def _receive(
    po_id: UUID, request: Request, viewer: Principal, company: Company, typed: Mapping[str, str]
) -> Response:
    with reading(company.engine) as connection:
        detail = purchase_order(connection, po_id)
        if detail is None:
            raise not_found("purchase order", "choose one of those that are expected")
        strange = find_item(connection, typed.get("other_sku", "").strip())
    try:
        if typed.get("other_sku", "").strip() and strange is None:
            raise Problem(
                422,
                "invalid",
                f"There is no item {typed['other_sku'].strip()}",
                remedy="scan or type its SKU",
            )
        command = ReceiveGoods.model_validate(
            _receipt(po_id, typed, detail, None if strange is None else strange.id)
        )
        accepted(company.gate.submit(command, viewer, key=typed.get("key", "")))
    except ValidationError as error:
        return _order(po_id, request, viewer, company, from_validation(error), typed)
    except Problem as problem:
        return _order(po_id, request, viewer, company, problem, typed)
    return back(f"/receiving/{po_id}", "received")


def _receipt(
    po_id: UUID, typed: Mapping[str, str], detail: PurchaseOrderDetail, strange: UUID | None
) -> dict[str, Any]:
    """The receipt as typed; the lines that nothing was typed for did not come."""

    def said(name: str) -> str:
        return typed.get(name, "").strip()

    lines = []
    for line in detail.lines:
        if not said(f"quantity-{line.id}"):
            continue
        lines.append(
            {
                "receipt_line_id": uuid4(),
                "po_line_id": line.id,
                "quantity": said(f"quantity-{line.id}"),
                "rejected_quantity": said(f"rejected-{line.id}") or 0,
                "quarantined_quantity": said(f"doubt-{line.id}") or 0,
                "lot_code": said(f"lot-{line.id}") or None,
                "expires_on": said(f"expires-{line.id}") or None,
                "serials": said(f"serials-{line.id}").split(),
            }
        )
    unordered = []
    if strange is not None:
        unordered.append(
            {
                "unordered_id": uuid4(),
                "item_id": strange,
                "quantity": said("other_quantity"),
                "instead_of_line_id": said("instead_of") or None,
            }
        )
    return {"receipt_id": uuid4(), "po_id": po_id, "lines": lines, "unordered": unordered}


@router.post("/{po_id}/held")
def decide(
    po_id: UUID,
    request: Request,
    viewer: Viewer,
    company: OfCompany,
    key: Key,
    decision: Annotated[str, Form()],
    quantity: Annotated[str, Form()],
    held_for: Annotated[str, Form()],
    subject: Annotated[UUID, Form()],
) -> Response:
    """Decide about goods that are held; policy may ask somebody else."""
    given: dict[str, Any] = {
        "decision_id": uuid4(),
        "po_id": po_id,
        "decision": decision,
        "quantity": quantity,
    }
    kind: type[Command] = DecideHeldGoods
    if held_for in ("not_ordered", "substituted"):
        kind, given = DecideUnorderedGoods, given | {"unordered_id": subject}
    else:
        given |= {"po_line_id": subject, "held_for": held_for}
    try:
        outcome = accepted(company.gate.submit(kind.model_validate(given), viewer, key=key))
    except ValidationError as error:
        return _order(po_id, request, viewer, company, from_validation(error))
    except Problem as problem:
        return _order(po_id, request, viewer, company, problem)
    if isinstance(outcome, Proposed):
        return back(f"/approvals/{outcome.proposal_id}", "proposed")
    return back(f"/receiving/{po_id}", "done")
