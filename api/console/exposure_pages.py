"""Exposure: what capital stock and commitments bind, and what purchases may yet cost before they are billed."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, Response

from api.auth import OfCompany
from api.console.view import page, seeing
from erp_core.analytics.cost_exposure import Group, cost_exposure, grouped
from erp_core.analytics.query import MetricResult
from erp_core.analytics.working_capital import By, working_capital
from erp_core.gate.principals import Principal
from erp_core.storage.engine import reading

router = APIRouter(include_in_schema=False, prefix="/exposure")
Bookkeeper = Annotated[Principal, Depends(seeing("read_books"))]
GROUPS, LINES = 15, 40


@router.get("", response_class=HTMLResponse)
def exposure(
    request: Request,
    viewer: Bookkeeper,
    company: OfCompany,
    capital: By = "category",
    purchases: Group = "supplier",
) -> Response:
    """Bound capital by one dimension, and what purchases may yet cost by another, with the dearest lines."""
    today = company.clock.today()
    with reading(company.engine) as connection:
        bound = working_capital(
            connection,
            capital,
            today=today,
            as_of=None,
            rights=viewer.rights,
            computed_at=company.clock.now(),
            limit=GROUPS,
        )
        costs = cost_exposure(connection, today)
    return page(
        request,
        company,
        viewer,
        "exposure.html",
        "exposure",
        by=capital,
        parts=[column.label for column in bound.whole.columns],
        groups=_rows(bound.groups, bound.whole),
        groups_total=bound.groups.total_rows,
        whole=_rows(bound.whole, bound.whole)[0],
        notes=bound.groups.notes,
        purchases=purchases,
        costs=costs,
        cost_groups=grouped(costs, purchases),
        components=list(costs.shares),
        lines=costs.lines[:LINES],
    )


def _rows(result: MetricResult, whole: MetricResult) -> list[dict[str, Any]]:
    """Rows as name and amounts in the order of the whole's columns; a part that the group does not carry is None."""
    metrics = {column.name: place for place, column in enumerate(result.columns)}
    name = next((place for place, column in enumerate(result.columns) if column.kind == "dimension"), None)
    wanted = [metrics.get(column.name) for column in whole.columns]
    return [
        {
            "name": None if name is None else row[name],
            "amounts": [_stored(None if place is None else row[place]) for place in wanted],
        }
        for row in result.rows
    ]


def _stored(amount: Any) -> int | None:
    return None if amount is None else round(amount * 10_000)
