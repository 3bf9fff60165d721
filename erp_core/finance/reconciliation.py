"""Where stock, its value and what others report of it disagree, as drafts of cases. It decides and corrects nothing."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select

from erp_core.exceptions.draft import CaseDraft, fact
from erp_core.finance.queries import ValuationDifference, unit_costs, valuation_differences
from erp_core.inventory.snapshots.queries import SnapshotDifference, snapshot_differences
from erp_core.master.model import items
from erp_core.master.queries import Names
from erp_core.storage.lookup import fetch_in
from erp_core.storage.types import money_text

DAYS_TO_CLEAR = 7
UNKNOWN_COST = "the item's cost is not known: what the difference is worth cannot be said"


def reconciliation_drafts(connection: Connection, today: date) -> list[CaseDraft]:
    """A case for each item whose valued units are not those in stock (`valuation_difference`), and for each difference
    beyond tolerance between a location's latest snapshot and the ledger of its day (`snapshot_difference`).

    The loss is the difference at cost; where no cost is known it is 0, and a note says so.
    """
    valued, reported = valuation_differences(connection), snapshot_differences(connection)
    concerned = {one.item_id for one in valued} | {one.item_id for one in reported}
    if not concerned:
        return []
    names = Names.read(connection, items=concerned, locations={one.location_id for one in reported})
    costs = _costs(connection, concerned)
    deadline = datetime.combine(today + timedelta(days=DAYS_TO_CLEAR), time(23, 59, 59), tzinfo=UTC)
    return [
        *(_of_value(one, names.code(one.item_id), costs.get(one.item_id), deadline) for one in valued),
        *(
            _of_snapshot(
                one,
                names.code(one.item_id),
                names.code(one.location_id),
                costs.get(one.item_id),
                deadline,
            )
            for one in reported
        ),
    ]


def _costs(connection: Connection, item_ids: Iterable[UUID]) -> dict[UUID, int]:
    """Cost of one unit: the average, or the standard cost where nothing is valued."""
    rows = fetch_in(connection, select(items.c.id, items.c.standard_cost), items.c.id, item_ids)
    standard = {row.id: row.standard_cost for row in rows if row.standard_cost is not None}
    return standard | unit_costs(connection, item_ids)


def _of_value(one: ValuationDifference, sku: str, cost: int | None, deadline: datetime) -> CaseDraft:
    units = one.in_stock - one.valued.quantity
    worth = abs(one.valued.value - one.entered.value)
    loss = worth or (None if cost is None else abs(units) * cost)
    evidence = (
        fact("units in stock that are valued", one.in_stock, "units"),
        fact("units in the valuation", one.valued.quantity, "units"),
        fact("units that its entries add up to", one.entered.quantity, "units"),
        fact("value", money_text(one.valued.value), "currency"),
        fact("value that its entries add up to", money_text(one.entered.value), "currency"),
    )
    return _draft(
        "valuation_difference",
        str(one.item_id),
        f"{sku}: stock and its valuation disagree",
        (("item", one.item_id),),
        loss,
        evidence,
        deadline,
    )


def _of_snapshot(
    one: SnapshotDifference, sku: str, place: str, cost: int | None, deadline: datetime
) -> CaseDraft:
    more = "more" if one.units > 0 else "fewer"
    return _draft(
        "snapshot_difference",
        f"{one.location_id}:{one.item_id}",
        f"{sku} at {place}: {one.source} reports {abs(one.units)} {more} than the ledger has",
        (("item", one.item_id), ("location", one.location_id)),
        None if cost is None else abs(one.units) * cost,
        (
            fact("reported on hand", one.reported, "units"),
            fact("on hand in the ledger", one.in_ledger, "units"),
            fact("as of", one.as_of.isoformat(), "day"),
        ),
        deadline,
    )


def _draft(
    kind: str,
    key: str,
    title: str,
    subjects: tuple[tuple[str, UUID], ...],
    loss: int | None,
    evidence: tuple[dict[str, Any], ...],
    deadline: datetime,
) -> CaseDraft:
    return CaseDraft(
        kind=kind,
        subject_key=key,
        title=title,
        subjects=subjects,
        probability=1.0,
        deadline=deadline,
        expected_loss=loss or 0,
        residual_loss=0,
        action_cost=0,
        evidence=evidence,
        action={"kind": "count", "label": "find the cause, and count the item where it lies", "commands": []},
        notes=() if loss is not None else (UNKNOWN_COST,),
    )
