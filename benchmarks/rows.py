"""The rows that a transaction of the gate left on PostgreSQL, and ways to write them with the bare driver: the floor of a benchmark."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg
from sqlalchemy import Engine

from erp_core.storage.base import metadata

Row = tuple[Any, ...]


@contextmanager
def driver(engine: Engine) -> Iterator[psycopg.Connection[Row]]:
    """A connection of the bare driver to the same database."""
    url = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


class Rows:
    """The rows that the gate's last transaction left, in the tables that `sample` writes to, and ways to write them."""

    def __init__(self, connection: psycopg.Connection[Row], sample: Callable[[], None]) -> None:
        self._connection = connection
        self._tables = self._all_tables()
        before = self.counts(connection)
        sample()
        grown = {name: count - before[name] for name, count in self.counts(connection).items()}
        written = {name: len(rows) for name, rows in self.last().items()}
        order = {table.name: place for place, table in enumerate(metadata.sorted_tables)}
        touched = sorted((name for name in self._tables if written[name]), key=order.__getitem__)
        self._tables = {name: self._tables[name] for name in touched}
        self._changed = {name for name in self._tables if grown[name] < written[name]}
        self._statements = {name: self._statement(name) for name in self._tables}

    def _all_tables(self) -> dict[str, str]:
        """Tables with the columns of their primary keys."""
        found = self._connection.execute(
            "SELECT conrelid::regclass::text, string_agg(attname, ', ') FROM pg_constraint"
            " JOIN pg_attribute ON attrelid = conrelid AND attnum = ANY (conkey)"
            " WHERE contype = 'p' AND connamespace = current_schema()::regnamespace GROUP BY 1"
        )
        return dict(found.fetchall())

    def counts(self, connection: psycopg.Connection[Row]) -> dict[str, int]:
        """Rows by table."""
        query = "SELECT count(*) FROM {}"
        return {name: connection.execute(query.format(name)).fetchone()[0] for name in self._tables}

    def _by_last(self, table: str) -> str:
        return f"SELECT * FROM {table} WHERE xmin = '{self._transaction()}'"

    def _transaction(self) -> str:
        newest = "SELECT xmin::text FROM audit_entries ORDER BY id DESC LIMIT 1"
        return self._connection.execute(newest).fetchone()[0]

    def last(self) -> dict[str, list[Row]]:
        """Its rows, each value as text."""
        cursor = self._connection.cursor()
        cursor.adapters.register_loader("jsonb", psycopg.types.string.TextLoader)
        found = {}
        for name in self._tables:
            found[name] = cursor.execute(self._by_last(name)).fetchall()
        return found

    def last_as_streams(self) -> dict[str, bytes]:
        """Its rows as COPY writes them."""
        found = {}
        for name in self._tables:
            with self._connection.cursor().copy(f"COPY ({self._by_last(name)}) TO STDOUT") as copied:
                found[name] = b"".join(bytes(part) for part in copied)
        return found

    def write(self, connection: psycopg.Connection[Row], rows: Mapping[str, list[Row]]) -> None:
        """Write rows in one transaction and one pipeline, a prepared statement for each table: the fastest way found."""
        with connection.transaction(), connection.pipeline(), connection.cursor() as cursor:
            for name, some in rows.items():
                cursor.executemany(self._statements[name], some)

    def copy(self, connection: psycopg.Connection[Row], streams: Mapping[str, bytes]) -> None:
        """Write rows in one transaction, a COPY for each table."""
        with connection.transaction(), connection.cursor() as cursor:
            for name, stream in streams.items():
                target = f"copied_{name}" if name in self._changed else name
                if target != name:
                    cursor.execute(f"CREATE TEMP TABLE {target} (LIKE {name}) ON COMMIT DROP")
                with cursor.copy(f"COPY {target} FROM STDIN") as copied:
                    copied.write(stream)
                if target != name:
                    cursor.execute(f"INSERT INTO {name} SELECT * FROM {target} {self._on_conflict(name)}")

    def _statement(self, name: str) -> str:
        marks = ", ".join(["%s"] * len(self._columns(name)))
        conflict = self._on_conflict(name) if name in self._changed else ""
        return f"INSERT INTO {name} VALUES ({marks}) {conflict}"

    def _on_conflict(self, name: str) -> str:
        changes = ", ".join(f"{column} = excluded.{column}" for column in self._columns(name))
        return f"ON CONFLICT ({self._tables[name]}) DO UPDATE SET {changes}"

    def _columns(self, name: str) -> list[str]:
        return [
            column.name for column in self._connection.execute(f"SELECT * FROM {name} LIMIT 0").description
        ]
