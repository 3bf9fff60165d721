"""The orders of returns follow them: returned, inspected, restocked, credited."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select

from erp_core.gate.contract import Event, Transaction
from erp_core.orders.book import OrderBook
from erp_core.orders.returned import take_return_steps
from erp_core.returns.book import Return
from erp_core.returns.model import return_lines, returns
from erp_core.returns.rules import Progress, order_stage
from erp_core.storage.lookup import fetch_in

_OTHERS = (
    select(
        returns.c.id,
        returns.c.order_id,
        returns.c.status,
        func.sum(return_lines.c.refund).label("refund"),
        func.count().filter(return_lines.c.disposition == "restock").label("restocked"),
    )
    .join(return_lines, return_lines.c.return_id == returns.c.id)
    .group_by(returns.c.id, returns.c.order_id, returns.c.status)
)


class OrdersOfReturns:
    """The orders of a batch of returns, locked. Make it before stock is locked: orders come first."""

    def __init__(self, tx: Transaction, some: Iterable[Return]) -> None:
        order_ids = {one.order_id for one in some if one.order_id is not None}
        self._book = OrderBook.of(tx)
        self._book.load(order_ids)
        self._progress: dict[UUID, dict[UUID, Progress]] = {id_: {} for id_ in order_ids}
        for row in fetch_in(tx.connection, _OTHERS, returns.c.order_id, order_ids):
            self._progress[row.order_id][row.id] = Progress(row.status, int(row.refund), row.restocked > 0)

    def follow(self, one: Return, at: datetime) -> tuple[Event, ...]:
        """Let the order of a changed return take the steps that are due. Gives their events."""
        if one.order_id is None or not self._book.loaded(one.order_id):
            return ()
        known = self._progress[one.order_id]
        lines = one.lines.values()
        known[one.id] = Progress(
            one.status,
            sum(line.refund for line in lines),
            any(line.disposition == "restock" for line in lines),
        )
        stage = order_stage(known.values())
        if stage is None:
            return ()
        restocked = any(other.restocked for other in known.values())
        return take_return_steps(self._book.get(one.order_id), stage, restocked, at)
