"""Reorder points and promotions."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from functools import cached_property
from hashlib import sha256
from typing import Any, NamedTuple, Self
from uuid import UUID

from pydantic import Field, model_validator

from erp_core.gate.contract import Command


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
    """Replace the reorder points of up to 5,000 item-locations. The audit log keeps count and SHA-256."""

    batch_id: UUID
    as_of: date
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
