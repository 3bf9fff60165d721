"""Orders that wait longer since a supplier's dates changed: a case with the ways out, at once in that transaction.

The same change has told service and the customers. The case names what else may be done: stock of other places, allowed
substitutes, other sources. It is worth the margin on the units that are late, which cancelling would lose; demand that
nobody ordered yet is priced by the scan, where the purchase order is the root of its loss.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select

from erp_core.exceptions.book import Noted, Raised, raise_all
from erp_core.exceptions.draft import CURRENCY, CaseDraft, by_hand, fact
from erp_core.finance.queries import unit_costs
from erp_core.gate.contract import Transaction
from erp_core.master.model import items
from erp_core.master.queries import Names
from erp_core.orders.events import OrdersAlerted
from erp_core.orders.model import order_lines
from erp_core.orders.model_alerts import order_alerts
from erp_core.orders.model_service import promise_changes
from erp_core.orders.oversold import UNKNOWN_COST
from erp_core.planning.continuity import Option, continuity_plan
from erp_core.procurement.model import purchase_orders
from erp_core.storage.lookup import fetch_in
from erp_core.storage.types import money_text

KIND = "orders_delayed"
Pair = tuple[UUID, UUID]

_ALERT, _LINE = order_alerts.c, order_lines.c
_ALERTED = (
    select(
        _LINE.item_id,
        _LINE.location_id,
        _ALERT.order_id,
        _ALERT.line_id,
        _ALERT.units,
        _ALERT.promised_on,
        _ALERT.expected_on,
        (_ALERT.units * _LINE.unit_price).label("charged"),
    )
    .join(order_lines, _LINE.id == _ALERT.line_id)
    .where(_ALERT.ended_on.is_(None))
)
_CAUSES = (
    select(
        promise_changes.c.line_id,
        purchase_orders.c.id,
        purchase_orders.c.number,
        purchase_orders.c.supplier_id,
    )
    .join(purchase_orders, purchase_orders.c.id == promise_changes.c.cause_id)
    .where(promise_changes.c.cause_kind == "purchase_order")
    .order_by(promise_changes.c.occurred_at, promise_changes.c.id)
)


@dataclass(frozen=True, slots=True)
class Delay:
    """Units of an item that orders wait for at a place since this purchase order was dated anew.

    `promised_on` is the earliest promise, `expected_on` the latest day on which a unit comes; None: nobody knows one.
    `charged` is what customers pay for the units.
    """

    po_id: UUID
    number: str
    supplier_id: UUID
    orders: int
    units: int
    charged: int
    promised_on: date | None
    expected_on: date | None


def follow_delays(event: OrdersAlerted, tx: Transaction) -> None:
    """Open, change or close the cases of these pairs."""
    tx.flush()
    delays = supply_delays(tx.connection, event.pairs)
    late = {item_id for item_id, _ in delays}
    names = Names.read(tx.connection, items=late, locations={place for _, place in delays})
    costs = _costs(tx.connection, late)
    raise_all(
        tx,
        [
            Raised(
                (KIND, _key(pair)),
                _draft(tx.connection, pair, delays[pair], costs.get(pair[0]), names, event.occurred_at)
                if pair in delays
                else None,
                Noted("found when a supplier's dates changed", event.occurred_at, audit_id),
            )
            for pair, audit_id in event.pairs.items()
        ],
    )


def supply_delays(connection: Connection, pairs: Collection[Pair]) -> dict[Pair, Delay]:
    """What is late at these pairs because of a purchase order, that which was dated last; a pair without is not in it."""
    rows = [
        row
        for row in fetch_in(connection, _ALERTED, _LINE.item_id, {item_id for item_id, _ in pairs})
        if (row.item_id, row.location_id) in pairs
    ]
    causes = {
        row.line_id: row
        for row in fetch_in(connection, _CAUSES, promise_changes.c.order_id, {row.order_id for row in rows})
    }
    waiting: dict[Pair, list[Any]] = {}
    for row in rows:
        if row.line_id in causes:
            waiting.setdefault((row.item_id, row.location_id), []).append(row)
    found = {}
    for pair, lines in waiting.items():
        cause = causes[lines[-1].line_id]
        expected = [line.expected_on for line in lines]
        found[pair] = Delay(
            cause.id,
            cause.number,
            cause.supplier_id,
            len({line.order_id for line in lines}),
            sum(line.units for line in lines),
            sum(line.charged for line in lines),
            min((line.promised_on for line in lines if line.promised_on is not None), default=None),
            None if None in expected else max(expected),
        )
    return found


def _costs(connection: Connection, item_ids: Collection[UUID]) -> dict[UUID, int]:
    """What a unit costs: on average where there is stock of the item anywhere, else its standard cost."""
    standard = select(items.c.id, items.c.standard_cost).where(items.c.standard_cost.is_not(None))
    rows = fetch_in(connection, standard, items.c.id, item_ids)
    return {row.id: row.standard_cost for row in rows} | unit_costs(connection, item_ids)


def _key(pair: Pair) -> str:
    return f"{pair[0]}:{pair[1]}"


def _draft(
    connection: Connection, pair: Pair, delay: Delay, cost: int | None, names: Names, at: datetime
) -> CaseDraft:
    item_id, place = pair
    ways = continuity_plan(
        connection,
        item_id,
        place,
        delay.units,
        at.date(),
        failed_supplier_id=delay.supplier_id,
        need_by=delay.promised_on,
    )
    best = best_way(ways, delay.expected_on)
    loss = 0 if cost is None else max(delay.charged - delay.units * cost, 0)
    saved = 0 if best is None else min(best.units, delay.units)
    waits = "1 order waits" if delay.orders == 1 else f"{delay.orders} orders wait"
    until = "nobody knows how long" if delay.expected_on is None else f"until {delay.expected_on:%-d %b %Y}"
    day = max(delay.promised_on or at.date(), at.date())
    return CaseDraft(
        kind=KIND,
        subject_key=_key(pair),
        title=f"{waits} longer for {names.code(item_id)} at {names.code(place)}, {until}",
        subjects=(
            ("item", item_id),
            ("location", place),
            ("purchase_order", delay.po_id),
            ("supplier", delay.supplier_id),
        ),
        probability=1.0,
        deadline=datetime.combine(day, time(23, 59, 59), tzinfo=UTC),
        expected_loss=loss,
        residual_loss=loss - loss * saved // delay.units,
        action_cost=0,
        evidence=(
            fact("units that are late", delay.units, "units"),
            fact("orders that wait", delay.orders),
            fact("charged for them", money_text(delay.charged), CURRENCY),
            fact("cost of a unit", "unknown" if cost is None else money_text(cost), CURRENCY),
            fact("promised first", delay.promised_on or "no day", "day"),
            fact("expected now", delay.expected_on or "no day", "day"),
            fact("because of", delay.number),
            *(fact("option", _in_words(way)) for way in ways),
        ),
        action=by_hand("agree on another day with the supplier or the customers")
        if best is None
        else {"kind": _KINDS.get(best.kind, best.kind), "label": best.label, "commands": list(best.commands)},
        notes=() if cost is not None else (UNKNOWN_COST,),
    )


_KINDS = {"alternate": "order_now"}


def best_way(ways: Iterable[Option], expected_on: date | None) -> Option | None:
    """The first way that moves or orders anything and is there before the day expected now; None: a person decides."""
    for way in ways:
        sooner = expected_on is None or (way.available_on is not None and way.available_on < expected_on)
        if way.commands and sooner:
            return way
    return None


def _in_words(way: Option) -> str:
    return way.label if way.available_on is None else f"{way.label}, there on {way.available_on:%-d %b %Y}"
