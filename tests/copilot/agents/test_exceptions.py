"""From an exception to a proposal, in words: list, explain, propose, and what closes the circle."""

from __future__ import annotations

from datetime import UTC, date, datetime
from uuid import uuid4

import pytest
from sqlalchemy import select

from copilot.agents.agent import Agent
from erp_core.exceptions.commands import RecordScan
from erp_core.exceptions.draft import CaseDraft
from erp_core.exceptions.model import cases
from erp_core.gate.contract import Executed
from erp_core.gate.model import proposals
from erp_core.gate.principals import Principal
from erp_core.gate.submission import Gate
from erp_core.master.queries import find_item, find_location, find_supplier, list_items, list_locations
from erp_core.storage.engine import reading
from erp_core.storage.types import money
from tests.copilot.agents.conftest import Wares


@pytest.fixture
def inbox(company: Gate, wares: Wares) -> Gate:
    """One stockout with a purchase as its best action, worth more than one overstock without any."""
    with reading(company.engine) as connection:
        item, supplier = find_item(connection, wares.item), find_supplier(connection, wares.supplier)
        code = next(one.code for one in list_locations(connection) if one.kind == "warehouse")
        place = find_location(connection, code)
    assert item and supplier and place
    po_id = uuid4()
    line = {"line_id": str(uuid4()), "item_id": str(item.id), "quantity": wares.fits}
    create = {
        "po_id": str(po_id),
        "supplier_id": str(supplier.id),
        "location_id": str(place.id),
        "lines": [line],
        "reason": "stockout",
    }
    action = {
        "kind": "purchase",
        "label": f"Order {wares.fits} of {wares.item}",
        "commands": [
            {"command": "CreatePurchaseOrder", "payload": create},
            {"command": "SubmitPurchaseOrder", "payload": {"po_id": str(po_id)}},
        ],
    }
    subjects = (("item", item.id), ("location", place.id))
    deadline = datetime(2026, 7, 9, tzinfo=UTC)
    evidence = (
        {"label": "Available", "value": 3, "unit": "units"},
        {"label": "Margin a unit", "value": "4.20", "unit": "money"},
    )
    drafts = (
        CaseDraft(
            "stockout_risk",
            "s",
            f"{wares.item} may run out",
            subjects,
            0.8,
            deadline,
            money(900),
            money(90),
            money(10),
            evidence,
            action,
        ),
        CaseDraft(
            "overstock",
            "o",
            "Too much of it",
            subjects,
            0.9,
            deadline,
            money(50),
            money(5),
            0,
            evidence,
            None,
        ),
    )
    jobs = company.bootstrap_user("jobs", roles=("jobs",), kind="service")
    scan = RecordScan(
        scan_id=uuid4(), as_of=date(2026, 6, 30), kinds=("stockout_risk", "overstock"), drafts=drafts
    )
    assert isinstance(company.submit(scan, jobs, key="scan"), Executed)
    return company


@pytest.mark.capability("S153")
@pytest.mark.capability("S240")
def test_exceptions_are_listed_by_the_money_that_acting_saves(inbox: Gate, buyer: Principal) -> None:
    answer = Agent(inbox).ask("what should I work on first?", buyer)
    assert [row[2] for row in answer.tables[0].rows][:2] == ["stockout_risk", "overstock"]
    assert answer.tables[0].rows[0][3:5] == (900, 800)


@pytest.mark.capability("S232")
def test_why_an_exception_is_there_is_told_with_its_evidence_and_money(
    inbox: Gate, buyer: Principal, wares: Wares
) -> None:
    agent = Agent(inbox)
    agent.ask("show exceptions", buyer, "c")
    answer = agent.ask("why?", buyer, "c")
    assert answer.status == "answered"
    for part in ("80.0 %", "Available: 3 units", "Margin a unit: 4.20", "900.00", wares.item):
        assert part in answer.text
    by_item = agent.ask(f"why is {wares.item} on the list", buyer)
    assert "900.00" in by_item.text


@pytest.mark.capability("S238")
def test_the_top_exception_becomes_a_proposal_that_carries_the_case(inbox: Gate, buyer: Principal) -> None:
    agent = Agent(inbox)
    explained = agent.ask("why is the top exception on the list", buyer, "c")
    answer = agent.ask(explained.options[0].question, buyer, "c")
    assert answer.status == "proposed", answer.text
    with reading(inbox.engine) as connection:
        case = connection.execute(select(cases).where(cases.c.kind == "stockout_risk")).one()
        proposal = connection.execute(
            select(proposals).where(proposals.c.requested_by == buyer.user_id)
        ).one()
    assert case.status == "proposed" and case.proposal_id == proposal.id
    assert ("case", str(case.id)) in [(one["kind"], one["id"]) for one in proposal.evidence]


def test_an_exception_without_a_purchase_is_not_turned_into_one(inbox: Gate, buyer: Principal) -> None:
    answer = Agent(inbox).ask("propose a PO for the top overstock exception", buyer)
    assert (answer.status, answer.proposals) == ("cannot_answer", ())


def test_a_role_that_may_not_see_cost_sees_no_money(inbox: Gate) -> None:
    worker = inbox.bootstrap_user("wanda", roles=["warehouse"])
    answer = Agent(inbox).ask("show exceptions", worker)
    assert answer.tables[0].rows[0][3] is None and "900" not in answer.text


@pytest.mark.capability("S232")
def test_where_no_open_exception_fits_those_of_the_item_are_named(
    inbox: Gate, buyer: Principal, wares: Wares
) -> None:
    answer = Agent(inbox).ask(f"why has demand for {wares.item} collapsed?", buyer)
    assert (answer.status, answer.reason) == ("cannot_answer", "no_data")
    assert "demand drop" in answer.text and f"{wares.item} may run out" in answer.text
    assert "list_exceptions" not in answer.text.casefold()


def test_an_item_without_any_exception_is_said_to_have_none(
    inbox: Gate, buyer: Principal, wares: Wares
) -> None:
    with reading(inbox.engine) as connection:
        quiet = next(one.sku for one in list_items(connection) if one.sku != wares.item)
    answer = Agent(inbox).ask(f"why is {quiet} red?", buyer)
    assert (answer.status, answer.reason) == ("cannot_answer", "no_data")
    assert quiet in answer.text and "none of another kind" in answer.text


@pytest.mark.capability("S232")
def test_the_second_one_of_a_list_is_explained(inbox: Gate, buyer: Principal) -> None:
    agent = Agent(inbox)
    agent.ask("show the open exceptions", buyer, "c")
    answer = agent.ask("the second one", buyer, "c")
    assert answer.status == "answered" and "Too much of it" in answer.text
