"""Supplier delay: the probability that a purchase order line comes late, and by how many days.

Late means not complete by the first promised date plus grace. A line's features are what was known on
the day it was sent; rates of supplier, item category and place count only lines whose fate was known
by that day. The classifier is refitted on everything, its probabilities set by a sigmoid fitted on
forecasts of rolling origins; with few lines, or where it does not beat the supplier's own rate, that
rate is used and the card says so.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from copilot.models import delay_measures as measures
from copilot.models.arrays import Bools, Floats, Ints
from copilot.models.delay_features import SUPPLIER_RATE, Outcomes, design_of, outcomes_of
from erp_core.analytics.panels import PurchaseLines
from erp_core.procurement.rules import ON_TIME_GRACE_DAYS

if TYPE_CHECKING:
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.pipeline import Pipeline

LEAST_LINES = 300
LEAST_LATE = 40
ORIGINS = 5


@dataclass(frozen=True, slots=True)
class DelayModel:
    """A fitted model. `method` is ``learned`` or ``supplier_rate``; `sigmoid` maps the
    classifier's log odds and the supplier's rate to a probability.

    `early` are the sorted days before the promise at which on-time lines were complete: what an open
    line's age tells. `late_days` is the usual delay of a late line by supplier, `usual_late_days` of any.
    `repromised_late` is the share of lines promised anew beyond grace that did come late.
    """

    as_of: date
    grace_days: int
    method: str
    classifier: Ensemble | None
    sigmoid: measures.Sigmoid
    base_rate: float
    early: Floats
    late_days: dict[UUID, float]
    usual_late_days: float
    repromised_late: float
    codes: dict[str, tuple[str, ...]]
    card: dict[str, Any]


@dataclass(frozen=True, slots=True)
class DelayForecast:
    """For open lines, arrays (k,): `line` indexes the purchase lines; `probability` to come late;
    `late_days` usual delay if late; `expected_days` of delay, 0 for a line on time; `overdue_days` past
    the first promise today, 0 before it; `supplier_rate` the supplier's own share of late lines."""

    line: Ints
    probability: Floats
    late_days: Floats
    expected_days: Floats
    overdue_days: Floats
    supplier_rate: Floats


def train_delay(lines: PurchaseLines, *, grace_days: int = ON_TIME_GRACE_DAYS, seed: int = 0) -> DelayModel:
    """Fit on every line whose fate was known by the lines' day. Same lines and seed, same model.

    Needs 300 known lines and 40 late ones for a classifier; with less, the shrunk supplier rate.
    """
    outcomes = outcomes_of(lines, grace_days)
    rates, codes = design_of(lines, outcomes, None)
    known = outcomes.known
    base_rate = float((outcomes.late[known].sum() + 1) / (known.sum() + 10))
    late_days, usual = _late_days(lines, outcomes)
    early = np.sort((outcomes.due - outcomes.known_on)[known & ~outcomes.late].astype(np.float64))
    model = DelayModel(
        as_of=lines.as_of,
        grace_days=grace_days,
        method="supplier_rate",
        classifier=None,
        sigmoid=measures.PLAIN,
        base_rate=base_rate,
        early=early,
        late_days=late_days,
        usual_late_days=usual,
        repromised_late=_repromised_late(lines, outcomes, grace_days),
        codes=codes,
        card={},
    )
    counted = {"lines": int(known.sum()), "late": int(outcomes.late[known].sum()), "grace_days": grace_days}
    if known.sum() < LEAST_LINES or outcomes.late[known].sum() < LEAST_LATE:
        reason = (
            f"{counted['lines']} lines with a known outcome and {counted['late']} late ones are too few for a"
            f" classifier ({LEAST_LINES} and {LEAST_LATE} are needed): the supplier's own rate is used"
        )
        return replace(model, card=counted | {"method": "supplier_rate", "reason": reason})
    score, rate, truth, fold = _rolling(rates, outcomes, seed)
    if not len(truth) or fold.max() < 1 or truth[fold > 0].sum() < 15 or truth.all():
        reason = "too few late lines after the first rolling origin to test a classifier: the supplier's own rate is used"
        return replace(model, card=counted | {"method": "supplier_rate", "reason": reason})
    recent = fold > fold.max() - measures.CALIBRATING_FOLDS
    sigmoid = measures.fit_sigmoid(score[recent], rate[recent], truth[recent])
    honest = measures.rolling_sigmoid(score, rate, truth, fold)
    tested = fold > 0
    figures: dict[str, Any] = {
        "learned": measures.figures(honest[tested], truth[tested], fold[tested]),
        "supplier_rate": measures.figures(rate[tested], truth[tested], fold[tested]),
        "calibration": measures.calibration_table(honest[tested], truth[tested]),
        "origins": int(fold.max()),
    }
    better = figures["learned"]["brier"] < figures["supplier_rate"]["brier"] and (
        figures["learned"]["auc"] > figures["supplier_rate"]["auc"]
    )
    if not better:
        reason = "the classifier did not beat the supplier's own rate on later lines: the rate is used"
        return replace(model, card=counted | figures | {"method": "supplier_rate", "reason": reason})
    classifier = _fitted(rates[known], outcomes.late[known], seed)
    return replace(
        model,
        method="learned",
        classifier=classifier,
        sigmoid=sigmoid,
        card=counted | figures | {"method": "learned", "sigmoid": list(sigmoid)},
    )


