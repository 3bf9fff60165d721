"""Identifiers that follow from what a document says, so that writing it again writes the same ones."""

from __future__ import annotations

from datetime import UTC, date, datetime
from hashlib import blake2b
from uuid import UUID

from erp_core.storage.ids import of_number

LINES = 1 << 16


def derived_id(on: date, *parts: object) -> UUID:
    """A UUIDv7 of the day whose other bits are a hash of `parts`; its low 16 bits are zero, for lines."""
    text = "\x1f".join(str(part) for part in parts)
    bits = int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big") >> 6
    moment = datetime(on.year, on.month, on.day, tzinfo=UTC)
    milliseconds = int(moment.timestamp() * 1000)
    value = milliseconds << 80 | 0x7 << 76 | (bits >> 46) << 64 | 0b10 << 62 | (bits & (1 << 46) - 1) << 16
    return of_number(value)


def line_id(document: UUID, line_no: int) -> UUID:
    """The id of a line of a document whose id was derived."""
    if not 0 < line_no < LINES:
        raise ValueError(f"line {line_no}: a document has 1 to {LINES - 1} lines")
    return of_number(document.int + line_no)
