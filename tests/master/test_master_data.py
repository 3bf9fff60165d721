from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest
from pydantic import ValidationError

from erp_core.gate.contract import Denied, Executed, Proposed, Submission
from erp_core.gate.principals import Principal
from erp_core.inventory.commands import PostOpeningStock, StockLine
from erp_core.master.commands import (
    ActivateItem,
    ActivateSupplier,
    AssignDataOwner,
    ChangeItem,
    CreateItem,
    CreateLocation,
    CreateSupplier,
    SetItemUnit,
    SetPlanningPolicy,
    SetSupplierItem,
)
from erp_core.master.queries import (
    Names,
    feeds,
    find_item,
    find_supplier,
    item_factors,
    list_items,
    list_locations,
    list_supplier_items,
)
from erp_core.master.queries.planning_policies import list_policies
from erp_core.master.queries.records import places_within
from erp_core.master.rules.planning_policies import Asked, PlanningPolicy, asked_of_places
from erp_core.master.virtual import LOSS
from erp_core.storage.engine import reading
from tests.shop import MONDAY, Shop


def draft(sku: str | None = None, **fields: object) -> CreateItem:
    values = {
        "item_id": uuid4(),
        "sku": sku or f"Tea-{uuid4().hex}",
        "item_name": "Tea",
        "category": "Drinks",
        "brand": "Acme",
    }
    return CreateItem.model_validate(values | {"base_unit": "piece"} | fields)


@pytest.mark.capability("S1")
def test_an_item_is_not_activated_while_mandatory_fields_are_missing(shop: Shop) -> None:
    item = draft(category="", base_unit="")
    shop.run(item)
    error = shop.refused(ActivateItem(item_id=item.item_id))
    assert error.code == "mandatory_field_missing"
    assert error.details["missing"] == ["category", "base_unit"]
    shop.run(ChangeItem(item_id=item.item_id, category="Drinks", base_unit="piece"))
    shop.run(ActivateItem(item_id=item.item_id))
    with reading(shop.gate.engine) as connection:
        found = find_item(connection, item.sku)
    assert found is not None
    assert (found.status, found.category) == ("active", "Drinks")


@pytest.mark.capability("S1")
def test_an_active_item_is_not_activated_again(shop: Shop) -> None:
    assert shop.refused(ActivateItem(item_id=shop.item())).code == "illegal_transition"


@pytest.mark.capability("S1")
def test_the_base_unit_of_an_active_item_is_fixed(shop: Shop) -> None:
    item_id = shop.item()
    assert shop.refused(ChangeItem(item_id=item_id, base_unit="kg")).code == "unit_in_use"
    shop.run(ChangeItem(item_id=item_id, item_name="Other", list_price=10_000))


@pytest.mark.capability("S7")
def test_a_sku_stands_for_one_item_whatever_its_case(shop: Shop) -> None:
    item = draft()
    shop.run(item)
    twin = shop.refused(draft(item.sku.upper()))
    assert twin.code == "already_exists"
    assert twin.field == "sku"


def test_the_twins_of_one_batch_are_refused_and_the_others_are_made(shop: Shop) -> None:
    item = draft()
    first, twin, other = shop.submit(item, draft(item.sku.upper()), draft())
    assert isinstance(first, Executed)
    assert isinstance(other, Executed)
    assert twin.error.code == "already_exists"


def test_stock_of_a_draft_is_not_booked(shop: Shop) -> None:
    item = draft()
    shop.run(item)
    lines = (StockLine(item_id=item.item_id, quantity=1),)
    error = shop.refused(PostOpeningStock(document_id=uuid4(), location_id=shop.north, lines=lines))
    assert error.code == "item_not_active"


@pytest.mark.capability("S2")
def test_units_of_an_item_are_kept_and_one_that_contradicts_the_base_unit_is_refused(shop: Shop) -> None:
    item_id = shop.item()
    shop.run(SetItemUnit(item_id=item_id, unit="carton", factor=12))
    shop.run(SetItemUnit(item_id=item_id, unit="carton", factor=24))
    assert shop.refused(SetItemUnit(item_id=item_id, unit="piece", factor=2)).code == "inconsistent_unit"
    with reading(shop.gate.engine) as connection:
        assert item_factors(connection, [item_id]) == {item_id: {"carton": 24}}


def supplier(**fields: object) -> CreateSupplier:
    values = {
        "supplier_id": uuid4(),
        "code": f"Acme-{uuid4().hex}",
        "supplier_name": "Acme",
        "currency": "EUR",
        "country": "DE",
    }
    terms = {"payment_days": 30, "delivery_terms": "DAP", "lead_time_days": 14}
    return CreateSupplier.model_validate(values | terms | fields)


