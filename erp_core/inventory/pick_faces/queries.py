"""Which pick faces are to be refilled now, with how much."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection, select

from erp_core.inventory.pick_faces.model import pick_faces
from erp_core.inventory.queries import positions


@dataclass(frozen=True, slots=True)
class Refill:
    """Move `units` of an item from reserve to its pick face, which holds `there` and should have `minimum` at least.

    `short` units would be wanted to fill it up and are not in reserve.
    """

    item_id: UUID
    location_id: UUID
    reserve_id: UUID
    there: int
    minimum: int
    maximum: int
    units: int
    short: int


def refill_of(there: int, minimum: int, maximum: int, in_reserve: int) -> tuple[int, int] | None:
    """(units to move, units short) to fill a face up to its maximum; None while it has its minimum."""
    if there >= minimum:
        return None
    wanted = maximum - there
    units = min(wanted, max(in_reserve, 0))
    return units, wanted - units


def due_refills(connection: Connection, location_id: UUID | None = None) -> list[Refill]:
    """Faces below their minimum, the emptiest first. Reserved stock on a face counts as gone; faces share a reserve."""
    statement = select(pick_faces).order_by(pick_faces.c.item_id, pick_faces.c.location_id)
    if location_id is not None:
        statement = statement.where(pick_faces.c.location_id == location_id)
    faces = connection.execute(statement).all()
    held = positions(connection, item_ids={face.item_id for face in faces})
    free = {pair: one.available for pair, one in held.items()}
    emptiest = sorted(faces, key=lambda face: free.get((face.item_id, face.location_id), 0) / face.minimum)
    found: list[Refill] = []
    for face in emptiest:
        there = free.get((face.item_id, face.location_id), 0)
        reserve = (face.item_id, face.reserve_id)
        due = refill_of(there, face.minimum, face.maximum, free.get(reserve, 0))
        if due is not None:
            units, short = due
            free[reserve] = free.get(reserve, 0) - units
            found.append(
                Refill(
                    face.item_id,
                    face.location_id,
                    face.reserve_id,
                    there,
                    face.minimum,
                    face.maximum,
                    units,
                    short,
                )
            )
    return found
