"""Reading an EDIFACT interchange: envelope, messages and segments, each with its place. Nothing is looked up here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

from erp_core.gate.contract import DomainError

PIECES = ("", "PCE", "EA", "C62", "H87", "NAR")
"""Codes of units that mean one base unit."""


class InterchangeRefused(DomainError):
    """An interchange is taken as a whole or not at all: `details` names the message and the segment that is wrong."""

    code = "interchange_refused"


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment: its number in the interchange, its tag, and its elements, each a list of components."""

    number: int
    tag: str
    elements: Sequence[Sequence[str]]

    def part(self, element: int, component: int = 0) -> str:
        """A component, without blanks around it; empty where there is none."""
        if element >= len(self.elements) or component >= len(self.elements[element]):
            return ""
        return self.elements[element][component].strip()

    def refuse(self, why: str, remedy: str) -> NoReturn:
        """Refuse the interchange because of this segment."""
        raise InterchangeRefused(
            f"segment {self.number} {self.tag}: {why}",
            field="content",
            remedy=remedy,
            segment=self.number,
            tag=self.tag,
        )

    def units(self, element: int = 0) -> int:
        """A quantity in base units, as in ``QTY+113:20:PCE``."""
        if self.part(element, 2).upper() not in PIECES:
            self.refuse(f"the unit {self.part(element, 2)} is not known", "give the quantity in pieces (PCE)")
        number = self._number(self.part(element, 1))
        if number != int(number) or not 0 <= number < 10**12:
            self.refuse("the quantity is no whole number of pieces", "give whole pieces")
        return int(number)

    def money(self, element: int = 0, component: int = 1) -> int:
        """An amount in ten-thousandths."""
        return self._in_ten_thousandths(self._number(self.part(element, component)))

    def price(self) -> int:
        """The price of one unit in ten-thousandths, as in ``PRI+AAA:10.50`` or, for a hundred, ``PRI+AAA:1050:::100``."""
        basis = self._number(self.part(0, 4) or "1")
        if basis <= 0:
            self.refuse("the price is for no units", "leave the basis out, or give the units it is for")
        return self._in_ten_thousandths(self._number(self.part(0, 1)) / basis)

    def day(self) -> date:
        """A day, as in ``DTM+67:20260710:102``."""
        text, form = self.part(0, 1), self.part(0, 2) or "102"
        patterns = {"102": "%Y%m%d", "203": "%Y%m%d%H%M", "204": "%Y%m%d%H%M%S"}
        try:
            return datetime.strptime(text, patterns[form]).date()
        except (KeyError, ValueError):
            self.refuse(f"{text!r} is no day of format {form}", "give the day as YYYYMMDD with format 102")

    def _number(self, text: str) -> Decimal:
        try:
            found = Decimal(text.replace(",", "."))
        except InvalidOperation:
            self.refuse(f"{text!r} is no number", "give digits, with a point before decimals")
        if not found.is_finite() or abs(found) >= 10**12:
            self.refuse(f"{text!r} is no amount", "give a number")
        return found

    def _in_ten_thousandths(self, amount: Decimal) -> int:
        scaled = amount * 10_000
        if amount < 0 or scaled != int(scaled):
            self.refuse("the amount is below zero or finer than 0.0001", "round it to four decimals")
        return int(scaled)


@dataclass(frozen=True, slots=True)
class Message:
    """A message: its type (ORDRSP, DESADV, INVOIC), its reference, and the segments between UNH and UNT."""

    kind: str
    reference: str
    head: Segment
    segments: Sequence[Segment]

    def first(self, tag: str, *qualifiers: str) -> Segment | None:
        """The first segment of the tag whose first component is one of `qualifiers`, where any are given."""
        return next(self.all(tag, *qualifiers), None)

    def all(self, tag: str, *qualifiers: str) -> Iterator[Segment]:
        """The segments of the tag with one of these qualifiers."""
        for one in self.segments:
            if one.tag == tag and (not qualifiers or one.part(0) in qualifiers):
                yield one

    def need(self, tag: str, *qualifiers: str, remedy: str) -> Segment:
        """The first such segment, or a refusal at the message's head."""
        found = self.first(tag, *qualifiers)
        if found is None:
            self.head.refuse(
                f"{self.kind} {self.reference} has no {'+'.join((tag, *qualifiers[:1]))}", remedy
            )
        return found


@dataclass(frozen=True, slots=True)
class Interchange:
    """An interchange: the sender's reference, its identification with the qualifier of that, and its messages."""

    reference: str
    sender: str
    sender_qualifier: str
    messages: Sequence[Message]


