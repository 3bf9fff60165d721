"""Reads of stock: positions by state now and on a past day, the moves behind a number, and whether all agrees."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    bindparam,
    func,
    or_,
    select,
    union_all,
)

from erp_core.gate.model import audit_entries
from erp_core.inventory.as_of import stock_at
from erp_core.inventory.model import (
    reservations,
    stock_balances,
    stock_carried,
    stock_daily,
    stock_monthly,
    stock_moves,
)
from erp_core.inventory.months import retired_until
from erp_core.inventory.rules import ON_HAND_STATES, OWN, SELLABLE_STATES, VALUED_STATES, VIRTUAL
from erp_core.storage.lookup import AnyRow, fetch_in


@dataclass(frozen=True, slots=True)
class Position:
    """Stock of an item at a location, in base units by state; a state that is not named holds nothing."""

    item_id: UUID
    location_id: UUID
    states: Mapping[str, int] = field(default_factory=dict)

    def _sum(self, states: Iterable[str]) -> int:
        return sum(self.states.get(state, 0) for state in states)

    @property
    def on_hand(self) -> int:
        """Units physically there, whatever their state; goods in transit are not."""
        return self._sum(ON_HAND_STATES)

    @property
    def available(self) -> int:
        """Units that may be promised now."""
        return self.states.get("available", 0)

    @property
    def reserved(self) -> int:
        """Units promised to orders."""
        return self.states.get("reserved", 0)

    @property
    def sellable(self) -> int:
        """Available and reserved units."""
        return self._sum(SELLABLE_STATES)

    @property
    def in_transit(self) -> int:
        """Units on their way here from another location."""
        return self.states.get("in_transit", 0)

    @property
    def valued(self) -> int:
        """Units that finance values."""
        return self._sum(VALUED_STATES)


@dataclass(frozen=True, slots=True)
class MoveRecord:
    """One ledger move."""

    id: UUID
    occurred_on: date
    occurred_at: datetime
    event: str
    item_id: UUID
    from_location_id: UUID
    from_state: str
    to_location_id: UUID
    to_state: str
    quantity: int
    document_kind: str
    document_id: UUID
    reason: str | None
    reverses_id: UUID | None
    audit_id: UUID


@dataclass(frozen=True, slots=True)
class Difference:
    """A stored figure that is not what the moves (or reservations) add up to."""

    projection: str
    key: tuple[Any, ...]
    stored: int
    rebuilt: int


_MOVE = select(*(stock_moves.c[name] for name in MoveRecord.__dataclass_fields__))


def positions(
    connection: Connection,
    *,
    item_ids: Iterable[UUID] | None = None,
    location_id: UUID | None = None,
    as_of: date | None = None,
) -> dict[tuple[UUID, UUID], Position]:
    """The company's own stock by (item, location), now or at the end of the day `as_of`; pairs without are left out."""
    wanted = None if item_ids is None else list(item_ids)
    states: dict[tuple[UUID, UUID], dict[str, int]] = {}
    for rows in stock_at(as_of):
        stock = rows.subquery().c
        key = (stock.item_id, stock.location_id, stock.state)
        statement = select(*key, func.sum(stock.units)).group_by(*key)
        if location_id is not None:
            statement = statement.where(stock.location_id == location_id)
        for item, place, state, units in _rows(connection, statement, stock.item_id, wanted):
            held = states.setdefault((item, place), {})
            held[state] = held.get(state, 0) + int(units)
    return {
        key: Position(*key, {state: units for state, units in held.items() if units})
        for key, held in states.items()
        if any(held.values())
    }


def position(connection: Connection, item_id: UUID, location_id: UUID, as_of: date | None = None) -> Position:
    """One position, now or at the end of the day `as_of`; empty where nothing is."""
    found = positions(connection, item_ids=[item_id], location_id=location_id, as_of=as_of)
    return found.get((item_id, location_id), Position(item_id, location_id))


def available_units(
    connection: Connection, item_ids: Iterable[UUID] | None = None
) -> dict[tuple[UUID, UUID], int]:
    """Units that may be promised now by (item, location), where there are any."""
    return units_in(connection, ("available",), item_ids)["available"]


