"""Erasing a customer who asks for it. (Those whose time is over: `forget`.)"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from erp_core.gate.contract import Command, Done, NotFound, Task, Transaction
from erp_core.orders.events import CustomersForgotten
from erp_core.orders.model import customers
from erp_core.storage.bulk import update_rows


class EraseCustomer(Command):
    """Blank a customer's name and address, and what they wrote, because they ask for it. Orders keep id and country."""

    customer_id: UUID

    @property
    def subject(self) -> tuple[str, UUID]:
        """The customer."""
        return ("customer", self.customer_id)


def erase_customer(task: Task[EraseCustomer], tx: Transaction) -> Done:
    """Blank them at once, whatever the rules of retention say."""
    id_ = task.command.customer_id
    row = tx.connection.execute(select(customers).where(customers.c.id == id_)).one_or_none()
    if row is None:
        raise NotFound(
            "there is no such customer", field="customer_id", remedy="look up the id of the order's customer"
        )
    update_rows(tx.connection, customers, [{"id": id_, "name": None, "email": None}])
    tx.publish(CustomersForgotten((id_,)))
    return Done(before={"erased": row.name is None and row.email is None}, after={"erased": True})
