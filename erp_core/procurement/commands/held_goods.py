"""Goods that are held: how many beyond an order pass by tolerance, and what is decided about the others."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
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
from erp_core.procurement.books.valuing import take_in
from erp_core.procurement.model import po_lines, receipt_lines, receipts
from erp_core.procurement.model.receiving import held_decisions, receipt_tolerances
from erp_core.procurement.ordering.purchase_orders import Line, PurchaseOrder, PurchaseOrders
from erp_core.procurement.receiving.reversing import stands
from erp_core.procurement.receiving.rules import scope_of, variance_case, variance_key
from erp_core.procurement.rules import arrival_days, in_time
from erp_core.storage.bulk import insert_rows
from erp_core.storage.locks import lock_names
from erp_core.storage.lookup import there

HeldFor = Literal["beyond", "inspection", "quarantine"]


class DecideHeldGoods(Command):
    """What becomes of units of a line that are held. Governed where it commits money.

    `accept`: they are kept at the order's price, what is beyond the order corrects it to what came, and they become
    available and payable. `return`: they go back to the supplier. `correct`: they were counted wrongly and never there.
    `quarantine`: of those that wait for inspection, these are in doubt and stay held. `held_for` says which units are
    meant where several kinds are held: those beyond the order, those to be inspected, or those in quarantine.
    """

    decision_id: UUID
    po_id: UUID
    po_line_id: UUID
    decision: Literal["accept", "return", "correct", "quarantine"]
    held_for: HeldFor | None = None
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
        return scope_of(self.supplier_id, self.item_id)

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
    held_for = _held_for(command, line)
    Costs.of(tx).load([line.item_id])
    if command.decision != "quarantine":
        _move(task, tx, order, line)
    before = {"held": line.held_quantity, "accepted": line.accepted_quantity, "quantity": line.quantity}
    came = [] if held_for == "beyond" else _came_on(tx, task, line, held_for)
    _let_go(line, held_for, command.quantity, stays=command.decision == "quarantine")
    if command.decision == "accept":
        _accept(task, tx, order, line, came)
    elif command.decision == "return":
        line.rejected_quantity += command.quantity
    row = command.model_dump(include={"po_line_id", "decision", "quantity"}) | {"held_for": held_for}
    orders.insert(
        held_decisions,
        row | {"id": command.decision_id, "decided_on": task.occurred_on, "audit_id": task.audit_id},
    )
    order.follow_lines()
    orders.changed(order, task.audit_id, [line])
    case = variance_case(order, line, task.occurred_at)
    noted = Noted("goods that are held are decided about", task.occurred_at, task.audit_id)
    raise_cases(tx, [case] if case is not None else [], noted, settled=[variance_key(line)])
    Ledger.of(tx).announce()
    orders.purchasing_on(task.occurred_on)
    after = {"held": line.held_quantity, "accepted": line.accepted_quantity, "quantity": line.quantity}
    result = {"decision": command.decision, "units": command.quantity, **after}
    event = Event("HeldGoodsDecided", "purchase_order", order.id, order.version, result)
    return Done(result, (event,), before=before, after=after | {"total": order.total})


def _held_for(command: DecideHeldGoods, line: Line) -> HeldFor:
    """Which held units are meant. Raises `NotHeld` where there are fewer, or where it isn't said and several are."""
    held: dict[HeldFor, int] = {
        "beyond": line.beyond_quantity,
        "inspection": line.inspection_quantity,
        "quarantine": line.quarantined_quantity,
    }
    kinds: list[HeldFor] = [kind for kind, units in held.items() if units]
    if command.held_for is None and len(kinds) > 1:
        raise NotHeld(
            "units of the line are held for several reasons",
            field="held_for",
            remedy=f"say which are meant: {', '.join(kinds)}",
            held=line.held_quantity,
        )
    meant = command.held_for or (kinds[0] if kinds else "beyond")
    if command.decision == "quarantine" and meant != "inspection":
        raise NotHeld(
            "only what waits for inspection is put in quarantine",
            field="decision",
            remedy="it is held already: accept, return or correct it",
            held=held[meant],
        )
    if command.quantity > held[meant]:
        raise NotHeld(
            f"{held[meant]} units of the line are held",
            field="quantity",
            remedy="decide about what is held",
            held=held[meant],
        )
    return meant


def _let_go(line: Line, held_for: HeldFor, units: int, *, stays: bool) -> None:
    line.held_quantity -= 0 if stays else units
    if held_for == "inspection":
        line.inspection_quantity -= units
        line.quarantined_quantity += units if stays else 0
    elif held_for == "quarantine":
        line.quarantined_quantity -= units


def _came_on(
    tx: Transaction, task: Task[DecideHeldGoods], line: Line, held_for: HeldFor
) -> list[tuple[date, int]]:
    """On which days the units came that are decided about: first come, first decided."""
    tx.flush()
    looked_at, doubted = receipt_lines.c.inspection_quantity, receipt_lines.c.quarantined_quantity
    waiting = looked_at + doubted if held_for == "quarantine" else looked_at + 0
    rows = tx.connection.execute(
        select(receipts.c.received_on, waiting)
        .join(receipts, receipts.c.id == receipt_lines.c.receipt_id)
        .where(receipt_lines.c.po_line_id == line.id, waiting > 0, stands())
    )
    decided = select(func.coalesce(func.sum(held_decisions.c.quantity), 0)).where(
        held_decisions.c.po_line_id == line.id, held_decisions.c.held_for == held_for
    )
    before = int(tx.connection.scalar(decided) or 0)
    return arrival_days([(day, int(units)) for day, units in rows], before, task.command.quantity)


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


def _accept(
    task: Task[DecideHeldGoods],
    tx: Transaction,
    order: PurchaseOrder,
    line: Line,
    came: Sequence[tuple[date, int]],
) -> None:
    units = task.command.quantity
    beyond = max(units - line.open_quantity, 0)
    line.accepted_quantity += units
    line.quantity += beyond
    order.total += beyond * line.unit_price
    line.accepted_by_promise += sum(part for day, part in came if in_time(day, line.first_promised_on))
    if came and line.open_quantity == 0 and line.completed_on is None:
        line.completed_on = max(day for day, _ in came)
    take_in(tx, order, line, units, task.occurred_on, task.audit_id)


def decision_facts(command: DecideHeldGoods, preceding: Sequence[Command], connection: Connection) -> Facts:
    """What the policy weighs: what keeping the units costs beyond what was ordered; nothing where they go back."""
    still_open = po_lines.c.quantity - po_lines.c.accepted_quantity - po_lines.c.cancelled_quantity
    line = connection.execute(
        select(po_lines.c.unit_price, still_open.label("open")).where(po_lines.c.id == command.po_line_id)
    ).one_or_none()
    if line is None:
        raise NotFound(
            "there is no such purchase order line", field="po_line_id", remedy="look it up by its order"
        )
    beyond = max(command.quantity - max(line.open, 0), 0) if command.decision == "accept" else 0
    return {"amount": beyond * line.unit_price}


def orders_more(command: DecideHeldGoods) -> list[Duty]:
    """Who keeps more than was ordered orders it: not the one who received it, who may well inspect what was."""
    orders = command.decision == "accept" and command.held_for != "inspection"
    return [Duty("purchase_order", command.po_id, "order_requester")] if orders else []


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
            compensation="ReturnToVendor, for goods that were kept",
        )
    )
    registry.register(Registration(SetReceiptTolerance, each(set_receipt_tolerance), governed=True))