def predict_delay(model: DelayModel, lines: PurchaseLines) -> DelayForecast:
    """Judge the open lines that have a promised date, as of the lines' day.

    A line past its first promise and grace is late: probability 1. Before that, the probability rises
    with every day by which lines that come on time would mostly be complete, and with a new promise
    beyond grace.
    """
    outcomes = outcomes_of(lines, model.grace_days)
    design, _ = design_of(lines, outcomes, model.codes)
    today = int(np.datetime64(lines.as_of, "D").astype(np.int64))
    open_lines = np.flatnonzero((lines.open_units > 0) & ~np.isnat(lines.first_promised_on))
    supplier_rate = design[open_lines, SUPPLIER_RATE].astype(np.float64)
    if model.classifier is None:
        prior = supplier_rate
    else:
        prior = measures.sigmoid_of(
            model.classifier.log_odds(design[open_lines]), supplier_rate, model.sigmoid
        )
    due = outcomes.due[open_lines]
    waiting = 1 - np.searchsorted(-model.early[::-1], -(due - today), side="left") / max(len(model.early), 1)
    still = np.where(len(model.early) >= 20, np.clip(waiting, 0.02, 1), 1.0)
    probability = prior / np.maximum(prior + (1 - prior) * still, 1e-9)
    promise = lines.promised_on[open_lines]
    moved = np.where(np.isnat(promise), 0, (promise - lines.first_promised_on[open_lines]).astype(np.int64))
    probability = np.where(
        moved > model.grace_days, np.maximum(probability, model.repromised_late), probability
    )
    overdue = np.maximum(today - due, 0).astype(np.float64)
    probability = np.where(overdue > model.grace_days, 1.0, probability)
    usual = np.array(
        [model.late_days.get(lines.supplier_ids[row], model.usual_late_days) for row in open_lines]
    )
    late_days = np.maximum(np.maximum(usual, moved), overdue + 0.5 * usual * (overdue > 0))
    return DelayForecast(
        line=open_lines,
        probability=np.clip(probability, 0.0, 1.0),
        late_days=late_days,
        expected_days=probability * late_days,
        overdue_days=overdue,
        supplier_rate=supplier_rate,
    )


@dataclass(frozen=True, slots=True)
class Ensemble:
    """Gradient boosting and a logistic regression whose log odds are averaged: trees for what interacts,
    a straight line for what few lines can tell."""

    boosted: HistGradientBoostingClassifier
    straight: Pipeline

    def log_odds(self, design: Floats) -> NDArray[np.float64]:
        """Mean log odds (k,) of the rows to come late."""
        if not len(design):
            return np.zeros(0)
        from threadpoolctl import threadpool_limits

        with threadpool_limits(limits=1):
            boosted = np.asarray(self.boosted.decision_function(design), dtype=np.float64)
        return 0.5 * (boosted + np.asarray(self.straight.decision_function(design), dtype=np.float64))


