"""The one `MetaData`, with a naming convention that Alembic can follow on both databases."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import MetaData

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def among(column: str, values: Iterable[str]) -> str:
    """A condition for a check constraint: the column holds one of the values, or nothing.

    Written as comparisons: SQLite builds a table for every `IN` list that it evaluates, on every row.
    """
    return " OR ".join(f"{column} = '{value}'" for value in values)
