"""Long work: start it, follow it. The company's one jobs runner does it."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel

from api.auth import Human, OfCompany, Operator
from api.board import Board, Job
from api.problems import lacks_right, not_found

router = APIRouter(prefix="/jobs", tags=["jobs"])


class Start(BaseModel):
    """Which work to do."""

    kind: Literal["train", "forecast", "scan", "score", "classify", "automation", "outcomes"]


@router.post("", status_code=202)
def start(body: Start, actor: Operator, company: OfCompany) -> Job:
    """Queue the work."""
    job = Board(company.home).add(body.kind, {}, actor.user_id, company.clock.now())
    company.gate.record(actor, "StartJob", "executed", {"kind": body.kind, "job": str(job.id)})
    return job


@router.get("")
def list_(_actor: Operator, company: OfCompany, limit: Annotated[int, Query(ge=1, le=200)] = 50) -> list[Job]:
    """The newest jobs first."""
    return Board(company.home).list(limit)


@router.get("/{job_id}")
def get(job_id: UUID, actor: Human, company: OfCompany) -> Job:
    """One job with its progress; for who asked for it, and for operators."""
    job = Board(company.home).get(job_id)
    if job is None:
        raise not_found("job", "start one with POST /api/v1/jobs")
    if job.requested_by != actor.user_id and not actor.has_right("run_jobs"):
        raise lacks_right("run_jobs", actor.login)
    return job
