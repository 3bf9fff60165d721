"""What suppliers still bring, line by line: when, how much, in which cartons, and how sure that is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal
from uuid import UUID

from sqlalchemy import Connection, func, select

from erp_core.master.model import locations
from erp_core.master.queries import visible
from erp_core.procurement.model import po_lines, purchase_orders, shipping_notice_lines, shipping_notices
from erp_core.procurement.queries.reading import records
from erp_core.procurement.rules import INBOUND
from erp_core.storage.lookup import AnyRow, fetch_in

Standing = Literal["announced", "confirmed", "not_confirmed"]

_AT_THE_PLACE = po_lines.c.inspection_quantity + po_lines.c.quarantined_quantity
_DUE = po_lines.c.quantity - po_lines.c.accepted_quantity - po_lines.c.cancelled_quantity - _AT_THE_PLACE


@dataclass(frozen=True, slots=True)
class ExpectedGoods:
    """Units of a line that are awaited on a day. `due_on` is what we expect now: the latest promise, moved by late
    milestones, or the notice's day; of what nobody confirmed the day it is needed; None where nobody gave one.

    `cartons` are labels of what was announced, each after its notice's number; None where no notice says how it is
    packed.
    """

    line_id: UUID
    po_id: UUID
    number: str
    supplier_id: UUID
    location_id: UUID
    item_id: UUID
    line_no: int
    units: int
    due_on: date | None
    standing: Standing
    cartons: tuple[str, ...] | None = None


def expected_goods(connection: Connection, *, location_id: UUID | None = None) -> list[ExpectedGoods]:
    """Every line that is on its way to a place of ours, split into what was announced and what was not.

    What lies at the place already, to be inspected or in quarantine, is awaited no more. What suppliers send straight
    to customers is left out.
    """
    statement = (
        select(
            po_lines.c.id,
            po_lines.c.po_id,
            purchase_orders.c.number,
            purchase_orders.c.supplier_id,
            purchase_orders.c.location_id,
            po_lines.c.item_id,
            po_lines.c.line_no,
            _DUE,
            func.coalesce(po_lines.c.expected_on, po_lines.c.promised_on),
            po_lines.c.need_by,
            po_lines.c.asked_again_on,
        )
        .join(purchase_orders, purchase_orders.c.id == po_lines.c.po_id)
        .join(locations, locations.c.id == purchase_orders.c.location_id)
        .where(
            purchase_orders.c.status.in_(INBOUND),
            _DUE > 0,
            locations.c.kind != "drop_ship",
            visible(purchase_orders.c.import_id),
        )
        .order_by(purchase_orders.c.number, po_lines.c.line_no)
    )
    if location_id is not None:
        statement = statement.where(purchase_orders.c.location_id == location_id)
    found = [_expected(row) for row in connection.execute(statement)]
    announced = _announced(connection, found)
    return [part for line in found for part in split_announced(line, announced.get(line.line_id, ()))]


def _expected(row: AnyRow) -> ExpectedGoods:
    (
        id_,
        po_id,
        number,
        supplier_id,
        location_id,
        item_id,
        line_no,
        units,
        promised,
        need_by,
        asked_again,
    ) = row
    sure = promised is not None and asked_again is None
    return ExpectedGoods(
        id_,
        po_id,
        number,
        supplier_id,
        location_id,
        item_id,
        line_no,
        units,
        promised or need_by,
        "confirmed" if sure else "not_confirmed",
    )


@dataclass(frozen=True, slots=True)
class AnnouncedUnits:
    """Units of a line in a carton of a notice, and when that arrives."""

    line_id: UUID
    notice_id: UUID
    reference: str
    carton: str
    units: int
    expected_on: date


def _announced(connection: Connection, lines: Sequence[ExpectedGoods]) -> dict[UUID, list[AnnouncedUnits]]:
    parts = shipping_notice_lines.c
    statement = (
        select(
            parts.po_line_id,
            parts.notice_id,
            shipping_notices.c.reference,
            parts.carton,
            parts.quantity,
            shipping_notices.c.expected_on,
        )
        .join(shipping_notices, shipping_notices.c.id == parts.notice_id)
        .order_by(
            shipping_notices.c.shipped_on.desc(), shipping_notices.c.audit_id.desc(), parts.position.desc()
        )
    )
    found: dict[UUID, list[AnnouncedUnits]] = {}
    wanted = (line.line_id for line in lines)
    for one in records(AnnouncedUnits, fetch_in(connection, statement, parts.po_line_id, wanted)):
        found.setdefault(one.line_id, []).append(one)
    return found


def split_announced(line: ExpectedGoods, announced: Sequence[AnnouncedUnits]) -> Iterator[ExpectedGoods]:
    """The line by notice, and the rest of it as it was promised; `announced` has the newest notice first.

    What came is taken to be of the oldest notices, so that a notice that was received whole announces nothing more.
    """
    left = line.units
    by_notice: dict[UUID, tuple[date, int, set[str]]] = {}
    for one in announced:
        if units := min(one.units, left):
            left -= units
            day, before, cartons = by_notice.get(one.notice_id, (one.expected_on, 0, set()))
            by_notice[one.notice_id] = day, before + units, cartons | {f"{one.reference}/{one.carton}"}
    for day, units, cartons in by_notice.values():
        yield replace(line, units=units, due_on=day, standing="announced", cartons=tuple(sorted(cartons)))
    if left:
        yield replace(line, units=left)
