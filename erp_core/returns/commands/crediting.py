"""Credits to customers for which no goods come back."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from erp_core.gate.contract import DomainError, Done, Event, NotFound, Task, Transaction
from erp_core.master.queries.reasons import Reasons
from erp_core.orders.book import OrderBook
from erp_core.orders.documents import SalesDocuments
from erp_core.orders.queries import OrderLine
from erp_core.orders.rules.documents import Refund, RefundLine
from erp_core.returns.commands.wishes import CreditOrder
from erp_core.returns.errors import CreditExists
from erp_core.returns.model_credits import customer_credit_lines, customer_credits
from erp_core.returns.refundable import Refundable
from erp_core.returns.rules.credits import shared
from erp_core.storage.bulk import insert_rows
from erp_core.storage.ids import short_number
from erp_core.storage.lookup import there

REASONS = "customer_credit"


def credited_lines(command: CreditOrder, refundable: Refundable) -> list[tuple[OrderLine, int]]:
    """The lines that a credit is of, each with its part. Raises `NotFound` or `RefundExceedsPaid`."""
    lines = refundable.of_order(command.order_id)
    if not lines:
        raise NotFound("there is no such order", field="order_id", remedy="look it up by its number")
    if command.order_line_id is not None:
        lines = [line for line in lines if line.id == command.order_line_id]
    if not lines:
        raise NotFound(
            "the order has no such line", field="order_line_id", remedy="use a line of this order, or none"
        )
    ids = [line.id for line in lines]
    of = "an order" if command.order_line_id is None else "a line"
    refundable.require(ids, command.amount, field="amount", of=of)
    parts = shared(command.amount, [refundable.left(id_) for id_ in ids])
    return [(line, part) for line, part in zip(lines, parts, strict=True) if part]


def credit_orders(tasks: Sequence[Task[CreditOrder]], tx: Transaction) -> Sequence[Done | DomainError]:
    """Give money back; no goods and no cost move."""
    tx.flush()
    commands = [task.command for task in tasks]
    refundable = Refundable(tx.connection, (command.order_id for command in commands))
    OrderBook.of(tx).load({line.order_id for line in refundable.lines.values()})
    documents = SalesDocuments.of(tx)
    documents.load_invoiced(refundable.lines)
    taken: set[UUID | str] = there(tx.connection, customer_credits.c.id, (one.credit_id for one in commands))
    taken |= there(tx.connection, customer_credits.c.number, map(_number, commands))
    outcomes: list[Done | DomainError] = []
    heads: list[dict[str, object]] = []
    lines: list[dict[str, object]] = []
    for task in tasks:
        command, number = task.command, _number(task.command)
        try:
            Reasons.of(tx).require(REASONS, command.reason_code)
            if not taken.isdisjoint((command.credit_id, number)):
                raise CreditExists(
                    f"credit {number} is there already", field="credit_id", remedy="use a new id and number"
                )
            parts = credited_lines(command, refundable)
        except DomainError as error:
            outcomes.append(error)
            continue
        taken |= {command.credit_id, number}
        heads.append(_head(task, number))
        lines += _lines(command, parts, refundable)
        outcomes.append(_credit(task, number, parts, documents))
    insert_rows(tx.connection, customer_credits, heads)
    insert_rows(tx.connection, customer_credit_lines, lines)
    return outcomes


def _number(command: CreditOrder) -> str:
    return command.number or short_number("CR", command.credit_id)


def _head(task: Task[CreditOrder], number: str) -> dict[str, object]:
    command = task.command
    return {
        "id": command.credit_id,
        "number": number,
        "order_id": command.order_id,
        "reason": command.reason_code,
        "amount": command.amount,
        "credited_on": task.occurred_on,
        "occurred_at": task.occurred_at,
        "audit_id": task.audit_id,
    }


def _lines(
    command: CreditOrder, parts: Sequence[tuple[OrderLine, int]], refundable: Refundable
) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for number, (line, amount) in enumerate(parts, 1):
        given = refundable.given(line.id)
        rows.append(
            {
                "credit_id": command.credit_id,
                "line_no": number,
                "order_line_id": line.id,
                "amount": amount,
                "paid": refundable.paid(line.id),
                "refunded": given.refunded,
                "credited_before": given.credited,
            }
        )
        given.credited += amount
    return rows


def _credit(
    task: Task[CreditOrder], number: str, parts: Sequence[tuple[OrderLine, int]], documents: SalesDocuments
) -> Done:
    command = task.command
    refund = Refund(
        None,
        command.order_id,
        parts[0][0].customer_country,
        [RefundLine(None, line.id, 0, amount) for line, amount in parts],
        command.credit_id,
    )
    tax = documents.credit(refund, task.occurred_on, task.audit_id)
    told = {
        "credit_id": str(command.credit_id),
        "number": number,
        "order_id": str(command.order_id),
        "amount": command.amount,
        "tax": tax,
        "reason": command.reason_code,
        "lines": {str(line.line_no): amount for line, amount in parts},
    }
    event = Event("OrderCredited", "customer_credit", command.credit_id, 1, told)
    return Done(told, (event,), after=told)
