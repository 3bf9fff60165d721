"""Whatever way a period is written, it is read back as that period: templates over months, quarters, halves and years."""

from __future__ import annotations

import calendar
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from copilot.agents.interpreter import period_grammar
from copilot.agents.interpreter.dates import When
from copilot.agents.interpreter.periods import bounds
from copilot.agents.interpreter.phrasing import prepare
from tests.copilot.agents.company import TODAY, lexicon

_NUMBERS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_ORDINALS = ("first", "second", "third", "fourth")
UNTIMED = settings(deadline=None)
MONTHS = st.tuples(st.integers(2023, 2025), st.integers(1, 12))


def read_back(text: str) -> tuple[date, date] | None:
    """The period read where it covers all the words that were written, else None."""
    prepared = prepare(f"net sales {text}", lexicon().known.__contains__).casefold()
    found = period_grammar.find(prepared, When(TODAY))
    if found is None:
        return None
    left = (prepared[: found.start] + prepared[found.end :]).replace("net sales", "").strip(" ,")
    return bounds(found.value, TODAY) if not left else None


def last_day(year: int, month: int) -> date:
    return date(year, month, calendar.monthrange(year, month)[1])


def back(year: int, month: int, count: int) -> date:
    index = year * 12 + month - count
    return date(index // 12, index % 12 + 1, 1)


@pytest.mark.capability("S231")
@UNTIMED
@given(
    MONTHS,
    st.sampled_from(
        (
            "in {name} {year}",
            "{short} {year}",
            "for the month of {name} {year}",
            "{short}-{yy:02d}",
            "{month:02d}/{year}",
            "{year}-{month:02d}",
            "{name} '{yy:02d}",
            "during {name} of {year}",
            "{name}, {year}",
        )
    ),
)
def test_a_month_is_that_month(when: tuple[int, int], template: str) -> None:
    year, month = when
    said = template.format(
        year=year,
        yy=year % 100,
        month=month,
        name=calendar.month_name[month],
        short=calendar.month_abbr[month],
    )
    assert read_back(said) == (date(year, month, 1), last_day(year, month)), said


@UNTIMED
@given(
    MONTHS,
    st.integers(1, 11),
    st.sampled_from(
        (
            "from {first} to {last}",
            "{first} - {last}",
            "{first}–{last}",
            "{first} through {last}",
            "between {first} and {last}",
            "{first} until {last}",
        )
    ),
)
def test_a_range_of_months_runs_from_the_first_day_to_the_last(
    when: tuple[int, int], length: int, template: str
) -> None:
    year, month = when
    start = back(year, month, length + 1)
    said = template.format(
        first=f"{calendar.month_name[start.month]} {start.year}", last=f"{calendar.month_name[month]} {year}"
    )
    assert read_back(said) == (start, last_day(year, month)), said


@UNTIMED
@given(
    st.integers(2023, 2025), st.integers(1, 11), st.sampled_from((" + ", " and ", " & ", "/", ", ", " plus "))
)
def test_periods_that_adjoin_are_one(year: int, month: int, between: str) -> None:
    said = f"{calendar.month_abbr[month]}{between}{calendar.month_abbr[month + 1]} {year}"
    assert read_back(said) == (date(year, month, 1), last_day(year, month + 1)), said


def test_periods_with_a_gap_between_them_are_never_read_as_one() -> None:
    assert read_back("March + May 2025") is None


@UNTIMED
@given(
    MONTHS,
    st.integers(2, 12),
    st.booleans(),
    st.sampled_from(
        (
            "{count} months to the end of {name} {year}",
            "the {count} months to {name} {year}",
            "in the {count} months ending {name} {year}",
            "over the {count} months up to the end of {name} {year}",
        )
    ),
)
def test_so_many_months_to_the_end_of_one(
    when: tuple[int, int], count: int, in_words: bool, template: str
) -> None:
    year, month = when
    said = template.format(
        count=_NUMBERS[count - 1] if in_words else count, name=calendar.month_name[month], year=year
    )
    assert read_back(said) == (back(year, month, count), last_day(year, month)), said


@UNTIMED
@given(
    st.integers(2023, 2025),
    st.integers(1, 4),
    st.sampled_from(
        (
            "Q{n} {year}",
            "{year} Q{n}",
            "in the {nth} quarter of {year}",
            "Q{n}/{year}",
            "Q{n} '{yy:02d}",
            "{n}Q{yy:02d}",
            "for Q{n} of {year}",
        )
    ),
)
def test_a_quarter_is_that_quarter(year: int, number: int, template: str) -> None:
    said = template.format(n=number, nth=_ORDINALS[number - 1], year=year, yy=year % 100)
    assert read_back(said) == (date(year, 3 * number - 2, 1), last_day(year, 3 * number)), said


@UNTIMED
@given(
    st.integers(2023, 2025),
    st.integers(1, 2),
    st.sampled_from(("H{n} {year}", "the {nth} half of {year}", "in H{n}/{year}", "{n}H{yy:02d}")),
)
def test_a_half_is_that_half(year: int, number: int, template: str) -> None:
    said = template.format(n=number, nth=_ORDINALS[number - 1], year=year, yy=year % 100)
    assert read_back(said) == (date(year, 6 * number - 5, 1), last_day(year, 6 * number)), said


@UNTIMED
@given(
    st.integers(2023, 2025),
    st.sampled_from(
        ("in {year}", "all of {year}", "the year {year}", "calendar year {year}", "in '{yy:02d}")
    ),
)
def test_a_year_is_that_year(year: int, template: str) -> None:
    said = template.format(year=year, yy=year % 100)
    assert read_back(said) == (date(year, 1, 1), date(year, 12, 31)), said


@UNTIMED
@given(st.integers(2023, 2025), st.integers(1, 11), st.sampled_from(("first", "last")), st.booleans())
def test_the_first_and_last_months_of_a_year(year: int, count: int, which: str, in_words: bool) -> None:
    said = f"in the {which} {_NUMBERS[count - 1] if in_words else count} months of {year}"
    months = (1, count) if which == "first" else (13 - count, 12)
    assert read_back(said) == (date(year, months[0], 1), last_day(year, months[1])), said


@UNTIMED
@given(
    st.integers(1, 6),
    st.sampled_from(
        (
            "since {name}",
            "since the beginning of {name}",
            "since the start of {name} 2026",
            "from {name} until now",
            "{name} until today",
            "from {name} onwards",
        )
    ),
)
def test_since_a_month_runs_until_today(month: int, template: str) -> None:
    said = template.format(name=calendar.month_name[month])
    assert read_back(said) == (date(2026, month, 1), TODAY), said


@UNTIMED
@given(st.integers(2, 90), st.sampled_from(("last", "past", "previous", "most recent", "trailing")))
def test_so_many_days_end_today(count: int, word: str) -> None:
    said = f"over the {word} {count} days"
    assert read_back(said) == (TODAY - timedelta(days=count - 1), TODAY), said


@pytest.mark.parametrize("said", ["this fiscal week 60", "month 13 of 2025", "32 May 2025"])
def test_what_is_no_period_is_not_made_one_of_another_length(said: str) -> None:
    found = read_back(said)
    assert found is None
