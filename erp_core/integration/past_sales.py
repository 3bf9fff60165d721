"""Past orders as they are staged: by column, so that neither staging nor posting makes an object for a line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import orjson

from erp_core.integration.findings import Chunk
from erp_core.integration.rows import chunk

LINES_ADDED_UP = 2_000
ITEMS_ADDED_UP = 200


@dataclass(frozen=True, slots=True)
class StagedOrders:
    """Past orders. `ordered_at` in UTC; `ordered_on` is the business day of the source; `lines` counts theirs."""

    external_ref: Sequence[str]
    number: Sequence[str]
    channel: Sequence[str]
    customer: Sequence[str | None]
    country: Sequence[str]
    ordered_at: Sequence[str]
    ordered_on: Sequence[str]
    promised_on: Sequence[str | None]
    shipped_on: Sequence[str | None]
    lines: Sequence[int]


@dataclass(frozen=True, slots=True)
class StagedLines:
    """The lines of past orders, order by order."""

    line_no: Sequence[int]
    sku: Sequence[str]
    location: Sequence[str]
    quantity: Sequence[int]
    cancelled: Sequence[int]
    unit_price: Sequence[int]
    list_price: Sequence[int]


class AddedUpRow(NamedTuple):
    """An item whose past sales are all posted and can be added up."""

    sku: str


def sales_chunks(parts: Iterable[tuple[StagedOrders, StagedLines]]) -> Iterator[Chunk]:
    """Chunks of past orders, and then of the items whose lines are to be added up; these count no rows."""
    found: Counter[str] = Counter()
    for orders, lines in parts:
        found.update(lines.sku)
        payload = orjson.dumps({"orders": orders, "lines": lines}, option=orjson.OPT_SORT_KEYS)
        yield Chunk("sales", len(lines.sku), payload.decode())
    for skus in _in_slices(found):
        yield Chunk("sums", 0, chunk("sums", items=map(AddedUpRow, skus)).payload)


def _in_slices(found: Mapping[str, int]) -> Iterator[list[str]]:
    """Items in slices of about as many lines and rows as one transaction adds up."""
    waiting: list[str] = []
    size = 0
    for sku, lines in sorted(found.items()):
        if waiting and (size + lines > LINES_ADDED_UP or len(waiting) == ITEMS_ADDED_UP):
            yield waiting
            waiting, size = [], 0
        waiting.append(sku)
        size += lines
    if waiting:
        yield waiting
