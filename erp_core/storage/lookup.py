"""Reads by many keys at once. All keys travel as one parameter, so that any number of them costs one statement."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache, partial
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Connection, Row, Select, Text, any_, bindparam, func, select, tuple_
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.engine import Dialect

AnyRow = Row[*tuple[Any, ...]]

_FEW = 8
_WANTED = "fetch_in_wanted"


def fetch_in(
    connection: Connection,
    statement: Select[Any],
    column: ColumnElement[Any],
    values: Iterable[Any],
    **parameters: Any,
) -> Sequence[AnyRow]:
    """The statement's rows whose `column` is one of `values`, in its order; none for no values.

    `parameters` are those of the statement itself. A statement that is kept in a module is prepared once.
    """
    wanted = list(dict.fromkeys(values))
    if not wanted:
        return []
    few = len(wanted) <= _FEW
    prepared, as_parameter = _prepared(statement, column, connection.dialect, few)
    return connection.execute(prepared, {_WANTED: as_parameter(wanted), **parameters}).all()


@lru_cache(maxsize=512)
def _prepared(
    statement: Select[Any], column: ColumnElement[Any], dialect: Dialect, few: bool
) -> tuple[Select[Any], Callable[[list[Any]], Any]]:
    if few:
        return statement.where(column.in_(bindparam(_WANTED, expanding=True))), _as_it_is
    if dialect.name == "postgresql":
        return statement.where(column == any_(bindparam(_WANTED, type_=ARRAY(column.type)))), _as_it_is
    convert = column.type.dialect_impl(dialect).bind_processor(dialect)
    members = func.json_each(bindparam(_WANTED, type_=Text)).table_valued("value")
    return statement.where(column.in_(select(members.c.value))), partial(_as_json, convert)


def _as_it_is(wanted: list[Any]) -> list[Any]:
    return wanted


def _as_json(convert: Callable[[Any], Any] | None, wanted: list[Any]) -> str:
    return orjson.dumps(wanted if convert is None else [convert(value) for value in wanted]).decode()


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
