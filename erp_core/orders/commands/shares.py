"""Quotas of channels, and how they follow demand."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import product
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import Field, model_validator
from sqlalchemy import func, select

from erp_core.gate.contract import (
    Command,
    DomainError,
    Done,
    Event,
    Registration,
    Registry,
    Task,
    Transaction,
    each,
)
from erp_core.inventory.locks import lock_names
from erp_core.master.commands.planning_policies import period_of, require_no_overlap
from erp_core.master.commands.records import existing, unknown
from erp_core.master.model import channels, items, locations
from erp_core.master.rules.periods import Period
from erp_core.orders.model import demand_daily
from erp_core.orders.model_service import channel_quotas
from erp_core.orders.rules.shares import EVERY_ITEM, EVERY_PLACE, Said, Scope, adapted, ties_with
from erp_core.orders.shares import quotas_in_force
from erp_core.storage.bulk import update_rows, upsert_replace

DEMAND_DAYS = 28
"""So many days of demand say what a channel's share should be."""
_Percent = Annotated[int, Field(ge=0, le=100)]
_Units = Annotated[int, Field(ge=0, le=10**9)]


class SetChannelQuota(Command):
    """What a channel may take of an item, or of every item, at a place or at each: an allocation policy.

    `kept_units` are for it alone; it may hold `most_percent` of what is sellable. With `low_percent` and
    `high_percent` the share follows demand between them. `oversell_units` of an item may be owed without stock, over
    all places (left out: any number). It counts from `valid_from` (left out: that day) up to, not on, `valid_to`;
    without an end until the next begins. `active` False: from then on there is none. The most specific one counts.
    """

    channel_id: UUID
    item_id: UUID | None = None
    location_id: UUID | None = None
    kept_units: _Units = 0
    most_percent: _Percent = 100
    low_percent: _Percent | None = None
    high_percent: _Percent | None = None
    oversell_units: _Units | None = None
    valid_from: date | None = None
    valid_to: date | None = None
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
        if self.location_id is not None and self.oversell_units is not None:
            raise ValueError(
                "what a channel owes counts over all places: give oversell_units without location_id"
            )
        return self


class QuotaTie(DomainError):
    """Two quotas would speak of one item at one place, and neither is the more specific."""

    code = "quota_tie"


class AdaptChannelQuotas(Command):
    """Let every quota that adapts follow the demand of the last four weeks, within its bounds."""


def set_channel_quota(task: Task[SetChannelQuota], tx: Transaction) -> Done:
    """Write it. Raises `PolicyOverlap` or `QuotaTie`."""
    command = task.command
    scope = (command.item_id or EVERY_ITEM, command.location_id or EVERY_PLACE)
    _require_known(tx, command)
    lock_names(tx.connection, [f"quotas {command.channel_id}"])
    table = channel_quotas.c
    rows = tx.connection.execute(
        select(channel_quotas).where(table.channel_id == command.channel_id).order_by(table.valid_from)
    ).all()
    period = period_of(command.valid_from or task.occurred_on, command.valid_to)
    said: dict[Scope, list[Said]] = {scope: []}
    for row in rows:
        if (row.item_id, row.location_id, row.valid_from) != (*scope, period.valid_from):
            own = said.setdefault((row.item_id, row.location_id), [])
            own.append((Period(row.valid_from, row.valid_to), row.active))
    require_no_overlap(period, (other for other, _ in said[scope]))
    said[scope].append((period, command.active))
    other = ties_with(scope, said)
    if other is not None:
        raise QuotaTie(
            "the channel has a quota of "
            + ("every item at a place" if other[0] == EVERY_ITEM else "an item at every place"),
            field="location_id" if other[0] == EVERY_ITEM else "item_id",
            remedy="set it for the item at that place, or end the other first",
            item=None if other[0] == EVERY_ITEM else other[0],
            location=None if other[1] == EVERY_PLACE else other[1],
        )
    values = {
        "valid_to": command.valid_to,
        "kept_units": command.kept_units,
        "most_percent": command.most_percent,
        "low_percent": command.most_percent if command.low_percent is None else command.low_percent,
        "high_percent": command.most_percent if command.high_percent is None else command.high_percent,
        "oversell_units": command.oversell_units,
        "active": command.active,
    }
    key = {
        "channel_id": command.channel_id,
        "item_id": scope[0],
        "location_id": scope[1],
        "valid_from": period.valid_from,
    }
    before = [
        row for row in rows if (row.item_id, row.location_id) == scope and row.valid_from <= period.valid_from
    ]
    written = key | values | {"adapted_on": None, "audit_id": task.audit_id}
    upsert_replace(tx.connection, channel_quotas, [written], [*values, "adapted_on", "audit_id"])
    told = {name: str(value) for name, value in key.items() if name != "channel_id"}
    days = {"valid_to": command.valid_to and str(command.valid_to)}
    was = None
    if before:
        last = before[-1]._mapping
        was = {name: last[name] for name in values} | {"valid_to": last["valid_to"] and str(last["valid_to"])}
    return Done(before=was, after=values | told | days)


