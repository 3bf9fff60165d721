"""Goods that came with an order that doesn't ask for them: held under their own item until somebody decides."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Literal
from uuid import UUID

from pydantic import Field
from sqlalchemy import Connection, select, update

from erp_core.exceptions.book import Noted, raise_cases
from erp_core.exceptions.draft import CaseDraft
from erp_core.finance.costs import Costs
from erp_core.gate.contract import (
    Command,
    DomainError,
    Done,
    Duty,
    Event,
    Facts,
    NotFound,
    Registration,
    Registry,
    Task,
    Transaction,
    each,
    facts_each,
)
from erp_core.inventory.ledger import Bucket, Ledger, Move
from erp_core.inventory.rules import NO_LOT, VIRTUAL
from erp_core.master.commands.records import AlreadyExists
from erp_core.master.model import items
from erp_core.master.queries.prices import supplier_items_by_day
from erp_core.master.rules.prices import price_at
from erp_core.master.values import Amount, Units
from erp_core.master.virtual import SUPPLIER
from erp_core.procurement.books.valuing import take_in
from erp_core.procurement.commands.arriving import ReceiveGoods, UnorderedLine
from erp_core.procurement.commands.held_goods import NotHeld
from erp_core.procurement.errors import NoSupplierRecord
from erp_core.procurement.model import po_revisions, purchase_orders
from erp_core.procurement.model.receiving import unordered_decisions, unordered_goods
from erp_core.procurement.ordering.purchase_orders import Line, PurchaseOrder, PurchaseOrders
from erp_core.procurement.ordering.revising import next_revision
from erp_core.procurement.receiving.substitutes import UNORDERED_CASE, skus, unordered_case
from erp_core.storage.lookup import there

PriceKey = tuple[UUID, UUID, date]


class WasOrdered(DomainError):
    """The item stands in the order: it is received under its line."""

    code = "was_ordered"


class DecideUnorderedGoods(Command):
    """What becomes of goods that were not ordered. Governed where it commits money.

    `accept`: the order is changed: they become a line of it at `unit_price` (else the price in force), and what they
    stand in for is not awaited any more. `return`: they go back. `correct`: they were never there.
    """

    decision_id: UUID
    po_id: UUID
    unordered_id: UUID
    decision: Literal["accept", "return", "correct"]
    quantity: Units
    unit_price: Amount | None = None
    lot_id: UUID | None = Field(default=None, description="of a tracked item: the lot that lies there held")

    @property
    def subject(self) -> tuple[str, UUID]:
        """The purchase order."""
        return ("purchase_order", self.po_id)


def check_unordered(order: PurchaseOrder, lines: Sequence[UnorderedLine]) -> None:
    """Raise `WasOrdered` for items that the order asks for, `NotFound` for a line that it doesn't have."""
    ordered = {line.item_id: line for line in order.lines.values()}
    for one in lines:
        if one.item_id in ordered:
            raise WasOrdered(
                f"line {ordered[one.item_id].line_no} of {order.number} asks for this item",
                field="unordered.item_id",
                remedy="receive it under its line: what is too much of it is held",
            )
        if one.instead_of_line_id is not None:
            order.line(one.instead_of_line_id, "unordered.instead_of_line_id")


def note_unordered(tx: Transaction, task: Task[ReceiveGoods], order: PurchaseOrder) -> list[CaseDraft]:
    """Write down what came of items that were not ordered; gives a case for each."""
    orders, known = (
        PurchaseOrders.of(tx),
        skus(tx.connection, (one.item_id for one in task.command.unordered)),
    )
    drafts = []
    for one in task.command.unordered:
        row = {
            "id": one.unordered_id,
            "receipt_id": task.command.receipt_id,
            "po_id": order.id,
            "instead_of_id": one.instead_of_line_id,
            "item_id": one.item_id,
            "location_id": order.location_id,
            "reason": "not_ordered" if one.instead_of_line_id is None else "substituted",
            "quantity": one.quantity,
            "held_quantity": one.quantity,
            "received_on": task.occurred_on,
            "audit_id": task.audit_id,
        }
        orders.insert(unordered_goods, row)
        drafts.append(unordered_case(order, row, known[one.item_id], task.occurred_at))
    return drafts


