"""Pass rates over cases and trials, with intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import comb


@dataclass(frozen=True, slots=True)
class PassRate:
    """A share of cases with its 95 % interval. `cases` is what it rests on; no cases, no value."""

    cases: int
    value: float | None
    low: float | None
    high: float | None


def pass_hat(passed: int, trials: int, k: int) -> float:
    """The chance that k trials drawn from those run all pass: C(passed, k) / C(trials, k).

    The unbiased estimator of pass^k (Yao and others, tau-bench, 2024). Raises `ValueError` for k > trials.
    """
    if k > trials:
        raise ValueError(f"pass^{k} needs {k} trials, there are {trials}")
    return comb(passed, k) / comb(trials, k)


def pass_rate(outcomes: Mapping[str, Sequence[bool]], k: int) -> PassRate:
    """Mean pass^k over cases, with a Wilson interval over cases (cases are the independent units)."""
    if not outcomes:
        return PassRate(0, None, None, None)
    from scipy.stats import binomtest

    values = [pass_hat(sum(trials), len(trials), k) for trials in outcomes.values()]
    mean = sum(values) / len(values)
    interval = binomtest(round(mean * len(values)), len(values)).proportion_ci(method="wilson")
    return PassRate(len(values), mean, float(interval.low), float(interval.high))
