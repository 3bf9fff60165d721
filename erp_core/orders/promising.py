"""Dated promises for lines that wait for goods, kept as the supplier's dates change."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select, text

from erp_core.gate.contract import Transaction
from erp_core.orders.book import BookLine, BookOrder, OrderBook
from erp_core.orders.model import UNFILLED, order_lines, orders
from erp_core.orders.model_service import promise_changes
from erp_core.orders.rules import WAITING
from erp_core.orders.rules.promises import Supply, expected_dates
from erp_core.storage.bulk import insert_rows
from erp_core.storage.lookup import AnyRow, fetch_in

Pair = tuple[UUID, UUID]
SupplyOf = Callable[[Collection[Pair]], Mapping[Pair, Sequence[Supply]]]

_LINE = order_lines.c
_WAITING = (
    select(
        _LINE.id,
        _LINE.order_id,
        _LINE.item_id,
        _LINE.location_id,
        _LINE.expected_on,
        (_LINE.quantity - _LINE.reserved_quantity - _LINE.shipped_quantity - _LINE.cancelled_quantity).label(
            "missing"
        ),
    )
    .join(orders, orders.c.id == _LINE.order_id)
    .where(text(UNFILLED), orders.c.status.in_(WAITING))
    .order_by(orders.c.ordered_at, _LINE.order_id, _LINE.line_no)
)


@dataclass(frozen=True, slots=True)
class Cause:
    """What made promises change: a document, when and under which audit entry; `id` None: each line's own order."""

    kind: str
    id: UUID | None
    occurred_at: datetime
    audit_id: UUID


def promise(
    tx: Transaction, causes: Mapping[Pair, Cause], supply_of: SupplyOf, *, overdue: bool = True
) -> Mapping[UUID, UUID]:
    """Date the lines that wait for these (item, place) pairs by confirmed supply.

    Gives the orders whose lines changed, which are locked from then on, each with the audit entry of the cause.

    The first date a line gets is its promise, by which it is measured; later ones are what is expected. An order
    that another writer is changing at this moment is passed over; the next change of supply finds it, or the upkeep
    (`misdated`). Without `overdue`, lines that wait for supply which is overdue are left as they are.
    """
    book = OrderBook.of(tx)
    book.flush()
    rows = fetch_in(tx.connection, _WAITING, _LINE.item_id, {item_id for item_id, _ in causes})
    waiting = _by_pair(row for row in rows if (row.item_id, row.location_id) in causes)
    if not waiting:
        return {}
    supply = supply_of(waiting)
    changes: list[tuple[AnyRow, date | None, Cause]] = []
    for pair, lines in waiting.items():
        today = causes[pair].occurred_at.date()
        moved_lines = _moved(lines, supply.get(pair, ()), today, overdue=overdue)
        changes += [(row, day, causes[pair]) for row, day in moved_lines]
    book.load({row.order_id for row, _, _ in changes}, skip_busy=True)
    written, moved = [], {}
    for row, day, cause in changes:
        if book.loaded(row.order_id):
            order = book.get(row.order_id)
            written.append(_expect(order, order.lines[row.id], day, cause, tx.new_id()))
            moved[order.id] = cause.audit_id
    insert_rows(tx.connection, promise_changes, written)
    return moved


def misdated(connection: Connection, supply_of: SupplyOf, today: date) -> list[AnyRow]:
    """The lines that are expected on another day than confirmed supply gives: id, order_id, item_id, location_id.

    Not those that wait for supply which is overdue: nobody knows their day.
    """
    waiting = _by_pair(connection.execute(_WAITING))
    supply = supply_of(waiting)
    return [
        row
        for pair, lines in waiting.items()
        for row, _ in _moved(lines, supply.get(pair, ()), today, overdue=False)
    ]


def _by_pair(rows: Iterable[AnyRow]) -> dict[Pair, list[AnyRow]]:
    found: dict[Pair, list[AnyRow]] = {}
    for row in rows:
        found.setdefault((row.item_id, row.location_id), []).append(row)
    return found


def _moved(
    lines: Sequence[AnyRow], supply: Sequence[Supply], today: date, *, overdue: bool
) -> Iterator[tuple[AnyRow, date | None]]:
    """The lines of a pair that are expected on another day than they say, with that day."""
    waits = ((row.id, row.missing) for row in lines)
    dates = expected_dates(waits, supply, today if overdue else date.min)
    for row in lines:
        day = dates[row.id]
        if day != row.expected_on and (day is None or day >= today):
            yield row, day


def _expect(order: BookOrder, line: BookLine, day: date | None, cause: Cause, id_: UUID) -> dict[str, Any]:
    before, line.expected_on = line.expected_on, day
    line.promised_on = line.promised_on or day
    if order.promised_on is None and all(one.promised_on for one in order.lines.values()):
        order.promised_on = max(one.promised_on for one in order.lines.values() if one.promised_on)
    line.changed = order.changed = True
    return {
        "id": id_,
        "order_id": order.id,
        "line_id": line.id,
        "expected_before": before,
        "expected_after": day,
        "cause_kind": cause.kind,
        "cause_id": cause.id or order.id,
        "occurred_at": cause.occurred_at,
        "audit_id": cause.audit_id,
    }
