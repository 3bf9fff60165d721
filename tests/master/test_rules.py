from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from erp_core.gate.contract import IllegalTransition
from erp_core.gate.statuses import StatusGraph, require_step
from erp_core.inventory.rules import RESERVATION_STATUSES
from erp_core.master.rules import (
    ITEM_STATUSES,
    SUPPLIER_STATUSES,
    InexactConversion,
    UnknownUnit,
    from_base_units,
    to_base_units,
)
from erp_core.orders.rules import ORDER_STATUSES, PICK_STATUSES

GRAPHS = {
    "item": ITEM_STATUSES,
    "supplier": SUPPLIER_STATUSES,
    "order": ORDER_STATUSES,
    "pick list": PICK_STATUSES,
    "reservation": RESERVATION_STATUSES,
}


@pytest.mark.parametrize("graph", GRAPHS.values(), ids=GRAPHS)
def test_a_status_takes_the_steps_of_its_graph_and_no_other(graph: StatusGraph) -> None:
    for current in graph:
        for target in graph:
            if target in graph[current]:
                require_step(graph, current, target, "it")
            else:
                with pytest.raises(IllegalTransition):
                    require_step(graph, current, target, "it")


@pytest.mark.parametrize("graph", GRAPHS.values(), ids=GRAPHS)
def test_every_step_leads_to_a_declared_status(graph: StatusGraph) -> None:
    assert {target for targets in graph.values() for target in targets} <= set(graph)


@pytest.mark.capability("S2")
@given(quantity=st.integers(1, 10**9), factor=st.integers(1, 10**4))
def test_a_quantity_converts_to_base_units_and_back_without_loss(quantity: int, factor: int) -> None:
    base = to_base_units(quantity, "carton", "piece", {"carton": factor})
    assert base == quantity * factor
    assert from_base_units(base, "carton", "piece", {"carton": factor}) == quantity


@pytest.mark.capability("S2")
@given(cartons=st.integers(0, 10**6), factor=st.integers(2, 10**4), data=st.data())
def test_a_quantity_that_is_no_whole_number_of_the_unit_is_refused_and_never_rounded(
    cartons: int, factor: int, data: st.DataObject
) -> None:
    rest = data.draw(st.integers(1, factor - 1))
    with pytest.raises(InexactConversion) as refusal:
        from_base_units(cartons * factor + rest, "carton", "piece", {"carton": factor})
    assert str(factor) in refusal.value.remedy


@pytest.mark.capability("S2")
def test_a_unit_without_a_conversion_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UnknownUnit) as refusal:
        to_base_units(3, "pallet", "piece", {"carton": 12})
    assert "piece, carton" in refusal.value.remedy
