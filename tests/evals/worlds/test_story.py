"""The demo company is what its description promises; judged on the story, without a database."""

from __future__ import annotations

from collections import Counter
from datetime import date

import numpy as np
import pytest

from evals.worlds.engine import Story, simulate
from evals.worlds.events import DAY, Bill, Mail
from evals.worlds.parameters import DEMO, TINY
from evals.worlds.schedule import PAPERS


@pytest.fixture(scope="module")
def story() -> Story:
    return simulate(DEMO, 2_024)


def test_the_company_has_27_months_300_items_25_suppliers_3_warehouses_2_web_channels_and_a_shop(
    story: Story,
) -> None:
    catalogue = story.catalogue
    assert (DEMO.start, DEMO.end) == (date(2024, 4, 1), date(2026, 6, 30))
    assert len(catalogue.items) == 300 and len(catalogue.suppliers) == 25
    assert Counter(one.kind for one in catalogue.locations) == {"warehouse": 3, "store": 1}
    assert Counter(one.kind for one in catalogue.channels) == {"web": 2, "store": 1}


def test_skus_names_and_supplier_codes_are_unique(story: Story) -> None:
    for values in (
        [item.sku for item in story.catalogue.items],
        [item.name for item in story.catalogue.items],
        [supplier.code for supplier in story.catalogue.suppliers],
    ):
        assert len(set(values)) == len(values)


def test_order_lines_purchase_lines_and_returns_have_the_promised_volume(story: Story) -> None:
    lines = Counter()
    for event in story.events:
        if event.kind in ("PlaceOrder", "CreatePurchaseOrder", "AuthoriseReturn"):
            lines[event.kind] += len(event.data.lines)
    assert 60_000 <= lines["PlaceOrder"] <= 100_000
    assert lines["CreatePurchaseOrder"] >= 4_000
    assert lines["AuthoriseReturn"] >= 5_000


def test_the_share_of_late_purchase_lines_lies_between_8_and_15_percent(story: Story) -> None:
    total = sum(len(purchase.lines) for purchase in story.purchases)
    assert 0.08 <= len(story.delays) / total <= 0.15


def test_sales_have_a_long_tail(story: Story) -> None:
    units = np.zeros(len(story.catalogue.items))
    for event in story.events:
        if event.kind == "PlaceOrder":
            for line in event.data.lines:
                units[line.item] += line.units
    ordered = np.sort(units)[::-1]
    assert 0.65 <= ordered[:60].sum() / ordered.sum() <= 0.85
    assert {"A", "B", "C"} == {item.abc for item in story.catalogue.items}


def test_single_source_and_alternate_suppliers_both_occur(story: Story) -> None:
    sources = Counter(len(item.sources) for item in story.catalogue.items)
    assert sources[1] >= 60 and sources[2] >= 60


def test_there_are_at_least_60_true_anomalies_of_every_cause(story: Story) -> None:
    causes = Counter(one.cause for one in story.anomalies)
    assert sum(causes.values()) >= 60
    assert set(causes) == {
        "virality", "press", "bulk_buyer", "data_error", "listing_loss", "competitor", "wrong_price"
    }  # fmt: skip


def test_spikes_and_drops_show_in_what_customers_wanted(story: Story) -> None:
    ratios: dict[str, list[float]] = {"virality": [], "listing_loss": []}
    for one in story.anomalies:
        if one.cause in ratios and one.start > 60:
            expected = story.demand.expected[one.item].sum(axis=0)
            ratios[one.cause].append(expected[one.start] / expected[one.start - 14 : one.start].mean())
    assert np.median(ratios["virality"]) > 2.5
    assert np.median(ratios["listing_loss"]) < 0.2


def test_promotions_are_known_before_they_start_and_some_lie_ahead(story: Story) -> None:
    promotions = story.demand.promotions
    assert len(promotions) >= 100
    assert all(one.known < one.start for one in promotions)
    assert any(one.start >= DEMO.days for one in promotions)


def test_late_deliveries_have_named_causes_and_differ_by_supplier(story: Story) -> None:
    assert {"raw_material", "port_congestion", "quality_hold", "late_approval", "holiday"} <= {
        one.cause for one in story.delays
    }
    late, total = Counter(), Counter()
    for purchase, delivery in zip(story.purchases, story.deliveries, strict=True):
        total[purchase.supplier] += 1
        late[purchase.supplier] += delivery.late > 0
    shares = sorted(late[supplier] / total[supplier] for supplier in total if total[supplier] >= 25)
    assert shares[-1] > 0.2 > 0.05 > shares[0]


def test_customers_meet_stockouts_backorders_cancellations_holds_and_split_shipments(story: Story) -> None:
    kinds = Counter(event.kind for event in story.events)
    parcels = Counter(event.document for event in story.events if event.kind == "ShipOrder")
    assert len(story.lost) >= 500
    assert sum(bool(event.short) for event in story.events if event.kind == "PlaceOrder") >= 200
    assert kinds["CancelOrder"] >= 150 and kinds["ReleaseOrder"] >= 60
    assert sum(count > 1 for count in parcels.values()) >= 500


def test_deliveries_are_partial_excessive_rejected_repromised_and_cancelled(story: Story) -> None:
    kinds = Counter(event.kind for event in story.events)
    received = [event for event in story.events if event.kind == "ReceiveGoods"]
    assert max(Counter(event.document for event in received).values()) > 1
    over = sum(
        units - rejected > story.purchases[event.document[1]].lines[line].units
        for event in received
        for line, units, rejected in event.data.lines
    )
    assert over >= 20
    assert any(rejected for event in received for _, _, rejected in event.data.lines)
    assert kinds["ChangePurchaseOrderDates"] >= 30 and kinds["CancelPurchaseOrder"] >= 5


