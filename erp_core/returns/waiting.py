"""The worklist of goods that came back: from arrival until they may be sold again or are gone, somebody is to act."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Connection, or_, select

from erp_core.gate.roles import who_may
from erp_core.returns.model import return_lines, returns
from erp_core.returns.rules import STAYING, STRANDED_AFTER_DAYS, UNDECIDED, ways_on

WaitsIn = Literal["return_pending", "refurbishing", "quarantined"]

_STATES: dict[str, WaitsIn] = {
    UNDECIDED: "return_pending",
    "refurbish": "refurbishing",
    "quarantine": "quarantined",
}
_WAITING = (
    select(
        returns.c.id.label("return_id"),
        returns.c.number,
        returns.c.status,
        return_lines.c.id,
        return_lines.c.item_id,
        return_lines.c.location_id,
        return_lines.c.quantity,
        return_lines.c.returned_on,
        return_lines.c.disposition,
        return_lines.c.disposed_on,
        return_lines.c.rule,
        return_lines.c.resale_eligible,
        return_lines.c.cost,
    )
    .join(returns, returns.c.id == return_lines.c.return_id)
    .where(
        returns.c.import_id.is_(None),
        or_(returns.c.status.in_(("received", "inspected")), return_lines.c.disposition.in_(STAYING)),
    )
    .order_by(returns.c.number, return_lines.c.line_no)
)


@dataclass(frozen=True, slots=True)
class WaitingGoods:
    """A line of a return whose goods wait, and for what.

    `since` is the day they came back, or that of the decision that put them where they are; `stranded` they are when they
    wait for more than `STRANDED_AFTER_DAYS` days. `command` is what ends the waiting, `roles` those who may run it.
    `ways` are the decisions that may follow, none before an inspection; of a lot that is held or over `restock` is still
    refused. `rule` is the disposition that the rule gave. `cost` in ten-thousandths; None while it is not known.
    """

    return_id: UUID
    number: str
    return_line_id: UUID
    item_id: UUID
    location_id: UUID
    quantity: int
    state: WaitsIn
    since: date
    days: int
    stranded: bool
    command: Literal["InspectReturn", "DisposeReturn"]
    ways: tuple[str, ...]
    rule: str | None
    roles: tuple[str, ...]
    cost: int | None


def waiting_goods(
    connection: Connection,
    today: date,
    *,
    state: WaitsIn | None = None,
    location_id: UUID | None = None,
    stranded_only: bool = False,
) -> list[WaitingGoods]:
    """What waits for an inspection or a decision, what waits longest first. Imported history is never among it."""
    statement = _WAITING
    if location_id is not None:
        statement = statement.where(return_lines.c.location_id == location_id)
    found = [_waiting(row, today) for row in connection.execute(statement)]
    wanted = [one for one in found if state in (None, one.state) and (one.stranded or not stranded_only)]
    return sorted(wanted, key=lambda one: one.since)


def _waiting(row: Any, today: date) -> WaitingGoods:
    since = row.returned_on if row.disposition is None else row.disposed_on
    days = (today - since).days
    uninspected = row.status == "received"
    command: Literal["InspectReturn", "DisposeReturn"] = "InspectReturn" if uninspected else "DisposeReturn"
    return WaitingGoods(
        return_id=row.return_id,
        number=row.number,
        return_line_id=row.id,
        item_id=row.item_id,
        location_id=row.location_id,
        quantity=row.quantity,
        state=_STATES[row.disposition or UNDECIDED],
        since=since,
        days=days,
        stranded=days > STRANDED_AFTER_DAYS,
        command=command,
        ways=() if uninspected else ways_on(row.disposition, resalable=bool(row.resale_eligible)),
        rule=row.rule,
        roles=tuple(who_may(command)),
        cost=row.cost,
    )
