"""Buying with open eyes: sources compared, who depends on one, why lines came late, scorecards, plans when supply fails."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from api.auth import Analyst, OfCompany, Reader, holding
from api.paging import Limit
from api.problems import require_known
from erp_core.analytics.query import Between
from erp_core.analytics.scorecard import BY, Scorecard, scorecard
from erp_core.exceptions.playbooks import PLAYBOOKS, Playbook, playbooks_for
from erp_core.gate.principals import Principal
from erp_core.planning.continuity import Option, continuity_plan
from erp_core.procurement.contracts.reading import ContractStanding, list_contracts
from erp_core.procurement.ordering.late_causes import LateLine, late_causes
from erp_core.procurement.ordering.requests import Requisition, list_requisitions
from erp_core.procurement.ordering.sourcing import SingleSource, SourceOffer, compare_sources, single_sources
from erp_core.procurement.queries.order_story import OrderStory, order_story
from erp_core.procurement.rules import REQUISITION_STEPS
from erp_core.storage.engine import reading

router = APIRouter(tags=["procurement"])
CostReader = Annotated[Principal, Depends(holding("see_cost"))]
Units = Annotated[int, Query(ge=1, le=10**12)]


@router.get("/sources/{item_id}")
def sources(
    item_id: UUID, _reader: CostReader, company: OfCompany, quantity: Units, need_by: date | None = None
) -> list[SourceOffer]:
    """What each supplier offers for the quantity: landed cost, lead time, risk; the recommended one first."""
    with reading(company.engine) as connection:
        return list(compare_sources(connection, item_id, quantity, company.clock.today(), need_by=need_by))


@router.get("/continuity/{item_id}/{location_id}")
def continuity(
    item_id: UUID,
    location_id: UUID,
    _reader: CostReader,
    company: OfCompany,
    quantity: Units,
    failed_supplier_id: UUID | None = None,
    need_by: date | None = None,
) -> list[Option]:
    """Transfers, substitutes and alternates when supply fails, each with the commands that carry it out."""
    with reading(company.engine) as connection:
        return continuity_plan(
            connection,
            item_id,
            location_id,
            quantity,
            company.clock.today(),
            failed_supplier_id=failed_supplier_id,
            need_by=need_by,
        )


@router.get("/single-sources")
def single_sourced(
    _reader: CostReader, company: OfCompany, days: Annotated[int, Query(ge=1, le=3_650)] = 365
) -> list[SingleSource]:
    """Items with fewer than two active suppliers, the most spend of the last days first."""
    today = company.clock.today()
    with reading(company.engine) as connection:
        return list(single_sources(connection, today - timedelta(days=days - 1), today))


@router.get("/late-causes")
def late_lines(
    _reader: Reader,
    company: OfCompany,
    supplier_id: UUID | None = None,
    days: Annotated[int, Query(ge=1, le=3_650)] = 365,
) -> list[LateLine]:
    """Lines that came late or are late, with whose days they are: planning, approval, supplier."""
    today = company.clock.today()
    with reading(company.engine) as connection:
        return list(
            late_causes(connection, today, since=today - timedelta(days=days), supplier_id=supplier_id)
        )


@router.get("/scorecards")
def scorecards(
    actor: Analyst,
    company: OfCompany,
    by: Annotated[list[str], Query(description=f"one to four of {', '.join(BY)}")],
    period: str | None = None,
    first: date | None = None,
    last: date | None = None,
    supplier: str | None = None,
) -> Scorecard:
    """Fill rate, punctuality, adherence, lead time and its spread, defects and price variance: `period` by name, or first and last."""
    wanted = (
        Between.model_validate({"from": first, "to": last})
        if first is not None and last is not None
        else period
    )
    with reading(company.engine) as connection:
        return scorecard(
            connection,
            by=by,
            period=wanted,
            today=company.clock.today(),
            rights=actor.rights,
            computed_at=company.clock.now(),
            supplier=supplier,
        )


@router.get("/requisitions")
def requisitions(
    _reader: Reader,
    company: OfCompany,
    status: Annotated[list[str] | None, Query(description="left out: every status")] = None,
    limit: Limit = 200,
) -> list[Requisition]:
    """What people asked to have bought, the earliest needed first."""
    require_known("status", status, REQUISITION_STEPS)
    with reading(company.engine) as connection:
        return list_requisitions(connection, statuses=status, limit=limit)


@router.get("/purchase-orders/{po_id}/story")
def story(po_id: UUID, _reader: CostReader, company: OfCompany) -> OrderStory:
    """What happened to an order: changes with each field before and after, milestones, notices, invoices."""
    with reading(company.engine) as connection:
        return order_story(connection, po_id)


@router.get("/contracts")
def contracts(
    _reader: CostReader,
    company: OfCompany,
    supplier_id: UUID | None = None,
    over: Annotated[bool, Query(description="also those that are over")] = False,
) -> list[ContractStanding]:
    """Blanket contracts: what was called off, what is left, and which will end with much of it left."""
    with reading(company.engine) as connection:
        return list_contracts(connection, company.clock.today(), supplier_id=supplier_id, over=over)


@router.get("/playbooks")
def playbooks(_reader: Reader, kind: str | None = None) -> list[Playbook]:
    """What is done about a kind of exception (left out: all), step by step, by whom, and who decides."""
    return list(PLAYBOOKS.values()) if kind is None else playbooks_for(kind)
