"""Template `returns`: past returns, tied to the sale they undo."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import NamedTuple

from erp_core.integration.fields import FieldError, choice, day, price, quantity, text_up_to
from erp_core.integration.findings import Chunks, Findings
from erp_core.integration.known import Known, SoldLine
from erp_core.integration.rows import ReturnLineRow, ReturnRow, document_number, in_chunks, iso
from erp_core.integration.sources.template import (
    LINES_PER_CHUNK,
    Field,
    Line,
    RowError,
    SetAside,
    Template,
    found,
)

NO_COUNTRY = "Unspecified"
NOT_STATED = "not_stated"


class Returned(NamedTuple):
    """A row of `returns`."""

    return_number: str
    returned_on: date
    channel: str
    order_number: str | None
    sku: str
    quantity: int
    refund: int | None
    reason: str | None
    location: str | None
    country: str | None
    condition: str | None
    disposition: str | None
    disposed_on: date | None


class Returns(Template[Returned]):
    """What came back: return rates and refunds; moves no stock."""

    name = "returns"
    record = Returned
    fields = (
        Field("return_number", text_up_to(36), True, "number of the return"),
        Field("returned_on", day, True, "day it came back"),
        Field("channel", text_up_to(40), True, "code of the channel it was sold in"),
        Field(
            "order_number", text_up_to(60), False, "the order; empty where the sale is older than the history"
        ),
        Field("sku", text_up_to(60), True, "the item"),
        Field("quantity", quantity, True, "base units that came back"),
        Field("refund", price, False, "amount paid back for the row; quantity times price charged if empty"),
        Field(
            "reason",
            choice(
                "changed_mind",
                "size_or_fit",
                "not_as_described",
                "damaged_in_transit",
                "defective",
                "wrong_item",
                "late",
                "other",
            ),
            False,
            "reason code",
        ),
        Field("location", text_up_to(40), False, "where it came back to; needed without an order"),
        Field("country", text_up_to(60), False, "the customer's country; the order's if empty"),
        Field(
            "condition",
            choice("as_new", "opened", "damaged_packaging", "damaged", "defective", "suspect"),
            False,
            "condition found",
        ),
        Field(
            "disposition",
            choice("restock", "refurbish", "quarantine", "vendor_return", "write_off"),
            False,
            "what happened to it; unknown if empty",
        ),
        Field("disposed_on", day, False, "day it happened"),
    )

    def checker(self, known: Known, findings: Findings) -> Callable[[Returned], Returned]:
        """Known codes, known by the as-of day, not here already."""
        first: dict[str, tuple[object, ...]] = {}

        def check(row: Returned) -> Returned:
            row = row._replace(
                channel=found(known.channels, "channel", row.channel),
                sku=found(known.items, "sku", row.sku),
                location=found(known.locations, "location", row.location) if row.location else None,
            )
            if row.returned_on > known.as_of:
                raise SetAside("after_as_of")
            if document_number(row.channel, row.return_number) in known.returns:
                raise SetAside("already_imported")
            if row.order_number is None and (row.location is None or row.refund is None):
                reason = "a return without its order needs location and refund"
                raise RowError("order_number", "missing", reason, "give the order, or location and refund")
            header = (row.returned_on, row.channel, row.order_number)
            if first.setdefault(row.return_number, header) != header:
                reason = f"{row.return_number} has another day, channel or order above"
                raise RowError(
                    "return_number", "return_differs", reason, "one return is of one order and day"
                )
            return row

        return check

    def lay_out(self, lines: Sequence[Line[Returned]], known: Known, findings: Findings) -> Chunks:
        """Tie each row to the order line it undoes; refuse what was never sold or came back before."""
        sold = known.sold({line.row.order_number for line in lines if line.row.order_number})
        documents: defaultdict[str, list[tuple[Returned, SoldLine | None]]] = defaultdict(list)
        for line in lines:
            try:
                tied = _sold_line(line.row, sold)
            except FieldError as error:
                findings.refuse(
                    line.number, [("order_number" if error.rule == "unknown_order" else "quantity", error)]
                )
                continue
            if tied is None:
                findings.noted["return_without_visible_sale"] += 1
            documents[line.row.return_number].append((line.row, tied))
            findings.saw("returns", line.row.returned_on, line.row.returned_on)
        return in_chunks("returns", "returns", _documents(list(documents.values())), LINES_PER_CHUNK)


def _sold_line(row: Returned, sold: dict[tuple[str, str], list[SoldLine]]) -> SoldLine | None:
    if row.order_number is None:
        return None
    lines = sold.get((row.channel, row.order_number))
    if lines is None:
        reason = f"{row.channel} has no order {row.order_number}"
        raise FieldError("unknown_order", reason, "import the sale first, or leave the order empty")
    fitting = [line for line in lines if line.sku == row.sku and line.left >= row.quantity]
    if not fitting:
        reason = f"order {row.order_number} has not {row.quantity} of {row.sku} left to return"
        raise FieldError("more_than_shipped", reason, "check item and quantity")
    fitting[0].left -= row.quantity
    return fitting[0]


def _documents(documents: Sequence[Sequence[tuple[Returned, SoldLine | None]]]) -> Iterator[ReturnRow]:
    for pairs in sorted(documents, key=lambda pairs: (pairs[0][0].returned_on, pairs[0][0].return_number)):
        head, tied = pairs[0]
        yield ReturnRow(
            document_number(head.channel, head.return_number),
            head.order_number,
            head.channel,
            head.country or (tied.country if tied else NO_COUNTRY),
            head.returned_on.isoformat(),
            tuple(_line(number, row, sale) for number, (row, sale) in enumerate(pairs, start=1)),
        )


def _line(number: int, row: Returned, sale: SoldLine | None) -> ReturnLineRow:
    location = row.location or (sale.location if sale else None)
    refund = row.refund if row.refund is not None or sale is None else row.quantity * sale.unit_price
    assert location is not None and refund is not None
    return ReturnLineRow(
        number,
        sale.line_no if sale else None,
        row.sku,
        location,
        sale.shipped_on.isoformat() if sale and sale.shipped_on else None,
        row.quantity,
        refund,
        row.reason or NOT_STATED,
        row.condition,
        row.disposition,
        iso(row.disposed_on),
    )
