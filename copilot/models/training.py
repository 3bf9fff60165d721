"""Train and forecast: read panels in one read transaction, compute outside any, publish through the gate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

import numpy as np
from sqlalchemy import Engine

from copilot.models import anomaly, cards, registry
from copilot.models.arrays import from_first_sale
from copilot.models.backtest import Backtest, train_demand
from copilot.models.delay import train_delay
from copilot.models.demand import HORIZON, Forecast
from copilot.models.demand import forecast as forecast_demand
from copilot.models.lead_times import measure_lead_times
from copilot.models.reorder import reorder_points
from erp_core.analytics.panels import demand_panel, purchase_lines
from erp_core.clock import Clock
from erp_core.gate.contract import DomainError
from erp_core.gate.principals import Principal
from erp_core.gate.submission import Gate
from erp_core.master import queries as master
from erp_core.master.queries.classes import selected_policies
from erp_core.master.queries.planning_policies import planning_policies_in_force
from erp_core.planning.commands import CompleteForecast, PublishForecast, PublishReorderPoints
from erp_core.procurement.rules import ON_TIME_GRACE_DAYS
from erp_core.returns.figures import yields
from erp_core.storage.engine import reading
from erp_core.storage.ids import IdSource, new_id

Progress = Callable[[str], None]
CHUNK = 2_000
_POINTS = 5_000
LEAST_DAYS = 14


class NothingToLearn(DomainError):
    """The company has no history to train on, or no model to forecast with."""

    code = "nothing_to_learn"


@dataclass(frozen=True, slots=True)
class TrainingReport:
    """What was trained: version ids by model, their cards, and the backtest forecasts that were stored."""

    as_of: date
    versions: dict[str, UUID]
    cards: dict[str, dict[str, Any]]
    backtests: tuple[UUID, ...]
    series: int
    purchase_lines: int


@dataclass(frozen=True, slots=True)
class ForecastReport:
    """A published live forecast and how many reorder points follow from it (0 without a purchasing feed)."""

    as_of: date
    version_id: UUID
    series: int
    horizon_days: int
    reorder_points: int
    units: float


def _silent(_: str) -> None:
    return None


def train(
    gate: Gate,
    engine: Engine,
    principal: Principal,
    clock: Clock,
    home: Path,
    *,
    seed: int = 0,
    ids: IdSource = new_id,
    progress: Progress = _silent,
) -> TrainingReport:
    """Train demand, anomaly and delay models as of today, publish them with their cards and backtests.

    Changes nothing but the registry, stored backtests and files under ``home/models``. Same data and
    seed give the same models. Without a demand or a purchase history only the other
    models are trained; raises `NothingToLearn` without either.
    """
    today = clock.today()
    progress("reading demand and purchase lines")
    with reading(engine) as connection:
        panel = demand_panel(connection, as_of=today, horizon=HORIZON)
        lines = purchase_lines(connection, as_of=today)
    panel = from_first_sale(panel)
    learns_demand = bool(len(panel.item_ids)) and panel.units.shape[1] >= LEAST_DAYS
    if not learns_demand and not lines.line_ids:
        raise NothingToLearn(
            f"there are fewer than {LEAST_DAYS} days of demand and no purchase orders",
            remedy="import a sales or purchase history first",
        )
    made: dict[str, tuple[Any, dict[str, Any]]] = {}
    backtests: list[Backtest] = []
    if learns_demand:
        progress(f"training demand on {panel.units.shape[0]:,} series of {panel.units.shape[1]} days")
        model, backtests = train_demand(panel, seed=seed)
        found = anomaly.detect(panel, model, seed=seed)
        made[registry.DEMAND] = (model, cards.demand_card(model, panel))
        made[registry.ANOMALY] = (found.calibration, cards.anomaly_card(panel, found))
    progress(f"training supplier delay on {len(lines.line_ids):,} lines")
    delay = train_delay(lines, grace_days=ON_TIME_GRACE_DAYS, seed=seed)
    made[registry.DELAY] = (delay, cards.delay_card(delay, lines))
    versions = {}
    progress("publishing models and backtests")
    for name, (trained, card) in made.items():
        versions[name] = ids()
        registry.publish(
            gate, principal, home, version_id=versions[name], name=name, as_of=today, model=trained, card=card
        )
    stored = tuple(
        _publish_backtest(gate, principal, test, versions[registry.DEMAND], ids()) for test in backtests
    )
    return TrainingReport(
        as_of=today,
        versions=versions,
        cards={name: card for name, (_, card) in made.items()},
        backtests=stored,
        series=panel.units.shape[0],
        purchase_lines=len(lines.line_ids),
    )


def forecast(
    gate: Gate,
    engine: Engine,
    principal: Principal,
    clock: Clock,
    home: Path,
    *,
    horizon: int = HORIZON,
    ids: IdSource = new_id,
    progress: Progress = _silent,
) -> ForecastReport:
    """Forecast every item-location as of today with the active demand model and publish it, reorder points too.

    Raises `NothingToLearn` where no demand model was trained yet.
    """
    today = clock.today()
    active = registry.load_active(engine, home, registry.DEMAND)
    if active is None:
        raise NothingToLearn(
            "no demand model is published", remedy="run `quartermaster train` on a sales history"
        )
    progress("reading demand")
    with reading(engine) as connection:
        panel = demand_panel(connection, as_of=today, horizon=horizon)
        lines = purchase_lines(connection, as_of=today)
        policies = planning_policies_in_force(connection, today)
        sources = master.list_supplier_items(connection, on=today, item_ids=set(panel.item_ids))
        suppliers = master.list_suppliers(connection, ids={source.supplier_id for source in sources})
        selected = selected_policies(connection, set(panel.item_ids))
        came_back = yields(connection, today)
    panel = from_first_sale(panel)
    progress(f"forecasting {len(panel.item_ids):,} series")
    made = forecast_demand(active.model, panel, horizon)
    version_id = ids()
    progress("publishing the forecast")
    publish_forecast(gate, principal, made, version_id, active.id, "live")
    sold_again = {item: one.of_shipped for item, one in came_back.items() if one.of_shipped is not None}
    points = reorder_points(
        made, measure_lead_times(lines), policies, sources, suppliers, selected, sold_again
    )
    for start in range(0, len(points), _POINTS):
        batch = PublishReorderPoints(
            batch_id=ids(), as_of=today, points=tuple(points[start : start + _POINTS])
        )
        registry.require(gate, batch, principal, f"reorder:{version_id}:{start}")
    return ForecastReport(
        as_of=today,
        version_id=version_id,
        series=len(panel.item_ids),
        horizon_days=horizon,
        reorder_points=len(points),
        units=float(made.mean.sum(dtype=np.float64)),
    )


def publish_forecast(
    gate: Gate,
    principal: Principal,
    made: Forecast,
    version_id: UUID,
    model_version_id: UUID | None,
    purpose: Literal["live", "backtest"],
    actual: np.ndarray | None = None,
) -> None:
    """Publish a forecast in chunks and complete it; readers see it only then."""
    n = len(made.item_ids)
    series = list(zip(made.item_ids, made.location_ids, strict=True))
    for start in range(0, n, CHUNK):
        part = slice(start, start + CHUNK)
        command = PublishForecast.packed(
            version_id=version_id,
            as_of=made.as_of,
            start_on=made.days[0].astype(object),
            levels=[f"{level:g}" for level in made.levels],
            series=series[part],
            mean=made.mean[part],
            quantiles=made.quantiles[:, part].transpose(1, 0, 2),
            baseline=made.baseline[part],
            actual=None if actual is None else actual[part],
            purpose=purpose,
            model_version_id=model_version_id,
        )
        registry.require(gate, command, principal, f"forecast:{version_id}:{start}")
    complete = CompleteForecast(version_id=version_id, series=n)
    registry.require(gate, complete, principal, f"forecast:{version_id}:complete")


def _publish_backtest(
    gate: Gate, principal: Principal, test: Backtest, model_version_id: UUID, version_id: UUID
) -> UUID:
    publish_forecast(gate, principal, test.forecast, version_id, model_version_id, "backtest", test.actual)
    return version_id
