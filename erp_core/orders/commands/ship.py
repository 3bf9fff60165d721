"""Shipping orders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from sqlalchemy import select

from erp_core.finance.costs import Costs, CostSource
from erp_core.gate.contract import Command, DomainError, Done, NotFound, Task, Transaction
from erp_core.gate.statuses import require_step
from erp_core.inventory.ledger import Ledger
from erp_core.inventory.reservations import Held, Reservations
from erp_core.master.commands.records import AlreadyExists
from erp_core.master.rules.taxes import TaxUndetermined
from erp_core.master.values import Amount, Units
from erp_core.orders.after_shipping import DueOf, follow_parcels
from erp_core.orders.book import BookLine, BookOrder, BookPick, OrderBook
from erp_core.orders.documents import SalesDocuments
from erp_core.orders.kits import lines_of_kit, require_whole_kits
from erp_core.orders.model import shipment_lines, shipments
from erp_core.orders.picking import find_pick, pick_at, require_one_place, units_to_pick
from erp_core.orders.rules import COMMITTED, ORDER_STATUSES, PICK_STATUSES
from erp_core.orders.rules.documents import SuppliedLine
from erp_core.orders.splits import SplitPolicy
from erp_core.orders.taxation import Invoice, Supply, Taxation
from erp_core.orders.trade import SalesTrade
from erp_core.storage.bulk import insert_rows
from erp_core.storage.lookup import fetch_in


class ShippedLine(BaseModel):
    """How much of an order line goes out, or how many kits by the line they were ordered with."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    line_id: UUID
    quantity: Units


class ShipOrder(Command):
    """One parcel leaves: what a packed pick list holds, or without one the lines given, or all that is reserved
    (at `location_id` where given) and on no pick list. Without a `freight_cost` it is the price of the pick list's
    service.
    """

    order_id: UUID
    shipment_id: UUID
    pick_id: UUID | None = None
    freight_cost: Amount = 0
    location_id: UUID | None = None
    lines: tuple[ShippedLine, ...] | None = None

    @property
    def subject(self) -> tuple[str, UUID]:
        """The order."""
        return ("order", self.order_id)


def ship_orders(
    tasks: Sequence[Task[ShipOrder]],
    tx: Transaction,
    *,
    left_already: bool = False,
    due: DueOf | None = None,
) -> Sequence[Done | DomainError]:
    """Ship the parcels one after the other over shared reads and writes. Customers are told, and with `due` who refills.

    What `left_already`, sent by a supplier, is noted however many parcels the order may take, and waits without an
    invoice where no rule says how it is taxed.
    """
    shipping = _Shipping(tasks, tx, left_already=left_already)
    outcomes: list[Done | DomainError] = []
    for task in tasks:
        try:
            outcomes.append(shipping.ship(task))
        except DomainError as error:
            outcomes.append(error)
    shipping.write()
    return follow_parcels(tasks, tx, outcomes, due=due)


