"""A small trading company: one warehouse, two suppliers, three items."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection, Table, select

from erp_core.gate.contract import Command, Executed, Outcome, Proposed, Refused
from erp_core.gate.decisions import ApproveProposal
from erp_core.gate.principals import Principal
from erp_core.gate.submission import Gate
from erp_core.inventory.model import stock_balances
from erp_core.master.commands import (
    ActivateItem,
    ActivateSupplier,
    AddSupplierDocument,
    CreateItem,
    CreateLocation,
    CreateSupplier,
    SetSupplierItem,
    SubmitSupplier,
)
from erp_core.procurement.commands import (
    ConfirmPurchaseOrder,
    CreatePurchaseOrder,
    LinePromise,
    PurchaseOrderLine,
    ReceivedLine,
    ReceiveGoods,
    SendPurchaseOrder,
    SubmitPurchaseOrder,
)
from erp_core.storage.engine import reading
from erp_core.storage.types import money
from tests.conftest import Founded, Founding
from tests.shop_fixtures import fresh_shop

__all__ = ["fresh_shop"]

TODAY = date(2026, 6, 30)


@dataclass
class Order:
    """A purchase order under test, with its line ids."""

    po_id: UUID
    line_ids: tuple[UUID, ...]


@dataclass
class Company:
    """The gate with people in their roles, and the records that orders name."""

    gate: Gate
    people: dict[str, Principal]
    warehouse: UUID = field(default_factory=uuid4)
    supplier: UUID = field(default_factory=uuid4)
    sleeping_supplier: UUID = field(default_factory=uuid4)
    item: UUID = field(default_factory=uuid4)
    other_item: UUID = field(default_factory=uuid4)
    unlisted_item: UUID = field(default_factory=uuid4)

    def submit(self, command: Command, role: str = "buyer") -> Outcome:
        """Submit as a person in this role."""
        return self.gate.submit(command, self.people[role], key=uuid4().hex)

    def do(self, command: Command, role: str = "buyer") -> dict[str, Any]:
        """Submit, and expect that it ran."""
        outcome = self.submit(command, role)
        assert isinstance(outcome, Executed), outcome
        return dict(outcome.result)

    def refused(self, command: Command, role: str = "buyer") -> dict[str, Any]:
        """Submit, and expect a refusal: its error object."""
        outcome = self.submit(command, role)
        assert isinstance(outcome, Refused), outcome
        return outcome.error.as_dict()

    def approve(self, proposed: Outcome, *roles: str) -> dict[str, Any]:
        """Let these people say yes; the last answer."""
        assert isinstance(proposed, Proposed), proposed
        answers = [
            self.do(
                ApproveProposal(proposal_id=proposed.proposal_id, payload_hash=proposed.payload_hash), role
            )
            for role in roles
        ]
        return answers[-1]

    def draft(self, *quantities: int, price: int | None = None, **fields: Any) -> CreatePurchaseOrder:
        """A draft for these quantities of the two items in turn."""
        items = (self.item, self.other_item)
        lines = tuple(
            PurchaseOrderLine(line_id=uuid4(), item_id=items[n % 2], quantity=quantity, unit_price=price)
            for n, quantity in enumerate(quantities)
        )
        values: dict[str, Any] = {
            "lines": lines,
            "supplier_id": self.supplier,
            "location_id": self.warehouse,
            "reason": "below the reorder point",
        }
        return CreatePurchaseOrder(po_id=uuid4(), **(values | fields))

    def drafted(self, *quantities: int, **fields: Any) -> Order:
        """A draft that is there."""
        command = self.draft(*quantities, **fields)
        self.do(command)
        return Order(command.po_id, tuple(line.line_id for line in command.lines))

    def sent(self, *quantities: int, promised_on: date | None = None, **fields: Any) -> Order:
        """An order that was approved and sent, and confirmed for a day where one is given."""
        order = self.drafted(*quantities, **fields)
        outcome = self.submit(SubmitPurchaseOrder(po_id=order.po_id))
        if isinstance(outcome, Proposed):
            self.approve(outcome, "manager")
        self.do(SendPurchaseOrder(po_id=order.po_id))
        if promised_on is not None:
            promises = tuple(LinePromise(po_line_id=line, promised_on=promised_on) for line in order.line_ids)
            self.do(ConfirmPurchaseOrder(po_id=order.po_id, lines=promises))
        return order

    def receipt(self, order: Order, *quantities: int, rejected: int = 0) -> ReceiveGoods:
        """A receipt of these quantities for the order's lines in turn."""
        lines = tuple(
            ReceivedLine(
                receipt_line_id=uuid4(), po_line_id=line, quantity=quantity, rejected_quantity=rejected
            )
            for line, quantity in zip(order.line_ids, quantities, strict=False)
        )
        return ReceiveGoods(receipt_id=uuid4(), po_id=order.po_id, lines=lines)

    def row(self, table: Table, id_: UUID) -> Any:
        """A stored row."""
        return self.read(lambda connection: connection.execute(select(table).where(table.c.id == id_)).one())

    def read(self, query: Callable[[Connection], Any]) -> Any:
        """What a query gives."""
        with reading(self.gate.engine) as connection:
            return query(connection)

    def stock(self, item_id: UUID) -> dict[str, int]:
        """Units by state."""
        statement = select(stock_balances.c.state, stock_balances.c.quantity).where(
            stock_balances.c.item_id == item_id, stock_balances.c.quantity > 0
        )
        return {state: quantity for state, quantity in self.read(lambda c: c.execute(statement).all())}


