"""How good a probability of delay was: ranking (AUC, AP), Brier score, calibration; and the sigmoid that calibrates it."""

from __future__ import annotations

from typing import Any

import numpy as np

from copilot.models.arrays import Bools, Floats, Ints

CALIBRATING_FOLDS = 3

Sigmoid = tuple[float, float, float]
PLAIN: Sigmoid = (1.0, 0.0, 0.0)


def sigmoid_of(score: Floats, rate: Floats, sigmoid: Sigmoid) -> Floats:
    """Probability from a classifier's log odds and the supplier's own rate."""
    from scipy.special import expit, logit

    of_score, of_rate, intercept = sigmoid
    result: Floats = expit(of_score * score + of_rate * logit(np.clip(rate, 0.005, 0.995)) + intercept)
    return result


def fit_sigmoid(score: Floats, rate: Floats, truth: Bools) -> Sigmoid:
    """Weights of score, rate and 1; neither weight turns a ranking around."""
    from scipy.special import logit
    from sklearn.linear_model import LogisticRegression

    if not truth.any() or truth.all():
        return PLAIN
    design = np.column_stack([score, logit(np.clip(rate, 0.005, 0.995))])
    fitted = LogisticRegression(C=0.1).fit(design, truth)
    if (fitted.coef_ >= 0).all():
        return float(fitted.coef_[0, 0]), float(fitted.coef_[0, 1]), float(fitted.intercept_[0])
    kept = int(fitted.coef_[0].argmax())
    alone = LogisticRegression(C=0.1).fit(design[:, [kept]], truth)
    weights = [0.0, 0.0]
    weights[kept] = max(float(alone.coef_[0, 0]), 0.05)
    return weights[0], weights[1], float(alone.intercept_[0])


def rolling_sigmoid(score: Floats, rate: Floats, truth: Bools, fold: Ints) -> Floats:
    """Probabilities of each fold by a sigmoid fitted on the three folds before it; the first fold stays as it is."""
    result = np.empty(len(score))
    for number in np.unique(fold):
        now = fold == number
        past = (fold < number) & (fold >= number - CALIBRATING_FOLDS)
        sigmoid = fit_sigmoid(score[past], rate[past], truth[past]) if past.any() else PLAIN
        result[now] = sigmoid_of(score[now], rate[now], sigmoid)
    return result


def figures(probability: Floats, truth: Bools, fold: Ints) -> dict[str, Any]:
    """AUC and AP as means over the folds that have both outcomes, Brier over all; None without any such fold."""
    from sklearn.metrics import average_precision_score, roc_auc_score

    aucs, precisions = [], []
    for number in np.unique(fold):
        now = fold == number
        if truth[now].any() and not truth[now].all():
            aucs.append(float(roc_auc_score(truth[now], probability[now])))
            precisions.append(float(average_precision_score(truth[now], probability[now])))
    return {
        "auc": float(np.mean(aucs)) if aucs else None,
        "average_precision": float(np.mean(precisions)) if precisions else None,
        "brier": float(np.mean((probability - truth) ** 2)),
        "auc_by_origin": aucs,
        "late_share": float(truth.mean()),
    }


def calibration_table(probability: Floats, truth: Bools, bins: int = 6) -> list[dict[str, Any]]:
    """Mean forecast against the share that came late, in bins of equally many lines."""
    order = np.argsort(probability, kind="stable")
    return [
        {
            "lines": len(part),
            "forecast": float(probability[part].mean()),
            "late": float(truth[part].mean()),
        }
        for part in np.array_split(order, bins)
        if len(part)
    ]
