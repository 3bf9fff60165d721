"""The audit log: search, one entry, the seal, verification, proofs, the export for an auditor."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from tempfile import mkdtemp
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import FileResponse
from pydantic import BaseModel, Field
from starlette.background import BackgroundTask

from api.auth import Auditor, OfCompany
from api.paging import Limit
from api.problems import Problem, not_found
from erp_core.clock import Moment
from erp_core.gate.audit import Checkpoint, Verification
from erp_core.gate.audit.export import Selection
from erp_core.gate.audit.export import export as write_export
from erp_core.gate.audit.proofs import (
    list_checkpoints,
    prove_consistency,
    prove_extension,
    prove_inclusion,
)
from erp_core.gate.queries import AuditView, SealState, list_audit, seal_state
from erp_core.storage.engine import reading

router = APIRouter(prefix="/audit", tags=["audit"])
Size = Annotated[int, Field(ge=0, le=2**53, description="entries in the log")]


class FindingBody(BaseModel):
    """One thing wrong with the log."""

    problem: str
    leaf: int | None
    audit_id: UUID | None
    about: str | None


class CheckpointBody(BaseModel):
    """A signed tree head, as a line of ``checkpoints.jsonl``."""

    log: UUID
    size: Size
    root: str
    sealed_at: str
    signature: str

    def checkpoint(self) -> Checkpoint:
        """The checkpoint it spells."""
        return Checkpoint(self.size, self.root, self.log, self.sealed_at, self.signature)


class VerifyBody(BaseModel):
    """Checkpoints kept elsewhere that the log must agree with as well."""

    against: list[CheckpointBody] = []


class ExtensionBody(BaseModel):
    """A checkpoint that was kept, and the size of the one that must extend it (default: the newest)."""

    old: CheckpointBody
    new: Size | None = None


class KeyBody(BaseModel):
    """The public key that checks checkpoints, proofs and exports, as PEM text."""

    public_key: str


class VerificationBody(BaseModel):
    """The log recomputed. `intact` with entries not yet `unsealed` is normal for a few seconds."""

    intact: bool
    log: UUID | None
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
            log=found.log,
            entries=found.entries,
            sealed=found.sealed,
            unsealed=found.unsealed,
            root=found.root,
            findings=[
                FindingBody(problem=one.problem, leaf=one.leaf, audit_id=one.audit_id, about=one.about)
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
def verify(_reader: Auditor, company: OfCompany, body: VerifyBody | None = None) -> VerificationBody:
    """Recompute the whole log and compare it with the signed checkpoints, and with others `against`. Changes nothing."""
    kept = [one.checkpoint() for one in body.against] if body else []
    return VerificationBody.of(company.sealer.verify(against=kept))


@router.get("/checkpoints")
def checkpoints(_reader: Auditor, company: OfCompany, limit: Limit = 100) -> list[CheckpointBody]:
    """The newest signed tree heads, newest first: what an auditor keeps a copy of."""
    with reading(company.engine) as connection:
        return [CheckpointBody.model_validate(one.as_json()) for one in list_checkpoints(connection, limit)]


@router.get("/key")
def key(_reader: Auditor, company: OfCompany) -> KeyBody:
    """The public key."""
    pem = company.sealer.files.public_pem()
    if pem is None:
        raise not_found("public key", "it is made with the first seal")
    return KeyBody(public_key=pem)


@router.get("/consistency")
def consistency(_reader: Auditor, company: OfCompany, old: Size, new: Size | None = None) -> dict[str, Any]:
    """The proof that the log of one checkpoint starts with the log of an older one, given by their sizes."""
    with reading(company.engine) as connection:
        return prove_consistency(connection, old, new)


@router.post("/consistency")
def extension(_reader: Auditor, company: OfCompany, body: ExtensionBody) -> dict[str, Any]:
    """The proof that the log extends a checkpoint that was kept elsewhere."""
    with reading(company.engine) as connection:
        return prove_extension(connection, body.old.checkpoint(), body.new)


@router.get("/export", response_class=FileResponse)
def export(
    reader: Auditor,
    company: OfCompany,
    since: date | None = None,
    until: date | None = None,
    subject: UUID | None = None,
    person: UUID | None = None,
) -> FileResponse:
    """The sealed log as a zip for an auditor; who took it is audited. With a filter the others stay as hashes."""
    if since and until and since > until:
        raise Problem(
            422, "invalid", "since is after until", remedy="give the earlier day first", field="since"
        )
    selection = Selection(since, until, subject, person)
    folder = Path(mkdtemp(prefix="audit-"))
    target = folder / "audit.zip"
    try:
        manifest = write_export(company.engine, company.sealer.files, target, selection, company.clock.now())
    except BaseException:
        _remove(target)
        raise
    told = {
        "selection": manifest["selection"],
        "entries": manifest["entries"],
        "size": manifest["checkpoint"]["size"],
    }
    company.gate.record(reader, "export_audit", "read", told)
    return FileResponse(
        target, media_type="application/zip", filename="audit.zip", background=BackgroundTask(_remove, target)
    )


def _remove(target: Path) -> None:
    target.unlink(missing_ok=True)
    target.parent.rmdir()


@router.get("/{audit_id}/proof")
def proof(audit_id: UUID, _reader: Auditor, company: OfCompany) -> dict[str, Any]:
    """The proof that an entry stands in the log of the newest checkpoint; it is checked without the database."""
    with reading(company.engine) as connection:
        return prove_inclusion(connection, audit_id)


@router.get("/{audit_id}")
def entry(audit_id: UUID, _reader: Auditor, company: OfCompany) -> AuditView:
    """One entry with its payload, before and after."""
    with reading(company.engine) as connection:
        found = list_audit(connection, ids=[audit_id], limit=1)
    if not found:
        raise not_found("audit entry", "search the log first")
    return found[0]
