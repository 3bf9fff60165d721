"""Reads of planning policies: all of them, and those in force on a day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import Connection, or_, select

from erp_core.master.model import planning_policies
from erp_core.master.queries.owners import owner_logins
from erp_core.master.rules.planning_policies import EVERY_CHANNEL, PlanningPolicy, for_channel

_POLICY = planning_policies.c
_COLUMNS = (
    _POLICY.item_id,
    _POLICY.location_id,
    _POLICY.channel_id,
    _POLICY.valid_from,
    _POLICY.valid_to,
    _POLICY.service_level,
    _POLICY.review_days,
)


@dataclass(frozen=True, slots=True)
class OwnedPolicy:
    """A policy with the login of who answers for it, None where nobody does."""

    policy: PlanningPolicy
    owner: str | None


def list_policies(
    connection: Connection, on: date, *, item_id: UUID | None = None, channel_id: UUID | None = None
) -> list[OwnedPolicy]:
    """The policies of a day with their owners; with a channel the one that counts for it at each item and place."""
    found = [one for one in planning_policies_in_force(connection, on) if item_id in (None, one.item_id)]
    if channel_id is not None:
        found = for_channel(found, channel_id)
    owners = owner_logins(connection, "planning_policies", {one.item_id for one in found})
    return [OwnedPolicy(one, owners[one.item_id]) for one in found]


def planning_policies_in_force(connection: Connection, on: date) -> list[PlanningPolicy]:
    """The policy of each item, location and channel on a day: of those that cover it the one that began last."""
    statement = (
        select(*_COLUMNS)
        .where(_POLICY.valid_from <= on, or_(_POLICY.valid_to.is_(None), _POLICY.valid_to > on))
        .order_by(_POLICY.valid_from)
    )
    latest = {tuple(row[:3]): row for row in connection.execute(statement)}
    return [
        PlanningPolicy(item_id, location_id, None if channel_id == EVERY_CHANNEL else channel_id, *rest)
        for item_id, location_id, channel_id, *rest in latest.values()
    ]
