"""What is copied into PostgreSQL is what any other write would store, and a refusal is heard before the end."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    Engine,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    select,
)
from sqlalchemy.exc import DBAPIError, IntegrityError

from erp_core.gate.model import company
from erp_core.storage.columnar import add_missing, insert_columns, replace_columns
from erp_core.storage.engine import gate_writing, open_engine, reading
from erp_core.storage.types import Id, Json, UtcDateTime

RECORDS = Table(
    "copied_records",
    MetaData(),
    Column("number", Integer, primary_key=True),
    Column("id", Id),
    Column("day", Date),
    Column("moment", UtcDateTime),
    Column("units", BigInteger),
    Column("done", Boolean),
    Column("word", String(40)),
    Column("words", Text),
    Column("document", Json),
)
_ZONES = st.sampled_from((UTC, timezone(timedelta(hours=5, minutes=30)), timezone(timedelta(hours=-8))))
_TEXTS = st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\0"), max_size=12)
_NASTY = st.sampled_from(("", "\\N", "\\.", "\t", "a\nb", "\r", '"{,}', "\\", "NULL", "ü€😀"))
_VALUES = {
    "id": st.uuids(),
    "day": st.dates(date(1, 1, 1), date(9999, 12, 31)),
    "moment": st.datetimes(datetime(1900, 1, 2), datetime(2200, 1, 1), timezones=_ZONES),
    "units": st.integers(-(2**63), 2**63 - 1),
    "done": st.booleans(),
    "word": _TEXTS | _NASTY,
    "words": _TEXTS | _NASTY,
    "document": st.dictionaries(_TEXTS, _TEXTS | _NASTY | st.integers(-(2**53), 2**53), max_size=3),
}
_ROWS = st.lists(
    st.fixed_dictionaries({name: st.none() | some for name, some in _VALUES.items()}), max_size=5
)


@pytest.fixture
def server(postgres_url: str) -> Iterator[Engine]:
    engine = open_engine(postgres_url)
    with engine.begin() as connection:
        RECORDS.create(connection)
    yield engine
    engine.dispose()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=_ROWS, constant=_TEXTS | _NASTY)
def test_every_value_comes_back_as_it_was_copied(server: Engine, rows: list[dict], constant: str) -> None:
    columns = {name: [row[name] for row in rows] for name in _VALUES}
    columns |= {"number": list(range(len(rows))), "word": constant}
    with gate_writing(server) as connection:
        connection.execute(RECORDS.delete())
        insert_columns(connection, RECORDS, columns)
        found = connection.execute(select(RECORDS).order_by(RECORDS.c.number)).all()
    assert [dict(row._mapping) for row in found] == [
        {"number": number} | row | {"word": constant} for number, row in enumerate(rows)
    ]


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=_ROWS)
def test_rows_that_are_replaced_hold_what_was_given_last(server: Engine, rows: list[dict]) -> None:
    columns = {name: [row[name] for row in rows] for name in _VALUES} | {"number": list(range(len(rows)))}
    with gate_writing(server) as connection:
        connection.execute(RECORDS.delete())
        insert_columns(connection, RECORDS, {"number": list(range(len(rows))), "units": 1, "word": "before"})
        replace_columns(connection, RECORDS, columns, list(_VALUES))
        add_missing(connection, RECORDS, {"number": list(range(len(rows) + 1)), "units": 7})
        found = connection.execute(select(RECORDS).order_by(RECORDS.c.number)).all()
    assert [dict(row._mapping) for row in found[:-1]] == [
        {"number": number} | row for number, row in enumerate(rows)
    ]
    assert (found[-1].number, found[-1].units, found[-1].id) == (len(rows), 7, None)


def _copy(server: Engine, *keys: str) -> None:
    with gate_writing(server) as connection:
        insert_columns(connection, company, {"key": list(keys), "value": "1"})


def test_a_copy_that_is_refused_is_an_error_by_the_end_and_leaves_nothing(server: Engine) -> None:
    for _ in range(2):
        with pytest.raises(IntegrityError, match="company"):
            _copy(server, "one", "two", "one")
    _copy(server, "one", "two")
    with reading(server) as connection:
        assert set(connection.scalars(select(company.c.key))) >= {"one", "two"}


def _copy_and_read(server: Engine, *keys: str) -> None:
    with gate_writing(server) as connection:
        insert_columns(connection, company, {"key": list(keys), "value": "1"})
        assert connection.execute(select(company.c.key)).all() is None, "the copy was heard too late"


def test_a_copy_that_is_refused_stops_the_next_statement(server: Engine) -> None:
    with pytest.raises(IntegrityError):
        _copy_and_read(server, "one", "one")


def _copy_and_fail(server: Engine) -> None:
    with gate_writing(server) as connection:
        insert_columns(connection, company, {"key": [f"fact {n}" for n in range(2_000)], "value": "1"})
        raise ZeroDivisionError


def test_an_error_in_the_middle_of_a_transaction_takes_back_what_is_still_being_copied(
    server: Engine,
) -> None:
    with pytest.raises(ZeroDivisionError):
        _copy_and_fail(server)
    with reading(server) as connection:
        assert connection.scalar(select(company.c.key).where(company.c.key == "fact 1")) is None


def test_a_value_that_the_column_does_not_take_is_an_error(server: Engine) -> None:
    with pytest.raises(DBAPIError), gate_writing(server) as connection:
        insert_columns(connection, RECORDS, {"number": [1], "word": "x" * 41})
    with pytest.raises(ValueError, match="time zone"), gate_writing(server) as connection:
        insert_columns(connection, RECORDS, {"number": [1], "moment": [datetime(2026, 6, 30, 8)]})
    with gate_writing(server) as connection:
        insert_columns(connection, RECORDS, {"number": range(12_000), "id": UUID(int=7)})
    with reading(server) as connection:
        assert len(connection.execute(select(RECORDS.c.id)).all()) == 12_000
