"""Forgetting customers whose personal data was kept as long as the rules of their country allow."""

from __future__ import annotations

from sqlalchemy import func, or_, select

from erp_core.gate.contract import Command, Done, Task, Transaction
from erp_core.master.queries.residency import retention_days
from erp_core.master.rules.residency import kept_until
from erp_core.orders.model import customers, orders
from erp_core.storage.bulk import update_rows


class ForgetCustomers(Command):
    """Blank name and address of every customer whose time is over. Orders keep the customer's id and country."""


def forget_customers(task: Task[ForgetCustomers], tx: Transaction) -> Done:
    """Blank them; without a rule nobody is forgotten, and neither is a customer who never ordered."""
    days = retention_days(tx.connection)
    if not days:
        return Done(result={"forgotten": 0})
    last = (
        select(orders.c.customer_id, func.max(orders.c.ordered_on).label("day"))
        .where(orders.c.customer_id.is_not(None))
        .group_by(orders.c.customer_id)
        .subquery()
    )
    known = tx.connection.execute(
        select(customers.c.id, customers.c.country, last.c.day)
        .join(last, last.c.customer_id == customers.c.id)
        .where(or_(customers.c.name.is_not(None), customers.c.email.is_not(None)))
    )
    rows = [
        {"id": id_, "name": None, "email": None}
        for id_, country, day in known
        if (until := kept_until(days, country, day)) is not None and until < tx.today
    ]
    update_rows(tx.connection, customers, rows)
    return Done(result={"forgotten": len(rows)})
