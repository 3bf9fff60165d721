"""Pure rules of the inbox."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from erp_core.exceptions.rules import CASE_STEPS, CaseKey, Finding, KnownCase, opens_again, scan_difference
from erp_core.gate.contract import IllegalTransition
from erp_core.gate.statuses import require_step

NOW = datetime(2026, 6, 30, tzinfo=UTC)
KINDS = ("stockout_risk", "overstock")

keys = st.tuples(st.sampled_from(KINDS), st.sampled_from("abcde"))
findings = st.builds(
    Finding,
    title=st.just("a case"),
    probability=st.just(0.5),
    deadline=st.sampled_from([NOW - timedelta(days=1), NOW + timedelta(days=1)]),
    expected_loss=st.sampled_from([100, 120, 126, 200]),
    residual_loss=st.just(0),
    action_cost=st.just(0),
    evidence=st.just("[]"),
    action=st.none(),
    caused_by=st.none(),
)
known_cases = st.builds(
    KnownCase,
    id=st.uuids(),
    status=st.sampled_from(["open", "assigned", "proposed", "snoozed"]),
    finding=findings,
    version=st.integers(1, 5),
    owner_id=st.none(),
    snoozed_until=st.sampled_from([NOW - timedelta(days=1), NOW + timedelta(days=1)]),
    dismissed=st.booleans(),
)


@pytest.mark.capability("S152")
def test_a_case_takes_only_the_steps_of_its_graph() -> None:
    assert set().union(*CASE_STEPS.values()) <= set(CASE_STEPS)
    for current, target in product(CASE_STEPS, CASE_STEPS):
        if target in CASE_STEPS[current]:
            require_step(CASE_STEPS, current, target, "it")
        else:
            with pytest.raises(IllegalTransition):
                require_step(CASE_STEPS, current, target, "it")


@given(
    known=st.dictionaries(keys, known_cases),
    found=st.dictionaries(keys, findings),
    kinds=st.sets(st.sampled_from(KINDS), min_size=1),
)
def test_a_scan_accounts_for_every_finding_and_closes_only_what_vanished(
    known: dict[CaseKey, KnownCase], found: dict[CaseKey, Finding], kinds: set[str]
) -> None:
    found = {key: finding for key, finding in found.items() if key[0] in kinds}
    difference = scan_difference(known, found, kinds, NOW)
    moved = {case.id for case, _ in difference.updated} | {case.id for case in difference.woken}
    assert len(difference.opened) + len(moved) + difference.unchanged + difference.dismissed == len(found)
    kept = {case.id for key, case in known.items() if key in found or key[0] not in kinds}
    assert kept.isdisjoint(closing.case.id for closing in difference.closed)
    for closing in difference.closed:
        assert closing.status in CASE_STEPS[closing.case.status]


def test_a_dismissed_case_opens_again_only_when_its_loss_grows_by_more_than_a_quarter() -> None:
    before = Finding("a case", 0.5, NOW, 100, 0, 0, "[]", None, None)
    assert not opens_again(before, before._replace(expected_loss=125))
    assert opens_again(before, before._replace(expected_loss=126))
    case = KnownCase(uuid4(), "resolved", before, 1, None, None, dismissed=True)
    again = {("overstock", "a"): before._replace(expected_loss=126)}
    difference = scan_difference({("overstock", "a"): case}, again, KINDS, NOW)
    assert (difference.opened, difference.forgotten) == ([("overstock", "a")], [case])
