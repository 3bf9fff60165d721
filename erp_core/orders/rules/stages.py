"""Clocks of order stages: how long an order may stay where it is, and how long it has been there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

Standing = Literal["in_time", "at_risk", "breached"]
DISPATCH = "dispatch"
"""The stage that spans all others: from accepted to shipped, by the channel's own terms."""
AGE_BUCKETS = ((0, "under 1 day"), (1, "1 to 3 days"), (3, "3 to 7 days"), (7, "7 days and more"))


@dataclass(frozen=True, slots=True)
class StageLimit:
    """An order may stay `minutes` in a stage; people are alerted `warn_minutes` before."""

    minutes: int
    warn_minutes: int


Limits = Mapping[tuple[UUID, str], StageLimit]


def limit_for(limits: Limits, channel_id: UUID, stage: str, everyone: UUID) -> StageLimit | None:
    """The channel's own limit of a stage, or that of every channel; None where nobody set one."""
    return limits.get((channel_id, stage)) or limits.get((everyone, stage))


def dispatch_limit(hours: int) -> StageLimit:
    """The limit that a channel's terms set from accepted to shipped; the last quarter is the warning."""
    return StageLimit(hours * 60, hours * 15)


def due_at(limit: StageLimit, since: datetime) -> datetime:
    """When the stage must be over."""
    return since + timedelta(minutes=limit.minutes)


def standing(limit: StageLimit, since: datetime, now: datetime) -> Standing:
    """How the clock stands. At its end it is breached; the warning begins `warn_minutes` before."""
    end = due_at(limit, since)
    if now >= end:
        return "breached"
    return "at_risk" if now >= end - timedelta(minutes=limit.warn_minutes) else "in_time"


def age_bucket(since: datetime, now: datetime) -> str:
    """The bucket of an age; a whole day later it is in the next."""
    days = (now - since) / timedelta(days=1)
    return next(name for least, name in reversed(AGE_BUCKETS) if days >= least or least == 0)
