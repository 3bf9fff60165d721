"""Commands of readiness: thresholds, going live, and the daily review."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated
from uuid import NAMESPACE_URL, UUID, uuid5

from pydantic import Field, StringConstraints
from sqlalchemy import Connection

from erp_core.gate.contract import (
    Command,
    DomainError,
    Done,
    Event,
    Facts,
    Registration,
    Registry,
    Task,
    Transaction,
    each,
    facts_each,
)
from erp_core.master.values import Code
from erp_core.planning.model import go_live_reviews, go_lives, readiness_thresholds
from erp_core.planning.readiness.rules import REVIEW_DAYS, CheckName, NotReady, Process, require_green
from erp_core.planning.readiness.standing import live, readiness, site_id
from erp_core.storage.bulk import insert_missing, insert_rows, upsert_replace
from erp_core.storage.locks import lock_names

Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=500)]


class _AtSite(Command):
    process: Process
    site: Code

    @property
    def subject(self) -> tuple[str, UUID]:
        """The process at its site."""
        return ("go_live", uuid5(NAMESPACE_URL, f"quartermaster:live:{self.process}:{self.site}"))


class SetReadinessThreshold(Command):
    """What a check needs before a process may go live, at one site or at every one. Governed."""

    by_people = True

    process: Process
    site: str = Field(default="", max_length=40, description="a location's code; empty for every site")
    check: CheckName
    least: int = Field(ge=0, le=100)
    least_number: int = Field(ge=1, le=100_000)


class GoLive(_AtSite):
    """Start a process at a site. Governed. Before its checks are green only with a reason, which policy may hold."""

    by_people = True

    override_reason: Reason | None = None


class AcknowledgeReview(_AtSite):
    """Say that one looked at a day after the start, with what was found."""

    by_people = True

    day: date
    note: Reason


class AlreadyLive(DomainError):
    """The process runs at the site already."""

    code = "already_live"


class NothingToReview(DomainError):
    """The day lies outside the review of this process, or somebody reviewed it."""

    code = "nothing_to_review"


def set_threshold(task: Task[SetReadinessThreshold], tx: Transaction) -> Done:
    """Replace the threshold."""
    command = task.command
    if command.site:
        site_id(tx.connection, command.site)
    values = command.model_dump(exclude={"occurred_at"})
    upsert_replace(
        tx.connection,
        readiness_thresholds,
        [values | {"audit_id": task.audit_id}],
        ["least", "least_number", "audit_id"],
    )
    return Done(after=values)


def go_live(task: Task[GoLive], tx: Transaction) -> Done:
    """Start the process, with the figures it starts on."""
    command = task.command
    lock_names(tx.connection, (f"live {command.process} {command.site}",))
    overridden = _needs_override(command, tx.connection)
    figures = {
        check.name: check.in_words for check in readiness(tx.connection, command.process, command.site)
    }
    row = {
        "process": command.process,
        "site": command.site,
        "override_reason": command.override_reason if overridden else None,
        "figures": figures,
        "since": task.occurred_at,
        "audit_id": task.audit_id,
    }
    insert_rows(tx.connection, go_lives, [row])
    result = {"process": command.process, "site": command.site, "overridden": overridden}
    event = Event("WentLive", "go_live", command.subject[1], 1, result)
    return Done(result=result | {"checks": figures}, events=(event,), after=result)


def acknowledge_review(task: Task[AcknowledgeReview], tx: Transaction) -> Done:
    """Keep who looked at the day, and what they found."""
    command = task.command
    started = next(
        (
            one.since.date()
            for one in live(tx.connection)
            if (one.process, one.site) == (command.process, command.site)
        ),
        None,
    )
    if started is None or not 0 <= (command.day - started).days < REVIEW_DAYS or command.day > tx.today:
        raise NothingToReview(
            f"{command.day} is no day to review for {command.process} at {command.site}",
            field="day",
            remedy="choose a day of the list of reviews",
        )
    row = command.model_dump(include={"process", "site", "day", "note"})
    insert_missing(
        tx.connection,
        go_live_reviews,
        [row | {"user_id": task.principal.user_id, "audit_id": task.audit_id}],
    )
    return Done(after={"day": command.day.isoformat(), "note": command.note})


def _needs_override(command: GoLive, connection: Connection) -> bool:
    """Whether going live goes against a check. Raises `AlreadyLive`, or `NotReady` where no reason is given."""
    if any((one.process, one.site) == (command.process, command.site) for one in live(connection)):
        raise AlreadyLive(
            f"{command.process} is live at {command.site} already", remedy="nothing has to be done"
        )
    try:
        require_green(command.process, command.site, readiness(connection, command.process, command.site))
    except NotReady:
        if command.override_reason is None:
            raise
        return True
    return False


def _go_live_facts(command: GoLive, _preceding: Sequence[Command], connection: Connection) -> Facts:
    return {"override": _needs_override(command, connection)}


def register(registry: Registry) -> None:
    """Register the commands of readiness."""
    registry.register(Registration(SetReadinessThreshold, each(set_threshold), governed=True))
    registry.register(Registration(GoLive, each(go_live), governed=True, facts=facts_each(_go_live_facts)))
    registry.register(Registration(AcknowledgeReview, each(acknowledge_review)))
