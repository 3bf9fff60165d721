"""What orders earn, what capital is bound, and what purchases may yet cost."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from api.auth import OfCompany, Reader, holding
from api.paging import Limit
from api.problems import not_found
from erp_core.analytics.cost_exposure import Exposure, Group, LineExposure, cost_exposure, grouped
from erp_core.analytics.margins import SOURCES, OrderMargin, order_margins
from erp_core.analytics.working_capital import By, WorkingCapital, working_capital
from erp_core.storage.engine import reading

router = APIRouter(tags=["exposures"], dependencies=[Depends(holding("see_cost"))])


class MarginComponent(BaseModel):
    """A part of a margin: the amount, None where it is not known, and where it comes from."""

    name: str
    amount: int | None
    source: str


class OrderMarginBody(BaseModel):
    """The margin of an order: the components of the whole, and the same by item."""

    order: OrderMargin
    components: list[MarginComponent]
    gross_margin: int | None
    contribution_margin: int | None


class PurchaseExposure(BaseModel):
    """Open and uninvoiced purchase lines, the dearest first, with their sums. `shares` are in millionths of the value."""

    as_of: date
    whole: Exposure
    groups: list[Exposure]
    lines: list[LineExposure]
    total_lines: int
    shares: Mapping[str, int | None]


@router.get("/orders/{order_id}/margin")
def order_margin(order_id: UUID, _actor: Reader, company: OfCompany) -> OrderMarginBody:
    """What an order leaves after goods, freight and returns, each component with its source; None where it is not known."""
    with reading(company.engine) as connection:
        found = order_margins(connection, [order_id])
    if not found:
        raise not_found("order", "list the orders first")
    whole = found[0].whole
    components = [
        MarginComponent(name=name, amount=getattr(whole, name), source=source)
        for name, source in SOURCES.items()
    ]
    return OrderMarginBody(
        order=found[0],
        components=components,
        gross_margin=whole.gross,
        contribution_margin=whole.contribution,
    )


@router.get("/working-capital")
def bound_capital(
    actor: Reader,
    company: OfCompany,
    by: By = "category",
    as_of: Annotated[date | None, Query(description="left out: today")] = None,
    limit: Limit = 50,
) -> WorkingCapital:
    """What stock and commitments bind, part by part: the groups drill down through the metrics that they name."""
    with reading(company.engine) as connection:
        return working_capital(
            connection,
            by,
            today=company.clock.today(),
            as_of=as_of,
            rights=actor.rights,
            computed_at=company.clock.now(),
            limit=limit,
        )


@router.get("/purchase-exposure")
def purchase_exposure(
    _actor: Reader, company: OfCompany, by: Group = "supplier", limit: Limit = 50
) -> PurchaseExposure:
    """Price variance and landed cost that purchases may yet bring, before they are billed; the lines name their orders."""
    today = company.clock.today()
    with reading(company.engine) as connection:
        found = cost_exposure(connection, today)
    return PurchaseExposure(
        as_of=today,
        whole=found.whole,
        groups=grouped(found, by),
        lines=list(found.lines[:limit]),
        total_lines=len(found.lines),
        shares=found.shares,
    )
