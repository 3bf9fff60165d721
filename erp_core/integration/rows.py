"""Rows as they are staged: tuples of JSON values, dates as ISO text, money in ten-thousandths.

Documents are named by their codes and numbers; ids are found or derived when a chunk is posted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from hashlib import blake2b
from typing import Any, NamedTuple, TypeVar

import orjson

from erp_core.integration.findings import Chunk, Kind

LINES_ADDED_UP = 2_000
ITEMS_ADDED_UP = 200

R = TypeVar("R", bound=tuple[Any, ...])


def iso(day: date | None) -> str | None:
    """A day as it is staged."""
    return None if day is None else day.isoformat()


def document_number(channel: str, reference: str) -> str:
    """The number under which a channel's document is kept: at most 40 characters, unique over channels."""
    number = f"{channel}-{reference}"
    if len(number) <= 40:
        return number
    return f"{blake2b(number.encode(), digest_size=8).hexdigest()}-{reference[:23]}"


class PlaceRow(NamedTuple):
    """A location to make if its code is new."""

    code: str
    name: str
    kind: str
    country: str | None


class ChannelRow(NamedTuple):
    """A channel to make if its code is new."""

    code: str
    name: str
    kind: str


class ItemRow(NamedTuple):
    """An item to make if its SKU is new; `units` are pairs of unit and factor."""

    sku: str
    name: str
    category: str
    brand: str
    base_unit: str
    standard_cost: int | None = None
    list_price: int | None = None
    abc_class: str | None = None
    introduced_on: str | None = None
    status: str = "draft"
    units: tuple[tuple[str, int], ...] = ()


class SupplierRow(NamedTuple):
    """A supplier to make if its code is new."""

    code: str
    name: str
    country: str | None
    currency: str
    payment_days: int | None = None
    delivery_terms: str | None = None
    minimum_order: int = 0
    lead_time_days: int | None = None
    segment: str = "long_tail"
    risk_class: str = "medium"
    internal: bool = False


class SupplierItemRow(NamedTuple):
    """What a supplier asks for an item, if the pair is new."""

    supplier: str
    sku: str
    supplier_sku: str | None
    price: int
    minimum_quantity: int
    order_multiple: int
    lead_time_days: int | None
    rank: int


class SaleLineRow(NamedTuple):
    """A line of a past order."""

    line_no: int
    sku: str
    location: str
    quantity: int
    cancelled: int
    unit_price: int
    list_price: int


class SaleRow(NamedTuple):
    """A past order. `ordered_at` in UTC; `ordered_on` is the business day of the source."""

    external_ref: str
    number: str
    channel: str
    customer: str | None
    country: str
    ordered_at: str
    ordered_on: str
    promised_on: str | None
    shipped_on: str | None
    lines: tuple[SaleLineRow, ...]


class AddedUpRow(NamedTuple):
    """An item whose past sales are all posted and can be added up."""

    sku: str


class ReturnLineRow(NamedTuple):
    """A line that came back; `order_line` is the line number in the order it was sold in."""

    line_no: int
    order_line: int | None
    sku: str
    location: str
    shipped_on: str | None
    quantity: int
    refund: int
    reason: str
    condition: str | None = None
    disposition: str | None = None
    disposed_on: str | None = None


class ReturnRow(NamedTuple):
    """A past return; `order` is the external reference of the sale."""

    number: str
    order: str | None
    channel: str
    country: str
    returned_on: str
    lines: tuple[ReturnLineRow, ...]


class ReceiptRow(NamedTuple):
    """A receipt of a purchase order line."""

    received_on: str
    known_on: str
    accepted: int
    rejected: int


class PurchaseLineRow(NamedTuple):
    """A line of a purchase order, receipts by day."""

    line_no: int
    sku: str
    quantity: int
    unit_price: int
    first_promised_on: str | None
    promised_on: str | None
    cancelled: int
    receipts: tuple[ReceiptRow, ...]


class PurchaseRow(NamedTuple):
    """A purchase order, open or received."""

    number: str
    supplier: str
    location: str
    currency: str
    created_on: str
    sent_on: str | None
    known_on: str
    freight_cost: int
    lines: tuple[PurchaseLineRow, ...]


class StockRow(NamedTuple):
    """What lies at a location when the ledger begins."""

    sku: str
    location: str
    quantity: int
    unit_cost: int | None


class OrderLineRow(NamedTuple):
    """A line of an open order."""

    line_no: int
    sku: str
    location: str | None
    quantity: int
    unit_price: int
    list_price: int


class OrderRow(NamedTuple):
    """An open order."""

    external_ref: str
    channel: str
    customer: str | None
    country: str
    ordered_at: str
    promised_on: str | None
    lines: tuple[OrderLineRow, ...]


def chunk(kind: Kind, **parts: Iterable[tuple[object, ...]]) -> Chunk:
    """A chunk of the rows in `parts`, by part name; a document counts as its lines."""
    lists = {name: list(rows) for name, rows in parts.items()}
    size = sum(_lines(row) for rows in lists.values() for row in rows)
    payload = orjson.dumps(lists, default=tuple, option=orjson.OPT_SORT_KEYS)
    return Chunk(kind, size, payload.decode())


def _lines(row: tuple[object, ...]) -> int:
    lines = getattr(row, "lines", None)
    return len(lines) if lines is not None else 1


def in_chunks(kind: Kind, part: str, rows: Iterable[tuple[object, ...]], lines: int) -> Iterator[Chunk]:
    """Chunks of about `lines` lines; a document is never cut."""
    return (chunk(kind, **{part: some}) for some in _runs(rows, lines))


def _runs(rows: Iterable[R], lines: int) -> Iterator[list[R]]:
    waiting: list[R] = []
    size = 0
    for row in rows:
        added = _lines(row)
        if waiting and size + added > lines:
            yield waiting
            waiting, size = [], 0
        waiting.append(row)
        size += added
    if waiting:
        yield waiting


def sales_chunks(rows: Iterable[SaleRow], lines: int) -> Iterator[Chunk]:
    """Chunks of past orders, and then of the items whose lines are to be added up; these count no rows."""
    found: Counter[str] = Counter()
    for some in _runs(rows, lines):
        sold = [line for row in some for line in row.lines]
        found.update(line.sku for line in sold)
        yield _by_column(some, sold)
    for skus in _in_slices(found):
        yield Chunk("sums", 0, chunk("sums", items=map(AddedUpRow, skus)).payload)


def _by_column(rows: Sequence[SaleRow], lines: Sequence[SaleLineRow]) -> Chunk:
    """Orders and, in their order, lines by column: posting them makes no object for a line."""
    orders = dict(zip(SaleRow._fields, zip(*rows, strict=True), strict=True))
    orders["lines"] = tuple(len(row.lines) for row in rows)
    parts = {"orders": orders, "lines": dict(zip(SaleLineRow._fields, zip(*lines, strict=True), strict=True))}
    return Chunk("sales", len(lines), orjson.dumps(parts, option=orjson.OPT_SORT_KEYS).decode())


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
