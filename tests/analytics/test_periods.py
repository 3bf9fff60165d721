"""Named periods are resolved on the business date; weeks start on Monday."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, select

from erp_core.analytics.errors import InvalidPeriod
from erp_core.analytics.model import calendar
from erp_core.analytics.periods import NAMED, absolute_period, compared_period, resolve_period, whole_months
from erp_core.analytics.query import Between
from erp_core.storage.engine import reading

TUESDAY = date(2026, 6, 30)


def dates(name: str, today: date = TUESDAY) -> tuple[str, str]:
    period = resolve_period(name, today)
    assert period is not None
    return period.start.isoformat(), period.end.isoformat()


@pytest.mark.parametrize(
    ("name", "start", "end"),
    [
        ("today", "2026-06-30", "2026-06-30"),
        ("yesterday", "2026-06-29", "2026-06-29"),
        ("this_week", "2026-06-29", "2026-07-05"),
        ("last_week", "2026-06-22", "2026-06-28"),
        ("this_month", "2026-06-01", "2026-06-30"),
        ("last_month", "2026-05-01", "2026-05-31"),
        ("this_quarter", "2026-04-01", "2026-06-30"),
        ("last_quarter", "2026-01-01", "2026-03-31"),
        ("this_year", "2026-01-01", "2026-12-31"),
        ("last_year", "2025-01-01", "2025-12-31"),
        ("year_to_date", "2026-01-01", "2026-06-30"),
        ("last_7_days", "2026-06-24", "2026-06-30"),
        ("last_2_weeks", "2026-06-17", "2026-06-30"),
        ("last_12_months", "2025-07-01", "2026-06-30"),
        ("last_1_year", "2025-07-01", "2026-06-30"),
        ("2026-02", "2026-02-01", "2026-02-28"),
        ("2024-02", "2024-02-01", "2024-02-29"),
        ("2026-Q1", "2026-01-01", "2026-03-31"),
        ("2025", "2025-01-01", "2025-12-31"),
        ("2026-W27", "2026-06-29", "2026-07-05"),
        ("2026-06-15", "2026-06-15", "2026-06-15"),
    ],
)
def test_a_named_period_becomes_two_inclusive_dates(name: str, start: str, end: str) -> None:
    assert dates(name) == (start, end)


def test_all_time_has_no_dates() -> None:
    assert resolve_period("all", TUESDAY) is None
    assert resolve_period(None, TUESDAY) is None


@pytest.mark.parametrize(
    "name", ["soon", "last_0_days", "2026-13", "2026-Q5", "last_month_but_one", "2026-02-30", ""]
)
def test_what_is_no_period_is_refused_with_a_remedy(name: str) -> None:
    with pytest.raises(InvalidPeriod) as refusal:
        resolve_period(name, TUESDAY)
    assert "last_month" in refusal.value.remedy


def test_a_period_that_ends_before_it_starts_is_refused() -> None:
    with pytest.raises(InvalidPeriod, match="before it starts"):
        resolve_period(Between.model_validate({"from": "2026-02-01", "to": "2026-01-01"}), TUESDAY)


@given(
    st.dates(date(2010, 1, 1), date(2034, 12, 31)), st.sampled_from([name for name in NAMED if name != "all"])
)
def test_every_named_period_starts_no_later_than_it_ends_and_near_today(today: date, name: str) -> None:
    period = resolve_period(name, today)
    assert period is not None and period.start <= period.end
    assert abs((period.start - today).days) <= 732


@pytest.mark.parametrize(
    ("name", "compare", "start", "end"),
    [
        ("2026-06", "previous_period", "2026-05-01", "2026-05-31"),
        ("2026-Q1", "previous_period", "2025-10-01", "2025-12-31"),
        ("2026-02", "previous_year", "2025-02-01", "2025-02-28"),
        ("2024-02", "previous_year", "2023-02-01", "2023-02-28"),
        ("2025-02", "previous_year", "2024-02-01", "2024-02-29"),
        ("last_7_days", "previous_period", "2026-06-17", "2026-06-23"),
        ("2024-02-29", "previous_year", "2023-02-28", "2023-02-28"),
    ],
)
def test_a_period_is_compared_with_the_stretch_before_or_the_year_before(
    name: str, compare: str, start: str, end: str
) -> None:
    period = resolve_period(name, TUESDAY)
    assert period is not None
    compared = compared_period(period, compare)  # type: ignore[arg-type]
    assert (compared.start.isoformat(), compared.end.isoformat()) == (start, end)


@given(st.dates(date(2010, 1, 1), date(2034, 1, 1)), st.integers(0, 800))
def test_the_previous_period_ends_the_day_before_and_is_as_long(start: date, days: int) -> None:
    period = Between.model_validate({"from": start, "to": start + timedelta(days=days)})
    compared = compared_period(period, "previous_period")
    assert compared.end == start - timedelta(days=1)
    if whole_months(period):
        assert whole_months(compared) == whole_months(period)
    else:
        assert compared.end - compared.start == period.end - period.start


def test_the_calendar_names_every_day_from_2005_to_2035_once(sqlite_engine: Engine) -> None:
    with reading(sqlite_engine) as connection:
        rows = {row.day: row._mapping for row in connection.execute(select(calendar))}
    assert len(rows) == (date(2036, 1, 1) - date(2005, 1, 1)).days
    for day, row in rows.items():
        assert row["week"].weekday() == 0 and 0 <= (day - row["week"]).days < 7
        for name in ("month", "quarter", "year"):
            period = absolute_period(row[name])
            assert period is not None and period.start <= day <= period.end
