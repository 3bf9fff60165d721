"""The company as a scan sees it: stock, demand ahead, inbound with its delays, and money, row by row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import numpy as np

from copilot.models.arrays import Bools, Floats, Ints
from copilot.models.delay import DelayModel, predict_delay
from copilot.models.demand import Forecast
from copilot.models.lead_times import LeadTimes
from copilot.models.pricing import Situation, Terms, uncovered_days
from copilot.models.projection import Outlook, arrivals
from copilot.models.reorder import preferred_sources, ranked_sources
from erp_core.analytics.panels import PurchaseLines, StockPanel
from erp_core.master.queries import SupplierItem
from erp_core.procurement.rules import Position, ReorderTarget, recommend_quantity
from erp_core.procurement.rules import Terms as SupplierTerms

Pair = tuple[UUID, UUID]


@dataclass(frozen=True, slots=True)
class DemandAhead:
    """Demand forecast of n series from the day after `as_of`: `mean` (n, h), `day_ratio` and `level_cv` (n,)."""

    pairs: tuple[Pair, ...]
    mean: Floats
    day_ratio: Floats
    level_cv: Floats

    @classmethod
    def of(cls, made: Forecast) -> DemandAhead:
        """From a forecast just made."""
        pairs = tuple(zip(made.item_ids, made.location_ids, strict=True))
        return cls(pairs, made.mean, made.day_ratio, made.level_cv)


@dataclass(frozen=True, slots=True)
class Inbound:
    """Open purchase order lines; arrays (k,). `line` indexes the purchase lines, `row` the item-locations
    (-1 where stock is not known). `due`, `late_due` in days after `as_of`; `overdue` in days."""

    line: Ints
    row: Ints
    units: Floats
    probability: Floats
    due: Ints
    late_due: Ints
    overdue: Floats
    late_days: Floats
    supplier_rate: Floats


@dataclass(frozen=True, slots=True)
class Company:
    """Everything a scan prices, aligned over n item-locations (`pairs`)."""

    as_of: date
    pairs: tuple[Pair, ...]
    index: Mapping[Pair, int]
    outlook: Outlook
    situation: Situation
    price: Floats
    priced: Bools
    forecasted: Bools
    inbound: Inbound
    lines: PurchaseLines
    spare_at: Ints
    recommendation: Mapping[int, str]
    sources: Mapping[UUID, tuple[SupplierItem, ...]]
    lead: Floats
    terms: Terms
    returning: Floats
    in_transit: Floats


def survey(
    stock: StockPanel,
    ahead: DemandAhead,
    lines: PurchaseLines,
    delay: DelayModel,
    lead_times: LeadTimes,
    sources: list[SupplierItem],
    targets: Mapping[Pair, ReorderTarget],
    terms: Terms,
) -> Company:
    """Put the company together. An item-location without a forecast has no expected demand (`forecasted` says so).

    What came back and will be restocked counts as sellable after one review period, and what another place sent after
    the days that a transfer takes.
    """
    pairs = tuple(zip(stock.item_ids, stock.location_ids, strict=True))
    index = {pair: row for row, pair in enumerate(pairs)}
    n, horizon = len(pairs), ahead.mean.shape[1]
    place = {pair: row for row, pair in enumerate(ahead.pairs)}
    found = np.array([place.get(pair, -1) for pair in pairs], dtype=np.int64)
    known = found >= 0
    mean = np.where(known[:, None], ahead.mean[found] if len(place) else 0.0, 0.0)
    day_ratio = np.where(known, ahead.day_ratio[found] if len(place) else 1.5, 1.5)
    level_cv = np.where(known, ahead.level_cv[found] if len(place) else 0.3, 0.3)
    preferred = preferred_sources(sources)
    lead = np.array(
        [_lead(lead_times, preferred.get(item), item) for item, _ in pairs], dtype=np.float64
    ).reshape(n, 2)
    inbound = open_inbound(lines, delay, lead_times, index)
    shape = (n, horizon)
    due, late_due = inbound.due, inbound.late_due
    likely = np.where(inbound.probability > 0.5, late_due, due)
    hurried = np.maximum(np.ceil(likely * terms.expedite_time), 2).astype(np.int64)
    cost, price = stock.cost, stock.price
    priced = np.isfinite(cost) & np.isfinite(price)
    worth = np.where(np.isfinite(cost), cost, 0.0)
    lead_days = np.ceil(lead[:, 0]).astype(np.int64)
    returning = np.zeros(n) if stock.returning is None else stock.returning
    in_transit = np.zeros(n) if stock.in_transit is None else stock.in_transit
    rows = np.arange(n)
    beside = arrivals(rows, np.full(n, terms.review_days), returning, shape) + arrivals(
        rows, np.full(n, terms.transfer_days), in_transit, shape
    )
    promised = arrivals(inbound.row, due, inbound.units, shape) + beside
    open_units = _sum_rows(inbound.row, inbound.units, n)
    owed = np.nan_to_num(stock.backordered)
    position = stock.available - owed
    order, why = _recommended(pairs, stock.available, owed, open_units, in_transit, targets, preferred)
    spare, spare_at = _spare(pairs, position, promised, mean, lead_days, terms)
    situation = Situation(
        margin=np.where(priced, price - cost, 0.0),
        cost=worth,
        lead_days=lead_days,
        order_units=order,
        spare_units=spare,
        inbound_units=open_units,
        orderable=np.array([item in preferred for item, _ in pairs], dtype=np.bool_),
    )
    soon = inbound.due < uncovered_days(situation, terms, horizon)[np.maximum(inbound.row, 0)]
    weight = np.where(soon, inbound.units, 0.0)
    chance = _sum_rows(inbound.row, weight * inbound.probability, n) / np.maximum(
        _sum_rows(inbound.row, weight, n), 1e-9
    )
    outlook = Outlook(
        stock=position,
        mean=mean,
        day_ratio=day_ratio,
        level_cv=level_cv,
        promised=promised,
        delayed=arrivals(inbound.row, late_due, inbound.units, shape) + beside,
        hastened=arrivals(inbound.row, hurried, inbound.units, shape) + beside,
        late_chance=chance,
    )
    return Company(
        stock.as_of,
        pairs,
        index,
        outlook,
        situation,
        np.where(np.isfinite(price), price, 0.0),
        priced,
        known,
        inbound,
        lines,
        spare_at,
        why,
        ranked_sources(sources),
        lead,
        terms,
        returning,
        in_transit,
    )


def _lead(lead_times: LeadTimes, source: SupplierItem | None, item: UUID) -> tuple[float, float]:
    if source is None:
        return lead_times.company
    return lead_times.of(source.supplier_id, item, source.lead_time_days)


def open_inbound(
    lines: PurchaseLines, model: DelayModel, lead_times: LeadTimes, index: Mapping[Pair, int]
) -> Inbound:
    """Open lines with their dates; a line without a promise is expected a lead time after it was sent."""
    delays = predict_delay(model, lines)
    today = np.datetime64(lines.as_of, "D")
    promised = np.where(np.isnat(lines.promised_on), lines.first_promised_on, lines.promised_on)
    judged = delays.line
    bare = np.flatnonzero((lines.open_units > 0) & np.isnat(lines.first_promised_on))
    due = (promised[judged] - today).astype("timedelta64[D]").astype(np.int64) - 1
    first = (lines.first_promised_on[judged] - today).astype("timedelta64[D]").astype(np.int64) - 1
    late_due = np.maximum(first + np.ceil(delays.late_days).astype(np.int64), due)
    sent = np.where(np.isnat(lines.sent_on[bare]), today, lines.sent_on[bare])
    usual = np.array(
        [lead_times.of(lines.supplier_ids[row], lines.item_ids[row])[0] for row in bare], dtype=np.float64
    )
    expected = (sent - today).astype("timedelta64[D]").astype(np.int64) + np.ceil(usual).astype(np.int64) - 1
    line = np.concatenate([judged, bare])
    overdue = np.concatenate([delays.overdue_days, np.zeros(len(bare))])
    late_days = np.concatenate([delays.late_days, np.full(len(bare), model.usual_late_days)])
    return Inbound(
        line=line,
        row=np.array(
            [index.get((lines.item_ids[k], lines.location_ids[k]), -1) for k in line], dtype=np.int64
        ),
        units=lines.open_units[line].astype(np.float64),
        probability=np.concatenate([delays.probability, np.full(len(bare), model.base_rate)]),
        due=np.maximum(np.concatenate([due, expected]), 0),
        late_due=np.maximum(
            np.concatenate([late_due, expected + np.ceil(model.usual_late_days).astype(int)]), 1
        ),
        overdue=overdue,
        late_days=late_days,
        supplier_rate=np.concatenate([delays.supplier_rate, np.full(len(bare), model.base_rate)]),
    )


def _sum_rows(row: Ints, values: Floats, n: int) -> Floats:
    inside = row >= 0
    return np.bincount(row[inside], weights=values[inside], minlength=n).astype(np.float64)


def _recommended(
    pairs: tuple[Pair, ...],
    available: Floats,
    owed: Floats,
    open_units: Floats,
    in_transit: Floats,
    targets: Mapping[Pair, ReorderTarget],
    preferred: Mapping[UUID, SupplierItem],
) -> tuple[Floats, dict[int, str]]:
    """Units to order now by the stored reorder points, within the supplier's terms, and the reasoning."""
    units, why = np.zeros(len(pairs)), {}
    for row, (item, place) in enumerate(pairs):
        target, source = targets.get((item, place)), preferred.get(item)
        if target is None or source is None:
            continue
        position = Position(int(available[row]), int(open_units[row]), int(owed[row]), int(in_transit[row]))
        if position.units > target.reorder_point:
            continue
        terms = SupplierTerms(source.minimum_quantity, source.order_multiple)
        recommended = recommend_quantity(target, position, terms)
        units[row], why[row] = recommended.quantity, recommended.explanation
    return units, why


