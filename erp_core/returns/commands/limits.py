"""What policy is told of a disposition: parts of a refund count as the whole."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Column, Connection, Select, select

from erp_core.gate.contract import Asked, DomainError, Facts, NotFound
from erp_core.gate.model import audit_entries
from erp_core.gate.policies.unasked import Unasked, unasked_since
from erp_core.orders.model import orders
from erp_core.returns.commands.choosing import choose
from erp_core.returns.commands.crediting import credited_lines
from erp_core.returns.commands.wishes import CreditOrder, DisposeReturn
from erp_core.returns.model import dispositions, return_lines, returns
from erp_core.returns.model_credits import customer_credits
from erp_core.returns.refundable import Refundable
from erp_core.storage.locks import lock_names
from erp_core.storage.lookup import AnyRow, fetch_in


class Source(NamedTuple):
    """Amounts given back, with the columns of the order and the moment."""

    amounts: Select[Any]
    order_id: Column[Any]
    occurred_at: Column[Any]


_DECIDABLE = (
    select(
        return_lines.c.return_id,
        return_lines.c.id,
        return_lines.c.condition,
        return_lines.c.rule,
        return_lines.c.resale_eligible,
        return_lines.c.disposition,
        return_lines.c.refund,
        return_lines.c.cost,
        returns.c.order_id,
        returns.c.risk_score,
        orders.c.customer_id,
    )
    .join(returns, returns.c.id == return_lines.c.return_id)
    .outerjoin(orders, orders.c.id == returns.c.order_id)
)
_UNASKED = (
    select(
        dispositions.c.order_id,
        orders.c.customer_id,
        dispositions.c.occurred_at,
        (dispositions.c.refund + dispositions.c.written_off).label("amount"),
    )
    .join(orders, orders.c.id == dispositions.c.order_id)
    .join(audit_entries, audit_entries.c.id == dispositions.c.audit_id)
    .where(audit_entries.c.proposal_id.is_(None))
)
_REFUNDS = Source(_UNASKED, dispositions.c.order_id, dispositions.c.occurred_at)
_CREDITED = (
    select(
        customer_credits.c.order_id,
        orders.c.customer_id,
        customer_credits.c.occurred_at,
        customer_credits.c.amount,
    )
    .select_from(customer_credits)
    .join(orders, orders.c.id == customer_credits.c.order_id)
)
_CREDITS = Source(_CREDITED, customer_credits.c.order_id, customer_credits.c.occurred_at)
_ORDERS = select(orders.c.id.label("order_id"), orders.c.customer_id)


class GivenBack:
    """What was refunded and written off without anybody having been asked: of an order ever, of a customer lately.

    `sources` say what else counts: rows with `order_id`, `customer_id`, `occurred_at` and `amount`. Who reads it keeps others from it until the transaction ends, so that returns at the same moment count together.
    """

    def __init__(
        self,
        rows: Sequence[AnyRow],
        moments: Sequence[datetime],
        connection: Connection,
        sources: Sequence[Source] = (_REFUNDS,),
    ) -> None:
        order_ids = {row.order_id for row in rows if row.order_id is not None}
        customer_ids = {row.customer_id for row in rows if row.customer_id is not None}
        self._of_orders: dict[UUID, int] = {}
        self._of_customers = Unasked()
        lock_names(connection, (f"refunds of {id_}" for id_ in order_ids | customer_ids))
        for source in sources:
            for row in fetch_in(connection, source.amounts, source.order_id, order_ids):
                self._of_orders[row.order_id] = self._of_orders.get(row.order_id, 0) + row.amount
            lately = source.amounts.where(source.occurred_at > unasked_since(moments))
            for row in fetch_in(connection, lately, orders.c.customer_id, customer_ids):
                self._of_customers.add(row.customer_id, row.occurred_at, row.amount)

    def with_earlier(
        self, order_id: UUID | None, customer_id: UUID | None, moment: datetime, amount: int
    ) -> int:
        """The amount with those before it, of the order or of the customer, whichever is more."""
        sums = [amount]
        if order_id is not None:
            sums.append(self._of_orders.get(order_id, 0) + amount)
            self._of_orders[order_id] = sums[-1]
        if customer_id is not None:
            sums.append(self._of_customers.with_earlier(customer_id, moment, amount))
        return max(sums)


def disposition_facts(
    asked: Sequence[Asked[DisposeReturn]], connection: Connection
) -> Sequence[Facts | DomainError]:
    """`amount` is what is refunded and written off, `cumulative_amount` with what the order and its customer got before.

    Goods of unknown cost count with their refund, so that nothing escapes its limit. `return_risk` are the points
    for what looks like abuse, `override` says that a line goes another way than the rule's.
    """
    ids = {one.command.return_id for one in asked}
    rows: dict[UUID, list[AnyRow]] = {id_: [] for id_ in ids}
    for row in fetch_in(connection, _DECIDABLE, return_lines.c.return_id, ids):
        rows[row.return_id].append(row)
    moments = [one.occurred_at for one in asked if one.occurred_at is not None]
    every = [row for some in rows.values() for row in some]
    earlier = GivenBack(every, moments, connection) if moments else None
    found: list[Facts | DomainError] = []
    for one in asked:
        try:
            found.append(_facts(one, rows[one.command.return_id], earlier))
        except DomainError as error:
            found.append(error)
    return found


def _facts(asked: Asked[DisposeReturn], rows: Sequence[AnyRow], earlier: GivenBack | None) -> Facts:
    if not rows:
        raise NotFound("there is no such return", field="return_id", remedy="look it up by its number")
    told = _decided(asked.command, rows)
    first = rows[0]
    if earlier is not None and asked.occurred_at is not None:
        told["cumulative_amount"] = earlier.with_earlier(
            first.order_id, first.customer_id, asked.occurred_at, told["amount"]
        )
    return told if first.risk_score is None else {**told, "return_risk": first.risk_score}


def _decided(command: DisposeReturn, rows: Sequence[AnyRow]) -> dict[str, Any]:
    named = {part.return_line_id: part for part in command.lines}
    refund, written_off, ways, override = 0, 0, set(), False
    for row in rows:
        if row.disposition is not None and row.id not in named:
            continue
        chosen = choose(row.rule, row.resale_eligible, row.disposition, named.get(row.id))
        ways.add(chosen)
        override = override or (row.disposition is None and chosen != row.rule)
        refund += row.refund if row.disposition is None else 0
        if chosen == "write_off":
            written_off += row.refund if row.cost is None else row.cost
    return {
        "amount": refund + written_off,
        "refund": refund,
        "written_off": written_off,
        "disposition": sorted(ways),
        "override": override,
    }


def credit_facts(
    asked: Sequence[Asked[CreditOrder]], connection: Connection
) -> Sequence[Facts | DomainError]:
    """`amount` is the credit, `cumulative_amount` with what the order and its customer were given before.

    All credits count, also those that somebody approved, and refunds nobody was asked about: each was looked at on
    its own. What can't be credited is refused here already, so that nobody is asked about it.
    """
    ids = {one.command.order_id for one in asked}
    rows = {row.order_id: row for row in fetch_in(connection, _ORDERS, orders.c.id, ids)}
    moments = [one.occurred_at for one in asked if one.occurred_at is not None]
    earlier = GivenBack(list(rows.values()), moments, connection, (_REFUNDS, _CREDITS)) if moments else None
    refundable = Refundable(connection, rows)
    found: list[Facts | DomainError] = []
    for one in asked:
        try:
            credited_lines(one.command, refundable)
        except DomainError as error:
            found.append(error)
            continue
        told: dict[str, Any] = {"amount": one.command.amount}
        row = rows[one.command.order_id]
        if earlier is not None and one.occurred_at is not None:
            told["cumulative_amount"] = earlier.with_earlier(
                row.order_id, row.customer_id, one.occurred_at, one.command.amount
            )
        found.append(told)
    return found
