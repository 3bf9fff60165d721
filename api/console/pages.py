"""Log-in, log-out and the overview that each role lands on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy import Connection

from api.auth import (
    COOKIE,
    OfCompany,
    address_of,
    principal_of,
    require_own_origin,
    set_cookie,
    token_of,
)
from api.cases import seen_case
from api.company import Company
from api.console.charts import svg
from api.console.governance_lines import lines_of
from api.console.login import own_path, show_login
from api.console.tables import cells
from api.console.view import Viewer, page
from api.fields import reveal
from api.log_in import log_in, log_out
from api.problems import Problem
from api.proposals import bodies_of
from api.routers.autonomy import autonomy_now
from erp_core.analytics.errors import QueryError
from erp_core.analytics.metrics import catalogue
from erp_core.analytics.query import MetricQuery, MetricResult
from erp_core.analytics.run import run
from erp_core.exceptions.queries import ranked_cases, summary_by_kind
from erp_core.gate.principals import Principal
from erp_core.gate.queries import company_facts, list_proposals
from erp_core.storage.engine import reading

router = APIRouter(include_in_schema=False)

TILES: dict[str, tuple[str, ...]] = {
    "planner": ("net_sales", "stockout_rate", "forecast_wape", "inventory_value"),
    "buyer": ("open_po_value", "late_po_lines", "on_time_rate", "price_variance"),
    "manager": ("net_sales", "gross_margin_pct", "open_po_value", "inventory_value"),
    "warehouse": ("on_hand_units", "reserved_units", "late_po_lines", "return_pending_units"),
    "returns": ("return_rate", "returned_units", "return_to_stock_days", "recovered_value"),
    "finance": ("net_sales", "gross_margin", "inventory_value", "working_capital_exposure"),
    "service": ("order_count", "backordered_units", "order_fill_rate", "order_cycle_days"),
    "executive": ("net_sales", "gross_margin_pct", "order_fill_rate", "inventory_value"),
}
_EVERYBODY = ("net_sales", "order_count", "on_hand_units", "return_rate")
_PERIOD = "last_30_days"


@dataclass(frozen=True, slots=True)
class Tile:
    """A figure with its label, unit and what it means."""

    label: str
    value: str
    unit: str
    definition: str
    sub: str


@router.get("/login", response_class=HTMLResponse)
def login_page(request: Request, company: OfCompany, next: str = "/") -> Response:
    """The log-in page; who is logged in already goes on."""
    if principal_of(request, company) is not None:
        return RedirectResponse(own_path(next), 303)
    return show_login(company, next, "", None, 200)


@router.post("/login", response_class=HTMLResponse)
def login(
    request: Request,
    company: OfCompany,
    login: Annotated[str, Form(max_length=80)] = "",
    password: Annotated[str, Form(max_length=500)] = "",
    next: Annotated[str, Form()] = "/",
) -> Response:
    """Log in and give the browser its cookie."""
    require_own_origin(request)
    try:
        token, _ = log_in(company, login.strip(), password, address_of(request))
    except Problem as problem:
        return show_login(company, next, login, problem, problem.status)
    answer = RedirectResponse(own_path(next), 303)
    set_cookie(answer, token, secure=request.url.scheme == "https")
    return answer


@router.post("/logout")
def logout(request: Request, viewer: Viewer, company: OfCompany) -> Response:
    """End the session and forget the cookie."""
    token = token_of(request)
    if token:
        log_out(company, viewer, token)
    answer = RedirectResponse("/login", 303)
    answer.delete_cookie(COOKIE, path="/")
    return answer


@router.get("/", response_class=HTMLResponse)
def overview(request: Request, viewer: Viewer, company: OfCompany) -> Response:
    """A few figures for one's role, the sales of the last weeks, what waits, what to look at first."""
    with reading(company.engine) as connection:
        tiles = [
            tile for name in _names(viewer) if (tile := _tile(connection, company, viewer, name)) is not None
        ]
        chart = _sales_chart(connection, company, viewer)
        cases = ranked_cases(connection, limit=6)
        kinds = summary_by_kind(connection)
        views, pending = list_proposals(connection, status="pending", limit=4)
        proposals = bodies_of(views, viewer, company.gate, connection)
        facts = company_facts(connection)
        automation = autonomy_now(company, connection, viewer)
        governance = lines_of(viewer, company, connection)
    return page(
        request,
        company,
        viewer,
        "overview.html",
        "overview",
        tiles=tiles,
        chart=chart,
        cases=[seen_case(one, viewer.rights) for one in cases.cases],
        kinds=[reveal(one, viewer.rights) for one in kinds],
        proposals=proposals,
        pending=pending,
        automation=automation,
        governance=governance,
        company_name=facts.get("name", "Quartermaster"),
    )


def _names(viewer: Principal) -> tuple[str, ...]:
    return next((TILES[role] for role in TILES if role in viewer.roles), _EVERYBODY)


def _ask(
    connection: Connection, company: Company, viewer: Principal, query: MetricQuery
) -> MetricResult | None:
    try:
        return run(
            connection,
            query,
            today=company.clock.today(),
            rights=viewer.rights,
            computed_at=company.clock.now(),
        )
    except QueryError:
        return None


def _tile(connection: Connection, company: Company, viewer: Principal, name: str) -> Tile | None:
    result = _ask(connection, company, viewer, MetricQuery(metrics=(name,), period=_PERIOD))
    if result is None:
        return None
    column = result.columns[0]
    value = result.rows[0][0] if result.rows else None
    flow = catalogue().metrics[name].kind == "flow"
    sub = "last 30 days" if flow else f"as of {result.as_of:%-d %b %Y}"
    (shown,) = cells([value], column.unit)
    suffix = {"money": column.currency or "", "units": "units", "days": "days", "hours": "hours"}.get(
        column.unit or "", ""
    )
    return Tile(column.label, shown, suffix if value is not None else "", result.definitions[name], sub)


def _sales_chart(connection: Connection, company: Company, viewer: Principal) -> str | None:
    query = MetricQuery(metrics=("net_sales",), grain="week", period="last_26_weeks")
    result = _ask(connection, company, viewer, query)
    if result is None or len(result.rows) < 4:
        return None
    names = [column.name for column in result.columns]
    week, sales = names.index("week"), names.index("net_sales")
    complete = company.clock.today() - timedelta(days=6)
    values = [
        {"week": str(row[week]), "sales": float(str(row[sales]))}
        for row in result.rows[1:]
        if row[sales] is not None and str(row[week]) <= complete.isoformat()
    ]
    return svg(
        {
            "width": 640,
            "height": 170,
            "data": {"values": values},
            "mark": {"type": "area", "line": {"color": "#2f8c7c"}},
            "encoding": {
                "x": {
                    "field": "week",
                    "type": "temporal",
                    "title": None,
                    "axis": {"format": "%-d %b", "grid": False, "tickCount": 8},
                },
                "y": {
                    "field": "sales",
                    "type": "quantitative",
                    "title": None,
                    "axis": {"format": "~s", "tickCount": 4},
                },
            },
        },
        f"Net sales by week, {len(values)} weeks",
    )
