"""Inventory classes follow from what items sell and are, and select replenishment, counts and approvals."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from erp_core.gate.contract import Executed, Proposed, Submission
from erp_core.gate.policies.commands import PolicyApprover, PolicyCondition, SaveApprovalPolicy
from erp_core.gate.policies.facts import INVENTORY_CLASSES
from erp_core.master.commands import (
    CreateItem,
    RecordItemClasses,
    SetBrand,
    SetClassPolicy,
)
from erp_core.master.queries import list_items
from erp_core.master.queries.classes import classes_of, selected_policies
from erp_core.master.rules.classes import CLASS_POLICIES, ITEM_CLASSES, Selling, classify, leading
from erp_core.master.rules.parameters import PARAMETERS
from erp_core.planning.classes import classify_items
from erp_core.storage.engine import reading
from tests.conftest import TODAY
from tests.master.market import active_supplier, agree, offered
from tests.shop import Shop

USUAL = {name: one.value for name, one in PARAMETERS.items()}


def record(shop: Shop, today: date = TODAY) -> dict[str, Any]:
    """Classify all and store it, as the job does."""
    with reading(shop.gate.engine) as connection:
        found = tuple(classify_items(connection, today))
    return shop.run(RecordItemClasses(classification_id=uuid4(), as_of=today, classified=found))


def classes(shop: Shop, *ids: UUID) -> list[tuple[str, ...]]:
    with reading(shop.gate.engine) as connection:
        found = classes_of(connection, ids)
    return [found[id_] for id_ in ids]


@pytest.mark.capability("S11")
def test_items_are_classified_by_sales_and_nature_and_only_differences_are_written(fresh_shop: Shop) -> None:
    shop = fresh_shop
    star, middling, rest, twin = (shop.item(north=500) for _ in range(4))
    for item, units in ((star, 85), (middling, 10), (rest, 2), (twin, 2)):
        shop.place((item, units))
    novelty = uuid4()
    shop.run(SetBrand(brand="House", private_label=True))
    named = {"item_name": "Novelty", "category": "Things", "brand": "House", "base_unit": "piece"}
    shop.run(CreateItem(item_id=novelty, sku="NOVEL", introduced_on=TODAY - timedelta(days=89), **named))
    offered(shop, active_supplier(shop, "product_conformity", segment="imported", code="FAR"), middling)
    first = record(shop)
    assert (first["classified"], first["changed"], first["abc_changed"]) == (5, 5, 4)
    assert classes(shop, star, middling, rest, twin, novelty) == [
        ("fast", "A"),
        ("imported", "B"),
        ("C",),
        ("C",),
        ("new", "private_label"),
    ], "nobody could have bought the novelty: it has no ABC class, and is not of class C"
    with reading(shop.gate.engine) as connection:
        stored = {item.id: item.abc_class for item in list_items(connection)}
    assert stored == {star: "A", middling: "B", rest: "C", twin: "C", novelty: None}
    again = record(shop)
    assert (again["changed"], again["abc_changed"]) == (0, 0)
    shop.place((rest, 400))
    assert record(shop)["changed"] >= 2
    assert classes(shop, rest, star) == [("fast", "A"), ("B",)]
    record(shop, TODAY + timedelta(days=1))
    assert classes(shop, novelty) == [("private_label", "C")], "ninety days are over, and nobody bought it"


@pytest.mark.capability("S11")
def test_without_sales_data_nothing_is_said_that_rests_on_sales(fresh_shop: Shop) -> None:
    item = fresh_shop.item()
    record(fresh_shop)
    assert classes(fresh_shop, item) == [()]


@pytest.mark.capability("S11")
def test_the_class_selects_service_review_and_count_until_the_policy_of_the_class_changes(
    fresh_shop: Shop,
) -> None:
    shop = fresh_shop
    star = shop.item(north=50)
    shop.place((star, 50))
    record(shop)

    def selected() -> Any:
        with reading(shop.gate.engine) as connection:
            return selected_policies(connection, [star])[star]

    usual = selected()
    assert (usual.service_level, usual.review_days, usual.count_days) == (0.98, 7, 30)
    assert set(usual.because.values()) == {"fast"}
    outcome = agree(shop, SetClassPolicy(item_class="A", rank=1, count_days=7))
    assert isinstance(outcome, Executed)
    changed = selected()
    assert (changed.service_level, changed.count_days) == (0.98, 7)
    assert dict(changed.because) == {"service_level": "fast", "review_days": "fast", "count_days": "A"}
    outcome = agree(shop, SetClassPolicy(item_class="A", rank=1, service_level="0.3"))
    assert isinstance(outcome, Executed)
    assert outcome.result["failed"]["code"] == "service_level_out_of_range"


@pytest.mark.capability("S11")
def test_an_approval_policy_may_ask_for_the_class_of_an_item(fresh_shop: Shop, person: Any) -> None:
    shop = fresh_shop
    star, rest = shop.item(north=500), shop.item(north=500)
    shop.place((star, 100))
    shop.place((rest, 1))
    record(shop)
    policy = SaveApprovalPolicy(
        policy_id=uuid4(),
        policy_name="every adjustment of class A",
        command="AdjustStock",
        conditions=(
            PolicyCondition(fact="via", among=("person",)),
            PolicyCondition(fact="cumulative_units", low=0),
            PolicyCondition(fact="written_off", low=0),
            PolicyCondition(fact="inventory_class", among=("A",)),
        ),
        approvers=(PolicyApprover(role="manager", people=1),),
    )
    judges = [person(shop.gate, role) for role in ("manager", "finance")]
    (asked,) = shop.gate.submit_many([Submission(policy, uuid4().hex)], person(shop.gate, "admin"))
    assert isinstance(asked, Proposed)
    from erp_core.gate.decisions import ApproveProposal

    for judge in judges:
        decision = ApproveProposal(proposal_id=asked.proposal_id, payload_hash=asked.payload_hash)
        assert isinstance(shop.gate.submit(decision, judge, key=uuid4().hex), Executed)
    keeper = person(shop.gate, "warehouse")
    outcomes = [shop.gate.submit(shop.adjust(item, 1), keeper, key=uuid4().hex) for item in (star, rest)]
    assert [type(one) for one in outcomes] == [Proposed, Executed]


@given(st.lists(st.integers(0, 30), min_size=1, max_size=25), st.integers(1, 99), st.randoms())
def test_who_leads_depends_on_sales_and_not_on_the_order_of_items(
    values: list[int], percent: int, random: Any
) -> None:
    ids = [UUID(int=number) for number in range(len(values))]
    sold = dict(zip(ids, values, strict=True))
    found = leading(sold, percent)
    shuffled = list(sold.items())
    random.shuffle(shuffled)
    assert leading(dict(shuffled), percent) == found
    least = min((sold[one] for one in found), default=None)
    assert (
        all((sold[one] >= least) == (one in found) for one in ids) if least is not None else not any(values)
    )
    assert sum(sold[one] for one in found) * 100 >= sum(values) * percent
    assert all(sold[one] > 0 for one in found)


@given(st.lists(st.integers(0, 100), min_size=12, max_size=12), st.integers(0, 11))
def test_a_season_may_lie_across_the_turn_of_the_year(months: list[int], turn: int) -> None:
    def seasonal(units: list[int]) -> bool:
        one = Selling(uuid4(), sum(units), sum(units), tuple(units), None, False, False)
        (found,) = classify([one], TODAY, USUAL, sales_known=True)
        return "seasonal" in found.classes

    assert seasonal(months) == seasonal(months[turn:] + months[:turn])
    assert not seasonal([7] * 12)
    assert not seasonal([0] * 12)
    assert seasonal([30, 0, 0, 0, 0, 0, 0, 0, 0, 0, 30, 30])


def test_what_policies_may_ask_for_are_the_classes_there_are() -> None:
    assert set(INVENTORY_CLASSES) == set(ITEM_CLASSES) == set(CLASS_POLICIES)
