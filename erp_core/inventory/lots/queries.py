"""Reads of lots: which there are, where they lie, which expire soon, what is held, where one came from and went."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Select, and_, func, or_, select, text

from erp_core.inventory.lots.rules import RELEASED, Lot, Tracking
from erp_core.inventory.model import (
    LOTTED,
    lots,
    quality_holds,
    reservations,
    shelf_life_rules,
    stock_authorities,
    stock_balances,
    stock_moves,
)
from erp_core.inventory.queries import Difference
from erp_core.inventory.rules import NO_LOT, OWN, VIRTUAL
from erp_core.master.model import items
from erp_core.storage.lookup import fetch_in

_LOTS = select(*(lots.c[one.name] for one in fields(Lot)))
_UNITS = func.sum(stock_balances.c.quantity)


@dataclass(frozen=True, slots=True)
class LotStock:
    """Units of a lot, or of units of it, at a place in a state."""

    lot_id: UUID
    location_id: UUID
    state: str
    owner: str
    units: int


@dataclass(frozen=True, slots=True)
class LotMove:
    """Units of a lot that went from one place to another with a document."""

    lot_id: UUID
    event: str
    document_kind: str
    document_id: UUID
    from_location_id: UUID
    from_state: str
    to_location_id: UUID
    to_state: str
    units: int
    occurred_at: datetime
    audit_id: UUID


@dataclass(frozen=True, slots=True)
class ExpiringLot:
    """Own units of a lot that are neither gone nor given up and have so many days left; below 0: expired."""

    lot: Lot
    location_id: UUID
    units: int
    days_left: int


@dataclass(frozen=True, slots=True)
class Hold:
    """Stock that is held back, or was. Without a place it is the whole lot."""

    id: UUID
    kind: str
    item_id: UUID
    lot_id: UUID
    location_id: UUID | None
    reason: str
    comment: str | None
    status: str
    opened_at: datetime
    decided_at: datetime | None


def tracking_of(connection: Connection, item_ids: Iterable[UUID]) -> dict[UUID, Tracking]:
    """What is asked of the units of those items that are tracked by lot or serial number."""
    columns = (items.c.id, items.c.sku, items.c.lot_tracked, items.c.serial_tracked, items.c.expiry_tracked)
    rows = fetch_in(connection, select(*columns), items.c.id, item_ids)
    return {
        row.id: Tracking(row.sku, row.lot_tracked, row.serial_tracked, row.expiry_tracked)
        for row in rows
        if row.lot_tracked or row.serial_tracked
    }


def list_lots(
    connection: Connection,
    *,
    item_id: UUID | None = None,
    code: str | None = None,
    status: str | None = None,
    limit: int = 200,
) -> list[Lot]:
    """Lots and numbered units, those that expire first first."""
    statement = _LOTS
    if item_id is not None:
        statement = statement.where(lots.c.item_id == item_id)
    if code is not None:
        statement = statement.where(lots.c.code == code)
    if status is not None:
        statement = statement.where(lots.c.status == status)
    last = func.coalesce(lots.c.expires_on, date.max)
    statement = statement.order_by(last, lots.c.received_on, lots.c.code, lots.c.id).limit(limit)
    return [Lot(*row) for row in connection.execute(statement)]


def lots_by_id(connection: Connection, ids: Iterable[UUID]) -> dict[UUID, Lot]:
    """These lots."""
    return {row.id: Lot(*row) for row in fetch_in(connection, _LOTS, lots.c.id, ids)}


def family(lot_id: UUID) -> Select[Any]:
    """The ids of a lot and of the numbered units of it, as a query."""
    return select(lots.c.id).where(or_(lots.c.id == lot_id, lots.c.batch_id == lot_id))


def lot_stock(connection: Connection, lot_id: UUID) -> list[LotStock]:
    """Where what is left of a lot lies, its numbered units included."""
    table = stock_balances
    keys = (table.c.lot_id, table.c.location_id, table.c.state, table.c.owner)
    statement = (
        select(*keys, table.c.quantity)
        .where(text(LOTTED), table.c.lot_id.in_(family(lot_id)), table.c.quantity > 0)
        .order_by(*keys)
    )
    return [LotStock(*row) for row in connection.execute(statement)]


def lot_moves(connection: Connection, lot_id: UUID) -> list[LotMove]:
    """All moves of a lot and of its numbered units, the oldest first."""
    table = stock_moves
    statement = (
        select(
            table.c.lot_id,
            table.c.event,
            table.c.document_kind,
            table.c.document_id,
            table.c.from_location_id,
            table.c.from_state,
            table.c.to_location_id,
            table.c.to_state,
            table.c.quantity,
            table.c.occurred_at,
            table.c.audit_id,
        )
        .where(text(LOTTED), table.c.lot_id.in_(family(lot_id)))
        .order_by(table.c.occurred_at, table.c.id)
    )
    return [LotMove(*row) for row in connection.execute(statement)]


def lots_moved_by(
    connection: Connection, document_kind: str, document_ids: Iterable[UUID]
) -> list[tuple[UUID, UUID, int]]:
    """Document, lot and units of the moves of lots by these documents."""
    table = stock_moves
    statement = select(table.c.document_id, table.c.lot_id, table.c.quantity).where(
        table.c.document_kind == document_kind, text(LOTTED)
    )
    return [tuple(row) for row in fetch_in(connection, statement, table.c.document_id, document_ids)]


def expiring_lots(connection: Connection, today: date, days: int) -> list[ExpiringLot]:
    """Own stock whose last day is at most `days` away or over, the first to expire first. Rejected goods are left out."""
    statement = (
        select(*(lots.c[one.name] for one in fields(Lot)), stock_balances.c.location_id, _UNITS)
        .join(stock_balances, stock_balances.c.lot_id == lots.c.id)
        .where(
            text(f"stock_balances.{LOTTED}"),
            stock_balances.c.owner == OWN,
            stock_balances.c.quantity > 0,
            stock_balances.c.state.in_(("available", "reserved", "picked", "quarantined", "in_transit")),
            lots.c.expires_on <= today + timedelta(days=days),
        )
        .group_by(*(lots.c[one.name] for one in fields(Lot)), stock_balances.c.location_id)
        .order_by(lots.c.expires_on, lots.c.code, stock_balances.c.location_id)
    )
    found = []
    for *values, place, units in connection.execute(statement):
        lot = Lot(*values)
        assert lot.expires_on is not None
        found.append(ExpiringLot(lot, place, int(units), (lot.expires_on - today).days))
    return found


def unpromisable_units(
    connection: Connection, on: date, channel_id: UUID, item_ids: Iterable[UUID] | None = None
) -> dict[tuple[UUID, UUID], int]:
    """Own available units by (item, place) that a channel may not be promised on a day: of lots that are over, held, or
    do not last as long as the channel asks. The sweep that quarantines what is over may come later.
    """
    asked = {item: days for (channel, item), days in shelf_life(connection).items() if channel == channel_id}
    last = on + timedelta(days=max(asked.values(), default=0))
    statement = (
        select(
            *(lots.c[one.name] for one in fields(Lot)),
            stock_balances.c.location_id,
            stock_balances.c.quantity,
        )
        .join(stock_balances, stock_balances.c.lot_id == lots.c.id)
        .where(
            text(f"stock_balances.{LOTTED}"),
            stock_balances.c.owner == OWN,
            stock_balances.c.state == "available",
            stock_balances.c.quantity > 0,
            or_(lots.c.status != RELEASED, lots.c.expires_on < last),
        )
    )
    wanted = None if item_ids is None else set(item_ids)
    found: dict[tuple[UUID, UUID], int] = {}
    for *values, place, units in connection.execute(statement):
        lot = Lot(*values)
        days = asked.get(lot.item_id, asked.get(None, 0))
        if (wanted is None or lot.item_id in wanted) and not lot.promisable(on, days):
            found[lot.item_id, place] = found.get((lot.item_id, place), 0) + int(units)
    return found


def still_sellable_after(connection: Connection, today: date) -> int:
    """Lots whose last day is over and that are not taken out of what can be sold yet."""
    statement = select(func.count()).select_from(lots).where(sellable_after(today))
    return int(connection.scalar(statement) or 0)


def sellable_after(today: date) -> ColumnElement[bool]:
    """The condition of lots whose last day is over and of which own units are available, reserved or picked."""
    there = select(stock_balances.c.lot_id).where(
        text(f"stock_balances.{LOTTED}"),
        stock_balances.c.state.in_(("available", "reserved", "picked")),
        stock_balances.c.owner == OWN,
        stock_balances.c.quantity > 0,
    )
    return and_(lots.c.expires_on < today, lots.c.id.in_(there))


def list_holds(
    connection: Connection, *, status: str | None = "open", item_id: UUID | None = None, limit: int = 200
) -> list[Hold]:
    """Holds, the latest first."""
    table = quality_holds
    statement = select(*(table.c[one.name] for one in fields(Hold)))
    if status is not None:
        statement = statement.where(table.c.status == status)
    if item_id is not None:
        statement = statement.where(table.c.item_id == item_id)
    return [
        Hold(*row) for row in connection.execute(statement.order_by(table.c.opened_at.desc()).limit(limit))
    ]


def shelf_life(connection: Connection) -> dict[tuple[UUID, UUID | None], int]:
    """Days that must be left by channel and item; without an item for all that have no rule of their own."""
    rows = connection.execute(
        select(shelf_life_rules.c.channel_id, shelf_life_rules.c.item_id, shelf_life_rules.c.minimum_days)
    )
    return {(channel, None if item == NO_LOT else item): days for channel, item, days in rows}


def broken_lot_rules(connection: Connection) -> list[Difference]:
    """What breaks an invariant of lots: none, if all is well. Reads all balances of lots.

    A numbered unit lies in one place; stock of a lot that is held is neither available nor reserved; a lot's
    stock is of the lot's item.
    """
    table = stock_balances
    of_lots = table.join(lots, lots.c.id == table.c.lot_id)
    condition = and_(text(f"stock_balances.{LOTTED}"), table.c.quantity > 0)
    twice = (
        select(table.c.lot_id, _UNITS)
        .select_from(of_lots)
        .where(condition, lots.c.serial)
        .group_by(table.c.lot_id)
        .having(_UNITS > 1)
    )
    promised = (
        select(table.c.lot_id, table.c.location_id, table.c.state, table.c.quantity)
        .select_from(of_lots)
        .where(
            condition,
            table.c.owner == OWN,
            table.c.state.in_(("available", "reserved")),
            lots.c.status != "released",
        )
    )
    strange = (
        select(table.c.lot_id, table.c.item_id, table.c.quantity)
        .select_from(table.outerjoin(lots, lots.c.id == table.c.lot_id))
        .where(condition, or_(lots.c.id.is_(None), lots.c.item_id != table.c.item_id))
    )
    late = (
        select(reservations.c.lot_id, reservations.c.id, reservations.c.quantity)
        .join(lots, lots.c.id == reservations.c.lot_id)
        .where(
            text(f"reservations.{LOTTED}"), reservations.c.status == "pending", lots.c.status != "released"
        )
    )
    return [
        *(Difference("serials", (row[0],), int(row[1]), 1) for row in connection.execute(twice)),
        *(Difference("held lots", tuple(row[:3]), row[3], 0) for row in connection.execute(promised)),
        *(Difference("lots", tuple(row[:2]), row[2], 0) for row in connection.execute(strange)),
        *(
            Difference("reservations of held lots", tuple(row[:2]), row[2], 0)
            for row in connection.execute(late)
        ),
    ]


def authorities(connection: Connection) -> dict[tuple[UUID, str], str]:
    """The system that is believed about stock, by location and owner; without an entry it is this ledger."""
    rows = connection.execute(
        select(stock_authorities.c.location_id, stock_authorities.c.owner, stock_authorities.c.system)
    )
    return {(place, owner): system for place, owner, system in rows}


def came_in(move: LotMove) -> bool:
    """Whether the move brought units in from outside."""
    return move.from_state == VIRTUAL


def went_out(move: LotMove) -> bool:
    """Whether the move took units out of the company."""
    return move.to_state == VIRTUAL
