"""Simulated panels with a known truth."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import numpy as np

from erp_core.analytics.panels import DemandPanel, PurchaseLines

FIRST = np.datetime64("2025-01-06", "D")


def panel_of(
    units: np.ndarray,
    promoted: np.ndarray | None = None,
    in_stock: np.ndarray | None = None,
    future_promoted: np.ndarray | None = None,
    locations: int = 1,
) -> DemandPanel:
    n, t = units.shape
    sold = units > 0
    empty = np.zeros((n, t), dtype=bool)
    days = FIRST + np.arange(t)
    return DemandPanel(
        as_of=days[-1].astype(object),
        days=days,
        item_ids=tuple(UUID(int=1 + row // locations) for row in range(n)),
        location_ids=tuple(UUID(int=10_000 + row % locations) for row in range(n)),
        units=units.astype(np.float32),
        net_sales=(units * 10).astype(np.float32),
        list_sales=(units * 10).astype(np.float32),
        promoted=empty if promoted is None else promoted,
        future_promoted=np.zeros((n, 84), dtype=bool) if future_promoted is None else future_promoted,
        in_stock=~empty if in_stock is None else in_stock,
        started=np.where(sold.any(axis=1), sold.argmax(axis=1), t).astype(np.int64),
        attributes={"category": np.array([f"C{row % 3}" for row in range(n)])},
    )


def negative_binomial(rng: np.random.Generator, mean: np.ndarray, ratio: float) -> np.ndarray:
    size = np.maximum(mean, 1e-9) / (ratio - 1)
    return rng.negative_binomial(size, 1 / ratio).astype(np.float32)


def steady(n: int = 60, t: int = 300, seed: int = 1, ratio: float = 1.6) -> DemandPanel:
    """Series of 0.3 to 12 units a day with a weekly pattern and nothing else."""
    rng = np.random.default_rng(seed)
    rate = np.exp(rng.uniform(np.log(0.3), np.log(12), n))
    week = np.array([1.1, 1.0, 0.9, 0.9, 1.1, 1.3, 0.7])
    return panel_of(negative_binomial(rng, rate[:, None] * week[np.arange(t) % 7], ratio))


def cut(panel: DemandPanel, t: int) -> DemandPanel:
    """The panel as it would have been read `t` days into its history."""
    return replace(
        panel_of(
            panel.units[:, :t],
            promoted=panel.promoted[:, :t],
            in_stock=panel.in_stock[:, :t],
            future_promoted=panel.promoted[:, t : t + 84],
        ),
        location_ids=panel.location_ids,
        item_ids=panel.item_ids,
    )


def purchase_history(
    lines: int = 2_400, seed: int = 3, open_last: int = 200
) -> tuple[PurchaseLines, np.ndarray]:
    """Lines of 20 suppliers over two years whose chance to be late depends on supplier and lead time.

    Gives the lines, the last `open_last` of them open and not yet due, and every line's true chance.
    """
    rng = np.random.default_rng(seed)
    supplier = rng.integers(0, 20, lines)
    base = rng.normal(-2.2, 1.0, 20)
    sent = np.sort(rng.integers(0, 700, lines))
    sent[-open_last:] = 725
    lead = rng.integers(8, 40, lines)
    chance = 1 / (1 + np.exp(-(base[supplier] + 0.05 * (lead - 24))))
    late = rng.random(lines) < chance
    delay = np.where(late, rng.integers(2, 20, lines), -rng.integers(0, 3, lines))
    start = np.datetime64("2024-01-01", "D")
    as_of = start + 730
    promised = start + sent + lead
    completed = promised + delay
    done = completed <= as_of
    done[-open_last:] = False
    return (
        PurchaseLines(
            as_of=as_of.astype(object),
            line_ids=tuple(UUID(int=index + 1) for index in range(lines)),
            po_ids=tuple(UUID(int=index + 1) for index in range(lines)),
            po_numbers=tuple(f"PO-{index}" for index in range(lines)),
            supplier_ids=tuple(UUID(int=int(code) + 1) for code in supplier),
            item_ids=tuple(UUID(int=int(code) + 1) for code in rng.integers(0, 100, lines)),
            location_ids=tuple(UUID(int=1) for _ in range(lines)),
            sent_on=start + sent,
            first_promised_on=promised,
            promised_on=promised,
            completed_on=np.where(done, completed, np.datetime64("NaT", "D")),
            units=np.full(lines, 100.0),
            open_units=np.where(done, 0.0, 100.0),
            unit_price=np.full(lines, 5.0),
            attributes={"category": np.array(["C"] * lines)},
        ),
        chance,
    )
