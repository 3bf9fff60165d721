"""Templates `sales-history` (past orders) and `open-orders` (orders still to be shipped)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from typing import NamedTuple, TypeVar

from erp_core.integration.fields import count, day, moment, price, quantity, text_up_to
from erp_core.integration.findings import Chunk, Chunks, Findings
from erp_core.integration.known import Known
from erp_core.integration.past_sales import StagedLines, StagedOrders, sales_chunks
from erp_core.integration.rows import (
    OrderLineRow,
    OrderRow,
    chunk,
    document_number,
    in_chunks,
    iso,
    runs,
)
from erp_core.integration.sources.template import (
    CHANNEL_KIND,
    LOCATION_KIND,
    Field,
    Line,
    Places,
    RowError,
    SetAside,
    Template,
    found,
)

NO_COUNTRY = "Unspecified"
PAST_LINES_PER_CHUNK = 2_000
OPEN_LINES_PER_CHUNK = 100
MOST_LINES = 1_000


class Sale(NamedTuple):
    """A row of `sales-history`."""

    order_number: str
    ordered_at: datetime
    channel: str
    customer: str | None
    country: str | None
    location: str
    sku: str
    quantity: int
    cancelled_quantity: int | None
    unit_price: int
    list_price: int | None
    promised_on: date | None
    shipped_on: date | None
    channel_kind: str | None
    location_kind: str | None


class OpenOrder(NamedTuple):
    """A row of `open-orders`."""

    order_number: str
    ordered_at: datetime
    channel: str
    customer: str | None
    country: str | None
    location: str | None
    sku: str
    quantity: int
    unit_price: int
    list_price: int | None
    promised_on: date | None


R = TypeVar("R", Sale, OpenOrder)


class _SameOrder:
    """Refuses a row that contradicts the first row of its order."""

    def __init__(self) -> None:
        self._first: dict[tuple[str, str], tuple[object, ...]] = {}
        self._lines: defaultdict[tuple[str, str], int] = defaultdict(int)

    def check(self, row: Sale | OpenOrder) -> None:
        """Day, customer, country and promise are the order's."""
        key = (row.channel, row.order_number)
        header = (row.ordered_at, row.customer, row.country, row.promised_on)
        if self._first.setdefault(key, header) != header:
            reason = f"order {row.order_number} has another moment, customer, country or promise above"
            raise RowError("order_number", "order_differs", reason, "give them alike on all rows of an order")
        self._lines[key] += 1
        if self._lines[key] > MOST_LINES:
            raise RowError(
                "order_number", "too_many_lines", f"more than {MOST_LINES} lines", "split the order"
            )


def _by_order(lines: Iterable[Line[R]]) -> Iterator[tuple[R, list[R]]]:
    orders: defaultdict[tuple[str, str], list[R]] = defaultdict(list)
    for line in lines:
        orders[line.row.channel, line.row.order_number].append(line.row)
    for rows in sorted(orders.values(), key=lambda order: (order[0].ordered_at, order[0].order_number)):
        yield rows[0], rows


def _utc(value: datetime) -> str:
    return value.replace(tzinfo=UTC).isoformat()


class SalesHistory(Template[Sale]):
    """What was sold: feeds demand and sales figures, moves no stock."""

    name = "sales-history"
    record = Sale
    fields = (
        Field("order_number", text_up_to(36), True, "number of the order in its channel"),
        Field("ordered_at", moment, True, "day or moment it was placed, UTC"),
        Field("channel", text_up_to(40), True, "code of the channel"),
        Field("customer", text_up_to(60), False, "the customer's code; no names"),
        Field("country", text_up_to(60), False, "the customer's country"),
        Field("location", text_up_to(40), True, "code of the location it shipped from"),
        Field("sku", text_up_to(60), True, "the item"),
        Field("quantity", quantity, True, "base units ordered"),
        Field("cancelled_quantity", count, False, "of them cancelled before shipment; 0 if empty"),
        Field("unit_price", price, True, "charged for a base unit, net of markdown and tax"),
        Field("list_price", price, False, "before markdown; the price charged if empty"),
        Field("promised_on", day, False, "day promised to the customer"),
        Field("shipped_on", day, False, "day it left; the order's day if empty"),
        Field("channel_kind", CHANNEL_KIND, False, "makes a new channel of this kind"),
        Field("location_kind", LOCATION_KIND, False, "makes a new location of this kind"),
    )

    def __init__(self) -> None:
        super().__init__()
        self._places: Places | None = None

    def checker(self, known: Known, findings: Findings) -> Callable[[Sale], Sale]:
        """Known codes, known by the as-of day, not here already, alike within an order."""
        self._places = places = Places(known)
        same = _SameOrder()

        def check(row: Sale) -> Sale:
            channel = places.channel(row.channel, row.channel_kind)
            row = row._replace(
                channel=channel,
                location=places.location(row.location, row.location_kind),
                sku=found(known.items, "sku", row.sku),
            )
            if row.ordered_at.date() > known.as_of:
                raise SetAside("after_as_of")
            if (channel, row.order_number) in known.orders:
                raise SetAside("already_imported")
            if (row.cancelled_quantity or 0) > row.quantity:
                reason = f"{row.cancelled_quantity} of {row.quantity} cannot be cancelled"
                raise RowError("cancelled_quantity", "more_than_ordered", reason, "give the quantity or less")
            if row.shipped_on and row.shipped_on < row.ordered_at.date():
                raise RowError(
                    "shipped_on", "before_the_order", "it shipped before it was ordered", "check the days"
                )
            if row.shipped_on and row.shipped_on > known.as_of:
                reason = f"it had not shipped on {known.as_of}"
                raise RowError("shipped_on", "not_shipped_yet", reason, "put it into open-orders")
            same.check(row)
            return row

        return check

    def lay_out(self, lines: Sequence[Line[Sale]], known: Known, findings: Findings) -> Chunks:
        """Places, then orders by day."""
        places = self._places
        assert places is not None
        if lines:
            days = [line.row.ordered_at.date() for line in lines]
            findings.saw("sales", min(days), max(days))

        def chunks() -> Iterator[Chunk]:
            if places.locations or places.channels:
                yield chunk("items", locations=places.locations.values(), channels=places.channels.values())
            orders = runs(_by_order(lines), lambda order: len(order[1]), PAST_LINES_PER_CHUNK)
            yield from sales_chunks(map(_staged, orders))

        return chunks()


