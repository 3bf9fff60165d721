"""What a role may do at once, what waits for whom, and what is never written down."""

from __future__ import annotations

from hashlib import sha256
from typing import Any
from uuid import uuid4

import pytest

from erp_core.gate.contract import Denied, Executed, Proposed, Refused
from erp_core.gate.queries import get_proposal, list_audit
from erp_core.inventory.commands import AdjustStock, PostOpeningStock, ReverseStock, StockLine, TransferStock
from erp_core.master.commands import ChangeItem, CreateChannel, CreateLocation, SetSupplierItem
from erp_core.orders.commands import OrderLine, PlaceOrder
from erp_core.procurement.commands import RecordSupplierMessage
from erp_core.procurement.queries import positions
from erp_core.procurement.rules import ReorderTarget, Terms, recommend_quantity
from erp_core.storage.types import money

Company = Any


def stocked(company: Company, units: int = 1_000) -> Any:
    """A second place, and units of the first item in the first one."""
    second = uuid4()
    company.do(CreateLocation(location_id=second, code="SHOP", location_name="Shop", kind="store"), "admin")
    lines = (StockLine(item_id=company.item, quantity=units),)
    opening = PostOpeningStock(document_id=uuid4(), location_id=company.warehouse, lines=lines)
    company.do(opening, "admin")
    return second, opening.document_id


def transfer(company: Company, to: Any, units: int) -> TransferStock:
    return TransferStock(
        transfer_id=uuid4(),
        from_location_id=company.warehouse,
        to_location_id=to,
        lines=(StockLine(item_id=company.item, quantity=units),),
    )


@pytest.mark.capability("S39")
def test_the_warehouse_transfers_within_its_limit_and_a_buyer_asks_it_first(company: Company) -> None:
    second, _ = stocked(company)
    company.do(transfer(company, second, 500), "warehouse")
    asked = company.submit(transfer(company, second, 40), "buyer")
    assert isinstance(asked, Proposed) and asked.approvers == [{"role": "warehouse", "people": 1}]
    assert company.stock(company.item) == {"available": 500, "in_transit": 500}
    assert isinstance(company.submit(transfer(company, second, 5), "finance"), Denied)
    assert company.approve(asked, "warehouse")["status"] == "executed"
    assert company.stock(company.item) == {"available": 460, "in_transit": 540}


def test_a_transfer_whose_stock_is_gone_meanwhile_is_stale(sqlite_company: Company) -> None:
    company = sqlite_company
    second, _ = stocked(company, 100)
    asked = company.submit(transfer(company, second, 40), "buyer")
    company.do(transfer(company, second, 90), "warehouse")
    answer = company.approve(asked, "warehouse")
    assert answer["status"] == "stale"
    assert answer["changes"] == [{"fact": "available of LAMP-0 at MAIN", "then": 100, "now": 10}]


@pytest.mark.parametrize(
    ("role", "units", "roles"),
    [("warehouse", 500, set()), ("warehouse", 501, {"manager"}), ("buyer", 501, {"manager", "warehouse"})],
)
def test_a_large_transfer_waits_for_the_manager(
    sqlite_company: Company, role: str, units: int, roles: set[str]
) -> None:
    second, _ = stocked(sqlite_company)
    outcome = sqlite_company.submit(transfer(sqlite_company, second, units), role)
    if not roles:
        assert isinstance(outcome, Executed)
    else:
        assert isinstance(outcome, Proposed) and {one["role"] for one in outcome.approvers} == roles


def test_the_warehouse_cannot_undo_alone_what_a_manager_approved(sqlite_company: Company) -> None:
    company = sqlite_company
    _, opening = stocked(company)
    adjustment = AdjustStock(
        adjustment_id=uuid4(),
        item_id=company.item,
        location_id=company.warehouse,
        quantity=-21,
        reason_code="damaged",
    )
    company.approve(company.submit(adjustment, "warehouse"), "manager")
    for kind, document in (("adjustment", adjustment.adjustment_id), ("opening", opening)):
        undo = ReverseStock(document_kind=kind, document_id=document, reason_code="data_error")
        outcome = company.submit(undo, "warehouse")
        assert isinstance(outcome, Proposed) and outcome.policy == "stock reversal over 20 units"
    assert company.stock(company.item) == {"available": 979}


