"""Online Retail I and II (UCI 352 and 502): invoice lines of a gift wholesaler, as published.

One web channel, one location without known stock, customers as codes only. The whole file is held in
columns of integers (about 70 bytes a row) while its cancellations are matched.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import numpy as np
from dateutil import tz

from erp_core.integration.findings import Chunk, Chunks, Findings
from erp_core.integration.known import Known
from erp_core.integration.past_sales import StagedLines, StagedOrders, sales_chunks
from erp_core.integration.rows import (
    ChannelRow,
    ItemRow,
    PlaceRow,
    ReturnLineRow,
    ReturnRow,
    chunk,
    in_chunks,
    runs,
)
from erp_core.integration.sources.base import Rows
from erp_core.integration.sources.categories import category_of
from erp_core.integration.sources.invoice_lines import FIELDS, InvoiceLines, read_lines
from erp_core.integration.sources.numbered import Ints
from erp_core.integration.sources.online_retail_rules import Event, Match, match_all

CODE: Final = "online-retail"
PREFIX: Final = "OR-"
LINES_PER_CHUNK: Final = 2_000
ITEMS_PER_CHUNK: Final = 500
LONDON = tz.gettz("Europe/London")


class OnlineRetail:
    """The published invoice lines: sales, cancellations and the rows that are neither."""

    name = CODE
    columns: Mapping[str, Sequence[str]] = {
        "invoice": ("InvoiceNo", "Invoice"),
        "stock_code": ("StockCode",),
        "description": ("Description",),
        "quantity": ("Quantity",),
        "invoice_date": ("InvoiceDate",),
        "price": ("UnitPrice", "Price"),
        "customer": ("CustomerID", "Customer ID"),
        "country": ("Country",),
    }
    required: Sequence[str] = FIELDS

    def read(self, rows: Rows, places: Mapping[str, int], known: Known, findings: Findings) -> Chunks:
        """Classify every row, match cancellations, and lay out items, orders and returns."""
        brought = {invoice for channel, invoice in known.orders if channel == CODE}
        returned = {
            number.removeprefix(PREFIX).split("/")[0] for number in known.returns if number.startswith(PREFIX)
        }
        lines = read_lines(rows, places, known.as_of, brought, returned, findings)
        return _chunks(lines, _cancellations(lines, findings), findings)


def _cancellations(lines: InvoiceLines, findings: Findings) -> list[Match]:
    """What each cancellation undoes, for the customers and items that have any."""
    cancelling = lines.quantity < 0
    registered = lines.customer != lines.numbered["customer"].number_of(None)
    keys = lines.customer.astype(np.int64) << 32 | lines.stock_code
    concerned = np.flatnonzero(cancelling | (registered & np.isin(keys, keys[cancelling & registered])))
    moments = lines.texts("invoice_date", concerned)
    matches = match_all(
        (key if named else -row, Event(at, row, abs(quantity), quantity > 0))
        for key, named, at, row, quantity in zip(
            keys[concerned].tolist(),
            registered[concerned].tolist(),
            moments,
            concerned.tolist(),
            lines.quantity[concerned].tolist(),
            strict=True,
        )
    )
    matches = [_as_returned(match, lines) for match in matches]
    for match in matches:
        if match.unshipped and match.sale is not None and lines.known[match.sale]:
            findings.set_aside["already_imported"] += int(not lines.known[match.cancellation])
            lines.known[match.cancellation] = True
    fresh = [match for match in matches if not lines.known[match.cancellation]]
    for match in fresh:
        findings.noted[_kind(match)] += 1
    return fresh


def _as_returned(match: Match, lines: InvoiceLines) -> Match:
    """A sale that an earlier import brought stays a sale when it is cancelled on a day after that import's last."""
    if match.sale is None or not lines.known[match.sale]:
        return match
    same_day = lines.when(match.sale).date() == lines.when(match.cancellation).date()
    return match._replace(unshipped=match.unshipped and same_day)


