"""`RecordScan`: one command brings the inbox up to date with a scan, and writes only differences."""

from __future__ import annotations

from collections import Counter
from datetime import date
from functools import cached_property
from hashlib import sha256
from typing import Any, NamedTuple, Self
from uuid import UUID

from pydantic import Field, model_validator
from sqlalchemy import Connection, delete, select

from erp_core.exceptions.book import Noted, finding_of, write_findings
from erp_core.exceptions.draft import SCANNED, CaseDraft
from erp_core.exceptions.model import withheld
from erp_core.exceptions.rules import CaseKey, Finding
from erp_core.gate.contract import Command, DomainError, Done, Event, Task, Transaction
from erp_core.storage.bulk import insert_rows


class MalformedScan(DomainError):
    """A scan contradicts itself: a kind it did not judge, a case twice, a loss counted twice."""

    code = "malformed_scan"


class Withheld(NamedTuple):
    """What a scan could not judge: how many subjects of a kind, and why."""

    kind: str
    reason: str
    subjects: int


class RecordScan(Command):
    """The findings of one scan, priced. Only differences to the inbox are written.

    `kinds` are those the scan judged: only their cases can vanish. The audit log keeps counts and SHA-256.
    """

    scan_id: UUID
    as_of: date
    kinds: tuple[str, ...] = Field(min_length=1)
    drafts: tuple[CaseDraft, ...] = Field(max_length=50_000)
    withheld: tuple[Withheld, ...] = ()

    @property
    def subject(self) -> tuple[str, UUID]:
        return ("scan", self.scan_id)

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """The drafts in comparable form. Raises `ValueError` where evidence or action is no JSON."""
        return tuple(finding_of(draft) for draft in self.drafts)

    @model_validator(mode="after")
    def _is_json(self) -> Self:
        _ = self.findings
        return self

    @cached_property
    def drafts_sha256(self) -> str:
        """SHA-256 over the drafts."""
        digest = sha256()
        for draft, finding in zip(self.drafts, self.findings, strict=True):
            subjects = ";".join(f"{kind}:{subject.hex}" for kind, subject in draft.subjects)
            digest.update(f"{draft.kind}|{draft.subject_key}|{subjects}|{finding}\n".encode())
        return digest.hexdigest()

    def recorded(self) -> dict[str, Any]:
        """Header, what was withheld, counts by kind and digest; never the drafts."""
        header = self.model_dump(mode="json", exclude={"drafts"}, exclude_none=True)
        counts = dict(sorted(Counter(draft.kind for draft in self.drafts).items()))
        return header | {"drafts": counts, "sha256": self.drafts_sha256}


def record_scan(task: Task[RecordScan], tx: Transaction) -> Done:
    """Open, update, wake and close cases; `result` counts them. The same scan again changes nothing."""
    command = task.command
    drafts = _by_key(command)
    found = dict(zip(drafts, command.findings, strict=True))
    difference = write_findings(
        tx, drafts, found, command.kinds, Noted("found by a scan", task.occurred_at, task.audit_id)
    )
    _write_withheld(command, task, tx.connection)
    counts = {
        "opened": len(difference.opened),
        "updated": len(difference.updated),
        "woken": len(difference.woken),
        "closed": len(difference.closed),
        "unchanged": difference.unchanged,
        "dismissed": difference.dismissed,
    }
    return Done(result=counts, events=(Event("ScanRecorded", "scan", command.scan_id, 1, counts),))


def _by_key(command: RecordScan) -> dict[CaseKey, CaseDraft]:
    unknown = sorted(set(command.kinds) - set(SCANNED))
    if unknown:
        raise MalformedScan(
            f"no scan judges {', '.join(unknown)}", field="kinds", remedy=f"use {', '.join(SCANNED)}"
        )
    drafts: dict[CaseKey, CaseDraft] = {}
    for draft in command.drafts:
        key = (draft.kind, draft.subject_key)
        if draft.kind not in command.kinds:
            raise MalformedScan(
                f"the scan did not judge {draft.kind}", field="drafts", remedy="name the kind in kinds"
            )
        if key in drafts:
            raise MalformedScan(f"{draft.kind} {draft.subject_key} is drafted twice", field="drafts")
        if draft.caused_by is not None and (draft.expected_loss or draft.residual_loss or draft.action_cost):
            raise MalformedScan(
                f"{draft.kind} {draft.subject_key} counts a loss that {draft.caused_by[1]} owns",
                field="drafts",
                remedy="only the root case carries the money",
            )
        drafts[key] = draft
    return drafts


def _write_withheld(command: RecordScan, task: Task[RecordScan], connection: Connection) -> None:
    before = {Withheld(row.kind, row.reason, row.subjects) for row in connection.execute(select(withheld))}
    now = {entry._replace(reason=entry.reason[:200]) for entry in command.withheld}
    if before == now:
        return
    connection.execute(delete(withheld))
    insert_rows(
        connection, withheld, [entry._asdict() | {"scanned_at": task.occurred_at} for entry in sorted(now)]
    )
