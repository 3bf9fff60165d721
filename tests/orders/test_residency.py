"""Personal data stays where the rules of its country keep it, and no longer than they allow."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from api.composition import make_gate
from erp_core.clock import Clock
from erp_core.gate.contract import Denied, Executed, Proposed
from erp_core.gate.decisions import ApproveProposal
from erp_core.integration.export import export_canonical
from erp_core.master.commands.residency import SetResidencyRule, SetRetentionRule
from erp_core.master.rules.residency import (
    DataStaysHere,
    ResidencyRule,
    check_any_leaving,
    check_leaving,
    kept_until,
)
from erp_core.orders.commands import ForgetCustomers, RegisterCustomer
from erp_core.orders.model import customers
from erp_core.storage.engine import reading
from tests.shop import Shop

LOCAL_ONLY = ResidencyRule("Germany", "model", ("local",), "works council agreement")
EVERYBODY = ResidencyRule("", "export", ("auditor",), "company policy")
GERMANY = ResidencyRule("Germany", "export", (), "law")


@pytest.mark.capability("S211")
def test_a_countrys_own_rule_counts_before_the_one_for_every_country() -> None:
    rules = [EVERYBODY, GERMANY]
    check_leaving(rules, "export", "auditor", ["France"])
    with pytest.raises(DataStaysHere, match="Germany may not go to auditor: law"):
        check_leaving(rules, "export", "auditor", ["France", "GERMANY".title()])
    with pytest.raises(DataStaysHere) as refused:
        check_leaving(rules, "export", "download", ["France"])
    assert refused.value.remedy == "it may go to: auditor"
    check_leaving(rules, "model", "anywhere.example", ["Germany"])
    check_leaving([], "export", "download", ["Germany"])


@pytest.mark.capability("S211")
def test_what_cannot_tell_countries_apart_must_suit_all_of_them() -> None:
    check_any_leaving([LOCAL_ONLY], "model", "local")
    with pytest.raises(DataStaysHere):
        check_any_leaving([LOCAL_ONLY], "model", "api.example.com")
    check_any_leaving([LOCAL_ONLY], "export", "download")


def test_data_is_kept_to_the_last_allowed_day() -> None:
    day = date(2026, 1, 1)
    assert kept_until({}, "Germany", day) is None
    assert kept_until({"": 30, "germany": 10}, "Germany", day) == date(2026, 1, 11)
    assert kept_until({"": 30}, "France", day) == date(2026, 1, 31)


Agree = Callable[[Any], None]


@pytest.fixture
def agree(fresh_shop: Shop) -> Agree:
    """A governed rule that the people agreed to."""
    people = {
        role: fresh_shop.gate.bootstrap_user(role, roles=(role,)) for role in ("admin", "manager", "finance")
    }

    def make(command: Any) -> None:
        proposed = fresh_shop.gate.submit(command, people["admin"], key=uuid4().hex)
        assert isinstance(proposed, Proposed), proposed
        approval = ApproveProposal(proposal_id=proposed.proposal_id, payload_hash=proposed.payload_hash)
        for role in ("manager", "finance"):
            outcome = fresh_shop.gate.submit(approval, people[role], key=uuid4().hex)
            assert isinstance(outcome, Executed), outcome

    return make


def customer(shop: Shop, country: str, *, name: str | None = "Erika Muster") -> UUID:
    id_ = uuid4()
    shop.run(
        RegisterCustomer(
            customer_id=id_, code=id_.hex, country=country, customer_name=name, email=name and "e@example.com"
        )
    )
    return id_


@pytest.mark.capability("S211")
def test_an_export_is_refused_where_a_rule_keeps_a_customers_data_here(
    fresh_shop: Shop, agree: Agree
) -> None:
    engine = fresh_shop.gate.engine
    agree(SetResidencyRule(country="Germany", channel="export", reason="data stays in the Union"))
    customer(fresh_shop, "France")
    customer(fresh_shop, "Germany", name=None)
    assert export_canonical(engine)
    customer(fresh_shop, "Germany")
    with pytest.raises(DataStaysHere, match="Germany may not go to download: data stays in the Union"):
        export_canonical(engine)
    agree(
        SetResidencyRule(
            country="Germany", channel="export", destinations=("download",), reason="agreed with the auditor"
        )
    )
    assert export_canonical(engine)


@pytest.mark.capability("S211")
def test_customers_are_forgotten_when_their_time_is_over(
    fresh_shop: Shop, agree: Agree, tmp_path: Path
) -> None:
    shop = fresh_shop
    item = shop.item(north=10)
    old, other, silent = customer(shop, "Germany"), customer(shop, "France"), customer(shop, "Germany")
    for one, country in ((old, "DE"), (other, "FR")):
        shop.place((item, 1), customer_id=one, customer_country=country)
    agree(SetRetentionRule(country="Germany", days=90, reason="law"))
    jobs = shop.gate.bootstrap_user("jobs", roles=("jobs",), kind="service")

    def forget(day: date) -> Any:
        gate = make_gate(shop.gate.engine, Clock(fixed_business_date=day), home=tmp_path)
        outcome = gate.submit(ForgetCustomers(), jobs, key=uuid4().hex)
        assert isinstance(outcome, Executed)
        return outcome.result["forgotten"]

    assert forget(date(2026, 8, 30)) == 0
    assert forget(date(2026, 8, 31)) == 1
    assert forget(date(2026, 8, 31)) == 0
    with reading(shop.gate.engine) as connection:
        rows = {row.id: row for row in connection.execute(select(customers))}
    assert (rows[old].name, rows[old].email, rows[old].country) == (None, None, "Germany")
    assert rows[other].name and rows[silent].name


def test_only_people_set_rules_on_personal_data(fresh_shop: Shop) -> None:
    service = fresh_shop.gate.bootstrap_user("robot", roles=("admin",), kind="service")
    command = SetResidencyRule(channel="export", destinations=("download",), reason="why not")
    assert isinstance(fresh_shop.gate.submit(command, service, key=uuid4().hex), Denied)
