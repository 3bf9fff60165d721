"""The three-way match as arithmetic: bounds on both sides, and what never happens whatever is billed."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from erp_core.procurement.invoices.numbers import Numbered, alike, is_double, number_key
from erp_core.procurement.invoices.resolutions import resolve
from erp_core.procurement.invoices.rules import (
    FINDING_CODES,
    Billed,
    BilledCharge,
    BilledLine,
    Creditable,
    Finding,
    OrderedCharges,
    OrderedLine,
    Tolerance,
    match,
    match_credit,
)

LINE, PO = UUID(int=1), UUID(int=2)
STRICT = Tolerance(quantity_over=0, price_over=0, overcharge=0, price_under=0, total_off=0)


def billed(*lines: tuple[int, int], charges: tuple[BilledCharge, ...] = (), off: int = 0) -> Billed:
    """(units, unit price) of the one line; `off` is added to the total that they come to."""
    parts = [BilledLine(LINE, units, price) for units, price in lines]
    whole = Billed("EUR", parts, charges, 0, 0)
    return replace(whole, total=whole.adds_up_to + off)


def codes(document: Billed, line: OrderedLine, tolerance: Tolerance, **order: int) -> list[str]:
    charges = OrderedCharges(PO, "EUR", **({"total": 10**9, "freight": 0} | order))
    return [one.code for one in match(document, {LINE: line}, {PO: charges}, {LINE: tolerance}, tolerance)]


@pytest.mark.capability("S106")
@pytest.mark.parametrize(
    ("price", "units", "tolerance", "held"),
    [
        (15_000_000, 1, Tolerance(price_over=0, overcharge=0), []),
        (15_000_100, 1, Tolerance(price_over=0, overcharge=0), ["price_high"]),
        (15_150_000, 1, Tolerance(price_over=100, overcharge=10**9), []),
        (15_150_001, 1, Tolerance(price_over=100, overcharge=10**9), ["price_high"]),
        (15_000_500, 2, Tolerance(price_over=100, overcharge=1_000), []),
        (15_000_501, 2, Tolerance(price_over=100, overcharge=1_000), ["price_high"]),
        (13_500_000, 1, Tolerance(price_under=1_000), []),
        (13_499_999, 1, Tolerance(price_under=1_000), ["price_low"]),
        (15_000_000, 40, STRICT, []),
        (15_000_000, 41, STRICT, ["quantity"]),
        (15_000_000, 42, Tolerance(quantity_over=500), []),
        (15_000_000, 43, Tolerance(quantity_over=500), ["quantity"]),
    ],
)
def test_every_bound_passes_and_one_step_beyond_is_held(
    price: int, units: int, tolerance: Tolerance, held: list[str]
) -> None:
    line = OrderedLine(LINE, PO, accepted=40, unit_price=15_000_000)
    assert codes(billed((units, price)), line, tolerance) == held


@pytest.mark.capability("S106")
def test_small_overcharges_add_up_over_invoices_until_they_are_too_much() -> None:
    tolerance = Tolerance(price_over=1_000, overcharge=1_000)
    line = OrderedLine(LINE, PO, accepted=100, unit_price=10_000)
    assert codes(billed((10, 10_050)), line, tolerance) == []
    assert codes(billed((10, 10_050)), replace(line, invoiced=10, overcharged=500), tolerance) == []
    assert codes(billed((10, 10_050)), replace(line, invoiced=10, overcharged=501), tolerance) == [
        "price_high"
    ]
    assert codes(billed((10, 10_000)), replace(line, invoiced=10, overcharged=9_999), tolerance) == []


@pytest.mark.capability("S106")
def test_two_lines_that_pass_alone_are_held_together() -> None:
    line = OrderedLine(LINE, PO, accepted=40, unit_price=10_000)
    assert codes(billed((25, 10_000)), line, STRICT) == []
    assert codes(billed((25, 10_000), (25, 10_000)), line, STRICT) == ["quantity"]


@pytest.mark.capability("S106")
def test_what_does_not_add_up_or_is_in_another_currency_is_held() -> None:
    line = OrderedLine(LINE, PO, accepted=40, unit_price=10_000)
    exact = replace(STRICT, total_off=100)
    assert codes(billed((1, 10_000), off=100), line, exact) == []
    assert codes(billed((1, 10_000), off=-101), line, exact) == ["total"]
    assert codes(replace(billed((1, 10_000)), currency="USD"), line, exact) == ["currency"]


@pytest.mark.capability("S106")
def test_freight_and_payments_in_advance_are_billed_once_and_taken_off_again() -> None:
    line = OrderedLine(LINE, PO, accepted=40, unit_price=10_000)

    def freight(amount: int) -> Billed:
        return billed((1, 10_000), charges=(BilledCharge(PO, "freight", amount),))

    assert codes(freight(500), line, STRICT, freight=500) == []
    assert codes(freight(501), line, STRICT, freight=500) == ["freight"]
    assert codes(freight(1), line, STRICT, freight=500, freight_billed=500) == ["freight"]
    advance = billed(charges=(BilledCharge(PO, "prepayment", 3_000),))
    assert codes(advance, line, STRICT, total=10_000) == ["prepayment"]
    third = replace(STRICT, prepayment=3_000)
    assert codes(advance, line, third, total=10_000) == []
    assert codes(advance, line, third, total=10_000, prepaid=1) == ["prepayment"]
    final = billed((1, 10_000), charges=(BilledCharge(PO, "deduction", 3_000),))
    assert codes(final, line, third, prepaid=3_000) == []
    assert codes(final, line, third, prepaid=2_999) == ["deduction"]
    assert codes(billed((1, 10_000)), line, third, prepaid=3_000) == ["deduction"]
    assert codes(billed((1, 10_000)), line, third, prepaid=3_000, deducted=3_000) == []


@pytest.mark.capability("S106")
def test_a_credit_note_gives_back_no_more_than_was_invoiced() -> None:
    left = Creditable({LINE: 10}, {LINE: 100_000}, {(PO, "freight"): 500})
    order = {PO: OrderedCharges(PO, "EUR", 0, 0)}

    def found(document: Billed) -> list[str]:
        return [one.code for one in match_credit(document, left, order, STRICT)]

    assert found(billed((10, 10_000), charges=(BilledCharge(PO, "freight", 500),))) == []
    assert found(billed((11, 1))) == ["credit_quantity"]
    assert found(billed((10, 10_001))) == ["credit_value"]
    assert found(billed((1, 1), charges=(BilledCharge(PO, "freight", 501),))) == ["credit_value"]
    reduction = Billed("EUR", [BilledLine(LINE, 999, 100, price_only=True)], (), 0, 99_900)
    assert found(reduction) == []


@pytest.mark.capability("S106")
@given(
    accepted=st.integers(0, 500),
    share=st.integers(0, 2_000),
    bills=st.lists(st.tuples(st.integers(1, 300), st.integers(1, 20_000)), max_size=12),
)
def test_what_is_payable_never_exceeds_what_is_billable(
    accepted: int, share: int, bills: list[tuple[int, int]]
) -> None:
    tolerance = Tolerance(quantity_over=share, price_over=2_000, overcharge=50_000)
    line = OrderedLine(LINE, PO, accepted=accepted, unit_price=10_000)
    for units, price in bills:
        document = billed((units, price))
        if codes(document, line, tolerance) == []:
            over = max(price - line.unit_price, 0) * units
            line = replace(line, invoiced=line.invoiced + units, overcharged=line.overcharged + over)
    assert line.invoiced * 10_000 <= accepted * (10_000 + share)
    assert line.overcharged <= 50_000


@pytest.mark.capability("S106")
def test_a_number_is_the_same_however_it_is_spelt_and_alike_where_it_is_mistyped() -> None:
    assert number_key(" inv/2026 004 ") == number_key("INV-2026-004") == "INV-2026-004"
    assert number_key("1-23") != number_key("12-3")
    for other in (
        "INV-2026-4",
        "INV2026004",
        "INV-2O26-004",
        "INV-2026-040",
        "INV-2026-0044",
        "IMV-2026-004",
    ):
        assert alike("INV-2026-004", number_key(other)), other
    for other in ("INV-2026-115", "CR-2026-004", "004"):
        assert not alike("INV-2026-004", other), other


@pytest.mark.capability("S106")
def test_a_double_agrees_in_everything_and_deliveries_of_each_week_do_not() -> None:
    one = Numbered("INV-1007", date(2026, 6, 1), 5_000, "ten lamps")
    typed = replace(one, key="INV-1O07", invoiced_on=date(2026, 6, 9))
    assert is_double(one, typed, 90)
    assert not is_double(one, replace(typed, total=5_001), 90)
    assert not is_double(one, replace(typed, billed="ten other lamps"), 90)
    assert not is_double(one, replace(typed, invoiced_on=date(2026, 8, 31)), 90)
    assert is_double(one, replace(typed, invoiced_on=date(2026, 8, 30)), 90)
    next_week = replace(one, key="INV-1008", invoiced_on=date(2026, 6, 8))
    assert not is_double(one, next_week, 90)
    assert is_double(one, replace(next_week, invoiced_on=one.invoiced_on), 90)


@pytest.mark.capability("S228")
def test_every_reason_has_an_owner_a_proposal_and_a_sentence_with_its_figures() -> None:
    for code in FINDING_CODES:
        finding = Finding(code, 20_000, 25_000, 20_000, uuid4())
        told = resolve(finding, ordered=10, units=4, unit_price=20_000)
        assert told.owner in ("buyer", "finance") and told.explanation.endswith("."), code
    dearer = resolve(Finding("price_high", 20_000, 25_000, 20_200), ordered=10, units=4, unit_price=20_000)
    assert (dearer.action, dearer.amount) == ("ask_credit", 20_000)
    assert "4 units are billed at 2.50, ordered at 2.00: 2.00 too much" in dearer.explanation
    early = resolve(Finding("quantity", 6, 10, 6), ordered=10, units=10, unit_price=20_000)
    assert (early.action, early.amount) == ("wait", 80_000)
    beyond = resolve(Finding("quantity", 10, 12, 10), ordered=10, units=12, unit_price=20_000)
    assert (beyond.action, beyond.amount) == ("ask_credit", 40_000)