def _require_known(tx: Transaction, command: SetChannelQuota) -> None:
    if not existing(tx, channels, [command.channel_id]):
        raise unknown("channel", command.channel_id)
    if command.item_id is not None and not existing(tx, items, [command.item_id]):
        raise unknown("item", command.item_id)
    if command.location_id is not None:
        found = existing(tx, locations, [command.location_id]).get(command.location_id, {})
        if not found.get("physical"):
            raise unknown("location", command.location_id)


def adapt_channel_quotas(task: Task[AdaptChannelQuotas], tx: Transaction) -> Done:
    """Write the shares that changed, each told as an event of its channel."""
    found = [
        one
        for one in quotas_in_force(tx.connection, task.occurred_on).values()
        if one.low_percent < one.high_percent
    ]
    demand = _recent_demand(tx, task, {(one.item_id, one.location_id) for one in found})
    changed: list[dict[str, Any]] = []
    events, told = [], []
    for quota in found:
        share = adapted(quota, demand[quota.item_id, quota.location_id])
        names = ("channel_id", "item_id", "location_id", "valid_from")
        key = {name: getattr(quota, name) for name in names}
        changed.append(key | {"most_percent": share, "adapted_on": task.occurred_on})
        if share != quota.most_percent:
            told.append({name: str(value) for name, value in key.items()} | {"share": share})
            data = {**told[-1], "was": quota.most_percent}
            events.append(Event("ChannelQuotaAdapted", "quota_review", task.audit_id, len(told), data))
    update_rows(tx.connection, channel_quotas, changed)
    return Done({"changed": len(told)}, tuple(events), after={"shares": told})


def _recent_demand(
    tx: Transaction, task: Task[AdaptChannelQuotas], scopes: set[Scope]
) -> dict[Scope, dict[UUID, int]]:
    """Units by channel in each scope, over the last four weeks."""
    day, item_ids = demand_daily.c, {item_id for item_id, _ in scopes}
    statement = (
        select(day.item_id, day.location_id, day.channel_id, func.sum(day.units))
        .where(day.day > task.occurred_on - timedelta(days=DEMAND_DAYS), day.day <= task.occurred_on)
        .group_by(day.item_id, day.location_id, day.channel_id)
    )
    if EVERY_ITEM not in item_ids:
        statement = statement.where(day.item_id.in_(item_ids))
    demand: dict[Scope, dict[UUID, int]] = {scope: {} for scope in scopes}
    for item_id, place, channel_id, units in tx.connection.execute(statement):
        for scope in product((item_id, EVERY_ITEM), (place, EVERY_PLACE)):
            if scope in demand:
                demand[scope][channel_id] = demand[scope].get(channel_id, 0) + int(units)
    return demand


def register(registry: Registry) -> None:
    """Add the commands."""
    registry.register(Registration(SetChannelQuota, each(set_channel_quota)))
    registry.register(Registration(AdaptChannelQuotas, each(adapt_channel_quotas)))
