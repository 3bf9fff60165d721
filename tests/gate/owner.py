"""What whoever owns the database can do: take the protection off, write, and put it back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from sqlalchemy import Connection, Engine, inspect, text


@contextmanager
def as_the_owner_of_the_database(engine: Engine) -> Iterator[Connection]:
    """A transaction without any trigger; afterwards everything looks as before."""
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            tables = inspect(connection).get_table_names()
            for table in tables:
                connection.exec_driver_sql(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            yield connection
            for table in tables:
                connection.exec_driver_sql(f"ALTER TABLE {table} ENABLE TRIGGER USER")
            return
        triggers = connection.execute(
            text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        ).all()
        for name, _ in triggers:
            connection.exec_driver_sql(f"DROP TRIGGER {name}")
        yield connection
        for _, statement in triggers:
            connection.exec_driver_sql(statement)


def literal(engine: Engine, id_: UUID) -> str:
    """The id as this database spells it in SQL."""
    return f"'{id_.hex if engine.dialect.name == 'sqlite' else id_}'"
