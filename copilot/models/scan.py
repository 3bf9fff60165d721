"""The scan: detect, price, rank, and record what differs. It never decides anything and writes one command."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from uuid import UUID

import numpy as np
from sqlalchemy import Engine

from copilot.models import anomaly, drafts, order_drafts, pricing, registry
from copilot.models.anomaly_drafts import anomaly_drafts
from copilot.models.arrays import from_first_sale
from copilot.models.delay import DelayModel
from copilot.models.demand import DemandModel, demand_classes
from copilot.models.evidence import Directory, Sources
from copilot.models.lead_times import measure_lead_times
from copilot.models.pricing import Terms
from copilot.models.situation import Company, DemandAhead, Pair, open_inbound, survey
from copilot.models.smoothing import smooth
from erp_core.analytics.panels import (
    DemandPanel,
    PurchaseLines,
    StockPanel,
    demand_panel,
    purchase_lines,
    stock_panel,
)
from erp_core.clock import Clock
from erp_core.exceptions.commands import RecordScan, Withheld
from erp_core.exceptions.draft import SCANNED, CaseDraft
from erp_core.finance.reconciliation import reconciliation_drafts
from erp_core.gate.principals import Principal
from erp_core.gate.submission import Gate
from erp_core.master import queries as master
from erp_core.orders.expiring import expiring_drafts
from erp_core.orders.oversold import oversold_drafts
from erp_core.planning import queries as planning
from erp_core.procurement.rules import ReorderTarget
from erp_core.returns.detecting import return_drafts
from erp_core.storage.engine import reading
from erp_core.storage.ids import IdSource, new_id

STOCK_KINDS = ("stockout_risk", "overstock")
ORDER_KINDS = ("supplier_delay_risk", "po_overdue")
STALE_AFTER_DAYS = 14


@dataclass(frozen=True, slots=True)
class ScanInputs:
    """What one scan reads, all from one snapshot. None where the company has no such feed or model."""

    as_of: date
    demand: DemandPanel
    stock: StockPanel | None
    lines: PurchaseLines
    feeds: frozenset[str]
    forecast: planning.Forecast | None
    targets: Mapping[Pair, ReorderTarget]
    sources: list[master.SupplierItem]
    directory: Directory
    forecast_label: str = ""
    differences: tuple[CaseDraft, ...] = ()
    lots_withheld: Withheld | None = None
    returned: tuple[CaseDraft, ...] = ()
    unjudged: tuple[Withheld, ...] = ()


@dataclass(frozen=True, slots=True)
class ScanReport:
    """What a scan found: cases by kind, what it withheld and why, total net benefit (ten-thousandths)."""

    as_of: date
    scan_id: UUID
    cases: dict[str, int]
    withheld: tuple[Withheld, ...]
    expected_loss: int
    net_benefit: int
    written: Mapping[str, int]


def _silent(_: str) -> None:
    return None


def scan(
    gate: Gate,
    engine: Engine,
    principal: Principal,
    clock: Clock,
    home: Path,
    *,
    terms: Terms | None = None,
    ids: IdSource = new_id,
    progress: Callable[[str], None] = _silent,
) -> ScanReport:
    """Scan the company as of today and record the findings with one `RecordScan`.

    Without trained models, stock, cost or a fresh forecast the kinds that need them are withheld with
    the reason: nothing is guessed. Only differences to the inbox are written.
    """
    today = clock.today()
    progress("reading stock, demand and open orders")
    inputs = read_inputs(engine, today)
    demand = registry.load_active(engine, home, registry.DEMAND)
    delay = registry.load_active(engine, home, registry.DELAY)
    progress(f"judging {len(inputs.demand.item_ids):,} item-locations")
    found, withheld = find(
        inputs,
        demand.model if demand else None,
        delay.model if delay else None,
        terms or Terms(),
        labels=(
            f"supplier_delay version {delay.version}, {delay.as_of}" if delay else "none",
            f"demand version {demand.version}, {demand.as_of}" if demand else "none",
        ),
    )
    progress(f"recording {len(found):,} cases")
    scan_id = ids()
    command = RecordScan(
        scan_id=scan_id, as_of=today, kinds=SCANNED, drafts=tuple(found), withheld=tuple(withheld)
    )
    outcome = registry.require(gate, command, principal, f"scan:{scan_id}")
    written = {name: value for name, value in outcome.result.items() if isinstance(value, int)}
    return ScanReport(
        as_of=today,
        scan_id=scan_id,
        cases=dict(Counter(draft.kind for draft in found)),
        withheld=tuple(withheld),
        expected_loss=sum(draft.expected_loss for draft in found),
        net_benefit=sum(draft.net_benefit for draft in found),
        written=written,
    )


def read_inputs(engine: Engine, today: date) -> ScanInputs:
    """Read everything a scan needs in one read transaction."""
    with reading(engine) as connection:
        feeds = frozenset(master.feeds(connection))
        demand = from_first_sale(demand_panel(connection, as_of=today))
        stock = stock_panel(connection, as_of=today) if "stock" in feeds else None
        lines = purchase_lines(connection, as_of=today)
        made = planning.latest_forecast(connection, as_of=today)
        points = planning.list_reorder_points(connection)
        sources = master.list_supplier_items(connection, on=today)
        differences = (*reconciliation_drafts(connection, today), *oversold_drafts(connection, today))
        perishing, unsold_why, unjudged_lots = expiring_drafts(connection, today)
        returned, unjudged = return_drafts(connection, today)
        directory = Directory(
            {item.id: item for item in master.list_items(connection)},
            {place.id: place for place in master.list_locations(connection)},
            {supplier.id: supplier for supplier in master.list_suppliers(connection)},
        )
    return ScanInputs(
        as_of=today,
        demand=demand,
        stock=stock,
        lines=lines,
        feeds=feeds,
        forecast=made,
        targets={
            (point.item_id, point.location_id): ReorderTarget(point.reorder_point, point.order_up_to)
            for point in points
        },
        sources=sources,
        directory=directory,
        differences=(*differences, *perishing),
        lots_withheld=None if unsold_why is None else Withheld("expiring_lot", unsold_why, unjudged_lots),
        returned=tuple(returned),
        unjudged=tuple(unjudged),
        forecast_label=f"made on {made.version.as_of}, version {made.version.id}" if made else "",
    )


def find(
    inputs: ScanInputs,
    demand: DemandModel | None,
    delay: DelayModel | None,
    terms: Terms,
    labels: tuple[str, str] = ("", ""),
) -> tuple[list[CaseDraft], list[Withheld]]:
    """Cases, greatest net benefit first, and what could not be judged. Same inputs, same result."""
    sources = Sources(inputs.directory, inputs.forecast_label, *labels)
    withheld = [*_reasons(inputs, demand, delay), *inputs.unjudged]
    withheld += [inputs.lots_withheld] if inputs.lots_withheld else []
    blocked = {reason.kind for reason in withheld}
    found: list[CaseDraft] = [*inputs.differences, *inputs.returned]
    company = None
    if inputs.stock is not None and demand and delay and not blocked & {"stockout_risk", "overstock"}:
        ahead = _demand_ahead(inputs, demand)
        company = survey(
            inputs.stock,
            ahead,
            inputs.lines,
            delay,
            measure_lead_times(inputs.lines),
            inputs.sources,
            inputs.targets,
            terms,
        )
        shortage = pricing.price_shortage(company.outlook, company.situation, terms)
        claims = order_drafts.claim(company, shortage, terms)
        found += order_drafts.order_drafts(company, shortage, claims, terms, sources)
        found += drafts.stockout_drafts(company, shortage, claims, terms, sources)
        excess = pricing.excess_units(company.outlook, terms.excess_days)
        priced = pricing.price_excess(company.outlook, company.situation, company.price, excess, terms)
        found += drafts.excess_drafts(company, priced, excess, terms, sources)
        withheld += _unpriced(company)
    elif delay and not blocked & set(ORDER_KINDS):
        inbound = open_inbound(inputs.lines, delay, measure_lead_times(inputs.lines), {})
        found += order_drafts.unpriced_order_drafts(inbound, inputs.lines, terms, sources)
    if demand and "demand_spike" not in blocked:
        pairs = list(zip(inputs.demand.item_ids, inputs.demand.location_ids, strict=True))
        detected = anomaly.detect(inputs.demand, demand)
        found += anomaly_drafts(detected, pairs, company, terms, sources, inputs.demand.as_of)
    found.sort(key=lambda draft: (-draft.net_benefit, -draft.expected_loss, draft.kind, draft.subject_key))
    return found, withheld


def _reasons(inputs: ScanInputs, demand: DemandModel | None, delay: DelayModel | None) -> list[Withheld]:
    """Why kinds cannot be judged at all. Subjects are the item-locations or open lines concerned."""
    reasons: list[Withheld] = []
    series = len(inputs.demand.item_ids)
    open_lines = int((inputs.lines.open_units > 0).sum())

    def withhold(kinds: tuple[str, ...], reason: str) -> None:
        for kind in kinds:
            if kind not in {one.kind for one in reasons}:
                by_order = kind in ORDER_KINDS
                reasons.append(Withheld(kind, reason, open_lines if by_order else series))

    if inputs.stock is None:
        withhold(STOCK_KINDS, "no stock feed: load opening stock")
    elif "cost" not in inputs.feeds:
        withhold(STOCK_KINDS, "no cost feed: load unit costs")
    if demand is None:
        withhold(("demand_spike", "demand_drop"), "no demand model: run train")
    elif inputs.demand.units.shape[1] < anomaly.WINDOW + anomaly.LEAST_HISTORY:
        withhold(("demand_spike", "demand_drop"), "under 98 days of demand history")
    if inputs.forecast is None or demand is None:
        withhold(STOCK_KINDS, "no forecast: run train and forecast")
    elif (inputs.as_of - inputs.forecast.version.as_of).days > STALE_AFTER_DAYS:
        withhold(STOCK_KINDS, "the forecast is more than 14 days old: run forecast")
    if "purchasing" not in inputs.feeds:
        withhold(ORDER_KINDS, "no purchasing feed: import purchase orders")
    if delay is None:
        withhold((*STOCK_KINDS, *ORDER_KINDS), "no supplier delay model: run train")
    return reasons


def _unpriced(company: Company) -> list[Withheld]:
    missing = int((~company.priced).sum())
    blind = int((~company.forecasted & (company.outlook.stock > 0)).sum())
    reasons = []
    if missing:
        reasons += [
            Withheld(kind, "no unit cost or price", missing) for kind in ("stockout_risk", "overstock")
        ]
    if blind:
        reasons.append(Withheld("overstock", "in stock, but never sold there: no forecast", blind))
    return reasons


def _demand_ahead(inputs: ScanInputs, model: DemandModel) -> DemandAhead:
    """The published forecast from the day after today on, with each series' own noise."""
    made = inputs.forecast
    assert made is not None
    state = smooth(inputs.demand)
    excess = np.asarray(model.spread)[demand_classes(inputs.demand, state)]
    place = {
        pair: row
        for row, pair in enumerate(zip(inputs.demand.item_ids, inputs.demand.location_ids, strict=True))
    }
    pairs = tuple(zip(made.item_ids, made.location_ids, strict=True))
    found = np.array([place.get(pair, -1) for pair in pairs], dtype=np.int64)
    skipped = max(0, (inputs.as_of - made.version.start_on).days + 1)
    return DemandAhead(
        pairs=pairs,
        mean=made.mean[:, skipped:],
        day_ratio=np.where(found >= 0, (1 + (state.ratio - 1) * excess)[found], 1.5),
        level_cv=np.where(found >= 0, (state.level_cv * np.sqrt(excess))[found], 0.3),
    )
