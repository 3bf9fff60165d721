"""What happens in a world, in terms of indices: documents are numbered, items and places are positions.

An `Event` says what was done, when, to which documents, and what it did to which stock cell (item ×
location). From that alone `schedule.py` knows which events may be posted together.
"""

from __future__ import annotations

from typing import Any, NamedTuple

DAY = 86_400
"""Seconds in a day; moments are seconds since midnight of the world's first day."""

ORDER, PURCHASE, RETURN, TRANSFER, SUPPLIER, PROMOTION = range(6)
INVOICE, PAYMENT, QUOTATION, CONTRACT = range(100, 104)
"""Document families; a document is (family, number)."""


class Event(NamedTuple):
    """One business event. `takes` are cells it reserved from, with the units left there; `short` those
    that held too little; `gives` those that it brought units to; `others` are orders that it served."""

    kind: str
    moment: int
    document: tuple[int, int]
    data: Any
    takes: tuple[tuple[int, int], ...] = ()
    short: tuple[int, ...] = ()
    gives: tuple[tuple[int, int], ...] = ()
    others: tuple[int, ...] = ()


class PlacedLine(NamedTuple):
    """A line as ordered; prices in ten-thousandths."""

    item: int
    location: int
    units: int
    price: int
    list_price: int


class Placed(NamedTuple):
    """An order. `customer` is a registered one, or None; `payment` as in `PlaceOrder`."""

    channel: int
    country: str
    customer: int | None
    promised: int
    payment: str
    ship_now: bool
    lines: tuple[PlacedLine, ...]


class Shipped(NamedTuple):
    """A parcel: (line number, units) from one location; `freight` in ten-thousandths."""

    location: int
    lines: tuple[tuple[int, int], ...]
    freight: int


class PurchaseLine(NamedTuple):
    """A line of a purchase order; `price` None is the price in force."""

    item: int
    units: int
    price: int | None
    need_by: int


class Purchase(NamedTuple):
    """A purchase order as drafted; `total` in ten-thousandths."""

    supplier: int
    location: int
    lines: tuple[PurchaseLine, ...]
    total: int
    freight: int
    expedite: int
    reason: str


class Received(NamedTuple):
    """A delivery: (line number, units arrived, of them rejected)."""

    lines: tuple[tuple[int, int, int], ...]


class Decided(NamedTuple):
    """What becomes of the units of a line that came beyond the order: accept, return or correct."""

    line: int
    units: int
    decision: str


class Promise(NamedTuple):
    """Promised days per line number, with the cause where a promise was changed."""

    lines: tuple[tuple[int, int], ...]
    cause: str | None = None


class Authorised(NamedTuple):
    """What a customer sends back: (order, line number, units, reason), with the customer's words."""

    order: int
    location: int
    lines: tuple[tuple[int, int, str], ...]
    comment: str | None


class Judged(NamedTuple):
    """A word per line of a return: its condition, or its disposition."""

    words: tuple[str, ...]


class Transferred(NamedTuple):
    """Stock on its way: (item, units)."""

    source: int
    target: int
    lines: tuple[tuple[int, int], ...]


class Delay(NamedTuple):
    """Truth about a late purchase order line: the cause and the days after the first promise."""

    purchase: int
    line: int
    cause: str
    days: int


class Mail(NamedTuple):
    """What a supplier wrote; `tone` is truth."""

    body: str
    tone: str


class BilledLine(NamedTuple):
    """Units of a purchase order line at a price; on a credit note the part of the price that is given back."""

    purchase: int
    line: int
    units: int
    price: int


class Bill(NamedTuple):
    """A supplier's invoice, or its credit note for invoice `credits`; `freight` is (purchase, amount).

    `wrong` is truth: what does not match (price, quantity, freight or duplicate), if anything.
    """

    supplier: int
    number: str
    invoiced: int
    due: int
    lines: tuple[BilledLine, ...]
    freight: tuple[tuple[int, int], ...]
    wrong: str | None = None
    credits: int | None = None

    @property
    def total(self) -> int:
        """What it asks for, or gives back."""
        return sum(line.units * line.price for line in self.lines) + sum(amount for _, amount in self.freight)


class Paid(NamedTuple):
    """What a supplier is paid at once: numbers of invoices and of credit notes."""

    supplier: int
    invoices: tuple[int, ...]


class Agreed(NamedTuple):
    """A blanket contract: (item, price, units) from `start` up to, and not on, `stop`."""

    supplier: int
    start: int
    stop: int
    lines: tuple[tuple[int, int, int], ...]
    reason: str


class Asked(NamedTuple):
    """A request for quotation of (item, units) at a place, answered until `deadline`."""

    location: int
    suppliers: tuple[int, ...]
    deadline: int
    need_by: int
    lines: tuple[tuple[int, int], ...]


class Quoted(NamedTuple):
    """A supplier's answer: (line number, price, minimum, multiple) until a day; without lines it declines."""

    supplier: int
    valid_until: int
    lead: int
    lines: tuple[tuple[int, int, int, int], ...]


class Awarded(NamedTuple):
    """The answer that is bought, and the line numbers of the request that it is about."""

    supplier: int
    lines: tuple[int, ...]
