"""Drop-ship: drafting the supplier orders that customers' orders ask for, and posting what the supplier sent."""

from __future__ import annotations

from itertools import groupby
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from erp_core.gate.contract import (
    Command,
    DomainError,
    Done,
    Duty,
    Event,
    Registration,
    Registry,
    Task,
    Transaction,
    each,
)
from erp_core.inventory.ledger import Ledger
from erp_core.master.values import Units
from erp_core.orders.allocation import fill, load_buckets
from erp_core.orders.book import OrderBook
from erp_core.orders.commands.ship import ShipOrder, ShippedLine, ship_orders
from erp_core.orders.shares import Shares
from erp_core.procurement.commands.arriving import ReceivedLine, ReceiveGoods
from erp_core.procurement.commands.drafting import create_purchase_orders
from erp_core.procurement.commands.following import cancel_purchase_order, cancel_reason, on_purchase_orders
from erp_core.procurement.commands.purchase_orders import (
    CancelPurchaseOrder,
    CreatePurchaseOrder,
    PurchaseOrderLine,
)
from erp_core.procurement.commands.receipts import post_receipts
from erp_core.procurement.model import drop_ship_lines
from erp_core.procurement.ordering.drop_ship import (
    DropShipment,
    Owed,
    drop_shipments_by,
    not_owed_any_more,
    owed,
)
from erp_core.procurement.ordering.purchase_orders import PurchaseOrders
from erp_core.storage.bulk import insert_rows
from erp_core.storage.locks import lock_names

_CANCEL = on_purchase_orders(cancel_purchase_order, cancel_reason)


class NotDropShipped(DomainError):
    """The purchase order brings nothing to a customer, or not so much as was said."""

    code = "not_drop_shipped"


class OrderDropShipments(Command):
    """Draft a supplier order for each customer's order that waits at a drop-ship place, and follow the others.

    What is ordered already is not ordered again. A draft whose order no longer waits is cancelled; one that went
    to the supplier is told as `stranded`. Drafts commit nothing: they are submitted like all others.
    """


