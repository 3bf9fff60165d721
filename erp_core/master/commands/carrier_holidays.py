"""The calendar of carriers: days on which one neither picks up nor delivers."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from pydantic import Field
from sqlalchemy import delete, select

from erp_core.gate.contract import Command, Done, Registration, Registry, Task, Transaction, each
from erp_core.master.commands.records import existing, unknown
from erp_core.master.model_fulfilment import carrier_holidays, carriers
from erp_core.master.values import Name
from erp_core.storage.bulk import upsert_replace


class SetCarrierHolidays(Command):
    """Days on which a carrier neither picks up nor delivers, under the name of the holiday; no name: it works again."""

    carrier_id: UUID
    days: Annotated[tuple[date, ...], Field(min_length=1, max_length=400)]
    holiday_name: Name | None = None

    @property
    def subject(self) -> tuple[str, UUID]:
        """The carrier."""
        return ("carrier", self.carrier_id)


def set_carrier_holidays(task: Task[SetCarrierHolidays], tx: Transaction) -> Done:
    """Write the days, or take them away."""
    command, day = task.command, carrier_holidays.c
    if not existing(tx, carriers, [command.carrier_id]):
        raise unknown("carrier", command.carrier_id)
    days = sorted(set(command.days))
    concerned = (day.carrier_id == command.carrier_id, day.day.in_(days))
    before = tx.connection.execute(select(day.day, day.name).where(*concerned).order_by(day.day)).all()
    if command.holiday_name is None:
        tx.connection.execute(delete(carrier_holidays).where(*concerned))
    else:
        rows = [
            {
                "carrier_id": command.carrier_id,
                "day": one,
                "name": command.holiday_name,
                "audit_id": task.audit_id,
            }
            for one in days
        ]
        upsert_replace(tx.connection, carrier_holidays, rows, ["name", "audit_id"])
    return Done(
        {"carrier_id": str(command.carrier_id), "days": len(days)},
        before={str(row.day): row.name for row in before},
        after={str(one): command.holiday_name for one in days},
    )


def register(registry: Registry) -> None:
    """Add the command."""
    registry.register(
        Registration(
            SetCarrierHolidays,
            each(set_carrier_holidays),
            compensation="SetCarrierHolidays without a name, or with the former one",
        )
    )
