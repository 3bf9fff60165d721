"""What customers wrote goes when they are forgotten."""

from __future__ import annotations

from sqlalchemy import select, update

from erp_core.gate.contract import Transaction
from erp_core.orders.events import CustomersForgotten
from erp_core.orders.model import orders
from erp_core.returns.model import return_lines, returns


def forget_comments(event: CustomersForgotten, tx: Transaction) -> None:
    """Blank the comments of the customers' returns."""
    theirs = (
        select(returns.c.id)
        .join(orders, orders.c.id == returns.c.order_id)
        .where(orders.c.customer_id.in_(event.customer_ids))
    )
    tx.connection.execute(
        update(return_lines)
        .where(return_lines.c.return_id.in_(theirs), return_lines.c.comment.is_not(None))
        .values(comment=None)
    )
