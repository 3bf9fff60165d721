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
from erp_core.storage.copying import driver_of
from erp_core.storage.types import NO_LOT

_PART = 500


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

    `earlier` rows count too, at day -1. `table`, `columns` (numbers, never null) and `condition` are trusted
    SQL, never input. The database joins each item-location's rows into texts: millions of rows come over as
    thousands.
    """
    plain = connection.dialect.name == "sqlite"
    bounds = f"day <= '{end}'" + ("" if earlier else f" AND day >= '{start}'")
    where = f"{bounds} AND {condition}" if condition else bounds
    days = "group_concat(day, '')" if plain else "string_agg(to_char(day, 'YYYY-MM-DD'), '')"
    joined = [f"group_concat({name})" if plain else f"string_agg({name}::text, ',')" for name in columns]
    statement = (
        f"SELECT item_id, location_id, count(*), {days}, {', '.join(joined)} FROM {table}"
        f" WHERE {where} GROUP BY item_id, location_id"
    )
    pairs: list[tuple[UUID, UUID]] = []
    counts, offsets, values = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)], [np.zeros((len(columns), 0))]
    for rows in _parts(connection, statement):
        item, location, count, day, *texts = zip(*rows, strict=True)
        pairs += [(_id(one), _id(other)) for one, other in zip(item, location, strict=True)]
        counts.append(np.array(count, np.int64))
        offsets.append(_offsets("".join(day), start))
        values.append(np.array([np.fromstring(",".join(column), sep=",") for column in texts]))
    return KeyedRows(
        pairs,
        np.repeat(np.arange(len(pairs)), np.concatenate(counts)),
        np.maximum(np.concatenate(offsets), -1),
        np.concatenate(values, axis=1),
    )


def _id(value: str | UUID) -> UUID:
    return value if isinstance(value, UUID) else UUID(value)


def _offsets(dates: str, start: date) -> NDArray[np.int64]:
    """Days from `start` to each of the dates that stand in a row without anything between them."""
    read = np.frombuffer(dates.encode(), dtype="S10").astype("datetime64[D]")
    return (read - np.datetime64(start, "D")).astype(np.int64)


def _parts(connection: Connection, statement: str) -> Iterator[Sequence[Any]]:
    driver = driver_of(connection)
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