class DropShipped(BaseModel):
    """How much of a purchase order line the supplier sent to the customer."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    po_line_id: UUID
    quantity: Units


class ConfirmDropShipment(Command):
    """The supplier sent a parcel to the customer: the lines given, or all that is open.

    Received and shipped in one: the goods go to the order they were bought for, never to an older one.
    """

    po_id: UUID
    receipt_id: UUID
    shipment_id: UUID
    lines: tuple[DropShipped, ...] | None = Field(default=None, min_length=1, max_length=500)

    @property
    def subject(self) -> tuple[str, UUID]:
        """The purchase order."""
        return ("purchase_order", self.po_id)


def order_drop_shipments(task: Task[OrderDropShipments], tx: Transaction) -> Done:
    """Draft, link and follow."""
    lock_names(tx.connection, ["drop shipments"])
    drafts = [_draft(tx, list(lines)) for _, lines in groupby(owed(tx.connection), key=_parcel)]
    outcomes = create_purchase_orders([_as(task, draft) for draft, _ in drafts], tx)
    links: list[dict[str, Any]] = []
    events: list[Event] = []
    drafted, refused = [], []
    for (draft, lines), outcome in zip(drafts, outcomes, strict=True):
        if isinstance(outcome, DomainError):
            refused.append({"order": lines[0].number, "code": outcome.code, "message": outcome.message})
            continue
        events.extend(outcome.events)
        drafted.append(outcome.result["number"])
        links.extend(
            {"po_line_id": made.line_id, "order_line_id": one.order_line_id, "audit_id": task.audit_id}
            for made, one in zip(draft.lines, lines, strict=True)
        )
    PurchaseOrders.of(tx).flush()
    insert_rows(tx.connection, drop_ship_lines, links)
    cancelled, stranded = [], []
    for po_id, status in not_owed_any_more(tx.connection).items():
        if status in ("draft", "approved"):
            cancel = CancelPurchaseOrder(po_id=po_id, reason_code="not_needed")
            (outcome,) = _CANCEL([_as(task, cancel)], tx)
            if isinstance(outcome, Done):
                events.extend(outcome.events)
                cancelled.append(outcome.result["number"])
                continue
        stranded.append(str(po_id))
    told = {"drafted": drafted, "refused": refused, "cancelled": cancelled, "stranded": stranded}
    return Done(told, tuple(events), after=told)


def _parcel(line: Owed) -> tuple[UUID, UUID, UUID]:
    return (line.order_id, line.location_id, line.supplier_id)


def _draft(tx: Transaction, lines: list[Owed]) -> tuple[CreatePurchaseOrder, list[Owed]]:
    first = lines[0]
    wanted = tuple(
        PurchaseOrderLine(line_id=tx.new_id(), item_id=one.item_id, quantity=one.units) for one in lines
    )
    draft = CreatePurchaseOrder(
        po_id=tx.new_id(),
        supplier_id=first.supplier_id,
        location_id=first.location_id,
        lines=wanted,
        reason=f"drop-ship for order {first.number}",
        override_reason_code="drop_ship",
    )
    return draft, lines


def _as(task: Task[Any], command: Command) -> Task[Any]:
    return Task(command, task.principal, task.occurred_at, task.audit_id)


def confirm_drop_shipment(task: Task[ConfirmDropShipment], tx: Transaction) -> Done:
    """Receive, reserve for the very order, ship."""
    command = task.command
    linked = {one.po_line_id: one for one in drop_shipments_by(tx.connection, command.po_id)}
    if not linked:
        raise NotDropShipped(
            "this purchase order brings nothing to a customer",
            field="po_id",
            remedy="receive it at its place, or give a drop-ship order",
        )
    sent = _sent(command, linked)
    order_id = next(iter(linked.values())).order_id
    book = OrderBook.of(tx)
    book.load([order_id])
    order = book.get(order_id)
    waiting = [order.lines[linked[id_].order_line_id] for id_ in sent]
    for line, units in zip(waiting, sent.values(), strict=True):
        if units > line.parts.unfilled:
            raise NotDropShipped(
                f"order {order.number} waits for {line.parts.unfilled} of this line, not for {units}",
                field="lines.quantity",
                remedy="receive the rest at the place it was sent to, or give what the customer got",
                waiting=line.parts.unfilled,
            )
    receipt = ReceiveGoods(
        po_id=command.po_id,
        receipt_id=command.receipt_id,
        lines=tuple(
            ReceivedLine(receipt_line_id=tx.new_id(), po_line_id=id_, quantity=units)
            for id_, units in sent.items()
        ),
    )
    received = _or_raise(post_receipts([_as(task, receipt)], tx)[0])
    load_buckets(tx, waiting)
    nobody_shares = Shares(tx, (), none=True)
    fill(tx, order, waiting, nobody_shares, task.occurred_at, task.audit_id)
    order.advance(task.occurred_at)
    parcel = ShipOrder(
        order_id=order_id,
        shipment_id=command.shipment_id,
        lines=tuple(
            ShippedLine(line_id=linked[id_].order_line_id, quantity=units) for id_, units in sent.items()
        ),
    )
    shipped = _or_raise(ship_orders([_as(task, parcel)], tx, left_already=True)[0])
    Ledger.of(tx).announce()
    result = {
        "purchase_order": received.result["status"],
        "order": shipped.result["status"],
        "units": sum(sent.values()),
    }
    return Done(result, (*received.events, *shipped.events), before=received.before, after=result)


def _sent(command: ConfirmDropShipment, linked: dict[UUID, DropShipment]) -> dict[UUID, int]:
    if command.lines is None:
        return {id_: one.open_quantity for id_, one in linked.items() if one.open_quantity}
    sent = {one.po_line_id: one.quantity for one in command.lines}
    strange = next((one for one in command.lines if one.po_line_id not in linked), None)
    if strange is not None or len(sent) < len(command.lines):
        raise NotDropShipped(
            "a line is none of this order's, or is there twice",
            field="lines.po_line_id",
            remedy="give each line of the purchase order once",
        )
    for id_, units in sent.items():
        if units > linked[id_].open_quantity:
            raise NotDropShipped(
                f"{linked[id_].open_quantity} are open on the line, not {units}",
                field="lines.quantity",
                remedy="give what the supplier sent of what was ordered",
            )
    return sent


def _or_raise(outcome: Done | DomainError) -> Done:
    if isinstance(outcome, DomainError):
        raise outcome
    return outcome


def register(registry: Registry) -> None:
    """Add the commands."""
    registry.register(Registration(OrderDropShipments, each(order_drop_shipments)))
    registry.register(
        Registration(
            ConfirmDropShipment,
            each(confirm_drop_shipment),
            duties=lambda command: [Duty("purchase_order", command.po_id, "receiver")],
        )
    )
