"""Which sale a cancellation undoes."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from erp_core.integration.sources.online_retail_rules import Event, match_cancellations, verdict

MORNING = datetime(2011, 1, 18, 10, 1)


def test_an_order_cancelled_within_minutes_is_a_cancelled_order_to_the_last_unit() -> None:
    order = Event(MORNING, 1, 74_215, True)
    cancelled = Event(MORNING + timedelta(minutes=16), 2, 74_215, False)
    (match,) = match_cancellations([order, cancelled])
    assert (match.sale, match.quantity, match.unshipped) == (1, 74_215, True)


def test_an_order_cancelled_overnight_before_it_could_ship_is_a_cancelled_order_too() -> None:
    late = datetime(2011, 12, 8, 23, 55)
    order = Event(late, 1, 80_995, True)
    (overnight,) = match_cancellations([order, Event(late + timedelta(minutes=12), 2, 80_995, False)])
    (next_day,) = match_cancellations([order, Event(late + timedelta(hours=13), 2, 80_995, False)])
    assert (overnight.sale, overnight.quantity, overnight.unshipped) == (1, 80_995, True)
    assert (next_day.sale, next_day.quantity, next_day.unshipped) == (1, 80_995, False)


def test_what_comes_back_on_a_later_day_is_a_return_of_the_latest_sale_with_units_left() -> None:
    events = [
        Event(MORNING, 1, 10, True),
        Event(MORNING + timedelta(days=1), 2, 4, True),
        Event(MORNING + timedelta(days=9), 3, 6, False),
    ]
    assert [(m.sale, m.quantity, m.unshipped) for m in match_cancellations(events)] == [
        (2, 4, False),
        (1, 2, False),
    ]


def test_units_that_were_never_sold_here_come_back_without_a_visible_sale() -> None:
    events = [Event(MORNING, 1, 3, True), Event(MORNING + timedelta(days=1), 2, 5, False)]
    assert [(m.sale, m.quantity) for m in match_cancellations(events)] == [(1, 3), (None, 2)]


def test_a_cancellation_never_undoes_a_later_sale() -> None:
    (match,) = match_cancellations(
        [Event(MORNING, 1, 5, False), Event(MORNING + timedelta(hours=1), 2, 5, True)]
    )
    assert match.sale is None


_EVENTS = st.lists(st.tuples(st.integers(0, 5_000), st.integers(1, 50), st.booleans()), max_size=30).map(
    lambda rows: [Event(MORNING + timedelta(minutes=m), i, q, s) for i, (m, q, s) in enumerate(rows)]
)


@given(_EVENTS)
def test_every_cancelled_unit_is_matched_once_and_no_sold_unit_twice(events: list[Event]) -> None:
    matches = match_cancellations(events)
    wanted = {event.row: event.quantity for event in events if not event.is_sale}
    sold = {event.row: event for event in events if event.is_sale}
    undone: Counter[int] = Counter()
    given_back: Counter[int] = Counter()
    for match in matches:
        given_back[match.cancellation] += match.quantity
        if match.sale is not None:
            undone[match.sale] += match.quantity
            assert (sold[match.sale].at, match.sale) <= (
                next(event.at for event in events if event.row == match.cancellation),
                match.cancellation,
            )
    assert dict(given_back) == wanted
    assert all(units <= sold[row].quantity for row, units in undone.items())


@pytest.mark.parametrize(
    ("invoice", "code", "quantity", "price", "customer", "expected"),
    [
        ("489434", "85048", 12, 69_500, "13085", "sale"),
        ("C489449", "22087", -12, 29_500, "16321", "cancellation"),
        ("489434", "POST", 1, 180_000, "13085", "not_goods"),
        ("C496350", "M", 1, 3_735_700, None, "not_goods"),
        ("C496350", "22087", 1, 3_735_700, None, "cancellation_without_minus"),
        ("A506401", "B", 1, -535_943_600, None, "adjustment_invoice"),
        ("489464", "21733", -96, 0, None, "stock_write_off"),
        ("489464", "21733", 96, 0, None, "stock_correction"),
        ("489464", "21733", 96, 0, "13085", "sale"),
    ],
)
def test_a_row_is_a_sale_a_cancellation_or_set_aside_by_a_rule(
    invoice: str, code: str, quantity: int, price: int, customer: str | None, expected: str
) -> None:
    assert verdict(invoice, code, quantity, price, customer) == expected
