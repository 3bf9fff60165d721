"""Reads by many keys at once. All keys travel as one parameter, so that any number of them costs one statement."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Connection, Row, Select, any_, bindparam, func, select, tuple_
from sqlalchemy.dialects.postgresql import ARRAY

AnyRow = Row[*tuple[Any, ...]]

_FEW = 8


def fetch_in(
    connection: Connection, statement: Select[Any], column: ColumnElement[Any], values: Iterable[Any]
) -> Sequence[AnyRow]:
    """The statement's rows whose `column` is one of `values`, in its order; none for no values."""
    wanted = list(dict.fromkeys(values))
    if not wanted:
        return []
    return connection.execute(statement.where(_one_of(connection, column, wanted))).all()


def _one_of(connection: Connection, column: ColumnElement[Any], wanted: list[Any]) -> ColumnElement[bool]:
    if len(wanted) <= _FEW:
        return column.in_(wanted)
    if connection.dialect.name == "postgresql":
        return column == any_(bindparam("wanted", wanted, ARRAY(column.type), unique=True))
    convert = column.type.dialect_impl(connection.dialect).bind_processor(connection.dialect)
    plain = wanted if convert is None else [convert(value) for value in wanted]
    members = func.json_each(orjson.dumps(plain).decode()).table_valued("value")
    return column.in_(select(members.c.value))


def fetch_in_pairs(
    connection: Connection,
    statement: Select[Any],
    columns: Sequence[ColumnElement[Any]],
    values: Iterable[tuple[Any, ...]],
) -> Sequence[AnyRow]:
    """The statement's rows whose `columns` equal one of the tuples `values`, in its order."""
    wanted = list(dict.fromkeys(values))
    if not wanted:
        return []
    members: Select[Any]
    if connection.dialect.name == "postgresql":
        arrays = [
            bindparam("wanted", list(part), ARRAY(column.type), unique=True)
            for column, part in zip(columns, zip(*wanted, strict=True), strict=True)
        ]
        names = [f"part{position}" for position in range(len(columns))]
        rows = func.unnest(*arrays).table_valued(*names).render_derived()
        members = select(*(rows.c[name] for name in names))
    else:
        converts = [
            column.type.dialect_impl(connection.dialect).bind_processor(connection.dialect)
            for column in columns
        ]
        plain = [
            [
                value if convert is None else convert(value)
                for value, convert in zip(row, converts, strict=True)
            ]
            for row in wanted
        ]
        rows = func.json_each(orjson.dumps(plain).decode()).table_valued("value")
        members = select(
            *(func.json_extract(rows.c.value, f"$[{position}]") for position in range(len(columns)))
        )
    return connection.execute(statement.where(tuple_(*columns).in_(members))).all()
