"""Training of the demand model by time: fit early, choose on later cutoffs, report on the last ones."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from copilot.models import counts, measures
from copilot.models.arrays import Bools, Floats, Ints, take, until
from copilot.models.demand import (
    CANDIDATES,
    CLASSES,
    HORIZON,
    DemandModel,
    Forecast,
    candidate_means,
    demand_classes,
    forecast,
    simple_model,
    spread_ratio,
)
from copilot.models.refinement import Refinement, fit_refinement, mean_ahead
from copilot.models.smoothing import smooth
from erp_core.analytics.panels import DemandPanel

WINDOW = 28
REPORTED = 3
CHOSEN_ON = 2
_SPREADS = (0.5, 0.75, 1.0, 1.4, 2.0)
_CHOOSING_SERIES = 3_000
_LEAST_DAYS = 42


@dataclass(frozen=True, slots=True)
class Backtest:
    """A forecast made at an earlier day, and what then happened: `actual` and `counted` (n, 28)."""

    forecast: Forecast
    actual: Floats
    counted: Bools
    scale: Floats


def train_demand(
    panel: DemandPanel, *, horizon: int = HORIZON, seed: int = 0
) -> tuple[DemandModel, list[Backtest]]:
    """The model for a panel, and the backtests its card reports, oldest first.

    The reported cutoffs (the last three times 28 days) saw neither the fit nor the choice; only the
    final veto of the seasonal naive forecast, by class, rests on them. Same panel and seed, same model.
    """
    length = panel.units.shape[1]
    possible = max(0, (length - _LEAST_DAYS) // WINDOW)
    if not possible:
        card = {"reason": f"{length} days of history are too few to test a forecast: 70 are needed"}
        return simple_model(panel.as_of, horizon, seed, card), []
    reported = min(REPORTED, max(1, possible - 1))
    choosing = min(CHOSEN_ON, possible - reported)
    before = length - WINDOW * (reported + choosing)
    early = until(panel, before, horizon)
    refinement = fit_refinement(early, horizon, seed)
    draft = DemandModel(
        panel.as_of,
        horizon,
        seed,
        refinement,
        tuple("smoothing" for _ in CLASSES),
        tuple(1.0 for _ in CLASSES),
        {},
    )
    if choosing:
        cutoffs = [before + WINDOW * step for step in range(choosing)]
        draft = _chosen(draft, panel, cutoffs, seed)
    backtests = [_tested(draft, panel, length - WINDOW * back) for back in range(reported, 0, -1)]
    figures = report(backtests, panel)
    candidate = tuple(
        "seasonal_naive" if _beaten(figures["by_class"].get(name)) else name_of
        for name, name_of in zip(CLASSES, draft.candidate, strict=True)
    )
    final = fit_refinement(panel, horizon, seed) if any("refined" in name for name in candidate) else None
    candidate = tuple(name if final or "refined" not in name else "smoothing" for name in candidate)
    card = figures | {
        "cutoffs": [str(test.forecast.as_of) for test in backtests],
        "window_days": WINDOW,
        "candidate": dict(zip(CLASSES, candidate, strict=True)),
        "spread": dict(zip(CLASSES, draft.spread, strict=True)),
        "refinement_rows": final.rows if final else 0,
    }
    return replace(draft, refinement=final, candidate=candidate, card=card), backtests


def report(backtests: list[Backtest], panel: DemandPanel) -> dict[str, Any]:
    """Figures over all backtests: overall, by class of demand and by category; out-of-stock days left out."""
    kind = backtests[-1].forecast.kind
    names = np.asarray(panel.attributes.get("category", np.full(len(kind), "all"))).astype(str)
    by_class = {
        name: _figures(backtests, kind == code) for code, name in enumerate(CLASSES) if (kind == code).any()
    }
    by_category = {str(name): _figures(backtests, names == name) for name in np.unique(names)}
    everything = np.ones(len(kind), dtype=np.bool_)
    return {"overall": _figures(backtests, everything), "by_class": by_class, "by_category": by_category}


def _figures(backtests: list[Backtest], rows: Bools) -> dict[str, Any]:
    def joined(values: list[Any]) -> Any:
        return np.concatenate([part[rows] for part in values])

    counted = joined([test.counted for test in backtests])
    actual = np.where(counted, joined([test.actual for test in backtests]), 0)
    mean = np.where(counted, joined([test.forecast.mean for test in backtests]), 0)
    naive = np.where(counted, joined([test.forecast.baseline for test in backtests]), 0)
    ratio = joined([test.forecast.ratio for test in backtests])
    scale = joined([test.scale for test in backtests])
    quantiles = np.concatenate([test.forecast.quantiles[:, rows] for test in backtests], axis=1)
    naive_quantiles = counts.quantiles(naive, ratio)
    return measures.plain(
        {
            "series": int(rows.sum()),
            "units": float(actual.sum(dtype=np.float64)),
            "wape_day": measures.wape(mean, actual),
            "wape_28_days": measures.wape(mean.sum(axis=1), actual.sum(axis=1)),
            "bias": measures.bias(mean, actual),
            "scaled_pinball": measures.scaled_pinball(quantiles, actual, counted, scale),
            "coverage_80": measures.coverage(actual, mean, ratio, counted, 0.8),
            "coverage_90": measures.coverage(actual, mean, ratio, counted, 0.9),
            "naive_wape_day": measures.wape(naive, actual),
            "naive_wape_28_days": measures.wape(naive.sum(axis=1), actual.sum(axis=1)),
            "naive_bias": measures.bias(naive, actual),
            "naive_scaled_pinball": measures.scaled_pinball(naive_quantiles, actual, counted, scale),
        }
    )


def _beaten(figures: dict[str, Any] | None) -> bool:
    """Whether the seasonal naive forecast was better on both the day's distribution and four weeks' units."""
    if figures is None or figures["scaled_pinball"] is None or figures["wape_28_days"] is None:
        return False
    return bool(
        figures["scaled_pinball"] > figures["naive_scaled_pinball"]
        and figures["wape_28_days"] > figures["naive_wape_28_days"]
    )


def _tested(model: DemandModel, panel: DemandPanel, cutoff: int) -> Backtest:
    past = until(panel, cutoff, WINDOW)
    made = forecast(model, past, WINDOW)
    span = slice(cutoff, cutoff + WINDOW)
    return Backtest(
        forecast=made,
        actual=panel.units[:, span],
        counted=panel.in_stock[:, span] & (panel.started < cutoff)[:, None],
        scale=measures.series_scale(past.units[:, -364:], past.in_stock[:, -364:]),
    )


def _chosen(draft: DemandModel, panel: DemandPanel, cutoffs: list[int], seed: int) -> DemandModel:
    """The candidate and then the spread with the least scaled pinball loss, by class of demand.

    A class without series follows all the others."""
    n = panel.units.shape[0]
    rows: Ints = np.sort(np.random.default_rng(seed).choice(n, min(n, _CHOOSING_SERIES), replace=False))
    sample = take(panel, rows)
    tried = [_Trial.at(sample, cutoff, draft.refinement) for cutoff in cutoffs]
    codes = range(len(CLASSES))
    losses = {name: np.sum([trial.losses(name, 1.0) for trial in tried], axis=0) for name in CANDIDATES}
    options = list(CANDIDATES if draft.refinement else CANDIDATES[:2])
    overall = {name: 0.01 * losses[name].mean() for name in options}
    candidate = tuple(min(options, key=lambda name: losses[name][code] + overall[name]) for code in codes)
    spreads = {
        value: np.sum([trial.losses_of(candidate, value) for trial in tried], axis=0) for value in _SPREADS
    }
    spread = tuple(min(_SPREADS, key=lambda value: (spreads[value][code], abs(value - 1))) for code in codes)
    return replace(draft, candidate=candidate, spread=spread)


@dataclass(frozen=True, slots=True)
class _Trial:
    """All candidates at one cutoff, ready to be scored by class."""

    state: Any
    means: dict[str, Floats]
    promoted: Bools
    kind: Ints
    actual: Floats
    counted: Bools
    scale: Floats

    @classmethod
    def at(cls, sample: DemandPanel, cutoff: int, refinement: Refinement | None) -> _Trial:
        past = until(sample, cutoff, WINDOW)
        state = smooth(past)
        future = sample.days[cutoff : cutoff + WINDOW]
        base, unpromoted = mean_ahead(state, past, future)
        span = slice(cutoff, cutoff + WINDOW)
        return cls(
            state=state,
            means=candidate_means(refinement, past, state, base, future),
            promoted=base > unpromoted,
            kind=demand_classes(past, state),
            actual=sample.units[:, span],
            counted=sample.in_stock[:, span] & (sample.started < cutoff)[:, None],
            scale=measures.series_scale(past.units[:, -364:], past.in_stock[:, -364:]),
        )

    def losses(self, name: str, spread: float) -> Floats:
        """Summed scaled pinball loss by class (classes,)."""
        return self._scored(self.means[name], spread)

    def losses_of(self, candidate: tuple[str, ...], spread: float) -> Floats:
        chosen = np.asarray([CANDIDATES.index(name) for name in candidate])[self.kind]
        mean = np.choose(chosen[:, None], [self.means[name] for name in CANDIDATES])
        return self._scored(mean, spread)

    def _scored(self, mean: Floats, spread: float) -> Floats:
        ratio = spread_ratio(self.state, mean, self.promoted, np.full(len(mean), spread))
        loss = measures.pinball(counts.quantiles(mean, ratio), self.actual, self.counted) / self.scale
        result: Floats = np.bincount(self.kind, weights=np.nan_to_num(loss), minlength=len(CLASSES)).astype(
            np.float64
        )
        return result
