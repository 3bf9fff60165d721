"""`RecordScan`: one command brings the inbox up to date with a scan, and writes only differences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date
from functools import cached_property
from hashlib import sha256
from typing import Any, NamedTuple, Self
from uuid import UUID

from pydantic import Field, model_validator
from sqlalchemy import Connection, Text, bindparam, delete, or_, select, type_coerce

from erp_core.exceptions.draft import KINDS, CaseDraft
from erp_core.exceptions.model import case_events, case_subjects, cases, withheld
from erp_core.exceptions.rules import (
    CLOSED,
    CaseKey,
    Finding,
    KnownCase,
    ScanDifference,
    awake_status,
    scan_difference,
)
from erp_core.gate.contract import Command, DomainError, Done, Event, Task, Transaction
from erp_core.storage.bulk import insert_rows
from erp_core.storage.types import CanonicalText, canonical_json


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
        return tuple(
            Finding(
                title=draft.title[:200],
                probability=round(draft.probability, 6),
                deadline=draft.deadline,
                expected_loss=draft.expected_loss,
                residual_loss=draft.residual_loss,
                action_cost=draft.action_cost,
                evidence=canonical_json(list(draft.evidence)),
                action=None if draft.action is None else canonical_json(draft.action),
                caused_by=draft.caused_by,
            )
            for draft in self.drafts
        )

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
    known = _known_cases(tx.connection)
    difference = scan_difference(known, _linked(found, known), command.kinds, task.occurred_at)
    ids = {key: case.id for key, case in known.items()} | {key: tx.new_id() for key in difference.opened}
    _write_opened(difference.opened, drafts, found, ids, task, tx)
    _write_changes(difference, ids, task, tx)
    _write_case_events(difference, ids, task, tx)
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
    unknown = sorted(set(command.kinds) - set(KINDS))
    if unknown:
        raise MalformedScan(
            f"{', '.join(unknown)} is no kind of exception", field="kinds", remedy=f"use {', '.join(KINDS)}"
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


def _known_cases(connection: Connection) -> dict[CaseKey, KnownCase]:
    rows = connection.execute(
        select(
            cases.c.id,
            cases.c.kind,
            cases.c.subject_key,
            cases.c.status,
            cases.c.title,
            cases.c.probability,
            cases.c.deadline,
            cases.c.expected_loss,
            cases.c.residual_loss,
            cases.c.action_cost,
            type_coerce(cases.c.evidence, Text).label("evidence"),
            type_coerce(cases.c.action, Text).label("action"),
            cases.c.caused_by,
            cases.c.version,
            cases.c.owner_id,
            cases.c.snoozed_until,
            cases.c.dismissed,
        )
        .where(or_(cases.c.status.not_in(CLOSED), cases.c.dismissed))
        .order_by(cases.c.id)
        .with_for_update()
    ).all()
    keys = {row.id: (row.kind, row.subject_key) for row in rows}
    return {
        keys[row.id]: KnownCase(
            row.id,
            row.status,
            Finding(
                row.title,
                row.probability,
                row.deadline,
                row.expected_loss,
                row.residual_loss,
                row.action_cost,
                row.evidence,
                row.action,
                keys.get(row.caused_by),
            ),
            row.version,
            row.owner_id,
            row.snoozed_until,
            row.dismissed,
        )
        for row in rows
    }


def _linked(found: Mapping[CaseKey, Finding], known: Mapping[CaseKey, KnownCase]) -> dict[CaseKey, Finding]:
    """The findings, with a cause only where its case is there."""
    return {
        key: finding
        if finding.caused_by is None or finding.caused_by in found or finding.caused_by in known
        else finding._replace(caused_by=None)
        for key, finding in found.items()
    }


def _columns(finding: Finding) -> dict[str, Any]:
    return {
        "title": finding.title,
        "probability": finding.probability,
        "deadline": finding.deadline,
        "expected_loss": finding.expected_loss,
        "residual_loss": finding.residual_loss,
        "action_cost": finding.action_cost,
        "net_benefit": finding.net_benefit,
        "evidence": CanonicalText(finding.evidence),
        "action": None if finding.action is None else CanonicalText(finding.action),
    }


def _write_opened(
    opened: Iterable[CaseKey],
    drafts: Mapping[CaseKey, CaseDraft],
    found: Mapping[CaseKey, Finding],
    ids: Mapping[CaseKey, UUID],
    task: Task[RecordScan],
    tx: Transaction,
) -> None:
    fixed = {
        "status": "open",
        "caused_by": None,
        "owner_id": None,
        "proposal_id": None,
        "resolution": None,
        "dismissed": False,
        "snoozed_until": None,
        "opened_at": task.occurred_at,
        "changed_at": task.occurred_at,
        "closed_at": None,
        "version": 1,
        "audit_id": task.audit_id,
    }
    opened = list(opened)
    rows = [
        {"id": ids[key], "kind": key[0], "subject_key": key[1]} | fixed | _columns(found[key])
        for key in opened
    ]
    insert_rows(tx.connection, cases, rows)
    insert_rows(
        tx.connection,
        case_subjects,
        [
            {"case_id": ids[key], "subject_kind": kind, "subject_id": subject}
            for key in opened
            for kind, subject in dict.fromkeys(drafts[key].subjects)
        ],
    )
    causes = [
        {"case": ids[key], "cause": ids[cause]}
        for key in opened
        if (cause := found[key].caused_by) is not None and cause in ids
    ]
    if causes:
        tx.connection.execute(
            cases.update().where(cases.c.id == bindparam("case")).values(caused_by=bindparam("cause")), causes
        )


def _write_changes(
    difference: ScanDifference, ids: Mapping[CaseKey, UUID], task: Task[RecordScan], tx: Transaction
) -> None:
    one = cases.update().where(cases.c.id == bindparam("case"))
    changed = {"changed_at": task.occurred_at, "version": cases.c.version + 1, "audit_id": task.audit_id}
    updated = [
        {"case": case.id, "cause": None if finding.caused_by is None else ids[finding.caused_by]}
        | _columns(finding)
        for case, finding in difference.updated
    ]
    if updated:
        names = [name for name in updated[0] if name not in ("case", "cause")]
        values = {name: bindparam(name) for name in names} | {"caused_by": bindparam("cause")} | changed
        tx.connection.execute(one.values(values), updated)
    if difference.woken:
        tx.connection.execute(
            one.values(status=bindparam("to"), snoozed_until=None, **changed),
            [{"case": case.id, "to": awake_status(case.owner_id)} for case in difference.woken],
        )
    if difference.closed:
        tx.connection.execute(
            one.values(
                status=bindparam("to"), resolution=bindparam("code"), closed_at=task.occurred_at, **changed
            ),
            [
                {"case": closing.case.id, "to": closing.status, "code": closing.resolution}
                for closing in difference.closed
            ],
        )
    if difference.forgotten:
        tx.connection.execute(
            one.values(dismissed=False), [{"case": case.id} for case in difference.forgotten]
        )


def _write_case_events(
    difference: ScanDifference, ids: Mapping[CaseKey, UUID], task: Task[RecordScan], tx: Transaction
) -> None:
    happened = [
        *((ids[key], "open", "found by a scan") for key in difference.opened),
        *((case.id, awake_status(case.owner_id), "the snooze is over") for case in difference.woken),
        *((closing.case.id, closing.status, closing.resolution) for closing in difference.closed),
    ]
    insert_rows(
        tx.connection,
        case_events,
        [
            {
                "id": tx.new_id(),
                "case_id": case_id,
                "status": status,
                "user_id": None,
                "note": note,
                "occurred_at": task.occurred_at,
                "audit_id": task.audit_id,
            }
            for case_id, status, note in happened
        ],
    )


def _write_withheld(command: RecordScan, task: Task[RecordScan], connection: Connection) -> None:
    before = {Withheld(row.kind, row.reason, row.subjects) for row in connection.execute(select(withheld))}
    now = {entry._replace(reason=entry.reason[:200]) for entry in command.withheld}
    if before == now:
        return
    connection.execute(delete(withheld))
    insert_rows(
        connection, withheld, [entry._asdict() | {"scanned_at": task.occurred_at} for entry in sorted(now)]
    )