def decide_unordered_goods(task: Task[DecideUnorderedGoods], tx: Transaction) -> Done:
    """Move the units; what is kept becomes a line of the order, valued at its price."""
    command, orders = task.command, PurchaseOrders.of(tx)
    orders.load([command.po_id])
    order = orders.get(command.po_id)
    orders.flush()
    goods = _held(tx.connection, command)
    if there(tx.connection, unordered_decisions.c.id, [command.decision_id]):
        raise AlreadyExists(
            "this decision was carried out before", field="decision_id", remedy="make a new id for another"
        )
    key = (order.supplier_id, goods.item_id, goods.received_on)
    price = _price(tx.connection, command, key) if command.decision == "accept" else None
    Costs.of(tx).load([goods.item_id])
    lot = command.lot_id or NO_LOT
    kept = command.decision == "accept"
    target = (
        Bucket.of(goods.item_id, goods.location_id, "available", lot)
        if kept
        else Bucket.of(goods.item_id, SUPPLIER, VIRTUAL, lot)
    )
    held = Bucket.of(goods.item_id, goods.location_id, "received_held", lot)
    event: Literal["receipt", "reversal"] = "receipt" if kept else "reversal"
    Ledger.of(tx).post(
        [
            Move(
                event,
                held,
                target,
                command.quantity,
                "purchase_order",
                order.id,
                task.occurred_at,
                task.audit_id,
            )
        ]
    )
    line = _as_line(task, tx, order, goods, price) if price is not None else None
    left = goods.held_quantity - command.quantity
    tx.connection.execute(
        update(unordered_goods).where(unordered_goods.c.id == goods.id).values(held_quantity=left)
    )
    orders.insert(
        unordered_decisions,
        {
            "id": command.decision_id,
            "goods_id": goods.id,
            "decision": command.decision,
            "quantity": command.quantity,
            "unit_price": price,
            "po_line_id": None if line is None else line.id,
            "decided_on": task.occurred_on,
            "audit_id": task.audit_id,
        },
    )
    if line is None:
        orders.changed(order, task.audit_id)
    row = {**goods._mapping, "held_quantity": left}
    drafts = [unordered_case(order, row, goods.sku, task.occurred_at)] if left else []
    noted = Noted("goods that were not ordered are decided about", task.occurred_at, task.audit_id)
    raise_cases(tx, drafts, noted, settled=[(UNORDERED_CASE, str(goods.id))])
    Ledger.of(tx).announce()
    result = {
        "decision": command.decision,
        "units": command.quantity,
        "held": left,
        "line_no": None if line is None else line.line_no,
        "total": order.total,
    }
    event_ = Event("UnorderedGoodsDecided", "purchase_order", order.id, order.version, result)
    return Done(result, (event_,), before={"held": goods.held_quantity}, after=result)


def _held(connection: Connection, command: DecideUnorderedGoods) -> Any:
    statement = (
        select(unordered_goods, items.c.sku)
        .join(items, items.c.id == unordered_goods.c.item_id)
        .where(unordered_goods.c.id == command.unordered_id, unordered_goods.c.po_id == command.po_id)
    )
    goods = connection.execute(statement).one_or_none()
    if goods is None:
        raise NotFound(
            "no such goods came with this purchase order",
            field="unordered_id",
            remedy="list what is held at the place",
        )
    if command.quantity > goods.held_quantity:
        raise NotHeld(
            f"{goods.held_quantity} units of it are held",
            field="quantity",
            remedy="decide about what is held",
            held=goods.held_quantity,
        )
    return goods