@pytest.mark.capability("S6")
def test_a_supplier_becomes_active_only_when_someone_else_approves(
    shop: Shop, person: Callable[..., Principal]
) -> None:
    gate = shop.gate
    wanted = supplier()
    admin, buyer = person(gate, "admin"), person(gate, "manager")
    assert isinstance(gate.submit(wanted, admin, key="activation: create"), Executed)
    keeper = person(gate, "warehouse")
    assert isinstance(gate.submit(ActivateSupplier(supplier_id=wanted.supplier_id), keeper, key="a"), Denied)
    outcome = gate.submit(ActivateSupplier(supplier_id=wanted.supplier_id), buyer, key="b")
    assert isinstance(outcome, Proposed)
    with reading(gate.engine) as connection:
        found = find_supplier(connection, wanted.code.upper())
    assert found is not None
    assert found.status == "draft"


@pytest.mark.capability("S5")
@pytest.mark.capability("S8")
def test_what_a_supplier_asks_for_an_item_is_kept_and_the_preferred_one_comes_first(shop: Shop) -> None:
    item_id, first, second = shop.item(), supplier(), supplier()
    shop.run(first)
    shop.run(second)
    for one, rank in ((first, 2), (second, 1)):
        shop.run(SetSupplierItem(supplier_id=one.supplier_id, item_id=item_id, price=70_000, rank=rank))
    shop.run(
        SetSupplierItem(
            supplier_id=first.supplier_id,
            item_id=item_id,
            price=65_000,
            rank=2,
            minimum_quantity=24,
            order_multiple=12,
        )
    )
    with reading(shop.gate.engine) as connection:
        records = list_supplier_items(connection, on=shop.now.date(), item_ids=[item_id])
    assert [(one.supplier_id, one.price, one.order_multiple) for one in records] == [
        (second.supplier_id, 70_000, 1),
        (first.supplier_id, 65_000, 12),
    ]


def test_a_supply_record_of_an_unknown_item_is_refused(shop: Shop) -> None:
    one = supplier()
    shop.run(one)
    error = shop.refused(SetSupplierItem(supplier_id=one.supplier_id, item_id=uuid4(), price=1))
    assert (error.code, error.field) == ("not_found", "item_id")


@pytest.mark.capability("S16")
def test_a_planning_policy_is_kept_and_a_service_level_of_one_is_refused(shop: Shop) -> None:
    item_id = shop.item()
    policy = SetPlanningPolicy(item_id=item_id, location_id=shop.north, service_level="0.975", review_days=14)
    shop.run(policy)
    refusal = shop.refused(policy.model_copy(update={"service_level": "0.5"}))
    assert refusal.code == "service_level_out_of_range"
    (kept,) = policies(shop, item_id)
    assert (kept.item_id, kept.service_level, kept.review_days) == (item_id, 0.975, 14)


def policies(shop: Shop, item_id: UUID, on: date = MONDAY.date(), **fields: Any) -> list[PlanningPolicy]:
    with reading(shop.gate.engine) as connection:
        return [one.policy for one in list_policies(connection, on, item_id=item_id, **fields)]


@pytest.mark.capability("S16")
def test_planning_policies_count_by_day_and_channel_and_the_channels_own_goes_first(shop: Shop) -> None:
    item_id, june, july, autumn = shop.item(), date(2026, 6, 1), date(2026, 7, 1), date(2026, 9, 1)

    def level(value: str, **fields: Any) -> SetPlanningPolicy:
        return SetPlanningPolicy.model_validate(
            {"item_id": item_id, "location_id": shop.north, "service_level": value} | fields
        )

    shop.run(level("0.9"))
    shop.run(level("0.99", valid_from=july, valid_to=autumn, review_days=2))
    shop.run(level("0.8", channel_id=shop.web, review_days=30))
    counts = {
        day: {one.service_level for one in policies(shop, item_id, day)} for day in (june, july, autumn)
    }
    assert counts == {june: {0.9, 0.8}, july: {0.99, 0.8}, autumn: {0.9, 0.8}}
    (own,) = policies(shop, item_id, july, channel_id=shop.web)
    (common,) = policies(shop, item_id, july, channel_id=uuid4())
    assert (own.service_level, common.service_level) == (0.8, 0.99)
    assert asked_of_places(policies(shop, item_id, july)) == {(item_id, shop.north): Asked(0.99, 2)}
    assert policies(shop, item_id, date(2026, 5, 31)) == []

    inside = shop.refused(level("0.95", valid_from=date(2026, 8, 1)))
    assert (inside.code, inside.details["valid_from"]) == ("policy_overlap", july)
    assert shop.refused(level("0.95", valid_to=date(2026, 5, 1))).field == "valid_to"
    assert shop.refused(level("0.95", channel_id=uuid4())).code == "not_found"
    shop.run(level("0.97", valid_from=july, valid_to=autumn))
    assert {one.service_level for one in policies(shop, item_id, july)} == {0.97, 0.8}


