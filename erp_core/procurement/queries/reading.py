"""Records from rows: the columns that a dataclass names, and its values in their order."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import fields
from typing import Any, TypeVar

from sqlalchemy import Table

from erp_core.storage.lookup import AnyRow

R = TypeVar("R")


def columns_of(record: type[Any], table: Table) -> list[Any]:
    """The table's columns that are the record's fields, in their order."""
    return [table.c[part.name] for part in fields(record)]


def records(record: Callable[..., R], rows: Iterable[AnyRow]) -> tuple[R, ...]:
    """A record for each row."""
    return tuple(record(*row) for row in rows)
