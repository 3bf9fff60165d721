"""What a barcode says, and whether it is the thing and the place that was asked for.

GS1 barcodes (GS1-128, DataMatrix, EAN, UPC) are read by the biip package; a label that is no GS1 code is taken as the
company's own SKU. Reading is pure; nothing here knows a database.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Annotated, TypeVar

from pydantic import StringConstraints

from erp_core.gate.contract import DomainError

T = TypeVar("T", str, date)
Barcode = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]

_BRACKETED = re.compile(r"\((\d{2,4})\)")
_SEPARATOR = "\x1d"
_GTIN, _LOT, _BEST_BEFORE, _EXPIRY, _SERIAL = ("01", "02"), "10", "15", "17", "21"


class WrongItem(DomainError):
    """Another item was scanned than the one that is to be moved."""

    code = "wrong_item"


class WrongLocation(DomainError):
    """Another place was scanned than the one where it is to happen."""

    code = "wrong_location"


class WrongLot(DomainError):
    """Another lot, serial number or last day is on the label than was chosen or typed."""

    code = "wrong_lot"


@dataclass(frozen=True, slots=True)
class Scan:
    """What a label says. `gtin` has 14 digits; `sku` is the text of a label that is no GS1 code."""

    text: str
    gtin: str | None = None
    sku: str | None = None
    lot: str | None = None
    expires_on: date | None = None
    serial: str | None = None


def read_barcode(text: str) -> Scan:
    """What the barcode says, as a scanner sends it or as it is printed with its numbers in brackets.

    A last day of which the label gives the month alone is the last of that month.
    """
    import biip

    raw = _BRACKETED.sub(lambda found: _SEPARATOR + found[1], text).removeprefix(_SEPARATOR)
    result = biip.parse(raw)
    message = result.gs1_message
    said = {} if message is None else {one.ai.ai: one for one in message.element_strings}
    if result.gtin is None:
        return Scan(text, sku=text)
    if not any(ai in said for ai in _GTIN):
        said = {}
    last = said.get(_EXPIRY) or said.get(_BEST_BEFORE)
    return Scan(
        text,
        gtin=result.gtin.as_gtin_14(),
        lot=said[_LOT].value if _LOT in said else None,
        expires_on=None if last is None else last.date,
        serial=said[_SERIAL].value if _SERIAL in said else None,
    )


def require_item(scan: Scan, sku: str, gtin: str | None, *, field: str = "barcode") -> None:
    """Raise `WrongItem` unless the label is the item's: its GTIN, or its SKU where it is no GS1 code."""
    if scan.gtin is None:
        right, seen = scan.sku is not None and scan.sku.casefold() == sku.casefold(), scan.text
    else:
        right, seen = gtin is not None and scan.gtin == gtin.zfill(14), scan.gtin
    if not right:
        raise WrongItem(
            f"{seen} was scanned, {sku} is asked for",
            field=field,
            remedy="put it back and take the item that is asked for; if it is the item, give it this GTIN first",
            scanned=seen,
            item=sku,
            gtin=gtin,
        )


def require_location(scanned: str, code: str, *, field: str = "scanned_location") -> None:
    """Raise `WrongLocation` unless the place's label is the right one's."""
    if scanned.strip().casefold() != code.casefold():
        raise WrongLocation(
            f"{scanned} was scanned, the place is {code}",
            field=field,
            remedy=f"go to {code} and scan its label",
            scanned=scanned,
            location=code,
        )


def agreed(scanned: T | None, typed: T | None, field: str) -> T | None:
    """What label and hand say together. Raises `WrongLot` where they say two things."""
    if scanned is not None and typed is not None and scanned != typed:
        raise WrongLot(
            f"the label says {scanned}, {typed} was given",
            field=field,
            remedy="leave the field out: the label counts",
            scanned=scanned,
            given=typed,
        )
    return typed if scanned is None else scanned
