"""The audit log: search, the seal, verification, one entry with what was before and after."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, Response
from sqlalchemy import Connection

from api.auth import OfCompany
from api.company import Company
from api.console.view import page, seeing
from api.problems import Problem, not_found
from erp_core.analytics.names import record_names
from erp_core.gate.audit import Verification
from erp_core.gate.principals import Principal
from erp_core.gate.queries import AuditView, list_audit, list_users, seal_state
from erp_core.storage.engine import reading

router = APIRouter(include_in_schema=False, prefix="/audit")
Auditor = Annotated[Principal, Depends(seeing("read_audit"))]
PER_PAGE = 60
OUTCOMES = ("executed", "proposed", "denied", "refused", "done", "failed", "read")


@router.get("", response_class=HTMLResponse)
def log(
    request: Request,
    viewer: Auditor,
    company: OfCompany,
    command: str = "",
    outcome: str = "",
    person: str = "",
    subject: str = "",
    before: str = "",
) -> Response:
    """Entries, newest first."""
    return _log(request, viewer, company, command, outcome, person, subject, before)


@router.post("/verify", response_class=HTMLResponse)
def verify(request: Request, viewer: Auditor, company: OfCompany) -> Response:
    """Recompute the log and show what was found."""
    return _log(request, viewer, company, verification=company.sealer.verify())


def _log(
    request: Request,
    viewer: Principal,
    company: Company,
    command: str = "",
    outcome: str = "",
    person: str = "",
    subject: str = "",
    before: str = "",
    verification: Verification | None = None,
) -> HTMLResponse:
    with reading(company.engine) as connection:
        entries = list_audit(
            connection,
            command=command or None,
            outcome=outcome or None,
            principal_id=_id(person, "person"),
            subject_id=_id(subject, "subject"),
            before=_moment(before),
            limit=PER_PAGE,
        )
        names = _names(connection, entries)
        people = list_users(connection)
        seal = seal_state(connection)
    return page(
        request,
        company,
        viewer,
        "audit.html",
        "audit",
        entries=entries,
        names=names,
        people=people,
        seal=seal,
        verification=verification,
        commands=company.gate.registry.names(),
        outcomes=OUTCOMES,
        chosen={"command": command, "outcome": outcome, "person": person, "subject": subject},
        older=entries[-1].recorded_at.isoformat() if len(entries) == PER_PAGE else None,
    )


@router.get("/{audit_id}", response_class=HTMLResponse)
def entry(audit_id: UUID, request: Request, viewer: Auditor, company: OfCompany) -> Response:
    """One entry."""
    with reading(company.engine) as connection:
        found = list_audit(connection, ids=[audit_id], limit=1)
        names = _names(connection, found)
    if not found:
        raise not_found("audit entry", "search the log first")
    return page(
        request,
        company,
        viewer,
        "audit_entry.html",
        "audit",
        entry=found[0],
        about=names.get(found[0].id),
        changes=_changes(found[0].before, found[0].after),
        payload=json.dumps(found[0].payload, indent=2, ensure_ascii=False) if found[0].payload else "",
    )


def _names(connection: Connection, entries: Sequence[AuditView]) -> dict[UUID, str]:
    """By entry: what people call its subject; where that has no name, the title of its proposal."""
    subjects = [(one.subject_kind, one.subject_id) for one in entries if one.subject_kind and one.subject_id]
    proposals = [("proposal", one.proposal_id) for one in entries if one.proposal_id]
    known = record_names(connection, [*subjects, *proposals])
    ids = [
        (one.id, id_)
        for one in entries
        for id_ in (one.proposal_id, one.subject_id)
        if id_ is not None and known.get(id_, one.command) != one.command
    ]
    return {entry: known[id_] for entry, id_ in ids}


def _changes(before: Any, after: Any) -> list[tuple[str, Any, Any]]:
    was, is_ = (before if isinstance(before, dict) else {}), (after if isinstance(after, dict) else {})
    names = [*was, *(name for name in is_ if name not in was)]
    return [(name, was.get(name), is_.get(name)) for name in names]


def _id(text: str, field: str) -> UUID | None:
    if not text.strip():
        return None
    try:
        return UUID(text.strip())
    except ValueError as error:
        raise Problem(
            422, "invalid", f"{field} is no id", remedy="paste the id of the record", field=field
        ) from error


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError as error:
        raise Problem(
            422, "invalid", "before is no moment", remedy="page on with the link", field="before"
        ) from error
