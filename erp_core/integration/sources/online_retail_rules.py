"""Rules for the Online Retail data: which rows are goods sold, and which sale a cancellation undoes. Pure."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final, Literal, NamedTuple

OVERNIGHT: Final = timedelta(hours=12)
"""How long after an order of the day before it can still be cancelled before it ships."""

_GOODS = re.compile(r"\d{5}", re.ASCII)

Verdict = Literal["sale", "cancellation"]
SET_ASIDE = {
    "after_as_of": "dated after the as-of day",
    "adjustment_invoice": "an invoice that is no sale, such as a bad debt (its number starts with a letter but C)",
    "not_goods": "a stock code that does not start with five digits: postage, fees, manual entries, vouchers",
    "stock_write_off": "a negative quantity on an invoice that is no cancellation",
    "stock_correction": "price 0 and no customer: stock found or corrected, nobody bought it",
    "cancellation_without_minus": "a cancellation whose quantity is not negative",
    "already_imported": "an invoice that another import brought",
}


def is_goods(stock_code: str) -> bool:
    """Whether a stock code names goods rather than postage, fees or vouchers."""
    return _GOODS.match(stock_code) is not None


def verdict(invoice: str, stock_code: str, quantity: int, price: int, customer: str | None) -> str:
    """`sale`, `cancellation`, or the rule of `SET_ASIDE` that keeps the row out."""
    cancelled = invoice.startswith("C")
    if not cancelled and not invoice[0].isdigit():
        return "adjustment_invoice"
    if not is_goods(stock_code):
        return "not_goods"
    if cancelled:
        return "cancellation" if quantity < 0 else "cancellation_without_minus"
    if quantity < 0:
        return "stock_write_off"
    if price == 0 and customer is None:
        return "stock_correction"
    return "sale"


class Event(NamedTuple):
    """A sale or cancellation of one item by one customer; `row` is its place in the file."""

    at: datetime
    row: int
    quantity: int
    is_sale: bool


class Match(NamedTuple):
    """Units of a cancellation that undo units of a sale; `sale` is None where no sale is visible.

    `unshipped` means the order was cancelled before it could ship; otherwise goods came back.
    """

    cancellation: int
    sale: int | None
    quantity: int
    unshipped: bool


def cancelled_before_shipping(ordered: datetime, cancelled: datetime) -> bool:
    """Whether a cancellation undoes the order itself: on the same business day, or overnight."""
    return cancelled.date() == ordered.date() or cancelled - ordered <= OVERNIGHT


def match_cancellations(events: Iterable[Event]) -> list[Match]:
    """Match the cancellations of one customer and item to sales: the latest earlier sale with units left first.

    A sale is earlier when it is dated no later, or at the same minute when it stands before it in the
    file. Units that no sale is left for are matches without a sale. No unit of a sale is undone twice.
    """
    open_sales: list[tuple[Event, list[int]]] = []
    matches: list[Match] = []
    for event in sorted(events, key=lambda one: (one.at, one.row)):
        if event.is_sale:
            open_sales.append((event, [event.quantity]))
            continue
        wanted = event.quantity
        while wanted and open_sales:
            sale, left = open_sales[-1]
            units = min(wanted, left[0])
            matches.append(Match(event.row, sale.row, units, cancelled_before_shipping(sale.at, event.at)))
            left[0] -= units
            wanted -= units
            if not left[0]:
                open_sales.pop()
        if wanted:
            matches.append(Match(event.row, None, wanted, False))
    return matches


def match_all(events: Iterable[tuple[object, Event]]) -> list[Match]:
    """Match within each key (customer and item), in order of the cancellations' rows."""
    by_key: defaultdict[object, list[Event]] = defaultdict(list)
    for key, event in events:
        by_key[key].append(event)
    matches = (match for group in by_key.values() for match in match_cancellations(group))
    return sorted(matches, key=lambda match: match.cancellation)
