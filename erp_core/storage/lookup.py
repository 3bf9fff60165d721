"""Reads by many keys at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, tuple_

AnyRow = Row[*tuple[Any, ...]]

_PARAMETERS = 12_000


def fetch_in(
    connection: Connection, statement: Select[Any], column: ColumnElement[Any], values: Iterable[Any]
) -> list[AnyRow]:
    """The statement's rows whose `column` is one of `values`; none for no values. Any number of values."""
    wanted = list(dict.fromkeys(values))
    rows: list[AnyRow] = []
    for start in range(0, len(wanted), _PARAMETERS):
        rows += connection.execute(statement.where(column.in_(wanted[start : start + _PARAMETERS])))
    return rows


def fetch_in_pairs(
    connection: Connection,
    statement: Select[Any],
    columns: Sequence[ColumnElement[Any]],
    values: Iterable[tuple[Any, ...]],
) -> list[AnyRow]:
    """The statement's rows whose `columns` equal one of the tuples `values`, in the statement's order per part."""
    wanted = list(dict.fromkeys(values))
    size = _PARAMETERS // len(columns)
    rows: list[AnyRow] = []
    for start in range(0, len(wanted), size):
        rows += connection.execute(statement.where(tuple_(*columns).in_(wanted[start : start + size])))
    return rows
