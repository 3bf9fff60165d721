"""Storing data-quality scores: only what changed is written."""

from __future__ import annotations

from collections import Counter
from datetime import date
from functools import cached_property
from hashlib import sha256
from typing import Any
from uuid import UUID

from pydantic import Field
from sqlalchemy import select

from erp_core.gate.contract import Command, Done, Event, Registration, Registry, Task, Transaction, each
from erp_core.master.model import data_quality
from erp_core.master.queries.scoring import Scored
from erp_core.master.rules.quality import score_of
from erp_core.storage.bulk import upsert_replace


class RecordDataQuality(Command):
    """The problems of every item and supplier on a day; each score is 100 less its deductions.

    Only differences are written. The audit log keeps counts and SHA-256.
    """

    scoring_id: UUID
    as_of: date
    scored: tuple[Scored, ...] = Field(max_length=500_000)

    @property
    def subject(self) -> tuple[str, UUID]:
        """The scoring."""
        return ("data_quality", self.scoring_id)

    @cached_property
    def sha256(self) -> str:
        """SHA-256 over what was found."""
        digest = sha256()
        for one in self.scored:
            digest.update(f"{one.kind}|{one.record_id.hex}|{one.problems}\n".encode())
        return digest.hexdigest()

    def recorded(self) -> dict[str, Any]:
        """Header, records by kind, problems by name and digest; never the records."""
        header = self.model_dump(mode="json", exclude={"scored"}, exclude_none=True)
        return header | {
            "records": dict(sorted(Counter(one.kind for one in self.scored).items())),
            "problems": dict(
                sorted(Counter(problem.name for one in self.scored for problem in one.problems).items())
            ),
            "sha256": self.sha256,
        }


def record_data_quality(task: Task[RecordDataQuality], tx: Transaction) -> Done:
    """Write the scores that are new or differ; the same again changes nothing."""
    known = {
        (row.kind, row.record_id): (row.score, [tuple(one) for one in row.problems])
        for row in tx.connection.execute(
            select(
                data_quality.c.kind, data_quality.c.record_id, data_quality.c.score, data_quality.c.problems
            )
        )
    }
    changed: dict[tuple[str, UUID], dict[str, Any]] = {}
    for one in task.command.scored:
        score, problems = score_of(one.problems), [tuple(problem) for problem in one.problems]
        if known.get((one.kind, one.record_id)) != (score, problems):
            changed[one.kind, one.record_id] = {
                "kind": one.kind,
                "record_id": one.record_id,
                "score": score,
                "problems": problems,
                "scored_on": task.command.as_of,
                "audit_id": task.audit_id,
            }
    kept = ["score", "problems", "scored_on", "audit_id"]
    upsert_replace(tx.connection, data_quality, list(changed.values()), kept)
    counts = {"scored": len(task.command.scored), "changed": len(changed)}
    event = Event("DataQualityRecorded", "data_quality", task.command.scoring_id, 1, counts)
    return Done(result=counts, events=(event,))


def register(registry: Registry) -> None:
    """Add the command."""
    registry.register(Registration(RecordDataQuality, each(record_data_quality)))
