"""Date and number expressions that give the same value on SQLite and PostgreSQL."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Date, Float, Integer, case, cast
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


class days_between(FunctionElement[int]):  # noqa: N801
    """Whole days from the first date to the second."""

    type = Integer()
    name = "days_between"
    inherit_cache = True


class seconds_between(FunctionElement[int]):  # noqa: N801
    """Whole seconds from the first moment to the second."""

    type = BigInteger()
    name = "seconds_between"
    inherit_cache = True


class day_of(FunctionElement[Any]):  # noqa: N801
    """The UTC day of a moment."""

    type = Date()
    name = "day_of"
    inherit_cache = True


class days_later(FunctionElement[Any]):  # noqa: N801
    """The date moved by a number of days."""

    type = Date()
    name = "days_later"
    inherit_cache = True


class months_later(FunctionElement[Any]):  # noqa: N801
    """The date moved by a number of months; a day that the month lacks becomes its last one."""

    type = Date()
    name = "months_later"
    inherit_cache = True


class half_up(FunctionElement[int]):  # noqa: N801
    """A number that is not negative, rounded half up to a whole one."""

    type = BigInteger()
    name = "half_up"
    inherit_cache = True


def _arguments(element: FunctionElement[Any], compiler: SQLCompiler, **kw: Any) -> list[str]:
    return [compiler.process(clause, **kw) for clause in element.clauses]


@compiles(days_between, "sqlite")
def _sqlite_days(element: Any, compiler: SQLCompiler, **kw: Any) -> str:
    start, end = _arguments(element, compiler, **kw)
    return f"CAST(julianday({end}) - julianday({start}) AS INTEGER)"


@compiles(days_between, "postgresql")
def _postgres_days(element: Any, compiler: SQLCompiler, **kw: Any) -> str:
    start, end = _arguments(element, compiler, **kw)
    return f"(CAST({end} AS DATE) - CAST({start} AS DATE))"


@compiles(seconds_between, "sqlite")
def _sqlite_seconds(element: Any, compiler: SQLCompiler, **kw: Any) -> str:
    start, end = _arguments(element, compiler, **kw)
    return f"(CAST(strftime('%s', {end}) AS INTEGER) - CAST(strftime('%s', {start}) AS INTEGER))"


@compiles(seconds_between, "postgresql")
def _postgres_seconds(element: Any, compiler: SQLCompiler, **kw: Any) -> str:
    start, end = _arguments(element, compiler, **kw)
    return f"CAST(floor(extract(epoch FROM {end})) - floor(extract(epoch FROM {start})) AS BIGINT)"


@compiles(day_of, "sqlite")
def _sqlite_day(element: Any, compiler: SQLCompiler, **kw: Any) -> str:
    (moment,) = _arguments(element, compiler, **kw)
    return f"date({moment})"


@compiles(day_of, "postgresql")
def _postgres_day(element: Any, compiler: SQLCompiler, **kw: Any) -> str:
    (moment,) = _arguments(element, compiler, **kw)
    return f"CAST({moment} AT TIME ZONE 'UTC' AS DATE)"


@compiles(days_later, "sqlite")
def _sqlite_later(element: Any, compiler: SQLCompiler, **kw: Any) -> str:
    day, days = _arguments(element, compiler, **kw)
    return f"date({day}, {days} || ' days')"


@compiles(days_later, "postgresql")
def _postgres_later(element: Any, compiler: SQLCompiler, **kw: Any) -> str:
    day, days = _arguments(element, compiler, **kw)
    return f"({day} + CAST({days} AS INTEGER))"


@compiles(months_later, "sqlite")
def _sqlite_months(element: Any, compiler: SQLCompiler, **kw: Any) -> str:
    day, months = _arguments(element, compiler, **kw)
    moved = f"date({day}, {months} || ' months')"
    last = f"date({day}, {months} || ' months', 'start of month', '-1 day')"
    return f"CASE WHEN strftime('%d', {moved}) = strftime('%d', {day}) THEN {moved} ELSE {last} END"


@compiles(months_later, "postgresql")
def _postgres_months(element: Any, compiler: SQLCompiler, **kw: Any) -> str:
    day, months = _arguments(element, compiler, **kw)
    return f"CAST({day} + make_interval(months => CAST({months} AS INTEGER)) AS DATE)"


@compiles(half_up, "sqlite")
def _sqlite_half_up(element: Any, compiler: SQLCompiler, **kw: Any) -> str:
    (value,) = _arguments(element, compiler, **kw)
    return f"CAST({value} + 0.5 AS INTEGER)"


@compiles(half_up, "postgresql")
def _postgres_half_up(element: Any, compiler: SQLCompiler, **kw: Any) -> str:
    (value,) = _arguments(element, compiler, **kw)
    return f"CAST(floor({value} + 0.5) AS BIGINT)"


def divided(numerator: ColumnElement[Any], denominator: ColumnElement[Any]) -> ColumnElement[Any]:
    """Floating-point quotient; NULL for a denominator of 0."""
    bottom = cast(denominator, Float)
    return cast(numerator, Float) / case((bottom != 0, bottom))


def flag(condition: ColumnElement[bool]) -> ColumnElement[int]:
    """1 where the condition holds, else 0 (also where it is unknown)."""
    return case((condition, 1), else_=0)


def only(condition: ColumnElement[bool], value: ColumnElement[Any]) -> ColumnElement[Any]:
    """The value where the condition holds, else 0."""
    return case((condition, value), else_=0)


def at_least_zero(value: ColumnElement[Any]) -> ColumnElement[Any]:
    """The value, or 0 where it is below."""
    return case((value > 0, value), else_=0)
