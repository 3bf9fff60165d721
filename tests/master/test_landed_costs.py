"""Landed-cost components are master data, and their basis says how an amount is shared among the goods."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from erp_core.gate.contract import Proposed
from erp_core.master.commands import SetLandedCostComponent
from erp_core.master.queries.landed_costs import list_components
from erp_core.master.rules.landed_costs import BASES, COMPONENTS, BasisUnknown, Component, Goods, shares
from erp_core.storage.engine import reading
from tests.master.market import agree, ask
from tests.shop import Shop


@pytest.mark.capability("S14")
def test_components_come_with_a_basis_and_change_only_when_a_manager_agrees(fresh_shop: Shop) -> None:
    shop = fresh_shop

    def components() -> dict[str, Component]:
        with reading(shop.gate.engine) as connection:
            return list_components(connection)

    assert components() == COMPONENTS
    freight = SetLandedCostComponent(component="freight", component_name="Sea freight", basis="volume")
    assert isinstance(ask(shop, freight), Proposed)
    assert components()["freight"].basis == "weight"
    agree(shop, freight)
    agree(shop, SetLandedCostComponent(component="antidumping", component_name="Anti-dumping", basis="value"))
    agree(shop, SetLandedCostComponent(component="duty", component_name="Duty", basis="value", active=False))
    found = components()
    assert (found["freight"].basis, found["antidumping"].basis, found["duty"].active) == (
        "volume",
        "value",
        False,
    )
    goods = [Goods(10, 500, volume_mm3=1_000), Goods(10, 1_500, volume_mm3=3_000)]
    assert shares(1_001, found["freight"], goods) == (250, 751)
    assert shares(1_001, found["brokerage"], goods) == (250, 751)


@pytest.mark.capability("S14")
@pytest.mark.parametrize("basis", BASES)
def test_goods_of_which_the_basis_is_not_known_take_no_guessed_share(basis: str) -> None:
    known, nothing = Goods(4, 100, 50, 60), Goods(0, 0, 0, 0)
    unknown = Goods(0, None) if basis != "quantity" else nothing
    assert shares(7, Component("x", "X", basis), [known]) == (7,)
    with pytest.raises(BasisUnknown) as caught:
        shares(7, Component("x", "X", basis), [known, unknown] if basis != "quantity" else [nothing])
    assert caught.value.details == {"component": "x", "basis": basis}
    with pytest.raises(BasisUnknown):
        shares(7, Component("x", "X", basis), [])


@given(st.integers(-(10**9), 10**9), st.lists(st.integers(0, 10**6), min_size=1).filter(any))
def test_the_parts_of_an_amount_add_up_and_each_is_within_one_of_its_proportion_but_the_last(
    amount: int, values: list[int]
) -> None:
    parts = shares(amount, COMPONENTS["duty"], [Goods(1, value) for value in values])
    assert sum(parts) == amount
    assert all(part * amount >= 0 for part in parts)
    for part, value in zip(parts[:-1], values, strict=False):
        assert abs(part * sum(values) - amount * value) < sum(values)
