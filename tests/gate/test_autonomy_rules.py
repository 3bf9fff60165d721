"""Rules of autonomy: the lowest level counts, caps hold to the last ten-thousandth, acting is earned."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from erp_core.gate.autonomy.permit import scopes_of
from erp_core.gate.autonomy.rules import (
    COMPANY,
    LEVELS,
    CapExceeded,
    Level,
    Limits,
    NotEarned,
    Record,
    Scope,
    Used,
    check_caps,
    check_earned,
    level_of,
    rank,
    shortfalls,
)

FACTS = {"category": ["Garden"], "supplier": "ACME", "supplier_group": "domestic", "warehouse": "MAIN"}
ALL: dict[Scope, Level] = {
    ("category", "Garden"): "act",
    ("supplier", "ACME"): "act",
    ("warehouse", "MAIN"): "act",
}


@pytest.mark.capability("S158")
def test_act_needs_the_category_the_supplier_and_the_warehouse_by_name() -> None:
    assert level_of(ALL, scopes_of(FACTS)).level == "act"
    for missing in ALL:
        rest = {scope: level for scope, level in ALL.items() if scope != missing}
        assert level_of(rest, scopes_of(FACTS)).level == "propose"
        assert level_of(rest | {COMPANY: "act"}, scopes_of(FACTS)).level == "propose"


def test_the_company_is_a_ceiling_over_every_scope() -> None:
    assert level_of(ALL | {COMPANY: "recommend"}, scopes_of(FACTS)).level == "recommend"
    assert level_of({COMPANY: "see"}, scopes_of(FACTS)).why == "company is at see"


@pytest.mark.capability("S158")
def test_a_supplier_group_and_a_channel_hold_back_like_any_other_scope() -> None:
    assert level_of(ALL | {("supplier_group", "domestic"): "alert"}, scopes_of(FACTS)).level == "alert"
    group = {scope: level for scope, level in ALL.items() if scope[0] != "supplier"}
    group[("supplier_group", "domestic")] = "act"
    assert level_of(group, scopes_of(FACTS)).level == "act"
    assert level_of(ALL, scopes_of(FACTS | {"channel": "WEB"})).level == "propose"


def test_what_the_facts_do_not_name_has_no_level_of_its_own() -> None:
    assert level_of(ALL, scopes_of({"category": ["Garden"], "supplier": "ACME"})).level == "propose"
    assert level_of(ALL, scopes_of({})).level == "propose"


def test_of_several_categories_the_most_careful_counts() -> None:
    levels = ALL | {("category", "Toys"): "recommend"}
    applied = level_of(levels, scopes_of(FACTS | {"category": ["Garden", "Toys"]}))
    assert (applied.level, applied.scope) == ("recommend", ("category", "Toys"))


@given(
    st.dictionaries(
        st.sampled_from([COMPANY, *ALL, ("supplier_group", "domestic"), ("category", "Other")]),
        st.sampled_from(LEVELS),
    ),
    st.sampled_from(["act", "propose"]),
)
def test_no_row_ever_raises_the_level_above_another_scopes(levels: dict[Scope, Level], extra: Level) -> None:
    applied = level_of(levels, scopes_of(FACTS))
    for scope in (COMPANY, *ALL):
        if scope in levels:
            assert rank(applied.level) <= rank(levels[scope])
    if not all(scope in levels for scope in (("category", "Garden"), ("warehouse", "MAIN"))):
        assert rank(applied.level) <= rank("propose")


LIMITS = Limits(order_amount=100, category_day_amount=150, day_orders=3, day_amount=200)


@pytest.mark.capability("S208")
@pytest.mark.parametrize(
    ("used", "order", "limit"),
    [
        (Used(), {"A": 100}, None),
        (Used(), {"A": 101}, "amount per order"),
        (Used(), {"A": 60, "B": 41}, "amount per order"),
        (Used(2, 100, {"A": 100}), {"B": 100}, None),
        (Used(2, 101, {"A": 101}), {"B": 100}, "amount per day"),
        (Used(1, 60, {"A": 60}), {"A": 90}, None),
        (Used(1, 61, {"A": 61}), {"A": 90}, "amount per day in A"),
        (Used(2, 0), {"A": 1}, None),
        (Used(3, 0), {"A": 1}, "orders per day"),
    ],
)
def test_a_cap_may_be_reached_and_not_passed(used: Used, order: dict[str, int], limit: str | None) -> None:
    if limit is None:
        check_caps(LIMITS, used, order)
        return
    with pytest.raises(CapExceeded) as refused:
        check_caps(LIMITS, used, order)
    assert refused.value.details["limit"] == limit


NEEDED = Limits(minimum_decided=20, accepted_percent=90, minimum_judged=10, good_percent=80)


@pytest.mark.parametrize(
    ("record", "short"),
    [
        (Record(20, 18, 10, 8), []),
        (Record(19, 19, 10, 10), ["19 of at least 20 recommendations decided"]),
        (Record(20, 17, 10, 10), ["17 of 20 accepted"]),
        (Record(20, 20, 9, 9), ["9 of at least 10 outcomes measured"]),
        (Record(20, 20, 10, 7), ["7 of 10 turned out well"]),
        (Record(), ["0 of at least 20", "0 of at least 10"]),
    ],
)
def test_acting_is_earned_by_figures_and_a_refusal_names_them(record: Record, short: list[str]) -> None:
    if not short:
        check_earned(("category", "Garden"), record, NEEDED)
        return
    with pytest.raises(NotEarned) as refused:
        check_earned(("category", "Garden"), record, NEEDED)
    assert all(part in refused.value.message for part in short)


def test_a_share_of_nothing_is_no_shortfall() -> None:
    assert shortfalls(Record(), NEEDED) == []
