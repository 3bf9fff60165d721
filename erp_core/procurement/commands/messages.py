"""What suppliers write."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from pydantic import Field
from sqlalchemy import select

from erp_core.gate.contract import Command, Done, Event, NotFound, Task, Transaction
from erp_core.master.queries import list_suppliers
from erp_core.procurement.errors import MessageExists
from erp_core.procurement.model import purchase_orders, supplier_messages
from erp_core.storage.bulk import insert_rows


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


def record_supplier_message(task: Task[RecordSupplierMessage], tx: Transaction) -> Done:
    """Store the text as it came, with its supplier and purchase order."""
    command, connection = task.command, tx.connection
    if not list_suppliers(connection, ids=[command.supplier_id]):
        raise NotFound("there is no such supplier", field="supplier_id", remedy="look it up by its code")
    if command.po_id is not None:
        about = select(purchase_orders.c.supplier_id).where(purchase_orders.c.id == command.po_id)
        if connection.scalar(about) != command.supplier_id:
            raise NotFound(
                "the supplier has no such purchase order",
                field="po_id",
                remedy="name an order of this supplier",
            )
    there = select(supplier_messages.c.id).where(supplier_messages.c.id == command.message_id)
    if connection.scalar(there) is not None:
        raise MessageExists("this message is kept already", field="message_id", remedy="use a new id")
    row = {
        "id": command.message_id,
        "supplier_id": command.supplier_id,
        "po_id": command.po_id,
        "received_at": task.occurred_at,
        "body": command.body,
        "audit_id": task.audit_id,
    }
    insert_rows(connection, supplier_messages, [row])
    about_po = None if command.po_id is None else str(command.po_id)
    result = {"message_id": str(command.message_id), "po_id": about_po}
    event = Event("SupplierMessageRecorded", "supplier_message", command.message_id, 1, result)
    return Done(result=result, events=(event,))
