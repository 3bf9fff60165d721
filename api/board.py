"""Long work that somebody asked for: queued, started by the jobs runner, followed by its progress.

One small file per job under `home/jobs`, replaced whole at each change, so that several API processes
and one jobs process see the same list.
"""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel

from erp_core.storage.ids import new_id

JobKind = Literal["train", "forecast", "scan", "score", "classify", "import", "automation", "outcomes"]
JobStatus = Literal["queued", "running", "done", "failed"]


class Job(BaseModel):
    """One piece of work. `progress` is a share between 0 and 1; `error` is a sentence with its remedy."""

    id: UUID
    kind: JobKind
    status: JobStatus = "queued"
    options: dict[str, Any] = {}
    requested_by: UUID
    requested_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    stage: str = ""
    progress: float = 0.0
    result: dict[str, Any] | None = None
    error: str | None = None


class Board:
    """The jobs of one company."""

    def __init__(self, home: Path) -> None:
        self._folder = home / "jobs"

    def add(self, kind: JobKind, options: dict[str, Any], requested_by: UUID, now: datetime) -> Job:
        """Queue work."""
        job = Job(id=new_id(), kind=kind, options=options, requested_by=requested_by, requested_at=now)
        self.save(job)
        return job

    def save(self, job: Job) -> None:
        """Replace what is known of a job."""
        self._folder.mkdir(parents=True, exist_ok=True)
        fresh = self._folder / f".{job.id}.{os.getpid()}.new"
        fresh.write_text(job.model_dump_json(), encoding="utf-8")
        fresh.replace(self._folder / f"{job.id}.json")

    def get(self, job_id: UUID) -> Job | None:
        """One job."""
        try:
            return Job.model_validate_json((self._folder / f"{job_id}.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None

    def list(self, limit: int = 50) -> list[Job]:
        """The newest jobs first."""
        if not self._folder.is_dir():
            return []
        names = sorted((file.stem for file in self._folder.glob("*.json")), reverse=True)[:limit]
        return [job for job in (self.get(UUID(name)) for name in names) if job is not None]

    def next(self) -> Job | None:
        """The oldest job that waits, or that a runner left unfinished when it was killed.

        Only the one runner of the company asks, so whatever is `running` here has nobody any more.
        """
        waiting = [job for job in self.list(limit=1_000) if job.status in ("queued", "running")]
        return waiting[-1] if waiting else None