def _price(connection: Connection, command: DecideUnorderedGoods, key: PriceKey) -> int:
    """What was agreed, else the price in force with the supplier on the day."""
    if command.unit_price is not None:
        return command.unit_price
    offer = supplier_items_by_day(connection, [key]).get(key)
    if offer is None:
        raise NoSupplierRecord(
            "the supplier has no price for the item",
            field="unit_price",
            remedy="give the price that was agreed, or record the supplier's price first",
        )
    return price_at(offer.price, offer.breaks, command.quantity)


def _as_line(
    task: Task[DecideUnorderedGoods], tx: Transaction, order: PurchaseOrder, goods: Any, price: int
) -> Line:
    """The order's line for what is kept: a new one, or more of the one at the same price; a numbered revision."""
    orders, units, before = PurchaseOrders.of(tx), task.command.quantity, order.total
    line = next(
        (
            one
            for one in order.lines.values()
            if one.item_id == goods.item_id and one.unit_price == price and one.open_quantity == 0
        ),
        None,
    )
    changed: list[Line] = []
    if line is None:
        line = Line(
            tx.new_id(),
            order.id,
            1 + max(one.line_no for one in order.lines.values()),
            goods.item_id,
            units,
            price,
            price,
            None,
        )
        orders.add_line(order, line)
    else:
        line.quantity += units
        changed.append(line)
    line.accepted_quantity += units
    line.completed_on = task.occurred_on
    order.total += units * price
    changes: dict[str, Any] = {str(line.line_no): {"quantity": [line.quantity - units, line.quantity]}}
    instead = order.lines.get(goods.instead_of_id)
    if instead is not None and (fewer := min(units, max(instead.open_quantity, 0))):
        changes[str(instead.line_no)] = {
            "cancelled_quantity": [instead.cancelled_quantity, instead.cancelled_quantity + fewer]
        }
        instead.cancelled_quantity += fewer
        order.total -= fewer * instead.unit_price
        changed.append(instead)
    take_in(tx, order, line, units, task.occurred_on, task.audit_id)
    orders.insert(
        po_revisions,
        {
            "po_id": order.id,
            "revision": next_revision(tx.connection, order.id),
            "changed_on": task.occurred_on,
            "author_id": task.principal.user_id,
            "reason_code": "substitution" if instead is not None else "goods_kept",
            "comment": None,
            "changes": changes,
            "total_before": before,
            "total_after": order.total,
            "proposal_id": task.proposal_id,
            "audit_id": task.audit_id,
        },
    )
    order.follow_lines()
    orders.changed(order, task.audit_id, changed)
    return line


def unordered_facts(
    command: DecideUnorderedGoods, preceding: Sequence[Command], connection: Connection
) -> Facts:
    """What the policy weighs: what keeping the units costs; nothing where they go back."""
    if command.decision != "accept":
        return {"amount": 0}
    row = connection.execute(
        select(unordered_goods.c.item_id, unordered_goods.c.received_on, purchase_orders.c.supplier_id)
        .join(purchase_orders, purchase_orders.c.id == unordered_goods.c.po_id)
        .where(unordered_goods.c.id == command.unordered_id)
    ).one_or_none()
    if row is None:
        raise NotFound("no such goods came", field="unordered_id", remedy="list what is held at the place")
    price = _price(connection, command, (row.supplier_id, row.item_id, row.received_on))
    return {"amount": command.quantity * price}


def keeps_unordered(command: DecideUnorderedGoods) -> list[Duty]:
    """Who keeps what was not ordered orders it: not the one who received it."""
    return [Duty("purchase_order", command.po_id, "order_requester")] if command.decision == "accept" else []


def register(registry: Registry) -> None:
    """Add the command."""
    registry.register(
        Registration(
            DecideUnorderedGoods,
            each(decide_unordered_goods),
            governed=True,
            facts=facts_each(unordered_facts),
            duties=keeps_unordered,
            compensation="AdjustStock when they go back; what was billed, by the credit note of the supplier",
        )
    )