def _kind(match: Match) -> str:
    if match.sale is None:
        return "return_without_visible_sale"
    return "order_cancelled_unshipped" if match.unshipped else "return_of_visible_sale"


@dataclass(frozen=True, slots=True)
class _Orders:
    """Sales invoices by their first moment: where each begins in `rows`, and how many rows it has.

    `rows` are the rows of the file in the order of the orders' lines; `line_no` is by row of the file.
    """

    rows: Ints
    begins: Ints
    sizes: Ints
    line_no: Ints

    def fresh(self, lines: InvoiceLines) -> _Orders:
        """Those that no earlier import brought."""
        kept = ~lines.known[self.rows[self.begins]]
        sizes = self.sizes[kept]
        rows = self.rows[np.repeat(kept, self.sizes)]
        return _Orders(rows, np.cumsum(sizes) - sizes, sizes, self.line_no)


def _orders(lines: InvoiceLines) -> _Orders:
    sold = np.flatnonzero(lines.quantity > 0)
    _, first, order = np.unique(lines.invoice[sold], return_index=True, return_inverse=True)
    begun = np.full(len(first), np.iinfo(np.int64).max)
    np.minimum.at(begun, order, lines.seconds[sold])
    rows = sold[np.lexsort((sold, first[order], begun[order]))]
    begins = np.flatnonzero(np.diff(lines.invoice[rows], prepend=-1))
    sizes = np.diff(begins, append=len(rows))
    line_no = np.zeros(len(lines.invoice), np.int64)
    line_no[rows] = np.arange(len(rows)) - np.repeat(begins, sizes) + 1
    return _Orders(rows, begins, sizes, line_no)


def _chunks(lines: InvoiceLines, matches: Sequence[Match], findings: Findings) -> Iterator[Chunk]:
    cancelled = np.zeros(len(lines.quantity), np.int64)
    for match in matches:
        if match.unshipped and match.sale is not None:
            cancelled[match.sale] += match.quantity
    findings.accepted = int(np.count_nonzero(~lines.known))
    orders = _orders(lines)
    fresh = orders.fresh(lines)
    if len(fresh.rows):
        days = [at.date() for at in lines.texts("invoice_date", fresh.rows[fresh.begins])]
        findings.saw("sales", min(days), max(days))
    back = [match for match in matches if not match.unshipped]
    if back:
        days = [lines.when(match.cancellation).date() for match in back]
        findings.saw("returns", min(days), max(days))
    return _laid_out(lines, fresh, cancelled, back)


def _laid_out(
    lines: InvoiceLines, orders: _Orders, cancelled: Ints, back: Sequence[Match]
) -> Iterator[Chunk]:
    yield chunk(
        "items",
        locations=[PlaceRow(CODE, "Online Retail (stock unknown)", "warehouse", "United Kingdom")],
        channels=[ChannelRow(CODE, "Online Retail", "web")],
    )
    yield from in_chunks("items", "items", _items(lines, orders), ITEMS_PER_CHUNK)
    together = runs(range(len(orders.sizes)), orders.sizes.tolist().__getitem__, LINES_PER_CHUNK)
    yield from sales_chunks(_sales(lines, orders, run, cancelled) for run in together)
    yield from in_chunks("returns", "returns", _returns(lines, back, orders), LINES_PER_CHUNK)


def _items(lines: InvoiceLines, orders: _Orders) -> Iterator[ItemRow]:
    """Every item with its most frequent description; it begins on the day of its first sale."""
    skus, at = np.unique(lines.stock_code[orders.rows], return_index=True)
    first = dict(zip(skus.tolist(), orders.rows[at].tolist(), strict=True))
    names = _names(lines)
    skus, at = np.unique(lines.stock_code, return_index=True)
    for number in skus[np.argsort(at)].tolist():
        sku = lines.numbered["stock_code"].given[number]
        name = names.get(number, sku)
        begun = lines.when(first[number]).date().isoformat() if number in first else None
        yield ItemRow(sku, name, category_of(name), "Unbranded", "each", introduced_on=begun)


