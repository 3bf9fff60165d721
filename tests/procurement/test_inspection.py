"""What is looked at before it is put away, what was not ordered, and packaging that is not as known."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from erp_core.analytics.query import MetricQuery
from erp_core.analytics.run import run
from erp_core.exceptions.model import cases
from erp_core.finance.queries import valuation_differences
from erp_core.gate.contract import Executed, Proposed
from erp_core.inventory.queries import rebuild_differences
from erp_core.master.commands import SetItemUnit
from erp_core.procurement.books.accruals import accruals
from erp_core.procurement.commands import (
    DecideHeldGoods,
    DecideUnorderedGoods,
    ReceiveGoods,
    SendShippingNotice,
    SetInspectionRule,
)
from erp_core.procurement.model import po_lines, po_revisions, purchase_orders, receipt_lines
from erp_core.procurement.receiving.packaging import (
    KnownPackaging,
    KnownUnit,
    StatedPackaging,
    packaging_differences,
)
from erp_core.procurement.rules import arrival_days, split_receipt
from erp_core.storage.types import money
from tests.conftest import size
from tests.procurement.conftest import TODAY, Company, Order

JUNE = date(2026, 6, 1)


def decide(order: Order, decision: str, units: int, held_for: str | None = None) -> DecideHeldGoods:
    return DecideHeldGoods.model_validate(
        {
            "decision_id": uuid4(),
            "po_id": order.po_id,
            "po_line_id": order.line_ids[0],
            "decision": decision,
            "quantity": units,
            "held_for": held_for,
        }
    )


def inspect_all(company: Company, required: bool = True) -> None:
    asked = company.submit(SetInspectionRule(supplier_id=company.supplier, required=required))
    company.approve(asked, "manager")


def received(order: Order, quantity: int, **fields: Any) -> ReceiveGoods:
    line = {
        "receipt_line_id": uuid4(),
        "po_line_id": order.line_ids[0],
        "quantity": quantity,
    }
    return ReceiveGoods.model_validate(
        {"receipt_id": uuid4(), "po_id": order.po_id, "lines": [line | fields]}
    )


def brought(order: Order, item_id: UUID, quantity: int, instead_of: UUID | None = None) -> ReceiveGoods:
    line = {
        "unordered_id": uuid4(),
        "item_id": item_id,
        "quantity": quantity,
        "instead_of_line_id": instead_of,
    }
    return ReceiveGoods.model_validate({"receipt_id": uuid4(), "po_id": order.po_id, "unordered": [line]})


def open_kinds(company: Company) -> list[tuple[str, str]]:
    statement = select(cases.c.kind, cases.c.title).where(cases.c.status != "resolved")
    return [tuple(row) for row in company.read(lambda c: c.execute(statement).all())]


@pytest.mark.capability("S101")
def test_goods_to_be_inspected_are_accepted_sent_back_or_quarantined_by_quantity(company: Company) -> None:
    inspect_all(company)
    order = company.sent(40, promised_on=TODAY)
    result = company.do(company.receipt(order, 40), "warehouse")
    assert (result["accepted"], result["held"], result["inspection"]) == (0, 40, 40)
    assert company.stock(company.item) == {"received_held": 40}
    assert company.read(lambda c: accruals(c, TODAY)) == [], "what nobody looked at is not owed"
    assert open_kinds(company) == [], "inspection is work and no exception"
    company.do(decide(order, "accept", 30, "inspection"), "warehouse")
    company.do(decide(order, "return", 6, "inspection"), "warehouse")
    company.do(decide(order, "quarantine", 4), "warehouse")
    assert company.stock(company.item) == {"available": 30, "received_held": 4}
    line = company.row(po_lines, order.line_ids[0])
    assert (line.accepted_quantity, line.rejected_quantity, line.held_quantity) == (30, 6, 4)
    assert (line.inspection_quantity, line.quarantined_quantity) == (0, 4)
    assert line.accepted_by_promise == 30 and line.completed_on is None
    assert [title for kind, title in open_kinds(company) if kind == "receipt_variance"] == [
        open_kinds(company)[0][1]
    ]
    assert open_kinds(company)[0][1].endswith("4 units in doubt are held")
    assert company.refused(decide(order, "quarantine", 1), "warehouse")["field"] == "decision"
    company.do(decide(order, "return", 4), "warehouse")
    assert open_kinds(company) == []
    assert company.row(purchase_orders, order.po_id).status == "partly_received"


@pytest.mark.capability("S101")
def test_a_supplier_that_delivered_in_time_stays_in_time_however_long_we_look(
    sqlite_company: Company,
) -> None:
    company = sqlite_company
    inspect_all(company)
    order = company.sent(40, promised_on=TODAY)
    company.do(company.receipt(order, 40), "warehouse")
    company.do(decide(order, "accept", 40, "inspection"), "warehouse")
    line = company.row(po_lines, order.line_ids[0])
    assert (line.accepted_by_promise, line.completed_on) == (40, TODAY)
    assert company.row(purchase_orders, order.po_id).status == "received"
    assert arrival_days([(date(2026, 6, 3), 5), (JUNE, 10)], 8, 6) == [(JUNE, 2), (date(2026, 6, 3), 4)]


@pytest.mark.capability("S101")
def test_in_doubt_at_the_dock_is_held_and_a_line_held_for_two_reasons_asks_which(
    sqlite_company: Company,
) -> None:
    company = sqlite_company
    order = company.sent(40)
    result = company.do(received(order, 50, rejected_quantity=2, quarantined_quantity=5), "warehouse")
    assert (result["accepted"], result["held"], result["rejected"], result["quarantined"]) == (40, 8, 2, 5)
    assert company.refused(decide(order, "return", 1), "warehouse")["field"] == "held_for"
    assert company.refused(decide(order, "return", 6, "quarantine"), "warehouse")["code"] == "not_held"
    company.do(decide(order, "return", 5, "quarantine"), "warehouse")
    company.do(decide(order, "return", 3, "beyond"), "warehouse")
    assert company.stock(company.item) == {"available": 40}


@pytest.mark.capability("S102")
def test_what_is_found_defective_counts_against_its_supplier_once(sqlite_company: Company) -> None:
    company = sqlite_company
    order, looked_at = company.sent(40), company.sent(60)
    query = MetricQuery(metrics=("defect_rate",), by=("supplier",))

    def rate() -> list[tuple[object, ...]]:
        asked = {"today": TODAY + timedelta(days=1), "rights": {"read_metrics"}}
        found = company.read(lambda c: run(c, query, computed_at=datetime.now(UTC), **asked))
        return [tuple(row) for row in found.rows]

    assert all(row[-1] is None for row in rate()), "nothing came: no value"
    company.do(received(order, 40, rejected_quantity=2, quarantined_quantity=5), "warehouse")
    assert [float(str(row[-1])) for row in rate()] == [pytest.approx(7 / 40)]
    company.do(decide(order, "return", 5, "quarantine"), "warehouse")
    inspect_all(company)
    company.do(company.receipt(looked_at, 60), "warehouse")
    company.do(decide(looked_at, "return", 3, "inspection"), "warehouse")
    company.do(decide(looked_at, "accept", 57, "inspection"), "warehouse")
    assert [float(str(row[-1])) for row in rate()] == [pytest.approx(10 / 100)]


def test_the_narrowest_rule_of_inspection_decides(sqlite_company: Company) -> None:
    company = sqlite_company
    inspect_all(company)
    own = SetInspectionRule(supplier_id=company.supplier, item_id=company.item, required=False)
    company.approve(company.submit(own), "manager")
    order = company.sent(40, 60)
    result = company.do(company.receipt(order, 40, 60), "warehouse")
    assert (result["accepted"], result["inspection"]) == (40, 60)


@pytest.mark.capability("S98")
def test_a_wrong_item_is_held_under_its_own_name_and_never_sold_as_the_one_ordered(company: Company) -> None:
    order = company.sent(40)
    wrong = brought(order, company.other_item, 12)
    result = company.do(wrong, "warehouse")
    assert (result["unordered"], result["status"]) == (12, "sent")
    assert company.stock(company.other_item) == {"received_held": 12}
    assert company.stock(company.item) == {}
    (kind, title) = open_kinds(company)[0]
    assert kind == "unordered_goods" and title.endswith("12 units of LAMP-1 that were not ordered are held")
    as_ordered = brought(order, company.item, 1)
    assert company.refused(as_ordered, "warehouse")["code"] == "was_ordered"
    back = {"decision": "return", "quantity": 12, "unordered_id": wrong.unordered[0].unordered_id}
    gone = DecideUnorderedGoods.model_validate({"decision_id": uuid4(), "po_id": order.po_id, **back})
    company.do(gone, "warehouse")
    assert company.refused(gone, "warehouse")["code"] == "not_held"
    assert company.stock(company.other_item) == {} and open_kinds(company) == []


@pytest.mark.capability("S103")
def test_a_substitute_is_held_until_it_is_agreed_and_then_changes_the_order(company: Company) -> None:
    order = company.sent(40)
    line_id = order.line_ids[0]
    notice = {
        "notice_id": uuid4(),
        "po_id": order.po_id,
        "reference": "ASN-1",
        "expected_on": TODAY,
        "lines": [
            {
                "po_line_id": line_id,
                "carton": "C1",
                "quantity": 40,
                "substitute_item_id": company.other_item,
            }
        ],
    }
    company.do(SendShippingNotice.model_validate(notice))
    assert [kind for kind, _ in open_kinds(company)] == ["unordered_goods"], "at notice"
    came = brought(order, company.other_item, 40, line_id)
    company.do(came, "warehouse")
    assert [title.endswith("instead of line 1 are held") for _, title in open_kinds(company)] == [True]
    assert company.stock(company.other_item) == {"received_held": 40}
    kept = DecideUnorderedGoods(
        decision_id=uuid4(),
        po_id=order.po_id,
        unordered_id=came.unordered[0].unordered_id,
        decision="accept",
        quantity=40,
        unit_price=money(7),
    )
    one_of_it = kept.model_copy(update={"decision_id": uuid4(), "quantity": 1})
    assert company.refused(one_of_it, "warehouse")["code"] == "duties_conflict"
    asked = company.submit(kept)
    assert isinstance(asked, Proposed), "280 is for a manager to agree to"
    company.approve(asked, "manager")
    row = company.row(purchase_orders, order.po_id)
    assert (row.status, row.total) == ("received", money(280))
    assert company.row(po_lines, line_id).cancelled_quantity == 40
    assert company.stock(company.other_item) == {"available": 40}
    revision = company.read(lambda c: c.execute(select(po_revisions)).one())
    assert (revision.reason_code, revision.total_before, revision.total_after) == (
        "substitution",
        money(400),
        money(280),
    )
    assert [one.value for one in company.read(lambda c: accruals(c, TODAY))] == [money(280)]
    assert company.read(rebuild_differences) == [] and company.read(valuation_differences) == []
    assert open_kinds(company) == []


@pytest.mark.capability("S103")
def test_other_packaging_than_known_is_a_case_at_the_dock_and_ends_when_it_is_as_known(
    sqlite_company: Company,
) -> None:
    company = sqlite_company
    unit = {"item_id": company.item, "unit": "case", "factor": 10, "weight_grams": 5_000}
    sides = {"length_mm": 600, "width_mm": 400, "height_mm": 300}
    company.do(SetItemUnit.model_validate(unit | sides), "admin")
    order = company.sent(40)
    as_known = {"case_pack": 10, "weight_grams": 5_100, "length_mm": 300, "width_mm": 600, "height_mm": 400}
    company.do(received(order, 10, packaging=as_known), "warehouse")
    assert open_kinds(company) == [], "within five percent, and lying on its side"
    company.do(received(order, 10, packaging=as_known | {"weight_grams": 5_300}), "warehouse")
    assert [kind for kind, _ in open_kinds(company)] == ["packaging_difference"]
    company.do(received(order, 10, packaging={"case_pack": 12}), "warehouse")
    assert open_kinds(company)[0][1].endswith("line 1: case pack other than known")
    assert company.stock(company.item) == {"available": 30}, "the goods are what was ordered"
    company.do(received(order, 10, packaging=as_known), "warehouse")
    assert open_kinds(company) == []


@pytest.mark.parametrize(("weight", "differs"), [(1_050, False), (1_051, True), (950, False), (949, True)])
def test_a_weight_differs_beyond_its_tolerance_on_either_side(weight: int, differs: bool) -> None:
    known = KnownPackaging(None, [KnownUnit(1, 1_000, (None, None, None))])
    stated = StatedPackaging(weight_grams=weight, length_mm=5)
    assert bool(list(packaging_differences(stated, known, 5))) is differs


def test_a_gtin_is_the_same_with_or_without_leading_zeros() -> None:
    known = KnownPackaging("0012345678905", [])
    assert not list(packaging_differences(StatedPackaging(gtin="012345678905"), known, 5))
    other = packaging_differences(StatedPackaging(gtin="4006381333931"), known, 5)
    assert [what for what, _, _ in other] == ["gtin"]


@pytest.mark.capability("S101")
@given(
    open_units=st.integers(-5, 60),
    good=st.integers(0, 60),
    rejected=st.integers(0, 20),
    quarantined=st.integers(0, 20),
    inspect=st.booleans(),
)
def test_what_arrived_is_accepted_and_held_and_rejected(
    open_units: int, good: int, rejected: int, quarantined: int, inspect: bool
) -> None:
    arrived = good + rejected + quarantined
    part = split_receipt(open_units, arrived, rejected, quarantined, inspect=inspect)
    assert part.accepted + part.held + part.rejected == arrived
    assert part.inspection + part.quarantined + part.beyond == part.held and part.beyond >= 0
    assert part.accepted + part.inspection <= max(open_units, 0)
    assert not (inspect and part.accepted)


@pytest.mark.capability("S98")
@pytest.mark.capability("S101")
@settings(
    max_examples=size(6, 80), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from(["receive", "doubt", "accept", "return", "correct", "quarantine"]),
            st.integers(1, 40),
            st.sampled_from(["beyond", "inspection", "quarantine"]),
        ),
        max_size=8,
    )
)
def test_every_unit_that_came_is_accepted_held_or_rejected_also_where_it_is_inspected_first(
    inspected: Company, steps: list[tuple[str, int, str]]
) -> None:
    company = inspected
    before, order = company.stock(company.item), company.sent(50, promised_on=TODAY)
    arrived = 0
    for what, units, held_for in steps:
        if what in ("receive", "doubt"):
            doubt = units // 2 if what == "doubt" else 0
            company.do(received(order, units, quarantined_quantity=doubt), "warehouse")
            arrived += units
        elif isinstance(company.submit(decide(order, what, units, held_for)), Executed):
            arrived -= units if what == "correct" else 0
        line = company.row(po_lines, order.line_ids[0])
        assert line.accepted_quantity + line.held_quantity + line.rejected_quantity == arrived
        assert line.inspection_quantity + line.quarantined_quantity <= line.held_quantity
        assert line.accepted_by_promise <= line.accepted_quantity
        stock = company.stock(company.item)
        for state, counted in (("available", line.accepted_quantity), ("received_held", line.held_quantity)):
            assert stock.get(state, 0) - before.get(state, 0) == counted
    parts = company.read(lambda c: c.execute(select(receipt_lines)).all())
    assert all(one.inspection_quantity + one.quarantined_quantity <= one.held_quantity for one in parts)


@pytest.fixture
def inspected(company: Company) -> Company:
    inspect_all(company)
    return company
