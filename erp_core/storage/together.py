"""Writes that travel together: several statements, one round trip."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from erp_core.storage.bulk import MANY


@contextmanager
def together(connection: Connection, rows: int = 0) -> Iterator[None]:
    """On PostgreSQL, send the block's writes in one pipeline; elsewhere, and for many `rows` a table, as ever.

    For writes only: what a read in the block finds comes too late to be seen. Raises what each write would raise, at
    the latest when the block ends.
    """
    if connection.dialect.name != "postgresql" or rows >= MANY:
        yield
        return
    from psycopg import Connection as Driver
    from psycopg import Error

    driver = connection.connection.driver_connection
    assert isinstance(driver, Driver)
    try:
        with driver.pipeline():
            yield
    except Error as error:
        raise DBAPIError.instance(None, None, error, Error, dialect=connection.dialect) from error
