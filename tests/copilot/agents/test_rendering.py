"""The renderer: a number leaves only when a result supports it."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copilot.agents.rendering import numbers_of, render, render_sentence, unsupported
from copilot.agents.slots import NO_VALUE, Results, SlotError, evaluate
from copilot.tools.tool import Fact, table

SALES = table(
    "Net sales",
    [
        ("channel", "Channel", None),
        ("net_sales", "Net sales", "money"),
        ("share", "Share", "percent"),
        ("empty", "Empty", "units"),
    ],
    [("Web 24", Decimal("12345.67"), Decimal("0.6"), None), ("Shop", Decimal("8000"), Decimal("0.4"), None)],
    total=7,
    currency="EUR",
)
RESULTS = Results([SALES], {"weeks": Fact(value=8, unit="count")})


def shown(text: str, results: Results = RESULTS) -> list[str]:
    return [one.text for one in render(text, results) if one.withheld is None]


@pytest.mark.capability("S231")
@pytest.mark.parametrize(
    "sentence",
    [
        "Sales were 12,345.67 EUR.",
        "Sales were 12,346 EUR.",
        "Sales were about 12.3k.",
        "Web 24 had 60 % of it.",
        "The shop had 8,000.",
        "There are seven channels over eight weeks.",
    ],
)
def test_a_number_found_in_a_result_may_leave(sentence: str) -> None:
    assert shown(sentence) == [sentence]


@pytest.mark.capability("S231")
@pytest.mark.parametrize(
    "sentence",
    [
        "Sales were 12,344.",
        "Sales were 15k.",
        "They grew by 61 %.",
        "There are five channels.",
        "It doubled.",
        "About a dozen were late.",
        "In 2019 it was different.",
        "It happened on 2026-05-04.",
        "They sold 5.",
        "24 were sold.",
        "Three hundred orders are late.",
    ],
)
def test_a_number_that_no_result_supports_is_withheld(sentence: str) -> None:
    assert shown(sentence) == []


def test_one_unsupported_sentence_does_not_take_the_others_with_it() -> None:
    assert shown("The shop had 8,000. It will have 9,000. That is {{t1.r1.share}} of it.") == [
        "The shop had 8,000.",
        "That is 40.0 % of it.",
    ]


def test_list_ordinals_and_the_questions_numbers_are_free() -> None:
    assert shown("1. Web 24 leads.\n2. Shop follows.") == ["1. Web 24 leads.", "2. Shop follows."]
    assert render_sentence("You asked for 33.", RESULTS, free=numbers_of("top 33 items")).withheld is None


def test_slots_compute_over_cells_and_nothing_else() -> None:
    assert shown("{{t1.r0.net_sales - t1.r1.net_sales}} more") == ["4,346 EUR more"]
    assert shown("{{t1.r1.net_sales / t1.r0.net_sales}}") == ["64.8 %"]
    assert shown("{{t1.r0.empty}} left") == [f"{NO_VALUE} left"]
    for bad in (
        "t1.r0.net_sales * 0",
        "42",
        "t9.r0.net_sales",
        "t1.r0.nothing",
        "t1.r0.net_sales + t1.r0.share",
        "open('x')",
        "t1.r0.__class__",
        "sum(t1.net_sales)",
    ):
        with pytest.raises(SlotError):
            evaluate(bad, RESULTS)


@given(value=st.decimals(-10_000_000, 10_000_000, places=3), wrong=st.integers(1, 10**7))
def test_a_cell_written_in_full_passes_and_another_number_does_not(value: Decimal, wrong: int) -> None:
    results = Results([table("T", [("x", "X", "units")], [(value,), (None,)], total=2)])
    assert unsupported(f"It is {value:,.3f}.", results) == []
    other = value + wrong * 10
    if abs(other) not in (value, abs(value), Decimal(1), Decimal(2)):
        assert unsupported(f"It is {other:,.3f}.", results)


@given(text=st.text(alphabet="abc {}t1r0.netsales+-*/()|5%\n", max_size=80))
def test_no_prose_breaks_the_renderer_and_no_slot_survives_it(text: str) -> None:
    for sentence in render(text, RESULTS):
        assert sentence.withheld is not None or "{{" not in sentence.text


@given(st.text(max_size=120))
def test_digits_in_shown_prose_come_from_results(text: str) -> None:
    empty = Results()
    for sentence in render(text, empty):
        if sentence.withheld is None:
            assert unsupported(sentence.text, empty) == []
