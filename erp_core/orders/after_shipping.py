"""What follows when parcels leave, in the same transaction: the customer is told, and who refills hears of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import select

from erp_core.gate.contract import DomainError, Done, Event, Task, Transaction
from erp_core.master.model import items
from erp_core.orders.messages import Message
from erp_core.orders.model import order_lines, orders, pick_lists, shipment_lines, shipments
from erp_core.orders.model_alerts import customer_messages
from erp_core.orders.queries.alerts import texts
from erp_core.orders.rules.alerts import SHIPPED, render, text_for
from erp_core.storage.bulk import insert_rows
from erp_core.storage.lookup import AnyRow, fetch_in

Pair = tuple[UUID, UUID]


@dataclass(frozen=True, slots=True)
class Due:
    """An item at a place whose position is at its reorder point or below."""

    position: int
    reorder_point: int
    order_up_to: int


DueOf = Callable[[Transaction, Iterable[Pair]], Mapping[Pair, Due]]
"""Which of these (item, place) are to be refilled; planning knows."""

_PARCEL = (
    select(
        shipment_lines.c.shipment_id,
        shipment_lines.c.order_line_id,
        shipment_lines.c.quantity,
        order_lines.c.item_id,
        order_lines.c.location_id,
        order_lines.c.order_id,
        pick_lists.c.arrives_on,
    )
    .join(shipments, shipments.c.id == shipment_lines.c.shipment_id)
    .join(order_lines, order_lines.c.id == shipment_lines.c.order_line_id)
    .outerjoin(pick_lists, pick_lists.c.id == shipments.c.pick_id)
    .order_by(order_lines.c.order_id, order_lines.c.line_no)
)
_ORDERS = select(
    orders.c.id, orders.c.external_ref, orders.c.channel_id, orders.c.customer_id, orders.c.customer_country
)
_NAMES = select(items.c.id, items.c.name)


def follow_parcels(
    tasks: Sequence[Task[Any]],
    tx: Transaction,
    outcomes: Sequence[Done | DomainError],
    *,
    due: DueOf | None,
    tell: bool = True,
) -> Sequence[Done | DomainError]:
    """The outcomes with what follows from the parcels that left: `ReplenishmentDue` and the customers' messages.

    Customers are written to where the company has a text for it. A batch without parcels pays nothing.
    """
    parcels = {_parcel(one): place for place, one in enumerate(outcomes)}
    parcels.pop(None, None)
    if not parcels:
        return outcomes
    rows: dict[UUID, list[AnyRow]] = {}
    for row in fetch_in(
        tx.connection, _PARCEL, shipment_lines.c.shipment_id, [id_ for id_ in parcels if id_]
    ):
        rows.setdefault(row.shipment_id, []).append(row)
    pairs = {(row.item_id, row.location_id) for lines in rows.values() for row in lines}
    low = {} if due is None else due(tx, pairs)
    messages = _messages(tx, rows) if tell else {}
    followed = list(outcomes)
    for id_, place in parcels.items():
        done = followed[place]
        if id_ is None or not isinstance(done, Done):
            continue
        events = [*done.events, *_signal(id_, rows.get(id_, ()), low)]
        if id_ in messages:
            events.append(messages[id_].event())
        followed[place] = replace(done, events=tuple(events))
    written = [
        one.row(tasks[parcels[id_]].occurred_on, tasks[parcels[id_]].audit_id)
        for id_, one in messages.items()
    ]
    insert_rows(tx.connection, customer_messages, written)
    return followed


def _parcel(outcome: Done | DomainError) -> UUID | None:
    if isinstance(outcome, DomainError):
        return None
    found = (one.data["shipment_id"] for one in outcome.events if one.kind == "OrderShipped")
    return next((UUID(id_) for id_ in found), None)


def _signal(shipment_id: UUID, rows: Iterable[AnyRow], low: Mapping[Pair, Due]) -> list[Event]:
    pairs = dict.fromkeys((row.item_id, row.location_id) for row in rows)
    told = [
        {
            "item_id": str(item_id),
            "location_id": str(place),
            "position": low[item_id, place].position,
            "reorder_point": low[item_id, place].reorder_point,
            "order_up_to": low[item_id, place].order_up_to,
        }
        for item_id, place in pairs
        if (item_id, place) in low
    ]
    return [Event("ReplenishmentDue", "shipment", shipment_id, 1, {"lines": told})] if told else []


def _messages(tx: Transaction, rows: Mapping[UUID, Sequence[AnyRow]]) -> dict[UUID, Message]:
    known = {key: text for key, text in texts(tx.connection).items() if key[0] == SHIPPED}
    if not known:
        return {}
    order_ids = {lines[0].order_id for lines in rows.values()}
    heads = {row.id: row for row in fetch_in(tx.connection, _ORDERS, orders.c.id, order_ids)}
    item_ids = {row.item_id for lines in rows.values() for row in lines}
    names = {id_: name for id_, name in fetch_in(tx.connection, _NAMES, items.c.id, item_ids)}
    found: dict[UUID, Message] = {}
    for shipment_id, lines in rows.items():
        head, arrives = heads[lines[0].order_id], lines[0].arrives_on
        text = text_for(known, SHIPPED, head.customer_country)
        if text is None:
            continue
        goods = [f"{row.quantity} × {names[row.item_id]}" for row in lines]
        about = tuple((row.order_line_id, row.quantity, arrives) for row in lines)
        written = render(text, head.external_ref, goods, arrives)
        found[shipment_id] = Message(
            tx.new_id(), head.id, head.channel_id, head.customer_id, SHIPPED, written, about
        )
    return found
