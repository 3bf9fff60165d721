"""Data quality: named deductions, stored scores, and what may rest on them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from erp_core.gate.model import audit_entries
from erp_core.master.commands import (
    RecordDataQuality,
    SetItemUnit,
    SetMasterParameter,
    SetSupplierItem,
    SetSupplierPrice,
)
from erp_core.master.model import data_quality
from erp_core.master.queries.quality import (
    automation_allowed,
    in_words,
    list_quality,
    lowest_score,
    poor_among,
    quality_of,
)
from erp_core.master.queries.scoring import score_all
from erp_core.master.rules.parameters import PARAMETERS
from erp_core.master.rules.quality import (
    ItemFacts,
    Problem,
    SupplierFacts,
    item_problems,
    score_of,
    supplier_problems,
)
from erp_core.storage.engine import reading
from tests.master.market import active_supplier, document, offered, supplier
from tests.shop import MONDAY, Shop

TODAY = MONDAY.date()
VALUES = {name: one.value for name, one in PARAMETERS.items()}
SOUND: dict[str, Any] = {
    "base_unit": "piece",
    "category": "Kitchen",
    "standard_cost": 100,
    "list_price": 250,
    "lead_time_days": 14,
    "order_multiple": 12,
    "factors": (12,),
    "sources": 1,
    "prices": (100,),
    "expired": None,
}
FLAWS: dict[str, dict[str, Any]] = {
    "lead_time_missing": {"lead_time_days": None},
    "lead_time_implausible": {"lead_time_days": 0},
    "unit_missing": {"factors": (5,)},
    "category_missing": {"category": ""},
    "price_missing": {"prices": ()},
    "price_expired": {"prices": (), "expired": TODAY},
    "price_implausible": {"list_price": 99},
    "cost_missing": {"standard_cost": None},
    "supplier_missing": {"sources": 0, "prices": ()},
    "probable_duplicate": {"twin": "A-1"},
}


def scored(shop: Shop) -> dict[str, Any]:
    with reading(shop.gate.engine) as connection:
        found = tuple(score_all(connection, shop.now.date()))
    return shop.run(RecordDataQuality(scoring_id=uuid4(), as_of=shop.now.date(), scored=found))


def problems(shop: Shop, kind: Any, id_: UUID) -> dict[str, int]:
    with reading(shop.gate.engine) as connection:
        found = quality_of(connection, kind, [id_])[id_]
    assert found.score == max(0, 100 - sum(one.points for one in found.problems))
    return {one.name: one.points for one in found.problems}


@pytest.mark.capability("S18")
@pytest.mark.parametrize("name", FLAWS)
def test_each_flaw_of_an_item_takes_its_own_named_points(name: str) -> None:
    assert item_problems(ItemFacts(**SOUND), VALUES, None) == []
    found = item_problems(ItemFacts(**SOUND | FLAWS[name]), VALUES, None)
    assert [one.name for one in found] == [name]
    assert score_of(found) == 100 - VALUES[name]
    assert in_words(found[0])


@pytest.mark.capability("S18")
@given(
    flaws=st.sets(st.sampled_from(sorted(FLAWS))), more=st.sampled_from(sorted(FLAWS)), stale=st.booleans()
)
def test_a_score_lies_between_0_and_100_and_never_rises_with_a_flaw_more(
    flaws: set[str], more: str, stale: bool
) -> None:
    named = [Problem(name, VALUES[name]) for name in sorted(flaws)]
    score, worse = score_of(named), score_of([*named, Problem(more, VALUES[more])])
    assert 0 <= worse <= score <= 100
    facts: dict[str, Any] = dict(SOUND)
    for name in sorted(flaws):
        facts |= FLAWS[name]
    found = item_problems(ItemFacts(**facts), VALUES, "stock data end on 2026-01-01" if stale else None)
    assert 0 <= score_of(found) <= 100
    assert bool(found) == bool(flaws or stale)


def test_a_supplier_without_terms_or_valid_documents_loses_points() -> None:
    sound = SupplierFacts("DE", 30, "DAP", 14)
    assert supplier_problems(sound, VALUES, None) == []
    bare = SupplierFacts(None, 30, "DAP", 900, twin="V-2")
    found = [one.name for one in supplier_problems(bare, VALUES, "purchasing data end on 2026-01-01")]
    assert found == ["lead_time_implausible", "terms_missing", "probable_duplicate", "stale_feed"]


@pytest.mark.capability("S18")
def test_scores_of_items_and_suppliers_are_stored_with_their_problems_and_only_differences_written(
    fresh_shop: Shop,
) -> None:
    shop = fresh_shop
    supplier_id, good, poor = active_supplier(shop), shop.item(cost=None), shop.item()
    offered(shop, supplier_id, good, 100_000, lead_time_days=10, order_multiple=6)
    shop.run(SetItemUnit(item_id=good, unit="carton", factor=6))
    assert scored(shop)["changed"] == 3
    assert problems(shop, "item", good) == {"cost_missing": 10}
    assert problems(shop, "item", poor) == {"supplier_missing": 20, "cost_missing": 10}
    assert problems(shop, "supplier", supplier_id) == {}
    assert scored(shop)["changed"] == 0
    shop.later(1)
    shop.run(SetSupplierItem(supplier_id=supplier_id, item_id=poor, price=100_000, order_multiple=5))
    assert scored(shop)["changed"] == 1
    assert problems(shop, "item", poor) == {"cost_missing": 10, "unit_missing": 25}
    with reading(shop.gate.engine) as connection:
        since = dict(connection.execute(select(data_quality.c.record_id, data_quality.c.scored_on)).all())
        assert (since[good], since[poor]) == (TODAY, TODAY + timedelta(1))
        payload = connection.execute(
            select(audit_entries.c.payload).where(audit_entries.c.command == "RecordDataQuality")
        ).scalars()
        told = str(list(payload))
    assert "sha256" in told
    assert good.hex not in told.replace("-", "")


@pytest.mark.capability("S18")
def test_a_price_or_document_that_runs_out_lowers_the_score_from_that_day_on(fresh_shop: Shop) -> None:
    shop = fresh_shop
    draft, item_id = supplier(), shop.item()
    shop.run(draft)
    shop.run(document(draft.supplier_id, valid_to=TODAY + timedelta(40)))
    offered(shop, draft.supplier_id, item_id)
    shop.run(
        SetSupplierPrice(
            supplier_id=draft.supplier_id,
            item_id=item_id,
            price=100_000,
            valid_from=TODAY,
            valid_to=TODAY + timedelta(40),
            corrects=True,
        )
    )
    scored(shop)
    assert "price_expired" not in problems(shop, "item", item_id)
    shop.later(39)
    scored(shop)
    assert problems(shop, "supplier", draft.supplier_id) == {"documents_expiring": 5}
    shop.later(1)
    scored(shop)
    assert "price_expired" in problems(shop, "item", item_id)
    assert problems(shop, "supplier", draft.supplier_id) == {"documents_missing": 35}


@pytest.mark.capability("S18")
def test_a_feed_that_has_become_old_lowers_what_rests_on_it(fresh_shop: Shop) -> None:
    shop = fresh_shop
    item_id = shop.item(north=5)
    shop.later(VALUES["stale_feed_days"])
    scored(shop)
    assert "stale_feed" not in problems(shop, "item", item_id)
    shop.later(1)
    scored(shop)
    assert problems(shop, "item", item_id)["stale_feed"] == VALUES["stale_feed"]


@pytest.mark.capability("S18")
def test_automation_may_not_rest_on_a_record_below_the_threshold_or_never_scored(fresh_shop: Shop) -> None:
    shop = fresh_shop
    item_id = shop.item("Q-1")
    with reading(shop.gate.engine) as connection:
        assert automation_allowed(connection, [("item", item_id)]) == {("item", item_id): False}
        assert lowest_score(connection, [("item", item_id)]) is None
    scored(shop)
    with reading(shop.gate.engine) as connection:
        assert automation_allowed(connection, [("item", item_id)]) == {("item", item_id): True}
        assert lowest_score(connection, [("item", item_id), ("supplier", uuid4())]) == 70
        assert poor_among(connection, {"item": ["Q-1"]}) == []
    shop.run(SetMasterParameter(name="automation_quality", value=71))
    with reading(shop.gate.engine) as connection:
        assert automation_allowed(connection, [("item", item_id)]) == {("item", item_id): False}
        (found,) = poor_among(connection, {"item": ["Q-1", "Q-2"]})
        assert (found.code, found.score) == ("Q-1", 70)
        assert [one.code for one in list_quality(connection, "item", below=71)] == ["Q-1"]


def test_deductions_are_data(fresh_shop: Shop) -> None:
    shop = fresh_shop
    item_id = shop.item()
    shop.run(SetMasterParameter(name="supplier_missing", value=0))
    shop.run(SetMasterParameter(name="cost_missing", value=100))
    scored(shop)
    assert problems(shop, "item", item_id) == {"cost_missing": 100}
