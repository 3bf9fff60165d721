"""What each place is to expect by day: purchases, transfers on their way, and returns, each as a kind of its own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Literal
from uuid import UUID

from sqlalchemy import Connection

from erp_core.inventory.in_transit import transfers_in_transit
from erp_core.procurement.queries.expected import expected_goods
from erp_core.returns.awaited import awaited_returns

Kind = Literal["purchase", "transfer", "return"]
KINDS: tuple[Kind, ...] = ("purchase", "transfer", "return")
Standing = Literal["announced", "confirmed", "not_confirmed", "on_its_way", "authorised"]


@dataclass(frozen=True, slots=True)
class Arrival:
    """Units of an item that a place awaits. `due_on` None: nobody gave a day. `late_days` is 0 while it is in time.

    `since` is the day a transfer left, or a return was authorised. `cartons` are labels after the number of their
    notice; None: nobody said how it is packed.
    """

    kind: Kind
    document_id: UUID
    number: str | None
    line_id: UUID | None
    line_no: int | None
    location_id: UUID
    supplier_id: UUID | None
    item_id: UUID
    units: int
    cartons: tuple[str, ...] | None
    due_on: date | None
    standing: Standing
    since: date | None
    late_days: int


@dataclass(frozen=True, slots=True)
class ExpectedDay:
    """A place's arrivals of a kind on a day; `day` None where nobody gave one. Late ones stand apart, by their day.

    `cartons` counts those announced, and `units_without_cartons` what no notice says the packing of;
    `not_confirmed_units` are units that no supplier confirmed.
    """

    location_id: UUID
    day: date | None
    kind: Kind
    late: bool
    documents: int
    lines: int
    units: int
    cartons: int | None
    units_without_cartons: int
    not_confirmed_units: int


def arrivals(
    connection: Connection, today: date, *, location_id: UUID | None = None, until: date | None = None
) -> list[Arrival]:
    """What is on its way, the earliest day first and what has none last; until a day, with what has none."""
    found = [*_purchases(connection, today, location_id)]
    found += [
        Arrival(
            "transfer",
            one.transfer_id,
            None,
            None,
            None,
            one.location_id,
            None,
            one.item_id,
            one.units,
            None,
            None,
            "on_its_way",
            one.sent_on,
            0,
        )
        for one in transfers_in_transit(connection, location_id=location_id)
    ]
    found += [
        Arrival(
            "return",
            one.return_id,
            one.number,
            one.line_id,
            None,
            one.location_id,
            None,
            one.item_id,
            one.units,
            None,
            None,
            "authorised",
            one.authorised_on,
            0,
        )
        for one in awaited_returns(connection, location_id=location_id)
    ]
    kept = [one for one in found if until is None or one.due_on is None or one.due_on <= until]
    return sorted(kept, key=lambda one: (one.due_on or date.max, KINDS.index(one.kind), one.number or ""))


def _purchases(connection: Connection, today: date, location_id: UUID | None) -> Iterable[Arrival]:
    for one in expected_goods(connection, location_id=location_id):
        late = 0 if one.due_on is None else max((today - one.due_on).days, 0)
        yield Arrival(
            "purchase",
            one.po_id,
            one.number,
            one.line_id,
            one.line_no,
            one.location_id,
            one.supplier_id,
            one.item_id,
            one.units,
            one.cartons,
            one.due_on,
            one.standing,
            None,
            late,
        )


def by_day(found: Iterable[Arrival]) -> list[ExpectedDay]:
    """The arrivals by place, day and kind; a carton that holds several lines is one."""
    groups: dict[tuple[UUID, date | None, Kind, bool], list[Arrival]] = {}
    for one in found:
        groups.setdefault((one.location_id, one.due_on, one.kind, one.late_days > 0), []).append(one)
    days = [
        ExpectedDay(
            place,
            day,
            kind,
            late,
            len({one.document_id for one in some}),
            len(some),
            sum(one.units for one in some),
            _cartons(some),
            sum(one.units for one in some if one.cartons is None),
            sum(one.units for one in some if one.standing == "not_confirmed"),
        )
        for (place, day, kind, late), some in groups.items()
    ]
    return sorted(days, key=lambda one: (one.day or date.max, str(one.location_id), KINDS.index(one.kind)))


def _cartons(some: Iterable[Arrival]) -> int | None:
    known = [one for one in some if one.cartons is not None]
    return len({(one.document_id, label) for one in known for label in one.cartons or ()}) if known else None
