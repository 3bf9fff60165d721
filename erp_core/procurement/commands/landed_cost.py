"""Landed cost: freight, duty and the like on goods that were received, whenever the bill for it comes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field, StringConstraints
from sqlalchemy import Connection, and_, case, func, or_, select

from erp_core.finance.costs import Costs, CostSource
from erp_core.finance.journal import Journal, own
from erp_core.finance.layer_book import Arrival
from erp_core.gate.contract import (
    Command,
    DomainError,
    Done,
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
from erp_core.inventory.model import stock_moves
from erp_core.master.commands.records import AlreadyExists, existing, unknown
from erp_core.master.model import item_units, items
from erp_core.master.queries.landed_costs import list_components
from erp_core.master.rules.landed_costs import Component, Goods, shares
from erp_core.master.virtual import SUPPLIER
from erp_core.orders.late_costs import charge_sold
from erp_core.procurement.model import po_lines, receipt_lines, receipts
from erp_core.procurement.model.landed import landed_charges, landed_shares
from erp_core.procurement.ordering.purchase_orders import PurchaseOrders
from erp_core.procurement.receiving.reversing import stands
from erp_core.storage.bulk import insert_rows
from erp_core.storage.locks import lock_names
from erp_core.storage.lookup import AnyRow


class RecordLandedCost(Command):
    """A charge on a purchase order, in company currency. Governed.

    It is shared by the component's basis among what was received so far, or with one receipt, less what went back to suppliers. The part
    of units that are still valued raises their value, that of sold units lowers the margin on the day of booking.
    """

    charge_id: UUID
    po_id: UUID
    receipt_id: UUID | None = None
    component: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=30)]
    amount: Annotated[int, Field(ge=1, le=10**15, description="money in ten-thousandths")]

    @property
    def subject(self) -> tuple[str, UUID]:
        """The purchase order."""
        return ("purchase_order", self.po_id)


class NothingReceived(DomainError):
    """No goods are there that could carry the charge."""

    code = "nothing_received"


class NotValued(DomainError):
    """The goods have no cost yet that a charge could add to."""

    code = "not_valued"


@dataclass(frozen=True, slots=True)
class _Lot:
    """What was received of a line: `units` net of returns, since `first_on`."""

    line: AnyRow
    units: int
    first_on: date


def record_landed_cost(task: Task[RecordLandedCost], tx: Transaction) -> Done:
    """Share the charge, raise the value of what is there, and book the rest on what was sold."""
    command = task.command
    tx.flush()
    lock_names(tx.connection, [f"landed cost {command.charge_id}"])
    if command.charge_id in existing(tx, landed_charges, [command.charge_id]):
        raise AlreadyExists(
            f"charge {command.charge_id} is there already",
            field="charge_id",
            remedy="make a new id for another charge",
        )
    orders = PurchaseOrders.of(tx)
    orders.load([command.po_id])
    if orders.find(command.po_id) is None:
        raise unknown("purchase order", command.po_id, "po_id")
    component = _component(tx.connection, command.component)
    came_with = None
    if command.receipt_id is not None:
        came_with = _of_receipt(tx.connection, command.receipt_id, command.po_id)
    lots = _lots(tx.connection, command.po_id, command.receipt_id)
    if not lots:
        raise NothingReceived(
            "nothing of the order is received, or all of it went back",
            field="po_id",
            remedy="record the charge when goods have arrived",
        )
    costs = Costs.of(tx)
    costs.load(lot.line.item_id for lot in lots)
    for lot in lots:
        if not costs.known(lot.line.item_id):
            raise NotValued(
                f"{lot.line.sku} has no cost",
                field="po_id",
                remedy="set its opening cost first",
                item=lot.line.sku,
            )
    parts = shares(command.amount, component, [_goods(lot) for lot in lots])
    left = {lot.line.item_id: costs.mixed_quantity(lot.line.item_id) for lot in lots}
    rows = [
        _book(task, tx, costs, lot, Arrival(lot.line.id, came_with), part, left)
        for lot, part in zip(lots, parts, strict=True)
    ]
    charge = command.model_dump(include={"po_id", "receipt_id", "component", "amount"})
    head = {"id": command.charge_id, "booked_on": task.occurred_on, "audit_id": task.audit_id} | charge
    insert_rows(tx.connection, landed_charges, [head])
    insert_rows(tx.connection, landed_shares, rows)
    told = {name: sum(row[name] for row in rows) for name in ("to_stock", "to_sold", "to_other")}
    event = Event("LandedCostRecorded", "landed_charge", command.charge_id, 1, {"component": component.code})
    return Done({"charge_id": str(command.charge_id), **told}, (event,), after=told)


def _book(
    task: Task[RecordLandedCost],
    tx: Transaction,
    costs: Costs,
    lot: _Lot,
    arrival: Arrival,
    amount: int,
    left: dict[UUID, int],
) -> dict[str, Any]:
    command, item_id = task.command, lot.line.item_id
    own_units = costs.own_quantity(item_id, arrival)
    there = min(own_units + left[item_id], lot.units)
    left[item_id] -= max(there - own_units, 0)
    to_stock = amount * there // lot.units
    source = CostSource(
        "landed_cost", "landed_charge", command.charge_id, task.occurred_on, task.audit_id, lot.line.id
    )
    costs.revalue(item_id, to_stock, source, arrival, there)
    gone, rest = lot.units - there, amount - to_stock
    to_sold = 0
    if gone:
        _, to_sold = charge_sold(
            tx,
            item_id,
            since=lot.first_on,
            units=gone,
            amount=rest,
            source={
                "booked_on": task.occurred_on,
                "document_kind": "landed_charge",
                "document_id": command.charge_id,
                "audit_id": task.audit_id,
            },
        )
    journal = Journal.of(tx)
    journal.post("cost_of_goods_sold", "landed_cost_accrued", own(to_sold), source)
    journal.post("stock_losses", "landed_cost_accrued", own(rest - to_sold), source)
    return {
        "charge_id": command.charge_id,
        "po_line_id": lot.line.id,
        "units": lot.units,
        "to_stock": to_stock,
        "to_sold": to_sold,
        "to_other": rest - to_sold,
    }


def _component(connection: Connection, code: str) -> Component:
    known = list_components(connection)
    if code not in known or not known[code].active:
        raise NotFound(
            f"there is no component {code} in use",
            field="component",
            remedy=f"use one of {', '.join(name for name, one in known.items() if one.active)}",
        )
    return known[code]


def _of_receipt(connection: Connection, receipt_id: UUID, po_id: UUID) -> UUID:
    """The audit entry that the goods of the order's receipt came with."""
    table = receipts.c
    row = connection.execute(select(table.po_id, table.audit_id).where(table.id == receipt_id)).one_or_none()
    if row is None:
        raise unknown("receipt", receipt_id, "receipt_id")
    if row.po_id != po_id:
        raise NothingReceived(
            "the receipt is of another purchase order",
            field="receipt_id",
            remedy="give the order that was received with it",
        )
    came_with: UUID = row.audit_id
    return came_with


