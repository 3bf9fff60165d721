"""What was known of a purchase order line on the day it was sent, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from copilot.models.arrays import Bools, Floats, Ints
from erp_core.analytics.panels import PurchaseLines

SUPPLIER_RATE = 0
_STRENGTH = 12.0
_RECENT = 180


@dataclass(frozen=True, slots=True)
class Outcomes:
    """When each line's fate was known, and what it was; `known_on` is in days since 1970."""

    start: Ints
    due: Ints
    known_on: Ints
    known: Bools
    late: Bools
    days_late: Floats


def outcomes_of(lines: PurchaseLines, grace: int) -> Outcomes:
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
    return Outcomes(start, due_day, known_on, known, late & known, days_late.astype(np.float64))


_RATES = ("supplier", "category", "location", "item")


def design_of(
    lines: PurchaseLines, outcomes: Outcomes, codes: dict[str, tuple[str, ...]] | None
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
    key: Ints, outcomes: Outcomes, at: Ints, prior: Floats | None, days: int | None = None
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


def _as_of_mean(key: Ints, outcomes: Outcomes, values: Floats) -> tuple[Floats, Floats]:
    total, summed = _known_before(key, outcomes, outcomes.start, values)
    overall = values[outcomes.known].mean() if outcomes.known.any() else 0.0
    return (summed + 2 * overall) / (total + 2), total


def _known_before(key: Ints, outcomes: Outcomes, at: Ints, values: Floats) -> tuple[Floats, Floats]:
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
