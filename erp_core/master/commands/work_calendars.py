"""On which days a supplier delivers and a place receives."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field
from sqlalchemy import select

from erp_core.gate.contract import Command, Done, Registration, Registry, Task, Transaction, each
from erp_core.master.commands.records import existing, unknown
from erp_core.master.model import locations, suppliers
from erp_core.master.model_calendars import work_calendars
from erp_core.master.values import Name
from erp_core.storage.bulk import upsert_replace

EVERY_DAY = tuple(range(7))


class SetWorkCalendar(Command):
    """The weekdays (Monday is 0) that a supplier or place works, and days that it is closed under the name of a holiday.

    Weekdays left out stay; days given without a name are worked again.
    """

    party_kind: Literal["supplier", "location"]
    party_id: UUID
    weekdays: Annotated[frozenset[Annotated[int, Field(ge=0, le=6)]], Field(min_length=1)] | None = None
    days: Annotated[tuple[date, ...], Field(max_length=400)] = ()
    holiday_name: Name | None = None

    @property
    def subject(self) -> tuple[str, UUID]:
        """The supplier or place."""
        return (self.party_kind, self.party_id)


def set_work_calendar(task: Task[SetWorkCalendar], tx: Transaction) -> Done:
    """Write the calendar as it is from now on."""
    command, table = task.command, work_calendars.c
    owners = suppliers if command.party_kind == "supplier" else locations
    if not existing(tx, owners, [command.party_id]):
        raise unknown(command.party_kind, command.party_id)
    row = tx.connection.execute(
        select(table.weekdays, table.closed).where(
            table.party_kind == command.party_kind, table.party_id == command.party_id
        )
    ).one_or_none()
    before = {"weekdays": list(row.weekdays), "closed": dict(row.closed)} if row else None
    closed = dict(row.closed) if row else {}
    for day in command.days:
        if command.holiday_name is None:
            closed.pop(day.isoformat(), None)
        else:
            closed[day.isoformat()] = command.holiday_name
    standing = before["weekdays"] if before else list(EVERY_DAY)
    after = {
        "weekdays": standing if command.weekdays is None else sorted(command.weekdays),
        "closed": dict(sorted(closed.items())),
    }
    key = {"party_kind": command.party_kind, "party_id": command.party_id, "audit_id": task.audit_id}
    upsert_replace(tx.connection, work_calendars, [key | after], ["weekdays", "closed", "audit_id"])
    told = {"weekdays": after["weekdays"], "closed": len(closed)}
    return Done(told, before=before, after=after)


def register(registry: Registry) -> None:
    """Add the command."""
    registry.register(
        Registration(
            SetWorkCalendar,
            each(set_work_calendar),
            compensation="SetWorkCalendar with the former weekdays and days",
        )
    )