def read_interchange(content: str) -> Interchange:
    """The interchange in a text. Raises `InterchangeRefused`, also where counts and references do not agree."""
    segments = _segments(content)
    first = segments[0] if segments else None
    if first is None or first.tag != "UNB":
        _refuse("it does not begin with UNB", "send one interchange, from UNB to UNZ")
    reference, last = first.part(4), segments[-1]
    if not reference or len(reference) > 35:
        first.refuse(
            "it has no interchange reference", "give each interchange its own reference of up to 35 signs"
        )
    if last.tag != "UNZ":
        last.refuse("the interchange does not end with UNZ", "send all of it")
    inside = segments[1:-1]
    parts = list(_groups(inside)) if any(one.tag == "UNG" for one in inside) else None
    messages = list(_messages(inside)) if parts is None else [one for part in parts for one in part]
    if not messages:
        first.refuse("it holds no message", "send at least one message")
    what, count = ("messages", len(messages)) if parts is None else ("groups", len(parts))
    if last.part(0) != str(count) or last.part(1) != reference:
        last.refuse(
            f"it tells of {last.part(0)} {what} under {last.part(1)}, but there are {count} under {reference}",
            "send all of it",
        )
    return Interchange(reference, first.part(1), first.part(1, 1), messages)


def _groups(segments: Sequence[Segment]) -> Iterator[Sequence[Message]]:
    """The messages of each functional group; within a group they are all of its type."""
    head: Segment | None = None
    inside: list[Segment] = []
    for one in segments:
        if one.tag == "UNG":
            if head is not None:
                one.refuse(f"group {head.part(4)} does not end with UNE", "end it before the next begins")
            head, inside = one, []
        elif head is None:
            one.refuse("it stands outside a group", "put all messages into groups, or none")
        elif one.tag == "UNE":
            messages = list(_messages(inside))
            if one.part(0) != str(len(messages)) or one.part(1) != head.part(4):
                one.refuse(
                    f"it tells of {one.part(0)} messages under {one.part(1)}, but there are {len(messages)} under "
                    f"{head.part(4)}",
                    "send the whole group",
                )
            for message in messages:
                if message.kind != head.part(0):
                    message.head.refuse(
                        f"a group of {head.part(0)} holds no {message.kind}",
                        "give each type a group of its own",
                    )
            yield messages
            head = None
        else:
            inside.append(one)
    if head is not None:
        head.refuse("the group does not end with UNE", "send the whole group")


def _messages(segments: Sequence[Segment]) -> Iterator[Message]:
    head: Segment | None = None
    inside: list[Segment] = []
    for one in segments:
        if one.tag == "UNH":
            if head is not None:
                one.refuse(f"message {head.part(0)} does not end with UNT", "end it before the next begins")
            head, inside = one, []
        elif head is None:
            one.refuse("it stands outside a message", "put it between UNH and UNT")
        elif one.tag == "UNT":
            if one.part(0) != str(len(inside) + 2) or one.part(1) != head.part(0):
                one.refuse(
                    f"it tells of {one.part(0)} segments of message {one.part(1)}, but there are {len(inside) + 2} of "
                    f"{head.part(0)}",
                    "send the whole message",
                )
            yield Message(head.part(1), head.part(0), head, inside)
            head = None
        else:
            inside.append(one)
    if head is not None:
        head.refuse("the message does not end with UNT", "send the whole message")


def _segments(content: str) -> list[Segment]:
    from pydifact.exceptions import EDISyntaxError, ValidationError
    from pydifact.parser import Parser
    from pydifact.segments import SegmentFactory

    class Plain(SegmentFactory):
        """Takes segments as they come: what they mean is for the message's reader to say."""

        @staticmethod
        def create_segment(name: str, *elements: Any, **_unused: Any) -> Any:
            return name, elements

    text = content.lstrip()
    if not text.startswith(("UNA", "UNB")):
        _refuse("it is no EDIFACT interchange", "send one that begins with UNA or UNB")
    try:
        parsed: list[Any] = list(Parser(factory=Plain()).parse(text))
    except (EDISyntaxError, ValidationError, IndexError, TypeError, ValueError, AssertionError) as error:
        _refuse(
            f"its syntax is broken: {error}"[:200], "check separators, escapes and the last segment's end"
        )
    named = [(name, elements) for name, elements in parsed if name != "UNA"]
    return [
        Segment(number, name, [[part] if isinstance(part, str) else list(part) for part in elements])
        for number, (name, elements) in enumerate(named, start=1)
    ]


def _refuse(why: str, remedy: str) -> NoReturn:
    raise InterchangeRefused(why, field="content", remedy=remedy)
