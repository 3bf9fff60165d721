"""How ready a site is, what is live, and which days nobody has reviewed yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, and_, case, func, or_, select

from erp_core.exceptions.model import case_subjects, cases
from erp_core.gate.autonomy.model import automation_uses
from erp_core.gate.contract import NotFound
from erp_core.inventory.model import stock_balances, stock_moves
from erp_core.inventory.rules import ON_HAND_STATES
from erp_core.master.model import locations
from erp_core.master.queries import feeds
from erp_core.planning.model import go_live_reviews, go_lives, readiness_thresholds
from erp_core.planning.readiness.rules import (
    DEFAULTS,
    REVIEW_DAYS,
    WINDOW_DAYS,
    Check,
    CheckName,
    NotReady,
    Threshold,
    percent_of,
)
from erp_core.procurement.model import purchase_orders


def site_id(connection: Connection, site: str) -> UUID:
    """The location of this code. Raises `NotFound`."""
    found: UUID | None = connection.scalar(
        select(locations.c.id).where(locations.c.code == site, locations.c.physical)
    )
    if found is None:
        raise NotFound(
            f"there is no location {site!r}", field="site", remedy="give the code of a warehouse or store"
        )
    return found


def thresholds(connection: Connection, process: str, site: str) -> dict[CheckName, Threshold]:
    """What each check needs: the site's own row, else the one for every site, else the built-in one."""
    table = readiness_thresholds
    rows = connection.execute(
        select(table.c.check, table.c.least, table.c.least_number)
        .where(table.c.process == process, table.c.site.in_(["", site]))
        .order_by(table.c.site)
    )
    return dict(DEFAULTS) | {name: Threshold(least, number) for name, least, number in rows}


def readiness(connection: Connection, process: str, site: str) -> list[Check]:
    """The checks of a process at a site, over the last 90 days that the stock feed covers."""
    place = site_id(connection, site)
    needed = thresholds(connection, process, site)
    feed = feeds(connection).get("stock")
    if feed is None:
        return [Check(name, None, 0, needed[name]) for name in DEFAULTS]
    since = feed.last_on - timedelta(days=WINDOW_DAYS)
    figures = {
        "inventory_accuracy": _accuracy(connection, place, since),
        "process_adherence": _adherence(connection, place, since),
        "pilot_cases": _pilot(connection, place, since),
    }
    return [Check(name, *figures[name], needed[name]) for name in DEFAULTS]


def _at(place: UUID) -> ColumnElement[bool]:
    return or_(stock_moves.c.from_location_id == place, stock_moves.c.to_location_id == place)


def _accuracy(connection: Connection, place: UUID, since: date) -> tuple[int | None, int]:
    """Units that counts did not have to correct, of the units on hand; and how many counts."""
    moves = stock_moves
    counted = or_(moves.c.event == "count", and_(moves.c.event == "adjustment", moves.c.reason == "counted"))
    counts, corrected = connection.execute(
        select(func.count(moves.c.document_id.distinct()), func.sum(moves.c.quantity)).where(
            counted, moves.c.occurred_on >= since, _at(place)
        )
    ).one()
    on_hand = connection.scalar(
        select(func.sum(stock_balances.c.quantity)).where(
            stock_balances.c.location_id == place, stock_balances.c.state.in_(ON_HAND_STATES)
        )
    )
    units = int(on_hand or 0)
    return (percent_of(units - int(corrected or 0), units) if counts else None), int(counts)


def _adherence(connection: Connection, place: UUID, since: date) -> tuple[int | None, int]:
    """Stock documents that nobody had to reverse, of all of them."""
    moves = stock_moves
    reversal = moves.c.event == "reversal"
    documents, reversed_ = connection.execute(
        select(
            func.count(case((~reversal, moves.c.document_id)).distinct()),
            func.count(case((reversal, moves.c.document_id)).distinct()),
        ).where(moves.c.occurred_on >= since, _at(place))
    ).one()
    return percent_of(documents - reversed_, documents), int(documents)


def _pilot(connection: Connection, place: UUID, since: date) -> tuple[int | None, int]:
    """Exceptions of the site that were resolved, of those opened and not still within their time."""
    opened = datetime.combine(since, time(), UTC)
    total, resolved = connection.execute(
        select(func.count(), func.sum(case((cases.c.status == "resolved", 1), else_=0)))
        .select_from(cases.join(case_subjects, case_subjects.c.case_id == cases.c.id))
        .where(
            case_subjects.c.subject_kind == "location",
            case_subjects.c.subject_id == place,
            cases.c.opened_at >= opened,
        )
    ).one()
    return percent_of(int(resolved or 0), total), int(total)


@dataclass(frozen=True, slots=True)
class GoLiveView:
    """A process that is live at a site, since when, with the figures it started on."""

    process: str
    site: str
    since: datetime
    override_reason: str | None
    figures: Mapping[str, Any]


def live(connection: Connection) -> list[GoLiveView]:
    """What is live, by process and site."""
    table = go_lives
    rows = connection.execute(
        select(
            table.c.process, table.c.site, table.c.since, table.c.override_reason, table.c.figures
        ).order_by(table.c.process, table.c.site)
    )
    return [GoLiveView(*row) for row in rows]


def require_live(connection: Connection, process: str, site: str) -> None:
    """Pass when the process went live at the site. Raises `NotReady`."""
    if not any((one.process, one.site) == (process, site) for one in live(connection)):
        raise NotReady(
            f"{process} is not live at {site}",
            field="scope",
            remedy="let it go live first: `GoLive` measures whether the site is ready",
        )


@dataclass(frozen=True, slots=True)
class ReviewDue:
    """A day after the start of a process that nobody has looked at, with what automation did there."""

    process: str
    site: str
    day: date
    orders: int
    amount: int


def reviews_due(connection: Connection, today: date) -> list[ReviewDue]:
    """The days to review, the oldest first: every day from the start, for four weeks, that nobody acknowledged."""
    table = go_live_reviews
    done = {tuple(row) for row in connection.execute(select(table.c.process, table.c.site, table.c.day))}
    used = automation_uses
    bought = {
        (site, day): (int(orders), int(amount))
        for site, day, orders, amount in connection.execute(
            select(
                locations.c.code,
                used.c.day,
                func.count(used.c.document_id.distinct()),
                func.sum(used.c.amount),
            )
            .join(purchase_orders, purchase_orders.c.id == used.c.document_id)
            .join(locations, locations.c.id == purchase_orders.c.location_id)
            .group_by(locations.c.code, used.c.day)
        )
    }
    due = []
    for one in live(connection):
        for number in range(REVIEW_DAYS):
            day = one.since.date() + timedelta(days=number)
            if day > today:
                break
            if (one.process, one.site, day) not in done:
                due.append(ReviewDue(one.process, one.site, day, *bought.get((one.site, day), (0, 0))))
    return sorted(due, key=lambda row: (row.day, row.process, row.site))