def units_in(
    connection: Connection, states: Collection[str], item_ids: Iterable[UUID] | None = None
) -> dict[str, dict[tuple[UUID, UUID], int]]:
    """Own units in each of these states by (item, location), where there are any."""
    balance = stock_balances.c
    statement = (
        select(balance.state, balance.item_id, balance.location_id, func.sum(balance.quantity))
        .where(balance.state.in_(states), balance.owner == OWN, balance.quantity > 0)
        .group_by(balance.state, balance.item_id, balance.location_id)
    )
    found: dict[str, dict[tuple[UUID, UUID], int]] = {state: {} for state in states}
    for state, item_id, location_id, units in _rows(connection, statement, balance.item_id, item_ids):
        found[state][item_id, location_id] = int(units)
    return found


def stock_moves_of(
    connection: Connection,
    *,
    item_id: UUID | None = None,
    location_id: UUID | None = None,
    state: str | None = None,
    lot_id: UUID | None = None,
    document_id: UUID | None = None,
    first_on: date | None = None,
    last_on: date | None = None,
    limit: int = 200,
    offset: int = 0,
) -> list[MoveRecord]:
    """The moves behind a number, latest first: into or out of a location and state, of a lot, or of one document."""
    table, statement = stock_moves, _MOVE
    for column, wanted in (
        (table.c.item_id, item_id),
        (table.c.lot_id, lot_id),
        (table.c.document_id, document_id),
    ):
        if wanted is not None:
            statement = statement.where(column == wanted)
    if location_id is not None or state is not None:
        sides = []
        for place, condition in (
            (table.c.from_location_id, table.c.from_state),
            (table.c.to_location_id, table.c.to_state),
        ):
            parts = [place == location_id] if location_id is not None else []
            parts += [condition == state] if state is not None else []
            sides.append(and_(*parts))
        statement = statement.where(or_(*sides))
    if first_on is not None:
        statement = statement.where(table.c.occurred_on >= first_on)
    if last_on is not None:
        statement = statement.where(table.c.occurred_on <= last_on)
    latest = (table.c.occurred_on.desc(), table.c.occurred_at.desc(), table.c.id.desc())
    statement = statement.order_by(*latest)
    return [MoveRecord(*row) for row in connection.execute(statement.limit(limit).offset(offset))]


def rebuild_differences(connection: Connection) -> list[Difference]:
    """Rebuild balances and changes by day and month from the moves, and held stock from the reservations, and compare.

    What retired months carried stands for their moves. Gives every figure that differs: none, if all is well. Reads the
    whole ledger.
    """
    bucket = ("item_id", "location_id", "state", "lot_id", "owner")
    daily = ("item_id", "location_id", "state", "day")
    monthly = ("item_id", "location_id", "state", "month")
    own = stock_moves.c.owner == OWN
    carried = _stored(connection, stock_carried, bucket, "quantity")
    by_day = _stored(connection, stock_daily, daily, "change")
    by_month = _stored(connection, stock_monthly, monthly, "change")
    begins = retired_until(connection) or date.min
    return [
        *_compare(
            "stock_balances",
            _stored(connection, stock_balances, bucket, "quantity"),
            _added(carried, _moved(connection, bucket)),
        ),
        *_compare(
            "stock_daily",
            {key: change for key, change in by_day.items() if key[-1] >= begins},
            _moved(connection, daily, own),
        ),
        *_compare(
            "stock_monthly",
            by_month,
            _summed(((*held, day.replace(day=1)), change) for (*held, day), change in by_day.items()),
        ),
        *_compare(
            "stock_carried",
            _summed((key[:3], units) for key, units in carried.items() if key[-1] == OWN),
            _summed((key[:-1], change) for key, change in by_month.items() if key[-1] < begins),
        ),
        *_compare("reservations", _held_balances(connection), _held(connection)),
    ]


