"""Model artefacts under the home folder, and their versions in the registry.

An artefact is loaded only when its SHA-256 is the one that was published through the gate.
"""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import Engine

from copilot.models import cards
from erp_core.gate.contract import Command, Executed, Outcome
from erp_core.gate.principals import Principal
from erp_core.gate.submission import Gate
from erp_core.planning import queries as planning
from erp_core.planning.commands import PublishModel
from erp_core.storage.engine import reading

DEMAND, DELAY, ANOMALY = "demand", "supplier_delay", "demand_anomaly"


class ArtifactMismatch(RuntimeError):
    """An artefact file is missing, or isn't the one that was published."""


class NotPublished(RuntimeError):
    """The gate did not take what was to be published."""


@dataclass(frozen=True, slots=True)
class Active:
    """The active version of a model with its loaded artefact."""

    id: UUID
    name: str
    version: int
    as_of: date
    model: Any
    card: dict[str, Any]


def save(home: Path, name: str, version_id: UUID, model: Any, card: dict[str, Any]) -> tuple[str, str]:
    """Write artefact and card; gives the artefact's path relative to `home` and its SHA-256."""
    import joblib

    folder = home / "models"
    folder.mkdir(parents=True, exist_ok=True)
    buffer = io.BytesIO()
    joblib.dump(model, buffer, compress=1)
    content = buffer.getvalue()
    relative = f"models/{name}-{version_id}.joblib"
    _write(home / relative, content)
    _write(folder / f"{name}-{version_id}.md", cards.markdown(card).encode())
    return relative, sha256(content).hexdigest()


def load(home: Path, artifact: str, digest: str) -> Any:
    """The model in an artefact. Raises `ArtifactMismatch` before anything in the file is read as code."""
    import joblib

    path = (home / artifact).resolve()
    if not path.is_relative_to(home.resolve()) or not path.is_file():
        raise ArtifactMismatch(f"{artifact} is not under the home folder: run quartermaster train")
    content = path.read_bytes()
    if sha256(content).hexdigest() != digest:
        raise ArtifactMismatch(f"{artifact} was changed after it was published: run quartermaster train")
    return joblib.load(io.BytesIO(content))


def load_active(engine: Engine, home: Path, name: str) -> Active | None:
    """The active version of a model, or None where none was ever published."""
    with reading(engine) as connection:
        version = planning.active_model(connection, name)
    if version is None:
        return None
    model = load(home, version.artifact, version.artifact_sha256)
    return Active(version.id, version.name, version.version, version.as_of, model, dict(version.card))


def publish(
    gate: Gate,
    principal: Principal,
    home: Path,
    *,
    version_id: UUID,
    name: str,
    as_of: date,
    model: Any,
    card: dict[str, Any],
) -> None:
    """Save the artefact and put the version into the registry as the active one."""
    artifact, digest = save(home, name, version_id, model, card)
    command = PublishModel(
        model_version_id=version_id,
        model=name,
        as_of=as_of,
        artifact=artifact,
        artifact_sha256=digest,
        card=card,
        status="active",
    )
    require(gate, command, principal, f"model:{version_id}")


def require(gate: Gate, command: Command, principal: Principal, key: str) -> Executed:
    """Submit a command that has to be executed. Raises `NotPublished` with the gate's reason otherwise."""
    outcome: Outcome = gate.submit(command, principal, key=key)
    if not isinstance(outcome, Executed):
        raise NotPublished(f"{type(command).__name__}: {outcome}")
    return outcome


def _write(path: Path, content: bytes) -> None:
    temporary = path.with_suffix(path.suffix + ".part")
    temporary.write_bytes(content)
    os.replace(temporary, path)
