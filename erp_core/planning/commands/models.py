"""Model versions with their cards."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal
from uuid import UUID

from pydantic import Field, field_validator

from erp_core.gate.contract import Command


class PublishModel(Command):
    """Put a trained model into the registry. An active one retires the active version of the same model.

    `artifact` is a path under the home folder. `card` is JSON; its floats become text, because what is
    audited is hashed. `rejected` keeps the card of a model that did not beat its baseline.
    """

    model_version_id: UUID
    model: str = Field(min_length=1, max_length=40, description="demand, demand_anomaly, supplier_delay")
    as_of: date
    artifact: str = Field(min_length=1, max_length=400)
    artifact_sha256: str = Field(pattern="^[0-9a-f]{64}$")
    card: dict[str, Any]
    status: Literal["active", "rejected"] = "active"

    @field_validator("card", mode="before")
    @classmethod
    def _without_floats(cls, card: Any) -> Any:
        return exact(card)

    @property
    def subject(self) -> tuple[str, UUID]:
        return ("model_version", self.model_version_id)


def exact(value: Any) -> Any:
    """The JSON value with every float as text of six significant digits; what is not a number stays None."""
    if isinstance(value, float):
        return f"{value:.6g}" if value == value and abs(value) != float("inf") else None
    if isinstance(value, dict):
        return {str(name): exact(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [exact(part) for part in value]
    return value
