"""A small shop for tests of the core: two warehouses, a store, a web channel, and every change through the gate."""

from __future__ import annotations

from copy import copy
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select

from erp_core.finance.books import account_amounts
from erp_core.finance.commands import OpeningCost, SetOpeningCost
from erp_core.finance.queries import valuation, valuation_differences
from erp_core.gate.contract import Command, DomainError, Executed, Proposed, Refused, Submission
from erp_core.gate.decisions import ApproveProposal
from erp_core.gate.principals import Principal
from erp_core.gate.submission import Gate
from erp_core.inventory.commands import AdjustStock, PostOpeningStock, StockLine
from erp_core.inventory.queries import Position, position, rebuild_differences
from erp_core.master.commands import ActivateItem, CreateChannel, CreateItem, CreateLocation
from erp_core.orders.commands import CancelOrder, OrderLine, PlaceOrder, ReleaseOrder, ShipOrder
from erp_core.orders.model import order_lines, orders
from erp_core.storage.engine import reading

MONDAY = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)


class Shop:
    """Names for what the tests speak of. `run` wants the command to happen, `refused` wants it refused."""

    def __init__(self, gate: Gate, principal: Principal) -> None:
        self.gate, self.principal = gate, principal
        self._keys = count()
        self.north, self.south, self.store, self.web = uuid4(), uuid4(), uuid4(), uuid4()
        self.now, self._name = MONDAY, "first"

    def open(self) -> None:
        self.run(CreateLocation(location_id=self.north, code="NORTH", location_name="North"))
        self.run(CreateLocation(location_id=self.south, code="SOUTH", location_name="South"))
        self.run(CreateLocation(location_id=self.store, code="STORE", location_name="Store", kind="store"))
        self.run(CreateChannel(channel_id=self.web, code="WEB", channel_name="Web shop", kind="web"))

    def visit(self) -> Shop:
        """The same shop for another test: its own clock and its own keys."""
        guest = copy(self)
        guest.now, guest._name = MONDAY, uuid4().hex[:8]
        return guest

    def submit(self, *commands: Command) -> list[Any]:
        dated = [
            one if one.occurred_at else one.model_copy(update={"occurred_at": self.now}) for one in commands
        ]
        return self.gate.submit_many(
            [Submission(one, f"{self._name}-{next(self._keys)}") for one in dated], self.principal
        )

    def run(self, command: Command) -> dict[str, Any]:
        (outcome,) = self.submit(command)
        assert isinstance(outcome, Executed), outcome
        return dict(outcome.result)

    def refused(self, command: Command) -> DomainError:
        (outcome,) = self.submit(command)
        assert isinstance(outcome, Refused), outcome
        return outcome.error

    def write_off(self, item_id: UUID, units: int, *, reason: str, **fields: Any) -> AdjustStock:
        """Write the units off, and let a manager agree."""
        command = self.adjust(item_id, -units, reason=reason, **fields)
        (proposed,) = self.submit(command)
        assert isinstance(proposed, Proposed), proposed
        person = self.gate.bootstrap_user("shop-manager", ("manager",))
        manager = Principal("service", person.user_id, person.login, person.roles | {"simulator"})
        yes = ApproveProposal(
            proposal_id=proposed.proposal_id, payload_hash=proposed.payload_hash, occurred_at=self.now
        )
        outcome = self.gate.submit(yes, manager, key=uuid4().hex)
        assert isinstance(outcome, Executed) and outcome.result["status"] == "executed", outcome
        return command

    def later(self, days: int) -> None:
        self.now = self.now + timedelta(days=days)

    def item(
        self, sku: str | None = None, *, cost: int | None = None, north: int = 0, south: int = 0
    ) -> UUID:
        """An active item, with opening stock, valued where a cost is given."""
        item_id = uuid4()
        sku = sku or f"SKU-{self._name}-{next(self._keys)}"
        self.run(
            CreateItem(
                item_id=item_id,
                sku=sku,
                item_name=f"Thing {sku}",
                category="Things",
                brand="Acme",
                base_unit="piece",
            )
        )
        self.run(ActivateItem(item_id=item_id))
        for place, units in ((self.north, north), (self.south, south)):
            if units:
                self.stock(item_id, units, place)
        if cost is not None:
            self.run(
                SetOpeningCost(document_id=uuid4(), lines=(OpeningCost(item_id=item_id, unit_cost=cost),))
            )
        return item_id

    def stock(self, item_id: UUID, units: int, place: UUID | None = None) -> UUID:
        document_id = uuid4()
        self.run(
            PostOpeningStock(
                document_id=document_id,
                location_id=place or self.north,
                lines=(StockLine(item_id=item_id, quantity=units),),
            )
        )
        return document_id

    def order(
        self, *wanted: tuple[UUID, int], place: UUID | str | None = "north", **fields: Any
    ) -> PlaceOrder:
        """A web order at 20.00 a piece, list price 25.00; `place` None leaves the choice open."""
        location = self.north if place == "north" else place
        values: dict[str, Any] = {
            "order_id": uuid4(),
            "external_ref": f"ref-{self._name}-{next(self._keys)}",
            "channel_id": self.web,
            "customer_country": "DE",
            "lines": tuple(
                OrderLine(
                    line_id=uuid4(),
                    item_id=item_id,
                    quantity=units,
                    unit_price=200_000,
                    list_price=250_000,
                    location_id=location,
                )
                for item_id, units in wanted
            ),
        }
        return PlaceOrder(**values | fields)

    def place(self, *wanted: tuple[UUID, int], **fields: Any) -> PlaceOrder:
        command = self.order(*wanted, **fields)
        self.run(command)
        return command

    def ship(self, order: PlaceOrder, **fields: Any) -> dict[str, Any]:
        return self.run(ShipOrder(order_id=order.order_id, shipment_id=uuid4(), **fields))

    def cancel(self, order: PlaceOrder, reason: str = "customer_request") -> dict[str, Any]:
        return self.run(CancelOrder(order_id=order.order_id, reason_code=reason))

    def release(self, order: PlaceOrder) -> dict[str, Any]:
        return self.run(ReleaseOrder(order_id=order.order_id))

    def adjust(self, item_id: UUID, units: int, *, reason: str = "counted", **fields: Any) -> AdjustStock:
        values = {"adjustment_id": uuid4(), "item_id": item_id, "location_id": self.north}
        return AdjustStock(**values | {"quantity": units, "reason_code": reason} | fields)

    def at(self, item_id: UUID, place: UUID | None = None, as_of: date | None = None) -> Position:
        with reading(self.gate.engine) as connection:
            return position(connection, item_id, place or self.north, as_of)

    def status(self, order: PlaceOrder) -> str:
        return str(self.row(order).status)

    def row(self, order: PlaceOrder) -> Any:
        with reading(self.gate.engine) as connection:
            return connection.execute(select(orders).where(orders.c.id == order.order_id)).one()

    def lines(self, order: PlaceOrder) -> list[Any]:
        with reading(self.gate.engine) as connection:
            statement = select(order_lines).where(order_lines.c.order_id == order.order_id)
            return list(connection.execute(statement.order_by(order_lines.c.line_no)))

    def assert_sound(self) -> None:
        """Every projection equals what its records add up to, and value follows stock."""
        with reading(self.gate.engine) as connection:
            assert rebuild_differences(connection) == []
            assert valuation_differences(connection) == []
            stock = sum(value for _, value in account_amounts(connection, "stock", date.max).values())
            assert stock == sum(one.value for one in valuation(connection))
            assert account_amounts(connection, "kit_assembly", date.max) == {}