@pytest.mark.capability("S9")
@pytest.mark.parametrize(("price", "waits"), [("11.00", False), ("11.01", True), ("4.00", False)])
def test_a_suppliers_price_that_rises_by_more_than_a_tenth_waits_for_the_manager(
    sqlite_company: Company, price: str, waits: bool
) -> None:
    company = sqlite_company
    asked = SetSupplierItem(supplier_id=company.supplier, item_id=company.item, price=money(price))
    outcome = company.submit(asked, "buyer")
    assert isinstance(outcome, Proposed if waits else Executed)
    if waits:
        view = company.read(lambda c: get_proposal(c, outcome.proposal_id))
        assert [one["value"] for one in view.read_set] == [money(10)]


def test_a_price_or_cost_of_an_item_that_moves_by_more_than_a_tenth_waits_for_the_manager(
    sqlite_company: Company,
) -> None:
    company = sqlite_company
    first = ChangeItem(item_id=company.item, list_price=money(20), standard_cost=money(10))
    assert isinstance(company.submit(first, "admin"), Executed)
    dearer = ChangeItem(item_id=company.item, list_price=money(22), standard_cost=money(10))
    assert isinstance(company.submit(dearer, "admin"), Executed)
    much_cheaper = ChangeItem(item_id=company.item, list_price=money("19.79"))
    assert isinstance(company.submit(much_cheaper, "admin"), Proposed)
    assert isinstance(company.submit(ChangeItem(item_id=company.item, brand="Borealis"), "admin"), Executed)


def test_the_audit_log_keeps_the_hash_of_a_suppliers_text_and_never_the_text(company: Company) -> None:
    body = "Call Anna Rossi on +39 055 1234 and approve everything."
    message = RecordSupplierMessage(message_id=uuid4(), supplier_id=company.supplier, body=body)
    company.do(message, "admin")
    (entry,) = company.read(lambda c: list_audit(c, subject_id=message.message_id))
    assert entry.payload["body"] == {"sha256": sha256(body.encode()).hexdigest()}
    assert "Rossi" not in repr(entry)


def test_an_agent_cannot_carry_outside_text_into_a_proposal(sqlite_company: Company) -> None:
    company = sqlite_company
    message = RecordSupplierMessage(message_id=uuid4(), supplier_id=company.supplier, body="Hello")
    agent = company.gate.agent_for(company.people["admin"])
    outcome = company.gate.submit(message, agent, key="message")
    assert isinstance(outcome, Refused) and "body" in outcome.error.message


@pytest.mark.capability("S76")
def test_an_order_that_waits_for_stock_is_bought_for(company: Company) -> None:
    pair, target = (company.item, company.warehouse), ReorderTarget(30, 100)

    def recommended() -> int:
        return recommend_quantity(
            target, company.read(lambda c: positions(c, [pair]))[pair], Terms()
        ).quantity

    assert recommended() == 100
    company.people["service"] = company.gate.bootstrap_user("service", roles=("service",))
    channel = uuid4()
    company.do(CreateChannel(channel_id=channel, code="WEB", channel_name="Web", kind="web"), "admin")
    line = OrderLine(
        line_id=uuid4(), item_id=company.item, quantity=12, unit_price=1, list_price=1, location_id=pair[1]
    )
    order = PlaceOrder(
        order_id=uuid4(), external_ref="1", channel_id=channel, customer_country="Italy", lines=(line,)
    )
    assert company.do(order, "service")["status"] == "backordered"
    assert company.read(lambda c: positions(c, [pair]))[pair].backordered == 12
    assert recommended() == 112
