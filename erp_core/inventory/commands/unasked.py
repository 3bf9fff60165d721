"""What approval policy is told of an adjustment: also what was adjusted before without anybody having been asked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import Connection, bindparam, select

from erp_core.gate.contract import Asked, Facts
from erp_core.gate.model import audit_entries
from erp_core.inventory.model import stock_moves
from erp_core.storage.locks import lock_names
from erp_core.storage.lookup import fetch_in

if TYPE_CHECKING:
    from erp_core.inventory.commands.stock import AdjustStock

UNASKED_DAYS = 7
"""So long an adjustment that nobody was asked about counts with the next one of the same item."""
AT_ONCE = timedelta(hours=1)
"""A rival that began later may be through first: so much later is still the same moment."""

_UNASKED = (
    select(stock_moves.c.item_id, stock_moves.c.quantity, stock_moves.c.occurred_at)
    .join(audit_entries, audit_entries.c.id == stock_moves.c.audit_id)
    .where(
        stock_moves.c.document_kind == "adjustment",
        stock_moves.c.reverses_id.is_(None),
        stock_moves.c.occurred_on >= bindparam("since_day"),
        audit_entries.c.proposal_id.is_(None),
    )
)


def adjustment_facts(asked: Sequence[Asked[AdjustStock]], connection: Connection) -> list[Facts]:
    """Units, and `cumulative_units` of the item: up and down add up, also those before it in the batch.

    One statement for any number of adjustments. Who reads keeps others from the item's until the transaction ends,
    so that adjustments at the same moment count with each other. Inventory knows units and no money.
    """
    moments = [one.occurred_at for one in asked if one.occurred_at is not None]
    earlier: dict[UUID, list[tuple[datetime, int]]] = {}
    if moments:
        since = min(moments) - timedelta(days=UNASKED_DAYS)
        items = {one.command.item_id for one in asked}
        lock_names(connection, (f"adjustments of {item_id}" for item_id in items))
        for row in fetch_in(connection, _UNASKED, stock_moves.c.item_id, items, since_day=since.date()):
            earlier.setdefault(row.item_id, []).append((row.occurred_at, row.quantity))
    return [_facts(one, earlier) for one in asked]


def _facts(asked: Asked[AdjustStock], earlier: dict[UUID, list[tuple[datetime, int]]]) -> Facts:
    command, moment = asked.command, asked.occurred_at
    units = abs(command.quantity)
    told = {
        "units": units,
        "quantity": command.quantity,
        "reason": command.reason_code,
        "state": command.state,
    }
    if moment is None:
        return told
    known = earlier.setdefault(command.item_id, [])
    since = moment - timedelta(days=UNASKED_DAYS)
    before = sum(value for when, value in known if since < when <= moment + AT_ONCE)
    known.append((moment, units))
    return told | {"cumulative_units": units + before}
