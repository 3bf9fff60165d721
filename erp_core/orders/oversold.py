"""Channels that sold more than there is, as drafts of cases. It decides and corrects nothing."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, func, select

from erp_core.exceptions.book import Noted, raise_cases
from erp_core.exceptions.draft import CaseDraft, by_hand, fact
from erp_core.finance.queries import unit_costs
from erp_core.gate.contract import Transaction
from erp_core.inventory.ledger import Ledger
from erp_core.inventory.queries import available_units
from erp_core.master.queries import Names, list_locations
from erp_core.orders.book import OrderBook
from erp_core.orders.model import order_lines, orders
from erp_core.orders.rules import WAITING
from erp_core.orders.rules.shares import quota_for
from erp_core.orders.shares import quotas_in_force
from erp_core.storage.lookup import fetch_in
from erp_core.storage.types import money_text

KIND = "channel_oversell"
DAYS_TO_CLEAR = 2
UNKNOWN_COST = "the item's cost is not known: what is lost cannot be said"
_LINE = order_lines.c
_UNFILLED = _LINE.quantity - _LINE.reserved_quantity - _LINE.shipped_quantity - _LINE.cancelled_quantity
_OWED = (
    select(
        _LINE.channel_id,
        _LINE.item_id,
        _LINE.location_id,
        func.sum(_UNFILLED).label("units"),
        func.sum(_UNFILLED * _LINE.unit_price).label("value"),
        func.count(_LINE.order_id.distinct()).label("orders"),
        func.min(_LINE.promised_on).label("promised_on"),
    )
    .join(orders, orders.c.id == _LINE.order_id)
    .where(orders.c.status.in_(WAITING), _UNFILLED > 0)
    .group_by(_LINE.channel_id, _LINE.item_id, _LINE.location_id)
)


@dataclass(frozen=True, slots=True)
class Oversold:
    """Units that a channel sold of an item without stock, the money charged for them, and where most are owed."""

    channel_id: UUID
    item_id: UUID
    place: UUID
    units: int
    value: int
    orders: int
    promised_on: date | None
    limit: int


def oversold(connection: Connection, today: date, item_ids: Collection[UUID] | None = None) -> list[Oversold]:
    """What channels owe under a limit on overselling, by channel and item; what waits without a limit is a backorder."""
    quotas = quotas_in_force(connection, today)
    if all(one.oversell_units is None for one in quotas.values()):
        return []
    rows = (
        connection.execute(_OWED).all()
        if item_ids is None
        else fetch_in(connection, _OWED, _LINE.item_id, item_ids)
    )
    found: dict[tuple[UUID, UUID], list[Any]] = {}
    for row in rows:
        quota = quota_for(quotas, row.channel_id, row.item_id)
        if quota is not None and quota.oversell_units is not None:
            found.setdefault((row.channel_id, row.item_id), []).append(row)
    sums = []
    for (channel_id, item_id), own in sorted(found.items()):
        quota = quota_for(quotas, channel_id, item_id)
        assert quota is not None and quota.oversell_units is not None
        place = max(own, key=lambda row: (row.units, row.location_id)).location_id
        days = [row.promised_on for row in own if row.promised_on is not None]
        units, value = sum(int(row.units) for row in own), sum(int(row.value) for row in own)
        count = sum(row.orders for row in own)
        sums.append(
            Oversold(
                channel_id, item_id, place, units, value, count, min(days, default=None), quota.oversell_units
            )
        )
    return sums


def oversold_drafts(
    connection: Connection, today: date, item_ids: Collection[UUID] | None = None
) -> list[CaseDraft]:
    """A case for each channel and item with units that were sold and are not there.

    It is worth the margin on them, which cancelling would lose; without a known cost it is 0, and a note says so.
    """
    found = oversold(connection, today, item_ids)
    if not found:
        return []
    items = {one.item_id for one in found}
    places = [place.id for place in list_locations(connection) if place.kind in ("warehouse", "third_party")]
    names = Names.read(
        connection,
        items=items,
        channels={one.channel_id for one in found},
        locations=[*places, *_places(found)],
    )
    free, costs = available_units(connection, items), unit_costs(connection, items)
    return [_draft(one, places, free, costs.get(one.item_id), names, today) for one in found]


def raise_oversold(
    tx: Transaction, item_ids: Collection[UUID], occurred_at: datetime, audit_id: UUID
) -> None:
    """Bring the cases of these items up to date at once; without items nothing is read."""
    if item_ids:
        OrderBook.of(tx).flush()
        Ledger.of(tx).flush()
        drafts = oversold_drafts(tx.connection, tx.today, item_ids)
        raise_cases(tx, drafts, Noted("a channel sold more than there is", occurred_at, audit_id))


def _places(found: Collection[Oversold]) -> set[UUID]:
    return {one.place for one in found}


def _draft(
    one: Oversold,
    places: Collection[UUID],
    free: Mapping[tuple[UUID, UUID], int],
    cost: int | None,
    names: Names,
    today: date,
) -> CaseDraft:
    loss = 0 if cost is None else max(one.value - one.units * cost, 0)
    elsewhere = [(free.get((one.item_id, place), 0), place) for place in places if place != one.place]
    most, source = max(elsewhere, default=(0, one.place))
    moved = min(most, one.units)
    sku, place = names.code(one.item_id), names.code(one.place)
    options = [
        f"order {one.units} units at once, and tell the customers the day",
        "send a substitute that the rules allow",
        "cancel the orders that cannot be served, as out of stock",
    ]
    action: dict[str, Any] = by_hand("order, substitute or cancel")
    if moved > 0:
        words = f"move {moved} units from {names.code(source)} to {place}"
        payload = {
            "transfer_id": None,
            "from_location_id": str(source),
            "to_location_id": str(one.place),
            "lines": [{"item_id": str(one.item_id), "quantity": moved}],
        }
        commands = [{"command": "TransferStock", "payload": payload}]
        action, options = {"kind": "transfer", "label": words, "commands": commands}, [words, *options]
    day = max(one.promised_on or today + timedelta(days=DAYS_TO_CLEAR), today)
    return CaseDraft(
        kind=KIND,
        subject_key=f"{one.channel_id}:{one.item_id}",
        title=f"{names.code(one.channel_id)} sold {one.units} more of {sku} than there are",
        subjects=(("channel", one.channel_id), ("item", one.item_id), ("location", one.place)),
        probability=1.0,
        deadline=datetime.combine(day, time(23, 59, 59), tzinfo=UTC),
        expected_loss=loss,
        residual_loss=loss - loss * moved // one.units,
        action_cost=0,
        evidence=(
            fact("sold without stock", one.units, "units"),
            fact("may be owed", one.limit, "units"),
            fact("orders that wait", one.orders),
            fact("charged for them", money_text(one.value), "currency"),
            fact("cost of a unit", money_text(cost) if cost is not None else "unknown", "currency"),
            *(fact("option", option) for option in options),
        ),
        action=action,
        notes=() if cost is not None else (UNKNOWN_COST,),
    )
