"""What a queued job does: train, forecast, scan or import, with its progress kept on the board."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import UUID

import structlog
from pydantic import TypeAdapter

from api.board import Board, Job
from api.company import Company
from erp_core.gate.contract import Command, DomainError, Executed, Refused
from erp_core.gate.credentials import load_principal
from erp_core.gate.principals import Principal
from erp_core.master.commands import RecordDataQuality, RecordItemClasses
from erp_core.master.queries.scoring import score_all
from erp_core.planning.classes import classify_items
from erp_core.storage.engine import reading
from erp_core.storage.ids import new_id

log = structlog.get_logger("jobs")
Progress = Callable[[str, int, int], None]


def perform(company: Company, board: Board, job: Job, service: Principal) -> Job:
    """Run one job to its end. Never raises: a failure is kept with the job, in one sentence."""
    job = job.model_copy(update={"status": "running", "started_at": company.clock.now()})
    board.save(job)
    saved = time.monotonic()

    def progress(stage: str, done: int, total: int) -> None:
        nonlocal job, saved
        share = min(max(done / total, 0.0), 1.0) if total else 0.0
        job = job.model_copy(update={"stage": stage, "progress": share})
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


def train(
    company: Company, _options: dict[str, Any], principal: Principal, progress: Progress
) -> dict[str, Any]:
    """Train the models as of today."""
    from copilot.models import training

    report = training.train(
        company.gate, company.engine, principal, company.clock, company.home, progress=_steps(progress)
    )
    return _plain(report)


def forecast(
    company: Company, _options: dict[str, Any], principal: Principal, progress: Progress
) -> dict[str, Any]:
    """Forecast demand and publish reorder points as of today."""
    from copilot.models import training

    report = training.forecast(
        company.gate, company.engine, principal, company.clock, company.home, progress=_steps(progress)
    )
    return _plain(report)


def score(
    company: Company, _options: dict[str, Any], principal: Principal, progress: Progress
) -> dict[str, Any]:
    """Score the data quality of every item and supplier as of today; only differences are written."""
    progress("scoring the master data", 0, 0)
    today = company.clock.today()
    with reading(company.engine) as connection:
        scored = tuple(score_all(connection, today))
    command = RecordDataQuality(scoring_id=new_id(), as_of=today, scored=scored)
    return _recorded(company, command, principal, command.scoring_id)


def _recorded(company: Company, command: Command, principal: Principal, key: UUID) -> dict[str, Any]:
    outcome = company.gate.submit(command, principal, key=str(key))
    if isinstance(outcome, Refused):
        raise outcome.error
    if not isinstance(outcome, Executed):
        raise RuntimeError(f"{command.command_name} was not recorded: {outcome}")
    return dict(outcome.result)


def classify(
    company: Company, _options: dict[str, Any], principal: Principal, progress: Progress
) -> dict[str, Any]:
    """Find the inventory classes of every item as of today; only differences are written."""
    progress("classifying items", 0, 0)
    today = company.clock.today()
    with reading(company.engine) as connection:
        classified = tuple(classify_items(connection, today))
    command = RecordItemClasses(classification_id=new_id(), as_of=today, classified=classified)
    return _recorded(company, command, principal, command.classification_id)


def scan(
    company: Company, _options: dict[str, Any], principal: Principal, progress: Progress
) -> dict[str, Any]:
    """Score the master data, then detect, price and rank what is about to go wrong; bring the inbox up to date."""
    from copilot.models import scan as scanning

    score(company, _options, principal, progress)
    report = scanning.scan(
        company.gate, company.engine, principal, company.clock, company.home, progress=_steps(progress)
    )
    return _plain(report)


def _steps(progress: Progress) -> Callable[[str], None]:
    return lambda step: progress(step, 0, 0)


def _plain(report: Any) -> dict[str, Any]:
    plain: dict[str, Any] = TypeAdapter(type(report)).dump_python(report, mode="json")
    return plain


def import_file(
    company: Company, options: dict[str, Any], principal: Principal, progress: Progress
) -> dict[str, Any]:
    from erp_core.integration.run import run_import

    report = run_import(
        company.gate,
        company.engine,
        principal,
        options["source"],
        company.home / options["file"],
        date.fromisoformat(options["as_of"]),
        options["on_error"],
        progress,
    )
    return report.as_dict() | {"summary": report.summary()}


def outcomes(
    company: Company, _options: dict[str, Any], principal: Principal, progress: Progress
) -> dict[str, Any]:
    """Measure what came of decisions, lower scopes that fell, and forget customers whose time is over."""
    from api.upkeep import keep_up

    return keep_up(company, principal, progress)


def automation(
    company: Company, options: dict[str, Any], principal: Principal, progress: Progress
) -> dict[str, Any]:
    """Let automation take what the stored rules recommend as far as it may, after scopes that fell were lowered."""
    from erp_core.planning.automation.run import run_automation

    kept = outcomes(company, options, principal, progress)
    service = company.gate.bootstrap_user(
        "automation", roles=("automation",), kind="service", name="Automation"
    )
    report = run_automation(company.gate, service, company.clock.today())
    return _plain(report) | {"stepped_down": kept["stepped_down"]}


_WORK = {
    "import": import_file,
    "train": train,
    "forecast": forecast,
    "scan": scan,
    "score": score,
    "classify": classify,
    "outcomes": outcomes,
    "automation": automation,
}
