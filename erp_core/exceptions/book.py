"""Writing the inbox: what was found is compared with what is known, and only differences are written."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Text, bindparam, or_, select, type_coerce

from erp_core.exceptions.draft import CaseDraft
from erp_core.exceptions.model import case_events, case_subjects, cases
from erp_core.exceptions.rules import (
    CLOSED,
    NO_LONGER_DETECTED,
    CaseKey,
    Closing,
    Finding,
    KnownCase,
    ScanDifference,
    awake_status,
    scan_difference,
)
from erp_core.gate.contract import Transaction
from erp_core.storage.bulk import insert_rows
from erp_core.storage.lookup import AnyRow, fetch_in_pairs
from erp_core.storage.types import CanonicalText, canonical_json


@dataclass(frozen=True, slots=True)
class Noted:
    """Why cases are opened, when, and under which audit entry."""

    why: str
    occurred_at: datetime
    audit_id: UUID


@dataclass(frozen=True, slots=True)
class Raised:
    """What is known now of one case: what it is about, or None where that is over."""

    key: CaseKey
    draft: CaseDraft | None
    noted: Noted


NotedOf = Callable[[CaseKey], Noted]


def raise_cases(
    tx: Transaction, drafts: Iterable[CaseDraft], noted: Noted, *, settled: Iterable[CaseKey] = ()
) -> ScanDifference:
    """Bring the inbox up to date at once, in the transaction that found it: a draft opens its case, or changes the
    one that is open; a `settled` key that has no draft closes its case. Nothing is read where there is neither.
    """
    found = [Raised((draft.kind, draft.subject_key), draft, noted) for draft in drafts]
    return raise_all(tx, [*(Raised(key, None, noted) for key in settled), *found])


def raise_all(tx: Transaction, raised: Sequence[Raised]) -> ScanDifference:
    """The same for what several commands of a batch found, each under its own audit entry; of one case the last counts."""
    if not raised:
        return ScanDifference()
    last = {one.key: one for one in raised}
    drafts = {key: one.draft for key, one in last.items() if one.draft is not None}
    found = {key: finding_of(draft) for key, draft in drafts.items()}
    now = max(one.noted.occurred_at for one in raised)
    kinds = {kind for kind, _ in last}
    return _write(tx, drafts, found, kinds, now, lambda key: last[key].noted, keys=last.keys())


def would_change(
    connection: Connection, drafts: Iterable[CaseDraft], settled: Iterable[CaseKey], now: datetime
) -> bool:
    """Whether `raise_cases` with these would write anything; it locks nothing."""
    found = {(draft.kind, draft.subject_key): finding_of(draft) for draft in drafts}
    keys = {*found, *settled}
    known = _known_cases(connection, keys, lock=False)
    difference = scan_difference(known, _linked(found, known), {kind for kind, _ in keys}, now)
    return bool(
        difference.opened
        or difference.updated
        or difference.woken
        or difference.closed
        or difference.forgotten
    )


def open_cases(connection: Connection, keys: Iterable[CaseKey]) -> set[CaseKey]:
    """Those of these cases that are in the inbox and not closed."""
    statement = select(cases.c.kind, cases.c.subject_key).where(cases.c.status.not_in(CLOSED))
    rows = fetch_in_pairs(connection, statement, (cases.c.kind, cases.c.subject_key), keys)
    return {(row.kind, row.subject_key) for row in rows}


def write_findings(
    tx: Transaction,
    drafts: Mapping[CaseKey, CaseDraft],
    found: Mapping[CaseKey, Finding],
    kinds: Collection[str],
    noted: Noted,
) -> ScanDifference:
    """Open, update, wake and close all cases of the judged `kinds`."""
    return _write(tx, drafts, found, kinds, noted.occurred_at, lambda key: noted)


def _write(
    tx: Transaction,
    drafts: Mapping[CaseKey, CaseDraft],
    found: Mapping[CaseKey, Finding],
    kinds: Collection[str],
    now: datetime,
    noted: NotedOf,
    *,
    keys: Collection[CaseKey] | None = None,
) -> ScanDifference:
    """With `keys` only these are judged; the cases that cause them are read with them and stay as they are. What is said to
    be over is resolved then, also after its deadline.
    """
    causes = {one.caused_by for one in found.values() if one.caused_by is not None}
    known = _known_cases(tx.connection, None if keys is None else {*keys, *causes})
    judged = known if keys is None else {key: case for key, case in known.items() if key in keys}
    difference = scan_difference(judged, _linked(found, known), kinds, now)
    if keys is not None:
        difference.closed = [Closing(one.case, "resolved", NO_LONGER_DETECTED) for one in difference.closed]
    ids = {key: case.id for key, case in known.items()} | {key: tx.new_id() for key in difference.opened}
    _write_opened(difference.opened, drafts, found, ids, noted, tx)
    _write_changes(difference, ids, noted, tx)
    _write_case_events(difference, ids, noted, tx)
    return difference


def finding_of(draft: CaseDraft) -> Finding:
    """The draft in comparable form. Raises `ValueError` where evidence or action is no JSON."""
    return Finding(
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


_KNOWN = (
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
)
_LOCKED = _KNOWN.with_for_update()


def _known_cases(
    connection: Connection, keys: Iterable[CaseKey] | None, *, lock: bool = True
) -> dict[CaseKey, KnownCase]:
    rows: Sequence[AnyRow]
    statement = _LOCKED if lock else _KNOWN
    if keys is None:
        rows = connection.execute(statement).all()
    else:
        rows = fetch_in_pairs(connection, statement, (cases.c.kind, cases.c.subject_key), keys)
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
    noted: NotedOf,
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
        "closed_at": None,
        "version": 1,
    }
    opened = list(opened)
    rows = [
        {"id": ids[key], "kind": key[0], "subject_key": key[1], "opened_at": noted(key).occurred_at}
        | fixed
        | _columns(found[key])
        | _changed(noted(key))
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


def _changed(noted: Noted) -> dict[str, Any]:
    return {"changed_at": noted.occurred_at, "audit_id": noted.audit_id}


def _write_changes(
    difference: ScanDifference, ids: Mapping[CaseKey, UUID], noted: NotedOf, tx: Transaction
) -> None:
    key_of = {id_: key for key, id_ in ids.items()}
    one = cases.update().where(cases.c.id == bindparam("case")).values(version=cases.c.version + 1)

    def stamped(case: KnownCase, **values: Any) -> dict[str, Any]:
        return {"case": case.id} | values | _changed(noted(key_of[case.id]))

    updated = [
        stamped(
            case, cause=None if finding.caused_by is None else ids[finding.caused_by], **_columns(finding)
        )
        for case, finding in difference.updated
    ]
    if updated:
        values: dict[str, Any] = {
            name: bindparam(name) for name in updated[0] if name not in ("case", "cause")
        }
        tx.connection.execute(one.values(caused_by=bindparam("cause"), **values), updated)
    at: dict[str, Any] = {name: bindparam(name) for name in ("changed_at", "audit_id")}
    if difference.woken:
        tx.connection.execute(
            one.values(status=bindparam("to"), snoozed_until=None, **at),
            [stamped(case, to=awake_status(case.owner_id)) for case in difference.woken],
        )
    if difference.closed:
        tx.connection.execute(
            one.values(
                status=bindparam("to"), resolution=bindparam("code"), closed_at=bindparam("changed_at"), **at
            ),
            [
                stamped(closing.case, to=closing.status, code=closing.resolution)
                for closing in difference.closed
            ],
        )
    if difference.forgotten:
        tx.connection.execute(
            one.values(dismissed=False), [{"case": case.id} for case in difference.forgotten]
        )


def _write_case_events(
    difference: ScanDifference, ids: Mapping[CaseKey, UUID], noted: NotedOf, tx: Transaction
) -> None:
    key_of = {id_: key for key, id_ in ids.items()}
    happened = [
        *((key, "open", noted(key).why) for key in difference.opened),
        *((key_of[case.id], awake_status(case.owner_id), "the snooze is over") for case in difference.woken),
        *((key_of[one.case.id], one.status, one.resolution) for one in difference.closed),
    ]
    insert_rows(
        tx.connection,
        case_events,
        [
            {
                "id": tx.new_id(),
                "case_id": ids[key],
                "status": status,
                "user_id": None,
                "note": note,
                "occurred_at": noted(key).occurred_at,
                "audit_id": noted(key).audit_id,
            }
            for key, status, note in happened
        ],
    )
