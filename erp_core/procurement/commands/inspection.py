"""Which goods are looked at before they are put away."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import NAMESPACE_URL, UUID, uuid5

from sqlalchemy import Connection, func, select

from erp_core.gate.contract import Command, Done, Registration, Registry, Task, Transaction, each
from erp_core.procurement.model.receiving import inspection_rules
from erp_core.procurement.receiving.rules import scope_of, scopes
from erp_core.storage.bulk import insert_rows
from erp_core.storage.locks import lock_names


class SetInspectionRule(Command):
    """Whether goods are inspected on receipt, before anybody can have them. Governed.

    For an item of a supplier, an item, a supplier, or the company: the narrowest decides.
    """

    supplier_id: UUID | None = None
    item_id: UUID | None = None
    required: bool

    @property
    def scope(self) -> str:
        """What it is for, as one word."""
        return scope_of(self.supplier_id, self.item_id)

    @property
    def subject(self) -> tuple[str, UUID]:
        """The rule."""
        return ("inspection_rule", uuid5(NAMESPACE_URL, f"quartermaster:inspection_rule:{self.scope}"))


def read_inspection_rules(connection: Connection) -> dict[str, bool]:
    """Whether inspection is required, by scope."""
    table = inspection_rules.c
    newest = select(table.scope, func.max(table.version).label("version")).group_by(table.scope).subquery()
    statement = select(table.scope, table.required).join(
        newest, (newest.c.scope == table.scope) & (newest.c.version == table.version)
    )
    return {row.scope: bool(row.required) for row in connection.execute(statement)}


def inspected_first(rules: Mapping[str, bool], supplier_id: UUID, item_id: UUID) -> bool:
    """Whether goods of an item from a supplier are inspected before they are put away; no, where nothing is set."""
    return next((rules[scope] for scope in scopes(supplier_id, item_id) if scope in rules), False)


def set_inspection_rule(task: Task[SetInspectionRule], tx: Transaction) -> Done:
    """Write the next version."""
    command, connection = task.command, tx.connection
    lock_names(connection, [f"inspection rule {command.scope}"])
    before = read_inspection_rules(connection).get(command.scope)
    table = inspection_rules.c
    last = connection.scalar(select(func.max(table.version)).where(table.scope == command.scope)) or 0
    row = {"scope": command.scope, "version": last + 1, "required": int(command.required)}
    insert_rows(connection, inspection_rules, [row | {"audit_id": task.audit_id}])
    return Done(
        {"scope": command.scope, "version": last + 1},
        before={"required": before},
        after={"required": command.required},
    )


def register(registry: Registry) -> None:
    """Add the command."""
    registry.register(
        Registration(
            SetInspectionRule,
            each(set_inspection_rule),
            governed=True,
            compensation="SetInspectionRule as it was before",
        )
    )
