"""What proposals rest on, read for a whole queue at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from sqlalchemy import Engine, event

from api.proposals import bodies_of, changes_of
from erp_core.gate.contract import Proposed
from erp_core.gate.queries import ProposalView, list_proposals
from erp_core.inventory.commands import PostOpeningStock, StockLine, TransferStock
from erp_core.master.commands import CreateLocation, SetSupplierItem
from erp_core.procurement.commands import SubmitPurchaseOrder
from erp_core.storage.engine import reading
from erp_core.storage.types import money

Company = Any
TERMS = {"minimum_quantity": 20, "order_multiple": 10}


def price(company: Company, amount: int) -> SetSupplierItem:
    return SetSupplierItem(supplier_id=company.supplier, item_id=company.item, price=money(amount), **TERMS)


def queue(company: Company, rounds: int) -> None:
    """Purchases, transfers and a rise of a price that all wait."""
    shop = uuid4()
    company.do(CreateLocation(location_id=shop, code="SHOP", location_name="Shop", kind="store"), "admin")
    stock = (StockLine(item_id=company.item, quantity=1_000),)
    company.do(PostOpeningStock(document_id=uuid4(), location_id=company.warehouse, lines=stock), "admin")
    wishes: list[Any] = [(price(company, 20), "buyer")]
    for _ in range(rounds):
        wishes.append((SubmitPurchaseOrder(po_id=company.drafted(500, 300).po_id), "buyer"))
        lines = (StockLine(item_id=company.item, quantity=40),)
        move = TransferStock(
            transfer_id=uuid4(), from_location_id=company.warehouse, to_location_id=shop, lines=lines
        )
        wishes.append((move, "buyer"))
    for command, role in wishes:
        assert isinstance(company.submit(command, role), Proposed)


def waiting(company: Company) -> list[ProposalView]:
    with reading(company.gate.engine) as connection:
        return list_proposals(connection)[0]


@contextmanager
def counted(engine: Engine) -> Iterator[list[str]]:
    statements: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        statements.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    yield statements
    event.remove(engine, "before_cursor_execute", note)


def test_a_longer_queue_is_checked_with_no_more_statements(company: Company) -> None:
    queue(company, 10)
    views, counts = waiting(company), []
    kinds = {view.payload[0]["command"]: view for view in views}
    assert len(views) == 21 and len(kinds) == 3
    for some in (list(kinds.values()), views):
        with reading(company.gate.engine) as connection, counted(company.gate.engine) as statements:
            bodies = bodies_of(some, company.people["manager"], company.gate, connection)
        assert not any(one.standing.stale for one in bodies)
        counts.append(len(statements))
    assert counts[0] == counts[1]


def test_of_a_queue_exactly_those_are_stale_whose_facts_moved(company: Company) -> None:
    queue(company, 3)
    company.do(price(company, 11), "admin")
    views = waiting(company)
    with reading(company.gate.engine) as connection:
        changes = changes_of(views, company.gate.registry, connection)
    for view in views:
        moved = [one["fact"] for one in changes[view.id]]
        rests_on_price = view.payload[0]["command"] != "TransferStock"
        assert moved == (["price of LAMP-0 from ACME"] if rests_on_price else [])
