"""Goods beyond an order: how many pass by tolerance, and what is decided about those that are held."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal
from uuid import NAMESPACE_URL, UUID, uuid5

from pydantic import Field
from sqlalchemy import Connection, func, select

from erp_core.exceptions.book import Noted, raise_cases
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
from erp_core.master.values import Units
from erp_core.master.virtual import SUPPLIER
from erp_core.procurement.model import po_lines
from erp_core.procurement.model_receiving import held_decisions, receipt_tolerances
from erp_core.procurement.purchase_orders import Line, PurchaseOrder, PurchaseOrders
from erp_core.procurement.receiving import COMPANY, variance_case, variance_key
from erp_core.procurement.valuing import take_in
from erp_core.storage.bulk import insert_rows
from erp_core.storage.locks import lock_names
from erp_core.storage.lookup import there


class DecideHeldGoods(Command):
    """What becomes of units that came beyond the order and are held. Governed where it commits money.

    `accept`: they are kept at the order's price, the order is corrected to what came, and they become available and
    payable. `return`: they go back to the supplier. `correct`: they were counted wrongly and never there.
    """

    decision_id: UUID
    po_id: UUID
    po_line_id: UUID
    decision: Literal["accept", "return", "correct"]
    quantity: Units
    lot_id: UUID | None = Field(default=None, description="of a tracked item: the lot that lies there held")

    @property
    def subject(self) -> tuple[str, UUID]:
        """The purchase order."""
        return ("purchase_order", self.po_id)


class SetReceiptTolerance(Command):
    """How much more than ordered may come and simply counts as ordered, in hundredths of a percent. Governed.

    For an item of a supplier, an item, a supplier, or the company: the narrowest decides. `active` False ends it.
    """

    supplier_id: UUID | None = None
    item_id: UUID | None = None
    over: Annotated[int, Field(ge=0, le=10_000, description="in hundredths of a percent")]
    active: bool = True

    @property
    def scope(self) -> str:
        """What it is for, as one word."""
        parts = [
            f"{kind}:{id_.hex}"
            for kind, id_ in (("supplier", self.supplier_id), ("item", self.item_id))
            if id_ is not None
        ]
        return " ".join(parts) or COMPANY

    @property
    def subject(self) -> tuple[str, UUID]:
        """The tolerance."""
        return ("receipt_tolerance", uuid5(NAMESPACE_URL, f"quartermaster:receipt_tolerance:{self.scope}"))


class NotHeld(DomainError):
    """Fewer units of the line are held than are decided about."""

    code = "not_held"


def read_receipt_tolerances(connection: Connection) -> dict[str, int]:
    """The tolerances in force by scope."""
    table = receipt_tolerances.c
    newest = select(table.scope, func.max(table.version).label("version")).group_by(table.scope).subquery()
    statement = select(table.scope, table.over).join(
        newest, (newest.c.scope == table.scope) & (newest.c.version == table.version)
    )
    return {row.scope: row.over for row in connection.execute(statement.where(table.active == 1))}


def decide_held_goods(task: Task[DecideHeldGoods], tx: Transaction) -> Done:
    """Move the units, value what is kept, and write the order as it stands now."""
    command, orders = task.command, PurchaseOrders.of(tx)
    orders.load([command.po_id])
    order = orders.get(command.po_id)
    line = order.line(command.po_line_id, "po_line_id")
    if there(tx.connection, held_decisions.c.id, [command.decision_id]):
        raise AlreadyExists(
            "this decision was carried out before", field="decision_id", remedy="make a new id for another"
        )
    if command.quantity > line.held_quantity:
        raise NotHeld(
            f"{line.held_quantity} units of the line are held",
            field="quantity",
            remedy="decide about what is held",
            held=line.held_quantity,
        )
    Costs.of(tx).load([line.item_id])
    _move(task, tx, order, line)
    before = {"held": line.held_quantity, "accepted": line.accepted_quantity, "quantity": line.quantity}
    line.held_quantity -= command.quantity
    if command.decision == "accept":
        _accept(task, tx, order, line)
    elif command.decision == "return":
        line.rejected_quantity += command.quantity
    row = command.model_dump(include={"po_line_id", "decision", "quantity"})
    orders.insert(
        held_decisions,
        row | {"id": command.decision_id, "decided_on": task.occurred_on, "audit_id": task.audit_id},
    )
    orders.changed(order, task.audit_id, [line])
    case = variance_case(order, line, task.occurred_at)
    noted = Noted("goods beyond the order are decided about", task.occurred_at, task.audit_id)
    raise_cases(tx, [case] if case is not None else [], noted, settled=[variance_key(line)])
    Ledger.of(tx).announce()
    after = {"held": line.held_quantity, "accepted": line.accepted_quantity, "quantity": line.quantity}
    result = {"decision": command.decision, "units": command.quantity, **after}
    event = Event("HeldGoodsDecided", "purchase_order", order.id, order.version, result)
    return Done(result, (event,), before=before, after=after)


def _move(task: Task[DecideHeldGoods], tx: Transaction, order: PurchaseOrder, line: Line) -> None:
    command, lot = task.command, task.command.lot_id or NO_LOT
    held = Bucket.of(line.item_id, order.location_id, "received_held", lot)
    target = (
        Bucket.of(line.item_id, order.location_id, "available", lot)
        if command.decision == "accept"
        else Bucket.of(line.item_id, SUPPLIER, VIRTUAL, lot)
    )
    event: Literal["receipt", "reversal"] = "receipt" if command.decision == "accept" else "reversal"
    move = Move(
        event,
        held,
        target,
        command.quantity,
        "purchase_order",
        order.id,
        task.occurred_at,
        task.audit_id,
    )
    Ledger.of(tx).post([move])


def _accept(task: Task[DecideHeldGoods], tx: Transaction, order: PurchaseOrder, line: Line) -> None:
    units = task.command.quantity
    beyond = max(units - line.open_quantity, 0)
    line.accepted_quantity += units
    line.quantity += beyond
    order.total += beyond * line.unit_price
    take_in(tx, order, line, units, task.occurred_on, task.audit_id)


def decision_facts(command: DecideHeldGoods, preceding: Sequence[Command], connection: Connection) -> Facts:
    """What the policy weighs: what keeping the units costs; nothing where they go back."""
    price = connection.scalar(select(po_lines.c.unit_price).where(po_lines.c.id == command.po_line_id))
    if price is None:
        raise NotFound(
            "there is no such purchase order line", field="po_line_id", remedy="look it up by its order"
        )
    return {"amount": command.quantity * price if command.decision == "accept" else 0}


def orders_more(command: DecideHeldGoods) -> list[Duty]:
    """Who keeps more than was ordered orders it: not the one who received it."""
    return [Duty("purchase_order", command.po_id, "order_requester")] if command.decision == "accept" else []


def set_receipt_tolerance(task: Task[SetReceiptTolerance], tx: Transaction) -> Done:
    """Write the next version."""
    command, connection = task.command, tx.connection
    lock_names(connection, [f"receipt tolerance {command.scope}"])
    before = read_receipt_tolerances(connection).get(command.scope)
    table = receipt_tolerances.c
    version = 1 + (
        connection.scalar(select(func.max(table.version)).where(table.scope == command.scope)) or 0
    )
    row = {"scope": command.scope, "version": version, "over": command.over, "active": int(command.active)}
    insert_rows(connection, receipt_tolerances, [row | {"audit_id": task.audit_id}])
    return Done(
        {"scope": command.scope, "version": version}, before={"over": before}, after={"over": command.over}
    )


def register(registry: Registry) -> None:
    """Add the commands."""
    registry.register(
        Registration(
            DecideHeldGoods,
            each(decide_held_goods),
            governed=True,
            facts=facts_each(decision_facts),
            duties=orders_more,
            compensation="a return to the supplier, by AdjustStock",
        )
    )
    registry.register(Registration(SetReceiptTolerance, each(set_receipt_tolerance), governed=True))
