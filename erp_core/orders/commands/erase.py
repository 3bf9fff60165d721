"""Erasing a customer who asks for it. (Those whose time is over: `forget`.)"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select

from erp_core.gate.contract import Command, Done, NotFound, Task, Transaction
from erp_core.orders.events import CustomersForgotten
from erp_core.orders.keeping import CustomerKeeping
from erp_core.orders.model import customers
from erp_core.storage.bulk import update_rows


class EraseCustomer(Command):
    """Blank a customer's name and address, and what they wrote, because they ask for it. Orders keep id and country.

    Where a retention rule keeps invoices that name them, name and tax id stay until its end, and all of it while a legal
    hold does; then the jobs blank them.
    """

    customer_id: UUID

    @property
    def subject(self) -> tuple[str, UUID]:
        """The customer."""
        return ("customer", self.customer_id)


def erase_customer(task: Task[EraseCustomer], tx: Transaction) -> Done:
    """Blank at once what nothing keeps, and note the rest. Raises `NotFound`."""
    id_ = task.command.customer_id
    row = tx.connection.execute(select(customers).where(customers.c.id == id_)).one_or_none()
    if row is None:
        raise NotFound(
            "there is no such customer", field="customer_id", remedy="look up the id of the order's customer"
        )
    kept = CustomerKeeping(tx.connection, [id_]).of(id_, tx.today)
    change: dict[str, Any] = {"id": id_, "name": None, "email": None, "tax_id": None, "erase_after": None}
    if kept.obstacle is not None or kept.held:
        change = {"id": id_, "erase_after": kept.free_on or tx.today}
        if not kept.held:
            change["email"] = None
    update_rows(tx.connection, customers, [change])
    if not kept.held:
        tx.publish(CustomersForgotten((id_,)))
    erased = "name" in change
    until = None if erased or kept.held else str(kept.free_on)
    told = {"erased": erased, "on_hold": kept.held, "name_kept_until": until}
    return Done(
        result=told,
        before={"erased": row.name is None and row.email is None},
        after={"erased": True} if erased else told,
    )
