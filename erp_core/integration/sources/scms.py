"""SCMS delivery history (USAID, "Supply Chain Shipment Pricing Data"): purchase order lines and deliveries.

Quantities are packs, money is US dollars. A line's scheduled date is what was promised, its delivery the
receipt. Warehouse orders ("From RDC") come from a supplier marked internal.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Final, NamedTuple

from erp_core.integration.fields import FieldError, day, optional, price, quantity, text_up_to
from erp_core.integration.findings import Chunk, Chunks, Findings
from erp_core.integration.known import Known
from erp_core.integration.rows import (
    ItemRow,
    PlaceRow,
    PurchaseLineRow,
    PurchaseRow,
    ReceiptRow,
    SupplierItemRow,
    SupplierRow,
    chunk,
    in_chunks,
)
from erp_core.integration.sources import scms_rules as rules
from erp_core.integration.sources.base import Rows

LINES_PER_CHUNK: Final = 300
CURRENCY: Final = "USD"


class _Line(NamedTuple):
    """One row, read; `delivered` and its record are None when not known by the as-of day."""

    id: int
    po: str
    country: str
    via: str
    terms: str
    asked: date | None
    sent: date | None
    scheduled: date
    delivered: date | None
    recorded: date | None
    category: str
    vendor: str
    item: str
    brand: str
    pack: int
    quantity: int
    value: int
    price: int
    freight: tuple[int | None, str | None]
    weight: str | None
    sku: str

    @property
    def known_on(self) -> date:
        """The first day the line was known."""
        return rules.known_on(self.asked, self.sent, self.scheduled)

    @property
    def delivery_known_on(self) -> date | None:
        """The day its delivery was known: recorded, and never before it happened."""
        return self.delivered and max(self.delivered, self.recorded or self.delivered)


PARSERS: dict[str, Callable[[str], Any]] = {
    "id": quantity,
    "po": text_up_to(40),
    "country": text_up_to(60),
    "via": text_up_to(40),
    "terms": text_up_to(40),
    "asked": rules.published_day,
    "sent": rules.published_day,
    "scheduled": day,
    "delivered": optional(day),
    "recorded": optional(day),
    "category": text_up_to(80),
    "vendor": text_up_to(160),
    "item": text_up_to(200),
    "brand": text_up_to(80),
    "pack": quantity,
    "quantity": quantity,
    "value": price,
    "price": price,
    "freight": rules.freight,
    "weight": rules.weight,
}


class Scms:
    """The published delivery lines."""

    name = "scms"
    columns: Mapping[str, Sequence[str]] = {
        "id": ("ID",),
        "po": ("PO / SO #",),
        "country": ("Country",),
        "via": ("Fulfill Via",),
        "terms": ("Vendor INCO Term",),
        "asked": ("PQ First Sent to Client Date",),
        "sent": ("PO Sent to Vendor Date",),
        "scheduled": ("Scheduled Delivery Date",),
        "delivered": ("Delivered to Client Date",),
        "recorded": ("Delivery Recorded Date",),
        "category": ("Sub Classification",),
        "vendor": ("Vendor",),
        "item": ("Item Description",),
        "brand": ("Brand",),
        "pack": ("Unit of Measure (Per Pack)",),
        "quantity": ("Line Item Quantity",),
        "value": ("Line Item Value",),
        "price": ("Pack Price",),
        "freight": ("Freight Cost (USD)",),
        "weight": ("Weight (Kilograms)",),
    }
    required: Sequence[str] = tuple(columns)

    def read(self, rows: Rows, places: Mapping[str, int], known: Known, findings: Findings) -> Chunks:
        """Read every line, keep what was known by the as-of day, and lay out suppliers, items and orders."""
        lines: list[_Line] = []
        for number, row in rows:
            findings.read += 1
            line = _read(number, row, places, findings)
            if line is None:
                continue
            if line.known_on > known.as_of:
                findings.set_aside["after_as_of"] += 1
            elif line.po in known.purchase_orders:
                findings.set_aside["already_imported"] += 1
            else:
                lines.append(_as_known(line, known.as_of, findings.noted))
        findings.accepted = len(lines)
        if lines:
            days = [date for line in lines for date in (line.known_on, line.delivered) if date]
            findings.saw("purchasing", min(days), max(days))
        return _chunks(lines)


def _read(number: int, row: Sequence[str], places: Mapping[str, int], findings: Findings) -> _Line | None:
    values: dict[str, Any] = {}
    errors: list[tuple[str, FieldError]] = []
    for name, parse in PARSERS.items():
        try:
            values[name] = parse(row[places[name]])
        except FieldError as error:
            errors.append((name, error))
        except IndexError:
            reason = f"it has {len(row)} cells"
            errors = [("row", FieldError("too_few_cells", reason, "give every column, and quote commas"))]
            break
    if errors:
        findings.refuse(number, errors)
        return None
    return _Line(**values, sku=rules.item_code(values["item"], values["pack"]))


def _as_known(line: _Line, as_of: date, noted: Counter[str]) -> _Line:
    """The line as it stood on the as-of day, noting what is remarkable."""
    if line.via == rules.WAREHOUSE:
        noted["warehouse_order"] += 1
    if line.sent is None:
        noted["sent_date_missing"] += 1
    elif line.sent > line.scheduled:
        noted["sent_after_due"] += 1
    if line.weight:
        noted[line.weight] += 1
    if line.freight[1]:
        noted[line.freight[1]] += 1
    if abs(line.value - line.quantity * line.price) > line.value // 100 + 10_000:
        noted["value_differs_from_price"] += 1
    known_on = line.delivery_known_on
    if known_on is None or known_on > as_of:
        noted["open_as_of"] += 1
        return line._replace(delivered=None, recorded=None, freight=(None, None))
    return line


def _chunks(lines: Sequence[_Line]) -> Iterator[Chunk]:
    first = {line.sku: line for line in reversed(lines)}
    began: dict[str, date] = {}
    for line in lines:
        began[line.sku] = min(line.known_on, began.get(line.sku, line.known_on))
    yield chunk(
        "items",
        locations=sorted(
            {PlaceRow(rules.place_code(one.country), one.country, "warehouse", one.country) for one in lines}
        ),
    )
    yield from in_chunks(
        "items",
        "items",
        (
            ItemRow(sku, line.item, line.category, line.brand, "pack", introduced_on=began[sku].isoformat())
            for sku, line in sorted(first.items())
        ),
        LINES_PER_CHUNK,
    )
    yield chunk("suppliers", suppliers=_suppliers(lines), supplier_items=_offers(lines))
    yield from in_chunks("purchases", "orders", _orders(lines), LINES_PER_CHUNK)


def _suppliers(lines: Sequence[_Line]) -> Iterator[SupplierRow]:
    terms: defaultdict[str, Counter[str]] = defaultdict(Counter)
    internal = {line.vendor for line in lines if line.via == rules.WAREHOUSE}
    for line in lines:
        terms[line.vendor][line.terms] += 1
    for vendor in sorted(terms):
        yield SupplierRow(
            rules.supplier_code(vendor),
            vendor,
            None,
            CURRENCY,
            delivery_terms=terms[vendor].most_common(1)[0][0][:20],
            segment="imported",
            internal=vendor in internal,
        )


def _offers(lines: Sequence[_Line]) -> Iterator[SupplierItemRow]:
    """Who supplies what at the latest known price; most lines first, own warehouses last."""
    by_item: defaultdict[str, defaultdict[str, list[_Line]]] = defaultdict(lambda: defaultdict(list))
    for line in lines:
        by_item[line.sku][line.vendor].append(line)
    for sku, by_vendor in sorted(by_item.items()):
        ranked = sorted(
            by_vendor.items(), key=lambda one: (one[1][0].via == rules.WAREHOUSE, -len(one[1]), one[0])
        )
        for rank, (vendor, sold) in enumerate(ranked, start=1):
            latest = max(sold, key=lambda line: (line.known_on, line.id))
            yield SupplierItemRow(rules.supplier_code(vendor), sku, None, latest.price, 1, 1, None, rank)


def _orders(lines: Sequence[_Line]) -> Iterator[PurchaseRow]:
    by_po: defaultdict[str, list[_Line]] = defaultdict(list)
    for line in lines:
        by_po[line.po].append(line)
    for po, rows in sorted(by_po.items(), key=lambda one: (min(line.known_on for line in one[1]), one[0])):
        known = min(line.known_on for line in rows)
        sent = [line.sent for line in rows if line.sent]
        yield PurchaseRow(
            number=po,
            supplier=rules.supplier_code(rows[0].vendor),
            location=rules.place_code(rows[0].country),
            currency=CURRENCY,
            created_on=known.isoformat(),
            sent_on=min(sent).isoformat() if sent else None,
            known_on=known.isoformat(),
            freight_cost=sum(line.freight[0] or 0 for line in rows),
            lines=tuple(_order_line(number, line) for number, line in enumerate(rows, start=1)),
        )


def _order_line(number: int, line: _Line) -> PurchaseLineRow:
    due, known_on = line.scheduled.isoformat(), line.delivery_known_on
    receipts: tuple[ReceiptRow, ...] = ()
    if line.delivered and known_on:
        receipts = (ReceiptRow(line.delivered.isoformat(), known_on.isoformat(), line.quantity, 0),)
    return PurchaseLineRow(number, line.sku, line.quantity, line.price, due, due, 0, receipts)
