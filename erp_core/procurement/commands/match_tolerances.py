"""What invoices may differ by before they are held: data, in versions, by supplier, category or for the company."""

from __future__ import annotations

from typing import Annotated, Literal, Self
from uuid import NAMESPACE_URL, UUID, uuid5

from pydantic import Field, model_validator
from sqlalchemy import func, select

from erp_core.gate.contract import Command, Done, Task, Transaction
from erp_core.master.commands.records import existing, unknown
from erp_core.master.model import suppliers
from erp_core.master.values import Amount, Name
from erp_core.procurement.invoices.reading import COMPANY, TOLERANCE_FIELDS, Tolerances
from erp_core.procurement.model.invoices import match_tolerances
from erp_core.storage.bulk import insert_rows
from erp_core.storage.locks import lock_names

Share = Annotated[int, Field(ge=0, le=10_000, description="in hundredths of a percent")]


class SetMatchTolerance(Command):
    """The next version of a tolerance. Governed; what was matched before stays matched.

    The supplier's goes before the category's, that before the company's. `active` False takes it out of use.
    """

    applies_to: Literal["company", "category", "supplier"] = "company"
    supplier_id: UUID | None = None
    category: Name | None = None
    quantity_over: Share = 0
    price_over: Share = 100
    overcharge: Amount = 500_000
    price_under: Share = 1_000
    freight_over: Share = 0
    total_off: Amount = 100
    prepayment: Share = 0
    duplicate_days: Annotated[int, Field(ge=0, le=3_650)] = 90
    active: bool = True

    @model_validator(mode="after")
    def _names_what_it_is_for(self) -> Self:
        if (self.supplier_id is not None) != (self.applies_to == "supplier"):
            raise ValueError("supplier_id names the supplier where applies_to is supplier, and only there")
        if (self.category is not None) != (self.applies_to == "category"):
            raise ValueError("category names the category where applies_to is category, and only there")
        return self

    @property
    def scope(self) -> str:
        """What it is for, as one word."""
        if self.supplier_id is not None:
            return f"supplier:{self.supplier_id}"
        return COMPANY if self.category is None else f"category:{self.category}"[:80]

    @property
    def subject(self) -> tuple[str, UUID]:
        """The tolerance."""
        return ("match_tolerance", uuid5(NAMESPACE_URL, f"quartermaster:match_tolerance:{self.scope}"))


def set_match_tolerance(task: Task[SetMatchTolerance], tx: Transaction) -> Done:
    """Write the version."""
    command, connection = task.command, tx.connection
    if command.supplier_id is not None and not existing(tx, suppliers, [command.supplier_id]):
        raise unknown("supplier", command.supplier_id)
    lock_names(connection, [f"match tolerance {command.scope}"])
    before = Tolerances.read(connection).by_scope.get(command.scope)
    newest = select(func.max(match_tolerances.c.version)).where(match_tolerances.c.scope == command.scope)
    version = 1 + (connection.scalar(newest) or 0)
    values = command.model_dump(include=set(TOLERANCE_FIELDS))
    row = {"scope": command.scope, "version": version, "active": int(command.active), **values}
    insert_rows(connection, match_tolerances, [row | {"audit_id": task.audit_id}])
    was = None if before is None else {name: getattr(before, name) for name in TOLERANCE_FIELDS}
    return Done({"scope": command.scope, "version": version}, before=was, after=values)
