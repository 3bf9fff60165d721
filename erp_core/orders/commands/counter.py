"""Sales over the counter: what is ordered and handed over at once moves, costs and is invoiced in one command."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from erp_core.finance.costs import Costs, CostSource
from erp_core.gate.contract import Task, Transaction
from erp_core.inventory.checks import Items
from erp_core.inventory.ledger import Bucket, InsufficientStock, Ledger, Move
from erp_core.inventory.lots.book import LotBook
from erp_core.inventory.lots.rules import LotRequired
from erp_core.inventory.rules import VIRTUAL
from erp_core.master.commands.records import AlreadyExists
from erp_core.master.virtual import CUSTOMER
from erp_core.orders.commands.place import OrderLine, PaymentNotCleared, PlaceOrder, SeveralPlaces
from erp_core.orders.documents import SalesDocuments
from erp_core.orders.model import shipments
from erp_core.orders.rules.documents import SuppliedLine
from erp_core.orders.taxation import Invoice, Supply, Taxation
from erp_core.storage.lookup import there

Promisable = Callable[[Task[PlaceOrder], UUID, UUID], int]
"""How many units of an item at a place an order may take now."""


@dataclass(frozen=True, slots=True)
class Sale:
    """What was handed over; `costs` are of each whole line, None where no cost is known."""

    shipment_id: UUID
    costs: dict[UUID, int | None]


class CounterSales:
    """Those of one batch of orders. Their stock and costs are loaded already; one that is refused changes nothing.

    `promisable` says what a channel may take where channels share stock; None where they do not.
    """

    def __init__(
        self,
        tx: Transaction,
        commands: Sequence[PlaceOrder],
        items: Items,
        gross_prices: Mapping[UUID, int],
        promisable: Promisable | None,
    ) -> None:
        self._tx, self._items, self._gross, self._promisable = tx, items, gross_prices, promisable
        named = {one.shipment_id for one in commands if one.shipment_id is not None}
        self._shipments = there(tx.connection, shipments.c.id, named)
        self._taxation = (
            Taxation(
                tx,
                items={line.item_id for one in commands for line in one.lines},
                customer_ids={one.customer_id for one in commands},
            )
            if commands
            else None
        )

    def check(self, command: PlaceOrder, places: Sequence[UUID], *, paid: bool) -> None:
        """Refuse what cannot be handed over, before stock is looked at."""
        if not paid:
            raise PaymentNotCleared(
                "goods are handed over only when they are paid and nothing is suspect",
                field="payment_status",
                remedy="take the payment first, or place the order without ship_now",
            )
        if len(set(places)) > 1:
            raise SeveralPlaces(
                "a sale over the counter has one place",
                field="lines.location_id",
                remedy="place one order for each",
            )
        if command.shipment_id in self._shipments:
            raise AlreadyExists(
                f"shipment {command.shipment_id} is there already",
                field="shipment_id",
                remedy="make a new id",
            )

    def hand_over(self, task: Task[PlaceOrder], places: Sequence[UUID]) -> Sale:
        """Move the goods to the customer at their cost, and invoice them."""
        command, day = task.command, task.occurred_on
        ledger, costs = Ledger.of(self._tx), Costs.of(self._tx)
        shipment_id = command.shipment_id or self._tx.new_id()
        demand: Counter[UUID] = Counter()
        for line in command.lines:
            demand[line.item_id] += line.quantity
        for item_id, units in demand.items():
            self._require_share(task, item_id, places[0], units)
        moves = self._moves(task, places, shipment_id)
        ledger.require(moves)
        costs.require(demand)
        invoice = self._invoice(task, shipment_id, places[0])
        ledger.post(moves)
        self._shipments.add(shipment_id)
        issued = {
            line.line_id: costs.issue(
                line.item_id,
                line.quantity,
                CostSource("shipment", "shipment", shipment_id, day, task.audit_id, line.line_id),
            )
            for line in command.lines
        }
        if invoice is not None:
            SalesDocuments.of(self._tx).issue(invoice, day, task.audit_id)
        return Sale(shipment_id, issued)

    def _moves(self, task: Task[PlaceOrder], places: Sequence[UUID], shipment_id: UUID) -> list[Move]:
        taken: Counter[UUID] = Counter()
        return [
            Move(
                "shipment",
                Bucket.of(line.item_id, place, "available", lot_id),
                Bucket.of(line.item_id, CUSTOMER, VIRTUAL, lot_id),
                units,
                "shipment",
                shipment_id,
                task.occurred_at,
                task.audit_id,
            )
            for line, place in zip(task.command.lines, places, strict=True)
            for lot_id, units in self._lots_of(task, line, place, taken)
        ]

    def _lots_of(
        self, task: Task[PlaceOrder], line: OrderLine, place: UUID, taken: Counter[UUID]
    ) -> list[tuple[UUID, int]]:
        """The lots that are handed over; the customer takes no numbered unit that nobody read."""
        tracking = self._items.tracking.get(line.item_id)
        if tracking is not None and tracking.serials:
            raise LotRequired(
                f"each unit of {tracking.sku} has a serial number",
                field="ship_now",
                remedy="place the order without ship_now, and pick the units by their numbers",
                item=tracking.sku,
            )
        lots = LotBook.of(self._tx)
        days = lots.minimum_days(task.command.channel_id, line.item_id)
        chosen = lots.choose(line.item_id, place, line.quantity, task.occurred_on, days, taken)
        taken.update(dict(chosen))
        return chosen

    def _require_share(self, task: Task[PlaceOrder], item_id: UUID, place: UUID, units: int) -> None:
        if self._promisable is None:
            return
        allowed = self._promisable(task, item_id, place)
        if units > allowed:
            raise InsufficientStock(
                f"{units} units wanted, the channel may take {allowed}",
                field="lines.quantity",
                remedy=f"sell {allowed} or less: the rest is kept for other channels",
                item=item_id,
                location=place,
                wanted=units,
                available=allowed,
            )

    def _invoice(self, task: Task[PlaceOrder], shipment_id: UUID, place: UUID) -> Invoice | None:
        if self._taxation is None:
            return None
        command = task.command
        lines = tuple(
            SuppliedLine(one.line_id, one.item_id, one.quantity, one.unit_price, self._gross.get(one.line_id))
            for one in command.lines
        )
        supply = Supply(
            command.order_id,
            shipment_id,
            command.channel_id,
            place,
            command.customer_id,
            command.customer_country,
            task.occurred_on,
            lines,
        )
        return self._taxation.assess(supply)
