"""Less came than the supplier announced: the receipt posts, and what is missing is a case until it comes or the line ends."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from erp_core.analytics.query import MetricQuery
from erp_core.analytics.run import run
from erp_core.exceptions.model import cases
from erp_core.procurement.commands import ClosePurchaseOrder, NoticeLine, SendShippingNotice
from erp_core.procurement.commands.held_goods import SetReceiptTolerance
from erp_core.procurement.model import receipt_lines
from erp_core.procurement.receiving.short import missing
from tests.procurement.conftest import TODAY, Company, Order


def announced(company: Company, order: Order, units: int, expected_on: date = TODAY) -> None:
    company.do(
        SendShippingNotice(
            notice_id=uuid4(),
            po_id=order.po_id,
            reference=f"SN-{uuid4().hex[:6]}",
            expected_on=expected_on,
            lines=(NoticeLine(po_line_id=order.line_ids[0], carton="C1", quantity=units),),
        )
    )


def case_of(company: Company, order: Order) -> Any:
    statement = select(cases).where(
        cases.c.kind == "receipt_variance", cases.c.subject_key == f"{order.line_ids[0]}:short"
    )
    return company.read(lambda connection: connection.execute(statement).one_or_none())


@pytest.mark.capability("S99")
def test_a_receipt_under_the_announced_quantity_and_its_tolerance_is_a_case_until_the_rest_comes(
    company: Company,
) -> None:
    order = company.sent(100)
    company.do(company.receipt(order, 10), "warehouse")
    assert case_of(company, order) is None, "without a notice a part is a part"
    company.approve(company.submit(SetReceiptTolerance(over=500)), "manager")
    announced(company, order, 60)
    company.do(company.receipt(order, 46), "warehouse")
    case = case_of(company, order)
    assert case is not None and case.status == "open" and case.expected_loss == 0
    assert "4 units that were announced did not come" in case.title, (
        "what came on the day that the notice left counts as its own"
    )
    company.do(company.receipt(order, 1), "warehouse")
    assert case_of(company, order).status == "resolved", "3 of 60 are within five percent"


@pytest.mark.capability("S99")
def test_a_line_that_ends_short_ends_its_case_and_goods_still_on_their_way_are_none(
    sqlite_company: Company,
) -> None:
    company = sqlite_company
    order = company.sent(100)
    announced(company, order, 40)
    announced(company, order, 60, TODAY + timedelta(days=9))
    company.do(company.receipt(order, 40), "warehouse")
    assert case_of(company, order) is None, "the second delivery is not due"
    company.do(company.receipt(order, 20), "warehouse")
    assert "40 units" in case_of(company, order).title, "of the second delivery a part came early"
    company.do(ClosePurchaseOrder(po_id=order.po_id, reason_code="remainder_not_needed"))
    assert case_of(company, order).status == "resolved"


@pytest.mark.capability("S98", "S169")
def test_a_delivery_that_is_what_its_notice_said_is_accurate_and_a_part_that_nobody_announced_is_not(
    company: Company,
) -> None:
    order = company.sent(100)

    def came(units: int, rejected: int = 0) -> int:
        receipt = company.receipt(order, units, rejected=rejected)
        company.do(receipt, "warehouse")
        return int(company.row(receipt_lines, receipt.lines[0].receipt_line_id).exact)

    assert came(10) == 0, "nobody announced a part of ten"
    notice = SendShippingNotice(
        notice_id=uuid4(),
        po_id=order.po_id,
        reference="SN-1",
        expected_on=TODAY + timedelta(days=1),
        lines=tuple(
            NoticeLine(po_line_id=order.line_ids[0], carton=carton, quantity=20) for carton in ("C1", "C2")
        ),
    )
    company.do(notice)
    announced(company, order, 30, TODAY + timedelta(days=9))
    assert came(10) == 0, "one of two cartons, with what came on the day that they left"
    assert came(20) == 1, "the whole notice"
    assert came(30, rejected=1) == 0, "as many as announced, one of them bad"
    assert came(30) == 0
    assert came(1) == 1, "all that the order still waited for"
    query = MetricQuery(metrics=("receipt_accuracy",), period="all")
    told = company.read(
        lambda c: run(c, query, today=TODAY, rights={"read_metrics"}, computed_at=datetime.now(UTC))
    )
    assert float(str(told.rows[0][0])) == pytest.approx(2 / 6)


@given(units=st.lists(st.integers(1, 50), min_size=1, max_size=5), arrived=st.integers(0, 300))
def test_what_is_missing_is_never_more_than_was_announced_nor_less_than_nothing(
    units: list[int], arrived: int
) -> None:
    notices = [(TODAY + timedelta(days=place), each) for place, each in enumerate(units)]
    all_due = TODAY + timedelta(days=len(units))
    assert missing(notices, arrived, all_due) == max(sum(units) - arrived, 0)
    assert 0 <= missing(notices, arrived, TODAY) <= max(sum(units) - arrived, 0)
