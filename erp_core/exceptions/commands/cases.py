"""What people and proposals do with a case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import Field
from sqlalchemy import Row, select

from erp_core.clock import Moment
from erp_core.exceptions.model import case_events, cases
from erp_core.exceptions.rules import ACTED_ON, CASE_STEPS, CLOSED, awake_status
from erp_core.gate.contract import Command, DomainError, Done, Event, NotFound, Task, Transaction
from erp_core.gate.events import ProposalClosed, ProposalOpened
from erp_core.gate.model import users
from erp_core.gate.statuses import require_step
from erp_core.storage.bulk import insert_rows

Resolution = Literal["acted_on", "already_handled", "false_alarm", "accepted_risk", "duplicate", "data_error"]


class SnoozeInThePast(DomainError):
    """A case can only be put aside until a later moment."""

    code = "snooze_in_the_past"


class _OnCase(Command):
    case_id: UUID

    @property
    def subject(self) -> tuple[str, UUID]:
        return ("case", self.case_id)


class AssignCase(_OnCase):
    """Give a case an owner. A proposed case stays proposed."""

    owner_id: UUID


class SnoozeCase(_OnCase):
    """Put a case aside until a moment; the next scan from then on wakes it."""

    until: Moment
    note: str = Field(default="", max_length=500)


class ResolveCase(_OnCase):
    """Close a case with a reason from the catalogue.

    It stays closed while scans go on finding it, unless its loss grows; only `acted_on` promises that
    it is gone, so that the next scan may open it again.
    """

    resolution: Resolution
    note: str = Field(default="", max_length=500)


def assign_case(task: Task[AssignCase], tx: Transaction) -> Done:
    """Set the owner; refuses a user who is not there or not active."""
    command = task.command
    row = _load(command.case_id, tx)
    if row.status in CLOSED or row.status in ("open", "snoozed"):
        require_step(CASE_STEPS, row.status, "assigned", f"“{row.title}”")
    owner = tx.connection.execute(
        select(users.c.login).where(users.c.id == command.owner_id, users.c.active)
    ).one_or_none()
    if owner is None:
        raise NotFound("there is no such active user", field="owner_id", remedy="choose an active user")
    status = "proposed" if row.status == "proposed" else "assigned"
    values = {"status": status, "owner_id": command.owner_id, "snoozed_until": None}
    return _change(row, values, f"assigned to {owner.login}", task, tx)


def snooze_case(task: Task[SnoozeCase], tx: Transaction) -> Done:
    """Put aside; refuses a moment that is not after now."""
    command = task.command
    row = _load(command.case_id, tx)
    require_step(CASE_STEPS, row.status, "snoozed", f"“{row.title}”")
    if command.until <= task.occurred_at:
        raise SnoozeInThePast("the moment lies in the past", field="until", remedy="choose a later moment")
    return _change(row, {"status": "snoozed", "snoozed_until": command.until}, command.note, task, tx)


def resolve_case(task: Task[ResolveCase], tx: Transaction) -> Done:
    """Close with a reason."""
    command = task.command
    row = _load(command.case_id, tx)
    require_step(CASE_STEPS, row.status, "resolved", f"“{row.title}”")
    values = {
        "status": "resolved",
        "resolution": command.resolution,
        "dismissed": command.resolution != ACTED_ON,
        "closed_at": task.occurred_at,
        "snoozed_until": None,
    }
    return _change(row, values, command.note or command.resolution, task, tx)


def mark_proposed(tx: Transaction, case_id: UUID, proposal_id: UUID, audit_id: UUID) -> None:
    """Show that a proposal answers the case. Does nothing for a case that is closed already."""
    row = _load(case_id, tx)
    if row.status in CLOSED:
        return
    if row.status != "proposed":
        require_step(CASE_STEPS, row.status, "proposed", f"“{row.title}”")
    values = {"status": "proposed", "proposal_id": proposal_id, "snoozed_until": None}
    _write(row, values, "a proposal answers it", None, tx.business_now, audit_id, tx)


def on_proposal_opened(event: ProposalOpened, tx: Transaction) -> None:
    """Move the cases that the proposal's evidence names to proposed."""
    for case_id in _cases_named(event.evidence):
        mark_proposed(tx, case_id, event.proposal_id, event.audit_id)


def on_proposal_closed(event: ProposalClosed, tx: Transaction) -> None:
    """Executed: the case is acted on. Ended otherwise: it is open or assigned again."""
    rows = tx.connection.execute(
        select(cases)
        .where(cases.c.proposal_id == event.proposal_id, cases.c.status == "proposed")
        .order_by(cases.c.id)
        .with_for_update()
    ).all()
    for row in rows:
        if event.status == "executed":
            values = {"status": "resolved", "resolution": ACTED_ON, "closed_at": tx.business_now}
        else:
            values = {"status": awake_status(row.owner_id), "proposal_id": None}
        note = f"the proposal is {event.status.replace('_', ' ')}"
        _write(row, values, note, None, tx.business_now, event.audit_id, tx)


def _cases_named(evidence: Sequence[Mapping[str, Any]]) -> list[UUID]:
    """The ids of cases in a proposal's evidence, which its author wrote: raises `NotFound` for what is no id."""
    named = [str(entry.get("id")) for entry in evidence if entry.get("kind") == "case"]
    try:
        return [UUID(text) for text in dict.fromkeys(named)]
    except ValueError:
        raise _no_such_case("evidence") from None


def _no_such_case(field: str) -> NotFound:
    return NotFound("there is no such case", field=field, remedy="open the list of exceptions")


def _load(case_id: UUID, tx: Transaction) -> Row[Any]:
    row = tx.connection.execute(select(cases).where(cases.c.id == case_id).with_for_update()).one_or_none()
    if row is None:
        raise _no_such_case("case_id")
    return row


def _change(row: Row[Any], values: Mapping[str, Any], note: str, task: Task[Any], tx: Transaction) -> Done:
    _write(row, values, note, task.principal.user_id, task.occurred_at, task.audit_id, tx)
    before = {"status": row.status, "owner_id": row.owner_id and str(row.owner_id)}
    after = {
        "status": values["status"],
        "owner_id": (owner := values.get("owner_id", row.owner_id)) and str(owner),
    }
    event = Event("CaseChanged", "case", row.id, row.version + 1, after)
    return Done(result=after | {"version": row.version + 1}, events=(event,), before=before, after=after)


def _write(
    row: Row[Any],
    values: Mapping[str, Any],
    note: str,
    user_id: UUID | None,
    moment: datetime,
    audit_id: UUID,
    tx: Transaction,
) -> None:
    tx.connection.execute(
        cases.update()
        .where(cases.c.id == row.id)
        .values(**values, changed_at=moment, version=row.version + 1, audit_id=audit_id)
    )
    insert_rows(
        tx.connection,
        case_events,
        [
            {
                "id": tx.new_id(),
                "case_id": row.id,
                "status": values["status"],
                "user_id": user_id,
                "note": note,
                "occurred_at": moment,
                "audit_id": audit_id,
            }
        ],
    )
