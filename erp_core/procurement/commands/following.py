"""From approval to the end: sending, cancelling and closing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from erp_core.exceptions.book import Noted, raise_cases
from erp_core.exceptions.rules import CaseKey
from erp_core.gate.contract import DomainError, Done, Event, Handler, IllegalTransition, Task, Transaction
from erp_core.master.queries.reasons import Reasons
from erp_core.procurement.commands.drafting import Suppliers
from erp_core.procurement.commands.purchase_orders import (
    CancelPurchaseOrder,
    ChangePurchaseOrderDates,
    ClosePurchaseOrder,
    SendPurchaseOrder,
)
from erp_core.procurement.errors import GoodsReceived, HeldByProposal
from erp_core.procurement.ordering.differences import differing, over
from erp_core.procurement.ordering.purchase_orders import PurchaseOrder, PurchaseOrders
from erp_core.procurement.receiving.short import short_key

Decide = Callable[[PurchaseOrder, Task[Any]], Done]
ReasonOf = Callable[[Any], Iterable[tuple[str, str, str]]]
"""Kind, code and field of the reasons that a command gives."""


def no_reasons(command: Any) -> Iterable[tuple[str, str, str]]:
    """None."""
    return ()


def on_purchase_orders(decide: Decide, reasons: ReasonOf = no_reasons) -> Handler:
    """A batch handler from a decision on one loaded purchase order, whose reasons stand in the catalogue."""

    def handle(tasks: Sequence[Task[Any]], tx: Transaction) -> Sequence[Done | DomainError]:
        orders = PurchaseOrders.of(tx)
        orders.load(task.command.po_id for task in tasks)
        ended: list[CaseKey] = []

        def reasoned(order: PurchaseOrder, task: Task[Any]) -> Done:
            for kind, code, field in reasons(task.command):
                Reasons.of(tx).require(kind, code, field=field)
            otherwise = differing(order.lines.values())
            awaited = [line for line in order.lines.values() if line.open_quantity > 0]
            done = decide(order, task)
            ended.extend(over(otherwise))
            ended.extend(short_key(line) for line in awaited if line.open_quantity <= 0)
            return done

        outcomes = [attempt(reasoned, orders, task) for task in tasks]
        noted = Noted("nothing of it is open any more", tasks[-1].occurred_at, tasks[-1].audit_id)
        raise_cases(tx, (), noted, settled=ended)
        return outcomes

    return handle


def cancel_reason(command: CancelPurchaseOrder) -> Iterator[tuple[str, str, str]]:
    """Why it is cancelled."""
    yield "purchase_order_cancellation", command.reason_code, "reason_code"


def close_reason(command: ClosePurchaseOrder) -> Iterator[tuple[str, str, str]]:
    """Why it is closed."""
    yield "purchase_order_close", command.reason_code, "reason_code"


def delay_causes(command: ChangePurchaseOrderDates) -> Iterator[tuple[str, str, str]]:
    """Why lines are late, where that is said."""
    for line in command.lines:
        if line.cause is not None:
            yield "supplier_delay", line.cause, "lines.cause"


def attempt(
    decide: Decide, orders: PurchaseOrders, task: Task[Any], *, lines_change: bool = True
) -> Done | DomainError:
    """Decide on the loaded order of one task and note the change, or give the refusal."""
    try:
        order = orders.get(task.command.po_id)
        done = decide(order, task)
    except DomainError as error:
        return error
    orders.changed(order, task.audit_id, order.lines.values() if lines_change else ())
    return done


def happened(kind: str, order: PurchaseOrder, before: str, **details: Any) -> Done:
    """The outcome of a step: result, event under the order's next version, status before and after."""
    result = {"number": order.number, "status": order.status} | details
    event = Event(kind, "purchase_order", order.id, order.version + 1, result)
    return Done(
        result=result, events=(event,), before={"status": before}, after={"status": order.status} | details
    )


def send_purchase_orders(
    tasks: Sequence[Task[SendPurchaseOrder]], tx: Transaction
) -> Sequence[Done | DomainError]:
    """Issue approved orders; a supplier that is not active any more gets none."""
    orders = PurchaseOrders.of(tx)
    orders.load(task.command.po_id for task in tasks)
    suppliers = Suppliers.read(tx.connection, suppliers_of(orders, tasks))

    def send(order: PurchaseOrder, task: Task[Any]) -> Done:
        done = _send(order, task, suppliers)
        orders.purchasing_on(task.occurred_on)
        return done

    return [attempt(send, orders, task, lines_change=False) for task in tasks]


def suppliers_of(orders: PurchaseOrders, tasks: Sequence[Task[Any]]) -> Iterator[tuple[UUID, date]]:
    """The supplier of each loaded order, with the day of its task."""
    for task in tasks:
        order = orders.find(task.command.po_id)
        if order is not None:
            yield order.supplier_id, task.occurred_on


def _send(order: PurchaseOrder, task: Task[Any], suppliers: Suppliers) -> Done:
    before = order.status
    suppliers.require_active(order.supplier_id, task.occurred_on)
    if order.sent_on is not None and order.status != "approved":
        raise IllegalTransition(
            f"purchase order {order.number} was sent on {order.sent_on}",
            field="po_id",
            remedy="it is sent once; change it where the supplier should confirm it again",
            status=order.status,
            target="sent",
        )
    order.step_to("sent")
    order.sent_on = task.occurred_on
    return happened("PurchaseOrderSent", order, before, sent_on=task.occurred_on.isoformat())


def cancel_purchase_order(order: PurchaseOrder, task: Task[CancelPurchaseOrder]) -> Done:
    """End an order of which nothing came."""
    if order.status == "submitted":
        raise HeldByProposal(
            f"a pending proposal holds purchase order {order.number}",
            remedy="withdraw or reject the proposal first",
            proposal_id=order.proposal_id,
        )
    if any(line.accepted_quantity or line.held_quantity for line in order.lines.values()):
        raise GoodsReceived(
            f"goods were received for purchase order {order.number}",
            remedy="close it: what is still open is cancelled then",
        )
    before = order.status
    order.step_to("cancelled")
    _cancel_open(order)
    return happened("PurchaseOrderCancelled", order, before, reason=task.command.reason_code)


def close_purchase_order(order: PurchaseOrder, task: Task[ClosePurchaseOrder]) -> Done:
    """End an order after receipt; what is still open will not come."""
    before = order.status
    order.step_to("closed")
    short = _cancel_open(order)
    return happened(
        "PurchaseOrderClosed", order, before, reason=task.command.reason_code, cancelled_units=short
    )


def _cancel_open(order: PurchaseOrder) -> int:
    open_units = sum(line.open_quantity for line in order.lines.values())
    for line in order.lines.values():
        line.cancelled_quantity += line.open_quantity
    return open_units
