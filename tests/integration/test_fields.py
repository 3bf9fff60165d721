"""Field parsers: a value, or an error that says why and what to do; never anything else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from erp_core.integration import fields
from erp_core.integration.fields import FieldError
from erp_core.integration.sources import scms_rules
from erp_core.integration.sources.invoice_lines import PARSERS as ONLINE_RETAIL
from erp_core.integration.sources.scms import PARSERS as SCMS

EVERY_PARSER = [*ONLINE_RETAIL.values(), *SCMS.values(), fields.count, fields.price, fields.choice("a", "b")]
LIKELY = st.one_of(
    st.text(max_size=40),
    st.from_regex(r"\A[-+]?[0-9.,eE]{0,12}\Z"),
    st.from_regex(r"\A[0-9]{1,4}[-/][0-9]{1,2}[-/][0-9]{1,4}( [0-9]{1,2}:[0-9]{2})?\Z"),
)


def _error_of(parse: Callable[[str], Any], text: str) -> FieldError | None:
    try:
        parse(text)
    except FieldError as error:
        return error
    return None


@given(LIKELY)
@example("")
@example("١٢")
@example("NaN")
@example("1e5")
@example("2011-02-30")
@example("0000-00-00")
@example("\x00")
def test_every_parser_gives_a_value_or_says_what_is_wrong_and_what_to_do(text: str) -> None:
    for parse in EVERY_PARSER:
        error = _error_of(parse, text)
        assert error is None or (error.rule and error.reason and error.remedy)


@given(st.decimals(min_value=0, max_value=10**6, places=4))
def test_money_is_read_exactly_to_a_ten_thousandth(value: Decimal) -> None:
    assert Decimal(fields.amount(f"{value:f}")) == value * 10_000


@pytest.mark.parametrize("text", ["0.00001", "1,50", "£2", "1e3", "Infinity", "--1", "1_000", ""])
def test_an_amount_that_is_not_exact_is_refused_and_never_rounded(text: str) -> None:
    with pytest.raises(FieldError):
        fields.amount(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2009-12-01 07:45:00", datetime(2009, 12, 1, 7, 45)),
        ("12/1/2010 8:26", datetime(2010, 12, 1, 8, 26)),
        ("2-Jun-06", datetime(2006, 6, 2)),
        ("2006-06-02", datetime(2006, 6, 2)),
        ("14-Nov-2014", datetime(2014, 11, 14)),
    ],
)
def test_dates_are_read_in_every_published_style(text: str, expected: datetime) -> None:
    assert fields.moment(text) == expected


def test_a_slashed_date_that_is_no_month_first_date_says_how_it_was_read() -> None:
    with pytest.raises(FieldError, match="month/day/year"):
        fields.moment("31/12/2010 08:00")


@pytest.mark.parametrize("text", ["0", "-3", "1.5", "12 pcs", "99999999999"])
def test_a_quantity_is_a_whole_number_above_zero(text: str) -> None:
    with pytest.raises(FieldError):
        fields.quantity(text)


def test_freight_is_charged_once_per_shipment_and_unknown_where_invoiced_separately() -> None:
    assert scms_rules.freight("780.34") == (7_803_400, None)
    assert scms_rules.freight("Freight Included in Commodity Cost") == (0, "freight_in_price")
    assert scms_rules.freight("See ASN-93 (ID#:1281)") == (0, "freight_on_another_row")
    assert scms_rules.freight("Invoiced Separately") == (None, "freight_unknown")
    with pytest.raises(FieldError):
        scms_rules.freight("ask Bob")


def test_an_order_is_known_when_sent_else_when_quoted_else_when_due() -> None:
    sent, asked, due = date(2012, 3, 1), date(2012, 2, 1), date(2012, 5, 1)
    assert scms_rules.known_on(asked, sent, due) == sent
    assert scms_rules.known_on(asked, None, due) == asked
    assert scms_rules.known_on(None, None, due) == due
    assert scms_rules.known_on(None, date(2012, 6, 1), due) == due
