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

    def ids(self) -> list[UUID]:
        return [UUID(text) for text in self]


@dataclass(frozen=True, slots=True)
class KeyedRows:
    """r rows: `items` and `places` are the ids met, `item` and `place` (r,) point into them, `day` (r,) counts
    from the first day, `values` is (columns, r).
    """

    items: list[UUID]
    places: list[UUID]
    item: NDArray[np.int64]
    place: NDArray[np.int64]
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
    sqlite = connection.dialect.name == "sqlite"
    bounds = f"day <= '{end}'" + ("" if earlier else f" AND day >= '{start}'")
    keys = (
        "item_id, location_id, day" if sqlite else f"item_id::text, location_id::text, day - DATE '{start}'"
    )
    where = f"{bounds} AND {condition}" if condition else bounds
    statement = f"SELECT {keys}, {', '.join(columns)} FROM {table} WHERE {where}"
    items, places = _Codes(), _Codes()
    offsets = _DayOffsets(start) if sqlite else None
    parts: list[tuple[NDArray[Any], ...]] = []
    for rows in _parts(connection, statement):
        item, place, day, *values = zip(*rows, strict=True)
        count = len(rows)
        days: Any = map(offsets.__getitem__, day) if offsets is not None else day
        parts.append(
            (
                np.fromiter(map(items.__getitem__, item), np.int32, count),
                np.fromiter(map(places.__getitem__, place), np.int32, count),
                np.fromiter(days, np.int32, count),
                np.array([np.fromiter(column, np.float64, count) for column in values]),
            )
        )
    if not parts:
        empty = np.zeros(0, np.int64)
        return KeyedRows([], [], empty, empty, empty, np.zeros((len(columns), 0)))
    return KeyedRows(
        items.ids(),
        places.ids(),
        np.concatenate([part[0] for part in parts]).astype(np.int64),
        np.concatenate([part[1] for part in parts]).astype(np.int64),
        np.maximum(np.concatenate([part[2] for part in parts]), -1).astype(np.int64),
        np.concatenate([part[3] for part in parts], axis=1),
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
    listed = ", ".join(f"'{one.hex if plain else one}'" for one in (NO_LOT, *complete))
    return f"import_id IN ({listed})"
