"""Shipping orders."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from sqlalchemy import select

from erp_core.finance.costs import Costs, CostSource
from erp_core.gate.contract import Command, DomainError, Done, NotFound, Task, Transaction
from erp_core.gate.statuses import require_step
from erp_core.inventory.ledger import Ledger
from erp_core.inventory.reservations import NothingReserved, Reservations
from erp_core.master.commands.records import AlreadyExists
from erp_core.master.values import Amount, Units
from erp_core.orders.book import BookLine, BookOrder, OrderBook
from erp_core.orders.kits import lines_of_kit, require_whole_kits
from erp_core.orders.model import shipment_lines, shipments
from erp_core.orders.rules import ORDER_STATUSES
from erp_core.storage.bulk import insert_rows
from erp_core.storage.lookup import fetch_in


class ShippedLine(BaseModel):
    """How much of an order line goes out, or how many kits by the line they were ordered with."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    line_id: UUID
    quantity: Units


class ShipOrder(Command):
    """One parcel leaves: the lines given, or all that is reserved (at `location_id` where given)."""

    order_id: UUID
    shipment_id: UUID
    freight_cost: Amount = 0
    location_id: UUID | None = None
    lines: tuple[ShippedLine, ...] | None = None

    @property
    def subject(self) -> tuple[str, UUID]:
        """The order."""
        return ("order", self.order_id)


class SeveralLocations(DomainError):
    """One parcel leaves from one place."""

    code = "several_locations"


def ship_orders(tasks: Sequence[Task[ShipOrder]], tx: Transaction) -> Sequence[Done | DomainError]:
    """Ship the parcels one after the other over shared reads and writes."""
    shipping = _Shipping(tasks, tx)
    outcomes: list[Done | DomainError] = []
    for task in tasks:
        try:
            outcomes.append(shipping.ship(task))
        except DomainError as error:
            outcomes.append(error)
    shipping.write()
    return outcomes


class _Shipping:
    """One batch of shipments."""

    def __init__(self, tasks: Sequence[Task[ShipOrder]], tx: Transaction) -> None:
        self._tx = tx
        self._book, self._reservations, self._costs = OrderBook.of(tx), Reservations.of(tx), Costs.of(tx)
        order_ids = {task.command.order_id for task in tasks}
        self._book.load(order_ids)
        self._reservations.load(order_ids)
        reserved = self._reservations.buckets(order_ids)
        Ledger.of(tx).load(reserved)
        self._costs.load({bucket.item_id for bucket in reserved})
        ids = {task.command.shipment_id for task in tasks}
        rows = fetch_in(tx.connection, select(shipments.c.id), shipments.c.id, ids)
        self._taken = {row.id for row in rows}
        self._shipments: list[dict[str, Any]] = []
        self._lines: list[dict[str, Any]] = []

    def ship(self, task: Task[ShipOrder]) -> Done:
        """Ship one parcel; nothing of a refused one stays."""
        command, day = task.command, task.occurred_on
        order = self._book.get(command.order_id)
        if order.status not in ("reserved", "backordered", "partly_shipped"):
            require_step(ORDER_STATUSES, order.status, "shipped", f"order {order.number}")
        if command.shipment_id in self._taken:
            raise AlreadyExists(
                f"shipment {command.shipment_id} is there already",
                field="shipment_id",
                remedy="make a new id",
            )
        units = _units(command, order)
        demand: dict[UUID, int] = {}
        for line_id, quantity in units.items():
            item_id = order.lines[line_id].item_id
            demand[item_id] = demand.get(item_id, 0) + quantity
        self._reservations.require(order.id, units)
        self._costs.require(demand)
        self._reservations.end(
            order.id, units, "posted", task.occurred_at, task.audit_id, ("shipment", command.shipment_id)
        )
        before = {"status": order.status}
        for line_id, quantity in units.items():
            line = order.lines[line_id]
            source = CostSource("shipment", "shipment", command.shipment_id, day, task.audit_id, line_id)
            cost = self._costs.issue(line.item_id, quantity, source)
            _ship_line(line, quantity, cost, day)
            self._lines.append(
                {
                    "shipment_id": command.shipment_id,
                    "order_line_id": line_id,
                    "quantity": quantity,
                    "cost": cost,
                }
            )
        order.freight_cost += command.freight_cost
        order.shipments += 1
        order.shipped_on = day
        order.advance()
        self._taken.add(command.shipment_id)
        self._shipments.append(
            {
                "id": command.shipment_id,
                "order_id": order.id,
                "location_id": order.lines[next(iter(units))].location_id,
                "shipped_on": day,
                "freight_cost": command.freight_cost,
                "audit_id": task.audit_id,
            }
        )
        shipped = sum(units.values())
        return Done(
            {"order_id": str(order.id), "status": order.status, "units": shipped},
            (order.event("OrderShipped", shipment_id=str(command.shipment_id), units=shipped),),
            before=before,
            after={"status": order.status},
        )

    def write(self) -> None:
        """Write the shipments."""
        insert_rows(self._tx.connection, shipments, self._shipments)
        insert_rows(self._tx.connection, shipment_lines, self._lines)


def _units(command: ShipOrder, order: BookOrder) -> dict[UUID, int]:
    """Units to ship by line id, all from one place."""
    units: dict[UUID, int] = {}
    for wanted in command.lines or ():
        parts = lines_of_kit(order, wanted.line_id)
        for part in parts:
            units[part.id] = units.get(part.id, 0) + wanted.quantity * (part.per_kit or 1)
        if parts:
            continue
        if wanted.line_id not in order.lines:
            raise NotFound(
                f"order {order.number} has no line {wanted.line_id}",
                field="lines.line_id",
                remedy="give ids of lines of this order",
            )
        units[wanted.line_id] = units.get(wanted.line_id, 0) + wanted.quantity
    if command.lines is None:
        units = {
            line.id: line.parts.reserved
            for line in order.lines.values()
            if line.parts.reserved and command.location_id in (None, line.location_id)
        }
    if not units:
        raise NothingReserved(
            f"nothing is reserved for order {order.number}",
            field="order_id",
            remedy="wait for stock, or cancel what cannot be had",
        )
    if len({order.lines[line_id].location_id for line_id in units}) > 1:
        raise SeveralLocations(
            f"order {order.number} is reserved at several locations",
            field="location_id",
            remedy="ship one parcel from each: name the location",
        )
    require_whole_kits(order, units)
    return units


def _ship_line(line: BookLine, quantity: int, cost: int | None, day: date) -> None:
    known = line.parts.shipped == 0 or line.cost is not None
    line.cost = (line.cost or 0) + cost if known and cost is not None else None
    line.parts.reserved -= quantity
    line.parts.shipped += quantity
    if line.promised_on is not None and day <= line.promised_on:
        line.shipped_by_promise += quantity
    line.shipped_on = day
    line.changed = True
