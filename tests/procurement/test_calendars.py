"""Needed days keep the calendars of supplier and place; price breaks count from their quantity on."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from erp_core.gate.contract import Denied
from erp_core.master.commands import SetSupplierPrice, SetWorkCalendar
from erp_core.master.rules.calendars import WorkCalendar, open_from, open_until
from erp_core.procurement.commands import (
    ChangePurchaseOrder,
    LineChange,
    OrderRequisitions,
    PurchaseOrderLine,
    RequestPurchase,
)
from erp_core.procurement.model import po_lines
from erp_core.procurement.ordering.sourcing import compare_sources
from erp_core.procurement.queries import purchase_order
from erp_core.storage.types import money
from tests.procurement.conftest import TODAY, Company

FRIDAY, SATURDAY, MONDAY = date(2026, 7, 17), date(2026, 7, 18), date(2026, 7, 20)
WEEKDAYS = frozenset(range(5))


def needed(company: Company, day: date, **fields: Any) -> Any:
    line = PurchaseOrderLine(line_id=uuid4(), item_id=company.item, quantity=20, need_by=day)
    return company.draft(20, lines=(line,), **fields)


@pytest.mark.capability("S87")
def test_a_line_is_needed_on_a_day_on_which_the_supplier_delivers_and_the_place_receives(
    company: Company,
) -> None:
    company.do(needed(company, SATURDAY))
    weekly = {"party_kind": "location", "party_id": company.warehouse, "weekdays": WEEKDAYS}
    company.do(SetWorkCalendar(**weekly))
    error = company.refused(needed(company, SATURDAY))
    assert (error["code"], error["field"]) == ("need_day_closed", "lines.need_by")
    assert str(FRIDAY) in error["remedy"]
    company.do(needed(company, FRIDAY))
    company.do(needed(company, MONDAY))
    holiday = {"party_kind": "supplier", "party_id": company.supplier, "days": (FRIDAY,)}
    company.do(SetWorkCalendar(**holiday, holiday_name="Works outing"))
    thursday = FRIDAY - timedelta(days=1)
    error = company.refused(needed(company, SATURDAY))
    assert error["details"]["last_open_day"] == str(thursday), "neither of the two works on it"
    company.do(needed(company, SATURDAY, override_reason_code="supplier_agreed"))
    order = company.sent(20)
    moved = LineChange(po_line_id=order.line_ids[0], need_by=FRIDAY)
    change = ChangePurchaseOrder(po_id=order.po_id, reason_code="other_date", lines=(moved,))
    assert company.refused(change)["code"] == "need_day_closed"
    company.do(SetWorkCalendar(**holiday))
    company.do(change)
    assert company.row(po_lines, order.line_ids[0]).need_by == FRIDAY, "it is worked again"
    stranger = SetWorkCalendar(party_kind="supplier", party_id=uuid4(), weekdays=WEEKDAYS)
    assert company.refused(stranger)["code"] == "not_found"
    assert isinstance(company.submit(SetWorkCalendar(**weekly), "warehouse"), Denied)
    with pytest.raises(ValueError):
        SetWorkCalendar(**weekly | {"weekdays": frozenset({7})})


@pytest.mark.capability("S75", "S87", "S89")
def test_requisitions_and_comparisons_keep_the_calendars_by_themselves(company: Company) -> None:
    for kind, party in (("location", company.warehouse), ("supplier", company.supplier)):
        company.do(SetWorkCalendar(party_kind=kind, party_id=party, weekdays=WEEKDAYS))
    asked = {"item_id": company.item, "location_id": company.warehouse, "reason": "the shelf is empty"}
    wanted = RequestPurchase(requisition_id=uuid4(), quantity=20, need_by=SATURDAY, **asked)
    company.do(wanted)
    order = OrderRequisitions(
        po_id=uuid4(), supplier_id=company.supplier, requisition_ids=(wanted.requisition_id,)
    )
    company.do(order)
    (line,) = company.read(lambda c: purchase_order(c, order.po_id)).lines
    assert line.need_by == FRIDAY
    (offer,) = company.read(lambda c: compare_sources(c, company.item, 20, TODAY + timedelta(days=4)))
    assert offer.arrives_on == MONDAY, "fourteen days end on a Saturday"


@pytest.mark.capability("S87")
@pytest.mark.parametrize(("quantity", "price"), [(90, 10), (100, 9), (190, 9), (200, 8)])
def test_a_price_break_counts_from_its_quantity_on(
    sqlite_company: Company, quantity: int, price: int
) -> None:
    company = sqlite_company
    steps = ((100, money(9)), (200, money(8)))
    terms = {"supplier_id": company.supplier, "item_id": company.item, "valid_from": TODAY}
    company.approve(
        company.submit(SetSupplierPrice(**terms, price=money(10), breaks=steps, corrects=True)), "manager"
    )
    order = company.drafted(quantity)
    assert company.row(po_lines, order.line_ids[0]).unit_price == money(price)


@given(
    st.frozensets(st.integers(0, 6), min_size=1),
    st.frozensets(st.dates(date(2026, 1, 1), date(2026, 3, 1)), max_size=20),
    st.dates(date(2026, 1, 1), date(2026, 3, 1)),
)
def test_the_open_days_around_a_day_are_open_and_none_lies_between(
    weekdays: frozenset[int], closed: frozenset[date], day: date
) -> None:
    calendar = WorkCalendar(weekdays, closed)
    before, after = open_until([calendar], day), open_from([calendar], day)
    assert before is not None and after is not None and before <= day <= after
    assert calendar.works_on(before) and calendar.works_on(after)
    between = (before + timedelta(days=n) for n in range(1, (after - before).days))
    assert not any(calendar.works_on(one) for one in between)
