"""Writes that travel together fail like writes one by one, and leave nothing behind."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.exc import IntegrityError

from erp_core.gate.model import company
from erp_core.master.model import data_feeds
from erp_core.storage.bulk import insert_rows
from erp_core.storage.columnar import insert_columns
from erp_core.storage.engine import WriteBesideGate, gate_writing, reading, writing
from erp_core.storage.together import insert_at_once, together

pytestmark = pytest.mark.capability("S208")


def _facts(engine: Engine) -> int:
    with reading(engine) as connection:
        return connection.scalar(select(func.count()).select_from(company)) or 0


def test_writes_that_travel_together_are_all_there(engine: Engine) -> None:
    before = _facts(engine)
    _write(engine, "one", "two", "three")
    assert _facts(engine) == before + 3


def _write(engine: Engine, *keys: str) -> None:
    with gate_writing(engine) as connection, together(connection):
        for key in keys:
            insert_rows(connection, company, [{"key": key, "value": "1"}])


@pytest.mark.parametrize("keys", [("one", "one"), ("one", "one", "two"), ("two", "one", "two", "three")])
def test_a_key_that_is_taken_is_an_integrity_error_and_nothing_stays(
    engine: Engine, keys: tuple[str, ...]
) -> None:
    before = _facts(engine)
    with pytest.raises(IntegrityError, match="company"):
        _write(engine, *keys)
    assert _facts(engine) == before


def test_after_a_refused_write_the_connection_serves_the_next_transaction(engine: Engine) -> None:
    for _ in range(3):
        with pytest.raises(IntegrityError):
            _write(engine, "one", "one")
    before = _facts(engine)
    _write(engine, "one")
    assert _facts(engine) == before + 1


def _facts_named(*keys: str) -> list[dict[str, object]]:
    return [{"key": key, "value": key} for key in keys]


def _feed(kind: str) -> dict[str, object]:
    day = date(2026, 6, 30)
    return {
        "kind": kind,
        "first_on": day,
        "last_on": day,
        "updated_at": datetime(2026, 6, 30, 12, 0, tzinfo=UTC),
    }


@pytest.mark.parametrize("count", [0, 1, 3, 30])
def test_rows_of_several_tables_go_in_at_once_as_they_would_one_table_after_the_other(
    engine: Engine, count: int
) -> None:
    keys = [f"fact {number}" for number in range(count)]
    with gate_writing(engine) as connection:
        insert_at_once(connection, [(company, _facts_named(*keys)), (data_feeds, [_feed("sales")])])
    with reading(engine) as connection:
        written = connection.execute(select(company.c.key, company.c.value).where(company.c.key.in_(keys)))
        assert {tuple(row) for row in written} == {(key, key) for key in keys}
        assert connection.execute(select(data_feeds)).mappings().all() == [_feed("sales")]


def test_a_row_that_one_of_the_tables_refuses_keeps_the_others_out_too(engine: Engine) -> None:
    before = _facts(engine)
    with pytest.raises(IntegrityError, match="data_feeds"), gate_writing(engine) as connection:
        insert_at_once(
            connection, [(company, _facts_named("one")), (data_feeds, [_feed("sales"), _feed("sales")])]
        )
    assert _facts(engine) == before


def test_at_once_as_well_business_tables_change_only_through_the_gate(engine: Engine) -> None:
    with pytest.raises(WriteBesideGate, match="company"), writing(engine) as connection:
        insert_at_once(connection, [(company, _facts_named("one"))])


@pytest.mark.parametrize("count", [3, 30])
def test_bulk_writes_by_column_may_travel_together_with_others(engine: Engine, count: int) -> None:
    before = _facts(engine)
    columns = {"key": [f"fact {number}" for number in range(count)], "value": "all"}
    with gate_writing(engine) as connection, together(connection):
        insert_rows(connection, company, _facts_named("first"))
        insert_columns(connection, company, columns)
    assert _facts(engine) == before + 1 + count
