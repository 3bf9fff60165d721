"""Pure rules: bounds, specificity, quorum, read-sets, canonical JSON."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID, uuid4

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from erp_core.gate.errors import NoPolicyMatches, PolicyTie
from erp_core.gate.policies.commands import default_commands
from erp_core.gate.policies.rules import (
    Condition,
    Given,
    Policy,
    match_policy,
    merge_approvers,
    missing_approvals,
)
from erp_core.gate.rules import payload_hash, read_set_changes, runs_out_soon
from erp_core.storage.types import canonical_json, money, money_text

DEFAULTS = [command.as_policy(1) for command in default_commands()]


@pytest.mark.capability("S78")
@pytest.mark.parametrize(
    ("amount", "approvers"),
    [
        ("2499.9999", ()),
        ("2500", (("manager", 1),)),
        ("24999.9999", (("manager", 1),)),
        ("25000", (("manager", 1), ("finance", 1))),
    ],
)
def test_purchase_limits_are_half_open_on_both_sides(
    amount: str, approvers: tuple[tuple[str, int], ...]
) -> None:
    facts = {"cumulative_amount": money(amount), "via": "person", "tainted": False}
    assert match_policy(DEFAULTS, "SubmitPurchaseOrder", facts).approvers == approvers


def test_an_agent_never_falls_under_a_rule_for_people() -> None:
    facts = {"cumulative_amount": money(10), "via": "agent", "tainted": False}
    assert match_policy(DEFAULTS, "SubmitPurchaseOrder", facts).approvers == (("manager", 1),)


def test_taint_raises_the_approval_tier() -> None:
    facts = {
        "cumulative_amount": money(10),
        "via": "agent",
        "tainted": True,
        "urgent": False,
        "supplier_new": False,
        "supplier_risk": "medium",
    }
    assert dict(match_policy(DEFAULTS, "SubmitPurchaseOrder", facts).approvers) == {
        "manager": 1,
        "finance": 1,
    }


def test_no_match_and_a_missing_fact_mean_refused() -> None:
    with pytest.raises(NoPolicyMatches):
        match_policy(DEFAULTS, "SubmitPurchaseOrder", {"via": "person"})
    with pytest.raises(NoPolicyMatches):
        match_policy(DEFAULTS, "PaySupplier", {"via": "person", "amount": 1})


def test_two_equally_specific_rules_are_an_error_not_a_guess() -> None:
    twins = [Policy(uuid4(), 1, name, "Pay", (Condition("amount", low=0),), (), 1) for name in ("a", "b")]
    with pytest.raises(PolicyTie):
        match_policy(twins, "Pay", {"amount": 5})


def own(person: UUID, role: str) -> Given:
    return Given(person, role, person)


def test_a_person_is_counted_for_one_role_only() -> None:
    ann, bob = uuid4(), uuid4()
    asked = (("finance", 1), ("manager", 2))
    assert missing_approvals(asked, []) == {"finance": 1, "manager": 2}
    twice = [own(ann, "manager"), own(ann, "manager"), own(ann, "finance")]
    assert missing_approvals(asked, twice) == {"finance": 1, "manager": 1}
    three = [own(ann, "manager"), own(bob, "manager"), own(uuid4(), "finance")]
    assert missing_approvals(asked, three) == {}


def test_who_lends_a_right_and_who_borrows_it_count_as_one_person() -> None:
    ann, bob = uuid4(), uuid4()
    lent = Given(bob, "manager", ann)
    assert missing_approvals((("manager", 2),), [own(ann, "manager"), lent]) == {"manager": 1}
    assert missing_approvals((("manager", 1), ("finance", 1)), [lent, own(bob, "finance")]) == {"finance": 1}


def test_several_policies_ask_together_for_the_larger_number_of_each_role() -> None:
    merged = merge_approvers([[("manager", 1)], [("manager", 2), ("finance", 1)]])
    assert dict(merged) == {"manager": 2, "finance": 1}


def test_a_read_set_may_move_within_its_tolerance_only() -> None:
    then = [{"fact": "price", "value": 100, "tolerance": 5}, {"fact": "status", "value": "active"}]
    assert (
        read_set_changes(then, [{"fact": "price", "value": 105}, {"fact": "status", "value": "active"}]) == []
    )
    changed = read_set_changes(
        then, [{"fact": "price", "value": 106}, {"fact": "status", "value": "blocked"}]
    )
    assert changed == [
        {"fact": "price", "then": 100, "now": 106},
        {"fact": "status", "then": "active", "now": "blocked"},
    ]
    assert read_set_changes(then, [{"fact": "price", "value": 100}])[0]["now"] is None


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.text(st.characters(exclude_categories=("Cs",)), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text("abcXYZ_", max_size=6), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(json_values)
def test_canonical_json_is_what_the_published_standard_asks_for(value: object) -> None:
    assert canonical_json(value).encode() == rfc8785.dumps(value)  # type: ignore[arg-type]
    assert payload_hash(value) == payload_hash(json.loads(canonical_json(value)))


def test_what_json_does_not_have_is_refused_where_things_are_hashed() -> None:
    with pytest.raises(ValueError, match="canonical JSON"):
        canonical_json({"amount": Decimal("0.1")})


@given(st.integers(-(10**15), 10**15))
def test_money_survives_its_text_form_exactly(amount: int) -> None:
    assert money(money_text(amount)) == amount


def test_an_amount_finer_than_a_ten_thousandth_is_refused() -> None:
    with pytest.raises(ValueError, match="four decimals"):
        money("0.00001")


def test_a_proposal_runs_out_soon_in_the_last_third_of_its_time_but_a_day_at_most() -> None:
    made = datetime(2026, 6, 30, 9, tzinfo=UTC)
    for hours, left, soon in (
        (72, 25, False),
        (72, 24, True),
        (6, 3, False),
        (6, 2, True),
        (2_160, 25, False),
    ):
        end = made + timedelta(hours=hours)
        assert runs_out_soon(made, end, end - timedelta(hours=left)) is soon, (hours, left)
    assert runs_out_soon(made, made + timedelta(hours=6), made + timedelta(days=9)), "past its end"
