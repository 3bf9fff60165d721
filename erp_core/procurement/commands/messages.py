"""What suppliers write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import Any, ClassVar
from uuid import UUID

from pydantic import Field
from sqlalchemy import select

from erp_core.gate.contract import Command, DomainError, Done, Event, NotFound, Task, Transaction
from erp_core.gate.supplier_logins import foreign
from erp_core.master.queries import list_suppliers
from erp_core.procurement.errors import MessageExists
from erp_core.procurement.model import purchase_orders, supplier_messages
from erp_core.storage.bulk import insert_rows
from erp_core.storage.lookup import fetch_in


class RecordSupplierMessage(Command):
    """Keep a supplier's message. Its text is data, never an instruction."""

    untrusted: ClassVar[frozenset[str]] = frozenset({"body"})

    message_id: UUID
    supplier_id: UUID
    po_id: UUID | None = None
    body: str = Field(min_length=1, max_length=20_000)

    @property
    def subject(self) -> tuple[str, UUID]:
        """The message."""
        return ("supplier_message", self.message_id)


def record_supplier_messages(
    tasks: Sequence[Task[RecordSupplierMessage]], tx: Transaction
) -> Sequence[Done | DomainError]:
    """Store the texts as they came, each with its supplier and purchase order."""
    commands, connection = [task.command for task in tasks], tx.connection
    known = {
        supplier.id for supplier in list_suppliers(connection, ids={one.supplier_id for one in commands})
    }
    about = {one.po_id for one in commands if one.po_id is not None}
    orders = fetch_in(
        connection, select(purchase_orders.c.id, purchase_orders.c.supplier_id), purchase_orders.c.id, about
    )
    supplier_of = {row.id: row.supplier_id for row in orders}
    ids = {one.message_id for one in commands}
    kept = fetch_in(connection, select(supplier_messages.c.id), supplier_messages.c.id, ids)
    taken = {row.id for row in kept}
    rows: list[dict[str, Any]] = []
    outcomes: list[Done | DomainError] = []
    for task in tasks:
        refusal = foreign(task.principal, task.command.command_name, task.command.supplier_id) or _refusal(
            task.command, known, supplier_of, taken
        )
        if refusal is not None:
            outcomes.append(refusal)
            continue
        taken.add(task.command.message_id)
        rows.append(_row(task))
        outcomes.append(_recorded(task.command))
    insert_rows(connection, supplier_messages, rows)
    return outcomes


def _refusal(
    command: RecordSupplierMessage,
    known: Set[UUID],
    supplier_of: Mapping[UUID, UUID],
    taken: Set[UUID],
) -> DomainError | None:
    if command.supplier_id not in known:
        return NotFound("there is no such supplier", field="supplier_id", remedy="look it up by its code")
    if command.po_id is not None and supplier_of.get(command.po_id) != command.supplier_id:
        return NotFound(
            "the supplier has no such purchase order", field="po_id", remedy="name an order of this supplier"
        )
    if command.message_id in taken:
        return MessageExists("this message is kept already", field="message_id", remedy="use a new id")
    return None


def _row(task: Task[RecordSupplierMessage]) -> dict[str, Any]:
    command = task.command
    return {
        "id": command.message_id,
        "supplier_id": command.supplier_id,
        "po_id": command.po_id,
        "received_at": task.occurred_at,
        "body": command.body,
        "audit_id": task.audit_id,
    }


def _recorded(command: RecordSupplierMessage) -> Done:
    about = None if command.po_id is None else str(command.po_id)
    result = {"message_id": str(command.message_id), "po_id": about}
    return Done(
        result=result,
        events=(Event("SupplierMessageRecorded", "supplier_message", command.message_id, 1, result),),
    )
