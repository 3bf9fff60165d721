"""What suppliers promise: confirmations line by line, what differs from the order, and later promises."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from erp_core.exceptions.book import Noted, raise_cases
from erp_core.gate.contract import DomainError, Done, Task, Transaction
from erp_core.gate.supplier_logins import require_own_supplier
from erp_core.master.queries.workflows import workflows_of
from erp_core.master.rules.workflows import CONFIRMATION, Workflow
from erp_core.procurement.commands.following import attempt, happened, suppliers_of
from erp_core.procurement.commands.purchase_orders import (
    ChangePurchaseOrderDates,
    ConfirmPurchaseOrder,
    LinePromise,
    LineRepromise,
)
from erp_core.procurement.errors import PromiseNotPossible
from erp_core.procurement.ordering.differences import (
    confirmation_case,
    confirmation_differences,
    confirmation_key,
)
from erp_core.procurement.ordering.purchase_orders import Line, PurchaseOrder, PurchaseOrders
from erp_core.procurement.ordering.steps import check_confirmation, check_step
from erp_core.procurement.rules import INBOUND

P = TypeVar("P", LinePromise, LineRepromise)


def confirm_purchase_orders(
    tasks: Sequence[Task[ConfirmPurchaseOrder]], tx: Transaction
) -> Sequence[Done | DomainError]:
    """Take what the supplier confirms for each named line, as its segment's workflow asks for it.

    What differs from the order is a case at once; a line confirmed as ordered settles the case that it had.
    """
    orders = PurchaseOrders.of(tx)
    orders.load(task.command.po_id for task in tasks)
    workflows = workflows_of(tx.connection, (supplier_id for supplier_id, _ in suppliers_of(orders, tasks)))

    def confirm(order: PurchaseOrder, task: Task[ConfirmPurchaseOrder]) -> Done:
        return _confirm(order, task, workflows[order.supplier_id], tx)

    return [attempt(confirm, orders, task) for task in tasks]


def _confirm(
    order: PurchaseOrder, task: Task[ConfirmPurchaseOrder], workflow: Workflow, tx: Transaction
) -> Done:
    require_own_supplier(task.principal, task.command.command_name, order.supplier_id)
    check_step(workflow, CONFIRMATION, task)
    promises = _promised_lines(order, task.command.lines)
    lines = [line for line, _ in promises]
    check_confirmation(workflow, order, {line.id for line in lines})
    for line in lines:
        if line.is_confirmed:
            raise PromiseNotPossible(
                f"line {line.line_no} of {order.number} was promised for {line.first_promised_on} already"
                if line.first_promised_on is not None
                else f"the supplier refused line {line.line_no} of {order.number} already",
                field="lines",
                remedy="change the date instead: the first promise is kept",
            )
    before = order.status
    again = any(line.asked_again_on is not None for line in lines)
    if order.status == "sent":
        order.step_to("confirmed")
    for line, promise in promises:
        _take(line, promise)
        line.expect(order.slip_days)
    cases = [case for line in lines if (case := confirmation_case(order, line, task.occurred_at))]
    if cases or again:
        noted = Noted("found in the supplier's confirmation", task.occurred_at, task.audit_id)
        raise_cases(tx, cases, noted, settled=[confirmation_key(line) for line in lines])
    differing = {
        str(line.line_no): found
        for line in lines
        if (found := [what for what, *_ in confirmation_differences(line)])
    }
    told = {"differing": differing} if differing else {}
    return happened("PurchaseOrderConfirmed", order, before, promised=_days(promises), **told)


def _take(line: Line, promise: LinePromise) -> None:
    ordered = line.quantity - line.cancelled_quantity
    line.promised_on = promise.promised_on
    line.first_promised_on = line.first_promised_on or promise.promised_on
    line.confirmed_quantity = ordered if promise.quantity is None else promise.quantity
    line.confirmed_price = line.unit_price if promise.unit_price is None else promise.unit_price
    line.asked_again_on = None


def change_purchase_order_dates(order: PurchaseOrder, task: Task[ChangePurchaseOrderDates]) -> Done:
    """Take another promise: only the latest date moves."""
    require_own_supplier(task.principal, task.command.command_name, order.supplier_id)
    promises = _promised_lines(order, task.command.lines)
    for line, _ in promises:
        if line.first_promised_on is None:
            raise PromiseNotPossible(
                f"line {line.line_no} of {order.number} has no promise yet",
                field="lines",
                remedy="record the supplier's confirmation first",
            )
    for line, promise in promises:
        line.promised_on = promise.promised_on
        line.expect(order.slip_days)
        line.delay_cause = promise.cause or line.delay_cause
    return happened("PurchaseOrderDatesChanged", order, order.status, promised=_days(promises))


def _promised_lines(order: PurchaseOrder, promises: Sequence[P]) -> list[tuple[Line, P]]:
    if order.status not in INBOUND:
        raise PromiseNotPossible(
            f"purchase order {order.number} is {order.status.replace('_', ' ')}",
            field="po_id",
            remedy="a supplier promises for an order that is on its way",
        )
    lines = [(order.line(promise.po_line_id, "lines.po_line_id"), promise) for promise in promises]
    if len({line.id for line, _ in lines}) < len(lines):
        raise PromiseNotPossible("a line is promised twice", field="lines", remedy="give one date a line")
    for line, promise in lines:
        day = promise.promised_on
        if order.sent_on is not None and day is not None and day < order.sent_on:
            raise PromiseNotPossible(
                f"line {line.line_no} is promised for {day}, before the order was sent",
                field="lines.promised_on",
                remedy=f"give a day from {order.sent_on} on",
            )
    return lines


def _days(promises: Sequence[tuple[Line, P]]) -> dict[str, str | None]:
    return {
        str(line.line_no): None if promise.promised_on is None else promise.promised_on.isoformat()
        for line, promise in promises
    }
