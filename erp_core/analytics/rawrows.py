"""Raw rows straight from the driver into numpy arrays, in parts, so that memory stays bounded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, select

from erp_core.master.model import import_visibility
from erp_core.storage.types import NO_LOT

_PART = 50_000


class _Codes(dict[str, int]):
    """Numbers for texts, in the order of their first appearance."""

    def __missing__(self, text: str) -> int:
        code = self[text] = len(self)
        return code


@dataclass(frozen=True, slots=True)
class KeyedRows:
    """r rows: `pairs` are the item-locations met, `pair` (r,) points into them, `day` (r,) counts from the
    first day, `values` is (columns, r).
    """

    pairs: list[tuple[UUID, UUID]]
    pair: NDArray[np.int64]
    day: NDArray[np.int64]
    values: NDArray[np.float64]


def read_keyed(
    connection: Connection,
    table: str,
    columns: Sequence[str],
    *,
    start: date,
    end: date,
    earlier: bool = False,
    condition: str = "",
) -> KeyedRows:
    """Rows of a daily table keyed by item, location and day, from `start` to `end`.

    `earlier` rows count too, at day -1. `table`, `columns` and `condition` are trusted SQL, never input.
    """
    if connection.dialect.name == "sqlite":
        keys, offsets = "item_id || location_id, day", _DayOffsets(start)
    else:
        keys, offsets = f"item_id::text || location_id::text, day - DATE '{start}'", None
    bounds = f"day <= '{end}'" + ("" if earlier else f" AND day >= '{start}'")
    where = f"{bounds} AND {condition}" if condition else bounds
    statement = f"SELECT {keys}, {', '.join(columns)} FROM {table} WHERE {where}"
    codes = _Codes()
    parts: list[tuple[NDArray[Any], ...]] = []
    for rows in _parts(connection, statement):
        pair, day, *values = zip(*rows, strict=True)
        count = len(rows)
        days: Any = day if offsets is None else map(offsets.__getitem__, day)
        parts.append(
            (
                np.fromiter(map(codes.__getitem__, pair), np.int32, count),
                np.fromiter(days, np.int32, count),
                np.array([np.fromiter(column, np.float64, count) for column in values]),
            )
        )
    if not parts:
        empty = np.zeros(0, np.int64)
        return KeyedRows([], empty, empty, np.zeros((len(columns), 0)))
    return KeyedRows(
        [(UUID(text[: len(text) // 2]), UUID(text[len(text) // 2 :])) for text in codes],
        np.concatenate([part[0] for part in parts]).astype(np.int64),
        np.maximum(np.concatenate([part[1] for part in parts]), -1).astype(np.int64),
        np.concatenate([part[2] for part in parts], axis=1),
    )


class _DayOffsets(dict[str, int]):
    def __init__(self, start: date) -> None:
        super().__init__()
        self._start = start

    def __missing__(self, text: str) -> int:
        offset = self[text] = (date.fromisoformat(text) - self._start).days
        return offset


def _parts(connection: Connection, statement: str) -> Iterator[Sequence[Any]]:
    driver: Any = connection.connection.driver_connection
    cursor = driver.cursor() if connection.dialect.name == "sqlite" else driver.cursor(name="panel_rows")
    try:
        cursor.execute(statement)
        while rows := cursor.fetchmany(_PART):
            yield rows
    finally:
        cursor.close()


def seen_imports(connection: Connection) -> str:
    """An SQL condition on `import_id` that keeps live rows and rows of complete imports."""
    complete = connection.execute(
        select(import_visibility.c.import_id).where(import_visibility.c.complete.is_(True))
    ).scalars()
    plain = connection.dialect.name == "sqlite"
    alternatives = " OR ".join(f"import_id = '{one.hex if plain else one}'" for one in (*complete, NO_LOT))
    return f"({alternatives})"
