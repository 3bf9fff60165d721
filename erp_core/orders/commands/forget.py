"""Forgetting customers whose personal data was kept as long as the rules of their country allow."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from sqlalchemy import Connection, func, or_, select

from erp_core.gate.contract import Command, Done, Task, Transaction
from erp_core.master.queries.residency import retention_days
from erp_core.master.rules.residency import kept_until
from erp_core.orders.model import customers, orders
from erp_core.storage.bulk import update_rows


class ForgetCustomers(Command):
    """Blank name and address of every customer whose time is over. Orders keep the customer's id and country."""


def forget_customers(task: Task[ForgetCustomers], tx: Transaction) -> Done:
    """Blank them."""
    rows = [{"id": id_, "name": None, "email": None} for id_ in customers_to_forget(tx.connection, tx.today)]
    update_rows(tx.connection, customers, rows)
    return Done(result={"forgotten": len(rows)})


def customers_to_forget(connection: Connection, today: date) -> list[UUID]:
    """Whose time is over; without a rule nobody, and never a customer who has not ordered."""
    days = retention_days(connection)
    if not days:
        return []
    last = (
        select(orders.c.customer_id, func.max(orders.c.ordered_on).label("day"))
        .where(orders.c.customer_id.is_not(None))
        .group_by(orders.c.customer_id)
        .subquery()
    )
    known = connection.execute(
        select(customers.c.id, customers.c.country, last.c.day)
        .join(last, last.c.customer_id == customers.c.id)
        .where(or_(customers.c.name.is_not(None), customers.c.email.is_not(None)))
    )
    return [
        id_
        for id_, country, day in known
        if (until := kept_until(days, country, day)) is not None and until < today
    ]