def _names(lines: InvoiceLines) -> dict[int, str]:
    """The most frequent description of each item, the earlier one where two are; items with none are left out."""
    told = np.flatnonzero(lines.description != lines.numbered["description"].number_of(""))
    pairs = lines.stock_code[told].astype(np.int64) << 32 | lines.description[told]
    pairs, first, times = np.unique(pairs, return_index=True, return_counts=True)
    rarest_first = pairs[np.lexsort((-first, times))]
    names = lines.numbered["description"].given
    return {pair >> 32: names[pair & 0xFFFFFFFF] for pair in rarest_first.tolist()}


def _sales(
    lines: InvoiceLines, orders: _Orders, run: Sequence[int], cancelled: Ints
) -> tuple[StagedOrders, StagedLines]:
    """The orders of these places, which follow one another."""
    sizes, begins = orders.sizes[run], orders.begins[run]
    rows = orders.rows[begins[0] : begins[0] + sizes.sum()]
    heads = orders.rows[begins]
    invoices = lines.texts("invoice", heads)
    starts = np.minimum.reduceat(lines.seconds[rows], begins - begins[0]).tolist()
    moments = [datetime.fromtimestamp(seconds, UTC).replace(tzinfo=LONDON) for seconds in starts]
    days = [at.date().isoformat() for at in moments]
    staged = StagedOrders(
        external_ref=invoices,
        number=[f"{PREFIX}{invoice}" for invoice in invoices],
        channel=[CODE] * len(run),
        customer=[None if code is None else f"{PREFIX}{code}" for code in lines.texts("customer", heads)],
        country=lines.texts("country", heads),
        ordered_at=[at.astimezone(UTC).isoformat() for at in moments],
        ordered_on=days,
        promised_on=[None] * len(run),
        shipped_on=days,
        lines=sizes.tolist(),
    )
    prices = lines.price[rows].tolist()
    return staged, StagedLines(
        line_no=orders.line_no[rows].tolist(),
        sku=lines.texts("stock_code", rows),
        location=[CODE] * len(rows),
        quantity=lines.quantity[rows].tolist(),
        cancelled=cancelled[rows].tolist(),
        unit_price=prices,
        list_price=prices,
    )


def _returns(lines: InvoiceLines, back: Sequence[Match], orders: _Orders) -> Iterator[ReturnRow]:
    """One return per cancelling invoice and order that it returns; numbered where there are several."""
    documents: defaultdict[int, defaultdict[int | None, list[Match]]] = defaultdict(lambda: defaultdict(list))
    for match in back:
        sold = None if match.sale is None else int(lines.invoice[match.sale])
        documents[int(lines.invoice[match.cancellation])][sold].append(match)
    invoices = lines.numbered["invoice"].given
    skus = lines.numbered["stock_code"].given
    countries = lines.numbered["country"].given
    for invoice, by_order in documents.items():
        reference = f"{PREFIX}{invoices[invoice]}"
        for part, (sold, matches) in enumerate(by_order.items(), start=1):
            row = matches[0].cancellation
            yield ReturnRow(
                number=reference if len(by_order) == 1 else f"{reference}/{part}",
                order=None if sold is None else invoices[sold],
                channel=CODE,
                country=countries[lines.country[row]],
                returned_on=lines.when(row).date().isoformat(),
                lines=tuple(
                    ReturnLineRow(
                        number,
                        None if match.sale is None else int(orders.line_no[match.sale]),
                        skus[lines.stock_code[match.cancellation]],
                        CODE,
                        None if match.sale is None else lines.when(match.sale).date().isoformat(),
                        match.quantity,
                        match.quantity * int(lines.price[match.cancellation]),
                        "not_stated",
                    )
                    for number, match in enumerate(matches, start=1)
                ),
            )
