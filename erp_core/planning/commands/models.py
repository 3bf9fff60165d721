"""Model versions with their cards."""

from __future__ import annotations

from datetime import date
from math import isfinite
from pathlib import PurePosixPath
from typing import Any, Literal
from uuid import UUID

from pydantic import Field, field_validator
from sqlalchemy import func, select, update

from erp_core.gate.contract import Command, DomainError, Done, Event, Task, Transaction
from erp_core.inventory.locks import lock_names
from erp_core.planning.model import model_versions
from erp_core.storage.bulk import insert_rows


class ModelVersionExists(DomainError):
    """A model version with this id is published already."""

    code = "model_version_exists"


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

    @field_validator("artifact")
    @classmethod
    def _under_home(cls, artifact: str) -> str:
        path = PurePosixPath(artifact)
        if path.is_absolute() or ".." in path.parts:
            raise ValueError("artifact is a path under the home folder: give it relative, without ..")
        return artifact

    @property
    def subject(self) -> tuple[str, UUID]:
        return ("model_version", self.model_version_id)


def exact(value: Any) -> Any:
    """The JSON value with every float as text of six significant digits; not-a-number becomes None."""
    if isinstance(value, float):
        return f"{value:.6g}" if isfinite(value) else None
    if isinstance(value, dict):
        return {str(name): exact(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [exact(part) for part in value]
    return value


def publish_model(task: Task[PublishModel], tx: Transaction) -> Done:
    """Add the version under the next number of its model."""
    command = task.command
    lock_names(tx.connection, [f"model:{command.model}"])
    if tx.connection.scalar(
        select(model_versions.c.id).where(model_versions.c.id == command.model_version_id)
    ):
        raise ModelVersionExists(
            "this model version is published already",
            field="model_version_id",
            remedy="train again under a new id",
        )
    same = model_versions.c.name == command.model
    version = (tx.connection.scalar(select(func.max(model_versions.c.version)).where(same)) or 0) + 1
    if command.status == "active":
        tx.connection.execute(
            update(model_versions).where(same, model_versions.c.status == "active").values(status="retired")
        )
    insert_rows(
        tx.connection,
        model_versions,
        [
            {
                "id": command.model_version_id,
                "name": command.model,
                "version": version,
                "status": command.status,
                "as_of": command.as_of,
                "trained_at": task.occurred_at,
                "artifact": command.artifact,
                "artifact_sha256": command.artifact_sha256,
                "card": command.card,
                "audit_id": task.audit_id,
            }
        ],
    )
    result = {"model": command.model, "version": version, "status": command.status}
    event = Event("ModelPublished", "model_version", command.model_version_id, 1, result)
    return Done(result=result, events=(event,), after=result)
