"""What an order stands just short of: the next price break, and the supplier's minimum order."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copilot.tools.planning import RecommendReplenishment, recommend_replenishment
from copilot.tools.tool import ToolContext
from erp_core.gate.contract import Proposed
from erp_core.inventory.commands import PostOpeningStock, StockLine
from erp_core.master.commands import (
    ActivateSupplier,
    AddSupplierDocument,
    CreateSupplier,
    SetSupplierItem,
    SetSupplierPrice,
    SubmitSupplier,
)
from erp_core.master.queries import Names
from erp_core.master.rules.prices import price_at
from erp_core.planning.automation.run import rule_orders
from erp_core.planning.commands import PublishReorderPoints, ReorderPoint
from erp_core.procurement.ordering.sourcing import SourceOffer, compare_sources
from erp_core.procurement.ordering.thresholds import (
    NEAR_PERCENT,
    NextBreak,
    explain_short,
    next_break,
    short_of_minimum,
)
from erp_core.procurement.rules import Terms
from erp_core.storage.types import money
from tests.procurement.conftest import TODAY, Company

BREAKS = ((100, money(9)), (500, money(5)))


@pytest.mark.capability("S87")
def test_a_break_that_few_more_units_reach_is_named_with_what_it_costs_and_a_far_one_is_not() -> None:
    assert next_break(money(10), BREAKS, 80) == NextBreak(100, 20, money(9), money(100))
    assert next_break(money(10), BREAKS, 79) is None, "21 of 79 units are more than a quarter"
    assert next_break(money(10), BREAKS, 100) is None, (
        "the break is reached, and the next one is far and dearer"
    )


@pytest.mark.capability("S87")
def test_a_far_break_is_named_where_the_whole_then_costs_no_more() -> None:
    assert next_break(money(9), ((300, money(6)),), 200) == NextBreak(300, 100, money(6), 0)
    assert next_break(money(9), ((300, money(6)),), 199) is None
    cheaper = next_break(money(10), BREAKS, 98)
    assert cheaper is not None and cheaper.extra == money(-80)
    assert (
        cheaper.explanation
        == "2 more units reach the price of 9.00 from 100: the whole then costs 80.00 less"
    )
    dearer = next_break(money(10), BREAKS, 80)
    assert dearer is not None and dearer.explanation.endswith("the whole then costs 100.00 more")


@pytest.mark.capability("S87")
def test_what_reaches_a_break_keeps_the_suppliers_multiple_and_a_dearer_price_is_no_break() -> None:
    found = next_break(money(10), BREAKS, 96, Terms(1, 24))
    assert found is not None and (found.quantity, found.more) == (120, 24)
    assert next_break(money(10), ((100, money(11)),), 99) is None
    assert next_break(money(10), BREAKS, 0) is None, "nothing is to be ordered"


@given(
    quantity=st.integers(1, 2_000),
    price=st.integers(1, 100),
    breaks=st.lists(
        st.tuples(st.integers(1, 2_000), st.integers(1, 100)), max_size=5, unique_by=lambda b: b[0]
    ),
    minimum=st.integers(1, 200),
    multiple=st.integers(1, 60),
)
def test_a_named_break_is_cheaper_by_the_unit_valid_and_near_or_no_dearer(
    quantity: int, price: int, breaks: list[tuple[int, int]], minimum: int, multiple: int
) -> None:
    terms = Terms(minimum, multiple)
    found = next_break(price, breaks, quantity, terms)
    if found is None:
        return
    paid = price_at(price, breaks, quantity)
    assert terms.accepts(found.quantity) and found.quantity == quantity + found.more > quantity
    assert found.unit_price == price_at(price, breaks, found.quantity) < paid
    assert found.extra == found.quantity * found.unit_price - quantity * paid
    assert found.extra <= 0 or found.more * 100 <= quantity * NEAR_PERCENT


@pytest.mark.capability("S87")
def test_an_order_below_the_suppliers_minimum_says_by_how_much_and_one_that_reaches_it_says_nothing() -> None:
    assert short_of_minimum(money(249), money(250)) == money(1)
    assert (
        explain_short(money(249), money(250)) == "249.00 is 1.00 below the supplier's minimum order of 250.00"
    )
    assert short_of_minimum(money(250), money(250)) == 0 and explain_short(money(250), money(250)) == ""


@pytest.fixture
def bulk(company: Company) -> UUID:
    """A supplier with a break at 100 units and a minimum order of 1,000, preferred for the unlisted item."""
    supplier_id = uuid4()
    terms = {"currency": "EUR", "country": "Italy", "payment_days": 30, "delivery_terms": "DAP"}
    created = CreateSupplier(
        supplier_id=supplier_id,
        code="BULK",
        supplier_name="Wholesale works",
        minimum_order=money(1_000),
        lead_time_days=10,
        **terms,
    )
    company.do(created, "admin")
    paper = {"kind": "business_registration", "number": "HRB 2", "valid_from": date(2020, 1, 1)}
    company.do(AddSupplierDocument(document_id=uuid4(), supplier_id=supplier_id, **paper), "admin")
    company.do(SubmitSupplier(supplier_id=supplier_id), "admin")
    company.approve(company.submit(ActivateSupplier(supplier_id=supplier_id), "manager"), "second_manager")
    sold = {"supplier_id": supplier_id, "item_id": company.unlisted_item}
    company.do(SetSupplierItem(**sold, price=money(10), order_multiple=10), "admin")
    price = SetSupplierPrice(
        **sold, price=money(10), valid_from=TODAY, breaks=((100, money(9)),), corrects=True
    )
    outcome = company.submit(price, "admin")
    if isinstance(outcome, Proposed):
        company.approve(outcome, "manager")
    return supplier_id


@pytest.mark.capability("S87")
def test_an_offer_says_the_break_that_is_near_and_the_minimum_order_that_it_misses(
    company: Company, bulk: UUID
) -> None:
    def offer(quantity: int) -> SourceOffer:
        (found,) = company.read(lambda c: compare_sources(c, company.unlisted_item, quantity, TODAY))
        return found

    short = offer(80)
    assert short.next_break == NextBreak(100, 20, money(9), money(100))
    assert short.minimum_missing == money(200)
    assert "20 more units reach the price of 9.00" in short.terms_why
    assert "800.00 is 200.00 below the supplier's minimum order of 1000.00" in short.terms_why
    enough = offer(120)
    assert (enough.next_break, enough.minimum_missing, enough.terms_why) == (None, 0, "")


def recommended(company: Company, level: int) -> tuple[Sequence[str], int, Any]:
    """What the rules say about an order up to the level, with an empty warehouse; and what the agent's tool shows."""
    point = ReorderPoint(company.unlisted_item, company.warehouse, 5, 20, level, 1.0, 1.0, 10.0, 1.0, 0.95)
    company.do(
        PublishReorderPoints(batch_id=uuid4(), as_of=TODAY, source="forecast", points=(point,)), "admin"
    )

    def read(connection: Any) -> tuple[Sequence[str], int]:
        (order,) = rule_orders(connection, TODAY)
        return order.short_of(Names.read(connection, items=[company.unlisted_item])), order.amount

    tool = recommend_replenishment(
        RecommendReplenishment(), ToolContext(company.gate, company.people["buyer"])
    )
    return *company.read(read), tool