class _Shipping:
    """One batch of shipments."""

    def __init__(self, tasks: Sequence[Task[ShipOrder]], tx: Transaction, *, left_already: bool) -> None:
        self._tx, self._left_already = tx, left_already
        self._book, self._reservations, self._costs = OrderBook.of(tx), Reservations.of(tx), Costs.of(tx)
        order_ids = {task.command.order_id for task in tasks}
        self._book.load(order_ids)
        some = [self._book.get(id_) for id_ in order_ids if self._book.loaded(id_)]
        self._splits = SplitPolicy(tx, some)
        self._reservations.load(order_ids)
        reserved = self._reservations.buckets(order_ids)
        Ledger.of(tx).load(reserved)
        self._costs.load({bucket.item_id for bucket in reserved})
        ids = {task.command.shipment_id for task in tasks}
        rows = fetch_in(tx.connection, select(shipments.c.id), shipments.c.id, ids)
        self._taken = {row.id for row in rows}
        lines = [line for order in some for line in order.lines.values()]
        self._taxation = Taxation(
            tx,
            items={line.item_id for line in lines},
            order_lines={line.id for line in lines},
            customer_ids={order.customer_id for order in some},
        )
        self._trade = SalesTrade(tx, {line.item_id for line in lines}, none=left_already)
        self._shipments: list[dict[str, Any]] = []
        self._lines: list[dict[str, Any]] = []

    def ship(self, task: Task[ShipOrder]) -> Done:
        """Ship one parcel; nothing of a refused one stays."""
        command, day = task.command, task.occurred_on
        order = self._book.get(command.order_id)
        if order.status not in COMMITTED:
            require_step(ORDER_STATUSES, order.status, "shipped", f"order {order.number}")
        if command.shipment_id in self._taken:
            raise AlreadyExists(
                f"shipment {command.shipment_id} is there already",
                field="shipment_id",
                remedy="make a new id",
            )
        pick = _packed(command, order)
        held: Held = "pending" if pick is None else "picked"
        units = _units(command, order) if pick is None else {id_: n for id_, n in pick.units.items() if n}
        if not self._left_already:
            self._splits.require(order, units, pick)
        goods = {order.lines[id_].item_id for id_ in units}
        self._trade.check_papers(
            order.id, command.shipment_id, order.channel_id, order.customer_country, goods, day
        )
        demand: dict[UUID, int] = {}
        for line_id, quantity in units.items():
            item_id = order.lines[line_id].item_id
            demand[item_id] = demand.get(item_id, 0) + quantity
        self._reservations.require(order.id, units, held)
        self._costs.require(demand)
        invoice = self._invoice(task, order, units)
        parcel = ("shipment", command.shipment_id)
        self._reservations.end(order.id, units, "posted", task.occurred_at, task.audit_id, parcel, held)
        if pick is not None:
            pick.step_to("shipped", task.occurred_at)
        before = {"status": order.status}
        for line_id, quantity in units.items():
            line = order.lines[line_id]
            source = CostSource("shipment", "shipment", command.shipment_id, day, task.audit_id, line_id)
            cost = self._costs.issue(line.item_id, quantity, source)
            line.parts.picked -= quantity if pick is not None else 0
            _ship_line(line, quantity, cost, day)
            self._lines.append(
                {
                    "shipment_id": command.shipment_id,
                    "order_line_id": line_id,
                    "quantity": quantity,
                    "cost": cost,
                }
            )
        freight = command.freight_cost or (pick.way.price if pick is not None and pick.way.price else 0)
        order.freight_cost += freight
        order.shipments += 1
        order.shipped_on = day
        order.advance(task.occurred_at)
        self._taken.add(command.shipment_id)
        self._shipments.append(
            {
                "id": command.shipment_id,
                "order_id": order.id,
                "location_id": order.lines[next(iter(units))].location_id,
                "pick_id": command.pick_id,
                "shipped_on": day,
                "freight_cost": freight,
                "audit_id": task.audit_id,
            }
        )
        if invoice is not None:
            SalesDocuments.of(self._tx).issue(invoice, day, task.audit_id)
        shipped = sum(units.values())
        return Done(
            {"order_id": str(order.id), "status": order.status, "units": shipped},
            (order.event("OrderShipped", shipment_id=str(command.shipment_id), units=shipped),),
            before=before,
            after={"status": order.status},
        )

    def _invoice(self, task: Task[ShipOrder], order: BookOrder, units: Mapping[UUID, int]) -> Invoice | None:
        gross = self._taxation.gross
        lines = [order.lines[id_] for id_ in units]
        supply = Supply(
            order.id,
            task.command.shipment_id,
            order.channel_id,
            lines[0].location_id,
            order.customer_id,
            order.customer_country,
            task.occurred_on,
            tuple(
                SuppliedLine(one.id, one.item_id, units[one.id], one.unit_price, gross.get(one.id))
                for one in lines
            ),
        )
        try:
            return self._taxation.assess(supply)
        except TaxUndetermined:
            if self._left_already:
                return None
            raise

    def write(self) -> None:
        """Write the shipments."""
        insert_rows(self._tx.connection, shipments, self._shipments)
        insert_rows(self._tx.connection, shipment_lines, self._lines)


def _packed(command: ShipOrder, order: BookOrder) -> BookPick | None:
    if command.pick_id is None:
        return None
    pick = find_pick(order, command.pick_id)
    if pick.status != "packed":
        require_step(PICK_STATUSES, pick.status, "shipped", "the pick list")
    return pick


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
    free = units_to_pick(order, command.location_id)
    if command.lines is None:
        units = free
    picked = pick_at(order, order.lines[next(iter(units))].location_id) if units else None
    require_one_place(order, {} if picked else units, picked.location_id if picked else command.location_id)
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
