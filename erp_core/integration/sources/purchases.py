"""Template `purchase-orders`: lines with their receipts, a row for each receipt."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import NamedTuple

from erp_core.integration.fields import count, day, price, quantity, text_up_to
from erp_core.integration.findings import Chunk, Chunks, Findings
from erp_core.integration.known import Known
from erp_core.integration.rows import PurchaseLineRow, PurchaseRow, ReceiptRow, chunk, in_chunks, iso
from erp_core.integration.sources.template import (
    LINES_PER_CHUNK,
    LOCATION_KIND,
    Field,
    Line,
    Places,
    RowError,
    SetAside,
    Template,
    found,
)


class Purchase(NamedTuple):
    """A row of `purchase-orders`."""

    po_number: str
    line_no: int
    supplier: str
    location: str
    sent_on: date
    sku: str
    quantity: int
    unit_price: int
    first_promised_on: date | None
    promised_on: date | None
    cancelled_quantity: int | None
    received_on: date | None
    received_quantity: int | None
    rejected_quantity: int | None
    known_on: date | None
    currency: str | None
    location_kind: str | None

    @property
    def receipt(self) -> ReceiptRow | None:
        """The receipt that the row tells of."""
        if self.received_on is None:
            return None
        known = max(self.known_on or self.received_on, self.received_on)
        return ReceiptRow(
            self.received_on.isoformat(),
            known.isoformat(),
            self.received_quantity or 0,
            self.rejected_quantity or 0,
        )


class PurchaseOrders(Template[Purchase]):
    """Purchase orders as they were, open or received. Past receipts move no stock."""

    name = "purchase-orders"
    record = Purchase
    fields = (
        Field("po_number", text_up_to(40), True, "number of the purchase order"),
        Field("line_no", quantity, True, "number of the line; several rows of a line are several receipts"),
        Field("supplier", text_up_to(40), True, "code of the supplier"),
        Field("location", text_up_to(40), True, "code of the location it goes to"),
        Field("sent_on", day, True, "day it was sent to the supplier"),
        Field("sku", text_up_to(60), True, "the item"),
        Field("quantity", quantity, True, "base units ordered"),
        Field("unit_price", price, True, "price of a base unit"),
        Field("first_promised_on", day, False, "first day the supplier confirmed; promised_on if empty"),
        Field("promised_on", day, False, "latest day the supplier confirmed"),
        Field("cancelled_quantity", count, False, "base units cancelled; 0 if empty"),
        Field("received_on", day, False, "day of a receipt; empty while open"),
        Field("received_quantity", count, False, "base units accepted with it"),
        Field("rejected_quantity", count, False, "base units rejected with it"),
        Field("known_on", day, False, "day the receipt was recorded; its own day if empty"),
        Field("currency", text_up_to(3), False, "USD if empty"),
        Field("location_kind", LOCATION_KIND, False, "makes a new location of this kind"),
    )

    def __init__(self) -> None:
        super().__init__()
        self._places: Places | None = None

    def checker(self, known: Known, findings: Findings) -> Callable[[Purchase], Purchase]:
        """Known codes; rows of an order and of a line agree; no more received than ordered."""
        self._places = places = Places(known)
        orders: dict[str, tuple[object, ...]] = {}
        lines: dict[tuple[str, int], tuple[object, ...]] = {}
        received: defaultdict[tuple[str, int], int] = defaultdict(int)

        def check(row: Purchase) -> Purchase:
            row = row._replace(
                supplier=found(known.suppliers, "supplier", row.supplier),
                location=places.location(row.location, row.location_kind),
                sku=found(known.items, "sku", row.sku),
                currency=(row.currency or "USD").upper(),
            )
            if row.sent_on > known.as_of:
                raise SetAside("after_as_of")
            if row.po_number in known.purchase_orders:
                raise SetAside("already_imported")
            header = (row.supplier, row.location, row.sent_on, row.currency)
            if orders.setdefault(row.po_number, header) != header:
                reason = f"{row.po_number} has another supplier, location, day or currency above"
                raise RowError(
                    "po_number", "order_differs", reason, "give them alike on all rows of an order"
                )
            key = (row.po_number, row.line_no)
            line = (
                row.sku,
                row.quantity,
                row.unit_price,
                row.first_promised_on,
                row.promised_on,
                row.cancelled_quantity,
            )
            if lines.setdefault(key, line) != line:
                reason = f"line {row.line_no} of {row.po_number} differs from the row above"
                raise RowError(
                    "line_no", "line_differs", reason, "only the receipt may differ between its rows"
                )
            _check_receipt(row, received[key])
            if row.received_on and (row.known_on or row.received_on) > known.as_of:
                findings.noted["receipt_after_as_of"] += 1
                return row._replace(received_on=None)
            received[key] += row.received_quantity or 0
            return row

        return check

    def lay_out(self, lines: Sequence[Line[Purchase]], known: Known, findings: Findings) -> Chunks:
        """Places, then orders by the day they were sent."""
        places = self._places
        assert places is not None
        orders: defaultdict[str, list[Purchase]] = defaultdict(list)
        for line in lines:
            orders[line.row.po_number].append(line.row)
            findings.saw("purchasing", line.row.sent_on, line.row.received_on or line.row.sent_on)
        ordered = sorted(orders.values(), key=lambda rows: (rows[0].sent_on, rows[0].po_number))

        def chunks() -> Iterator[Chunk]:
            if places.locations:
                yield chunk("items", locations=places.locations.values())
            yield from in_chunks("purchases", "orders", map(_order, ordered), LINES_PER_CHUNK)

        return chunks()


def _check_receipt(row: Purchase, received: int) -> None:
    if (row.cancelled_quantity or 0) + received + (row.received_quantity or 0) > row.quantity:
        reason = f"more than the {row.quantity} ordered are received and cancelled"
        raise RowError(
            "received_quantity", "more_than_ordered", reason, "give the accepted units without the excess"
        )
    if row.received_on is None and (row.received_quantity or row.rejected_quantity):
        raise RowError("received_on", "missing", "a received quantity needs its day", "fill it in")
    if row.received_on is not None and row.received_quantity is None:
        raise RowError("received_quantity", "missing", "a receipt needs its quantity", "fill it in")
    if row.received_on is not None and row.received_on < row.sent_on:
        raise RowError("received_on", "before_the_order", "it came before it was ordered", "check the days")


def _order(rows: Sequence[Purchase]) -> PurchaseRow:
    head = rows[0]
    lines: defaultdict[int, list[Purchase]] = defaultdict(list)
    for row in rows:
        lines[row.line_no].append(row)
    sent = head.sent_on.isoformat()
    return PurchaseRow(
        head.po_number,
        head.supplier,
        head.location,
        head.currency or "USD",
        sent,
        sent,
        sent,
        0,
        tuple(_line(number, lines[number]) for number in sorted(lines)),
    )


def _line(number: int, rows: Sequence[Purchase]) -> PurchaseLineRow:
    head = rows[0]
    first = head.first_promised_on or head.promised_on
    latest = head.promised_on or head.first_promised_on
    return PurchaseLineRow(
        number,
        head.sku,
        head.quantity,
        head.unit_price,
        iso(first),
        iso(latest),
        head.cancelled_quantity or 0,
        tuple(sorted(receipt for row in rows if (receipt := row.receipt))),
    )
