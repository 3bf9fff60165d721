"""A contract that is called off too slowly, or that will be used up early, is a case for the buyer until it is put right."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from api.composition import make_gate
from erp_core.clock import Clock
from erp_core.exceptions.commands import ResolveCase
from erp_core.exceptions.draft import evidence_for
from erp_core.exceptions.model import case_subjects, cases
from erp_core.exceptions.playbooks import playbooks_for
from erp_core.exceptions.rules import CLOSED
from erp_core.procurement.commands import EndContract
from erp_core.procurement.contracts.rules import at_this_pace, is_behind, is_running_out
from erp_core.procurement.contracts.watching import CheckContracts, contracts_to_check
from erp_core.storage.types import money
from tests.procurement.conftest import TODAY, Company
from tests.procurement.test_contracts import agreed

HUNDRED_DAYS = TODAY + timedelta(days=100)


@pytest.fixture
def on_day(company: Company, tmp_path: Path) -> Any:
    """The company so many days later."""
    company.people["jobs"] = company.gate.bootstrap_user("watch", roles=("jobs",), kind="service")

    def later(days: int) -> Company:
        clock = Clock(fixed_business_date=TODAY + timedelta(days=days))
        return replace(company, gate=make_gate(company.gate.engine, clock, home=tmp_path))

    return later


def check(company: Company, days: int, due: bool = True) -> dict[str, Any]:
    today: date = TODAY + timedelta(days=days)
    assert company.read(lambda c: contracts_to_check(c, today)) is due
    told = company.do(CheckContracts(), "jobs")
    assert not company.read(lambda c: contracts_to_check(c, today)), "the same day again changes nothing"
    return told


def open_case(company: Company) -> Any:
    statement = select(cases).where(cases.c.status.not_in(CLOSED), cases.c.kind.like("contract%"))
    return company.read(lambda c: c.execute(statement).one_or_none())


def told(case: Any, label: str) -> str:
    (found,) = [one["value"] for one in case.evidence if one["label"].startswith(label)]
    return str(found)


@pytest.mark.capability("S87")
def test_a_contract_called_off_too_slowly_is_a_case_worth_what_will_be_left_until_it_catches_up(
    company: Company, on_day: Any
) -> None:
    contract = agreed(company, 1_000, valid_to=HUNDRED_DAYS)
    company.sent(200)
    assert check(on_day(45), 45, due=False) == {"alerts": 0, "settled": 0}
    late = on_day(50)
    assert check(late, 50) == {"alerts": 1, "settled": 0}
    case = open_case(company)
    assert (case.kind, case.deadline.date()) == ("contract_behind", HUNDRED_DAYS)
    assert case.title.endswith("20% called off from ACME in 50% of its time")
    assert case.expected_loss == money(8) * 600, "at this pace 400 of 1,000 will be called off"
    assert told(case, "LAMP-0: left") == "800" and told(case, "not called off when it ends") == "4800.00"
    assert not any("4800" in str(one["value"]) for one in evidence_for(case.evidence, {"read_records"}))
    subjects = company.read(
        lambda c: c.execute(
            select(case_subjects.c.subject_kind, case_subjects.c.subject_id).where(
                case_subjects.c.case_id == case.id
            )
        ).all()
    )
    assert set(map(tuple, subjects)) == {
        ("contract", contract.contract_id),
        ("supplier", company.supplier),
        ("item", company.item),
    }
    assert [one.owner for one in playbooks_for(case.kind)] == ["buyer"]
    check(on_day(60), 60)
    later = open_case(company)
    assert (later.id, later.version) == (case.id, 2), "the same case with the figures of the day"
    assert later.expected_loss == money(8) * (1_000 - 200 * 100 // 60)
    on_day(60).sent(200)
    assert check(on_day(60), 60) == {"alerts": 0, "settled": 1}
    assert open_case(company) is None


@pytest.mark.capability("S87")
@pytest.mark.parametrize("ending", ["ended early", "its last day"])
def test_the_case_of_a_contract_is_over_with_the_contract(company: Company, on_day: Any, ending: str) -> None:
    contract = agreed(company, None, agreed_value=money(1_000), valid_to=HUNDRED_DAYS)
    late = on_day(80)
    check(late, 80)
    assert open_case(company).expected_loss == money(1_000), "nothing was called off"
    if ending == "ended early":
        late.do(EndContract(contract_id=contract.contract_id, reason_code="better_price"))
        assert check(late, 80)["settled"] == 1
    else:
        assert check(on_day(99), 99)["settled"] == 0
        assert check(on_day(100), 100)["settled"] == 1
    assert open_case(company) is None


@pytest.mark.capability("S87")
@pytest.mark.parametrize("by_value", [False, True])
def test_a_contract_that_runs_out_early_is_a_case_worth_what_the_rest_costs_more(
    company: Company, on_day: Any, by_value: bool
) -> None:
    if by_value:
        agreed(company, None, agreed_value=money(8) * 100, valid_to=HUNDRED_DAYS)
    else:
        agreed(company, 100, valid_to=HUNDRED_DAYS)
    company.sent(60)
    assert check(on_day(9), 9, due=False)["alerts"] == 0, "too early to know the pace"
    check(on_day(20), 20)
    case = open_case(company)
    assert case.kind == "contract_running_out"
    assert case.expected_loss == money(2) * 200, "300 wanted at this pace, 100 agreed, 8 instead of 10"
    assert told(case, "dearer at the prices in force") == "400.00"
    assert check(on_day(35), 35) == {"alerts": 0, "settled": 1}, "its time caught up"


@pytest.mark.capability("S87")
def test_a_case_of_a_contract_that_a_buyer_dismissed_stays_closed_on_the_next_days(
    company: Company, on_day: Any
) -> None:
    agreed(company, 1_000, valid_to=HUNDRED_DAYS)
    check(on_day(50), 50)
    company.do(ResolveCase(case_id=open_case(company).id, resolution="accepted_risk"))
    assert check(on_day(70), 70, due=False) == {"alerts": 0, "settled": 0}
    assert open_case(company) is None


@given(st.integers(0, 100), st.integers(0, 200))
def test_no_contract_is_called_off_too_slowly_and_too_fast_at_once(passed: int, drawn: int) -> None:
    assert not (is_behind(passed, drawn) and is_running_out(passed, drawn))


@given(st.integers(0, 10_000), st.integers(1, 400), st.integers(0, 400))
def test_what_is_expected_at_the_end_is_never_less_than_what_was_called_off(
    called_off: int, gone: int, to_come: int
) -> None:
    assert at_this_pace(called_off, gone, gone + to_come) >= called_off
