"""A company with stock at one place and orders of the day, which benchmarks let work through the gate."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from uuid import NAMESPACE_URL, UUID, uuid4, uuid5

from sqlalchemy import Engine

from api.composition import make_gate
from erp_core.clock import Clock
from erp_core.gate.contract import Executed, Submission
from erp_core.gate.principals import Principal
from erp_core.gate.submission import Gate
from erp_core.inventory.commands import PostOpeningStock, TransferStock
from erp_core.master.commands import ActivateItem, CreateChannel, CreateItem, CreateLocation
from erp_core.orders.commands import PlaceOrder
from erp_core.storage.types import money

DOCUMENTS = 334
ITEMS = 30


@dataclass(frozen=True)
class Company:
    """A gate over a company with stock and orders of the day, the service that places more, and the warehouse."""

    gate: Gate
    service: Principal
    warehouse: Principal

    @property
    def engine(self) -> Engine:
        """Where the company is stored."""
        return self.gate.engine

    def reopened(self, engine: Engine) -> Company:
        """The same company through another engine."""
        return Company(make_gate(engine, self.gate.clock, home=self.gate.home), self.service, self.warehouse)

    def place(self, submissions: list[Submission]) -> None:
        """Submit a batch, of which every order must be placed."""
        self._submit(submissions, self.service)

    def transfer(self, submissions: list[Submission]) -> None:
        """Submit a batch, of which every transfer must leave."""
        self._submit(submissions, self.warehouse)

    def _submit(self, submissions: list[Submission], principal: Principal) -> None:
        outcomes = self.gate.submit_many(submissions, principal)
        assert all(isinstance(one, Executed) for one in outcomes), outcomes


def found_company(engine: Engine, folder: Path) -> Company:
    """Found it: thirty items with ample stock, and a first batch of orders."""
    gate = make_gate(engine, Clock(fixed_business_date=date(2026, 6, 30)), home=folder)
    gate.install_policies()
    admin = gate.bootstrap_user("admin", ("admin",))
    commands = [
        CreateLocation(location_id=id_of("hub"), code="HUB", location_name="Hub"),
        CreateLocation(location_id=id_of("store"), code="STORE", location_name="Store"),
        CreateChannel(channel_id=id_of("web"), code="WEB", channel_name="Web", kind="web"),
    ]
    for number in range(ITEMS):
        item = CreateItem(
            item_id=id_of(f"item{number}"),
            sku=f"SKU-{number}",
            item_name=f"Item {number}",
            category="Things",
            brand="Brand",
            base_unit="piece",
            standard_cost=money(1),
            list_price=money(2),
        )
        commands += [item, ActivateItem(item_id=item.item_id)]
    lines = [{"item_id": id_of(f"item{number}"), "quantity": 10_000_000} for number in range(ITEMS)]
    commands.append(PostOpeningStock(document_id=id_of("opening"), location_id=id_of("hub"), lines=lines))
    outcomes = gate.submit_many([Submission(one, f"{i}") for i, one in enumerate(commands)], admin)
    assert all(isinstance(one, Executed) for one in outcomes), outcomes
    service, warehouse = (gate.bootstrap_user(role, (role,)) for role in ("service", "warehouse"))
    founded = Company(gate, service, warehouse)
    founded.place(new_orders())
    founded.transfer(new_transfers())
    return founded


def id_of(name: str) -> UUID:
    """The id of a thing of this company by its name."""
    return uuid5(NAMESPACE_URL, f"bench:{name}")


def new_order(number: int, lines: int = 3) -> PlaceOrder:
    """An order of one unit on each of so many lines; orders of one number ask for the same items."""
    wanted = [
        {
            "line_id": uuid4(),
            "item_id": id_of(f"item{(number + line * 7) % ITEMS}"),
            "location_id": id_of("hub"),
            "quantity": 1,
            "unit_price": money(2),
            "list_price": money(2),
        }
        for line in range(lines)
    ]
    order_id = uuid4()
    return PlaceOrder(
        order_id=order_id,
        external_ref=str(order_id),
        channel_id=id_of("web"),
        customer_country="NL",
        lines=wanted,
    )


def new_orders() -> list[Submission]:
    """A batch of orders of three lines."""
    placed = [new_order(number) for number in range(DOCUMENTS)]
    return [Submission(one, str(one.order_id)) for one in placed]


def new_transfer(number: int, lines: int = 3) -> TransferStock:
    """A transfer of one unit on each of so many lines; transfers of one number send the same items."""
    sent = [{"item_id": id_of(f"item{(number + line * 7) % ITEMS}"), "quantity": 1} for line in range(lines)]
    return TransferStock(
        transfer_id=uuid4(), from_location_id=id_of("hub"), to_location_id=id_of("store"), lines=sent
    )


def new_transfers() -> list[Submission]:
    """A batch of transfers of three lines: the plainest document that moves stock line by line."""
    sent = [new_transfer(number) for number in range(DOCUMENTS)]
    return [Submission(one, str(one.transfer_id)) for one in sent]
