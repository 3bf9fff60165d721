"""Stock, its valuation and what others report of it are compared; what differs is an exception, never a correction."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from erp_core.exceptions.commands import RecordScan
from erp_core.exceptions.draft import SCANNED, CaseDraft
from erp_core.finance.model import cost_balances
from erp_core.finance.queries import valuation, valuation_differences, valuation_differences_on
from erp_core.finance.reconciliation import reconciliation_drafts
from erp_core.inventory.commands import RecordStockSnapshot, ReportedLine, ReverseStock
from erp_core.inventory.snapshots.queries import beyond, snapshot_differences
from erp_core.storage.engine import gate_writing, reading
from tests.conftest import TODAY, size
from tests.shop import Shop


def snapshot(shop: Shop, *reported: tuple[UUID, int], **fields: object) -> RecordStockSnapshot:
    values = {
        "snapshot_id": uuid4(),
        "location_id": shop.south,
        "source": "3PL South",
        "as_of": shop.now.date(),
        "lines": tuple(ReportedLine(item_id=item_id, quantity=units) for item_id, units in reported),
    }
    return RecordStockSnapshot.model_validate(values | fields)


def drafts(shop: Shop, *item_ids: UUID) -> list[CaseDraft]:
    with reading(shop.gate.engine) as connection:
        found = reconciliation_drafts(connection, TODAY)
    return [one for one in found if one.subjects[0][1] in item_ids]


@pytest.mark.capability("S47")
@settings(
    max_examples=size(6, 80),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    days=st.lists(
        st.lists(
            st.tuples(st.sampled_from(["stock", "sell", "lose", "find", "return"]), st.integers(1, 9)),
            max_size=4,
        ),
        min_size=1,
        max_size=5,
    ),
    cost=st.integers(0, 99_999),
)
def test_the_valuation_of_any_past_day_agrees_with_the_ledger_of_that_day(
    shop: Shop, days: list[list[tuple[str, int]]], cost: int
) -> None:
    shop.now = shop.now.replace(day=1)
    item_id = shop.item(cost=cost, north=12)
    documents: list[UUID] = []
    worth: dict[int, int] = {}
    for steps in days:
        for kind, units in steps:
            if kind == "stock":
                documents.append(shop.stock(item_id, units))
            elif kind == "return" and documents:
                reversal = ReverseStock(
                    document_kind="opening", document_id=documents.pop(), reason_code="data_error"
                )
                shop.submit(reversal)
            elif kind == "sell":
                shop.submit(shop.order((item_id, units), ship_now=True))
            elif kind in ("lose", "find"):
                sign, reason = (-1, "counted") if kind == "lose" else (1, "found")
                shop.submit(shop.adjust(item_id, sign * units, reason=reason))
        with reading(shop.gate.engine) as connection:
            worth[shop.now.day] = {one.item_id: one.value for one in valuation(connection)}.get(item_id, 0)
        shop.later(1)
    with reading(shop.gate.engine) as connection:
        for day, value in worth.items():
            on = shop.now.date().replace(day=day)
            assert item_id not in {one.item_id for one in valuation_differences_on(connection, on)}
            assert {one.item_id: one.value for one in valuation(connection, on)}.get(item_id, 0) == value
    shop.assert_sound()


@pytest.mark.capability("S47")
@pytest.mark.capability("S49")
def test_a_valuation_that_left_its_stock_is_an_exception_worth_the_difference(fresh_shop: Shop) -> None:
    shop = fresh_shop
    item_id = shop.item(cost=20_000, north=10)
    assert drafts(shop, item_id) == []
    with gate_writing(shop.gate.engine) as connection:
        connection.execute(
            update(cost_balances).where(cost_balances.c.item_id == item_id).values(quantity=8, value=160_000)
        )
    (draft,) = drafts(shop, item_id)
    assert (draft.kind, draft.expected_loss) == ("valuation_difference", 40_000)
    assert {one["label"]: one["value"] for one in draft.evidence}["units in stock that are valued"] == "10"
    scan = RecordScan(scan_id=uuid4(), as_of=TODAY, kinds=SCANNED, drafts=(draft,))
    assert shop.run(scan)["opened"] == 1
    assert shop.run(scan.model_copy(update={"scan_id": uuid4()}))["unchanged"] == 1
    with reading(shop.gate.engine) as connection:
        assert [one.item_id for one in valuation_differences(connection)] == [item_id]


@pytest.mark.capability("S50")
def test_a_snapshot_of_a_third_party_changes_nothing_and_differences_beyond_tolerance_are_exceptions(
    shop: Shop,
) -> None:
    cup, spoon, plate = (shop.item(cost=30_000, south=units) for units in (100, 50, 5))
    shop.run(snapshot(shop, (cup, 95), (spoon, 51), (plate, 5)))
    assert (shop.at(cup, shop.south).available, shop.at(spoon, shop.south).available) == (100, 50)
    assert drafts(shop, spoon, plate) == []
    (draft,) = drafts(shop, cup)
    assert (draft.kind, draft.expected_loss) == ("snapshot_difference", 5 * 30_000)
    assert "3PL South reports 5 fewer" in draft.title
    with reading(shop.gate.engine) as connection:
        small = snapshot_differences(connection, shop.south, tolerated=True)
    assert {one.item_id: one.units for one in small if one.item_id in (cup, spoon)} == {cup: -5, spoon: 1}


@pytest.mark.capability("S50")
def test_a_snapshot_is_compared_with_the_ledger_of_its_day_and_the_latest_counts(shop: Shop) -> None:
    cup = shop.item(cost=30_000, south=40)
    day = shop.now.date()
    shop.later(1)
    shop.stock(cup, 60, shop.south)
    shop.run(snapshot(shop, (cup, 40), as_of=day))
    assert drafts(shop, cup) == []
    shop.run(snapshot(shop, (shop.item(south=1), 1)))
    (draft,) = drafts(shop, cup)
    assert "reports 100 fewer" in draft.title
    shop.later(1)
    shop.run(snapshot(shop, (cup, 100)))
    assert drafts(shop, cup) == []


@pytest.mark.capability("S50")
def test_a_snapshot_that_contradicts_itself_or_comes_from_the_future_is_refused(shop: Shop) -> None:
    cup = shop.item(south=4)
    assert shop.refused(snapshot(shop, (cup, 4), (cup, 5))).code == "repeated_item"
    assert shop.refused(snapshot(shop, (uuid4(), 4))).code == "not_found"
    assert shop.refused(snapshot(shop, (cup, 4), as_of=TODAY + timedelta(days=400))).code == "snapshot_ahead"
    once = snapshot(shop, (cup, 4))
    shop.run(once)
    assert shop.refused(once).code == "already_exists"
    with pytest.raises(ValueError, match="greater than or equal to 0"):
        ReportedLine(item_id=cup, quantity=-1)


@pytest.mark.capability("S50")
def test_a_difference_must_be_above_both_tolerances() -> None:
    assert not beyond(98, 100, 2, 1)
    assert beyond(97, 100, 2, 1)
    assert not beyond(995, 1_000, 2, 1)
    assert beyond(3, 0, 2, 1)
    assert not beyond(2, 0, 2, 1)
