"""Lots that will not sell by their last day, as drafts of cases. It decides and corrects nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, func, select, text

from erp_core.exceptions.draft import CaseDraft, by_hand, fact
from erp_core.finance.queries import unit_costs
from erp_core.inventory.lots.rules import RELEASED, Lot
from erp_core.inventory.model import LOTTED, lots, stock_balances
from erp_core.inventory.queries import available_units
from erp_core.inventory.rules import OWN
from erp_core.master.queries import Names, feeds, list_locations
from erp_core.orders.queries.records import visible_demand
from erp_core.orders.rules.expiring import Perishable, best_place, room, unsold
from erp_core.storage.lookup import fetch_in
from erp_core.storage.types import money_text

KIND = "expiring_lot"
HORIZON_DAYS, RATE_DAYS, LEAST_DAYS = 90, 28, 7
UNKNOWN_COST = "the item's cost is not known: what is lost cannot be said"
NO_SALES = "no sales of the last days are known: how fast a lot sells cannot be said"
Pair = tuple[UUID, UUID]


@dataclass(frozen=True, slots=True)
class _Stock:
    """What is known of the perishable items: their lots by place, how fast they sell there, what they cost."""

    lots: Mapping[Pair, list[tuple[Lot, int]]]
    available: Mapping[Pair, int]
    rates: Mapping[Pair, float]
    rate_days: int
    costs: Mapping[UUID, int]
    names: Names
    sites: frozenset[UUID]


def expiring_drafts(connection: Connection, today: date) -> tuple[list[CaseDraft], str | None, int]:
    """A case for each lot and place of which units will be left after its last day, at the sales of the last weeks.

    Then why lots could not be judged, and how many: without known sales none is guessed. The loss is what is left, at
    cost. What is sold is taken from the lot that expires first; reserved units count as sold.
    """
    found = _perishable(connection, today)
    count = sum(len(own) for own in found.values())
    if not found:
        return [], None, 0
    known = _known_days(connection, today)
    if known < LEAST_DAYS:
        return [], NO_SALES, count
    item_ids = {item_id for item_id, _ in found}
    places = list_locations(connection)
    stock = _Stock(
        found,
        available_units(connection, item_ids),
        _rates(connection, item_ids, today, known),
        known,
        unit_costs(connection, item_ids),
        Names.read(connection, items=item_ids, locations=[place.id for place in places]),
        frozenset(place.id for place in places if place.kind in ("warehouse", "store", "third_party")),
    )
    return [draft for pair in sorted(found) for draft in _of_pair(pair, stock, today)], None, 0


def _perishable(connection: Connection, today: date) -> dict[Pair, list[tuple[Lot, int]]]:
    """Own available units of released lots whose last day is not over and near, by item and place."""
    balance = stock_balances.c
    statement = (
        select(*(lots.c[one.name] for one in fields(Lot)), balance.location_id, balance.quantity)
        .join(stock_balances, balance.lot_id == lots.c.id)
        .where(
            text(f"stock_balances.{LOTTED}"),
            balance.owner == OWN,
            balance.state == "available",
            balance.quantity > 0,
            lots.c.status == RELEASED,
            lots.c.expires_on.between(today, today + timedelta(days=HORIZON_DAYS)),
        )
    )
    found: dict[Pair, list[tuple[Lot, int]]] = {}
    for *values, place, units in connection.execute(statement):
        lot = Lot(*values)
        found.setdefault((lot.item_id, place), []).append((lot, int(units)))
    return found


def _known_days(connection: Connection, today: date) -> int:
    sales = feeds(connection).get("sales")
    if sales is None or sales.last_on < today - timedelta(days=RATE_DAYS):
        return 0
    return min(RATE_DAYS, (today - sales.first_on).days)


def _rates(connection: Connection, item_ids: Iterable[UUID], today: date, days: int) -> dict[Pair, float]:
    demand = visible_demand.c
    statement = (
        select(demand.item_id, demand.location_id, func.sum(demand.units))
        .where(demand.day >= today - timedelta(days=days), demand.day < today)
        .group_by(demand.item_id, demand.location_id)
    )
    rows = fetch_in(connection, statement, demand.item_id, item_ids)
    return {(item_id, place): max(int(units), 0) / days for item_id, place, units in rows}


def _of_pair(pair: Pair, stock: _Stock, today: date) -> list[CaseDraft]:
    there = {lot.id: (lot, units) for lot, units in stock.lots[pair]}
    rate = stock.rates.get(pair, 0.0)
    perishable = [Perishable(id_, _days(lot, today), units) for id_, (lot, units) in there.items()]
    left = unsold(perishable, rate)
    return [
        _draft(pair, there[id_][0], there[id_][1], units, rate, stock, today) for id_, units in left.items()
    ]


def _days(lot: Lot, today: date) -> int:
    assert lot.expires_on is not None
    return (lot.expires_on - today).days + 1


def _draft(pair: Pair, lot: Lot, there: int, left: int, rate: float, stock: _Stock, today: date) -> CaseDraft:
    item_id, place = pair
    assert lot.expires_on is not None
    cost, sku, code = stock.costs.get(item_id), stock.names.code(item_id), stock.names.code(place)
    days = _days(lot, today)
    rooms = [
        (other, room(days, stock.rates.get((item_id, other), 0.0), stock.available.get((item_id, other), 0)))
        for other in sorted(stock.sites - {place})
    ]
    target = best_place(rooms)
    moved = min(target[1], left) if target is not None else 0
    action, options = _options(lot, pair, left, moved, target[0] if target else None, stock.names)
    evidence = (
        fact("last day", lot.expires_on.isoformat(), "day"),
        fact("available of the lot", there, "units"),
        fact(f"sold a day, over {stock.rate_days} days", f"{rate:.2f}", "units"),
        fact("left after its last day", left, "units"),
        fact("cost of a unit", money_text(cost) if cost is not None else "unknown", "currency"),
        *(fact("option", option) for option in options),
    )
    return CaseDraft(
        kind=KIND,
        subject_key=f"{lot.id}:{place}",
        title=f"{sku} at {code}: {left} of lot {lot.code} will not sell by {lot.expires_on}",
        subjects=(("item", item_id), ("location", place), ("lot", lot.id)),
        probability=1.0,
        deadline=datetime.combine(lot.expires_on, time(23, 59, 59), tzinfo=UTC),
        expected_loss=left * (cost or 0),
        residual_loss=(left - moved) * (cost or 0),
        action_cost=0,
        evidence=evidence,
        action=action,
        notes=() if cost is not None else (UNKNOWN_COST,),
    )


def _options(
    lot: Lot, pair: Pair, left: int, moved: int, target: UUID | None, names: Names
) -> tuple[dict[str, Any], list[str]]:
    """The best action, with its commands where there are some, and the others in words."""
    others = [
        f"mark {left} units down so that they sell by their last day",
        "return them to the supplier, if it agreed to take them back",
        f"hold what is left after {lot.expires_on} and write it off",
    ]
    if target is None or not moved or lot.serial:
        action = by_hand("mark it down, return it or write it off")
        return action, others
    words = f"move {moved} units to {names.code(target)}, where they sell in time"
    line = {"item_id": str(pair[0]), "quantity": moved, "lot_code": lot.code}
    payload = {
        "transfer_id": None,
        "from_location_id": str(pair[1]),
        "to_location_id": str(target),
        "lines": [line],
    }
    commands = [{"command": "TransferStock", "payload": payload}]
    return {"kind": "transfer", "label": words, "commands": commands}, [words, *others]
