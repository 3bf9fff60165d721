"""A shop that sells over the counter, with valued stock of two items."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection, Engine, select

from api.composition import make_gate
from erp_core.clock import Clock
from erp_core.finance.commands import OpeningCost, SetOpeningCost
from erp_core.finance.model import cost_balances
from erp_core.gate.contract import Command, Executed, Outcome, Proposed, Refused, Submission
from erp_core.gate.decisions import ApproveProposal
from erp_core.gate.principals import Principal
from erp_core.gate.submission import Gate
from erp_core.inventory.commands import PostOpeningStock, StockLine
from erp_core.inventory.model import stock_balances
from erp_core.master.commands import ActivateItem, CreateChannel, CreateItem, CreateLocation
from erp_core.orders.commands import OrderLine, PlaceOrder
from erp_core.returns.commands import (
    AuthorisedLine,
    AuthoriseReturn,
    DisposedLine,
    DisposeReturn,
    InspectedLine,
    InspectReturn,
    ReceiveReturn,
)
from erp_core.storage.engine import reading
from erp_core.storage.types import money
from tests.conftest import TODAY, Founded, Founding
from tests.shop_fixtures import shared_engine as shared_engine


@dataclass
class Sale:
    """An order that was shipped."""

    order_id: UUID
    line_ids: tuple[UUID, ...]


@dataclass
class Shop:
    """The gate with people in their roles, and the records that returns name."""

    gate: Gate
    people: dict[str, Principal]
    place: UUID = field(default_factory=uuid4)
    channel: UUID = field(default_factory=uuid4)
    items: tuple[UUID, UUID] = field(default_factory=lambda: (uuid4(), uuid4()))

    def submit(self, command: Command, role: str = "returns") -> Outcome:
        """Submit as a person in this role."""
        return self.gate.submit(command, self.people[role], key=uuid4().hex)

    def do(self, command: Command, role: str = "returns") -> dict[str, Any]:
        """Submit, and expect that it ran."""
        outcome = self.submit(command, role)
        assert isinstance(outcome, Executed), outcome
        return dict(outcome.result)

    def refused(self, command: Command, role: str = "returns") -> dict[str, Any]:
        """Submit, and expect a refusal: its error object."""
        outcome = self.submit(command, role)
        assert isinstance(outcome, Refused), outcome
        return outcome.error.as_dict()

    def set_up(self, *commands: Command) -> None:
        """Run these as the administrator, in one batch."""
        outcomes = self.gate.submit_many(
            [Submission(one, uuid4().hex) for one in commands], self.people["admin"]
        )
        assert all(isinstance(outcome, Executed) for outcome in outcomes), outcomes

    def stock_up(self, **fields: Any) -> None:
        """Make the two items, 100 units of each at 8 a unit."""
        names = [f"MUG-{item.hex[-6:]}" for item in self.items]
        self.set_up(
            *(
                CreateItem(
                    item_id=item,
                    sku=name,
                    item_name=name,
                    brand="Aurora",
                    base_unit="piece",
                    **{"category": "Kitchen", **fields},
                )
                for item, name in zip(self.items, names, strict=True)
            ),
            *(ActivateItem(item_id=item) for item in self.items),
            PostOpeningStock(
                document_id=uuid4(),
                location_id=self.place,
                lines=tuple(StockLine(item_id=item, quantity=100) for item in self.items),
            ),
            SetOpeningCost(
                document_id=uuid4(),
                lines=tuple(OpeningCost(item_id=item, unit_cost=money(8)) for item in self.items),
            ),
        )

    def proposed(self, command: Command, role: str = "returns") -> Proposed:
        """Submit, and expect that it waits for somebody."""
        outcome = self.submit(command, role)
        assert isinstance(outcome, Proposed), outcome
        return outcome

    def approve(self, held: Proposed, role: str = "manager") -> dict[str, Any]:
        """Approve what waits."""
        yes = ApproveProposal(proposal_id=held.proposal_id, payload_hash=held.payload_hash)
        result = self.do(yes, role)
        assert result["status"] == "executed", result
        return result

    def sell(self, *quantities: int, price: int = 20, **fields: Any) -> Sale:
        """Sell these quantities of the two items in turn, and hand them over."""
        lines = tuple(
            OrderLine(
                line_id=uuid4(),
                item_id=self.items[n % 2],
                quantity=quantity,
                unit_price=money(price),
                list_price=money(price),
                location_id=self.place,
            )
            for n, quantity in enumerate(quantities)
        )
        order = PlaceOrder(
            order_id=uuid4(),
            external_ref=uuid4().hex,
            channel_id=self.channel,
            customer_country="Italy",
            lines=lines,
            ship_now=True,
            shipment_id=uuid4(),
            **fields,
        )
        self.do(order, "simulator" if order.occurred_at else "service")
        return Sale(order.order_id, tuple(line.line_id for line in lines))

    def authorise(self, sale: Sale, *quantities: int, **fields: Any) -> AuthoriseReturn:
        """An authorisation for these quantities of the sale's lines in turn."""
        lines = tuple(
            AuthorisedLine(
                return_line_id=uuid4(), order_line_id=line, quantity=quantity, reason_code="changed_mind"
            )
            for line, quantity in zip(sale.line_ids, quantities, strict=False)
        )
        return AuthoriseReturn(return_id=uuid4(), order_id=sale.order_id, lines=lines, **fields)

    def back(self, sale: Sale, *quantities: int, condition: str | None = None) -> AuthoriseReturn:
        """Goods that came back, inspected where a condition is given."""
        wanted = self.authorise(sale, *quantities)
        self.do(wanted)
        self.receive(wanted)
        if condition is not None:
            self.do(self.inspection(wanted, *[condition] * len(wanted.lines)))
        return wanted

    def receive(self, wanted: AuthoriseReturn) -> None:
        """All that was authorised came back."""
        self.do(ReceiveReturn(return_id=wanted.return_id))

    def inspection(self, wanted: AuthoriseReturn, *conditions: str) -> InspectReturn:
        """An inspection of the lines in turn."""
        lines = tuple(
            InspectedLine(return_line_id=line.return_line_id, condition=condition)
            for line, condition in zip(wanted.lines, conditions, strict=False)
        )
        return InspectReturn(return_id=wanted.return_id, lines=lines)

    def decide(self, wanted: AuthoriseReturn, *dispositions: str, reason: str | None = None) -> DisposeReturn:
        """A decision for the lines in turn; none follows the rule."""
        lines = tuple(
            DisposedLine(return_line_id=line.return_line_id, disposition=disposition, reason_code=reason)
            for line, disposition in zip(wanted.lines, dispositions, strict=False)
        )
        return DisposeReturn(return_id=wanted.return_id, lines=lines)

    def read(self, query: Callable[[Connection], Any]) -> Any:
        """What a query gives."""
        with reading(self.gate.engine) as connection:
            return query(connection)

    def stock(self, item: int = 0) -> dict[str, int]:
        """Units of an item by state."""
        statement = select(stock_balances.c.state, stock_balances.c.quantity).where(
            stock_balances.c.item_id == self.items[item], stock_balances.c.quantity > 0
        )
        return {state: quantity for state, quantity in self.read(lambda c: c.execute(statement).all())}

    def valued(self, item: int = 0) -> tuple[int, int]:
        """Units and value of an item in the cost balance."""
        statement = select(cost_balances.c.quantity, cost_balances.c.value).where(
            cost_balances.c.item_id == self.items[item]
        )
        return tuple(self.read(lambda c: c.execute(statement).one()))


