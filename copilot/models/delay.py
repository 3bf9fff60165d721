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
from typing import TYPE_CHECKING, Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from copilot.models import delay_measures as measures
from copilot.models.arrays import Bools, Floats, Ints
from erp_core.analytics.panels import PurchaseLines

if TYPE_CHECKING:
    from sklearn.ensemble import HistGradientBoostingClassifier

GRACE_DAYS = 2
LEAST_LINES = 300
LEAST_LATE = 40
ORIGINS = 5
_STRENGTH = 12.0
_RECENT = 180


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
    classifier: HistGradientBoostingClassifier | None
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


@dataclass(frozen=True, slots=True)
class _Outcomes:
    """When each line's fate was known, and what it was; `known_on` is in days since 1970."""

    start: Ints
    due: Ints
    known_on: Ints
    known: Bools
    late: Bools
    days_late: Floats


def train_delay(lines: PurchaseLines, *, grace_days: int = GRACE_DAYS, seed: int = 0) -> DelayModel:
    """Fit on every line whose fate was known by the lines' day. Same lines and seed, same model.

    Needs 300 known lines and 40 late ones for a classifier; with less, the shrunk supplier rate.
    """
    outcomes = _outcomes(lines, grace_days)
    rates, codes = _design(lines, outcomes, None)
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
        repromised_late=_repromised_late(lines, outcomes),
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
    figures = {
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
    outcomes = _outcomes(lines, model.grace_days)
    design, _ = _design(lines, outcomes, model.codes)
    today = int(np.datetime64(lines.as_of, "D").astype(np.int64))
    open_lines = np.flatnonzero((lines.open_units > 0) & ~np.isnat(lines.first_promised_on))
    supplier_rate = design[open_lines, _SUPPLIER_RATE].astype(np.float64)
    if model.classifier is None:
        prior = supplier_rate
    else:
        prior = measures.sigmoid_of(
            _log_odds(model.classifier, design[open_lines]), supplier_rate, model.sigmoid
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


def _outcomes(lines: PurchaseLines, grace: int) -> _Outcomes:
    today = int(np.datetime64(lines.as_of, "D").astype(np.int64))
    promised = ~np.isnat(lines.first_promised_on)
    due = np.where(promised, lines.first_promised_on, np.datetime64(lines.as_of, "D")).astype("datetime64[D]")
    due_day = due.astype(np.int64)
    done = ~np.isnat(lines.completed_on)
    completed = np.where(done, lines.completed_on, due).astype("datetime64[D]").astype(np.int64)
    start = (
        np.where(np.isnat(lines.sent_on), due - 30, lines.sent_on).astype("datetime64[D]").astype(np.int64)
    )
    overdue = ~done & (lines.open_units > 0) & (today > due_day + grace)
    late = (done & (completed > due_day + grace)) | overdue
    known_on = np.where(late, due_day + grace + 1, completed)
    known = promised & (done | overdue) & (known_on <= today)
    days_late = np.where(done, completed, today) - due_day
    return _Outcomes(start, due_day, known_on, known, late & known, days_late.astype(np.float64))


_RATES = ("supplier", "category", "location", "item")
_SUPPLIER_RATE = 0


def _design(
    lines: PurchaseLines, outcomes: _Outcomes, codes: dict[str, tuple[str, ...]] | None
) -> tuple[Floats, dict[str, tuple[str, ...]]]:
    """Features (m, k) as of each line's sending; `codes` are the members of text attributes met in training."""
    suppliers = _codes_of(lines.supplier_ids)
    keys = {
        "supplier": suppliers,
        "category": _codes_of(lines.attributes.get("category", np.zeros(len(suppliers)))),
        "location": _codes_of(lines.location_ids),
        "item": _codes_of(lines.item_ids),
    }
    overall, _ = _as_of_rate(np.zeros(len(suppliers), dtype=np.int64), outcomes, outcomes.start, None)
    columns = []
    for name in _RATES:
        rate, seen = _as_of_rate(keys[name], outcomes, outcomes.start, overall)
        columns += [rate, np.log1p(seen)]
    recent, _ = _as_of_rate(keys["supplier"], outcomes, outcomes.start, columns[0], _RECENT)
    lately, _ = _as_of_rate(np.zeros_like(suppliers), outcomes, outcomes.start, overall, _RECENT // 2)
    lead = (outcomes.due - outcomes.start).astype(np.float64)
    usual_lead, lead_seen = _as_of_mean(keys["supplier"], outcomes, lead)
    units = np.log1p(np.maximum(lines.units, 0))
    usual_units, _ = _as_of_mean(keys["item"], outcomes, units)
    angle = 2 * np.pi * outcomes.due / 365.25
    _, po, size = np.unique(
        np.asarray([po.int for po in lines.po_ids], dtype=object), return_inverse=True, return_counts=True
    )
    columns += [
        recent,
        lately,
        lead,
        np.where(lead_seen > 0, lead - usual_lead, np.nan),
        units,
        units - usual_units,
        np.log1p(np.maximum(lines.units * lines.unit_price, 0)),
        np.log(size[po]),
        np.sin(angle),
        np.cos(angle),
        (outcomes.due + 3) % 7,
    ]
    known_codes: dict[str, tuple[str, ...]] = {}
    for name in sorted(lines.attributes):
        values = np.asarray(lines.attributes[name])
        if values.ndim != 1:
            continue
        if values.dtype.kind in "fiub":
            columns.append(values.astype(np.float64))
            known_codes[name] = ()
            continue
        text = _codes_of(values.astype(str))
        rate, seen = _as_of_rate(text, outcomes, outcomes.start, overall)
        columns += [rate, np.log1p(seen)]
        known_codes[name] = ()
    if codes is not None and set(codes) != set(known_codes):
        raise ValueError(
            "the purchase lines have other attributes than the delay model was trained with: train again"
        )
    return np.column_stack(columns).astype(np.float32), known_codes


def _codes_of(values: Any) -> Ints:
    array = np.asarray([str(value) for value in values]) if len(values) else np.zeros(0, dtype=str)
    return np.unique(array, return_inverse=True)[1].astype(np.int64)


def _as_of_rate(
    key: Ints, outcomes: _Outcomes, at: Ints, prior: Floats | None, days: int | None = None
) -> tuple[Floats, Floats]:
    """Shrunk share of late lines with the same key whose fate was known before each moment, and their number.

    `days` counts only the fates that became known in so many days before.
    """
    total, late = _known_before(key, outcomes, at, outcomes.late.astype(np.float64))
    if days is not None:
        older, older_late = _known_before(key, outcomes, at - days, outcomes.late.astype(np.float64))
        total, late = total - older, late - older_late
    around = np.full(len(key), 0.1) if prior is None else prior
    return (late + _STRENGTH * around) / (total + _STRENGTH), total


def _as_of_mean(key: Ints, outcomes: _Outcomes, values: Floats) -> tuple[Floats, Floats]:
    total, summed = _known_before(key, outcomes, outcomes.start, values)
    overall = values[outcomes.known].mean() if outcomes.known.any() else 0.0
    return (summed + 2 * overall) / (total + 2), total


def _known_before(key: Ints, outcomes: _Outcomes, at: Ints, values: Floats) -> tuple[Floats, Floats]:
    """Count and sum of `values` over lines with the same key whose fate was known before `at`."""
    known = np.flatnonzero(outcomes.known)
    span = 1_000_000
    moment = key[known] * span + outcomes.known_on[known]
    order = np.argsort(moment, kind="stable")
    running = np.concatenate([[0.0], np.cumsum(values[known][order])])
    moments = moment[order]
    end = np.searchsorted(moments, key * span + at, side="left")
    begin = np.searchsorted(moments, key * span, side="left")
    end = np.maximum(end, begin)
    return (end - begin).astype(np.float64), running[end] - running[begin]


def _fitted(design: Floats, late: Bools, seed: int) -> HistGradientBoostingClassifier:
    """One thread: with so few rows, several threads wait for each other longer than they work."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from threadpoolctl import threadpool_limits

    classifier = HistGradientBoostingClassifier(
        learning_rate=0.05,
        max_iter=100,
        max_leaf_nodes=12,
        min_samples_leaf=30,
        l2_regularization=10.0,
        max_features=0.5,
        random_state=seed,
        early_stopping=False,
    )
    with threadpool_limits(limits=1):
        return classifier.fit(design, late)


def _log_odds(classifier: HistGradientBoostingClassifier, design: Floats) -> NDArray[np.float64]:
    if not len(design):
        return np.zeros(0)
    return np.asarray(classifier.decision_function(design), dtype=np.float64)


def _rolling(design: Floats, outcomes: _Outcomes, seed: int) -> tuple[Floats, Floats, Bools, Ints]:
    """Scores of lines sent after each of five origins by a model of what was known before it, fold by fold."""
    known = np.flatnonzero(outcomes.known)
    bounds = np.quantile(outcomes.start[known], np.linspace(0.5, 1, ORIGINS + 1))
    scores, rates, truths, folds = [], [], [], []
    for fold, (begin, end) in enumerate(zip(bounds[:-1], bounds[1:], strict=True)):
        past = known[outcomes.known_on[known] < begin]
        ahead = known[
            (outcomes.start[known] >= begin) & (outcomes.start[known] < end + (fold == ORIGINS - 1))
        ]
        if len(past) < 100 or outcomes.late[past].sum() < 10 or not len(ahead):
            continue
        fitted = _fitted(design[past], outcomes.late[past], seed)
        scores.append(_log_odds(fitted, design[ahead]))
        rates.append(design[ahead, _SUPPLIER_RATE])
        truths.append(outcomes.late[ahead])
        folds.append(np.full(len(ahead), len(folds)))
    if not scores:
        return np.zeros(0), np.zeros(0), np.zeros(0, dtype=np.bool_), np.zeros(0, dtype=np.int64)
    return np.concatenate(scores), np.concatenate(rates), np.concatenate(truths), np.concatenate(folds)


def _late_days(lines: PurchaseLines, outcomes: _Outcomes) -> tuple[dict[UUID, float], float]:
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


def _repromised_late(lines: PurchaseLines, outcomes: _Outcomes) -> float:
    moved = ~np.isnat(lines.promised_on) & outcomes.known
    gap = np.where(moved, lines.promised_on, lines.first_promised_on) - lines.first_promised_on
    beyond = moved & (gap.astype(np.int64) > 0) & (outcomes.late | (gap.astype(np.int64) > 2))
    return float((outcomes.late[beyond].sum() + 9) / (beyond.sum() + 10))
