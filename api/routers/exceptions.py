"""The inbox: exceptions ranked by money, why each is there, and what people do with them."""

from __future__ import annotations

from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from api.auth import Actor, OfCompany, Reader
from api.cases import Explanation, explain, poor_data, seen_case, seen_detail
from api.fields import public, public_in, reveal
from api.outcomes import OUTCOMES, ExecutedBody, Key, answer
from api.paging import Limit, Offset, Page
from api.problems import not_found, require_known
from erp_core.clock import Moment
from erp_core.exceptions.actions import submit_best_action
from erp_core.exceptions.commands import AssignCase, ResolveCase, SnoozeCase
from erp_core.exceptions.commands.cases import Resolution
from erp_core.exceptions.draft import KINDS
from erp_core.exceptions.queries import (
    ACTIVE,
    Case,
    CaseDetail,
    CaseFilter,
    KindSummary,
    WithheldDetection,
    case_detail,
    ranked_cases,
    summary_by_kind,
    withheld_detections,
)
from erp_core.exceptions.rules import CASE_STEPS
from erp_core.storage.engine import reading

router = APIRouter(prefix="/exceptions", tags=["exceptions"])


class Assign(BaseModel):
    """Who takes it; left out, oneself."""

    owner_id: UUID | None = None


class Snooze(BaseModel):
    """Until when it may rest."""

    until: Moment
    note: Annotated[str, Field(max_length=500)] = ""


class Resolve(BaseModel):
    """Why it is closed."""

    resolution: Resolution
    note: Annotated[str, Field(max_length=500)] = ""


K = TypeVar("K")


class Summary(BaseModel, Generic[K]):
    """The open exceptions by kind, and what the last scan could not judge."""

    kinds: list[K]
    withheld: list[WithheldDetection]


def detail_of(case_id: UUID, company: OfCompany) -> CaseDetail:
    """The case, or 404."""
    with reading(company.engine) as connection:
        found = case_detail(connection, case_id)
    if found is None:
        raise not_found("exception", "list the exceptions first")
    return found


@router.get("", response_model=public_in(Page, Case))
def list_(
    actor: Reader,
    company: OfCompany,
    kind: Annotated[list[str] | None, Query()] = None,
    status: Annotated[list[str] | None, Query(description="left out: all that are not closed")] = None,
    item_id: UUID | None = None,
    location_id: UUID | None = None,
    supplier_id: UUID | None = None,
    owner_id: UUID | None = None,
    minimum_amount: Annotated[
        int | None, Query(ge=0, le=10**15, description="ten-thousandths of the currency")
    ] = None,
    limit: Limit = 50,
    offset: Offset = 0,
) -> Any:
    """Exceptions, the one most worth acting on first."""
    require_known("kind", kind, KINDS)
    require_known("status", status, CASE_STEPS)
    wanted = CaseFilter(
        kinds=kind or (),
        statuses=status or ACTIVE,
        item_id=item_id,
        location_id=location_id,
        supplier_id=supplier_id,
        owner_id=owner_id,
        minimum_amount=minimum_amount,
    )
    with reading(company.engine) as connection:
        page = ranked_cases(connection, wanted, limit=limit, offset=offset)
    rows = [seen_case(one, actor.rights) for one in page.cases]
    return {"rows": rows, "total": page.total, "limit": limit, "offset": offset}


@router.get("/summary", response_model=public_in(Summary, KindSummary))
def summary(actor: Reader, company: OfCompany) -> Any:
    """Counts and money by kind."""
    with reading(company.engine) as connection:
        kinds, withheld = summary_by_kind(connection), withheld_detections(connection)
    return {"kinds": [reveal(one, actor.rights) for one in kinds], "withheld": list(withheld)}


@router.get("/{case_id}", response_model=public(CaseDetail))
def get(case_id: UUID, actor: Reader, company: OfCompany) -> Any:
    """One exception with its history, cause and effects."""
    return seen_detail(detail_of(case_id, company), actor.rights)


@router.get("/{case_id}/explanation")
def explanation(case_id: UUID, actor: Reader, company: OfCompany) -> Explanation:
    """Why it is here and why it ranks where it does."""
    detail = detail_of(case_id, company)
    with reading(company.engine) as connection:
        return explain(detail, actor.rights, poor_data(detail.case.subjects, connection))


@router.post("/{case_id}/assign", responses=OUTCOMES, response_model=ExecutedBody)
def assign(case_id: UUID, body: Assign, actor: Actor, company: OfCompany, key: Key) -> Any:
    """Give it an owner."""
    detail_of(case_id, company)
    command = AssignCase(case_id=case_id, owner_id=body.owner_id or actor.user_id)
    return answer(company.gate.submit(command, actor, key=key))


@router.post("/{case_id}/snooze", responses=OUTCOMES, response_model=ExecutedBody)
def snooze(case_id: UUID, body: Snooze, actor: Actor, company: OfCompany, key: Key) -> Any:
    """Put it aside for a while."""
    detail_of(case_id, company)
    command = SnoozeCase(case_id=case_id, until=body.until, note=body.note)
    return answer(company.gate.submit(command, actor, key=key))


@router.post("/{case_id}/resolve", responses=OUTCOMES, response_model=ExecutedBody)
def resolve(case_id: UUID, body: Resolve, actor: Actor, company: OfCompany, key: Key) -> Any:
    """Close it with a reason."""
    detail_of(case_id, company)
    command = ResolveCase(case_id=case_id, resolution=body.resolution, note=body.note)
    return answer(company.gate.submit(command, actor, key=key))


@router.post("/{case_id}/propose", responses=OUTCOMES, response_model=ExecutedBody)
def propose(case_id: UUID, actor: Actor, company: OfCompany, key: Key) -> Any:
    """Submit its best action; policy decides whether it runs or waits for people."""
    return answer(submit_best_action(company.gate, detail_of(case_id, company).case, actor, key))