def _staged(orders: Sequence[tuple[Sale, list[Sale]]]) -> tuple[StagedOrders, StagedLines]:
    heads = [head for head, _ in orders]
    lines = [row for _, rows in orders for row in rows]
    days = [head.ordered_at.date().isoformat() for head in heads]
    shipped = [max((row.shipped_on for row in rows if row.shipped_on), default=None) for _, rows in orders]
    staged = StagedOrders(
        external_ref=[head.order_number for head in heads],
        number=[document_number(head.channel, head.order_number) for head in heads],
        channel=[head.channel for head in heads],
        customer=[head.customer for head in heads],
        country=[head.country or NO_COUNTRY for head in heads],
        ordered_at=[_utc(head.ordered_at) for head in heads],
        ordered_on=days,
        promised_on=[iso(head.promised_on) for head in heads],
        shipped_on=[iso(last) or day for last, day in zip(shipped, days, strict=True)],
        lines=[len(rows) for _, rows in orders],
    )
    return staged, StagedLines(
        line_no=[number for _, rows in orders for number in range(1, len(rows) + 1)],
        sku=[row.sku for row in lines],
        location=[row.location for row in lines],
        quantity=[row.quantity for row in lines],
        cancelled=[row.cancelled_quantity or 0 for row in lines],
        unit_price=[row.unit_price for row in lines],
        list_price=[row.unit_price if row.list_price is None else row.list_price for row in lines],
    )


class OpenOrders(Template[OpenOrder]):
    """Orders still to be shipped: placed like any other, reserving what is available."""

    name = "open-orders"
    record = OpenOrder
    fields = (
        Field("order_number", text_up_to(36), True, "number of the order in its channel"),
        Field("ordered_at", moment, True, "day or moment it was placed, UTC"),
        Field("channel", text_up_to(40), True, "code of the channel"),
        Field("customer", text_up_to(60), False, "the customer's code; no names"),
        Field("country", text_up_to(60), False, "the customer's country"),
        Field("location", text_up_to(40), False, "where it is to ship from; found by stock if empty"),
        Field("sku", text_up_to(60), True, "the item"),
        Field("quantity", quantity, True, "base units still to be shipped"),
        Field("unit_price", price, True, "charged for a base unit, net of markdown and tax"),
        Field("list_price", price, False, "before markdown; the price charged if empty"),
        Field("promised_on", day, False, "day promised to the customer"),
    )

    def checker(self, known: Known, findings: Findings) -> Callable[[OpenOrder], OpenOrder]:
        """Known codes, known by the as-of day, not here already, alike within an order."""
        same = _SameOrder()

        def check(row: OpenOrder) -> OpenOrder:
            row = row._replace(
                channel=found(known.channels, "channel", row.channel),
                location=found(known.locations, "location", row.location) if row.location else None,
                sku=found(known.items, "sku", row.sku),
            )
            if row.ordered_at.date() > known.as_of:
                raise SetAside("after_as_of")
            if (row.channel, row.order_number) in known.orders:
                raise SetAside("already_imported")
            same.check(row)
            return row

        return check

    def lay_out(self, lines: Sequence[Line[OpenOrder]], known: Known, findings: Findings) -> Chunks:
        """Orders by day, so that the earlier one gets the stock."""
        return in_chunks("orders", "orders", map(_open, _by_order(lines)), OPEN_LINES_PER_CHUNK)


def _open(order: tuple[OpenOrder, list[OpenOrder]]) -> OrderRow:
    head, rows = order
    return OrderRow(
        head.order_number,
        head.channel,
        head.customer,
        head.country or NO_COUNTRY,
        _utc(head.ordered_at),
        iso(head.promised_on),
        tuple(
            OrderLineRow(
                number,
                row.sku,
                row.location,
                row.quantity,
                row.unit_price,
                row.unit_price if row.list_price is None else row.list_price,
            )
            for number, row in enumerate(rows, start=1)
        ),
    )
