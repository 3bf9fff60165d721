"""How good and how fast the models are: 10,000 x 730 at full size, and the public data sets where at hand.

Run ``python -m benchmarks.models [size|m5|pasta|scms|detectors]``; without a name everything is run. M5
(Makridakis, Spiliotis, Assimakopoulos 2022), pasta (Mancuso, Piccialli, Sudoso 2021) and SCMS (USAID
2016) are measured only: no figure of theirs sets anything in the models.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID, uuid4

import numpy as np

from benchmarks import models_data as data
from copilot.models import anomaly, measures, pricing
from copilot.models.arrays import until
from copilot.models.backtest import train_demand
from copilot.models.delay import _fitted, train_delay
from copilot.models.delay_features import SUPPLIER_RATE, design_of, outcomes_of
from copilot.models.demand import CLASSES, DemandModel, forecast
from copilot.models.projection import Outlook
from erp_core.analytics.panels import DemandPanel

WINDOW = 28


def full_size(series: int = 10_000, days: int = 730) -> dict[str, Any]:
    """Seconds of each step on a simulated company, database left out; processor seconds; peak memory in GB."""
    panel = data.simulated(series, days)
    seconds: dict[str, Any] = {"series": series, "days": days}

    def timed(name: str, step: Callable[[], Any]) -> Any:
        start, worked = time.perf_counter(), time.process_time()
        result = step()
        seconds[name] = round(time.perf_counter() - start, 1)
        seconds["processor"] = round(seconds.get("processor", 0.0) + time.process_time() - worked, 1)
        return result

    model, _ = timed("train", lambda: train_demand(panel))
    made = timed("forecast", lambda: forecast(model, panel))
    timed("detect", lambda: anomaly.detect(panel, model))
    timed("price", lambda: _priced(made))
    seconds["total"] = round(sum(seconds[name] for name in ("train", "forecast", "detect", "price")), 1)
    seconds["peak_gb"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2, 2)
    return seconds


def _priced(made: Any) -> pricing.Shortage:
    rng = np.random.default_rng(0)
    n, horizon = made.mean.shape
    inbound = np.zeros((n, horizon))
    inbound[np.arange(n), rng.integers(0, 40, n)] = np.where(
        rng.random(n) < 0.3, made.mean.mean(axis=1) * 30, 0
    )
    cover = made.mean.mean(axis=1) * rng.uniform(0, 120, n)
    outlook = Outlook(
        np.floor(cover),
        made.mean,
        made.day_ratio,
        made.level_cv,
        inbound,
        np.roll(inbound, 9, axis=1),
        inbound,
        rng.random(n),
    )
    situation = pricing.Situation(
        margin=rng.uniform(2, 20, n),
        cost=rng.uniform(2, 30, n),
        lead_days=rng.integers(5, 40, n),
        order_units=np.ceil(made.mean.sum(axis=1)),
        spare_units=np.zeros(n),
        inbound_units=inbound.sum(axis=1),
        orderable=np.ones(n, dtype=bool),
    )
    return pricing.price_shortage(outlook, situation, pricing.Terms())


def accuracy(panel: DemandPanel, horizon: int = WINDOW) -> dict[str, Any]:
    """Means over the last three cutoffs, 28 days ahead: weighted RMSSE and pinball (units of the last four
    weeks as weights), coverage, WAPE, for the trained model and for the seasonal naive forecast."""
    length = panel.units.shape[1]
    rows = []
    for back in (3, 2, 1):
        cutoff = length - WINDOW * back
        past = until(panel, cutoff, WINDOW)
        start = time.perf_counter()
        model, _ = train_demand(past, horizon=horizon)
        made = forecast(model, past, WINDOW)
        spent = time.perf_counter() - start
        actual = panel.units[:, cutoff : cutoff + WINDOW]
        scale, absolute = _naive_errors(past)
        weight = past.units[:, -WINDOW:].sum(axis=1) * (scale > 0)
        weight = weight / weight.sum()

        def rmsse(
            mean: np.ndarray, actual: np.ndarray = actual, w: np.ndarray = weight, s: np.ndarray = scale
        ) -> float:
            return float((w * np.sqrt(((actual - mean) ** 2).mean(axis=1) / np.maximum(s, 1e-9))).sum())

        counted = np.ones(actual.shape, dtype=bool)
        loss = 2 * measures.pinball(made.quantiles, actual, counted) / np.maximum(absolute, 1e-9)
        rows.append(
            {
                "wrmsse": rmsse(made.mean),
                "naive_wrmsse": rmsse(made.baseline),
                "last_week_wrmsse": rmsse(past.units[:, -7:][:, np.arange(WINDOW) % 7]),
                "pinball_x2": float((weight * loss).sum()),
                "coverage_80": measures.coverage(actual, made.mean, made.ratio, counted, 0.8),
                "coverage_95": measures.coverage(actual, made.mean, made.ratio, counted, 0.95),
                "wape_28_days": measures.wape(made.mean.sum(axis=1), actual.sum(axis=1)),
                "naive_wape_28_days": measures.wape(made.baseline.sum(axis=1), actual.sum(axis=1)),
                "seconds": spent,
            }
        )
    return {name: round(float(np.mean([row[name] for row in rows])), 4) for name in rows[0]}


def _naive_errors(past: DemandPanel) -> tuple[np.ndarray, np.ndarray]:
    alive = np.arange(past.units.shape[1])[None, 1:] > past.started[:, None]
    change = np.where(alive, np.diff(past.units, axis=1), 0)
    days = np.maximum(alive.sum(axis=1), 1)
    return (change**2).sum(axis=1) / days, np.abs(change).sum(axis=1) / days


def detectors(panel: DemandPanel, seed: int = 1) -> dict[str, Any]:
    """Alarm-days per 100 series-days, on promotion days and others; recall of injected week-long changes that
    are found only because they were injected (demand times three, or none)."""
    length = panel.units.shape[1]
    plain = tuple("smoothing" for _ in CLASSES)
    model = DemandModel(panel.as_of, WINDOW, 0, None, plain, tuple(1.0 for _ in CLASSES), {})
    before = anomaly.detect(panel, model)
    alarms = anomaly.alarm_days(panel, model, before.calibration)
    promoted = _promoted_items(panel)
    rng = np.random.default_rng(seed)
    chosen = rng.choice(len(panel.units), min(400, len(panel.units) // 2), replace=False)
    upward = rng.random(len(chosen)) < 0.5
    units = panel.units.copy()
    for row, up, start in zip(chosen, upward, rng.integers(0, 21, len(chosen)), strict=True):
        week = slice(length - WINDOW + start, length - WINDOW + start + 7)
        units[row, week] = units[row, week] * 3 if up else 0
    after = anomaly.detect(data.panel_like(panel, units), model)

    def items(found: anomaly.Anomalies) -> set[tuple[UUID, bool]]:
        return {
            (panel.item_ids[row], up) for row, up in zip(found.series, found.upward.tolist(), strict=True)
        }

    found = items(after) - items(before)
    wanted = [(panel.item_ids[row], up) for row, up in zip(chosen, upward.tolist(), strict=True)]
    return {
        "alarm_days_per_100": round(100 * float(alarms.mean()), 3),
        "on_promotion_days": round(100 * float(alarms[promoted].mean()), 3) if promoted.any() else None,
        "on_other_days": round(100 * float(alarms[~promoted].mean()), 3),
        "recall_injected": round(float(np.mean([one in found for one in wanted])), 3),
    }


def _promoted_items(panel: DemandPanel) -> np.ndarray:
    """Item-days (items, window) under a promotion anywhere; items in order of their ids."""
    ids = np.asarray([item.int for item in panel.item_ids], dtype=object)
    members, codes = np.unique(ids, return_inverse=True)
    promoted = np.zeros((len(members), WINDOW), dtype=bool)
    np.logical_or.at(promoted, codes, panel.promoted[:, -WINDOW:])
    return promoted


def supplier_delay() -> dict[str, Any] | None:
    """SCMS, trained on what was known before each year and tested on lines due in it, order-time features only."""
    lines = data.scms()
    if lines is None:
        return None
    from sklearn.metrics import average_precision_score, roc_auc_score

    outcomes = outcomes_of(lines, 0)
    design, _ = design_of(lines, outcomes, None)
    result: dict[str, Any] = {}
    for year in (2011, 2012, 2013):
        begin, end = (int(np.datetime64(f"{one}-01-01", "D").astype(np.int64)) for one in (year, year + 1))
        past = outcomes.known & (outcomes.known_on < begin)
        ahead = outcomes.known & (outcomes.due >= begin) & (outcomes.due < end)
        late = outcomes.late[ahead]
        score = _fitted(design[past], outcomes.late[past], 0).log_odds(design[ahead])
        result[str(year)] = {
            "auc": round(float(roc_auc_score(late, score)), 3),
            "average_precision": round(float(average_precision_score(late, score)), 3),
            "supplier_rate_auc": round(float(roc_auc_score(late, design[ahead, SUPPLIER_RATE])), 3),
            "late_share": round(float(late.mean()), 3),
        }
    result["mean_auc"] = round(float(np.mean([result[str(year)]["auc"] for year in (2011, 2012, 2013)])), 3)
    card = train_delay(lines, grace_days=0).card
    result["product"] = {"method": card["method"], "brier": card.get("learned", {}).get("brier")}
    return result


def through_the_database(series: int = 10_000, days: int = 730) -> dict[str, Any]:
    """Seconds of train, forecast and scan as a user runs them, on SQLite, with reading and publishing."""
    from api.composition import make_gate
    from copilot.models.scan import scan
    from copilot.models.training import forecast as forecast_company
    from copilot.models.training import train
    from erp_core.clock import Clock
    from erp_core.gate.principals import Principal
    from erp_core.storage.engine import open_engine
    from erp_core.storage.schema import migrate

    panel = data.simulated(series, days)
    with TemporaryDirectory() as folder:
        home = Path(folder)
        engine = open_engine(f"sqlite:///{home / 'company.db'}")
        migrate(engine)
        data.load_company(engine, panel)
        clock = Clock(fixed_business_date=panel.as_of)
        gate = make_gate(engine, clock, home=home)
        jobs = Principal("service", uuid4(), "jobs", frozenset({"jobs"}))
        seconds: dict[str, Any] = {}
        for name, step in (("train", train), ("forecast", forecast_company), ("scan", scan)):
            start = time.perf_counter()
            report = step(gate, engine, jobs, clock, home)
            seconds[name] = round(time.perf_counter() - start, 1)
        seconds["cases"] = sum(report.cases.values())
        engine.dispose()
    seconds["total"] = round(seconds["train"] + seconds["forecast"] + seconds["scan"], 1)
    seconds["peak_gb"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2, 2)
    return seconds


def main(names: list[str]) -> None:
    """Print the figures of the named benchmarks, or of all."""
    everything: dict[str, Callable[[], Any]] = {
        "size": full_size,
        "database": through_the_database,
        "m5": lambda: _on(data.m5(), accuracy),
        "pasta": lambda: _on(data.pasta(), accuracy),
        "detectors": lambda: {"m5": _on(data.m5(), detectors), "pasta": _on(data.pasta(), detectors)},
        "scms": supplier_delay,
    }
    for name in names or list(everything):
        figures = everything[name]()
        print(name, figures if figures is not None else "skipped: the data set is not at hand", flush=True)


def _on(panel: DemandPanel | None, measure: Callable[[DemandPanel], Any]) -> Any:
    return None if panel is None else measure(panel)


if __name__ == "__main__":
    main(sys.argv[1:])
