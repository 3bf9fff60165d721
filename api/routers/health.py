"""Is it up, and is it ready to work?"""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel
from sqlalchemy.exc import SQLAlchemyError

from api.auth import OfCompany
from erp_core.gate.queries import company_facts, seal_state
from erp_core.master.queries import feeds
from erp_core.storage.engine import reading
from erp_core.storage.schema import is_migrated

router = APIRouter(tags=["health"])


class Health(BaseModel):
    """The process answers. `instance` tells this server from another on the same port."""

    status: str = "ok"
    instance: str | None = None


class Readiness(BaseModel):
    """Whether requests can be served, and what is missing if not."""

    ready: bool
    database: str
    migrated: bool
    company: str | None = None
    feeds: list[str] = []
    unsealed: int | None = None
    sealed_at: datetime | None = None
    sealer_age_seconds: int | None = None
    missing: list[str] = []


@router.get("/healthz")
def healthz(request: Request) -> Health:
    """The process is up; says nothing about the database."""
    return Health(instance=getattr(request.app.state, "instance", None))


@router.get("/readyz", responses={503: {"model": Readiness}})
def readyz(company: OfCompany, response: Response) -> Readiness:
    """Ready when the schema is there. A company without data and a log that waits to be sealed are named."""
    kind = company.engine.dialect.name
    try:
        if not is_migrated(company.engine):
            response.status_code = 503
            return Readiness(
                ready=False, database=kind, migrated=False, missing=["schema: run `quartermaster init`"]
            )
        with reading(company.engine) as connection:
            facts, known, seal = company_facts(connection), feeds(connection), seal_state(connection)
    except SQLAlchemyError as error:
        response.status_code = 503
        return Readiness(
            ready=False, database=kind, migrated=False, missing=[f"database: {type(error).__name__}"]
        )
    unsealed = seal.entries - seal.sealed
    age = int((company.clock.now() - seal.sealed_at).total_seconds()) if seal.sealed_at else None
    missing = [] if known else ["data: run `quartermaster import` or `quartermaster demo`"]
    if unsealed and (age is None or age > 60):
        missing.append("sealer: run `quartermaster jobs`, or serve without --no-jobs")
    return Readiness(
        ready=True,
        database=kind,
        migrated=True,
        company=facts.get("name"),
        feeds=sorted(known),
        unsealed=unsealed,
        sealed_at=seal.sealed_at,
        sealer_age_seconds=age,
        missing=missing,
    )
