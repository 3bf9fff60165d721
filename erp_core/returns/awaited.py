"""Returns that were authorised and did not come yet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import Connection, select

from erp_core.returns.model import return_lines, returns


@dataclass(frozen=True, slots=True)
class AwaitedReturn:
    """Units that a customer may send back to a place, since the day that was authorised. Nobody promised a day."""

    return_id: UUID
    number: str
    line_id: UUID
    location_id: UUID
    item_id: UUID
    units: int
    authorised_on: date


def awaited_returns(connection: Connection, *, location_id: UUID | None = None) -> list[AwaitedReturn]:
    """Lines of authorised returns, the oldest first."""
    statement = (
        select(
            returns.c.id,
            returns.c.number,
            return_lines.c.id,
            return_lines.c.location_id,
            return_lines.c.item_id,
            return_lines.c.quantity,
            return_lines.c.returned_on,
        )
        .join(return_lines, return_lines.c.return_id == returns.c.id)
        .where(returns.c.status == "authorised", returns.c.import_id.is_(None))
        .order_by(return_lines.c.returned_on, returns.c.number, return_lines.c.line_no)
    )
    if location_id is not None:
        statement = statement.where(return_lines.c.location_id == location_id)
    return [AwaitedReturn(*row) for row in connection.execute(statement)]