def _spare(
    pairs: tuple[Pair, ...], position: Floats, promised: Floats, mean: Floats, lead: Ints, terms: Terms
) -> tuple[Floats, Ints]:
    """Units the best other location of the same item can give away, and that location's row (-1: none).

    It keeps one and a half times its mean demand over lead time and review period, and what it can spare
    is shared evenly by the places that have less than one time that.
    """
    cover = np.minimum(lead + terms.review_days, mean.shape[1])
    running = np.pad(np.cumsum(mean, axis=1, dtype=np.float64), ((0, 0), (1, 0)))
    own = np.floor(np.maximum(position - 1.5 * running[np.arange(len(position)), cover], 0))
    items = np.unique(np.asarray([item.int for item, _ in pairs], dtype=object), return_inverse=True)[1]
    order = np.lexsort((-own, items))
    start = np.flatnonzero(np.r_[True, items[order][1:] != items[order][:-1]])
    size = np.diff(np.r_[start, len(order)])
    best = order[np.repeat(start, size)]
    runner = order[np.repeat(np.where(size > 1, start + 1, start), size)]
    giver = np.empty(len(pairs), dtype=np.int64)
    giver[order] = np.where(best == order, runner, best)
    giver = np.where(giver == np.arange(len(pairs)), -1, giver)
    short = (giver >= 0) & (position < running[np.arange(len(position)), cover])
    takers = np.bincount(giver[short], minlength=len(pairs))
    share = np.floor(own[giver] / np.maximum(takers[giver], 1))
    return np.where(short, share, 0.0), np.where(giver >= 0, giver, -1)
