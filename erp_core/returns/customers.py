"""What is known of the customers of orders when they ask for a return: what they bought and brought back lately."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import Connection, func, select

from erp_core.orders.model import order_lines, orders
from erp_core.returns.model import return_lines, returns
from erp_core.returns.rules import ENDED
from erp_core.storage.lookup import fetch_in

YEAR, LATELY = timedelta(days=365), timedelta(days=90)
_SAID_FINE = ("changed_mind", "size_or_fit")
_FOUND_WORSE = ("damaged", "suspect")

_CUSTOMERS = select(orders.c.id, orders.c.customer_id).where(orders.c.customer_id.is_not(None))
_BOUGHT = (
    select(
        orders.c.customer_id,
        orders.c.id,
        orders.c.ordered_on,
        func.sum(order_lines.c.shipped_quantity).label("units"),
        func.sum(order_lines.c.shipped_quantity * order_lines.c.unit_price).label("value"),
    )
    .join(order_lines, order_lines.c.order_id == orders.c.id)
    .group_by(orders.c.customer_id, orders.c.id, orders.c.ordered_on)
)
_BROUGHT_BACK = (
    select(
        orders.c.customer_id,
        returns.c.id,
        return_lines.c.returned_on,
        return_lines.c.quantity,
        return_lines.c.reason,
        return_lines.c.condition,
    )
    .join(returns, returns.c.order_id == orders.c.id)
    .join(return_lines, return_lines.c.return_id == returns.c.id)
    .where(returns.c.status.not_in(ENDED))
)


@dataclass(slots=True)
class Habits:
    """A customer's orders and returned lines; their sums of the time before a day."""

    bought: list[tuple[date, int, int]] = field(default_factory=list)
    brought_back: list[tuple[UUID, date, int, bool]] = field(default_factory=list)

    def units_bought(self, on: date) -> int:
        """Units shipped to the customer of orders of the last year."""
        return sum(units for day, units, _ in self.bought if on - YEAR < day <= on)

    def usual_order(self, on: date) -> int | None:
        """Mean value of an order of the last year; None where there is none."""
        values = [value for day, _, value in self.bought if on - YEAR < day <= on]
        return sum(values) // len(values) if values else None

    def units_returned(self, on: date) -> int:
        """Units that came back, or may, in the last year."""
        return sum(units for _, day, units, _ in self.brought_back if on - YEAR < day <= on)

    def returns_lately(self, on: date) -> int:
        """Returns of the last ninety days."""
        return len({return_id for return_id, day, _, _ in self.brought_back if on - LATELY < day <= on})

    def worse_than_said(self, on: date) -> int:
        """Lines of the last year that were said to be fine and were not."""
        return sum(worse for _, day, _, worse in self.brought_back if on - YEAR < day <= on)


class Customers:
    """The habits of the customers of a batch of orders; three statements, one where no order names a customer."""

    def __init__(self, connection: Connection, order_ids: Iterable[UUID]) -> None:
        self._customer: dict[UUID, UUID] = dict(
            map(tuple, fetch_in(connection, _CUSTOMERS, orders.c.id, set(order_ids)))
        )
        self._habits = {customer_id: Habits() for customer_id in self._customer.values()}
        wanted = list(self._habits)
        if not wanted:
            return
        for customer_id, _, day, units, value in fetch_in(connection, _BOUGHT, orders.c.customer_id, wanted):
            self._habits[customer_id].bought.append((day, int(units), int(value)))
        for customer_id, return_id, day, units, reason, condition in fetch_in(
            connection, _BROUGHT_BACK, orders.c.customer_id, wanted
        ):
            worse = reason in _SAID_FINE and condition in _FOUND_WORSE
            self._habits[customer_id].brought_back.append((return_id, day, units, worse))

    def of(self, order_id: UUID) -> Habits | None:
        """The habits of an order's customer; None where the order names none."""
        customer_id = self._customer.get(order_id)
        return None if customer_id is None else self._habits[customer_id]
