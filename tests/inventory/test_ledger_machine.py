"""Random days of a warehouse against a simple model in memory: after every command the books say what the model says."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import func, select

from erp_core.gate.contract import Command, Executed, Refused
from erp_core.inventory.commands import (
    AssembleKits,
    CancelCount,
    CountedLine,
    DisassembleKits,
    ExpireReservations,
    OpenCount,
    PostCount,
    PostOpeningStock,
    ReceiveTransfer,
    RecordCount,
    ReverseStock,
    StockLine,
    TransferStock,
)
from erp_core.inventory.model import stock_balances
from erp_core.orders.commands import CancelOrder, PlaceOrder, ReleaseOrder, ShipOrder
from erp_core.orders.model import order_lines
from erp_core.returns.commands import (
    AuthorisedLine,
    AuthoriseReturn,
    DisposeReturn,
    InspectedLine,
    InspectReturn,
    ReceiveReturn,
)
from erp_core.storage.engine import reading
from tests.conftest import size
from tests.inventory.test_kitting import kit
from tests.shop import Shop

STEPS = 100
UNITS = st.integers(1, 6)
SOME = st.integers(0, 10**6)
Bucket = tuple[UUID, UUID]


@dataclass
class Line:
    """A line of an order, as the model sees it."""

    id: UUID
    bucket: Bucket
    quantity: int
    reserved: int = 0
    shipped: int = 0
    cancelled: int = 0

    @property
    def open(self) -> int:
        return self.quantity - self.reserved - self.shipped - self.cancelled

    @property
    def parts(self) -> tuple[int, int, int]:
        return self.reserved, self.shipped, self.cancelled


@dataclass
class Order:
    """An order, as the model sees it."""

    command: PlaceOrder
    lines: list[Line]
    held: bool = False
    expires: datetime | None = None
    returned: Counter[UUID] = field(default_factory=Counter)


class Warehouse:
    """The model: units by bucket and state, and orders in the order they came."""

    def __init__(self) -> None:
        self.stock: dict[Bucket, Counter[str]] = {}
        self.orders: list[Order] = []

    def at(self, bucket: Bucket) -> Counter[str]:
        return self.stock.setdefault(bucket, Counter())

    def arrive(self, bucket: Bucket, units: int) -> None:
        """Goods become available, and go to who waits for them, the oldest order first."""
        self.at(bucket)["available"] += units
        for order in self.orders:
            if not order.held:
                self.reserve(order, bucket)

    def reserve(self, order: Order, bucket: Bucket | None = None) -> None:
        for line in order.lines:
            if bucket is None or line.bucket == bucket:
                held = self.at(line.bucket)
                units = min(line.open, held["available"])
                held["available"] -= units
                held["reserved"] += units
                line.reserved += units

    def give_back(self, order: Order) -> list[tuple[Bucket, int]]:
        """Take what is reserved off the order; gives what is free then."""
        freed = []
        for line in order.lines:
            if line.reserved:
                self.at(line.bucket)["reserved"] -= line.reserved
                freed.append((line.bucket, line.reserved))
                line.reserved = 0
        return freed


class Days(RuleBasedStateMachine):
    """The commands of a warehouse; each moves the clock by a minute, so that no two orders are equally old."""

    shop: Shop
    steps = 0

    @initialize()
    def open(self) -> None:
        shop = self.days = self.shop.visit()
        self.model = Warehouse()
        self.cup, self.spoon = (shop.item(cost=33_333) for _ in range(2))
        self.box = kit(shop, (self.cup, 2), (self.spoon, 1))
        self.set = kit(shop, (self.cup, 1), (self.spoon, 2), stocked_as="parts")
        self.items = (self.cup, self.spoon, self.box)
        self.openings: list[tuple[UUID, Bucket, int]] = []
        self.transfers: list[tuple[UUID, UUID, int]] = []
        self.waiting: list[tuple[AuthoriseReturn, Bucket, int]] = []
        for choice in range(6):
            self.receive(choice, 8)

    def do(self, command: Command, *, refused: str | None = None) -> dict[str, Any]:
        Days.steps += 1
        self.days.now += timedelta(minutes=1)
        (outcome,) = self.days.submit(command)
        if refused is not None:
            assert isinstance(outcome, Refused) and outcome.error.code == refused, outcome
            return {}
        assert isinstance(outcome, Executed), outcome
        return dict(outcome.result)

    def bucket(self, choice: int) -> Bucket:
        return self.items[choice % 3], (self.days.north, self.days.south)[choice // 3 % 2]

    @rule(choice=SOME, units=UNITS)
    def receive(self, choice: int, units: int) -> None:
        item, place = bucket = self.bucket(choice)
        document_id = uuid4()
        line = StockLine(item_id=item, quantity=units)
        self.do(PostOpeningStock(document_id=document_id, location_id=place, lines=(line,)))
        self.openings.append((document_id, bucket, units))
        self.model.arrive(bucket, units)

    @precondition(lambda self: self.openings)
    @rule(choice=SOME)
    def reverse(self, choice: int) -> None:
        document_id, bucket, units = self.openings[choice % len(self.openings)]
        command = ReverseStock(document_kind="opening", document_id=document_id, reason_code="data_error")
        if self.model.at(bucket)["available"] < units:
            self.do(command, refused="insufficient_stock")
            return
        self.do(command)
        self.openings.remove((document_id, bucket, units))
        self.model.at(bucket)["available"] -= units

    @rule(choice=SOME, units=UNITS, missing=st.booleans())
    def adjust(self, choice: int, units: int, missing: bool) -> None:
        item, place = bucket = self.bucket(choice)
        command = self.days.adjust(item, -units if missing else units, location_id=place)
        if not missing:
            self.do(command)
            self.model.arrive(bucket, units)
        elif self.model.at(bucket)["available"] < units:
            self.do(command, refused="insufficient_stock")
        else:
            self.do(command)
            self.model.at(bucket)["available"] -= units

    @rule(choice=SOME, more=st.integers(-6, 3))
    def count(self, choice: int, more: int) -> None:
        item, place = bucket = self.bucket(choice)
        held, count_id = self.model.at(bucket), uuid4()
        there = held["available"] + held["reserved"]
        found = max(there + more, 0)
        self.do(OpenCount(count_id=count_id, location_id=place, item_ids=(item,)))
        self.do(RecordCount(count_id=count_id, lines=(CountedLine(item_id=item, quantity=found),)))
        if held["available"] < there - found:
            self.do(PostCount(count_id=count_id), refused="insufficient_stock")
            self.do(CancelCount(count_id=count_id))
            return
        self.do(PostCount(count_id=count_id))
        if found > there:
            self.model.arrive(bucket, found - there)
        held["available"] -= max(there - found, 0)

    @rule(
        wanted=st.lists(st.tuples(st.integers(0, 2), UNITS), min_size=1, max_size=3),
        held=st.booleans(),
        north=st.booleans(),
    )
    def place(self, wanted: list[tuple[int, int]], held: bool, north: bool) -> None:
        place = self.days.north if north else self.days.south
        lines = [(self.items[item], units) for item, units in wanted]
        command = self.days.order(*lines, place=place, payment_status="review" if held else "cleared")
        self.do(command)
        order = self._noted(command, held=held)
        if not held:
            self.model.reserve(order)

    @precondition(lambda self: any(held["available"] for held in self.model.stock.values()))
    @rule(choice=SOME, units=UNITS, minutes=st.integers(1, 20))
    def place_for_a_while(self, choice: int, units: int, minutes: int) -> None:
        possible = [bucket for bucket, held in self.model.stock.items() if held["available"]]
        item, place = bucket = possible[choice % len(possible)]
        units = min(units, self.model.at(bucket)["available"])
        until = self.days.now + timedelta(minutes=minutes)
        command = self.days.order((item, units), place=place, reserve_until=until)
        self.do(command)
        self.model.reserve(self._noted(command, expires=until))

    @rule(choice=SOME, units=UNITS)
    def sell(self, choice: int, units: int) -> None:
        item, place = bucket = self.bucket(choice)
        self._hand_over(self.days.order((item, units), place=place, ship_now=True), [(bucket, units)])

    @rule(units=UNITS)
    def sell_sets(self, units: int) -> None:
        north = self.days.north
        command = self.days.order((self.set, units), ship_now=True)
        self._hand_over(command, [((self.cup, north), units), ((self.spoon, north), 2 * units)])

    def _hand_over(self, command: PlaceOrder, wanted: list[tuple[Bucket, int]]) -> None:
        if any(self.model.at(bucket)["available"] < units for bucket, units in wanted):
            self.do(command, refused="insufficient_stock")
            return
        self.do(command)
        for bucket, units in wanted:
            self.model.at(bucket)["available"] -= units

    def _noted(self, command: PlaceOrder, **fields: Any) -> Order:
        lines = [
            Line(line.line_id, (line.item_id, line.location_id), line.quantity)
            for line in command.lines
            if line.location_id is not None
        ]
        self.model.orders.append(Order(command, lines, **fields))
        return self.model.orders[-1]

    @precondition(lambda self: any(one.held for one in self.model.orders))
    @rule(choice=SOME)
    def release(self, choice: int) -> None:
        held = [one for one in self.model.orders if one.held]
        order = held[choice % len(held)]
        self.do(ReleaseOrder(order_id=order.command.order_id))
        order.held, order.expires = False, None
        self.model.reserve(order)

    @precondition(lambda self: self.model.orders)
    @rule(choice=SOME)
    def cancel(self, choice: int) -> None:
        order = self.model.orders[choice % len(self.model.orders)]
        command = CancelOrder(order_id=order.command.order_id, reason_code="customer_request")
        if not any(line.open + line.reserved for line in order.lines):
            self.do(command, refused="illegal_transition")
            return
        self.do(command)
        order.held = False
        freed = self.model.give_back(order)
        for line in order.lines:
            line.cancelled += line.open
        for bucket, units in freed:
            self.model.arrive(bucket, units)

    @precondition(lambda self: any(line.reserved for one in self.model.orders for line in one.lines))
    @rule(choice=SOME)
    def ship(self, choice: int) -> None:
        ready = [one for one in self.model.orders if any(line.reserved for line in one.lines)]
        order = ready[choice % len(ready)]
        self.do(ShipOrder(order_id=order.command.order_id, shipment_id=uuid4()))
        for line in order.lines:
            self.model.at(line.bucket)["reserved"] -= line.reserved
            line.shipped, line.reserved = line.shipped + line.reserved, 0

    @precondition(lambda self: self.model.orders)
    @rule(choice=SOME)
    def ship_what_has_nothing_reserved(self, choice: int) -> None:
        order = self.model.orders[choice % len(self.model.orders)]
        if not any(line.reserved for line in order.lines):
            command = ShipOrder(order_id=order.command.order_id, shipment_id=uuid4())
            (outcome,) = self.days.submit(command)
            assert isinstance(outcome, Refused), outcome

    @precondition(lambda self: any(one.expires for one in self.model.orders))
    @rule()
    def expire(self) -> None:
        self.days.now += timedelta(minutes=10)
        self.do(ExpireReservations())
        due = [
            one
            for one in self.model.orders
            if one.expires and one.expires <= self.days.now and any(line.reserved for line in one.lines)
        ]
        freed = []
        for order in due:
            order.held = True
            freed += self.model.give_back(order)
        for bucket, units in freed:
            self.model.arrive(bucket, units)

    @rule(item=st.integers(0, 2), units=UNITS)
    def send(self, item: int, units: int) -> None:
        item_id, transfer_id = self.items[item], uuid4()
        command = TransferStock(
            transfer_id=transfer_id,
            from_location_id=self.days.north,
            to_location_id=self.days.south,
            lines=(StockLine(item_id=item_id, quantity=units),),
        )
        north = self.model.at((item_id, self.days.north))
        if north["available"] < units:
            self.do(command, refused="insufficient_stock")
            return
        self.do(command)
        north["available"] -= units
        self.model.at((item_id, self.days.south))["in_transit"] += units
        self.transfers.append((transfer_id, item_id, units))

    @precondition(lambda self: self.transfers)
    @rule(choice=SOME, part=st.booleans())
    def arrive(self, choice: int, part: bool) -> None:
        transfer_id, item_id, units = self.transfers.pop(choice % len(self.transfers))
        came = (units + 1) // 2 if part else units
        line = StockLine(item_id=item_id, quantity=came)
        self.do(ReceiveTransfer(transfer_id=transfer_id, lines=(line,)))
        if came < units:
            self.transfers.append((transfer_id, item_id, units - came))
        self.model.at((item_id, self.days.south))["in_transit"] -= came
        self.model.arrive((item_id, self.days.south), came)

    @rule(units=st.integers(1, 3), apart=st.booleans())
    def kit(self, units: int, apart: bool) -> None:
        north = self.days.north
        parts = {(self.cup, north): 2 * units, (self.spoon, north): units}
        box = {(self.box, north): units}
        taken, made = (box, parts) if apart else (parts, box)
        command = (DisassembleKits if apart else AssembleKits)(
            kitting_id=uuid4(), kit_item_id=self.box, location_id=north, quantity=units
        )
        if any(self.model.at(bucket)["available"] < some for bucket, some in taken.items()):
            self.do(command, refused="insufficient_stock")
            return
        self.do(command)
        for bucket, some in taken.items():
            self.model.at(bucket)["available"] -= some
        for bucket, some in made.items():
            self.model.arrive(bucket, some)

    @precondition(lambda self: self._returnable())
    @rule(choice=SOME, units=UNITS)
    def come_back(self, choice: int, units: int) -> None:
        possible = self._returnable()
        order, line = possible[choice % len(possible)]
        some = min(units, line.shipped - order.returned[line.id])
        wish = AuthoriseReturn(
            return_id=uuid4(),
            order_id=order.command.order_id,
            lines=(
                AuthorisedLine(
                    return_line_id=uuid4(), order_line_id=line.id, quantity=some, reason_code="changed_mind"
                ),
            ),
        )
        self.do(wish)
        self.do(ReceiveReturn(return_id=wish.return_id))
        order.returned[line.id] += some
        self.model.at(line.bucket)["return_pending"] += some
        self.waiting.append((wish, line.bucket, some))

    def _returnable(self) -> list[tuple[Order, Line]]:
        return [
            (order, line)
            for order in self.model.orders
            for line in order.lines
            if line.shipped > order.returned[line.id]
        ]

    @precondition(lambda self: self.waiting)
    @rule(choice=SOME)
    def restock(self, choice: int) -> None:
        wish, bucket, units = self.waiting.pop(choice % len(self.waiting))
        (line,) = wish.lines
        inspected = InspectedLine(return_line_id=line.return_line_id, condition="as_new")
        self.do(InspectReturn(return_id=wish.return_id, lines=(inspected,)))
        self.do(DisposeReturn(return_id=wish.return_id))
        self.model.at(bucket)["return_pending"] -= units
        self.model.arrive(bucket, units)

    @invariant()
    def the_books_say_what_the_model_says(self) -> None:
        if not hasattr(self, "model"):
            return
        table = stock_balances.c
        with reading(self.days.gate.engine) as connection:
            held = connection.execute(
                select(table.item_id, table.location_id, table.state, func.sum(table.quantity))
                .where(table.item_id.in_(self.items))
                .group_by(table.item_id, table.location_id, table.state)
            ).all()
            orders = [one.command.order_id for one in self.model.orders]
            lines = connection.execute(
                select(
                    order_lines.c.id,
                    order_lines.c.reserved_quantity,
                    order_lines.c.shipped_quantity,
                    order_lines.c.cancelled_quantity,
                ).where(order_lines.c.order_id.in_(orders))
            ).all()
        found = {(item, place, state): int(units) for item, place, state, units in held if units}
        expected = {
            (*bucket, state): units
            for bucket, states in self.model.stock.items()
            for state, units in states.items()
            if units
        }
        assert found == expected
        assert {id_: tuple(parts) for id_, *parts in lines} == {
            line.id: line.parts for order in self.model.orders for line in order.lines
        }

    def teardown(self) -> None:
        if hasattr(self, "days"):
            self.days.assert_sound()


@pytest.mark.capability("S25", "S22", "S26", "S39", "S46", "S70")
def test_the_ledger_says_what_a_simple_model_says_after_every_step_of_random_days(shop: Shop) -> None:
    machine, Days.steps = type("Days", (Days,), {"shop": shop}), 0
    while Days.steps < size(500, 2_000):  # how long a run of days gets is chance
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=size(7, 30),
                stateful_step_count=STEPS,
                deadline=None,
                phases=(Phase.generate,),  # at fifty steps an example is read faster than it is shrunk
                suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
            ),
        )