@pytest.mark.capability("S87")
def test_a_recommended_order_says_what_a_few_more_units_would_bring_and_that_it_is_too_small(
    company: Company, bulk: UUID
) -> None:
    opening = StockLine(item_id=company.item, quantity=1)
    company.do(
        PostOpeningStock(document_id=uuid4(), location_id=company.warehouse, lines=(opening,)), "admin"
    )
    said, amount, tool = recommended(company, 80)
    assert amount == money(800)
    assert [one.partition(":")[0] for one in said[:1]] == ["LAMP-2"]
    assert "the whole then costs 100.00 more" in said[0]
    assert said[1] == "800.00 is 200.00 below the supplier's minimum order of 1000.00"
    assert any("20 more units reach the price of 9.00" in note for note in tool.notes)
    assert any(note.startswith("from BULK for MAIN: 800.00 is 200.00 below") for note in tool.notes)
    said, amount, tool = recommended(company, 120)
    assert (list(said), amount) == ([], money(1_080)), "priced at the break it reaches"
    assert not any("more units" in note or "minimum order" in note for note in tool.notes)
    assert tool.tables[0].rows[0][-1] == 1_080


@pytest.mark.capability("S87", "S210")
def test_who_may_not_see_costs_is_not_told_prices_beside_a_recommendation(
    company: Company, bulk: UUID
) -> None:
    recommended(company, 80)
    tool = recommend_replenishment(
        RecommendReplenishment(), ToolContext(company.gate, company.people["warehouse"])
    )
    assert tool.tables[0].rows[0][-1] is None
    assert not any("price of" in note or "minimum order" in note for note in tool.notes)
