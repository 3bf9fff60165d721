"""Column types and exact value conversions.

Money is an `int` that counts ten-thousandths of the company's currency; quantities are `int` counts of
the item's base unit. Neither is ever a float.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import BigInteger, DateTime, Text, Uuid
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from erp_core.storage.ids import from_hexadecimal, hexadecimal

MONEY_SCALE = 10_000
NO_LOT = UUID(int=0)


def money(value: Decimal | int | str) -> int:
    """Ten-thousandths for an amount in currency units, exactly.

    Raises `ValueError` when the amount has more than four decimals or is no number: an amount is
    never rounded silently.
    """
    try:
        scaled = Decimal(str(value)) * MONEY_SCALE
    except InvalidOperation as error:
        raise ValueError(f"{value!r} is not an amount of money") from error
    if not scaled.is_finite() or scaled != scaled.to_integral_value():
        raise ValueError(f"{value!r} has more than four decimals; money is kept to 0.0001")
    return int(scaled)


def money_decimal(amount: int) -> Decimal:
    """Currency units for an amount in ten-thousandths."""
    return Decimal(amount) / MONEY_SCALE


def money_text(amount: int) -> str:
    """An amount as plain text with two to four decimals: ``12.50``, ``0.0125``."""
    text = f"{Decimal(amount) / MONEY_SCALE:.4f}"
    whole, _, decimals = text.partition(".")
    return f"{whole}.{decimals.rstrip('0').ljust(2, '0')}"


def canonical_json(value: Any) -> str:
    """JSON text that is equal for equal values: sorted keys, no spaces, ids and dates as text.

    Without floats it is RFC 8785 to the byte. Raises `ValueError` for a value that JSON doesn't have.
    """
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
    except TypeError as error:
        raise ValueError(f"this cannot stand in canonical JSON: {error}") from error


class CanonicalText(str):
    """JSON text that is canonical already; the `Json` column stores it as it is."""

    __slots__ = ()


class Id(Uuid[UUID]):
    """An identifier: native on PostgreSQL, 32 hexadecimal digits on SQLite.

    Identifiers read from SQLite are shared objects: most rows repeat the same few items and places,
    and making a `UUID` costs more than reading its text.
    """

    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Callable[[UUID | None], Any] | None:
        if dialect.name == "sqlite":
            return hexadecimal
        native: Callable[[UUID | None], Any] | None = super().bind_processor(dialect)
        return native

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], UUID | None] | None:
        if dialect.name == "sqlite":
            return _shared
        native: Callable[[Any], UUID | None] | None = super().result_processor(dialect, coltype)  # type: ignore[no-untyped-call]
        return native


@lru_cache(maxsize=1 << 16)
def _shared(text: str | None) -> UUID | None:
    return None if text is None else from_hexadecimal(text)


Quantity = BigInteger
Money = BigInteger


def utc_text(moment: datetime) -> str:
    """A moment as SQLite keeps it: ``2026-06-30 08:15:00.000000``, in UTC. Raises `ValueError` without a zone."""
    if moment.tzinfo is None:
        raise ValueError("a moment needs a time zone: use UTC")
    utc = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    return utc.isoformat(" ", "microseconds")[:26]


class UtcDateTime(TypeDecorator[datetime]):
    """A moment in UTC; refuses a naive datetime, so that no local time slips in."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs a time zone: use UTC")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Json(TypeDecorator[Any]):
    """A JSON value kept as canonical text, so that what was hashed is what is stored."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        if value is None or isinstance(value, CanonicalText):
            return value
        return canonical_json(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else orjson.loads(value)
