"""Writes that travel together fail like writes one by one, and leave nothing behind."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.exc import IntegrityError

from erp_core.gate.model import company
from erp_core.storage.bulk import insert_rows
from erp_core.storage.engine import gate_writing, reading
from erp_core.storage.together import together

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