def _moved(
    connection: Connection, key: tuple[str, ...], only: ColumnElement[bool] | None = None
) -> dict[tuple[Any, ...], int]:
    halves = []
    for side, sign in (("from", -1), ("to", 1)):
        columns = {
            "item_id": stock_moves.c.item_id,
            "location_id": stock_moves.c[f"{side}_location_id"],
            "state": stock_moves.c[f"{side}_state"],
            "lot_id": stock_moves.c.lot_id,
            "owner": stock_moves.c.owner,
            "day": stock_moves.c.occurred_on,
        }
        halves.append(
            select(
                *(columns[name].label(name) for name in key), (stock_moves.c.quantity * sign).label("units")
            ).where(columns["state"] != VIRTUAL, *(() if only is None else (only,)))
        )
    both = union_all(*halves).subquery()
    names = [both.c[name] for name in key]
    return _keyed(connection.execute(select(*names, func.sum(both.c.units)).group_by(*names)))


def _summed(amounts: Iterable[tuple[tuple[Any, ...], int]]) -> dict[tuple[Any, ...], int]:
    sums: dict[tuple[Any, ...], int] = {}
    for key, amount in amounts:
        sums[key] = sums.get(key, 0) + amount
    return sums


def _added(*parts: dict[tuple[Any, ...], int]) -> dict[tuple[Any, ...], int]:
    return _summed(entry for part in parts for entry in part.items())


def _stored(
    connection: Connection, table: Any, key: tuple[str, ...], amount: str
) -> dict[tuple[Any, ...], int]:
    return _keyed(connection.execute(select(*(table.c[name] for name in key), table.c[amount])))


def _held_balances(connection: Connection) -> dict[tuple[Any, ...], int]:
    table = stock_balances
    columns = (table.c.item_id, table.c.location_id, table.c.lot_id, table.c.state)
    statement = (
        select(*columns, func.sum(table.c.quantity))
        .where(table.c.state.in_(("reserved", "picked")))
        .group_by(*columns)
    )
    return _keyed(connection.execute(statement))


def _held(connection: Connection) -> dict[tuple[Any, ...], int]:
    table, states = reservations, {"pending": "reserved", "picked": "picked"}
    columns = (table.c.item_id, table.c.location_id, table.c.lot_id, table.c.status)
    statement = (
        select(*columns, func.sum(table.c.quantity))
        .where(table.c.status.in_(tuple(states)))
        .group_by(*columns)
    )
    found = _keyed(connection.execute(statement))
    return {(*bucket, states[status]): units for (*bucket, status), units in found.items()}


def _keyed(rows: Iterable[AnyRow]) -> dict[tuple[Any, ...], int]:
    return {tuple(row[:-1]): int(row[-1]) for row in rows}


def _compare(
    projection: str, stored: dict[tuple[Any, ...], int], rebuilt: dict[tuple[Any, ...], int]
) -> list[Difference]:
    return [
        Difference(projection, key, stored.get(key, 0), rebuilt.get(key, 0))
        for key in {**stored, **rebuilt}
        if stored.get(key, 0) != rebuilt.get(key, 0)
    ]


def _rows(
    connection: Connection, statement: Select[Any], column: Any, values: Iterable[UUID] | None
) -> Iterable[AnyRow]:
    return (
        connection.execute(statement) if values is None else fetch_in(connection, statement, column, values)
    )


def unasked_adjustments(
    connection: Connection, item_ids: Iterable[UUID], since: datetime
) -> Sequence[AnyRow]:
    """Adjustments and counts of these items from the day of `since` on that nobody was asked about, and that were not reversals:
    item_id, the units moved, occurred_at.
    """
    return fetch_in(connection, _UNASKED, stock_moves.c.item_id, item_ids, since_day=since.date())


_UNASKED = (
    select(stock_moves.c.item_id, stock_moves.c.quantity, stock_moves.c.occurred_at)
    .join(audit_entries, audit_entries.c.id == stock_moves.c.audit_id)
    .where(
        stock_moves.c.document_kind.in_(("adjustment", "count")),
        stock_moves.c.reverses_id.is_(None),
        stock_moves.c.occurred_on >= bindparam("since_day"),
        audit_entries.c.proposal_id.is_(None),
    )
)
