"""Locations, channels and planning policies."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from erp_core.gate.contract import Command
from erp_core.master.values import Code, Country, Name


class CreateLocation(Command):
    """A place that holds stock. The virtual locations come with the first one."""

    location_id: UUID
    code: Code
    name: Name
    kind: Literal["warehouse", "store", "third_party"] = "warehouse"
    country: Country | None = None

    @property
    def subject(self) -> tuple[str, UUID]:
        """The location."""
        return ("location", self.location_id)


class CreateChannel(Command):
    """A way customers order. A lower `priority` is served first when stock is short."""

    channel_id: UUID
    code: Code
    name: Name
    kind: Literal["web", "marketplace", "store", "wholesale"]
    priority: Annotated[int, Field(ge=1, le=99)] = 10

    @property
    def subject(self) -> tuple[str, UUID]:
        """The channel."""
        return ("channel", self.channel_id)


class SetPlanningPolicy(Command):
    """How well an item is to be served at a location, and how often it is reviewed."""

    item_id: UUID
    location_id: UUID
    service_level: Annotated[str, Field(pattern=r"^0\.\d{1,4}$", description="share of demand, as decimal text")]
    review_days: Annotated[int, Field(ge=1, le=365)] = 7

    @property
    def subject(self) -> tuple[str, UUID]:
        """The item."""
        return ("item", self.item_id)
