"""Forgetting customers whose personal data was kept as long as the rules of their country allow."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, func, or_, select

from erp_core.gate.contract import Command, Done, Task, Transaction
from erp_core.master.queries.residency import retention_days
from erp_core.master.rules.residency import kept_until
from erp_core.orders.events import CustomersForgotten
from erp_core.orders.keeping import CustomerKeeping
from erp_core.orders.model import customers, orders
from erp_core.storage.bulk import update_rows


class ForgetCustomers(Command):
    """Blank name, address and tax id of every customer whose time is over, or who asked for it, and what they wrote.

    Orders keep the customer's id and country. What a retention rule or a legal hold keeps stays until it does not.
    """


def forget_customers(task: Task[ForgetCustomers], tx: Transaction) -> Done:
    """Blank them."""
    rows: list[dict[str, Any]] = [
        {"id": id_, "name": None, "email": None, "tax_id": None, "erase_after": None}
        for id_ in customers_to_forget(tx.connection, tx.today)
    ]
    update_rows(tx.connection, customers, rows)
    if rows:
        tx.publish(CustomersForgotten(tuple(row["id"] for row in rows)))
    return Done(result={"forgotten": len(rows)})


def customers_to_forget(connection: Connection, today: date) -> list[UUID]:
    """Whose time is over, or who asked for it, and whose name nothing keeps any more.

    Without a rule nobody's time is over, and never that of a customer who has not ordered.
    """
    named = or_(
        customers.c.name.is_not(None), customers.c.email.is_not(None), customers.c.tax_id.is_not(None)
    )
    asked = connection.scalars(select(customers.c.id).where(named, customers.c.erase_after <= today))
    over = {*asked, *_over(connection, today)}
    if not over:
        return []
    keeping = CustomerKeeping(connection, over)
    kept = {id_: keeping.of(id_, today) for id_ in over}
    return sorted(id_ for id_ in over if kept[id_].obstacle is None and not kept[id_].held)


def _over(connection: Connection, today: date) -> list[UUID]:
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
