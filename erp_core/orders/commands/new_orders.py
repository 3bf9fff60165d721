"""The rows of orders that were accepted, written at the end of a batch."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from erp_core.gate.contract import Task, Transaction
from erp_core.master.feeds import Feeds
from erp_core.orders.commands.kits import OpenedKits
from erp_core.orders.commands.place import PlaceOrder
from erp_core.orders.demand import DemandChanges
from erp_core.orders.model import order_kits, order_lines, orders, shipment_lines, shipments
from erp_core.orders.model_documents import gross_prices
from erp_core.orders.outages import Rerouting
from erp_core.storage.bulk import PIECE, insert_rows
from erp_core.storage.together import together


class NewOrders:
    """Orders with their lines, parcels and demand, to be written with as few statements as one."""

    def __init__(
        self, tx: Transaction, kits: OpenedKits, rerouting: Rerouting, gross: Mapping[UUID, int]
    ) -> None:
        self._tx, self._kits, self._rerouting, self._gross = tx, kits, rerouting, gross
        self._gross_rows: list[dict[str, Any]] = []
        self._demand = DemandChanges.of(tx)
        self._orders: list[dict[str, Any]] = []
        self._lines: list[dict[str, Any]] = []
        self._kit_rows: list[dict[str, Any]] = []
        self._shipments: list[dict[str, Any]] = []
        self._shipment_lines: list[dict[str, Any]] = []

    def add_order(
        self,
        task: Task[PlaceOrder],
        number: str,
        status: str,
        *,
        hold_reason: str | None = None,
        shipped_on: date | None = None,
        shipments: int = 0,
    ) -> None:
        """Add an order, without its lines."""
        command = task.command
        if len(self._lines) >= PIECE:
            self._write_orders()
        if self._kits:
            self._kit_rows += self._kits.rows(command, task.audit_id)
        self._orders.append(
            {
                "id": command.order_id,
                "number": number,
                "external_ref": command.external_ref,
                "channel_id": command.channel_id,
                "customer_id": command.customer_id,
                "customer_country": command.customer_country,
                "status": status,
                "status_since": task.occurred_at,
                "ordered_at": task.occurred_at,
                "ordered_on": task.occurred_on,
                "known_on": task.occurred_on,
                "speed": command.speed,
                "promised_on": command.promised_on,
                "shipped_on": shipped_on,
                "hold_reason": hold_reason,
                "cancel_reason": None,
                "freight_cost": 0,
                "shipments": shipments,
                "version": 1,
                "import_id": None,
                "audit_id": task.audit_id,
            }
        )

    def add_line(
        self,
        task: Task[PlaceOrder],
        position: int,
        place: UUID,
        reason: str | None,
        *,
        reserved: int = 0,
        shipped: int = 0,
        cost: int | None = None,
    ) -> None:
        """Add a line of an order, and count it as demand; `reason` says why the place was chosen."""
        command, day = task.command, task.occurred_on
        line = command.lines[position]
        part = self._kits.parts.get(line.line_id)
        rerouted = self._rerouting.accept(line, task.audit_id)
        in_time = command.promised_on is not None and day <= command.promised_on
        self._lines.append(
            {
                "id": line.line_id,
                "order_id": command.order_id,
                "line_no": position + 1,
                "item_id": line.item_id,
                "location_id": place,
                "location_reason": rerouted or (reason if line.location_id is None else None),
                "channel_id": command.channel_id,
                "customer_country": command.customer_country,
                "ordered_on": day,
                "promised_on": command.promised_on,
                "shipped_on": day if shipped else None,
                "quantity": line.quantity,
                "reserved_quantity": reserved,
                "shipped_quantity": shipped,
                "shipped_by_promise": shipped if in_time else 0,
                "cancelled_quantity": 0,
                "unit_price": line.unit_price,
                "list_price": line.list_price,
                "cost": cost,
                "import_id": None,
                "kit_line_id": None if part is None else part.kit_line_id,
                "per_kit": None if part is None else part.per_kit,
            }
        )
        if line.line_id in self._gross:
            price = self._gross[line.line_id]
            self._gross_rows.append(
                {"order_line_id": line.line_id, "unit_price": price, "audit_id": task.audit_id}
            )
        self._demand.add(
            line.item_id, place, command.channel_id, day, line.quantity, line.unit_price, line.list_price, 1
        )

    def add_parcel(
        self, task: Task[PlaceOrder], shipment_id: UUID, place: UUID, costs: dict[UUID, int | None]
    ) -> None:
        """Add the parcel in which all of an order was handed over, with the cost of each line."""
        self._shipments.append(
            {
                "id": shipment_id,
                "order_id": task.command.order_id,
                "location_id": place,
                "shipped_on": task.occurred_on,
                "freight_cost": 0,
                "audit_id": task.audit_id,
            }
        )
        self._shipment_lines += [
            {
                "shipment_id": shipment_id,
                "order_line_id": line.line_id,
                "quantity": line.quantity,
                "cost": costs[line.line_id],
            }
            for line in task.command.lines
        ]

    def write(self) -> None:
        """Write the accepted orders."""
        connection = self._tx.connection
        Feeds.of(self._tx).load()
        with together(connection, len(self._lines)):
            self._write_orders()
            insert_rows(connection, gross_prices, self._gross_rows)
            self._rerouting.write()
            insert_rows(connection, shipments, self._shipments)
            insert_rows(connection, shipment_lines, self._shipment_lines)

    def _write_orders(self) -> None:
        """Write orders with their lines: of a large batch piece by piece, while the next are decided."""
        connection = self._tx.connection
        insert_rows(connection, orders, self._orders)
        insert_rows(connection, order_kits, self._kit_rows)
        insert_rows(connection, order_lines, self._lines)
        self._orders, self._kit_rows, self._lines = [], [], []
