"""What may still be given back of orders: what was paid, less what returns and credits gave back or may."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection, func, select

from erp_core.inventory.locks import lock_names
from erp_core.master.queries import visible
from erp_core.orders.queries import OrderLine, order_lines_of
from erp_core.returns.errors import RefundExceedsPaid
from erp_core.returns.model import return_lines, returns
from erp_core.returns.model_credits import customer_credit_lines
from erp_core.returns.rules import ENDED
from erp_core.storage.lookup import fetch_in
from erp_core.storage.types import money_text

_RETURNED = (
    select(return_lines.c.order_line_id, func.sum(return_lines.c.quantity), func.sum(return_lines.c.refund))
    .join(returns, returns.c.id == return_lines.c.return_id)
    .where(visible(return_lines.c.import_id), returns.c.status.not_in(ENDED))
    .group_by(return_lines.c.order_line_id)
)
_CREDITED = select(customer_credit_lines.c.order_line_id, func.sum(customer_credit_lines.c.amount)).group_by(
    customer_credit_lines.c.order_line_id
)


@dataclass(slots=True)
class GivenBackOfLine:
    """What came back of an order line, or may: units, and money by returns and by credits."""

    units: int = 0
    refunded: int = 0
    credited: int = 0


class Refundable:
    """The lines of some orders with what was given back of them.

    Who reads it keeps others from it until the transaction ends, so that no two give the same money back.
    """

    def __init__(self, connection: Connection, order_ids: Iterable[UUID]) -> None:
        wanted = set(order_ids)
        lock_names(connection, (f"returns of {id_}" for id_ in wanted))
        self.lines: dict[UUID, OrderLine] = {line.id: line for line in order_lines_of(connection, wanted)}
        self._given = {id_: GivenBackOfLine() for id_ in self.lines}
        for line_id, units, refund in fetch_in(
            connection, _RETURNED, return_lines.c.order_line_id, self.lines
        ):
            self._given[line_id] = GivenBackOfLine(int(units), int(refund))
        for line_id, credited in fetch_in(
            connection, _CREDITED, customer_credit_lines.c.order_line_id, self.lines
        ):
            self._given[line_id].credited = int(credited)

    def of_order(self, order_id: UUID) -> list[OrderLine]:
        """The lines of one of the orders, in their order."""
        return [line for line in self.lines.values() if line.order_id == order_id]

    def given(self, line_id: UUID) -> GivenBackOfLine:
        """What was given back of a line; who gives more back adds it here."""
        return self._given[line_id]

    def paid(self, line_id: UUID) -> int:
        """What was paid for a line: units that were not shipped were not paid."""
        line = self.lines[line_id]
        return line.shipped_quantity * line.unit_price

    def left(self, line_id: UUID) -> int:
        """What of it may still be given back."""
        given = self._given[line_id]
        return max(self.paid(line_id) - given.refunded - given.credited, 0)

    def require(self, line_ids: Sequence[UUID], amount: int, *, field: str, of: str) -> None:
        """Raise `RefundExceedsPaid` where the lines together don't have this much left."""
        still = sum(map(self.left, line_ids))
        if amount > still:
            raise RefundExceedsPaid(
                f"{money_text(amount)} would be paid back of {of} of which {money_text(still)} still may",
                field=field,
                remedy=f"give {money_text(still)} or less" if still else "nothing of it can be given back",
                paid=sum(map(self.paid, line_ids)),
                refundable=still,
            )
