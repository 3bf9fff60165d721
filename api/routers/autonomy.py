"""How far automation may go, what it did, what came of decisions, and what is ready to go live. Changes are commands."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel
from sqlalchemy import Connection

from api.auth import OfCompany, Reader
from api.company import Company
from api.paging import Limit, Offset
from erp_core.gate.autonomy.rules import DEFAULT_LEVEL
from erp_core.gate.autonomy.state import current_levels, current_limits, current_switch, used_on
from erp_core.gate.principals import Principal
from erp_core.master.queries import Names
from erp_core.master.queries.ownership import policy_sources
from erp_core.planning.automation.run import rule_orders
from erp_core.planning.outcomes.record import list_outcomes, outcome_sums
from erp_core.planning.queries import reorder_sources
from erp_core.planning.readiness.standing import live, readiness, reviews_due
from erp_core.storage.engine import reading

router = APIRouter(tags=["autonomy"])
_MONEY = frozenset({"order_amount", "category_day_amount", "day_amount", "amount", "cost_change"})


class LevelBody(BaseModel):
    """A scope's level, since when and why."""

    scope_kind: str
    scope: str
    version: int
    level: str
    reason: str
    since: datetime


class AutonomyBody(BaseModel):
    """Levels, switch, limits and what was used of them today. Money only for who may see cost."""

    stopped: bool
    stopped_because: str | None
    default_level: str
    levels: list[LevelBody]
    limits: dict[str, int | None]
    orders_today: int
    amount_today: int | None
    amount_by_category: dict[str, int] | None


class RuleLineBody(BaseModel):
    """An item of a recommended order."""

    item: str
    quantity: int


class RuleOrderBody(BaseModel):
    """What the stored rules recommend to buy now, and how far automation may take it."""

    supplier: str
    warehouse: str
    level: str
    why: str
    rule: str
    amount: int | None
    short_of: list[str] | None
    lines: list[RuleLineBody]


class OutcomeSumBody(BaseModel):
    """Decisions of one origin, model version and override, with 95 % intervals of the shares."""

    origin: str
    model_version: str | None
    overridden: bool
    decided: int
    executed: int
    judged: int
    good: int
    bad: int
    accepted_interval: tuple[float, float] | None
    good_interval: tuple[float, float] | None


class OutcomeBody(BaseModel):
    """What came of one decision; None where there is no data."""

    decision_id: UUID
    decision: str
    status: str
    origin: str
    model_version: str | None
    overridden: bool
    case_kind: str | None
    decided_on: date
    cutoff_on: date
    stockout_days: int | None
    excess_units: int | None
    arrived_percent: int | None
    days_late: int | None
    cost_change: int | None
    verdict: str | None


class OutcomesBody(BaseModel):
    """The outcome ledger: sums, and a page of single outcomes."""

    sums: list[OutcomeSumBody]
    rows: list[OutcomeBody]


class CheckBody(BaseModel):
    """A check of readiness: its share in percent, out of how many, and what is needed."""

    name: str
    percent: int | None
    number: int
    least: int
    least_number: int
    green: bool


class ReadinessBody(BaseModel):
    """Whether a process may go live at a site."""

    process: str
    site: str
    live_since: datetime | None
    green: bool
    checks: list[CheckBody]


class ReviewBody(BaseModel):
    """A day after the start that nobody has reviewed."""

    process: str
    site: str
    day: date
    orders: int
    amount: int | None


class RuleSourceBody(BaseModel):
    """A planning rule with the source that set it, and why that one won."""

    rule: str
    item: str
    location: str
    source: str
    why: str


