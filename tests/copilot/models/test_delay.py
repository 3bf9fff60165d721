"""Supplier delay: probabilities that mean what they say, from what was known at the time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from copilot.models.delay import predict_delay, train_delay
from copilot.models.delay_features import design_of, outcomes_of
from copilot.models.lead_times import measure_lead_times
from erp_core.analytics.panels import PurchaseLines
from tests.copilot.models.simulation import purchase_history

pytestmark = pytest.mark.capability("S223")


def part(lines: PurchaseLines, rows: np.ndarray) -> PurchaseLines:
    names = ("line_ids", "po_ids", "po_numbers", "supplier_ids", "item_ids", "location_ids")
    arrays = (
        "sent_on",
        "first_promised_on",
        "promised_on",
        "completed_on",
        "units",
        "open_units",
        "unit_price",
    )
    return replace(
        lines,
        **{name: tuple(getattr(lines, name)[row] for row in rows) for name in names},
        **{name: getattr(lines, name)[rows] for name in arrays},
        attributes={name: values[rows] for name, values in lines.attributes.items()},
    )


def test_probabilities_of_delay_are_calibrated_and_beat_the_suppliers_rate() -> None:
    lines, truth = purchase_history(lines=3_000, open_last=600)
    model = train_delay(lines, grace_days=0)
    assert model.method == "learned", model.card
    card = model.card
    assert card["learned"]["auc"] > card["supplier_rate"]["auc"]
    assert card["learned"]["brier"] < card["supplier_rate"]["brier"]
    made = predict_delay(model, lines)
    waiting = made.overdue_days == 0
    forecast, chance = made.probability[waiting], truth[made.line][waiting]
    assert forecast.mean() == pytest.approx(chance.mean(), abs=0.04)
    order = np.argsort(forecast)
    for share in np.array_split(order, 4):
        assert forecast[share].mean() == pytest.approx(chance[share].mean(), abs=0.08)


def test_a_lines_features_are_what_was_known_when_it_was_sent() -> None:
    lines, _ = purchase_history(lines=600, open_last=10)
    early = np.arange(300)
    design, _ = design_of(lines, outcomes_of(lines, 0), None)
    spoiled = replace(
        lines, completed_on=np.where(np.arange(600) < 300, lines.completed_on, lines.first_promised_on + 90)
    )
    later, _ = design_of(spoiled, outcomes_of(spoiled, 0), None)
    sent = lines.sent_on[early]
    untouched = sent < lines.sent_on[300]
    rates = slice(0, 10)
    assert np.array_equal(design[early][untouched][:, rates], later[early][untouched][:, rates])


def test_few_lines_fall_back_to_the_suppliers_rate_and_say_so() -> None:
    lines, _ = purchase_history(lines=150, open_last=20)
    model = train_delay(lines)
    assert model.method == "supplier_rate"
    assert "too few" in model.card["reason"]
    made = predict_delay(model, lines)
    assert len(made.line) >= 20
    assert ((made.probability >= 0) & (made.probability <= 1)).all()


def test_a_line_past_its_first_promise_is_late_whatever_was_promised_since() -> None:
    lines, _ = purchase_history(lines=280, open_last=20)
    today = np.datetime64(lines.as_of, "D")
    first, newest = lines.first_promised_on.copy(), lines.promised_on.copy()
    first[-3:], newest[-3:] = today - 5, today + 20
    made = predict_delay(train_delay(lines), replace(lines, first_promised_on=first, promised_on=newest))
    assert (made.probability[-3:] == 1).all()
    assert (made.overdue_days[-3:] == 5).all()
    assert (made.late_days[-3:] >= 25).all()


def test_a_new_promise_beyond_grace_raises_the_probability() -> None:
    lines, _ = purchase_history(lines=280, open_last=20)
    model = train_delay(lines)
    moved = lines.promised_on.copy()
    moved[-1] += 15
    plain, warned = predict_delay(model, lines), predict_delay(model, replace(lines, promised_on=moved))
    assert warned.probability[-1] > max(0.5, plain.probability[-1])
    assert np.array_equal(warned.probability[:-1], plain.probability[:-1])


def test_an_open_line_close_to_its_promise_is_likelier_late_than_a_fresh_one() -> None:
    lines, _ = purchase_history(lines=290, open_last=20)
    model = train_delay(lines)
    today = np.datetime64(lines.as_of, "D")
    due = lines.first_promised_on.copy()
    due[-2], due[-1] = today, today + 30
    near = replace(model, classifier=None)
    made = predict_delay(
        near,
        replace(
            lines,
            first_promised_on=due,
            promised_on=due,
            supplier_ids=(*lines.supplier_ids[:-1], lines.supplier_ids[-2]),
        ),
    )
    assert made.probability[-2] > made.probability[-1]


@pytest.mark.capability("S145")
def test_lead_times_are_measured_from_receipts_and_shrunk_where_lines_are_few() -> None:
    lines, _ = purchase_history(lines=1_000, open_last=10)
    measured = measure_lead_times(lines)
    done = ~np.isnat(lines.completed_on)
    days = (lines.completed_on[done] - lines.sent_on[done]).astype(int)
    assert measured.company[0] == pytest.approx(days.mean())
    one = lines.supplier_ids[0]
    single = part(lines, np.array([0, *range(500, 700)]))
    few = measure_lead_times(single)
    assert few.of(one, lines.item_ids[0])[1] > 0
    assert measured.of(None, lines.item_ids[0], typed_in=12) == (12.0, 3.0)
    nothing = measure_lead_times(part(lines, np.arange(990, 1_000)))
    assert nothing.lines == 0 and nothing.company == (21.0, 7.0)
