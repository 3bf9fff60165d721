"""What a warehouse is to expect: by day, in how many cartons, and how sure that is."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from api.arrivals import Arrival, ExpectedDay, arrivals, by_day
from erp_core.inventory.commands import PostOpeningStock, ReceiveTransfer, StockLine, TransferStock
from erp_core.master.commands import CreateLocation
from erp_core.procurement.commands import ChangePurchaseOrderDates, LineRepromise, SendShippingNotice
from erp_core.procurement.queries.held import held_goods
from tests.procurement.conftest import TODAY, Company, Order

SOON, LATER = TODAY + timedelta(days=3), TODAY + timedelta(days=9)


def notice(order: Order, day: date, reference: str, *parts: tuple[int, str, int]) -> SendShippingNotice:
    lines = [
        {"po_line_id": order.line_ids[line], "carton": carton, "quantity": units}
        for line, carton, units in parts
    ]
    given: dict[str, Any] = {"notice_id": uuid4(), "po_id": order.po_id, "reference": reference}
    return SendShippingNotice.model_validate(given | {"expected_on": day, "lines": lines})


def expected(company: Company, today: date = TODAY, **asked: Any) -> list[Arrival]:
    return company.read(lambda c: arrivals(c, today, **asked))


def days(company: Company, today: date = TODAY) -> list[ExpectedDay]:
    return by_day(expected(company, today))


def told(found: list[Arrival]) -> list[tuple[int, date | None, str, int]]:
    return [(one.units, one.due_on, one.standing, one.late_days) for one in found]


@pytest.mark.capability("S97")
def test_orders_are_expected_by_day_with_units_cartons_and_how_sure_they_are(company: Company) -> None:
    order = company.sent(40, 60, promised_on=LATER)
    company.sent(20)
    company.do(notice(order, SOON, "ASN-1", (0, "C1", 10), (0, "C2", 15), (1, "C2", 20)))
    assert told(expected(company)) == [
        (25, SOON, "announced", 0),
        (15, SOON, "confirmed", 0),
        (20, SOON, "announced", 0),
        (40, SOON, "confirmed", 0),
        (20, None, "not_confirmed", 0),
    ]
    first, undated = days(company)
    assert (first.day, first.units, first.cartons, first.units_without_cartons) == (SOON, 100, 2, 55)
    assert (first.documents, first.lines, first.not_confirmed_units) == (1, 4, 0)
    assert (undated.day, undated.units, undated.cartons, undated.not_confirmed_units) == (None, 20, None, 20)
    again = LineRepromise(po_line_id=order.line_ids[1], promised_on=LATER, cause="carrier")
    company.do(ChangePurchaseOrderDates(po_id=order.po_id, lines=(again,)))
    assert (40, LATER, "confirmed", 0) in told(expected(company)), "a re-promise moves what was not announced"
    assert (20, SOON, "announced", 0) in told(expected(company))
    assert expected(company, until=SOON)[-1].due_on is None
    assert LATER not in {one.due_on for one in expected(company, until=SOON)}


@pytest.mark.capability("S97")
def test_what_came_is_expected_no_more_and_what_is_late_stands_apart(company: Company) -> None:
    order = company.sent(40, promised_on=SOON)
    company.do(notice(order, SOON, "ASN-1", (0, "C1", 10), (0, "C2", 20)))
    company.do(company.receipt(order, 30), "warehouse")
    assert told(expected(company)) == [(10, SOON, "announced", 0)], (
        "what is left was announced, in one carton"
    )
    company.do(notice(order, LATER, "ASN-2", (0, "C9", 10)))
    assert [one.cartons for one in expected(company)] == [("ASN-2/C9",)], "the newest notice holds the rest"
    late = days(company, LATER + timedelta(days=2))
    assert [(one.late, one.day, one.units) for one in late] == [(True, LATER, 10)]
    company.do(company.receipt(order, 10), "warehouse")
    assert expected(company) == []


@pytest.mark.capability("S97")
def test_transfers_on_their_way_are_a_kind_of_their_own_until_they_arrive(company: Company) -> None:
    shop, transfer_id = uuid4(), uuid4()
    company.do(CreateLocation(location_id=shop, code="SHOP", location_name="Shop", kind="store"), "admin")
    lines = (StockLine(item_id=company.item, quantity=30),)
    company.do(PostOpeningStock(document_id=uuid4(), location_id=company.warehouse, lines=lines), "admin")
    company.do(
        TransferStock(
            transfer_id=transfer_id,
            from_location_id=company.warehouse,
            to_location_id=shop,
            lines=(StockLine(item_id=company.item, quantity=12),),
        ),
        "warehouse",
    )
    (coming,) = expected(company, location_id=shop)
    assert (coming.kind, coming.units, coming.standing, coming.since) == ("transfer", 12, "on_its_way", TODAY)
    assert expected(company, location_id=company.warehouse) == []
    part = (StockLine(item_id=company.item, quantity=5),)
    company.do(ReceiveTransfer(transfer_id=transfer_id, lines=part), "warehouse")
    assert [one.units for one in expected(company)] == [7]
    company.do(ReceiveTransfer(transfer_id=transfer_id), "warehouse")
    assert expected(company) == []


@pytest.mark.capability("S97")
def test_what_is_held_at_the_door_is_listed_with_its_reason_and_no_more_expected(company: Company) -> None:
    order = company.sent(40, promised_on=SOON)
    company.do(company.receipt(order, 46), "warehouse")
    (held,) = company.read(held_goods)
    assert (held.reason, held.units, held.since, held.line_no) == ("beyond", 6, TODAY, 1)
    assert expected(company) == []
    elsewhere: UUID = uuid4()
    assert company.read(lambda c: held_goods(c, location_id=elsewhere)) == []
