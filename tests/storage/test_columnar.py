"""Bulk writes store what the column types themselves would store."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Column, Date, MetaData, Table
from sqlalchemy.dialects import sqlite

from erp_core.storage.columnar import _converted
from erp_core.storage.types import Id, UtcDateTime

_ZONES = st.sampled_from((UTC, timezone(timedelta(hours=5, minutes=30)), timezone(timedelta(hours=-8))))
_VALUES = {
    "id": (Id(), st.uuids()),
    "day": (Date(), st.dates()),
    "moment": (
        UtcDateTime(),
        st.datetimes(datetime(1900, 1, 2), datetime(2200, 1, 1), timezones=_ZONES),
    ),
}


def _written(name: str, values: Sequence[Any]) -> list[Any]:
    kind, _ = _VALUES[name]
    table = Table("records", MetaData(), Column(name, kind))
    (stream,) = _converted(sqlite.dialect(), table, {name: values}, [name])
    return list(stream)


@pytest.mark.parametrize("name", _VALUES)
@given(data=st.data())
def test_sqlite_gets_the_text_that_the_type_itself_makes(name: str, data: st.DataObject) -> None:
    kind, some = _VALUES[name]
    values = data.draw(st.lists(st.none() | some, max_size=6))
    dialect = sqlite.dialect()
    convert = kind.dialect_impl(dialect).bind_processor(dialect)
    assert convert is not None
    assert _written(name, values) == [convert(value) for value in values]


def test_a_moment_without_a_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        _written("moment", [datetime(2026, 6, 30, 8)])


def test_a_value_given_twice_in_a_row_is_written_twice() -> None:
    moment = datetime(2026, 6, 30, 8, 15, tzinfo=UTC)
    assert _written("moment", [moment, moment, None, moment]) == [
        "2026-06-30 08:15:00.000000",
        "2026-06-30 08:15:00.000000",
        None,
        "2026-06-30 08:15:00.000000",
    ]
    assert _written("day", [date(2026, 6, 30)]) == ["2026-06-30"]
    assert _written("id", [UUID(int=7)]) == [UUID(int=7).hex]
