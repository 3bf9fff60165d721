"""How long records are kept, and legal holds that keep them longer."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Self
from uuid import NAMESPACE_URL, UUID, uuid5

from pydantic import Field, StringConstraints, model_validator
from sqlalchemy import func, select

from erp_core.gate.contract import (
    Command,
    Done,
    IllegalTransition,
    Registration,
    Registry,
    Task,
    Transaction,
    each,
)
from erp_core.master.commands.records import AlreadyExists, existing, plain, unknown
from erp_core.master.model_trade import legal_hold_ends, legal_holds, record_retention
from erp_core.master.rules.retention import Basis, RecordClass
from erp_core.storage.bulk import insert_rows
from erp_core.storage.locks import lock_names
from erp_core.storage.lookup import there

_Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=500)]


class SetRecordRetention(Command):
    """Keep records of a class, from `valid_from` on, for so many years after their day or after its year's end. Governed.

    Records before that day stay under the rule that held then. A later version from the same day replaces an earlier one.
    """

    by_people = True

    record_class: RecordClass
    valid_from: date
    years: int = Field(ge=1, le=100)
    basis: Basis = "year_end"
    reason: _Reason

    @property
    def subject(self) -> tuple[str, UUID]:
        """The class."""
        return ("retention", uuid5(NAMESPACE_URL, f"quartermaster:retention:{self.record_class}"))


class HoldRecords(Command):
    """Keep records whatever the rules say, until the hold is released.

    Those of a class or of every one; one record or customer, or all; of days from `from_day` up to, not on, `to_day`.
    """

    by_people = True

    hold_id: UUID
    record_class: RecordClass | None = None
    record_id: UUID | None = None
    from_day: date | None = None
    to_day: date | None = None
    reason: _Reason

    @model_validator(mode="after")
    def _some_day(self) -> Self:
        if self.from_day is not None and self.to_day is not None and self.to_day <= self.from_day:
            raise ValueError("to_day is the first day that is not held: give one after from_day")
        return self

    @property
    def subject(self) -> tuple[str, UUID]:
        """The hold."""
        return ("legal_hold", self.hold_id)


class ReleaseRecords(Command):
    """End a legal hold, once and with a reason. Governed."""

    by_people = True

    hold_id: UUID
    reason: _Reason

    @property
    def subject(self) -> tuple[str, UUID]:
        """The hold."""
        return ("legal_hold", self.hold_id)


def set_record_retention(task: Task[SetRecordRetention], tx: Transaction) -> Done:
    """Write the version."""
    command = task.command
    lock_names(tx.connection, [f"retention of {command.record_class}"])
    newest = select(func.max(record_retention.c.version)).where(
        record_retention.c.record_class == command.record_class
    )
    before = tx.connection.scalar(newest)
    row = command.model_dump(exclude={"occurred_at"}) | {"version": 1 + (before or 0)}
    insert_rows(tx.connection, record_retention, [row | {"audit_id": task.audit_id}])
    return Done(
        {"record_class": command.record_class, "version": row["version"]},
        before=None if before is None else {"version": before},
        after={name: plain(value) for name, value in row.items()},
    )


def hold_records(task: Task[HoldRecords], tx: Transaction) -> Done:
    """Write the hold. Raises `AlreadyExists`."""
    command = task.command
    if existing(tx, legal_holds, [command.hold_id]):
        raise AlreadyExists("this hold is there already", field="hold_id", remedy="make a new id")
    row = command.model_dump(exclude={"occurred_at", "hold_id"}) | {
        "id": command.hold_id,
        "held_on": task.occurred_on,
    }
    insert_rows(tx.connection, legal_holds, [row | {"audit_id": task.audit_id}])
    after = {name: plain(value) for name, value in row.items() if value is not None}
    return Done({"hold_id": str(command.hold_id)}, after=after)


def release_records(task: Task[ReleaseRecords], tx: Transaction) -> Done:
    """End the hold. Raises `NotFound`, `IllegalTransition`."""
    command = task.command
    lock_names(tx.connection, [f"legal hold {command.hold_id}"])
    if not existing(tx, legal_holds, [command.hold_id]):
        raise unknown("hold", command.hold_id)
    if there(tx.connection, legal_hold_ends.c.hold_id, [command.hold_id]):
        raise IllegalTransition(
            "this hold is released already", field="hold_id", remedy="nothing is left to do"
        )
    row = {"hold_id": command.hold_id, "reason": command.reason, "ended_on": task.occurred_on}
    insert_rows(tx.connection, legal_hold_ends, [row | {"audit_id": task.audit_id}])
    return Done({"hold_id": str(command.hold_id)}, before={"held": True}, after={"held": False})


def register(registry: Registry) -> None:
    """Add the commands."""
    registry.register(Registration(SetRecordRetention, each(set_record_retention), governed=True))
    registry.register(Registration(HoldRecords, each(hold_records)))
    registry.register(Registration(ReleaseRecords, each(release_records), governed=True))
