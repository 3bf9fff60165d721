"""Quotas of channels, and how they follow demand."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import Field, model_validator
from sqlalchemy import func, select

from erp_core.gate.contract import Command, Done, Event, Registration, Registry, Task, Transaction, each
from erp_core.master.commands.records import existing, unknown
from erp_core.master.model import channels, items
from erp_core.orders.model import demand_daily
from erp_core.orders.model_service import channel_quotas
from erp_core.orders.rules.shares import EVERY_ITEM, Quota, adapted
from erp_core.storage.bulk import update_rows, upsert_replace

DEMAND_DAYS = 28
"""So many days of demand say what a channel's share should be."""
_Percent = Annotated[int, Field(ge=0, le=100)]
_Units = Annotated[int, Field(ge=0, le=10**9)]


class SetChannelQuota(Command):
    """What a channel may take of an item, or of every item, at each place.

    `kept_units` are for it alone; it may hold `most_percent` of what is sellable, and owe `oversell_units` of an
    item without stock (left out: any number). With `low_percent` and `high_percent` the share follows demand
    between them. `active` False lifts the quota.
    """

    channel_id: UUID
    item_id: UUID | None = None
    kept_units: _Units = 0
    most_percent: _Percent = 100
    low_percent: _Percent | None = None
    high_percent: _Percent | None = None
    oversell_units: _Units | None = None
    active: bool = True

    @property
    def subject(self) -> tuple[str, UUID]:
        """The channel."""
        return ("channel", self.channel_id)

    @model_validator(mode="after")
    def _within_its_bounds(self) -> Self:
        if (self.low_percent is None) != (self.high_percent is None):
            raise ValueError("a share adapts between two bounds: give low_percent and high_percent")
        low = self.most_percent if self.low_percent is None else self.low_percent
        high = self.most_percent if self.high_percent is None else self.high_percent
        if not low <= self.most_percent <= high:
            raise ValueError("most_percent lies between low_percent and high_percent")
        return self


class AdaptChannelQuotas(Command):
    """Let every quota that adapts follow the demand of the last four weeks, within its bounds."""


def set_channel_quota(task: Task[SetChannelQuota], tx: Transaction) -> Done:
    """Write it."""
    command, item_id = task.command, task.command.item_id or EVERY_ITEM
    if not existing(tx, channels, [command.channel_id]):
        raise unknown("channel", command.channel_id)
    if command.item_id is not None and not existing(tx, items, [command.item_id]):
        raise unknown("item", command.item_id)
    quota = channel_quotas.c
    row = tx.connection.execute(
        select(channel_quotas).where(quota.channel_id == command.channel_id, quota.item_id == item_id)
    ).one_or_none()
    values = {
        "kept_units": command.kept_units,
        "most_percent": command.most_percent,
        "low_percent": command.most_percent if command.low_percent is None else command.low_percent,
        "high_percent": command.most_percent if command.high_percent is None else command.high_percent,
        "oversell_units": command.oversell_units,
        "active": command.active,
    }
    before = None if row is None else {name: row._mapping[name] for name in values}
    key = {"channel_id": command.channel_id, "item_id": item_id}
    written = key | values | {"adapted_on": None, "audit_id": task.audit_id}
    upsert_replace(tx.connection, channel_quotas, [written], [*values, "adapted_on", "audit_id"])
    return Done(before=before, after=values | {"item_id": str(item_id)})


def adapt_channel_quotas(task: Task[AdaptChannelQuotas], tx: Transaction) -> Done:
    """Write the shares that changed, each told as an event of its channel."""
    table = channel_quotas.c
    rows = tx.connection.execute(
        select(channel_quotas).where(table.active, table.low_percent < table.high_percent)
    ).all()
    demand = _recent_demand(tx, task, {row.item_id for row in rows})
    changed: list[dict[str, Any]] = []
    events, told = [], []
    for row in rows:
        quota = Quota(
            row.channel_id,
            row.item_id,
            row.kept_units,
            row.most_percent,
            row.low_percent,
            row.high_percent,
            row.oversell_units,
        )
        share = adapted(quota, demand[row.item_id])
        key = {"channel_id": row.channel_id, "item_id": row.item_id}
        changed.append(key | {"most_percent": share, "adapted_on": task.occurred_on})
        if share != row.most_percent:
            told.append({"channel_id": str(row.channel_id), "item_id": str(row.item_id), "share": share})
            number = len(told)
            events.append(
                Event(
                    "ChannelQuotaAdapted",
                    "quota_review",
                    task.audit_id,
                    number,
                    {**told[-1], "was": row.most_percent},
                )
            )
    update_rows(tx.connection, channel_quotas, changed)
    return Done({"changed": len(told)}, tuple(events), after={"shares": told})


def _recent_demand(
    tx: Transaction, task: Task[AdaptChannelQuotas], item_ids: set[UUID]
) -> dict[UUID, dict[UUID, int]]:
    """Units by channel of each item, the zero id for all items together."""
    day = demand_daily.c
    statement = (
        select(day.item_id, day.channel_id, func.sum(day.units))
        .where(day.day > task.occurred_on - timedelta(days=DEMAND_DAYS), day.day <= task.occurred_on)
        .group_by(day.item_id, day.channel_id)
    )
    if EVERY_ITEM not in item_ids:
        statement = statement.where(day.item_id.in_(item_ids))
    demand: dict[UUID, dict[UUID, int]] = {item_id: {} for item_id in item_ids}
    for item_id, channel_id, units in tx.connection.execute(statement):
        for key in (item_id, EVERY_ITEM):
            if key in demand:
                demand[key][channel_id] = demand[key].get(channel_id, 0) + int(units)
    return demand


def register(registry: Registry) -> None:
    """Add the commands."""
    registry.register(Registration(SetChannelQuota, each(set_channel_quota)))
    registry.register(Registration(AdaptChannelQuotas, each(adapt_channel_quotas)))
