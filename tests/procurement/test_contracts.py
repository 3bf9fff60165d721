"""Blanket contracts: orders take the agreed price while the contract runs and enough is left, counted exactly."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from api.composition import make_gate
from erp_core.clock import Clock
from erp_core.gate.contract import Executed, Proposed, Refused
from erp_core.gate.model import execution_attempts
from erp_core.gate.submission import Gate
from erp_core.procurement.commands import (
    AgreeContract,
    CancelPurchaseOrder,
    ChangePurchaseOrder,
    ClosePurchaseOrder,
    ContractLine,
    EndContract,
    LineCancellation,
    LineChange,
    PurchaseOrderLine,
    SubmitPurchaseOrder,
)
from erp_core.procurement.contracts import book
from erp_core.procurement.contracts.reading import ContractStanding, list_contracts
from erp_core.procurement.contracts.rules import ContractTerms, Drawn, is_behind, state_on
from erp_core.procurement.model import po_lines
from erp_core.storage.engine import open_engine
from erp_core.storage.types import money
from tests.procurement.conftest import TODAY, Company, Order, open_company
from tests.procurement.test_races import comes_between

YEAR_END = date(2026, 12, 31)


def contract(company: Company, quantity: int | None = 100, price: int = 8, **fields: Any) -> AgreeContract:
    line = ContractLine(item_id=company.item, price=money(price), quantity=quantity)
    values: dict[str, Any] = {
        "contract_id": uuid4(),
        "supplier_id": company.supplier,
        "valid_from": TODAY,
        "valid_to": YEAR_END,
        "lines": (line,),
        "reason": "a year's lamps",
    }
    return AgreeContract(**values | fields)


def agreed(company: Company, *given: Any, **fields: Any) -> AgreeContract:
    command = contract(company, *given, **fields)
    company.approve(company.submit(command), "manager")
    return command


def standing(company: Company) -> ContractStanding:
    found: list[ContractStanding] = company.read(lambda c: list_contracts(c, TODAY, over=True))
    (only,) = found
    return only


def left(company: Company) -> int | None:
    return standing(company).lines[0].left


def prices(company: Company, order: Order) -> list[tuple[int, bool]]:
    rows = [company.row(po_lines, line_id) for line_id in order.line_ids]
    return [(row.unit_price, row.contract_id is not None) for row in rows]


def approved(company: Company, order: Order) -> Order:
    outcome = company.submit(SubmitPurchaseOrder(po_id=order.po_id))
    if isinstance(outcome, Proposed):
        company.approve(outcome, "manager")
    return order


@pytest.mark.capability("S87", "S78")
def test_orders_take_the_contracts_price_and_what_is_left_is_counted_exactly(company: Company) -> None:
    proposed = company.submit(contract(company))
    assert isinstance(proposed, Proposed) and proposed.policy == "contract with a supplier under 25,000"
    company.approve(proposed, "manager")
    first = company.drafted(40)
    assert prices(company, first) == [(money(8), True)]
    assert left(company) == 100, "a draft takes nothing"
    approved(company, first)
    assert left(company) == 60
    second = company.sent(40)
    assert (left(company), standing(company).called_off_value) == (20, money(640))
    company.do(CancelPurchaseOrder(po_id=first.po_id, reason_code="not_needed"))
    assert left(company) == 60, "what is cancelled comes back"
    company.do(company.receipt(second, 30), "warehouse")
    company.do(ClosePurchaseOrder(po_id=second.po_id, reason_code="remainder_not_needed"))
    found = standing(company)
    assert (found.lines[0].left, found.lines[0].received, found.drawn) == (70, 30, 30)
    third = company.sent(20)
    change = ChangePurchaseOrder(
        po_id=third.po_id,
        reason_code="demand_changed",
        lines=(LineChange(po_line_id=third.line_ids[0], quantity=60),),
    )
    company.do(change)
    assert left(company) == 10
    beyond = change.model_copy(update={"lines": (LineChange(po_line_id=third.line_ids[0], quantity=80),)})
    error = company.refused(beyond)
    assert (error["code"], error["details"]["left"], bool(error["remedy"])) == (
        "contract_overdrawn",
        10,
        True,
    )
    gone = LineCancellation(po_line_id=third.line_ids[0], quantity=30)
    company.do(ChangePurchaseOrder(po_id=third.po_id, reason_code="demand_changed", cancelled=(gone,)))
    assert left(company) == 40
    more = PurchaseOrderLine(line_id=uuid4(), item_id=company.item, quantity=40)
    company.do(ChangePurchaseOrder(po_id=third.po_id, reason_code="demand_changed", added=(more,)))
    assert (left(company), company.row(po_lines, more.line_id).unit_price) == (0, money(8))


@pytest.mark.capability("S87", "S88")
def test_an_order_for_more_than_is_left_takes_the_price_in_force_and_says_so(company: Company) -> None:
    company.sent(10, override_reason_code="trial_order")
    agreed(company, 50)
    command = company.draft(40, 20)
    two = command.model_copy(
        update={"lines": tuple(line.model_copy(update={"item_id": company.item}) for line in command.lines)}
    )
    told = company.do(two)
    (beyond,) = told["beyond_contract"]
    assert (beyond["sku"], beyond["left"]) == ("LAMP-0", 50)
    order = Order(two.po_id, tuple(line.line_id for line in two.lines))
    assert prices(company, order) == [(money(8), True), (money(10), False)], (
        "the first line takes what is left"
    )
    rival = company.drafted(50)
    approved(company, order)
    error = company.refused(SubmitPurchaseOrder(po_id=rival.po_id))
    assert (error["code"], error["details"]["left"]) == ("contract_overdrawn", 10)
    assert "at most 10" in error["remedy"]
    given = company.drafted(20, price=money(9))
    assert prices(company, given) == [(money(9), False)], "who gives a price calls nothing off"


@pytest.mark.capability("S87")
def test_a_contract_over_a_value_runs_from_its_first_day_to_the_day_before_its_end(
    company: Company, tmp_path: Path
) -> None:
    company.sent(10, override_reason_code="trial_order")
    agreed(company, None, agreed_value=money(400), valid_to=TODAY + timedelta(days=10))
    first, second = company.drafted(40), company.drafted(20)
    approved(company, first)
    error = company.refused(SubmitPurchaseOrder(po_id=second.po_id))
    assert (error["code"], error["details"]["left"]) == ("contract_overdrawn", money(80))
    exact = company.drafted(10, override_reason_code="trial_order")
    approved(company, exact)
    found = standing(company)
    assert (found.left_value, found.drawn, found.lines[0].left) == (0, 100, None)
    for days, runs in ((9, True), (10, False)):
        clock = Clock(fixed_business_date=TODAY + timedelta(days=days))
        later = replace(company, gate=make_gate(company.gate.engine, clock, home=tmp_path))
        if runs:
            company.do(CancelPurchaseOrder(po_id=first.po_id, reason_code="not_needed"))
        assert prices(later, later.drafted(20)) == [(money(8 if runs else 10), runs)]
    over = later.refused(SubmitPurchaseOrder(po_id=second.po_id))
    assert (over["code"], bool(over["remedy"])) == ("contract_not_running", True)


@pytest.mark.capability("S87")
def test_a_contract_that_cannot_be_is_refused_and_an_ended_one_gives_no_price(
    sqlite_company: Company,
) -> None:
    company = sqlite_company
    first = agreed(company, 100)
    for command, code in (
        (contract(company), "contract_overlap"),
        (contract(company, supplier_id=uuid4()), "not_found"),
    ):
        outcome = company.submit(command)
        if isinstance(outcome, Proposed):
            company.approve(outcome, "manager")
            (attempt,) = company.read(lambda c: c.execute(select(execution_attempts)).all())
            assert attempt.error["code"] == code and attempt.error["remedy"]
            assert len(company.read(lambda c: list_contracts(c, TODAY))) == 1
        else:
            assert isinstance(outcome, Refused) and outcome.error.code == code and outcome.error.remedy
    for wrong in (
        {"valid_to": TODAY},
        {"lines": (ContractLine(item_id=company.item, price=1),)},
        {"lines": (ContractLine(item_id=company.item, price=1, quantity=1),) * 2},
    ):
        with pytest.raises(ValueError):
            contract(company, **wrong)
    company.do(EndContract(contract_id=first.contract_id, reason_code="better_price"))
    assert standing(company).state == "ended"
    assert prices(company, company.drafted(20)) == [(money(10), False)]
    again = company.refused(EndContract(contract_id=first.contract_id, reason_code="better_price"))
    assert again["code"] == "illegal_transition"
    agreed(company, 100)
    assert len(company.read(lambda c: list_contracts(c, TODAY))) == 1, (
        "what ended leaves its days to the next"
    )
    large = company.submit(
        contract(company, 10_000, valid_from=YEAR_END, valid_to=YEAR_END + timedelta(days=365))
    )
    assert isinstance(large, Proposed) and large.policy == "contract with a supplier from 25,000"


@pytest.fixture
def postgres_gate(postgres_url: str, tmp_path: Path) -> Iterator[Gate]:
    """A gate over PostgreSQL: on SQLite writers follow each other."""
    engine = open_engine(postgres_url)
    yield make_gate(engine, Clock(fixed_business_date=TODAY), home=tmp_path)
    engine.dispose()


@pytest.mark.capability("S87")
def test_of_two_orders_for_the_last_units_of_a_contract_one_gets_them(
    postgres_gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    company = open_company(postgres_gate)
    agreed(company, 60)
    company.sent(10, override_reason_code="trial_order")
    mine, rivals = (SubmitPurchaseOrder(po_id=company.drafted(50).po_id) for _ in range(2))
    with ThreadPoolExecutor(1) as pool:
        rival = comes_between(
            postgres_gate, monkeypatch, book, "contract_terms", lambda: pool.submit(company.submit, rivals)
        )
        outcomes = [company.submit(mine), rival[0].result(timeout=30)]
    (refused,) = [one for one in outcomes if isinstance(one, Refused)]
    assert sum(isinstance(one, Executed) for one in outcomes) == 1
    assert refused.error.code == "contract_overdrawn" and left(company) == 0


@pytest.mark.capability("S87")
@pytest.mark.parametrize(("day", "state"), [(-1, "coming"), (0, "running"), (9, "running"), (10, "over")])
def test_a_contract_runs_on_its_first_day_and_not_on_its_last(day: int, state: str) -> None:
    end = TODAY + timedelta(days=10)
    assert state_on(TODAY + timedelta(days=day), TODAY, end, None) == state
    assert state_on(end, TODAY, end, TODAY) == "ended"
    assert [is_behind(passed, drawn) for passed, drawn in ((49, 0), (50, 25), (50, 24))] == [
        False,
        False,
        True,
    ]


@given(
    st.lists(st.integers(1, 50), max_size=12),
    st.integers(1, 200),
    st.one_of(st.none(), st.integers(1, 2_000)),
)
def test_what_lines_take_of_a_contract_never_exceeds_what_is_agreed(
    quantities: list[int], units: int, value: int | None
) -> None:
    terms = ContractTerms(UUID(int=1), "BC-1", UUID(int=2), 10, ((20, 8),), units, value)
    taken = Drawn()
    for quantity in quantities:
        if terms.takes(quantity, taken, taken.value):
            taken += Drawn(quantity, quantity * terms.price_at(quantity))
    assert taken.units <= units and (value is None or taken.value <= value)
