"""Late and short orders: service is alerted and customers are written to, exactly those and once."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from sqlalchemy import select

from erp_core.gate.contract import Executed, Proposed
from erp_core.gate.model import audit_entries, outbox
from erp_core.orders.commands import (
    AlertOrders,
    PlaceOrder,
    RegisterCustomer,
    SetMessageTemplate,
    ShipOrder,
    ShippedLine,
)
from erp_core.orders.queries.alerts import OrderAlert, list_alerts, messages_of
from erp_core.orders.rules.alerts import WaitingLine, alert_for, changes
from erp_core.storage.engine import reading
from tests.master.market import agree, ask
from tests.shop import MONDAY, Shop

FIRST = MONDAY.date()


def alerts(shop: Shop) -> dict[UUID, OrderAlert]:
    with reading(shop.gate.engine) as connection:
        return {one.order_id: one for one in list_alerts(connection)}


def told(shop: Shop, order: PlaceOrder) -> list[str]:
    with reading(shop.gate.engine) as connection:
        return [one.template for one in messages_of(connection, [order.order_id])]


def posted(shop: Shop) -> list[dict[str, Any]]:
    with reading(shop.gate.engine) as connection:
        kinds = select(outbox.c.data).where(outbox.c.kind == "CustomerMessage").order_by(outbox.c.recorded_at)
        return list(connection.scalars(kinds))


@pytest.mark.capability("S71")
def test_a_shortage_alerts_service_and_writes_to_exactly_the_customers_it_hits_once(fresh_shop: Shop) -> None:
    shop = fresh_shop
    scarce, plenty = shop.item("SCARCE", north=5), shop.item(north=50)
    customer = uuid4()
    shop.run(
        RegisterCustomer(
            customer_id=customer, code="C-1", country="DE", customer_name="Ada Byron", email="ada@example.com"
        )
    )
    soon = FIRST + timedelta(days=3)
    served = shop.place((scarce, 5), promised_on=soon)
    short = shop.place((scarce, 4), (plenty, 1), promised_on=soon, customer_id=customer)
    unpaid = shop.place((scarce, 9), promised_on=soon, payment_status="pending")
    assert shop.run(AlertOrders()) == {"raised": 1, "replaced": 0, "ended": 0, "messages": 1}
    found = alerts(shop)
    assert found.keys() == {short.order_id}, "neither who is served nor who has not paid"
    alert = found[short.order_id]
    assert (alert.sku, alert.kind, alert.units, alert.promised_on, alert.expected_on) == (
        "SCARCE",
        "shortage",
        4,
        soon,
        None,
    )
    (message,) = posted(shop)
    assert (message["order_id"], message["customer_id"]) == (str(short.order_id), str(customer))
    assert "4 × Thing SCARCE" in message["body"]
    assert short.external_ref in message["subject"]
    assert shop.run(AlertOrders()) == {"raised": 0, "replaced": 0, "ended": 0, "messages": 0}
    with reading(shop.gate.engine) as connection:
        written = [
            *connection.scalars(select(outbox.c.data)),
            *connection.scalars(select(audit_entries.c.after)),
        ]
    assert not any(personal in str(one) for one in written for personal in ("Ada", "ada@example.com"))

    shop.stock(scarce, 4)
    assert shop.status(short) == "reserved"
    assert shop.run(AlertOrders()) == {"raised": 0, "replaced": 0, "ended": 1, "messages": 1}
    assert told(shop, short) == ["shortage", "resolved"]
    assert told(shop, served) == told(shop, unpaid) == []
    assert alerts(shop) == {}


@pytest.mark.capability("S71")
def test_who_cancelled_reads_no_good_news(fresh_shop: Shop) -> None:
    shop = fresh_shop
    order = shop.place((shop.item(), 2), promised_on=FIRST)
    shop.run(AlertOrders())
    shop.cancel(order)
    assert shop.run(AlertOrders()) == {"raised": 0, "replaced": 0, "ended": 1, "messages": 0}
    assert told(shop, order) == ["shortage"]


@pytest.mark.capability("S71")
def test_the_text_is_that_of_the_customers_country_once_a_manager_agreed(fresh_shop: Shop) -> None:
    shop = fresh_shop
    german = SetMessageTemplate(
        template="shortage",
        country="de",
        subject_line="Bestellung {order}",
        message="{items}: {expected_on}.",
    )
    assert isinstance(ask(shop, german), Proposed)
    assert isinstance(agree(shop, german), Executed)
    item = shop.item("GONE")
    shop.place((item, 2), external_ref="R-1")
    shop.place((item, 1), customer_country="FR")
    shop.run(AlertOrders())
    subjects = {one["subject"]: one["body"] for one in posted(shop)}
    assert subjects["Bestellung R-1"] == "2 × Thing GONE: a day not known yet."
    assert len(subjects) == 2
    for wrong in ("{email}", "{order.id}", "{order!r}", "{order:>9}", "{order"):
        with pytest.raises(ValidationError):
            SetMessageTemplate(template="delay", subject_line="x", message=wrong)


@pytest.mark.capability("S66")
def test_who_has_a_text_for_it_tells_customers_that_their_parcel_left_and_a_refused_one_tells_nobody(
    fresh_shop: Shop,
) -> None:
    shop = fresh_shop
    tea = shop.item("TEA", north=9)
    shop.ship(shop.place((tea, 1)))
    assert posted(shop) == [], "no text, no message"
    text = SetMessageTemplate(
        template="shipped",
        country="DE",
        subject_line="{order} left",
        message="{items}, there on {expected_on}",
    )
    assert isinstance(agree(shop, text), Executed)
    order, abroad = shop.place((tea, 3), external_ref="R-7"), shop.place((tea, 1), customer_country="FR")
    counter = shop.order((tea, 1), ship_now=True)
    assert shop.refused(ShipOrder(order_id=uuid4(), shipment_id=uuid4())).code == "not_found"
    shop.ship(order, lines=(ShippedLine(line_id=order.lines[0].line_id, quantity=2),))
    for one in (abroad, order):
        shop.ship(one)
    shop.run(counter)
    told_of = [(one["subject"], one["body"]) for one in posted(shop)]
    assert told_of == [
        ("R-7 left", "2 × Thing TEA, there on a day not known yet"),
        ("R-7 left", "1 × Thing TEA, there on a day not known yet"),
    ]
    assert told(shop, order) == ["shipped", "shipped"]
    assert told(shop, abroad) == []


_DAYS = st.one_of(st.none(), st.integers(-5, 5).map(lambda days: FIRST + timedelta(days=days)))
_LINES = st.dictionaries(st.integers(0, 6), st.tuples(st.integers(1, 5), _DAYS, _DAYS), max_size=6)


@given(st.lists(_LINES, min_size=1, max_size=5))
def test_open_alerts_are_always_exactly_those_called_for_and_no_one_is_told_the_same_twice(
    looks: list[dict[int, tuple[int, date | None, date | None]]],
) -> None:
    standing: dict[UUID, Any] = {}
    for day, look in enumerate(looks):
        today = FIRST + timedelta(days=day)
        lines = [WaitingLine(UUID(int=9), UUID(int=key), *values) for key, values in look.items()]
        called_for = [one for line in lines if (one := alert_for(line, today)) is not None]
        found = changes(standing.values(), called_for)
        for one in found.new:
            assert not one.says_the_same(standing.get(one.line_id))
        for one in (*found.replaced, *found.over):
            del standing[one.line_id]
        assert not {one.line_id for one in found.new} & standing.keys()
        standing |= {one.line_id: one for one in found.new}
        told_of = {one.line_id: (one.kind, one.expected_on) for one in standing.values()}
        assert told_of == {one.line_id: (one.kind, one.expected_on) for one in called_for}
        again = changes(standing.values(), called_for)
        assert not (again.new or again.over)


@pytest.mark.capability("S71")
def test_a_line_is_late_when_its_goods_come_after_the_promise_and_short_when_nobody_knows() -> None:
    def kind(promised: int | None, expected: int | None, today: int = 0) -> str | None:
        days = [None if one is None else FIRST + timedelta(days=one) for one in (promised, expected)]
        found = alert_for(WaitingLine(uuid4(), uuid4(), 1, *days), FIRST + timedelta(days=today))
        return None if found is None else found.kind

    assert [kind(3, 3), kind(3, 4), kind(3, None), kind(None, 4), kind(None, None)] == [
        None,
        "delay",
        "shortage",
        None,
        "shortage",
    ]
    assert kind(3, 2, today=3) == "shortage", "a day that has passed is no expectation any more"