def _lots(connection: Connection, po_id: UUID, receipt_id: UUID | None) -> list[_Lot]:
    """The received lines with what is left of each after what went back to suppliers since, line by line."""
    came = func.sum(receipt_lines.c.accepted_quantity)
    rows = connection.execute(
        select(
            po_lines.c.id,
            po_lines.c.item_id,
            po_lines.c.unit_price,
            items.c.sku,
            item_units.c.weight_grams,
            item_units.c.length_mm,
            item_units.c.width_mm,
            item_units.c.height_mm,
            came.label("came"),
            func.min(receipts.c.received_on).label("first_on"),
        )
        .join(receipt_lines, receipt_lines.c.po_line_id == po_lines.c.id)
        .join(receipts, receipts.c.id == receipt_lines.c.receipt_id)
        .join(items, items.c.id == po_lines.c.item_id)
        .outerjoin(
            item_units, and_(item_units.c.item_id == items.c.id, item_units.c.unit == items.c.base_unit)
        )
        .where(
            po_lines.c.po_id == po_id,
            receipt_lines.c.accepted_quantity > 0,
            stands(),
            *([] if receipt_id is None else [receipts.c.id == receipt_id]),
        )
        .group_by(
            po_lines.c.id,
            po_lines.c.line_no,
            po_lines.c.item_id,
            po_lines.c.unit_price,
            items.c.sku,
            item_units.c.weight_grams,
            item_units.c.length_mm,
            item_units.c.width_mm,
            item_units.c.height_mm,
        )
        .order_by(po_lines.c.line_no)
    ).all()
    back: dict[UUID, int] = {}
    found = []
    for row in rows:
        if row.item_id not in back:
            back[row.item_id] = _went_back(connection, row.item_id, row.first_on)
        returned = min(back[row.item_id], int(row.came))
        back[row.item_id] -= returned
        if row.came > returned:
            found.append(_Lot(row, int(row.came) - returned, row.first_on))
    return found


def _went_back(connection: Connection, item_id: UUID, since: date) -> int:
    moves = stock_moves.c
    sent_back = and_(moves.event == "disposition", moves.to_location_id == SUPPLIER)
    came_again = and_(moves.event == "reversal", moves.document_kind == "vendor_return")
    units = connection.scalar(
        select(func.sum(case((sent_back, moves.quantity), else_=-moves.quantity))).where(
            moves.item_id == item_id, or_(sent_back, came_again), moves.occurred_on >= since
        )
    )
    return max(int(units or 0), 0)


def _goods(lot: _Lot) -> Goods:
    line = lot.line
    sides = (line.length_mm, line.width_mm, line.height_mm)
    volume = None if None in sides else lot.units * sides[0] * sides[1] * sides[2]
    weight = None if line.weight_grams is None else lot.units * line.weight_grams
    return Goods(lot.units, lot.units * line.unit_price, weight, volume)


def landed_cost_facts(
    command: RecordLandedCost, preceding: Sequence[Command], connection: Connection
) -> Facts:
    """What the policy weighs: the amount, in company currency."""
    return {"amount": command.amount}


def register(registry: Registry) -> None:
    """Add the command for landed cost."""
    registry.register(
        Registration(
            RecordLandedCost,
            each(record_landed_cost),
            governed=True,
            facts=facts_each(landed_cost_facts),
            compensation="ReverseLandedCost",
        )
    )
