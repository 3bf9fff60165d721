"""COPY into PostgreSQL: rows spelled column by column, and sent without waiting for the server to have written them.

The last table of a transaction that was copied may still be on its way when the caller goes on; `driver_of` and
every statement, commit and rollback of an engine that `finish_before_use` was called for wait for it, and raise what
became of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import date, datetime
from itertools import islice, repeat
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, Connection, Date, Engine, Integer, String, Table, Text, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import TypeEngine

from erp_core.storage.ids import hexadecimal
from erp_core.storage.types import CanonicalText, Id, Json, UtcDateTime, canonical_json, utc_text

NULL = "\\N"
_ROWS_AT_ONCE = 5_000
_WAITING = "copy_under_way"
_FINISHED_BEFORE_USE = "copies_finished_before_use"
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


class _Texts(dict[Any, str]):
    """Values as COPY reads them, spelled at first sight."""

    def __init__(self, spell: Callable[[Any], str]) -> None:
        super().__init__({None: NULL})
        self._spell = spell

    def __missing__(self, value: Any) -> str:
        text = self[value] = self._spell(value)
        return text


def _escaped(value: str) -> str:
    return value if value.isalnum() else value.translate(_ESCAPES)


def _ids(values: Iterable[UUID | None]) -> list[str]:
    return [hexadecimal(value) or NULL for value in values]


def _numbers(values: Iterable[int | None]) -> list[str]:
    return [NULL if value is None else str(value) for value in values]


def _strings(values: Iterable[str | None]) -> list[str]:
    return list(map(_Texts(_escaped).__getitem__, values))


def _days(values: Iterable[date | None]) -> list[str]:
    return list(map(_Texts(date.isoformat).__getitem__, values))


def _moments(values: Iterable[datetime | None]) -> list[str]:
    return list(map(_Texts(lambda value: f"{utc_text(value)}+00").__getitem__, values))


def _truths(values: Iterable[bool | None]) -> list[str]:
    return [NULL if value is None else "t" if value else "f" for value in values]


def _documents(values: Iterable[Any]) -> list[str]:
    """Canonical JSON has no control characters outside escapes: only the escapes' own sign is doubled."""
    return [
        NULL
        if value is None
        else (value if isinstance(value, CanonicalText) else canonical_json(value)).replace("\\", "\\\\")
        for value in values
    ]


_SPELLINGS: Mapping[type[TypeEngine[Any]], Callable[[Iterable[Any]], list[str]]] = {
    Id: _ids,
    Integer: _numbers,
    BigInteger: _numbers,
    String: _strings,
    Text: _strings,
    Date: _days,
    UtcDateTime: _moments,
    Boolean: _truths,
    Json: _documents,
}


def spelled(table: Table, columns: Mapping[str, Any]) -> Iterator[str] | None:
    """The rows that the columns spell, a line each, as COPY reads them; None where a column's type has no spelling.

    A column is a sequence of values or one constant for all rows, of which not all may be constant.
    """
    streams: list[Iterable[str]] = []
    for name, values in columns.items():
        spell = _SPELLINGS.get(type(table.c[name].type))
        if spell is None:
            return None
        constant = isinstance(values, str) or not isinstance(values, Sequence)
        streams.append(repeat(spell([values])[0]) if constant else spell(values))
    return map("\t".join, zip(*streams, strict=False))


def copy_rows(connection: Connection, statement: str, rows: Iterator[str]) -> None:
    """Send the rows to a COPY statement. The last thousands may be on their way yet when this returns."""
    from psycopg.generators import copy_to, execute
    from psycopg.pq import ExecStatus, TransactionStatus

    driver = driver_of(connection)
    with _raising(connection, statement):
        if driver.pgconn.transaction_status == TransactionStatus.IDLE:
            driver.execute(
                "SELECT 1"
            )  # the driver begins its transaction with the first statement of a cursor
        driver.pgconn.send_query(statement.encode())
        (begun,) = driver.wait(execute(driver.pgconn))
        if begun.status != ExecStatus.COPY_IN:
            raise _error(begun)
        part = _part(rows)
        while part:
            following = _part(rows)
            if following:
                driver.wait(copy_to(driver.pgconn, part, flush=True))
            else:
                driver.pgconn.put_copy_data(part)
            part = following
        driver.pgconn.put_copy_end()
        driver.pgconn.flush()
    connection.info[_WAITING] = statement
    if _FINISHED_BEFORE_USE not in connection.info:
        finish(connection)


def _part(rows: Iterator[str]) -> bytes:
    lines = list(islice(rows, _ROWS_AT_ONCE))
    return "\n".join([*lines, ""]).encode() if lines else b""


def finish(connection: Connection) -> None:
    """Wait until what was copied is written. Raises what the server says against it."""
    statement = connection.info.pop(_WAITING, None)
    if statement is None:
        return
    from psycopg.generators import execute
    from psycopg.pq import ExecStatus

    driver: Any = connection.connection.driver_connection
    with _raising(connection, statement):
        for result in driver.wait(execute(driver.pgconn)):
            if result.status != ExecStatus.COMMAND_OK:
                raise _error(result)


def driver_of(connection: Connection) -> Any:
    """The driver's own connection, with nothing under way."""
    finish(connection)
    return connection.connection.driver_connection


@contextmanager
def _raising(connection: Connection, statement: str) -> Iterator[None]:
    """Let the driver's errors be SQLAlchemy's, as with every other statement."""
    import psycopg

    try:
        yield
    except psycopg.Error as error:
        raise DBAPIError.instance(
            statement, None, error, psycopg.Error, dialect=connection.dialect
        ) from error


def _error(result: Any) -> Exception:
    from psycopg.errors import error_from_result

    return error_from_result(result)


def finish_before_use(engine: Engine) -> None:
    """Let this PostgreSQL engine's connections wait for a copy under way before anything else they do."""

    @event.listens_for(engine, "connect")
    def _mark(_driver: Any, record: Any) -> None:
        record.info[_FINISHED_BEFORE_USE] = True

    @event.listens_for(engine, "before_cursor_execute")
    def _before(connection: Connection, *_rest: Any) -> None:
        finish(connection)

    @event.listens_for(engine, "commit")
    def _before_commit(connection: Connection) -> None:
        finish(connection)

    @event.listens_for(engine, "rollback")
    def _before_rollback(connection: Connection) -> None:
        with suppress(DBAPIError):
            finish(connection)
