"""Pure rules of returns."""

from __future__ import annotations

from itertools import product
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from erp_core.gate.contract import IllegalTransition
from erp_core.gate.statuses import StatusGraph, require_step
from erp_core.returns.commands.wishes import Condition, Disposition
from erp_core.returns.rules import (
    DISPOSITION_BY_CONDITION,
    DISPOSITION_STEPS,
    RETURN_STEPS,
    returnable,
    share_of,
)


@pytest.mark.parametrize("graph", [RETURN_STEPS, DISPOSITION_STEPS])
def test_a_return_takes_only_the_steps_of_its_graph(graph: StatusGraph) -> None:
    assert set().union(*graph.values()) <= set(graph)
    for current, target in product(graph, graph):
        if target in graph[current]:
            require_step(graph, current, target, "it")
        else:
            with pytest.raises(IllegalTransition):
                require_step(graph, current, target, "it")


@pytest.mark.capability("S121")
def test_every_condition_leads_to_a_disposition() -> None:
    assert set(DISPOSITION_BY_CONDITION) == set(get_args(Condition))
    assert set(DISPOSITION_BY_CONDITION.values()) == set(get_args(Disposition))


@given(shipped=st.integers(0, 1_000), returned=st.integers(0, 2_000))
def test_what_may_come_back_is_never_below_zero(shipped: int, returned: int) -> None:
    assert returnable(shipped, returned) == (shipped - returned if returned < shipped else 0)


@given(value=st.integers(0, 10**12), whole=st.integers(1, 1_000), data=st.data())
def test_a_share_is_exact_to_half_a_unit_of_money(value: int, whole: int, data: st.DataObject) -> None:
    part = data.draw(st.integers(0, whole))
    share = share_of(value, part, whole)
    assert share is not None and abs(share * whole - value * part) * 2 <= whole
    assert share_of(None, part, whole) is None