def autonomy_now(company: Company, connection: Connection, viewer: Principal) -> AutonomyBody:
    """Levels, switch, limits and use as they stand; money only for who may see cost."""
    switch, used = current_switch(connection), used_on(connection, company.clock.today())
    sees = viewer.has_right("see_cost")
    return AutonomyBody(
        stopped=switch.stopped,
        stopped_because=switch.reason if switch.stopped else None,
        default_level=DEFAULT_LEVEL,
        levels=[LevelBody(**asdict(row)) for row in current_levels(connection)],
        limits=_without_money(asdict(current_limits(connection)), sees),
        orders_today=used.orders,
        amount_today=used.amount if sees else None,
        amount_by_category=dict(used.by_category) if sees else None,
    )


def _without_money(values: dict[str, Any], sees: bool) -> dict[str, Any]:
    return {name: value if sees or name not in _MONEY else None for name, value in values.items()}


@router.get("/autonomy")
def autonomy(actor: Reader, company: OfCompany) -> AutonomyBody:
    """How far automation may go, whether it is stopped, and what it used of today's caps."""
    with reading(company.engine) as connection:
        return autonomy_now(company, connection, actor)


@router.get("/autonomy/recommendations")
def recommendations(actor: Reader, company: OfCompany) -> list[RuleOrderBody]:
    """What the stored rules recommend to buy now and nobody is deciding, the most expensive first."""
    with reading(company.engine) as connection:
        orders = rule_orders(connection, company.clock.today())
        names = Names.read(connection, items={line.item_id for one in orders for line in one.lines})
    sees = actor.has_right("see_cost")
    return [
        RuleOrderBody(
            supplier=one.supplier,
            warehouse=one.warehouse,
            level=one.applied.level,
            why=one.applied.why,
            rule=one.rule,
            amount=one.amount if sees else None,
            short_of=one.short_of(names) if sees else None,
            lines=[RuleLineBody(item=names.code(line.item_id), quantity=line.quantity) for line in one.lines],
        )
        for one in orders
    ]


@router.get("/outcomes")
def outcomes(actor: Reader, company: OfCompany, limit: Limit = 50, offset: Offset = 0) -> OutcomesBody:
    """What came of decisions: by origin, model version and override, and one by one."""
    with reading(company.engine) as connection:
        sums = outcome_sums(connection)
        rows = list_outcomes(connection, limit=limit, offset=offset)
    sees = actor.has_right("see_cost")
    return OutcomesBody(
        sums=[OutcomeSumBody(**asdict(one)) for one in sums],
        rows=[OutcomeBody(**_without_money(one, sees)) for one in rows],
    )


@router.get("/readiness/{process}/{site}")
def ready(process: str, site: str, _actor: Reader, company: OfCompany) -> ReadinessBody:
    """The checks of a process at a site, and whether it is live there."""
    with reading(company.engine) as connection:
        checks = readiness(connection, process, site)
        started = [one.since for one in live(connection) if (one.process, one.site) == (process, site)]
    return ReadinessBody(
        process=process,
        site=site,
        live_since=started[0] if started else None,
        green=all(check.green for check in checks),
        checks=[
            CheckBody(
                name=check.name,
                percent=check.percent,
                number=check.number,
                least=check.threshold.least,
                least_number=check.threshold.least_number,
                green=check.green,
            )
            for check in checks
        ],
    )


@router.get("/readiness/reviews")
def reviews(actor: Reader, company: OfCompany) -> list[ReviewBody]:
    """The days after a start that wait for a person to review them, the oldest first."""
    with reading(company.engine) as connection:
        due = reviews_due(connection, company.clock.today())
    sees = actor.has_right("see_cost")
    return [ReviewBody(**_without_money(asdict(one), sees)) for one in due]


@router.get("/planning/rules")
def planning_rules(
    _actor: Reader, company: OfCompany, item: Annotated[str | None, Query(max_length=60)] = None
) -> list[RuleSourceBody]:
    """Who set each planning policy and reorder point, and why it was theirs to set."""
    with reading(company.engine) as connection:
        found = [*policy_sources(connection), *reorder_sources(connection)]
    return [RuleSourceBody(**asdict(one)) for one in found if item is None or one.item == item]
