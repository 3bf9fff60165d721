"""How old stock is, how long it lasts, and what of it is trapped: there, and not able to leave."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Select, and_, func, or_, select

from erp_core.inventory.model import stock_balances, stock_daily, stock_moves
from erp_core.inventory.rules import OWN, VIRTUAL

MOVING = ("available", "reserved", "picked")
"""States in which goods are on their way to a customer: they age together, a reservation makes nothing younger."""
Lying = tuple[UUID, UUID, str]
"""Item, location and state, `sellable` for those of `MOVING`."""
BUCKETS = ((30, "0-30"), (90, "31-90"), (180, "91-180"), (365, "181-365"))
OLDEST = "over 365"
OUTFLOW_DAYS = 90
TRAPPED_AFTER_DAYS = 14
"""So long in a state that nobody can sell from, and stock is trapped there."""


@dataclass(frozen=True, slots=True)
class AgedStock:
    """Units of an item at a location in a state (`sellable` for those that can leave), by age.

    `oldest_days` is the age of the oldest unit, first in taken as first out. `days_of_supply` is how long sellable
    stock lasts at the rate at which units left for customers lately; None where none left, and for other states.
    `trapped` units lie for more than `TRAPPED_AFTER_DAYS` days where nobody can sell them.
    """

    item_id: UUID
    location_id: UUID
    state: str
    units: int
    by_age: Mapping[str, int]
    oldest_days: int
    days_of_supply: float | None
    trapped: int


def bucket_of(days: int) -> str:
    """The age class of so many days."""
    return next((name for most, name in BUCKETS if days <= most), OLDEST)


def layers(units: int, arrivals: Sequence[tuple[date, int]], today: date) -> list[tuple[int, int]]:
    """(age in days, units) of what is there, the youngest first: the latest arrivals are still here, the first left.

    Units that no arrival explains count as old as the first one.
    """
    found: list[tuple[int, int]] = []
    left, age = units, 0
    for day, came in sorted(arrivals, reverse=True):
        if left <= 0:
            break
        part = min(left, came)
        age = max((today - day).days, 0)
        found.append((age, part))
        left -= part
    return [*found, (age, left)] if left > 0 else found


def aged_stock(
    connection: Connection,
    today: date,
    *,
    location_id: UUID | None = None,
    item_id: UUID | None = None,
    trapped_only: bool = False,
) -> list[AgedStock]:
    """Stock that lies there now by item, location and state, the oldest first; None is left out."""
    held = _held(connection, location_id, item_id)
    came = _arrivals(connection, location_id, item_id)
    gone = _outflow(connection, today, location_id, item_id)
    found = []
    for (item, place, state), units in held.items():
        lying = layers(units, came.get((item, place, state), ()), today)
        by_age: dict[str, int] = defaultdict(int)
        for age, part in lying:
            by_age[bucket_of(age)] += part
        trapped = 0 if state == "sellable" else sum(part for age, part in lying if age > TRAPPED_AFTER_DAYS)
        left = gone.get((item, place), 0)
        lasts = round(units * OUTFLOW_DAYS / left, 1) if state == "sellable" and left else None
        if trapped or not trapped_only:
            oldest = max(age for age, _ in lying)
            found.append(AgedStock(item, place, state, units, dict(by_age), oldest, lasts, trapped))
    return sorted(found, key=lambda one: (-one.oldest_days, one.item_id, one.location_id, one.state))


def _group(state: str) -> str:
    return "sellable" if state in MOVING else state


def _held(connection: Connection, location_id: UUID | None, item_id: UUID | None) -> dict[Lying, int]:
    table = stock_balances.c
    statement = (
        select(table.item_id, table.location_id, table.state, func.sum(table.quantity))
        .where(table.quantity > 0, table.owner == OWN)
        .group_by(table.item_id, table.location_id, table.state)
    )
    if location_id is not None:
        statement = statement.where(table.location_id == location_id)
    if item_id is not None:
        statement = statement.where(table.item_id == item_id)
    held: dict[Lying, int] = defaultdict(int)
    for item, place, state, units in connection.execute(statement):
        held[item, place, _group(state)] += int(units)
    return dict(held)


def _arrivals(
    connection: Connection, location_id: UUID | None, item_id: UUID | None
) -> dict[Lying, list[tuple[date, int]]]:
    """What came in on balance by day, as if nothing of what was taken back had ever moved."""
    daily = stock_daily.c
    statement = select(daily.item_id, daily.location_id, daily.state, daily.day, daily.change)
    if location_id is not None:
        statement = statement.where(daily.location_id == location_id)
    if item_id is not None:
        statement = statement.where(daily.item_id == item_id)
    changes: dict[Lying, dict[date, int]] = defaultdict(lambda: defaultdict(int))
    for item, place, state, day, change in connection.execute(statement):
        changes[item, place, _group(state)][day] += int(change)
    _undo(changes, connection.execute(_taken_back(location_id, item_id)))
    return {
        lying: [(day, change) for day, change in days.items() if change > 0]
        for lying, days in changes.items()
    }


def _taken_back(location_id: UUID | None, item_id: UUID | None) -> Select[Any]:
    back, first = stock_moves.c, stock_moves.alias("first")
    statement = (
        select(
            back.item_id,
            back.quantity,
            back.occurred_on,
            back.from_location_id,
            back.from_state,
            back.to_location_id,
            back.to_state,
            first.c.occurred_on.label("first_on"),
            first.c.from_location_id.label("taken_from"),
            first.c.from_state.label("taken_out_of"),
            first.c.to_location_id.label("brought_to"),
            first.c.to_state.label("brought_into"),
        )
        .join(first, and_(first.c.item_id == back.item_id, first.c.id == back.reverses_id))
        .where(back.owner == OWN)
        .order_by(back.occurred_on, back.id)
    )
    if location_id is not None:
        statement = statement.where(
            or_(back.from_location_id == location_id, back.to_location_id == location_id)
        )
    return statement if item_id is None else statement.where(back.item_id == item_id)


def _undo(changes: dict[Lying, dict[date, int]], taken_back: Iterable[Any]) -> None:
    """Count each reversal on the day of what it takes back; where the goods were put elsewhere since, on the first day
    from then on when any came to where they were taken from. What comes back into another state than it left is new there.
    """
    for row in taken_back:
        if row.from_state != VIRTUAL:
            there = (row.item_id, row.from_location_id, _group(row.from_state))
            came = row.first_on
            if there != (row.item_id, row.brought_to, _group(row.brought_into)):
                later = [day for day, change in changes[there].items() if change > 0 and day >= came]
                came = min(later, default=came)
            changes[there][row.occurred_on] += row.quantity
            changes[there][came] -= row.quantity
        if row.to_state != VIRTUAL:
            there = (row.item_id, row.to_location_id, _group(row.to_state))
            if there == (row.item_id, row.taken_from, _group(row.taken_out_of)):
                changes[there][row.occurred_on] -= row.quantity
                changes[there][row.first_on] += row.quantity


def _outflow(
    connection: Connection, today: date, location_id: UUID | None, item_id: UUID | None
) -> dict[tuple[UUID, UUID], int]:
    moves = stock_moves.c
    statement = (
        select(moves.item_id, moves.from_location_id, func.sum(moves.quantity))
        .where(moves.event == "shipment", moves.occurred_on > today - timedelta(days=OUTFLOW_DAYS))
        .group_by(moves.item_id, moves.from_location_id)
    )
    if location_id is not None:
        statement = statement.where(moves.from_location_id == location_id)
    if item_id is not None:
        statement = statement.where(moves.item_id == item_id)
    return {(item, place): int(units) for item, place, units in connection.execute(statement)}