def test_suppliers_write_dirty_and_hostile_mail(story: Story) -> None:
    tones = Counter(event.data.tone for event in story.events if isinstance(event.data, Mail))
    assert set(tones) == {"plain", "typos", "contradictory", "html", "hostile"}
    assert tones["hostile"] >= 15


def test_the_history_ends_with_open_orders_open_and_overdue_purchases_excess_and_empty_shelves(
    story: Story,
) -> None:
    overdue = [
        delivery
        for delivery in story.deliveries
        if delivery.arrivals and delivery.promised < DEMO.days - 1 and delivery.arrivals[0].day >= DEMO.days
    ]
    still_open = [one for one in story.deliveries if one.arrivals and one.arrivals[-1].day >= DEMO.days]
    recent = [one for one in story.anomalies if one.start >= DEMO.days - 28]
    places = len(story.catalogue.locations)
    empty = [
        index
        for index, item in enumerate(story.catalogue.items)
        for place in item.stocked
        if story.final_stock[index * places + place] == 0
    ]
    assert len(overdue) >= 5 and len(still_open) >= 40
    assert (
        Counter(one.kind for one in recent)["spike"] >= 10
        and Counter(one.kind for one in recent)["drop"] >= 10
    )
    assert len(empty) >= 5


def test_the_same_seed_tells_the_same_story_and_another_seed_another() -> None:
    first, second, other = simulate(TINY, 7), simulate(TINY, 7), simulate(TINY, 8)
    assert first.events == second.events and first.lost == second.lost
    assert first.events != other.events


def test_people_decide_within_days_about_goods_that_came_beyond_an_order(story: Story) -> None:
    decided = {
        (event.document, event.data.line): event for event in story.events if event.kind == "DecideHeldGoods"
    }
    waiting, decisions = [], Counter()
    for event in story.events:
        if event.kind != "ReceiveGoods":
            continue
        ordered = story.purchases[event.document[1]].lines
        for line, units, rejected in event.data.lines:
            if units - rejected <= ordered[line].units:
                continue
            decision = decided.get((event.document, line))
            if decision is None:
                waiting.append(event.moment // DAY)
                continue
            assert 1 <= decision.moment // DAY - event.moment // DAY <= 5
            assert decision.data.units == units - rejected - ordered[line].units
            decisions[decision.data.decision] += 1
    assert set(decisions) == {"accept", "return", "correct"} and sum(decisions.values()) > 40
    assert all(day >= DEMO.days - 5 for day in waiting)


def _recorded(story: Story) -> dict[int, Bill]:
    return {event.document[1]: event.data for event in story.events if event.kind == "RecordSupplierInvoice"}


def _settled(story: Story) -> set[int]:
    kinds = ("RejectSupplierInvoice", "AcceptSupplierInvoice")
    return {event.document[1] for event in story.events if event.kind in kinds}


@pytest.mark.capability("S106")
def test_a_tenth_of_the_invoices_is_wrong_in_each_way_and_a_few_wait_for_somebody_in_the_end(
    story: Story,
) -> None:
    bills = _recorded(story)
    wrong = Counter(bill.wrong for bill in bills.values() if bill.wrong)
    assert set(wrong) == {"price", "quantity", "freight", "duplicate"}
    assert 0.06 <= wrong.total() / len(bills) <= 0.16
    waiting = [number for number, bill in bills.items() if bill.wrong and number not in _settled(story)]
    assert 2 <= len(waiting) <= 10


@pytest.mark.capability("S107")
def test_only_what_is_right_or_accepted_is_paid_and_never_before_it_was_recorded(story: Story) -> None:
    bills = _recorded(story)
    recorded = {
        event.document[1]: event.moment for event in story.events if event.kind == "RecordSupplierInvoice"
    }
    accepted = {event.document[1] for event in story.events if event.kind == "AcceptSupplierInvoice"}
    runs = [event for event in story.events if event.kind == "PaySupplierInvoices"]
    paid = [number for event in runs for number in event.data.invoices]
    assert len(paid) == len(set(paid)) > 300
    assert all(bills[number].wrong is None or number in accepted for number in paid)
    assert all(recorded[number] < event.moment for event in runs for number in event.data.invoices)
    assert {DEMO.day(event.moment // DAY).weekday() for event in runs} == {3}


def test_what_is_billed_changes_nothing_else_in_the_world(monkeypatch: pytest.MonkeyPatch) -> None:
    first = simulate(TINY, 7)
    monkeypatch.setattr("evals.worlds.engine._INVOICING", 5)
    second = simulate(TINY, 7)
    assert first.bills != second.bills
    goods = [
        [event for event in story.events if event.document[0] not in PAPERS] for story in (first, second)
    ]
    assert goods[0] == goods[1]


@pytest.mark.capability("S9")
def test_one_contract_is_nearly_used_up_and_another_has_most_of_its_time_left(story: Story) -> None:
    agreed = [event.data for event in story.events if event.kind == "AgreeContract"]
    assert sorted(one.stop - DEMO.days for one in agreed)[0] in range(1, 31)
    assert sorted(one.stop - DEMO.days for one in agreed)[1] > 180
    asked = {event.document for event in story.events if event.kind == "RequestQuotation"}
    awarded = {event.document for event in story.events if event.kind == "AwardQuotation"}
    assert len(asked) == 2 and len(awarded) == 1 and awarded < asked