ROLES = ("buyer", "manager", "finance", "warehouse", "admin")


def open_company(gate: Gate) -> Company:
    """Policies, people and master data."""
    gate.install_policies()
    company = Company(gate, {role: gate.bootstrap_user(role, roles=(role,)) for role in ROLES})
    company.people["second_manager"] = gate.bootstrap_user("second-manager", roles=("manager",))
    company.do(
        CreateLocation(location_id=company.warehouse, code="MAIN", location_name="Main warehouse"), "admin"
    )
    for n, item_id in enumerate((company.item, company.other_item, company.unlisted_item)):
        named = {"item_name": f"Lamp {n}", "category": "Lighting", "brand": "Aurora", "base_unit": "piece"}
        company.do(CreateItem(item_id=item_id, sku=f"LAMP-{n}", **named), "admin")
        company.do(ActivateItem(item_id=item_id), "admin")
    terms = {
        "currency": "EUR",
        "country": "Italy",
        "payment_days": 30,
        "delivery_terms": "DAP",
        "lead_time_days": 14,
    }
    for supplier_id, code in ((company.supplier, "ACME"), (company.sleeping_supplier, "SLEEPY")):
        company.do(
            CreateSupplier(supplier_id=supplier_id, code=code, supplier_name=code.title(), **terms), "admin"
        )
    for supplier_id in (company.supplier, company.sleeping_supplier):
        registration = AddSupplierDocument(
            document_id=uuid4(),
            supplier_id=supplier_id,
            kind="business_registration",
            number="HRB 1",
            valid_from=date(2020, 1, 1),
        )
        company.do(registration, "admin")
        company.do(SubmitSupplier(supplier_id=supplier_id), "admin")
    company.approve(
        company.submit(ActivateSupplier(supplier_id=company.supplier), "manager"), "second_manager"
    )
    for item_id, price in ((company.item, 10), (company.other_item, 4)):
        asked = {"price": money(price), "minimum_quantity": 20, "order_multiple": 10}
        company.do(SetSupplierItem(supplier_id=company.supplier, item_id=item_id, **asked), "admin")
    return company


FOUNDING = Founding("procurement", open_company)


@pytest.fixture
def founding(request: pytest.FixtureRequest) -> Founding | None:
    """The company, for tests that ask for it."""
    return FOUNDING if {"company", "sqlite_company"} & {*request.fixturenames} else None


@pytest.fixture
def company(gate: Gate, founded: Founded) -> Company:
    """The company on both databases."""
    return _visited(gate, founded)


@pytest.fixture
def sqlite_company(sqlite_gate: Gate, founded: Founded) -> Company:
    """The company on SQLite, for what cannot differ between databases."""
    return _visited(sqlite_gate, founded)


def _visited(gate: Gate, founded: Founded) -> Company:
    company: Company
    _, company = founded(gate.engine.dialect.name, FOUNDING)
    return replace(company, gate=gate, people=dict(company.people))
