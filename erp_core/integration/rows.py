"""Rows as they are staged: tuples of JSON values, dates as ISO text, money in ten-thousandths.

Documents are named by their codes and numbers; ids are found or derived when a chunk is posted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from hashlib import blake2b
from typing import NamedTuple, TypeVar

import orjson

from erp_core.integration.findings import Chunk, Kind

T = TypeVar("T")


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
    lot_tracked: bool = False
    serial_tracked: bool = False
    expiry_tracked: bool = False


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
    lot_code: str | None = None
    expires_on: str | None = None
    serials: tuple[str, ...] = ()


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
    return (chunk(kind, **{part: run}) for run in runs(rows, _lines, lines))


def runs(documents: Iterable[T], lines_of: Callable[[T], int], most: int) -> Iterator[list[T]]:
    """Documents one after the other, of at most `most` lines together; a longer one stands alone."""
    waiting: list[T] = []
    size = 0
    for document in documents:
        added = lines_of(document)
        if waiting and size + added > most:
            yield waiting
            waiting, size = [], 0
        waiting.append(document)
        size += added
    if waiting:
        yield waiting
