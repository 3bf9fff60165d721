"""Reorder points and promotions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from functools import cached_property
from hashlib import sha256
from typing import Any, NamedTuple, Self
from uuid import UUID

from pydantic import Field, model_validator
from sqlalchemy import select

from erp_core.gate.contract import Command, DomainError, Done, Event, NotFound, Task, Transaction
from erp_core.master.commands.ownership import RuleSource
from erp_core.master.queries import list_channels, list_items
from erp_core.master.queries.ownership import ownership_of
from erp_core.master.rules.ownership import RuleOwnedElsewhere, owned_elsewhere
from erp_core.planning.model import promotions, reorder_points
from erp_core.storage.bulk import insert_rows, upsert_replace
from erp_core.storage.lookup import fetch_in


class ReorderPoint(NamedTuple):
    """One item at one location. Quantities in base units, demand in units a day, lead time in days."""

    item_id: UUID
    location_id: UUID
    safety_stock: int
    reorder_point: int
    order_up_to: int
    demand_mean: float
    demand_std: float
    lead_time_mean: float
    lead_time_std: float
    service_level: float


class PublishReorderPoints(Command):
    """Replace the reorder points of up to 5,000 item-locations. The audit log keeps count and SHA-256.

    Those that another source owns stay as they are; when all are, it is refused.
    """

    batch_id: UUID
    as_of: date
    source: RuleSource = "forecast"
    points: tuple[ReorderPoint, ...] = Field(min_length=1, max_length=5_000)

    @property
    def subject(self) -> tuple[str, UUID]:
        return ("reorder_points", self.batch_id)

    @cached_property
    def points_sha256(self) -> str:
        """SHA-256 over the points."""
        return sha256("\n".join(",".join(map(str, point)) for point in self.points).encode()).hexdigest()

    def recorded(self) -> dict[str, Any]:
        """Id, day, count and digest; never the points."""
        header = self.model_dump(mode="json", exclude={"points"}, exclude_none=True)
        return header | {"points": len(self.points), "sha256": self.points_sha256}


_SOURCES = select(reorder_points.c.item_id, reorder_points.c.location_id, reorder_points.c.source)


class PlanPromotion(Command):
    """Plan a price cut for an item in a channel, so that its demand is not taken for a trend."""

    promotion_id: UUID
    item_id: UUID
    channel_id: UUID
    starts_on: date
    ends_on: date
    discount: Decimal = Field(ge=0, lt=1, description="share of the list price")
    title: str = Field(min_length=1, max_length=120)

    @property
    def subject(self) -> tuple[str, UUID]:
        return ("promotion", self.promotion_id)

    @model_validator(mode="after")
    def _ends_after_start(self) -> Self:
        if self.ends_on < self.starts_on:
            raise ValueError("ends_on cannot lie before starts_on")
        return self


class PromotionExists(DomainError):
    """A promotion with this id is planned already."""

    code = "promotion_exists"


def publish_reorder_points(task: Task[PublishReorderPoints], tx: Transaction) -> Done:
    """Replace what stands for these item-locations, where the source may."""
    command = task.command
    ownership = ownership_of(tx.connection, "reorder_point")
    set_by = {
        (item_id, location_id): source
        for item_id, location_id, source in fetch_in(
            tx.connection, _SOURCES, reorder_points.c.item_id, {point.item_id for point in command.points}
        )
    }
    fixed = {"as_of": command.as_of, "audit_id": task.audit_id, "source": command.source}
    rows: list[dict[str, Any]] = []
    refused: list[RuleOwnedElsewhere] = []
    for point in command.points:
        pair = (point.item_id, point.location_id)
        owner = ownership.owner_of(*pair, set_by.get(pair))
        why = ownership.why(command.source, owner)
        if why is not None:
            rows.append(point._asdict() | fixed | {"source_reason": why})
        elif owner is not None:
            refused.append(owned_elsewhere("reorder_point", command.source, owner, f"item {point.item_id}"))
    if refused and not rows:
        raise refused[0]
    keys = [column.name for column in reorder_points.primary_key]
    replace = [column.name for column in reorder_points.c if column.name not in keys]
    upsert_replace(tx.connection, reorder_points, rows, replace)
    result = {"points": len(rows), "as_of": command.as_of.isoformat()}
    if refused:
        result |= {"owned_elsewhere": len(refused), "first": refused[0].message}
    return Done(
        result=result,
        events=(Event("ReorderPointsPublished", "reorder_points", command.batch_id, 1, result),),
    )


def plan_promotions(tasks: Sequence[Task[PlanPromotion]], tx: Transaction) -> Sequence[Done | DomainError]:
    """Keep the promotions; each is known from the day it happened to be planned."""
    commands, connection = [task.command for task in tasks], tx.connection
    items = {item.id for item in list_items(connection, ids={one.item_id for one in commands})}
    channels = {channel.id for channel in list_channels(connection)}
    ids = {one.promotion_id for one in commands}
    taken = {row.id for row in fetch_in(connection, select(promotions.c.id), promotions.c.id, ids)}
    rows: list[dict[str, Any]] = []
    outcomes: list[Done | DomainError] = []
    for task in tasks:
        command = task.command
        if command.item_id not in items:
            outcomes.append(NotFound("there is no such item", field="item_id", remedy="choose an item"))
        elif command.channel_id not in channels:
            outcomes.append(
                NotFound("there is no such channel", field="channel_id", remedy="choose a channel")
            )
        elif command.promotion_id in taken:
            outcomes.append(
                PromotionExists(
                    "this promotion is planned already", field="promotion_id", remedy="use a new id"
                )
            )
        else:
            taken.add(command.promotion_id)
            rows.append(_promotion(task))
            outcomes.append(_planned(command))
    insert_rows(connection, promotions, rows)
    return outcomes


def _promotion(task: Task[PlanPromotion]) -> dict[str, Any]:
    command = task.command
    return {
        "id": command.promotion_id,
        "item_id": command.item_id,
        "channel_id": command.channel_id,
        "starts_on": command.starts_on,
        "ends_on": command.ends_on,
        "discount": float(command.discount),
        "name": command.title,
        "known_on": task.occurred_on,
        "audit_id": task.audit_id,
    }


def _planned(command: PlanPromotion) -> Done:
    result = {"title": command.title, "starts_on": str(command.starts_on), "ends_on": str(command.ends_on)}
    return Done(
        result=result, events=(Event("PromotionPlanned", "promotion", command.promotion_id, 1, result),)
    )