@pytest.mark.capability("S16")
def test_a_policy_names_who_answers_for_it(fresh_shop: Shop) -> None:
    shop = fresh_shop
    item_id, other = shop.item(), shop.item()
    for one in (item_id, other):
        shop.run(SetPlanningPolicy(item_id=one, location_id=shop.north, service_level="0.9"))
    owner = shop.gate.bootstrap_user("ines", roles=("planner",))
    shop.run(AssignDataOwner(domain="planning_policies", record_id=item_id, user_id=owner.user_id))
    with reading(shop.gate.engine) as connection:
        found = {one.policy.item_id: one.owner for one in list_policies(connection, MONDAY.date())}
    assert found == {item_id: owner.login, other: None}


@pytest.mark.capability("S12")
def test_a_site_has_zones_and_a_zone_has_bins_of_a_kind_and_nothing_lies_within_a_bin(
    fresh_shop: Shop,
) -> None:
    shop = fresh_shop

    def place(code: str, kind: str, within: UUID | None) -> CreateLocation:
        return CreateLocation.model_validate(
            {
                "location_id": uuid4(),
                "code": f"{code}-{uuid4().hex[:6]}",
                "location_name": code,
                "kind": kind,
                "within_id": within,
            }
        )

    site = place("HUB", "hub", None)
    shop.run(site)
    front, back = (place(kind, kind, site.location_id) for kind in ("forward_pick", "reserve"))
    shop.run(front)
    shop.run(back)
    shelf = place("A-1", "forward_pick", front.location_id)
    shop.run(shelf)
    shop.stock(shop.item(), 4, shelf.location_id)
    with reading(shop.gate.engine) as connection:
        found = {one.id: (one.kind, one.within_id) for one in places_within(connection, site.location_id)}
    assert found == {
        front.location_id: ("forward_pick", site.location_id),
        back.location_id: ("reserve", site.location_id),
        shelf.location_id: ("forward_pick", front.location_id),
    }
    good = place("OTHER", "warehouse", None)
    deep, made, lost, virtual = shop.submit(
        place("A-1-1", "forward_pick", shelf.location_id),
        good,
        place("B", "reserve", uuid4()),
        place("C", "reserve", LOSS),
    )
    assert (deep.error.code, virtual.error.code, lost.error.code) == ("not_within", "not_within", "not_found")
    assert isinstance(made, Executed)
    for kind in ("forward_pick", "reserve"):
        with pytest.raises(ValidationError, match="within_id"):
            place("D", kind, None)
    with pytest.raises(ValidationError, match="kind"):
        place("E", "shelf", None)


@pytest.mark.capability("S12")
def test_the_virtual_locations_come_with_the_first_place_and_stay_out_of_lists(shop: Shop) -> None:
    with reading(shop.gate.engine) as connection:
        assert [place.code for place in list_locations(connection)] == ["NORTH", "SOUTH", "STORE"]
        assert len(list_locations(connection, physical=False)) == 4


def test_codes_are_found_exactly_first_and_in_any_case_when_only_one_fits(shop: Shop) -> None:
    item_id = shop.item("Mug-Blue")
    with reading(shop.gate.engine) as connection:
        found = find_item(connection, "MUG-blue")
        assert found is not None
        assert found.id == item_id
        assert find_item(connection, "mug") is None
        assert [one.sku for one in list_items(connection, text="blue")] == ["Mug-Blue"]
        names = Names.read(connection, items=[item_id], locations=[shop.north])
        assert (names.code(item_id), names.name(shop.north)) == ("Mug-Blue", "North")
        stranger = uuid4()
        assert names.code(stranger) == str(stranger)


def test_a_feed_exists_from_its_first_fact_and_only_grows(fresh_shop: Shop) -> None:
    shop = fresh_shop
    with reading(shop.gate.engine) as connection:
        assert feeds(connection) == {}
    item_id = shop.item(north=5)
    shop.later(3)
    shop.place((item_id, 1))
    shop.later(-1)
    shop.place((item_id, 1))
    with reading(shop.gate.engine) as connection:
        known = feeds(connection)
    assert set(known) == {"stock", "sales"}
    assert (known["sales"].first_on.day, known["sales"].last_on.day) == (3, 4)
    assert (known["stock"].first_on.day, known["stock"].last_on.day) == (1, 4)


def test_a_hundred_items_are_created_in_one_batch(shop: Shop) -> None:
    gate = shop.gate
    drafts = [draft() for _ in range(100)]
    outcomes = gate.submit_many([Submission(one, f"bulk-{one.sku}") for one in drafts], shop.principal)
    assert all(isinstance(one, Executed) for one in outcomes)
    with reading(gate.engine) as connection:
        assert len(list_items(connection, ids=[one.item_id for one in drafts])) == 100
