"""How much a hold is about: the quarantined units that it put there, or that came in of its lot since."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, and_, func, select, text

from erp_core.inventory.model import LOTTED, lots, quality_holds, stock_balances, stock_moves
from erp_core.inventory.rules import OWN

_HELD_UNITS = (
    select(
        stock_balances.c.item_id,
        stock_balances.c.location_id,
        stock_balances.c.lot_id,
        stock_balances.c.quantity.label("units"),
    )
    .where(
        stock_balances.c.state == "quarantined", stock_balances.c.owner == OWN, stock_balances.c.quantity > 0
    )
    .order_by(stock_balances.c.item_id, stock_balances.c.location_id, stock_balances.c.lot_id)
)

Units = dict[tuple[UUID, UUID, UUID], int]


def units_of(connection: Connection, hold: Any) -> Units:
    """Units by (item, location, lot) that the hold is about and that still lie quarantined.

    A hold of a whole lot is about all of it, also what came in since, less what other holds keep of it at a place
    and what came back from customers to be looked at.
    """
    own = _moved_by(connection, _of_holds(quality_holds.c.id == hold.id))
    if hold.location_id is not None:
        there = _quarantined(connection, stock_balances.c.item_id == hold.item_id)
        return {key: min(units, there.get(key, 0)) for key, units in own.items()}
    lot_ids = select(lots.c.id).where((lots.c.id == hold.lot_id) | (lots.c.batch_id == hold.lot_id))
    there = _quarantined(connection, text(f"stock_balances.{LOTTED}"), stock_balances.c.lot_id.in_(lot_ids))
    others = _moved_by(
        connection,
        _of_holds(
            quality_holds.c.status == "open",
            quality_holds.c.location_id.is_not(None),
            quality_holds.c.lot_id.in_(lot_ids),
        ),
    )
    back = _moved_by(
        connection,
        and_(
            text(f"stock_moves.{LOTTED}"),
            stock_moves.c.event == "disposition",
            stock_moves.c.document_kind == "return",
            stock_moves.c.lot_id.in_(lot_ids),
        ),
    )
    return {key: max(units - others.get(key, 0) - back.get(key, 0), 0) for key, units in there.items()}


def _of_holds(*which: ColumnElement[bool]) -> ColumnElement[bool]:
    ids = select(quality_holds.c.id).where(*which)
    return and_(stock_moves.c.document_id.in_(ids), stock_moves.c.document_kind == "hold")


def _quarantined(connection: Connection, *which: Any) -> Units:
    rows = connection.execute(_HELD_UNITS.where(*which))
    return {(row.item_id, row.location_id, row.lot_id): row.units for row in rows}


def _moved_by(connection: Connection, which: ColumnElement[bool]) -> Units:
    """Units that these moves took into quarantine, less those they took out."""
    units: Units = {}
    for side, sign in (("to", 1), ("from", -1)):
        keys = (stock_moves.c.item_id, stock_moves.c[f"{side}_location_id"], stock_moves.c.lot_id)
        rows = connection.execute(
            select(*keys, func.sum(stock_moves.c.quantity))
            .where(which, stock_moves.c[f"{side}_state"] == "quarantined")
            .group_by(*keys)
        )
        for *key, quantity in rows:
            units[tuple(key)] = units.get(tuple(key), 0) + sign * int(quantity)
    return units
