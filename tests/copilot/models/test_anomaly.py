"""Demand anomalies: found where demand changed, silent where it did not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from copilot.models.anomaly import NATURES, alarm_days, detect
from erp_core.analytics.panels import DemandPanel
from tests.copilot.models.simulation import negative_binomial, panel_of, steady
from tests.copilot.models.test_demand import PLAIN

pytestmark = pytest.mark.capability("S221")


def test_quiet_demand_raises_at_most_one_alarm_day_in_a_hundred_series_days() -> None:
    panel = steady(n=300, t=260)
    found = detect(panel, PLAIN)
    assert alarm_days(panel, PLAIN, found.calibration).mean() <= 0.01
    assert len(found.series) <= 0.1 * 300


def test_a_recorded_promotion_raises_no_alarm_and_an_unrecorded_one_does() -> None:
    rng = np.random.default_rng(21)
    promoted = np.zeros((60, 260), dtype=bool)
    for start in (60, 130, 190, 240):
        promoted[:, start : start + 10] = True
    units = negative_binomial(rng, np.where(promoted, 16.0, 4.0), 1.5)
    known = detect(panel_of(units, promoted=promoted), PLAIN)
    hidden = promoted.copy()
    hidden[:, 232:] = False
    unknown = detect(panel_of(units, promoted=hidden), PLAIN)
    assert known.upward.sum() <= 3
    assert unknown.upward.sum() >= 50


def test_days_out_of_stock_are_no_drop_in_demand() -> None:
    panel = steady(n=60, t=260)
    out = np.zeros(panel.units.shape, dtype=bool)
    out[:, 240:] = True
    empty = np.where(out, 0, panel.units)
    excused = detect(replace(panel, units=empty, in_stock=~out), PLAIN)
    blamed = detect(replace(panel, units=empty), PLAIN)
    assert (~excused.upward).sum() <= 2
    assert (~blamed.upward).sum() >= 30


def test_a_spike_that_lasts_and_a_drop_are_found_with_start_and_size() -> None:
    rng = np.random.default_rng(22)
    mean = np.full((50, 260), 5.0)
    mean[3, 248:] = 25.0
    mean[7, 240:] = 0.5
    found = detect(panel_of(negative_binomial(rng, mean, 1.5)), PLAIN)
    rows = {int(row): k for k, row in enumerate(found.series)}
    assert {3, 7} <= set(rows)
    spike, drop = rows[3], rows[7]
    assert found.upward[spike] and not found.upward[drop]
    assert NATURES[found.nature[spike]] == "true_change"
    first = (found.first[spike] - panel_of(mean).days[0]).astype(int)
    assert 246 <= first <= 252
    assert found.actual[spike] > 3 * found.expected[spike]
    assert found.actual[drop] < 0.5 * found.expected[drop]
    assert min(found.probability[[spike, drop]]) > 0.9


def test_one_huge_order_is_named_as_one_and_not_as_a_change() -> None:
    panel = steady(n=40, t=260)
    units = panel.units.copy()
    units[2, 250] = 40 * units[2].max()
    units[5, 251] = 74_215
    found = detect(replace(panel, units=units), PLAIN)
    nature = {int(row): NATURES[kind] for row, kind in zip(found.series, found.nature, strict=True)}
    assert nature[2] == "one_off"
    assert nature[5] == "data_error"


def test_many_order_lines_on_one_day_are_a_true_burst() -> None:
    panel = steady(n=40, t=260)
    units, lines = panel.units.copy(), np.minimum(panel.units, 3)
    units[2, 250] = 20 * units[2].max()
    lines[2, 250] = 60
    crowd = replace(panel, units=units, attributes=panel.attributes | {"lines": lines})
    found = detect(crowd, PLAIN)
    nature = {int(row): NATURES[kind] for row, kind in zip(found.series, found.nature, strict=True)}
    assert nature[2] == "true_change"


def test_a_place_that_goes_silent_altogether_is_a_lost_feed() -> None:
    panel = steady(n=60, t=260)
    units = panel.units.copy()
    units[:, 250:] = 0
    units[0, 250:] = panel.units[0, 250:]
    found = detect(replace(panel, units=units), PLAIN)
    assert {NATURES[kind] for kind in found.nature[~found.upward]} == {"data_error"}


def test_little_history_gives_no_anomaly_instead_of_a_guess() -> None:
    assert len(detect(steady(n=20, t=90), PLAIN).series) == 0


def test_what_was_expected_knows_nothing_of_the_days_it_judges() -> None:
    panel = steady(n=60, t=260)
    units = panel.units.copy()
    units[:, 232:] *= 6
    found = detect(replace(panel, units=units), PLAIN)
    usual = panel.units[:, :232].mean(axis=1)[found.series]
    days = (found.last - found.first).astype(int) + 1
    assert np.median(found.expected / (usual * days)) == pytest.approx(1.0, abs=0.25)


def three_places(change: tuple[slice, slice], times: float) -> DemandPanel:
    """Sixty items at three places, 0.4 units a day each; the first item's demand changes there and then."""
    rng = np.random.default_rng(23)
    mean = np.full((180, 320), 0.4)
    mean[change] *= times
    return panel_of(rng.poisson(mean).astype(np.float32), locations=3)


def test_a_change_too_small_for_each_location_is_seen_over_all_of_them_as_one_case() -> None:
    found = detect(three_places((slice(0, 3), slice(305, 320)), 4.0), PLAIN)
    mine = [k for k, row in enumerate(found.series) if row < 3]
    assert len(mine) == 1
    assert found.upward[mine[0]] and not found.local[mine[0]]
    assert found.actual[mine[0]] > 2 * found.expected[mine[0]]


def test_a_change_at_one_location_only_is_a_case_of_that_location() -> None:
    found = detect(three_places((slice(1, 2), slice(305, 320)), 9.0), PLAIN)
    mine = [k for k, row in enumerate(found.series) if row < 3]
    assert [int(found.series[k]) for k in mine] == [1]
    assert found.local[mine[0]]


def test_demand_that_only_moves_from_one_location_to_another_is_no_anomaly() -> None:
    rng = np.random.default_rng(24)
    mean = np.full((180, 320), 0.6)
    mean[0, 300:], mean[1, 300:] = 0.0, 1.2
    found = detect(panel_of(rng.poisson(mean).astype(np.float32), locations=3), PLAIN)
    assert not any(row < 3 for row in found.series)


def test_no_item_has_two_cases() -> None:
    rng = np.random.default_rng(25)
    mean = np.full((60, 300), 3.0)
    mean[4, 275:282], mean[4, 284:] = 0.0, 20.0
    found = detect(panel_of(negative_binomial(rng, mean, 1.4)), PLAIN)
    assert sorted(found.series) == sorted(set(found.series))
    assert found.upward[list(found.series).index(4)]


def test_among_steady_items_few_alarms_are_false() -> None:
    rng = np.random.default_rng(26)
    mean = np.full((300, 320), 1.5)
    changed = np.arange(0, 300, 15)
    mean[changed, 300:] = np.where(changed % 2 == 0, 6.0, 0.05)[:, None]
    found = detect(panel_of(negative_binomial(rng, mean, 1.5)), PLAIN)
    true = np.isin(found.series, changed)
    assert true.sum() >= 15
    assert (~true).mean() <= 0.4
