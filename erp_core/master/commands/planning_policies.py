"""How well items are to be served: policies by item, location and channel, from a day on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field
from sqlalchemy import select

from erp_core.gate.contract import Command, DomainError, Done, Registration, Registry, Task, Transaction
from erp_core.master.commands.ownership import RuleSource
from erp_core.master.commands.records import existing, unknown
from erp_core.master.commands.service_levels import ServiceLevel, out_of_range
from erp_core.master.model import channels, items, locations, planning_policies
from erp_core.master.queries.ownership import ownership_of
from erp_core.master.rules.ownership import owned_elsewhere
from erp_core.master.rules.periods import Period, contradicts
from erp_core.master.rules.planning_policies import EVERY_CHANNEL
from erp_core.storage.bulk import upsert_replace
from erp_core.storage.lookup import fetch_in

Key = tuple[UUID, UUID, UUID]


class SetPlanningPolicy(Command):
    """How well an item is to be served at a location, for one channel or for all, and how often it is reviewed.

    It counts from `valid_from` (left out: that day) up to, not on, `valid_to`; without an end until the next begins.
    Given again for the same first day it takes that one's place. A channel's own policy goes before that of all.
    `service_level` is a share between 0.5 and 1, as decimal text.
    """

    item_id: UUID
    location_id: UUID
    channel_id: UUID | None = None
    service_level: ServiceLevel
    review_days: Annotated[int, Field(ge=1, le=365)] = 7
    valid_from: date | None = None
    valid_to: date | None = None
    source: RuleSource = "manual"

    @property
    def subject(self) -> tuple[str, UUID]:
        """The item."""
        return ("item", self.item_id)


class PolicyOverlap(DomainError):
    """Two policies of one scope would claim the same day, or one would end before it begins."""

    code = "policy_overlap"


def period_of(valid_from: date, valid_to: date | None) -> Period:
    """The days of a policy. Raises `PolicyOverlap` where it would end before it begins."""
    if valid_to is not None and valid_to < valid_from:
        raise PolicyOverlap(
            f"it would end before it begins, on {valid_from}",
            field="valid_to",
            remedy="give valid_from as well, or a later valid_to; the same day withdraws it",
        )
    return Period(valid_from, valid_to)


def require_no_overlap(period: Period, others: Iterable[Period]) -> None:
    """Raise `PolicyOverlap` where another policy of the same scope claims a day of this one by its own words.

    One that begins on the same day is the one that is replaced.
    """
    for one in others:
        if one.valid_from != period.valid_from and contradicts(period, one):
            until = f" until {one.valid_to}" if one.valid_to else ""
            raise PolicyOverlap(
                f"a policy is set from {one.valid_from}{until} already",
                field="valid_from",
                remedy="choose days outside it, or change it by giving its valid_from",
                valid_from=one.valid_from,
                valid_to=one.valid_to,
            )


def set_planning_policies(
    tasks: Sequence[Task[SetPlanningPolicy]], tx: Transaction
) -> Sequence[Done | DomainError]:
    """Write the policies; the last word on a first day counts."""
    writing = _Writing(tasks, tx)
    outcomes: list[Done | DomainError] = []
    for task in tasks:
        try:
            outcomes.append(writing.add(task))
        except DomainError as error:
            outcomes.append(error)
    writing.write()
    return outcomes


class _Writing:
    """One batch: what is known, and the rows to write."""

    def __init__(self, tasks: Sequence[Task[SetPlanningPolicy]], tx: Transaction) -> None:
        self._tx = tx
        commands = [task.command for task in tasks]
        self._items = existing(tx, items, (one.item_id for one in commands))
        self._locations = existing(tx, locations, (one.location_id for one in commands))
        named = {one.channel_id for one in commands if one.channel_id is not None}
        self._channels = existing(tx, channels, named) if named else {}
        self._ownership = ownership_of(tx.connection, "planning_policy")
        self._set_by: dict[tuple[UUID, UUID], str] = {}
        self._periods: dict[Key, list[Period]] = {}
        table = planning_policies
        rows = fetch_in(
            tx.connection,
            select(table).order_by(table.c.valid_from),
            table.c.item_id,
            (one.item_id for one in commands),
        )
        for row in rows:
            self._set_by[row.item_id, row.location_id] = row.source
            key = (row.item_id, row.location_id, row.channel_id)
            self._periods.setdefault(key, []).append(Period(row.valid_from, row.valid_to))
        self._rows: dict[tuple[Key, date], dict[str, Any]] = {}

    def add(self, task: Task[SetPlanningPolicy]) -> Done:
        """Keep one policy for writing."""
        command = task.command
        self._require_known(command)
        pair = (command.item_id, command.location_id)
        owner = self._ownership.owner_of(*pair, self._set_by.get(pair))
        why = self._ownership.why(command.source, owner)
        if why is None:
            assert owner is not None
            raise owned_elsewhere(
                "planning_policy", command.source, owner, self._items[command.item_id]["sku"]
            )
        key = (*pair, command.channel_id or EVERY_CHANNEL)
        period = period_of(command.valid_from or task.occurred_on, command.valid_to)
        others = self._periods.setdefault(key, [])
        require_no_overlap(period, others)
        self._periods[key] = [one for one in others if one.valid_from != period.valid_from] + [period]
        self._set_by[pair] = command.source
        after = {"service_level": command.service_level, "review_days": command.review_days}
        self._rows[key, period.valid_from] = {
            "item_id": key[0],
            "location_id": key[1],
            "channel_id": key[2],
            "valid_from": period.valid_from,
            "valid_to": period.valid_to,
            "service_level": float(command.service_level),
            "review_days": command.review_days,
            "source": command.source,
            "source_reason": why,
            "audit_id": task.audit_id,
        }
        return Done({"item_id": str(command.item_id)}, after=after | {"valid_from": str(period.valid_from)})

    def _require_known(self, command: SetPlanningPolicy) -> None:
        if command.item_id not in self._items:
            raise unknown("item", command.item_id)
        if not self._locations.get(command.location_id, {}).get("physical"):
            raise unknown("location", command.location_id)
        if command.channel_id is not None and command.channel_id not in self._channels:
            raise unknown("channel", command.channel_id)
        refusal = out_of_range(command.service_level)
        if refusal is not None:
            raise refusal

    def write(self) -> None:
        """Write what was kept."""
        replace = ["valid_to", "service_level", "review_days", "source", "source_reason", "audit_id"]
        upsert_replace(self._tx.connection, planning_policies, list(self._rows.values()), replace)


def register(registry: Registry) -> None:
    """Add the command."""
    registry.register(Registration(SetPlanningPolicy, set_planning_policies))
