"""Online Retail I and II (UCI 352 and 502): invoice lines of a gift wholesaler, as published.

One web channel, one location without known stock, customers as codes only. The whole file is held in
columns of integers (about 60 bytes a row) while its cancellations are matched.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from dateutil import tz

from erp_core.integration.fields import (
    MISSING,
    FieldError,
    Remembered,
    amount,
    code,
    integer,
    moment,
    text_up_to,
)
from erp_core.integration.findings import Chunk, Chunks, Findings
from erp_core.integration.known import Known
from erp_core.integration.rows import (
    ChannelRow,
    ItemRow,
    PlaceRow,
    ReturnLineRow,
    ReturnRow,
    SaleLineRow,
    SaleRow,
    chunk,
    in_chunks,
    sales_chunks,
)
from erp_core.integration.sources.base import Rows
from erp_core.integration.sources.categories import category_of
from erp_core.integration.sources.invoice_lines import InvoiceLines
from erp_core.integration.sources.online_retail_rules import Event, Match, match_all, verdict

CODE: Final = "online-retail"
PREFIX: Final = "OR-"
LINES_PER_CHUNK: Final = 2_000
ITEMS_PER_CHUNK: Final = 500
LONDON = tz.gettz("Europe/London")
NO_COUNTRY = "Unspecified"
FIELDS = ("invoice", "stock_code", "quantity", "invoice_date", "price", "customer", "country", "description")


def _customer(text: str) -> str | None:
    """``17850``, also as pandas writes it (``17850.0``); None for an unregistered customer."""
    value = text.strip().removesuffix(".0")
    if value.lower() in MISSING:
        return None
    if len(value) > 40:
        raise FieldError("too_long", "it has more than 40 characters", "give the customer's number")
    return value


def _country(text: str) -> str:
    return text_up_to(60)(text) if text.strip().lower() not in MISSING else NO_COUNTRY


def _description(text: str) -> str:
    return " ".join(text.replace("\x00", "").split())[:200]


PARSERS: dict[str, Callable[[str], Any]] = {
    "invoice": code(40),
    "stock_code": code(60),
    "quantity": integer,
    "invoice_date": moment,
    "price": amount,
    "customer": _customer,
    "country": _country,
    "description": _description,
}


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
        lines = InvoiceLines()
        _collect(rows, places, known, findings, lines)
        return _chunks(lines, _cancellations(lines, findings), findings)


def _collect(
    rows: Rows, places: Mapping[str, int], known: Known, findings: Findings, lines: InvoiceLines
) -> None:
    parse = [Remembered[Any](PARSERS[name]) for name in FIELDS]
    invoices, codes, quantities, moments, prices, customers, countries, descriptions = parse
    at = [places[name] for name in FIELDS]
    width = max(at) + 1
    brought = {invoice for channel, invoice in known.orders if channel == CODE}
    returned = {
        number.removeprefix(PREFIX).split("/")[0] for number in known.returns if number.startswith(PREFIX)
    }
    after = datetime(known.as_of.year, known.as_of.month, known.as_of.day) + timedelta(days=1)
    seen: set[int] = set()
    for line, row in rows:
        findings.read += 1
        try:
            cells = [row[place] for place in at]
            invoice, sku, quantity = invoices[cells[0]], codes[cells[1]], quantities[cells[2]]
            when, charged, customer = moments[cells[3]], prices[cells[4]], customers[cells[5]]
            country, description = countries[cells[6]], descriptions[cells[7]]
            judged = verdict(invoice, sku, quantity, charged, customer)
            if not quantity or (charged < 0 and judged in ("sale", "cancellation")):
                raise FieldError("contradictory", "", "")
        except (FieldError, IndexError):
            findings.refuse(line, _errors(row, at, width))
            continue
        if when >= after:
            judged = "after_as_of"
        if judged not in ("sale", "cancellation"):
            findings.set_aside[judged] += 1
            continue
        known_before = invoice in (brought if judged == "sale" else returned)
        lines.add(invoice, sku, quantity, when, charged, customer, country, description, known_before)
        if known_before:
            findings.set_aside["already_imported"] += 1
            continue
        _note(row, cells[1], sku, charged, customer, description, findings.noted)
        same = hash(tuple(row))
        if same in seen:
            findings.noted["duplicate_kept"] += 1
        seen.add(same)


def _note(
    row: Sequence[str],
    as_written: str,
    sku: str,
    charged: int,
    customer: str | None,
    text: str,
    noted: Counter[str],
) -> None:
    if not text:
        noted["blank_description"] += 1
    if customer is None:
        noted["no_customer"] += 1
    if sku != as_written:
        noted["stock_code_rewritten"] += 1
    if charged == 0:
        noted["free_of_charge"] += 1


def _errors(row: Sequence[str], at: Sequence[int], width: int) -> list[tuple[str, FieldError]]:
    """Every error of a row that has one."""
    if len(row) < width:
        reason = f"it has {len(row)} cells instead of {width} or more"
        return [("row", FieldError("too_few_cells", reason, "give every column, and quote commas"))]
    errors = []
    for name, place in zip(FIELDS, at, strict=True):
        try:
            value = PARSERS[name](row[place])
            if name == "quantity" and value == 0:
                raise FieldError("quantity_zero", "the quantity is 0", "give the units sold")
        except FieldError as error:
            errors.append((name, error))
    if not errors:
        reason = f"{row[at[FIELDS.index('price')]]!r} is below zero"
        errors.append(("price", FieldError("price_below_zero", reason, "give 0 or more")))
    return errors


def _cancellations(lines: InvoiceLines, findings: Findings) -> list[Match]:
    """What each cancellation undoes, for the customers and items that have any."""
    keys = {
        (lines.customer[row], lines.sku[row]) for row, quantity in enumerate(lines.quantity) if quantity < 0
    }
    unregistered = lines.customers.get(None, -1)
    events = (
        (
            (customer, sku) if customer != unregistered else row,
            Event(lines.when(row), row, abs(quantity), quantity > 0),
        )
        for row, (customer, sku, quantity) in enumerate(
            zip(lines.customer, lines.sku, lines.quantity, strict=True)
        )
        if (customer, sku) in keys and (customer != unregistered or quantity < 0)
    )
    matches = match_all(events)
    matches = [_as_returned(match, lines) for match in matches]
    for match in matches:
        if match.unshipped and match.sale is not None and lines.known[match.sale]:
            findings.set_aside["already_imported"] += 1 - lines.known[match.cancellation]
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


def _chunks(lines: InvoiceLines, matches: Sequence[Match], findings: Findings) -> Iterator[Chunk]:
    cancelled: Counter[int] = Counter()
    for match in matches:
        if match.unshipped and match.sale is not None:
            cancelled[match.sale] += match.quantity
    findings.accepted = lines.known.count(0)
    orders = _orders(lines)
    line_of = {row: number for rows in orders.values() for number, row in enumerate(rows, start=1)}
    fresh = {invoice: rows for invoice, rows in orders.items() if not lines.known[rows[0]]}
    if fresh:
        days = [lines.when(rows[0]).date() for rows in fresh.values()]
        findings.saw("sales", min(days), max(days))
    back = [match for match in matches if not match.unshipped]
    if back:
        days = [lines.when(match.cancellation).date() for match in back]
        findings.saw("returns", min(days), max(days))
    return _laid_out(lines, fresh, cancelled, line_of, back)


def _orders(lines: InvoiceLines) -> dict[int, list[int]]:
    """Rows of each sales invoice, invoices by their first moment."""
    orders: defaultdict[int, list[int]] = defaultdict(list)
    for row, invoice in enumerate(lines.invoice):
        if lines.quantity[row] > 0:
            orders[invoice].append(row)
    return dict(sorted(orders.items(), key=lambda order: min(lines.when(row) for row in order[1])))


def _laid_out(
    lines: InvoiceLines,
    orders: Mapping[int, Sequence[int]],
    cancelled: Mapping[int, int],
    line_of: Mapping[int, int],
    back: Sequence[Match],
) -> Iterator[Chunk]:
    items = list(_items(lines, orders))
    yield chunk(
        "items",
        locations=[PlaceRow(CODE, "Online Retail (stock unknown)", "warehouse", "United Kingdom")],
        channels=[ChannelRow(CODE, "Online Retail", "web")],
    )
    yield from in_chunks("items", "items", items, ITEMS_PER_CHUNK)
    yield from sales_chunks(_sales(lines, orders, cancelled), LINES_PER_CHUNK)
    yield from in_chunks("returns", "returns", _returns(lines, back, line_of), LINES_PER_CHUNK)


def _items(lines: InvoiceLines, orders: Mapping[int, Sequence[int]]) -> Iterator[ItemRow]:
    """Every item with its most frequent description; it begins on the day of its first sale."""
    first: dict[int, str] = {}
    for rows in orders.values():
        for row in rows:
            first.setdefault(lines.sku[row], lines.when(row).date().isoformat())
    for number, sku in enumerate(lines.skus.given):
        names = lines.names.get(number)
        name = names.most_common(1)[0][0] if names else str(sku)
        yield ItemRow(str(sku), name, category_of(name), "Unbranded", "each", introduced_on=first.get(number))


def _sales(
    lines: InvoiceLines, orders: Mapping[int, Sequence[int]], cancelled: Mapping[int, int]
) -> Iterator[SaleRow]:
    for invoice, rows in orders.items():
        when = min(lines.when(row) for row in rows)
        day = when.date().isoformat()
        reference = str(lines.invoices.given[invoice])
        customer = lines.customers.given[lines.customer[rows[0]]]
        yield SaleRow(
            external_ref=reference,
            number=f"{PREFIX}{reference}",
            channel=CODE,
            customer=None if customer is None else f"{PREFIX}{customer}",
            country=lines.text(lines.countries, lines.country, rows[0]),
            ordered_at=when.replace(tzinfo=LONDON).astimezone(UTC).isoformat(),
            ordered_on=day,
            promised_on=None,
            shipped_on=day,
            lines=tuple(
                SaleLineRow(
                    number,
                    str(lines.skus.given[lines.sku[row]]),
                    CODE,
                    lines.quantity[row],
                    cancelled.get(row, 0),
                    lines.price[row],
                    lines.price[row],
                )
                for number, row in enumerate(rows, start=1)
            ),
        )


def _returns(lines: InvoiceLines, back: Sequence[Match], line_of: Mapping[int, int]) -> Iterator[ReturnRow]:
    """One return per cancelling invoice and order that it returns; numbered where there are several."""
    documents: defaultdict[int, defaultdict[int | None, list[Match]]] = defaultdict(lambda: defaultdict(list))
    for match in back:
        sold = None if match.sale is None else lines.invoice[match.sale]
        documents[lines.invoice[match.cancellation]][sold].append(match)
    for invoice, by_order in documents.items():
        reference = f"{PREFIX}{lines.invoices.given[invoice]}"
        for part, (sold, matches) in enumerate(by_order.items(), start=1):
            row = matches[0].cancellation
            yield ReturnRow(
                number=reference if len(by_order) == 1 else f"{reference}/{part}",
                order=None if sold is None else str(lines.invoices.given[sold]),
                channel=CODE,
                country=lines.text(lines.countries, lines.country, row),
                returned_on=lines.when(row).date().isoformat(),
                lines=tuple(
                    ReturnLineRow(
                        number,
                        None if match.sale is None else line_of[match.sale],
                        str(lines.skus.given[lines.sku[match.cancellation]]),
                        CODE,
                        None if match.sale is None else lines.when(match.sale).date().isoformat(),
                        match.quantity,
                        match.quantity * lines.price[match.cancellation],
                        "not_stated",
                    )
                    for number, match in enumerate(matches, start=1)
                ),
            )
