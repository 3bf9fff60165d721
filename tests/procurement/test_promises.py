"""What suppliers confirm is what customers are promised, and follows when it changes."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from erp_core.gate.contract import Submission
from erp_core.master.commands import CreateChannel
from erp_core.orders.commands import OrderLine, PlaceOrder
from erp_core.orders.model import order_lines
from erp_core.orders.queries.promises import list_promise_changes
from erp_core.procurement.commands import (
    CancelPurchaseOrder,
    ChangePurchaseOrderDates,
    ConfirmPurchaseOrder,
    LinePromise,
    LineRepromise,
)

JULY_6, JULY_9, JULY_20 = date(2026, 7, 6), date(2026, 7, 9), date(2026, 7, 20)


class Customers:
    """Orders for the company's first item, of a web channel."""

    def __init__(self, company: Any) -> None:
        self.company, self.channel = company, uuid4()
        company.people["service"] = company.gate.bootstrap_user("service", roles=("service",))
        channel = CreateChannel(channel_id=self.channel, code="WEB", channel_name="Web", kind="web")
        company.do(channel, "admin")

    def order(self, units: int, unit_price: int = 1, **fields: Any) -> UUID:
        command = self.wish(units, unit_price, **fields)
        self.company.do(command, "service")
        return command.order_id

    def wish(self, units: int, unit_price: int = 1, **fields: Any) -> PlaceOrder:
        line = OrderLine(
            line_id=uuid4(),
            item_id=self.company.item,
            quantity=units,
            unit_price=unit_price,
            list_price=unit_price,
            location_id=self.company.warehouse,
        )
        return PlaceOrder(
            order_id=uuid4(),
            external_ref=uuid4().hex,
            channel_id=self.channel,
            customer_country="Italy",
            lines=(line,),
            **fields,
        )

    def dates(self, order_id: UUID) -> tuple[date | None, date | None]:
        """Promised and expected."""
        line = order_lines.c
        statement = select(line.promised_on, line.expected_on).where(line.order_id == order_id)
        return tuple(self.company.read(lambda connection: connection.execute(statement).one()))

    def changes(self, purchase_order_id: UUID) -> list[Any]:
        return self.company.read(lambda c: list_promise_changes(c, cause_id=purchase_order_id))


def redated(order: Any, on: date) -> ChangePurchaseOrderDates:
    lines = tuple(LineRepromise(po_line_id=line, promised_on=on) for line in order.line_ids)
    return ChangePurchaseOrderDates(po_id=order.po_id, lines=lines)


@pytest.mark.capability("S33")
@pytest.mark.capability("S61")
def test_a_backorder_is_promised_for_the_day_its_goods_are_confirmed_and_only_if_they_are(
    company: Any,
) -> None:
    customers = Customers(company)
    unconfirmed = company.sent(20)
    early = customers.order(12)
    assert customers.dates(early) == (None, None)
    promises = tuple(LinePromise(po_line_id=line, promised_on=JULY_6) for line in unconfirmed.line_ids)
    company.do(ConfirmPurchaseOrder(po_id=unconfirmed.po_id, lines=promises))
    assert customers.dates(early) == (JULY_6, JULY_6)
    second, third = customers.order(8, promised_on=JULY_9), customers.order(1)
    assert customers.dates(second) == (JULY_9, JULY_6)
    assert customers.dates(third) == (None, None)


@pytest.mark.capability("S33")
def test_a_later_date_moves_what_is_expected_keeps_the_first_promise_and_lists_who_is_affected(
    company: Any,
) -> None:
    customers = Customers(company)
    purchase, other = company.sent(20, promised_on=JULY_6), company.sent(20, promised_on=JULY_9)
    first, second, third = customers.order(15), customers.order(5), customers.order(10)
    assert [customers.dates(one)[1] for one in (first, second, third)] == [JULY_6, JULY_6, JULY_9]
    company.do(redated(purchase, JULY_20))
    assert customers.dates(first) == (JULY_6, JULY_9)
    assert customers.dates(second) == (JULY_6, JULY_9)
    assert customers.dates(third) == (JULY_9, JULY_20)
    changes = customers.changes(purchase.po_id)
    assert {(one.order_id, one.expected_before, one.expected_after, one.late) for one in changes} == {
        (first, JULY_6, JULY_9, True),
        (second, JULY_6, JULY_9, True),
        (third, JULY_9, JULY_20, True),
    }
    company.do(redated(purchase, JULY_20))
    assert len(customers.changes(purchase.po_id)) == 3
    assert customers.changes(other.po_id) == []


@pytest.mark.capability("S33")
def test_orders_of_one_batch_are_each_the_cause_of_their_own_promise(company: Any) -> None:
    customers = Customers(company)
    company.sent(20, promised_on=JULY_6)
    wishes = [customers.wish(units) for units in (12, 8)]
    submissions = [Submission(one, uuid4().hex) for one in wishes]
    company.gate.submit_many(submissions, company.people["service"])
    for one in wishes:
        (change,) = company.read(lambda c, id_=one.order_id: list_promise_changes(c, order_id=id_))
        assert (change.cause_kind, change.cause_id, change.expected_after) == ("order", one.order_id, JULY_6)


@pytest.mark.capability("S33")
def test_what_arrives_or_is_cancelled_dates_the_rest_anew(company: Any) -> None:
    customers = Customers(company)
    purchase, other = company.sent(20, promised_on=JULY_6), company.sent(20, promised_on=JULY_20)
    first, second = customers.order(12), customers.order(12)
    assert customers.dates(second) == (JULY_20, JULY_20)
    company.do(company.receipt(purchase, 16), "warehouse")
    assert customers.dates(first) == (JULY_6, None)
    assert customers.dates(second) == (JULY_20, JULY_20)
    company.do(CancelPurchaseOrder(po_id=other.po_id, reason_code="supplier_cannot_deliver"))
    assert customers.dates(second) == (JULY_20, None)
    (change,) = customers.changes(other.po_id)
    assert (change.order_id, change.expected_after, change.late) == (second, None, True)
