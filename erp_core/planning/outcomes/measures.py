"""What happened after decisions, until each one's cut-off: stock, demand, arrival and cost, read set by set."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import Connection, func, or_, select

from erp_core.inventory.model import stock_daily
from erp_core.master.model import supplier_items, suppliers
from erp_core.master.queries import feeds, visible
from erp_core.master.rules import relative_change
from erp_core.orders.demand import LIVE
from erp_core.orders.model import demand_daily
from erp_core.planning.model import reorder_points
from erp_core.planning.outcomes.decisions import Decision
from erp_core.planning.outcomes.rules import (
    EXCESS_DAYS,
    TRANSFER_DAYS,
    LineResult,
    cutoff,
    stockout_days,
)
from erp_core.procurement.model import po_lines, receipt_lines, receipts
from erp_core.procurement.receiving.reversing import stands
from erp_core.storage.lookup import fetch_in, fetch_in_pairs

Pair = tuple[UUID, UUID]


@dataclass(frozen=True, slots=True)
class Delivery:
    """What came of a purchase order until the cut-off."""

    arrived_percent: int
    days_late: int | None
    cost_change: int | None


@dataclass(slots=True)
class _Stock:
    opening: int = 0
    changes: list[tuple[date, int]] = field(default_factory=list)
    demand: dict[date, int] = field(default_factory=dict)


def lead_times(connection: Connection, decisions: Sequence[Decision]) -> dict[UUID, float]:
    """Days by decision: of its slowest line, measured where known, else as agreed. Left out where nothing is known."""
    item_ids = {item_id for one in decisions for item_id, _, _ in one.lines}
    measured = {
        (item_id, location_id): days
        for item_id, location_id, days in fetch_in(
            connection,
            select(reorder_points.c.item_id, reorder_points.c.location_id, reorder_points.c.lead_time_mean),
            reorder_points.c.item_id,
            item_ids,
        )
    }
    agreed = {
        (supplier_id, item_id): days
        for supplier_id, item_id, days in fetch_in(
            connection,
            select(supplier_items.c.supplier_id, supplier_items.c.item_id, supplier_items.c.lead_time_days),
            supplier_items.c.item_id,
            item_ids,
        )
        if days is not None
    }
    typed = {
        supplier_id: days
        for supplier_id, days in fetch_in(
            connection,
            select(suppliers.c.id, suppliers.c.lead_time_days),
            suppliers.c.id,
            {one.supplier_id for one in decisions if one.supplier_id is not None},
        )
        if days is not None
    }
    found: dict[UUID, float] = {}
    for one in decisions:
        if not one.lines:
            continue
        if one.supplier_id is None:
            found[one.id] = TRANSFER_DAYS
            continue
        days = [
            known
            for item_id, place, _ in one.lines
            if (
                known := measured.get(
                    (item_id, place), agreed.get((one.supplier_id, item_id), typed.get(one.supplier_id))
                )
            )
            is not None
        ]
        if days:
            found[one.id] = max(days)
    return found


def covered(connection: Connection) -> tuple[date, date] | None:
    """The days for which the company knows both stock and sales; None without such feeds."""
    known = feeds(connection)
    if not {"stock", "sales"} <= known.keys():
        return None
    both = (known["stock"], known["sales"])
    return max(one.first_on for one in both), min(one.last_on for one in both)


def line_results(
    connection: Connection, decisions: Sequence[Decision], lead: Mapping[UUID, float]
) -> dict[UUID, list[LineResult]]:
    """What happened to each line's item at its place, by decision.

    Nothing is known of a window that the feeds of stock and sales do not cover from its first to its last day.
    """
    timed = [one for one in decisions if one.id in lead]
    known = covered(connection)
    if not timed or known is None:
        return {}
    since, until = known
    first = min(one.decided_on for one in timed)
    last = max(cutoff(one.decided_on, lead[one.id]) for one in timed)
    stock = _stock(connection, {line[:2] for one in timed for line in one.lines}, first, last)
    results: dict[UUID, list[LineResult]] = {}
    for one in timed:
        end = cutoff(one.decided_on, lead[one.id])
        results[one.id] = [
            _line_result(stock[item_id, place], quantity, one.decided_on, end)
            if since <= one.decided_on and end <= until and (item_id, place) in stock
            else LineResult(quantity, None, None)
            for item_id, place, quantity in one.lines
        ]
    return results


def _line_result(stock: _Stock, quantity: int, decided_on: date, end: date) -> LineResult:
    until_then = [(day, change) for day, change in stock.changes if day <= end]
    before = stock.opening + sum(change for day, change in until_then if day <= decided_on)
    within = [(day, change) for day, change in until_then if day > decided_on]
    start = decided_on + timedelta(days=1)
    out = stockout_days(before, within, (day for day, units in stock.demand.items() if units > 0), start, end)
    left = before + sum(change for _, change in within)
    since = end - timedelta(days=EXCESS_DAYS)
    sold = sum(units for day, units in stock.demand.items() if since < day <= end)
    return LineResult(quantity, out, max(left - max(sold, 0), 0))


def _stock(connection: Connection, pairs: set[Pair], first: date, last: date) -> dict[Pair, _Stock]:
    """Available stock and demand by pair; a pair that never had a move in the ledger is not in it."""
    table = stock_daily
    key = (table.c.item_id, table.c.location_id)
    available = table.c.state == "available"
    found: dict[Pair, _Stock] = {}
    openings = select(*key, func.sum(table.c.change)).where(available, table.c.day <= first).group_by(*key)
    for item_id, place, units in fetch_in_pairs(connection, openings, key, pairs):
        found.setdefault((item_id, place), _Stock()).opening = int(units)
    changes = (
        select(*key, table.c.day, table.c.change)
        .where(available, table.c.day > first, table.c.day <= last)
        .order_by(table.c.day)
    )
    for item_id, place, day, change in fetch_in_pairs(connection, changes, key, pairs):
        found.setdefault((item_id, place), _Stock()).changes.append((day, int(change)))
    sold = demand_daily
    demand = (
        select(sold.c.item_id, sold.c.location_id, sold.c.day, func.sum(sold.c.units))
        .where(
            sold.c.day > first - timedelta(days=EXCESS_DAYS),
            sold.c.day <= last,
            or_(sold.c.import_id == LIVE, visible(sold.c.import_id)),
        )
        .group_by(sold.c.item_id, sold.c.location_id, sold.c.day)
    )
    for item_id, place, day, units in fetch_in_pairs(
        connection, demand, (sold.c.item_id, sold.c.location_id), pairs
    ):
        if (item_id, place) in found:
            found[item_id, place].demand[day] = int(units)
    return found


def deliveries(
    connection: Connection, decisions: Iterable[Decision], lead: Mapping[UUID, float]
) -> dict[UUID, Delivery]:
    """Arrival and cost of the purchase orders that came of decisions, by decision; receipts after the cut-off are not seen."""
    bought = {
        one.po_id: one
        for one in decisions
        if one.po_id is not None and one.status == "executed" and one.id in lead
    }
    lines = fetch_in(
        connection,
        select(
            po_lines.c.po_id,
            po_lines.c.id,
            po_lines.c.quantity,
            po_lines.c.unit_price,
            po_lines.c.reference_price,
            po_lines.c.first_promised_on,
        ),
        po_lines.c.po_id,
        bought,
    )
    arrived: dict[UUID, list[tuple[date, int]]] = {}
    for line_id, day, units in fetch_in(
        connection,
        select(receipt_lines.c.po_line_id, receipts.c.received_on, receipt_lines.c.accepted_quantity)
        .join(receipts, receipts.c.id == receipt_lines.c.receipt_id)
        .where(stands())
        .order_by(receipts.c.received_on),
        receipt_lines.c.po_line_id,
        [line.id for line in lines],
    ):
        arrived.setdefault(line_id, []).append((day, int(units)))
    by_order: dict[UUID, list[tuple[int, int, int, int | None, int]]] = {}
    for line in lines:
        one = bought[line.po_id]
        end = cutoff(one.decided_on, lead[one.id])
        expected = line.first_promised_on or one.decided_on + timedelta(days=round(lead[one.id]))
        units, late = _arrival(arrived.get(line.id, ()), line.quantity, end, expected)
        by_order.setdefault(one.id, []).append(
            (
                line.quantity,
                units,
                line.quantity * line.unit_price,
                late,
                line.quantity * line.reference_price,
            )
        )
    found = {}
    for id_, parts in by_order.items():
        ordered, came, paid, _, expected_cost = (
            sum(part[place] or 0 for part in parts) for place in range(5)
        )
        days = [part[3] for part in parts]
        late_days = None if None in days else max(day for day in days if day is not None)
        found[id_] = Delivery(came * 100 // ordered, late_days, relative_change(expected_cost, paid))
    return found


def _arrival(
    came: Iterable[tuple[date, int]], quantity: int, end: date, expected: date
) -> tuple[int, int | None]:
    """Units by the cut-off, and days past the expected day when the line was complete by then."""
    units = 0
    for day, accepted in came:
        if day > end:
            break
        units += accepted
        if units >= quantity:
            return units, max((day - expected).days, 0)
    return units, None
