"""What passes between buyer and supplier: confirmations line by line, shipping notices, chases and milestones."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from erp_core.exceptions.commands import RecordScan, ResolveCase
from erp_core.exceptions.draft import SCANNED
from erp_core.exceptions.model import cases
from erp_core.gate.contract import Executed, Refused
from erp_core.inventory.queries import Position
from erp_core.procurement.commands import (
    ChangePurchaseOrderDates,
    ClosePurchaseOrder,
    ConfirmPurchaseOrder,
    FollowUpSuppliers,
    LinePromise,
    LineRepromise,
    NoticeLine,
    RecordMilestone,
    SendShippingNotice,
)
from erp_core.procurement.commands.chasing import to_follow_up
from erp_core.procurement.figures import stock_figures
from erp_core.procurement.model import (
    confirmation_chases,
    po_lines,
    purchase_orders,
    shipping_notice_lines,
    shipping_notices,
)
from erp_core.procurement.rules import expected_day, slip_days
from erp_core.storage.types import money
from tests.procurement.conftest import Company, Order
from tests.procurement.test_supplier_logins import login_of

JULY_10, JULY_20 = date(2026, 7, 10), date(2026, 7, 20)


def open_cases(company: Company) -> dict[str, Any]:
    rows = company.read(
        lambda c: c.execute(
            select(cases.c.kind, cases.c.title, cases.c.expected_loss, cases.c.evidence).where(
                cases.c.status == "open"
            )
        ).all()
    )
    return {row.title: row for row in rows}


def confirm(order: Order, *lines: dict[str, Any]) -> ConfirmPurchaseOrder:
    promises = tuple(
        LinePromise(po_line_id=line_id, **fields)
        for line_id, fields in zip(order.line_ids, lines, strict=True)
    )
    return ConfirmPurchaseOrder(po_id=order.po_id, lines=promises)


def notice(order: Order, *units: int, reference: str = "ASN-1", day: date = JULY_10) -> SendShippingNotice:
    lines = tuple(
        NoticeLine(po_line_id=line_id, carton=f"carton-{number}", quantity=quantity)
        for number, (line_id, quantity) in enumerate(zip(order.line_ids, units, strict=False))
    )
    return SendShippingNotice(
        notice_id=uuid4(), po_id=order.po_id, reference=reference, expected_on=day, lines=lines
    )


@pytest.mark.capability("S82")
def test_what_the_supplier_confirms_otherwise_is_an_exception_at_once_and_goes_when_nothing_differs(
    company: Company,
) -> None:
    order = company.sent(20, 40)
    company.do(confirm(order, {"promised_on": JULY_10}, {"promised_on": JULY_10}))
    assert open_cases(company) == {}, "confirmed as ordered"
    order = company.sent(20, 40, 30)
    told = company.do(
        confirm(
            order,
            {"promised_on": JULY_10, "quantity": 15},
            {"promised_on": JULY_10, "unit_price": money("4.50")},
            {"quantity": 0},
        )
    )
    assert told["differing"] == {"1": ["quantity"], "2": ["price"], "3": ["quantity"]}
    found = open_cases(company)
    assert len(found) == 3
    assert {row.kind for row in found.values()} == {"confirmation_difference"}
    (price,) = (row for title, row in found.items() if "another price" in title)
    assert price.expected_loss == money(20), "half more on each of 40"
    assert [(one["value"], one["unit"]) for one in price.evidence] == [
        ("4.00", "currency"),
        ("4.50", "currency"),
    ]
    lines = [company.row(po_lines, line_id) for line_id in order.line_ids]
    assert [line.quantity for line in lines] == [20, 40, 30], "the order itself is the buyer's to change"
    assert [line.confirmed_quantity for line in lines] == [15, 40, 0]
    assert [line.first_promised_on for line in lines] == [JULY_10, JULY_10, None]
    refused = company.refused(
        confirm(order, {"promised_on": JULY_10}, {"promised_on": JULY_10}, {"quantity": 0})
    )
    assert refused["code"] == "promise_not_possible"


@pytest.mark.capability("S82")
def test_a_difference_ends_with_its_line_when_the_goods_came_or_the_rest_will_not(company: Company) -> None:
    order = company.sent(20, 40)
    company.do(
        confirm(
            order,
            {"promised_on": JULY_10, "unit_price": money("12.00")},
            {"promised_on": JULY_10, "quantity": 30},
        )
    )
    raised = open_cases(company)
    assert len(raised) == 2
    company.do(company.receipt(order, 10, 30), "warehouse")
    assert open_cases(company) == raised, "something of both lines is open still"
    company.do(company.receipt(order, 10), "warehouse")
    assert len(open_cases(company)) == 1
    company.do(ClosePurchaseOrder(po_id=order.po_id, reason_code="supplier_cannot_deliver"))
    assert open_cases(company) == {}


def test_a_scan_leaves_alone_what_a_context_raises_and_settles_itself(sqlite_company: Company) -> None:
    company = sqlite_company
    order = company.sent(20)
    company.do(confirm(order, {"promised_on": JULY_10, "quantity": 15}))
    raised = open_cases(company)
    assert len(raised) == 1
    company.do(RecordScan(scan_id=uuid4(), as_of=JULY_10, kinds=SCANNED, drafts=()), "admin")
    assert open_cases(company) == raised
    scan = RecordScan(scan_id=uuid4(), as_of=JULY_10, kinds=("confirmation_difference",), drafts=())
    assert company.refused(scan, "admin")["code"] == "malformed_scan"
    assert open_cases(company) == raised


@pytest.mark.capability("S82")
def test_only_what_the_supplier_confirmed_is_promised_on(sqlite_company: Company) -> None:
    company = sqlite_company
    order = company.sent(20)
    company.do(confirm(order, {"promised_on": JULY_10, "quantity": 15}))
    pair = (company.item, company.warehouse)
    figures = company.read(lambda c: stock_figures(c, [pair]))[pair]
    assert figures.position == Position(*pair)
    assert (figures.on_order, figures.supplier_confirmed, figures.due_by(JULY_10)) == (20, 15, 15)


def test_a_confirmation_without_a_day_is_a_refusal_of_the_line_and_nothing_else() -> None:
    with pytest.raises(ValueError, match="promised_on"):
        LinePromise(po_line_id=uuid4())
    with pytest.raises(ValueError, match="promised_on"):
        LinePromise(po_line_id=uuid4(), promised_on=JULY_10, quantity=0)


@pytest.mark.capability("S85", "S95")
def test_a_shipping_notice_is_matched_to_lines_and_cartons_and_moves_the_day_expected(
    company: Company,
) -> None:
    order = company.sent(20, 40, promised_on=JULY_10)
    own = login_of(company, company.supplier)
    sent = notice(order, 20, 25, day=JULY_20)
    outcome = company.gate.submit(sent, own, key=uuid4().hex)
    assert isinstance(outcome, Executed), outcome
    assert (outcome.result["units"], outcome.result["cartons"], outcome.result["status"]) == (
        45,
        2,
        "shipped",
    )
    line = company.row(po_lines, order.line_ids[1])
    assert (line.first_promised_on, line.promised_on, line.expected_on) == (JULY_10, JULY_20, JULY_20)
    assert open_cases(company) == {}
    stranger = company.gate.submit(notice(order, 5), login_of(company, uuid4()), key=uuid4().hex)
    assert isinstance(stranger, Refused) and stranger.error.code == "not_your_supplier"
    again = company.refused(notice(order, 5))
    assert (again["code"], again["field"]) == ("notice_exists", "reference")
    company.do(notice(order, 1, 20, reference="ASN-2", day=JULY_20))
    assert {title: row.kind for title, row in open_cases(company).items()} == {
        f"{company.row(purchase_orders, order.po_id).number} line 1: 21 units announced, 20 open": "shipping_notice_difference",
        f"{company.row(purchase_orders, order.po_id).number} line 2: 45 units announced, 40 open": "shipping_notice_difference",
    }
    stored = company.read(
        lambda c: c.execute(select(func.count(), func.sum(shipping_notice_lines.c.quantity))).one()
    )
    assert tuple(stored) == (4, 66)
    company.do(company.receipt(order, 20, 40), "warehouse")
    assert company.row(purchase_orders, order.po_id).status == "received"
    late = company.refused(notice(order, 1, reference="ASN-3"))
    assert (late["code"], late["field"]) == ("notice_not_possible", "po_id")


@pytest.mark.capability("S85")
def test_a_notice_that_names_a_strange_line_or_arrives_before_it_left_leaves_nothing(
    sqlite_company: Company,
) -> None:
    company = sqlite_company
    order, other = company.sent(20), company.sent(20)
    strange = notice(order, 20).model_copy(update={"lines": notice(other, 20).lines})
    assert company.refused(strange)["field"] == "lines.po_line_id"
    assert company.refused(notice(order, 20, day=date(2026, 6, 1)))["field"] == "expected_on"
    assert company.read(lambda c: c.scalar(select(func.count()).select_from(shipping_notices))) == 0
    assert company.row(purchase_orders, order.po_id).status == "sent"


@pytest.mark.capability("S95")
def test_a_supplier_re_dates_its_own_orders_and_nobody_elses(sqlite_company: Company) -> None:
    company = sqlite_company
    order = company.sent(20, promised_on=JULY_10)
    later = LineRepromise(po_line_id=order.line_ids[0], promised_on=JULY_20, cause="customs")
    command = ChangePurchaseOrderDates(po_id=order.po_id, lines=(later,))
    stranger = company.gate.submit(command, login_of(company, uuid4()), key=uuid4().hex)
    assert isinstance(stranger, Refused) and stranger.error.code == "not_your_supplier"
    assert isinstance(
        company.gate.submit(command, login_of(company, company.supplier), key=uuid4().hex), Executed
    )
    assert company.row(po_lines, order.line_ids[0]).promised_on == JULY_20


@pytest.fixture
def follow_up(company: Company) -> Any:
    """Follow up on a day, as the jobs do."""
    company.people["jobs"] = company.gate.bootstrap_user(
        "follow-up", roles=("jobs", "simulator"), kind="service"
    )

    def run(day: date) -> dict[str, Any]:
        at = datetime.combine(day, datetime.min.time(), UTC)
        return company.do(FollowUpSuppliers(occurred_at=at), "jobs")

    return run


@pytest.mark.capability("S83")
def test_a_missing_confirmation_is_chased_every_other_day_counted_and_told_to_a_buyer(
    company: Company, follow_up: Any
) -> None:
    order = company.sent(20)
    due = company.read(lambda c: to_follow_up(c, date(2026, 7, 5)))
    assert not due, "five days to confirm, sent on 30 June"
    assert follow_up(date(2026, 7, 5))["chased"] == 0
    assert company.read(lambda c: to_follow_up(c, date(2026, 7, 6)))
    days = (date(2026, 7, 6), date(2026, 7, 7), date(2026, 7, 8))
    assert [(told["chased"], told["alerts"]) for told in map(follow_up, days)] == [(1, 0), (0, 0), (1, 1)]
    (title,) = open_cases(company)
    assert title.endswith("no confirmation from ACME")
    chases = company.read(
        lambda c: c.execute(select(confirmation_chases.c.chase_no, confirmation_chases.c.chased_on)).all()
    )
    assert [tuple(one) for one in chases] == [(1, days[0]), (2, days[2])]
    company.do(confirm(order, {"promised_on": JULY_20}))
    assert follow_up(date(2026, 7, 10)) == {
        "chased": 0,
        "put_off": 0,
        "redated": 0,
        "alerts": 0,
        "settled": 1,
    }
    assert open_cases(company) == {}
    assert not company.read(lambda c: to_follow_up(c, date(2026, 7, 30)))


@pytest.mark.capability("S83")
def test_a_confirmation_whose_case_was_dismissed_is_chased_on_its_days_and_not_at_every_upkeep(
    company: Company, follow_up: Any
) -> None:
    company.sent(20)
    days = (date(2026, 7, 6), date(2026, 7, 8))
    assert [follow_up(day)["alerts"] for day in days] == [0, 1]
    assert not company.read(lambda c: to_follow_up(c, days[1])), "the same day again changes nothing"
    case = company.read(lambda c: c.execute(select(cases.c.id).where(cases.c.status == "open")).one())
    company.do(ResolveCase(case_id=case.id, resolution="accepted_risk"), "buyer")
    for day, due in ((8, False), (9, False), (10, True)):
        assert company.read(lambda c, on=date(2026, 7, day): to_follow_up(c, on)) is due
    assert follow_up(date(2026, 7, 10)) == {
        "chased": 1,
        "put_off": 0,
        "redated": 0,
        "alerts": 0,
        "settled": 0,
    }
    assert open_cases(company) == {}


@pytest.mark.capability("S84")
def test_a_missed_milestone_alerts_and_puts_off_the_day_and_one_reached_puts_it_right(
    company: Company, follow_up: Any
) -> None:
    from erp_core.master.commands.workflows import Milestone
    from tests.procurement.test_workflows import selects

    selects(company, milestones=(Milestone(name="shipped", days=5),))
    order = company.sent(20, promised_on=JULY_10)

    def expected() -> date:
        return company.row(po_lines, order.line_ids[0]).expected_on

    assert follow_up(date(2026, 7, 5)) == {"chased": 0, "put_off": 0, "redated": 0, "alerts": 0, "settled": 0}
    assert follow_up(date(2026, 7, 8)) == {"chased": 0, "put_off": 1, "redated": 0, "alerts": 1, "settled": 0}
    assert expected() == date(2026, 7, 13), "three days behind"
    assert next(iter(open_cases(company))).endswith("shipped is missed")
    pair = (company.item, company.warehouse)
    figures = company.read(lambda c: stock_figures(c, [pair]))[pair]
    assert (figures.due_by(date(2026, 7, 12)), figures.due_by(date(2026, 7, 13))) == (0, 20)
    company.do(
        RecordMilestone(po_id=order.po_id, milestone="shipped", occurred_at=datetime(2026, 7, 6, tzinfo=UTC)),
        "jobs",
    )
    assert expected() == date(2026, 7, 11), "a day behind in the end"
    assert follow_up(date(2026, 7, 8))["settled"] == 1
    assert company.row(po_lines, order.line_ids[0]).first_promised_on == JULY_10


@given(
    promised=st.dates(date(2026, 1, 1), date(2026, 12, 31)),
    later=st.integers(0, 60),
    slip=st.integers(-30, 60),
)
def test_a_day_expected_is_never_before_the_latest_promise_and_a_delay_counts_once(
    promised: date, later: int, slip: int
) -> None:
    from datetime import timedelta

    latest = promised + timedelta(days=later)
    found = expected_day(promised, latest, slip)
    assert found == promised + timedelta(days=max(later, slip, 0))
    assert expected_day(None, None, slip) is None


@pytest.mark.capability("S84")
def test_an_order_is_as_late_as_its_last_milestone_or_the_one_overdue() -> None:
    first, second, today = date(2026, 7, 1), date(2026, 7, 10), date(2026, 7, 8)
    assert slip_days([(first, None), (second, None)], today) == 7
    assert slip_days([(first, date(2026, 7, 4)), (second, None)], today) == 3
    assert slip_days([(first, date(2026, 7, 4)), (second, date(2026, 7, 9))], today) == 0
    assert slip_days([], today) == 0
