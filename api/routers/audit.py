"""The audit log: search, one entry, the seal, verification."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel

from api.auth import Auditor, OfCompany
from api.paging import Limit
from api.problems import not_found
from erp_core.clock import Moment
from erp_core.gate.audit import Verification
from erp_core.gate.queries import AuditView, SealState, list_audit, seal_state
from erp_core.storage.engine import reading

router = APIRouter(prefix="/audit", tags=["audit"])


class FindingBody(BaseModel):
    """One thing wrong with the log."""

    problem: str
    leaf: int | None
    audit_id: UUID | None


class VerificationBody(BaseModel):
    """The log recomputed. `intact` with entries not yet `unsealed` is normal for a few seconds."""

    intact: bool
    entries: int
    sealed: int
    unsealed: int
    root: str
    findings: list[FindingBody]

    @classmethod
    def of(cls, found: Verification) -> VerificationBody:
        """The verification as the API shows it."""
        return cls(
            intact=found.intact,
            entries=found.entries,
            sealed=found.sealed,
            unsealed=found.unsealed,
            root=found.root,
            findings=[
                FindingBody(problem=one.problem, leaf=one.leaf, audit_id=one.audit_id)
                for one in found.findings
            ],
        )


@router.get("")
def search(
    _reader: Auditor,
    company: OfCompany,
    command: str | None = None,
    outcome: str | None = None,
    principal_id: UUID | None = None,
    subject_id: UUID | None = None,
    proposal_id: UUID | None = None,
    before: Moment | None = None,
    limit: Limit = 100,
) -> list[AuditView]:
    """Entries, newest first; page on with `before`, the last row's `recorded_at`."""
    with reading(company.engine) as connection:
        return list_audit(
            connection,
            command=command,
            outcome=outcome,
            principal_id=principal_id,
            subject_id=subject_id,
            proposal_id=proposal_id,
            before=before,
            limit=limit,
        )


@router.get("/seal")
def seal(_reader: Auditor, company: OfCompany) -> SealState:
    """How far the log is sealed."""
    with reading(company.engine) as connection:
        return seal_state(connection)


@router.post("/verify")
def verify(_reader: Auditor, company: OfCompany) -> VerificationBody:
    """Recompute the whole log and compare it with the signed checkpoints. Changes nothing."""
    return VerificationBody.of(company.sealer.verify())


@router.get("/{audit_id}")
def entry(audit_id: UUID, _reader: Auditor, company: OfCompany) -> AuditView:
    """One entry with its payload, before and after."""
    with reading(company.engine) as connection:
        found = list_audit(connection, ids=[audit_id], limit=1)
    if not found:
        raise not_found("audit entry", "search the log first")
    return found[0]
