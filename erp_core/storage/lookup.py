"""Reads by many keys at once. All keys travel as one parameter, so that any number of them costs one statement."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache, partial
from itertools import zip_longest
from typing import Any, Literal

import orjson
from sqlalchemy import ColumnElement, Connection, Row, Select, Text, any_, bindparam, func, select, tuple_
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.engine import Dialect

AnyRow = Row[*tuple[Any, ...]]

_FEW = 8
_WANTED = "fetch_in_wanted"
_FEW_WANTED = [f"{_WANTED}_{position}" for position in range(_FEW)]


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
    size: Literal["one", "few", "many"] = (
        "one" if len(wanted) == 1 else "few" if len(wanted) <= _FEW else "many"
    )
    prepared, as_parameters = _prepared(statement, column, connection.dialect, size)
    return connection.execute(prepared, {**as_parameters(wanted), **parameters}).all()


@lru_cache(maxsize=512)
def _prepared(
    statement: Select[Any], column: ColumnElement[Any], dialect: Dialect, size: Literal["one", "few", "many"]
) -> tuple[Select[Any], Callable[[list[Any]], dict[str, Any]]]:
    if size == "one":
        return statement.where(column == bindparam(_WANTED, type_=column.type)), _as_one
    if size == "few":
        marks = [bindparam(name, type_=column.type) for name in _FEW_WANTED]
        return statement.where(column.in_(marks)), _as_few
    if dialect.name == "postgresql":
        return statement.where(column == any_(bindparam(_WANTED, type_=ARRAY(column.type)))), _as_array
    convert = column.type.dialect_impl(dialect).bind_processor(dialect)
    members = func.json_each(bindparam(_WANTED, type_=Text)).table_valued("value")
    return statement.where(column.in_(select(members.c.value))), partial(_as_json, convert)


def _as_one(wanted: list[Any]) -> dict[str, Any]:
    return {_WANTED: wanted[0]}


def _as_few(wanted: list[Any]) -> dict[str, Any]:
    """Always the same number of parameters, so that the statement is compiled once: the last value fills up."""
    return dict(zip_longest(_FEW_WANTED, wanted, fillvalue=wanted[-1]))


def _as_array(wanted: list[Any]) -> dict[str, Any]:
    return {_WANTED: wanted}


def _as_json(convert: Callable[[Any], Any] | None, wanted: list[Any]) -> dict[str, Any]:
    texts = wanted if convert is None else [convert(value) for value in wanted]
    return {_WANTED: orjson.dumps(texts).decode()}


def there(connection: Connection, column: ColumnElement[Any], values: Iterable[Any]) -> set[Any]:
    """Those of `values` that stand in `column`."""
    return {row[0] for row in fetch_in(connection, _selected(column), column, values)}


@lru_cache(maxsize=128)
def _selected(column: ColumnElement[Any]) -> Select[Any]:
    return select(column)


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