def _fitted(design: Floats, late: Bools, seed: int) -> Ensemble:
    """One thread: with so few rows, several threads wait for each other longer than they work.

    A feature that no line has teaches nothing, and is a constant to the trees, which cannot bin it.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from threadpoolctl import threadpool_limits

    design = np.where(np.isnan(design).all(axis=0), 0.0, design)
    boosted = HistGradientBoostingClassifier(
        learning_rate=0.05,
        max_iter=80,
        max_leaf_nodes=8,
        min_samples_leaf=40,
        l2_regularization=20.0,
        max_features=0.5,
        random_state=seed,
        early_stopping=False,
    )
    straight = make_pipeline(
        SimpleImputer(strategy="median", keep_empty_features=True),
        StandardScaler(),
        LogisticRegression(C=0.02, max_iter=300),
    )
    with threadpool_limits(limits=1):
        return Ensemble(boosted.fit(design, late), straight.fit(design, late))


def _rolling(design: Floats, outcomes: Outcomes, seed: int) -> tuple[Floats, Floats, Bools, Ints]:
    """Scores of lines sent after each of five origins by a model of what was known before it, fold by fold."""
    known = np.flatnonzero(outcomes.known)
    bounds = np.quantile(outcomes.start[known], np.linspace(0.5, 1, ORIGINS + 1))
    scores: list[Floats] = []
    rates: list[Floats] = []
    truths: list[Bools] = []
    folds: list[Ints] = []
    for fold, (begin, end) in enumerate(pairwise(bounds)):
        past = known[outcomes.known_on[known] < begin]
        ahead = known[
            (outcomes.start[known] >= begin) & (outcomes.start[known] < end + (fold == ORIGINS - 1))
        ]
        if len(past) < 100 or outcomes.late[past].sum() < 10 or not len(ahead):
            continue
        fitted = _fitted(design[past], outcomes.late[past], seed)
        scores.append(fitted.log_odds(design[ahead]))
        rates.append(design[ahead, SUPPLIER_RATE])
        truths.append(outcomes.late[ahead])
        folds.append(np.full(len(ahead), len(folds)))
    if not scores:
        return np.zeros(0), np.zeros(0), np.zeros(0, dtype=np.bool_), np.zeros(0, dtype=np.int64)
    return np.concatenate(scores), np.concatenate(rates), np.concatenate(truths), np.concatenate(folds)


def _late_days(lines: PurchaseLines, outcomes: Outcomes) -> tuple[dict[UUID, float], float]:
    """Usual days late of late, complete lines: by supplier, shrunk to the median of all."""
    done = outcomes.late & ~np.isnat(lines.completed_on)
    rows = np.flatnonzero(done)
    if not len(rows):
        return {}, 7.0
    days = np.minimum(outcomes.days_late[rows], np.quantile(outcomes.days_late[rows], 0.95))
    usual = float(np.mean(days))
    suppliers = np.asarray([lines.supplier_ids[row].int for row in rows], dtype=object)
    members, codes = np.unique(suppliers, return_inverse=True)
    total, count = np.bincount(codes, weights=days), np.bincount(codes)
    own = (total + 5 * usual) / (count + 5)
    return {UUID(int=int(member)): float(value) for member, value in zip(members, own, strict=True)}, usual


def _repromised_late(lines: PurchaseLines, outcomes: Outcomes, grace: int) -> float:
    moved = ~np.isnat(lines.promised_on) & outcomes.known
    gap = np.where(moved, lines.promised_on, lines.first_promised_on) - lines.first_promised_on
    beyond = moved & (gap.astype(np.int64) > 0) & (outcomes.late | (gap.astype(np.int64) > grace))
    return float((outcomes.late[beyond].sum() + 9) / (beyond.sum() + 10))
