"""Reads of how long orders stay where they are: clocks against limits, and ageing by exception code."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, exists, func, or_, select, text

from erp_core.master.model import channels
from erp_core.orders.model import UNFILLED, order_lines, orders
from erp_core.orders.model_service import stage_alerts, stage_limits
from erp_core.orders.rules import COMMITTED, HELD, OPEN
from erp_core.orders.rules.stages import (
    DISPATCH,
    StageLimit,
    Standing,
    age_bucket,
    dispatch_limit,
    due_at,
    limit_for,
    standing,
)
from erp_core.storage.lookup import fetch_in

EVERY_CHANNEL = UUID(int=0)
WAITS_FOR_STOCK = "waits_for_stock"
"""The exception code of an order that is cleared and not on hold, and has no stock for some of it."""


@dataclass(frozen=True, slots=True)
class StageClock:
    """An order in a stage that has a limit; `since` is when it came into it."""

    order_id: UUID
    order_number: str
    channel_id: UUID
    stage: str
    since: datetime
    due_at: datetime
    standing: Standing


@dataclass(frozen=True, slots=True)
class Ageing:
    """Open orders of one exception code and age. `value` is what the customers owe for what is open."""

    code: str
    bucket: str
    orders: int
    units: int
    value: int
    oldest_since: datetime


def stage_clocks(
    connection: Connection,
    now: datetime,
    *,
    standings: Collection[str] = ("at_risk", "breached"),
    channel_id: UUID | None = None,
) -> list[StageClock]:
    """The open orders whose clocks stand so, the first to run out first. Stages without a limit have no clock."""
    rows = connection.execute(select(stage_limits))
    limits = {(row.channel_id, row.status): StageLimit(row.minutes, row.warn_minutes) for row in rows}
    statement = (
        select(
            orders.c.id,
            orders.c.number,
            orders.c.channel_id,
            orders.c.status,
            orders.c.status_since,
            orders.c.ordered_at,
            channels.c.dispatch_hours,
        )
        .join(channels, channels.c.id == orders.c.channel_id)
        .where(
            orders.c.status.in_(OPEN),
            orders.c.status_since.is_not(None),
            or_(
                orders.c.status.in_({status for _, status in limits}), channels.c.dispatch_hours.is_not(None)
            ),
        )
    )
    if channel_id is not None:
        statement = statement.where(orders.c.channel_id == channel_id)
    found = []
    for id_, number, channel, status, since, ordered_at, hours in connection.execute(statement):
        clocks = [(status, since, limit_for(limits, channel, status, EVERY_CHANNEL))]
        if hours is not None and status in COMMITTED:
            clocks.append((DISPATCH, ordered_at, dispatch_limit(hours)))
        for stage, start, limit in clocks:
            if limit is not None and (stands := standing(limit, start, now)) in standings:
                found.append(StageClock(id_, number, channel, stage, start, due_at(limit, start), stands))
    return sorted(found, key=lambda one: (one.due_at, one.order_number, one.stage))


def unalerted_clocks(connection: Connection, now: datetime) -> list[StageClock]:
    """The clocks at risk or breached that nobody was alerted of in this stay."""
    clocks = stage_clocks(connection, now)
    alert = stage_alerts.c
    statement = select(alert.order_id, alert.status, alert.since, alert.kind)
    rows = fetch_in(connection, statement, alert.order_id, {one.order_id for one in clocks})
    raised = {tuple(row) for row in rows}
    return [one for one in clocks if (one.order_id, one.stage, one.since, one.standing) not in raised]


def order_ageing(connection: Connection, now: datetime) -> list[Ageing]:
    """Orders that are stuck, by exception code and age: held ones by their reason, others for want of stock."""
    line = order_lines.c
    left = line.quantity - line.shipped_quantity - line.cancelled_quantity
    missing = exists().where(line.order_id == orders.c.id, text(UNFILLED))
    stuck = (
        select(orders.c.id, orders.c.status, orders.c.hold_reason, orders.c.status_since, orders.c.ordered_at)
        .where(
            orders.c.status_since.is_not(None),
            or_(orders.c.status.in_(HELD), orders.c.status.in_(COMMITTED) & missing),
        )
        .subquery()
    )
    statement = (
        select(
            stuck.c.status,
            stuck.c.hold_reason,
            stuck.c.status_since,
            stuck.c.ordered_at,
            func.sum(left),
            func.sum(left * line.unit_price),
        )
        .join(order_lines, line.order_id == stuck.c.id)
        .group_by(*stuck.c)
    )
    sums: dict[tuple[str, str], list[int]] = {}
    oldest: dict[tuple[str, str], datetime] = {}
    for status, reason, status_since, ordered_at, units, value in connection.execute(statement):
        held = status in HELD
        code, since = (reason, status_since) if held else (WAITS_FOR_STOCK, ordered_at)
        key = code, age_bucket(since, now)
        total = sums.setdefault(key, [0, 0, 0])
        for position, part in enumerate((1, int(units), int(value))):
            total[position] += part
        oldest[key] = min(oldest.get(key, since), since)
    found = [
        Ageing(code, bucket, count, units, value, oldest[code, bucket])
        for (code, bucket), (count, units, value) in sums.items()
    ]
    return sorted(found, key=lambda one: (one.code, one.oldest_since))
