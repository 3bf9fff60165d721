"""Where a lot came from and went: backward to what it came in with, forward to shipments, orders and customers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection, select

from erp_core.inventory.lots.queries import (
    LotMove,
    LotStock,
    came_in,
    lot_moves,
    lot_stock,
    lots_moved_by,
    went_out,
)
from erp_core.orders.model import orders, shipments
from erp_core.storage.lookup import fetch_in

_SENT = select(shipments.c.id, shipments.c.order_id, orders.c.number, orders.c.customer_id).join(
    orders, orders.c.id == shipments.c.order_id
)


@dataclass(frozen=True, slots=True)
class LotShipment:
    """Units of a lot that a customer got; `customer_id` is None where nobody is named on the order."""

    shipment_id: UUID
    order_id: UUID
    order_number: str
    customer_id: UUID | None
    lot_id: UUID
    units: int


@dataclass(frozen=True, slots=True)
class LotTrace:
    """A lot's whole way. `origins` brought units in, `transfers` moved them between places, `others` took units out
    otherwise (written off, sent back to the supplier).
    """

    stock: list[LotStock]
    origins: list[LotMove]
    transfers: list[LotMove]
    shipments: list[LotShipment]
    others: list[LotMove]


def trace_lot(connection: Connection, lot_id: UUID) -> LotTrace:
    """Follow a lot and the numbered units of it both ways. Reads its own moves only."""
    moves = lot_moves(connection, lot_id)
    return LotTrace(
        stock=lot_stock(connection, lot_id),
        origins=[move for move in moves if came_in(move)],
        transfers=[move for move in moves if move.document_kind == "transfer"],
        shipments=_shipments(connection, [move for move in moves if move.document_kind == "shipment"]),
        others=[move for move in moves if went_out(move) and move.document_kind != "shipment"],
    )


def lots_shipped(connection: Connection, order_ids: Iterable[UUID]) -> dict[tuple[UUID, UUID], int]:
    """Units that went out by (order, lot)."""
    statement = select(shipments.c.id, shipments.c.order_id)
    sent = {row.id: row.order_id for row in fetch_in(connection, statement, shipments.c.order_id, order_ids)}
    units: dict[tuple[UUID, UUID], int] = {}
    for shipment_id, lot_id, count in lots_moved_by(connection, "shipment", sent):
        key = (sent[shipment_id], lot_id)
        units[key] = units.get(key, 0) + count
    return units


def _shipments(connection: Connection, moves: Iterable[LotMove]) -> list[LotShipment]:
    units: dict[tuple[UUID, UUID], int] = {}
    for move in moves:
        key = (move.document_id, move.lot_id)
        units[key] = units.get(key, 0) + (move.units if went_out(move) else -move.units)
    rows = fetch_in(connection, _SENT, shipments.c.id, {shipment_id for shipment_id, _ in units})
    sent = {row.id: row for row in rows}
    return [
        LotShipment(shipment_id, row.order_id, row.number, row.customer_id, lot_id, count)
        for (shipment_id, lot_id), count in units.items()
        if (row := sent.get(shipment_id)) is not None
    ]