ROLES = ("returns", "service", "admin", "manager", "finance")


def open_shop(gate: Gate) -> Shop:
    """Policies, people, and 100 units of each item at 8 a unit."""
    gate.install_policies()
    shop = Shop(gate, {role: gate.bootstrap_user(role, roles=(role,)) for role in ROLES})
    shop.people["simulator"] = gate.bootstrap_user("past", roles=("simulator",), kind="service")
    shop.set_up(
        CreateLocation(location_id=shop.place, code="SHOP", location_name="Shop"),
        CreateChannel(channel_id=shop.channel, code="STORE", channel_name="Store", kind="store"),
    )
    shop.stock_up()
    return shop


FOUNDING = Founding("returns", open_shop)


@pytest.fixture
def founding(request: pytest.FixtureRequest) -> Founding | None:
    """The shop, for tests that ask for it."""
    return FOUNDING if {"shop", "sqlite_shop"} & {*request.fixturenames} else None


@pytest.fixture
def shop(gate: Gate, founded: Founded) -> Shop:
    """The shop on both databases."""
    return _visited(gate, founded)


@pytest.fixture
def sqlite_shop(sqlite_gate: Gate, founded: Founded) -> Shop:
    """The shop on SQLite, for what cannot differ between databases."""
    return _visited(sqlite_gate, founded)


def _visited(gate: Gate, founded: Founded) -> Shop:
    shop: Shop
    _, shop = founded(gate.engine.dialect.name, FOUNDING)
    return replace(shop, gate=gate, people=dict(shop.people))


@pytest.fixture(scope="module")
def open_counter(shared_engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Shop:
    clock = Clock(fixed_business_date=TODAY)
    return open_shop(make_gate(shared_engine, clock, home=tmp_path_factory.mktemp("home")))


@pytest.fixture
def counter(open_counter: Shop) -> Shop:
    """A shop on both databases that the tests of a module share: two items of its own for each test."""
    visited = replace(open_counter, items=(uuid4(), uuid4()))
    visited.stock_up()
    return visited
