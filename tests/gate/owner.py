"""What whoever owns the database can do: take the protection off, write, and put it back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from sqlalchemy import Connection, Engine, inspect, text

from erp_core.storage.protection import UNGUARDED, protect


@contextmanager
def as_the_owner_of_the_database(engine: Engine) -> Iterator[Connection]:
    """A transaction without any trigger; afterwards everything looks as before."""
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            for table in set(inspect(connection).get_table_names()) - UNGUARDED:
                for trigger in ("through_gate", "append_only"):
                    connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {trigger} ON {table}")
        else:
            for name in connection.scalars(
                text("SELECT name FROM sqlite_master WHERE type = 'trigger'")
            ).all():
                connection.exec_driver_sql(f"DROP TRIGGER {name}")
        yield connection
        protect(connection)


def literal(engine: Engine, id_: UUID) -> str:
    """The id as this database spells it in SQL."""
    return f"'{id_.hex if engine.dialect.name == 'sqlite' else id_}'"
