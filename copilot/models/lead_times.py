"""Lead times measured from receipts: mean and spread by supplier and item, shrunk where lines are few."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import numpy as np

from copilot.models.arrays import Floats
from erp_core.analytics.panels import PurchaseLines

DEFAULT_DAYS, DEFAULT_SPREAD = 21.0, 7.0
_STRENGTH = 6.0


@dataclass(frozen=True, slots=True)
class LeadTimes:
    """Days from sending to complete receipt. `company` is (mean, standard deviation); the others by id."""

    company: tuple[float, float]
    suppliers: dict[UUID, tuple[float, float]]
    pairs: dict[tuple[UUID, UUID], tuple[float, float]]
    lines: int

    def of(
        self, supplier_id: UUID | None, item_id: UUID, typed_in: float | None = None
    ) -> tuple[float, float]:
        """Mean and standard deviation for an item from a supplier; a typed-in time counts only unmeasured."""
        if supplier_id is not None:
            measured = self.pairs.get((supplier_id, item_id)) or self.suppliers.get(supplier_id)
            if measured is not None:
                return measured
        if typed_in is not None:
            return float(typed_in), max(1.0, 0.25 * typed_in)
        return self.company


def measure_lead_times(lines: PurchaseLines) -> LeadTimes:
    """From complete lines; lines still open and older than their mean count as long as they have waited.

    Nothing received gives 21 days with a spread of 7, and `lines` is 0.
    """
    today = np.datetime64(lines.as_of, "D")
    done = ~np.isnat(lines.completed_on) & ~np.isnat(lines.sent_on)
    days = (
        (np.where(done, lines.completed_on, today) - lines.sent_on)
        .astype("timedelta64[D]")
        .astype(np.float64)
    )
    if not done.any():
        return LeadTimes((DEFAULT_DAYS, DEFAULT_SPREAD), {}, {}, 0)
    overall = (float(days[done].mean()), float(max(days[done].std(), 1.0)))
    waiting = ~done & ~np.isnat(lines.sent_on) & (lines.open_units > 0)
    rows = np.flatnonzero((done | (waiting & (days > overall[0]))) & (days >= 0))
    values, weight = days[rows], np.maximum(lines.units[rows], 1.0) ** 0.5
    keys = np.asarray([lines.supplier_ids[row].int for row in rows], dtype=object)
    suppliers = _shrunk(keys, values, weight, {}, overall)
    by_supplier = {UUID(int=int(key)): figures for key, figures in suppliers.items()}
    both = np.empty(len(rows), dtype=object)
    both[:] = [(lines.supplier_ids[row].int << 128) | lines.item_ids[row].int for row in rows]
    around = {key: suppliers[key >> 128] for key in set(both.tolist())}
    pairs = _shrunk(both, values, weight, around, overall)
    low = (1 << 128) - 1
    return LeadTimes(
        overall,
        by_supplier,
        {(UUID(int=key >> 128), UUID(int=key & low)): figures for key, figures in pairs.items()},
        int(done.sum()),
    )


def _shrunk(
    keys: np.ndarray,
    values: Floats,
    weight: Floats,
    around: dict[int, tuple[float, float]],
    overall: tuple[float, float],
) -> dict[int, tuple[float, float]]:
    members, codes = np.unique(keys, return_inverse=True)
    centre = np.array([around.get(int(member), overall) for member in members])
    count = np.bincount(codes).astype(np.float64)
    mean = np.bincount(codes, weights=values * weight) / np.bincount(codes, weights=weight)
    spread = np.bincount(codes, weights=weight * (values - mean[codes]) ** 2) / np.bincount(
        codes, weights=weight
    )
    shrunk = (count * mean + _STRENGTH * centre[:, 0]) / (count + _STRENGTH)
    variance = (count * spread + _STRENGTH * centre[:, 1] ** 2) / (count + _STRENGTH)
    return {
        int(key): (float(m), float(np.sqrt(v))) for key, m, v in zip(members, shrunk, variance, strict=True)
    }
