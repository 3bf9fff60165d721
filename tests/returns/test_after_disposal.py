"""What returns leave behind: claims on suppliers, times, alerts, scores, and figures for who plans."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from erp_core.analytics.query import MetricQuery
from erp_core.analytics.run import run
from erp_core.exceptions.commands import RecordScan
from erp_core.finance.books import trial_balance
from erp_core.orders.commands import RegisterCustomer
from erp_core.procurement.books.reconciling import journal_differences
from erp_core.returns.commands import DisposeReturn, ReceiveReturn, SettleVendorClaim
from erp_core.returns.detecting import KINDS, return_drafts
from erp_core.returns.figures import time_to_stock, yields
from erp_core.returns.queries import list_vendor_claims, return_detail
from erp_core.returns.rules import LOOK_FROM, STRANDED_AFTER_DAYS, Behaviour, judge_risk
from erp_core.returns.rules.spikes import Cohorts, Counts, find_spikes
from erp_core.storage.types import money
from tests.conftest import TODAY

Shop = Any
NOW = datetime(TODAY.year, TODAY.month, TODAY.day, 9, tzinfo=UTC)


def days_ago(days: int) -> datetime:
    return NOW - timedelta(days=days)


def claims_of(shop: Shop, wanted: Any) -> list[Any]:
    lines = {line.return_line_id for line in wanted.lines}
    return [one for one in shop.read(list_vendor_claims) if one.return_line_id in lines]


@pytest.mark.capability("S122", "S131")
def test_what_goes_back_to_the_supplier_is_claimed_and_regained_only_when_it_is_credited(
    counter: Shop,
) -> None:
    wanted = counter.back(counter.sell(10), 4, condition="defective")
    pending = _accounts(counter)
    counter.do(DisposeReturn(return_id=wanted.return_id))
    assert _moved(pending, counter) == {"stock": -money(32), "claims_receivable": money(32)}
    assert counter.read(lambda c: journal_differences(c, TODAY)) == []
    (claim,) = claims_of(counter, wanted)
    assert (claim.status, claim.quantity, claim.expected, claim.supplier_id) == ("open", 4, money(32), None)
    assert _line(counter, wanted).recovered is None
    settle = SettleVendorClaim(claim_id=claim.id, credited=money(30), credit_note="CN-1")
    assert counter.refused(SettleVendorClaim(claim_id=uuid4(), credited=0), "finance")["code"] == "not_found"
    counter.do(settle, "finance")
    line = _line(counter, wanted)
    assert (line.recovered, line.written_off) == (money(30), money(2))
    settled = {"stock": -money(32), "supplier_credits": money(30), "stock_losses": money(2)}
    assert _moved(pending, counter) == settled
    assert counter.read(lambda c: journal_differences(c, TODAY)) == []
    assert counter.refused(settle, "finance")["code"] == "illegal_transition"


def _accounts(shop: Shop) -> dict[str, int]:
    return {one.code: one.balance for one in shop.read(lambda c: trial_balance(c, TODAY))}


def _moved(before: dict[str, int], shop: Shop) -> dict[str, int]:
    """What moved on accounts of goods and suppliers."""
    kept = ("stock", "claims_receivable", "supplier_credits", "stock_losses", "cost_of_goods_sold")
    after = _accounts(shop)
    moved = {code: after.get(code, 0) - before.get(code, 0) for code in kept}
    return {code: worth for code, worth in moved.items() if worth}


@pytest.mark.capability("S131")
def test_a_claim_the_supplier_refuses_regains_nothing(counter: Shop) -> None:
    wanted = counter.back(counter.sell(10), 4, condition="defective")
    counter.do(DisposeReturn(return_id=wanted.return_id))
    (claim,) = claims_of(counter, wanted)
    with pytest.raises(ValueError, match="credit note"):
        SettleVendorClaim(claim_id=claim.id, credited=money(30))
    counter.do(SettleVendorClaim(claim_id=claim.id, credited=0), "finance")
    line = _line(counter, wanted)
    assert (line.recovered, line.written_off) == (0, money(32))
    assert claims_of(counter, wanted)[0].status == "refused"


@pytest.mark.capability("S131")
def test_the_value_regained_is_a_metric_and_has_no_value_before_anything_is_decided(counter: Shop) -> None:
    def regained() -> tuple[Any, ...]:
        query = MetricQuery(
            metrics=("recovered_value", "write_off_value", "recovery_rate"),
            where=[{"dim": "item", "op": "eq", "values": [_sku(counter)]}],
            period={"start": TODAY, "end": TODAY},
        )
        rights = {"read_metrics", "see_cost"}
        result = counter.read(lambda c: run(c, query, today=TODAY, rights=rights, computed_at=NOW))
        return tuple(result.rows[0]) if result.rows else (None, None, None)

    sale = counter.sell(10)
    waiting = counter.back(sale, 4, condition="damaged_packaging")
    counter.do(DisposeReturn(return_id=waiting.return_id))
    assert regained() == (None, None, None)
    for condition in ("as_new", "damaged"):
        wanted = counter.back(sale, 3, condition=condition)
        counter.do(DisposeReturn(return_id=wanted.return_id))
    assert regained() == (Decimal(24), Decimal(24), Decimal("0.5"))


def _sku(shop: Shop) -> str:
    return f"MUG-{shop.items[0].hex[-6:]}"


def _line(shop: Shop, wanted: Any) -> Any:
    return shop.read(lambda c: return_detail(c, wanted.return_id)).lines[0]


def past(shop: Shop, sale: Any, *steps: tuple[str, int], condition: str = "as_new") -> Any:
    """A return that came back, was inspected and decided on so many days ago."""
    wanted = shop.authorise(sale, 2)
    commands = {
        "asked": wanted,
        "back": ReceiveReturn(return_id=wanted.return_id),
        "inspected": shop.inspection(wanted, condition),
        "decided": DisposeReturn(return_id=wanted.return_id),
    }
    for step, days in steps:
        shop.do(commands[step].model_copy(update={"occurred_at": days_ago(days)}), "simulator")
    return wanted


@pytest.mark.capability("S126")
def test_time_to_stock_counts_each_restocked_unit_and_no_data_is_no_value(counter: Shop) -> None:
    start, end = TODAY - timedelta(days=700), TODAY - timedelta(days=500)
    empty = counter.read(lambda c: time_to_stock(c, start, end, TODAY))
    assert (empty.restocked_units, empty.median_days, empty.p90_days) == (0, None, None)
    sale = counter.sell(10, occurred_at=days_ago(660))
    for days in (1, 3, 20):
        past(counter, sale, ("asked", 650), ("back", 640), ("inspected", 640), ("decided", 640 - days))
    other = ("asked", 650), ("back", 640), ("inspected", 640), ("decided", 600)
    past(counter, sale, *other, condition="damaged")
    told = counter.read(lambda c: time_to_stock(c, start, end, TODAY))
    assert (told.restocked_units, told.median_days, told.elsewhere_units) == (6, 3.0, 2)
    assert told.p90_days == pytest.approx(20.0)


@pytest.mark.capability("S126")
def test_goods_nobody_decides_on_become_a_case_and_leave_the_list_when_they_are(counter: Shop) -> None:
    sale = counter.sell(4, 4, occurred_at=days_ago(40))
    fresh = past(counter, sale, ("asked", 30), ("back", STRANDED_AFTER_DAYS))
    old = past(counter, sale, ("asked", 30), ("back", STRANDED_AFTER_DAYS + 1), ("inspected", 14))

    def found() -> dict[str, Any]:
        drafts, _ = counter.read(lambda c: return_drafts(c, TODAY))
        return {one.subject_key: one for one in drafts if one.kind == "return_uninspected"}

    assert str(fresh.return_id) not in found()
    case = found()[str(old.return_id)]
    assert case.expected_loss == money(16) * 2 // 100
    assert case.action["commands"][0]["command"] == "DisposeReturn"
    drafts, withheld = counter.read(lambda c: return_drafts(c, TODAY))
    scan = RecordScan(
        scan_id=uuid4(), as_of=TODAY, kinds=KINDS, drafts=tuple(drafts), withheld=tuple(withheld)
    )
    assert counter.do(scan, "simulator")["opened"] >= 1
    counter.do(DisposeReturn(return_id=old.return_id))
    assert str(old.return_id) not in found()


@pytest.mark.capability("S128")
def test_a_spike_of_returns_is_found_with_its_reason_and_a_steady_share_is_not(counter: Shop) -> None:
    cohorts = Cohorts.on(TODAY)
    before, lately = (TODAY - cohorts.before_to).days, (TODAY - cohorts.recent_to).days
    counter.sell(*[1] * 80, occurred_at=days_ago(before + 20))
    sale = counter.sell(*[1] * 20, occurred_at=days_ago(lately + 5))
    drafts, _ = counter.read(lambda c: return_drafts(c, TODAY))
    assert not [one for one in drafts if one.kind == "return_spike"]
    wanted = counter.authorise(replace(sale, line_ids=sale.line_ids[::2]), *[1] * 6)
    lines = tuple(line.model_copy(update={"reason_code": "defective"}) for line in wanted.lines)
    wanted = wanted.model_copy(update={"lines": lines, "occurred_at": days_ago(lately)})
    counter.do(wanted, "simulator")
    counter.do(ReceiveReturn(return_id=wanted.return_id, occurred_at=days_ago(lately)), "simulator")
    drafts, _ = counter.read(lambda c: return_drafts(c, TODAY))
    (spike,) = [one for one in drafts if one.kind == "return_spike"]
    assert ("item", counter.items[0]) in spike.subjects
    assert "6 of 10 lines came back, mostly defective" in spike.title
    assert spike.expected_loss == round(0.95 * 6 * money(20))


@pytest.mark.capability("S128")
def test_too_few_sales_are_not_judged_and_many_cells_raise_no_false_alarms() -> None:
    assert find_spikes([Counts(9, 9, 500, 0), Counts(500, 400, 29, 0)]) == []
    assert find_spikes([]) == []
    steady = [Counts(40, 2 + index % 3, 400, 30) for index in range(500)]
    assert find_spikes(steady) == []
    (alarm,) = find_spikes([*steady, Counts(40, 20, 400, 30)])
    assert alarm.cell == 500 and alarm.p_value < alarm.adjusted < 0.05


@given(counts=st.tuples(*(st.integers(0, 60) for _ in range(4))))
def test_a_spike_is_never_found_where_less_comes_back_than_before(counts: tuple[int, int, int, int]) -> None:
    shipped, returned, shipped_before, returned_before = counts
    one = Counts(shipped, min(returned, shipped), shipped_before, min(returned_before, shipped_before))
    for _ in find_spikes([one]):
        assert one.returned * one.shipped_before > one.returned_before * one.shipped


@pytest.mark.capability("S129")
def test_a_suspicious_return_says_why_is_let_in_and_waits_for_a_person(counter: Shop) -> None:
    ada = uuid4()
    counter.do(RegisterCustomer(customer_id=ada, code=f"C-{ada.hex[:8]}", country="Italy"), "service")
    sales = [counter.sell(2, customer_id=ada) for _ in range(4)]
    for sale in sales[:3]:
        counter.back(sale, 2, condition="damaged")
    last = counter.authorise(sales[3], 1)
    told = counter.do(last)
    assert told["risk_score"] == 80 >= LOOK_FROM
    assert told["risk_reasons"] == [
        "6 of 8 units bought in the last year came back before",
        "3 earlier lines said to be fine were found damaged or suspect",
        "3 other returns in the last 90 days",
    ]
    counter.receive(last)
    counter.do(counter.inspection(last, "as_new"))
    held = counter.proposed(DisposeReturn(return_id=last.return_id))
    assert held.policy == "disposition of a return that looks like abuse"
    counter.approve(held)
    assert _line(counter, last).disposition == "restock"


@pytest.mark.capability("S129")
def test_nothing_known_of_a_customer_is_no_reason_for_suspicion(counter: Shop) -> None:
    assert counter.do(counter.authorise(counter.sell(2), 1))["risk_score"] == 0
    unknown = Behaviour(None, None, None, None, None, 0, 0, money(1_000), None)
    assert judge_risk(unknown).reasons == ()


@given(
    st.builds(
        Behaviour,
        *(st.none() | st.integers(0, 50) for _ in range(5)),
        *(st.integers(0, 900) for _ in range(3)),
        st.none(),
    )
)
def test_a_score_is_the_sum_of_its_reasons_up_to_a_hundred(seen: Behaviour) -> None:
    risk = judge_risk(seen)
    assert risk.score == min(sum(one.points for one in risk.reasons), 100)
    assert all(one.points > 0 and one.text for one in risk.reasons)


@pytest.mark.capability("S130")
def test_what_comes_back_and_is_sold_again_is_known_to_who_plans(counter: Shop) -> None:
    sale = counter.sell(60, 60, occurred_at=days_ago(100))
    steps = ("asked", 80), ("back", 75), ("inspected", 75), ("decided", 74)
    for condition in ("as_new", "as_new", "as_new", "damaged", "damaged"):
        past(counter, sale, *steps, condition=condition)
    known = counter.read(lambda c: yields(c, TODAY))
    assert known[counter.items[0]].of_decided == pytest.approx(0.6)
    assert known[counter.items[0]].of_shipped is None, "under a hundred units shipped say nothing"
    assert counter.items[1] not in known
