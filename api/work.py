"""What a queued job does: train, forecast, scan or import, with its progress kept on the board."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date
from typing import Any

import structlog

from api.board import Board, Job
from api.company import Company
from erp_core.gate.contract import DomainError
from erp_core.gate.credentials import load_principal
from erp_core.gate.principals import Principal
from erp_core.storage.engine import reading

log = structlog.get_logger("jobs")
Progress = Callable[[str, float], None]


def perform(company: Company, board: Board, job: Job, service: Principal) -> Job:
    """Run one job to its end. Never raises: a failure is kept with the job, in one sentence."""
    job = job.model_copy(update={"status": "running", "started_at": company.clock.now()})
    board.save(job)
    saved = time.monotonic()

    def progress(stage: str, share: float) -> None:
        nonlocal job, saved
        job = job.model_copy(update={"stage": stage, "progress": min(max(share, 0.0), 1.0)})
        if time.monotonic() - saved > 0.25:
            board.save(job)
            saved = time.monotonic()

    try:
        result = _WORK[job.kind](company, job.options, _principal_for(company, job, service), progress)
        end: dict[str, Any] = {"status": "done", "progress": 1.0, "result": result}
    except DomainError as error:
        end = {"status": "failed", "error": f"{error.message}; {error.remedy}".rstrip("; ")}
    except Exception as error:
        log.exception("a job failed", kind=job.kind, id=str(job.id))
        end = {"status": "failed", "error": f"{type(error).__name__}: {error}"}
    job = job.model_copy(update=end | {"finished_at": company.clock.now()})
    board.save(job)
    return job


def _principal_for(company: Company, job: Job, service: Principal) -> Principal:
    if job.kind != "import":
        return service
    with reading(company.engine) as connection:
        return load_principal(connection, job.requested_by)


def _train(
    company: Company, options: dict[str, Any], principal: Principal, progress: Progress
) -> dict[str, Any]:
    from copilot.models.training import train

    return train(company.gate, principal, company.home, _as_of(company, options), progress)


def _forecast(
    company: Company, options: dict[str, Any], principal: Principal, progress: Progress
) -> dict[str, Any]:
    from copilot.models.training import forecast

    return forecast(company.gate, principal, company.home, _as_of(company, options), progress)


def _scan(
    company: Company, options: dict[str, Any], principal: Principal, progress: Progress
) -> dict[str, Any]:
    from copilot.models.scan import scan

    return scan(company.gate, principal, company.home, _as_of(company, options), progress)


def _as_of(company: Company, options: dict[str, Any]) -> date:
    return date.fromisoformat(options["as_of"]) if options.get("as_of") else company.clock.today()


def _import(
    company: Company, options: dict[str, Any], principal: Principal, progress: Progress
) -> dict[str, Any]:
    from erp_core.integration.run import run_import

    def tell(step: str, done: int, total: int) -> None:
        progress(f"{step} {done:,} rows", done / total if total else 0.0)

    report = run_import(
        company.gate,
        company.engine,
        principal,
        options["source"],
        company.home / options["file"],
        date.fromisoformat(options["as_of"]),
        options["on_error"],
        tell,
    )
    return report.as_dict() | {"summary": report.summary()}


_WORK = {"import": _import, "train": _train, "forecast": _forecast, "scan": _scan}
