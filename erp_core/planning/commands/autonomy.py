"""Levels, limits and the switch of automation as commands. All of them hold the lock that automation buys under."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import NAMESPACE_URL, UUID, uuid5

from pydantic import Field, StringConstraints
from sqlalchemy import Connection, select

from erp_core.gate.autonomy.model import automation_limits, automation_switch, autonomy_levels
from erp_core.gate.autonomy.rules import (
    COMPANY,
    DEFAULT_LEVEL,
    Level,
    Limits,
    ScopeKind,
    check_earned,
    rank,
)
from erp_core.gate.autonomy.state import (
    LevelRow,
    current_levels,
    current_limits,
    current_switch,
    lock_automation,
    next_version,
)
from erp_core.gate.contract import (
    Command,
    DomainError,
    Done,
    Event,
    Facts,
    NotFound,
    Registration,
    Registry,
    Task,
    Transaction,
    each,
    facts_each,
)
from erp_core.master.model import channels, items, locations, suppliers
from erp_core.master.values import Amount
from erp_core.planning.outcomes.record import record_of
from erp_core.planning.readiness.standing import require_live
from erp_core.storage.bulk import insert_rows

Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=500)]
Percent = Annotated[int, Field(ge=0, le=100)]
DEFAULTS = Limits()


class _OfScope(Command):
    scope_kind: ScopeKind
    scope: str = Field(default="", max_length=80, description="category, or a code; empty for the company")
    level: Level
    reason: Reason

    @property
    def subject(self) -> tuple[str, UUID]:
        """The scope."""
        return ("autonomy", scope_id(self.scope_kind, self.scope))


class SetAutonomy(_OfScope):
    """Let automation go so far in a scope. Governed; a step up to act needs measured outcomes."""

    by_people = True


class StepDownAutonomy(_OfScope):
    """Lower a scope whose quality or outcomes fell. No approval is needed; it never raises one."""


class SetAutomationLimits(Command):
    """New caps of automation, and what a scope must have shown to act. Governed."""

    by_people = True

    order_amount: Amount
    category_day_amount: Amount
    day_orders: Annotated[int, Field(ge=0, le=10_000)]
    day_amount: Amount
    minimum_decided: Annotated[int, Field(ge=1, le=10_000)] = DEFAULTS.minimum_decided
    accepted_percent: Percent = DEFAULTS.accepted_percent
    minimum_judged: Annotated[int, Field(ge=1, le=10_000)] = DEFAULTS.minimum_judged
    good_percent: Percent = DEFAULTS.good_percent
    reason: Reason


class StopAutomation(Command):
    """The kill switch: automation buys and proposes nothing any more, from this moment."""

    reason: Reason


class ResumeAutomation(Command):
    """Let automation work again. Governed."""

    by_people = True

    reason: Reason


class AlreadySo(DomainError):
    """The switch stands where the command would put it."""

    code = "already_so"


class NotAStepDown(DomainError):
    """The scope stands at this level, or below it."""

    code = "not_a_step_down"


_NAMED_BY = {
    "category": items.c.category,
    "supplier": suppliers.c.code,
    "supplier_group": suppliers.c.segment,
    "warehouse": locations.c.code,
    "channel": channels.c.code,
}


def scope_id(kind: str, name: str) -> UUID:
    """The identifier of a scope in audit log and outbox; it follows from the name."""
    return uuid5(NAMESPACE_URL, f"quartermaster:autonomy:{kind}:{name}")


def check_step(command: SetAutonomy, connection: Connection) -> str:
    """`up`, `down` or `same`, when the step is possible. Raises `NotFound`, `NotEarned` or `NotReady`."""
    kind, name = command.scope_kind, command.scope
    if (kind, name) != COMPANY:
        column = _NAMED_BY.get(kind)
        known = column is not None and connection.scalar(select(column).where(column == name).limit(1))
        if not known:
            raise NotFound(
                f"there is no {kind.replace('_', ' ')} {name!r}",
                field="scope",
                remedy="give the category's name, or the code exactly as it stands in the master data",
            )
    before = _current(connection, kind, name)
    now = rank(before.level if before else DEFAULT_LEVEL)
    if command.level == "act" and (before is None or before.level != "act"):
        check_earned((kind, name), record_of(connection, (kind, name)), current_limits(connection))
        if kind == "warehouse":
            require_live(connection, "automation", name)
    wanted = rank(command.level)
    return "same" if wanted == now else "up" if wanted > now else "down"


def set_autonomy(task: Task[SetAutonomy], tx: Transaction) -> Done:
    """Write the scope's next version."""
    lock_automation(tx.connection)
    check_step(task.command, tx.connection)
    return _write(task, tx)


