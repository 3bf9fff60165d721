"""Rules for the SCMS delivery history: what texts in date, weight and freight columns mean. Pure."""

from __future__ import annotations

import re
from datetime import date
from hashlib import blake2b

from erp_core.integration.fields import FieldError, amount, day

NO_DATE = frozenset({"", "date not captured", "pre-pq process", "n/a - from rdc", "n/a"})
WAREHOUSE = "From RDC"
_POINTER = re.compile(r"see (?:asn|dn)-\d+ \(id#:\d+\)", re.IGNORECASE | re.ASCII)
_IN_PRICE = "freight included in commodity cost"
_UNKNOWN_FREIGHT = "invoiced separately"
_UNKNOWN_WEIGHT = "weight captured separately"

SET_ASIDE = {
    "after_as_of": "not known by the as-of day: no date of the row that makes the order known lies before it",
    "already_imported": "a purchase order that another import brought",
}


def published_day(text: str) -> date | None:
    """A day, or None for the published words that say there is none."""
    return None if text.strip().lower() in NO_DATE else day(text)


def freight(text: str) -> tuple[int | None, str | None]:
    """Freight in ten-thousandths and what is remarkable about it.

    Freight inside the price, or on the row that a pointer names, is 0 here, so that no shipment is
    charged twice; freight invoiced separately is unknown.
    """
    word = " ".join(text.split()).lower()
    if word == _IN_PRICE:
        return 0, "freight_in_price"
    if _POINTER.fullmatch(word):
        return 0, "freight_on_another_row"
    if word in ("", _UNKNOWN_FREIGHT):
        return None, "freight_unknown"
    value = amount(text)
    if value < 0:
        raise FieldError("below_zero", f"{text!r} is below zero", "give 0 or more")
    return value, None


def weight(text: str) -> str | None:
    """What is remarkable about a weight; it must be a number or one of the published texts."""
    word = " ".join(text.split()).lower()
    if word in ("", _UNKNOWN_WEIGHT):
        return "weight_unknown"
    if _POINTER.fullmatch(word):
        return "weight_on_another_row"
    amount(text)
    return None


def known_on(asked: date | None, sent: date | None, scheduled: date) -> date:
    """The first day the order was known: sent to the vendor, else quoted to the client, else due.

    Never later than the day it was due: some orders were recorded after the fact.
    """
    return min(sent or asked or scheduled, scheduled)


def supplier_code(vendor: str) -> str:
    """A short, readable and unique code for a vendor's name."""
    return _short(vendor, 28)


def item_code(description: str, pack: int) -> str:
    """A short, readable and unique code for an item, which has none in the source."""
    return f"{_short(description, 36)}-{pack}"


def place_code(country: str) -> str:
    """The code of the place in a country that goods go to."""
    return f"SCMS-{re.sub('[^A-Z0-9]+', '-', country.upper()).strip('-')}"[:40]


def _short(text: str, longest: int) -> str:
    words = re.sub("[^A-Z0-9]+", "-", text.upper()).strip("-")
    if len(words) <= longest:
        return words
    digest = blake2b(text.encode(), digest_size=3).hexdigest().upper()
    return f"{words[:longest].rstrip('-')}-{digest}"
