"""What the messages say, without a look at the company's records: order responses, despatch advices, invoices."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from erp_core.integration.edifact.segments import Message, Segment

CHANGED, REFUSED, ACCEPTED = "4", "27", "29"
LINE_REFUSED = ("2", "7")
"""Action codes of a line that will not be delivered: deleted, not accepted."""


@dataclass(frozen=True, slots=True)
class LineRef:
    """Which line is meant: of the order that the line, else the message names, by its number where RFF+LI gives it, else
    by the codes of the item.
    """

    segment: Segment
    order: Segment
    number: str
    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ResponseLine:
    """A line as the supplier confirms it; None where the message does not say. No units means not delivered."""

    line: LineRef
    quantity: int | None
    unit_price: int | None
    promised_on: date | None


@dataclass(frozen=True, slots=True)
class Response:
    """An order response. Without lines it is about all open lines of `order`: `refused`, or promised for `promised_on`."""

    order: Segment | None
    refused: bool
    promised_on: date | None
    lines: Sequence[ResponseLine]


@dataclass(frozen=True, slots=True)
class Packed:
    """Units of a line in a carton."""

    line: LineRef
    quantity: int
    carton: str


@dataclass(frozen=True, slots=True)
class Despatch:
    """A despatch advice."""

    reference: str
    expected_on: date
    packed: Sequence[Packed]


@dataclass(frozen=True, slots=True)
class BilledLine:
    """Units at a price; `price_only` gives back a part of the price, and no units."""

    line: LineRef
    quantity: int
    unit_price: int
    price_only: bool = False


@dataclass(frozen=True, slots=True)
class Billed:
    """An invoice, or a credit note that `credits` an invoice; freight, tax and total in ten-thousandths of `currency`."""

    credits: Segment | None
    number: str
    currency: str
    invoiced_on: date
    due_on: date | None
    lines: Sequence[BilledLine]
    freight: int
    tax: int
    total: int


def texts(message: Message) -> list[str]:
    """The free text of a message, as it came: never an instruction."""
    return [
        text
        for one in message.all("FTX")
        if len(one.elements) > 3 and (text := "".join(one.elements[3]).strip())
    ]


def read_response(message: Message) -> Response:
    """What an ORDRSP says."""
    head = message.need("BGM", remedy="begin with BGM+231")
    code = head.part(2)
    if code and code not in (CHANGED, REFUSED, ACCEPTED):
        head.refuse(f"the response {code} is not known", f"use {ACCEPTED}, {CHANGED} or {REFUSED}")
    before, groups = _grouped(message)
    lines = []
    for ref, inside in groups:
        day, units, price = (
            _find(inside, "DTM", "67", "69", "2"),
            _quantity(inside),
            _find(inside, "PRI", "AAA", "AAB"),
        )
        refused = ref.segment.part(1) in LINE_REFUSED or code == REFUSED
        promised = day.day() if day else _day(before, "67", "69", "2")
        quantity = 0 if refused else units.units() if units else None
        if quantity != 0 and promised is None:
            ref.segment.refuse(
                "it has no day", "give DTM+67, the day promised, or action code 7 where it is not delivered"
            )
        lines.append(
            ResponseLine(ref, quantity, price.price() if price else None, None if quantity == 0 else promised)
        )
    promised = _day(before, "67", "69", "2")
    if not lines and code != REFUSED and promised is None:
        head.refuse("it names neither lines nor a day", "give a line for each LIN, or DTM+67 for all of them")
    return Response(_order(message, before), code == REFUSED, promised, lines)


def read_despatch(message: Message) -> Despatch:
    """What a DESADV says. A carton is named by GIN+BJ, the SSCC of its package, else by the number of its CPS."""
    head = message.need("BGM", remedy="begin with BGM+351 and the number of the notice")
    if not head.part(1):
        head.refuse("the notice has no number", "give it in BGM")
    expected = message.need("DTM", "17", "132", "67", remedy="say when the goods arrive: DTM+17")
    packed, carton, current = [], "1", None
    for one in message.segments:
        if one.tag == "CPS":
            carton, current = one.part(0) or carton, None
        elif one.tag == "GIN" and one.part(0) in ("BJ", "AW") and current is None:
            carton = one.part(1) or carton
        elif one.tag == "LIN":
            current = one
        elif one.tag == "QTY" and one.part(0) == "12" and current is not None:
            packed.append((current, one.units(), carton))
    if not packed:
        head.refuse("no line tells what was sent", "give LIN with QTY+12 for each line")
    refs = {ref.segment.number: ref for ref, _ in _grouped(message)[1]}
    return Despatch(
        head.part(1),
        expected.day(),
        [Packed(refs[line.number], units, carton) for line, units, carton in packed],
    )


INVOICE, CREDIT_NOTE, PRICE_CREDIT = "380", "381", "83"


def read_invoice(message: Message) -> Billed:
    """What an INVOIC says: an invoice, or a credit note, which names its invoice in RFF+IV.

    A credit note gives back no units where it is a financial adjustment (BGM+83), or of a line that has an amount and no units.
    """
    head = message.need("BGM", remedy="begin with BGM+380 and the invoice's number")
    if head.part(0) not in (INVOICE, CREDIT_NOTE, PRICE_CREDIT):
        head.refuse(
            f"a document {head.part(0)} is not taken here",
            "send commercial invoices, BGM+380, or credit notes, BGM+381 or, of the price alone, BGM+83",
        )
    credited = None
    if head.part(0) != INVOICE:
        credited = message.need("RFF", "IV", "OI", remedy="name the invoice that it credits: RFF+IV")
    if not head.part(1):
        head.refuse("the invoice has no number", "give it in BGM")
    currency = message.need("CUX", "2", remedy="name the currency: CUX+2:EUR:4").part(0, 1)
    lines = [_billed_line(head.part(0), ref, inside) for ref, inside in _grouped(message)[1]]
    total = message.need("MOA", "77", "9", remedy="give the total: MOA+77")
    due = message.first("DTM", "13")
    return Billed(
        credited,
        head.part(1),
        currency,
        message.need("DTM", "137", "3", remedy="give the day of the invoice: DTM+137").day(),
        due.day() if due else None,
        lines,
        sum(one.money() for one in message.all("MOA", "64")),
        sum(one.money() for one in message.all("MOA", "176")),
        total.money(),
    )


def _billed_line(kind: str, ref: LineRef, inside: Sequence[Segment]) -> BilledLine:
    units, price = _find(inside, "QTY", "47"), _find(inside, "PRI", "AAA")
    if units is not None and price is not None and units.units() > 0:
        return BilledLine(ref, units.units(), price.price(), kind == PRICE_CREDIT)
    amount = _find(inside, "MOA", "203", "66")
    if kind == INVOICE or amount is None:
        ref.segment.refuse(
            "it has no units or no price",
            "give QTY+47 and PRI+AAA for each line"
            if kind == INVOICE
            else "give QTY+47 and PRI+AAA for each line, or MOA+203 alone where no goods are credited",
        )
    return BilledLine(ref, 1, amount.money(), True)


def _order(message: Message, before: Sequence[Segment]) -> Segment | None:
    """The order that the message names before its first line."""
    found = [one for one in before if one.tag == "RFF" and one.part(0) == "ON"]
    if any(one.part(0, 1) != found[0].part(0, 1) for one in found):
        message.head.refuse(
            "it names several purchase orders at once", "name the order of each line in its own RFF+ON"
        )
    return found[0] if found else None


def _grouped(message: Message) -> tuple[Sequence[Segment], Sequence[tuple[LineRef, Sequence[Segment]]]]:
    """The segments before the first line, and those of each line up to the next or to the summary."""
    before: list[Segment] = []
    groups: list[tuple[Segment, list[Segment]]] = []
    for one in message.segments:
        if one.tag == "LIN" or one.tag in ("UNS", "CNT", "CPS"):
            groups.append((one, []))
        elif groups:
            groups[-1][1].append(one)
        else:
            before.append(one)
    order = _order(message, before)
    return before, [(_line_ref(head, inside, order), inside) for head, inside in groups if head.tag == "LIN"]


def _line_ref(head: Segment, inside: Sequence[Segment], order: Segment | None) -> LineRef:
    numbered = _find(inside, "RFF", "LI")
    named = _find(inside, "RFF", "ON") or order
    if named is None:
        head.refuse("it belongs to no purchase order", "name the order in RFF+ON, for all lines or for each")
    return LineRef(head, named, numbered.part(0, 1) if numbered else "", tuple(_codes(head, inside)))


def _codes(head: Segment, inside: Sequence[Segment]) -> Iterator[str]:
    if head.part(2):
        yield head.part(2)
    for one in inside:
        if one.tag == "PIA":
            yield from (code for number in range(1, len(one.elements)) if (code := one.part(number)))


def _quantity(inside: Sequence[Segment]) -> Segment | None:
    return _find(inside, "QTY", "113") or _find(inside, "QTY", "12") or _find(inside, "QTY", "21")


def _find(segments: Sequence[Segment], tag: str, *qualifiers: str) -> Segment | None:
    """The first of the tag by the order of its qualifiers."""
    for qualifier in qualifiers:
        for one in segments:
            if one.tag == tag and one.part(0) == qualifier:
                return one
    return None


def _day(segments: Sequence[Segment], *qualifiers: str) -> date | None:
    found = _find(segments, "DTM", *qualifiers)
    return found.day() if found else None