def step_down(task: Task[StepDownAutonomy], tx: Transaction) -> Done:
    """Write a lower level."""
    lock_automation(tx.connection)
    command = task.command
    before = _current(tx.connection, command.scope_kind, command.scope)
    if before is None or rank(command.level) >= rank(before.level):
        raise NotAStepDown(
            f"{command.scope_kind} {command.scope} stands at {before.level if before else DEFAULT_LEVEL}",
            field="level",
            remedy="a step up is SetAutonomy, which people approve",
        )
    return _write(task, tx)


def _write(task: Task[Any], tx: Transaction) -> Done:
    command = task.command
    before = _current(tx.connection, command.scope_kind, command.scope)
    version = before.version + 1 if before else 1
    row = {
        "scope_kind": command.scope_kind,
        "scope": command.scope,
        "version": version,
        "level": command.level,
        "reason": command.reason,
        "since": task.occurred_at,
        "audit_id": task.audit_id,
    }
    insert_rows(tx.connection, autonomy_levels, [row])
    result = {"scope_kind": command.scope_kind, "scope": command.scope, "level": command.level}
    event = Event("AutonomyChanged", "autonomy", command.subject[1], version, result)
    was = {"level": before.level} if before else None
    return Done(result=result, events=(event,), before=was, after={"level": command.level})


def _current(connection: Connection, kind: str, name: str) -> LevelRow | None:
    return next(
        (row for row in current_levels(connection) if (row.scope_kind, row.scope) == (kind, name)), None
    )


def set_limits(task: Task[SetAutomationLimits], tx: Transaction) -> Done:
    """Write the next version of the limits."""
    lock_automation(tx.connection)
    command = task.command
    before = current_limits(tx.connection)
    names = list(Limits.__dataclass_fields__)
    values = {name: getattr(command, name) for name in names}
    version = next_version(tx.connection, automation_limits)
    insert_rows(
        tx.connection,
        automation_limits,
        [{"version": version, **values, "since": task.occurred_at, "audit_id": task.audit_id}],
    )
    return Done(
        result={"version": version}, before={name: getattr(before, name) for name in names}, after=values
    )


def stop(task: Task[StopAutomation], tx: Transaction) -> Done:
    """Pull the switch: it waits for an order that is being bought at this moment, and for nothing else."""
    return _switch(task, tx, stopped=True)


def resume(task: Task[ResumeAutomation], tx: Transaction) -> Done:
    """Put the switch back."""
    return _switch(task, tx, stopped=False)


def _switch(task: Task[Any], tx: Transaction, *, stopped: bool) -> Done:
    lock_automation(tx.connection)
    _require_change(tx.connection, stopped)
    version = next_version(tx.connection, automation_switch)
    insert_rows(
        tx.connection,
        automation_switch,
        [
            {
                "version": version,
                "stopped": stopped,
                "reason": task.command.reason,
                "since": task.occurred_at,
                "audit_id": task.audit_id,
            }
        ],
    )
    kind = "AutomationStopped" if stopped else "AutomationResumed"
    event = Event(kind, "automation", scope_id(*COMPANY), version, {"reason": task.command.reason})
    return Done(result={"stopped": stopped}, events=(event,), after={"stopped": stopped})


def _require_change(connection: Connection, stopped: bool) -> None:
    switch = current_switch(connection)
    if switch.stopped == stopped:
        raise AlreadySo(
            f"automation is {'stopped already: ' + switch.reason if stopped else 'not stopped'}",
            remedy="nothing has to be done",
        )


def _autonomy_facts(command: SetAutonomy, _preceding: Sequence[Command], connection: Connection) -> Facts:
    return {"step": check_step(command, connection)}


def _resume_facts(_command: ResumeAutomation, _preceding: Sequence[Command], connection: Connection) -> Facts:
    _require_change(connection, stopped=False)
    return {}


def register(registry: Registry) -> None:
    """Register the commands of autonomy."""
    registry.register(
        Registration(SetAutonomy, each(set_autonomy), governed=True, facts=facts_each(_autonomy_facts))
    )
    registry.register(Registration(StepDownAutonomy, each(step_down)))
    registry.register(Registration(SetAutomationLimits, each(set_limits), governed=True))
    registry.register(Registration(StopAutomation, each(stop)))
    registry.register(
        Registration(ResumeAutomation, each(resume), governed=True, facts=facts_each(_resume_facts))
    )
