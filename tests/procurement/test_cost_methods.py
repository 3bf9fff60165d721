"""Weighted average or FIFO: whatever happens, layers, valuation, stock and journal are the same, on every day."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from typing import Any, Literal
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from erp_core.finance.books import account_amounts
from erp_core.finance.cost_method import SetCostMethod
from erp_core.finance.layers import cost_layers, layer_differences, method_on
from erp_core.finance.queries import valuation, valuation_differences, valuation_differences_on
from erp_core.finance.rules import shares
from erp_core.gate.contract import Command, Executed, Proposed
from erp_core.gate.decisions import ApproveProposal
from erp_core.gate.submission import Gate
from erp_core.inventory.commands import AdjustStock, AssembleKits, DisassembleKits
from erp_core.master.commands import (
    ActivateItem,
    CreateChannel,
    CreateItem,
    DefineKit,
    KitComponent,
    SetSupplierItem,
)
from erp_core.orders.commands import OrderLine, PlaceOrder
from erp_core.procurement.books.reconciling import journal_differences
from erp_core.procurement.commands import ReceiveGoods, ReverseReceipt
from erp_core.procurement.commands.landed_cost import RecordLandedCost
from erp_core.procurement.commands.landed_reversal import ReverseLandedCost
from erp_core.returns.commands import AuthorisedLine, AuthoriseReturn, ReceiveReturn
from erp_core.storage.types import money
from tests.conftest import Founded, Founding, size
from tests.procurement.conftest import Company, Order, open_company
from tests.procurement.fifo_model import Item

DAYS = 5
BEGIN = date(2024, 1, 1)
PRICES = (100_000, 99_997, 97_001)
METHODS: tuple[Literal["average", "fifo"], ...] = ("average", "fifo")
BY_FINANCE = (SetCostMethod, RecordLandedCost, ReverseLandedCost)


@dataclass
class Trader(Company):
    """The company with a channel; each history begins with items of its own, after the days of the one before."""

    channel: UUID = field(default_factory=uuid4)
    kit: UUID = field(default_factory=uuid4)
    histories: Any = field(default_factory=count)
    begin: date = BEGIN

    def on(self, day: int, command: Command) -> bool:
        """Submit on a day, agreed to by a manager where that is asked: whether it ran."""
        moment = self.moment(day)
        who = "payer" if isinstance(command, BY_FINANCE) else "simulator"
        outcome = self.submit(command.model_copy(update={"occurred_at": moment}), who)
        if isinstance(outcome, Proposed):
            yes = ApproveProposal(proposal_id=outcome.proposal_id, payload_hash=outcome.payload_hash)
            answer = self.submit(yes, "manager")
            return isinstance(answer, Executed) and answer.result["status"] == "executed"
        return isinstance(outcome, Executed)

    def moment(self, day: int) -> datetime:
        return datetime.combine(self.begin + timedelta(days=day), time(9), tzinfo=UTC)

    def refused_approval(self, proposed: Proposed) -> dict[str, Any]:
        """Let a manager agree to what cannot be done: the error."""
        yes = ApproveProposal(proposal_id=proposed.proposal_id, payload_hash=proposed.payload_hash)
        answer = self.submit(yes, "manager")
        assert isinstance(answer, Executed) and answer.result["status"] != "executed", answer
        return dict(answer.result["failed"])

    def happens(self, day: int, command: Command) -> None:
        assert self.on(day, command), command

    def new_history(self) -> None:
        self.begin = BEGIN + timedelta(days=(DAYS + 1) * next(self.histories))
        self.item, self.other_item, self.kit = uuid4(), uuid4(), uuid4()
        for item_id in (self.item, self.other_item, self.kit):
            named = {
                "item_name": item_id.hex,
                "category": "Lighting",
                "brand": "Aurora",
                "base_unit": "piece",
            }
            self.do(CreateItem(item_id=item_id, sku=f"S-{item_id.hex[:12]}", **named), "admin")
        parts = (
            KitComponent(item_id=self.item, quantity=2),
            KitComponent(item_id=self.other_item, quantity=1),
        )
        self.do(DefineKit(kit_item_id=self.kit, stocked_as="assembled", components=parts), "admin")
        for item_id in (self.item, self.other_item, self.kit):
            self.do(ActivateItem(item_id=item_id), "admin")
        for item_id in (self.item, self.other_item):
            terms = {"price": money(10), "minimum_quantity": 1, "order_multiple": 1}
            self.do(SetSupplierItem(supplier_id=self.supplier, item_id=item_id, **terms), "admin")

    def method(self, method: Literal["average", "fifo"]) -> SetCostMethod:
        return SetCostMethod(change_id=uuid4(), method=method)

    def sale(self, item_id: UUID, units: int) -> PlaceOrder:
        line = OrderLine(
            line_id=uuid4(),
            item_id=item_id,
            quantity=units,
            unit_price=money(30),
            list_price=money(30),
            location_id=self.warehouse,
        )
        return PlaceOrder(
            order_id=uuid4(),
            external_ref=uuid4().hex,
            channel_id=self.channel,
            customer_country="DE",
            lines=(line,),
            ship_now=True,
        )

    def adjusted(self, item_id: UUID, units: int) -> AdjustStock:
        return AdjustStock(
            adjustment_id=uuid4(),
            item_id=item_id,
            location_id=self.warehouse,
            quantity=units,
            reason_code="counted" if units < 0 else "found",
        )

    def layers(self, item_id: UUID, day: int | None = None, method: Any = None) -> list[tuple[int, int]]:
        as_of = None if day is None else self.begin + timedelta(days=day)
        found = self.read(lambda c: cost_layers(c, [item_id], method, as_of))
        return [(one.units, one.value) for one in found]


def open_trader(gate: Gate) -> Trader:
    company = open_company(gate)
    trader = Trader(**{name: getattr(company, name) for name in Company.__dataclass_fields__})
    trader.people["simulator"] = gate.bootstrap_user("simulator", roles=("simulator",), kind="service")
    trader.people["payer"] = gate.bootstrap_user("payer", roles=("simulator", "finance"))
    web = CreateChannel(channel_id=trader.channel, code="WEB", channel_name="Web", kind="web")
    trader.do(web, "admin")
    return trader


TRADER = Founding("trader", open_trader)


@pytest.fixture
def founding() -> Founding:
    return TRADER


@pytest.fixture
def trader(gate: Gate, founded: Founded) -> Trader:
    found: Trader
    _, found = founded(gate.engine.dialect.name, TRADER)
    made = replace(found, gate=gate, people=dict(found.people), histories=count())
    made.new_history()
    return made


def agreed(trader: Trader) -> None:
    """On every day layers are the valuation, which is the stock account and, in units, the stock."""
    for number in range(DAYS + 1):
        day = trader.begin + timedelta(days=number)
        worth = {
            one.item_id: (one.quantity, one.value) for one in trader.read(lambda c, on=day: valuation(c, on))
        }
        found = trader.read(lambda c, on=day, of=list(worth): cost_layers(c, of, None, on))
        layered: dict[UUID, tuple[int, int]] = {item_id: (0, 0) for item_id in worth}
        for one in found:
            units, value = layered[one.item_id]
            layered[one.item_id] = (units + one.units, value + one.value)
        assert layered == worth
        account = trader.read(lambda c, on=day: account_amounts(c, "stock", on))
        assert sum(value for _, value in account.values()) == sum(value for _, value in worth.values())
        assert trader.read(lambda c, on=day: journal_differences(c, on)) == []
        assert trader.read(lambda c, on=day: layer_differences(c, on)) == []
        assert trader.read(lambda c, on=day: valuation_differences_on(c, on)) == []
    assert trader.read(valuation_differences) == []


@dataclass
class History:
    """Random steps, posted and told to the plain model at once."""

    trader: Trader
    orders: list[Order]
    items: dict[UUID, Item]
    fifo: bool
    came: list[tuple[int, ReceiveGoods]] = field(default_factory=list)
    sold: list[tuple[PlaceOrder, int]] = field(default_factory=list)
    charged: list[tuple[RecordLandedCost, int, int]] = field(default_factory=list)

    def step(self, day: int, what: str, units: int, pick: int) -> None:
        getattr(self, what)(day, units, pick)
        for item_id, item in self.items.items():
            assert self.trader.layers(item_id) == [(one.units, one.value) for one in item.piles], what

    def _done(self, day: int, command: Command) -> bool:
        return self.trader.on(day, command)

    def _of(self, order: int) -> tuple[Item, int]:
        """The item and the price of an order."""
        item_id = self.trader.other_item if order == len(PRICES) else self.trader.item
        return self.items[item_id], PRICES[order % len(PRICES)]

    def receive(self, day: int, units: int, pick: int) -> None:
        order = pick % len(self.orders)
        command = self.trader.receipt(self.orders[order], units)
        if self._done(day, command):
            item, price = self._of(order)
            item.put(units, units * price, (self.orders[order].line_ids[0], command.receipt_id))
            self.came.append((order, command))

    def reverse(self, day: int, units: int, pick: int) -> None:
        if not self.came:
            return
        order, receipt = self.came[pick % len(self.came)]
        command = ReverseReceipt(
            po_id=receipt.po_id, receipt_id=receipt.receipt_id, reason_code="posted_twice"
        )
        if self._done(day, command):
            item, price = self._of(order)
            back = receipt.lines[0].quantity
            item.take_back(back, back * price, self.orders[order].line_ids[0], receipt.receipt_id)
            self.came.remove((order, receipt))

    def sell(self, day: int, units: int, pick: int) -> None:
        item_id = list(self.items)[pick % 3]
        command = self.trader.sale(item_id, units)
        if self._done(day, command):
            self.sold.append((command, self.items[item_id].take(units)))

    def bring_back(self, day: int, units: int, pick: int) -> None:
        if not self.sold:
            return
        sale, cost = self.sold.pop(pick % len(self.sold))
        line = sale.lines[0]
        back = AuthorisedLine(
            return_line_id=uuid4(),
            order_line_id=line.line_id,
            quantity=line.quantity,
            reason_code="changed_mind",
        )
        wanted = AuthoriseReturn(return_id=uuid4(), order_id=sale.order_id, lines=(back,))
        self.trader.happens(day, wanted)
        self.trader.happens(day, ReceiveReturn(return_id=wanted.return_id))
        self.items[line.item_id].put(line.quantity, cost, back.return_line_id)

    def charge(self, day: int, units: int, pick: int) -> None:
        order = pick % len(self.orders)
        goods = [one for number, one in self.came if number == order]
        amount = units * 1_234 + 1
        command = RecordLandedCost(
            charge_id=uuid4(), po_id=self.orders[order].po_id, component="handling", amount=amount
        )
        if self._done(day, command):
            received = sum(one.lines[0].quantity for one in goods)
            item, _ = self._of(order)
            item.charge(amount, received, self.orders[order].line_ids[0])
            self.charged.append((command, order, received))

    def uncharge(self, day: int, units: int, pick: int) -> None:
        if not self.charged:
            return
        charge, order, received = self.charged.pop(pick % len(self.charged))
        item, _ = self._of(order)
        before = self._worth(order)
        command = ReverseLandedCost(
            charge_id=charge.charge_id, reversal_id=uuid4(), reason_code="charged_twice"
        )
        self.trader.happens(day, command)
        item.uncharge(before - self._worth(order), received, self.orders[order].line_ids[0])

    def _worth(self, order: int) -> int:
        item_id = self.trader.other_item if order == len(PRICES) else self.trader.item
        return sum(value for _, value in self.trader.layers(item_id))

    def lose(self, day: int, units: int, pick: int) -> None:
        item_id = list(self.items)[pick % 3]
        if self._done(day, self.trader.adjusted(item_id, -units)):
            self.items[item_id].take(units)

    def find(self, day: int, units: int, pick: int) -> None:
        item_id = list(self.items)[pick % 3]
        if self.items[item_id].units and self._done(day, self.trader.adjusted(item_id, units)):
            self.items[item_id].found(units)

    def assemble(self, day: int, units: int, pick: int) -> None:
        place = {"kit_item_id": self.trader.kit, "location_id": self.trader.warehouse}
        command = AssembleKits(kitting_id=uuid4(), quantity=units, **place)
        if self._done(day, command):
            first, second, kit = self.items.values()
            kit.put(units, first.take(2 * units) + second.take(units))

    def take_apart(self, day: int, units: int, pick: int) -> None:
        first, second, kit = self.items.values()
        place = {"kit_item_id": self.trader.kit, "location_id": self.trader.warehouse}
        command = DisassembleKits(kitting_id=uuid4(), quantity=units, **place)
        if first.units and second.units and self._done(day, command):
            weights = [
                count * ((2 * one.value + one.units) // (2 * one.units))
                for one, count in ((first, 2 * units), (second, units))
            ]
            parts = shares(kit.take(units), weights)
            first.put(2 * units, parts[0])
            second.put(units, parts[1])

    def change(self, day: int, units: int, pick: int) -> None:
        method = METHODS[not self.fifo]
        if self._done(day, self.trader.method(method)):
            self.fifo = not self.fifo
            for item in self.items.values():
                item.change(self.fifo)


STEPS = (
    "receive",
    "receive",
    "receive",
    "reverse",
    "sell",
    "sell",
    "bring_back",
    "charge",
    "uncharge",
    "lose",
    "find",
    "assemble",
    "take_apart",
    "change",
)


@pytest.mark.capability("S47")
@pytest.mark.capability("S48")
@pytest.mark.capability("S46")
@settings(
    max_examples=size(8, 60),
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    begin_by_fifo=st.booleans(),
    steps=st.lists(
        st.tuples(st.integers(1, DAYS), st.sampled_from(STEPS), st.integers(1, 12), st.integers(0, 11)),
        min_size=20,
        max_size=30,
    ),
)
def test_whatever_happens_layers_are_those_of_a_plain_fifo_and_add_up_to_valuation_stock_and_journal(
    trader: Trader, begin_by_fifo: bool, steps: list[tuple[int, str, int, int]]
) -> None:
    trader.new_history()
    orders = [trader.sent(200, price=price) for price in PRICES]
    line = trader.draft(200).lines[0].model_copy(update={"item_id": trader.other_item, "line_id": uuid4()})
    orders.append(trader.sent(200, lines=(line,)))
    orders[-1] = Order(orders[-1].po_id, (line.line_id,))
    fifo = trader.read(lambda c: method_on(c, date.max)) == "fifo"
    if fifo != begin_by_fifo:
        trader.happens(0, trader.method(METHODS[begin_by_fifo]))
    items = {item_id: Item(begin_by_fifo) for item_id in (trader.item, trader.other_item, trader.kit)}
    history = History(trader, orders, items, begin_by_fifo)
    for day, what, units, pick in sorted(steps, key=lambda step: step[0]):
        history.step(day, what, units, pick)
    agreed(trader)
