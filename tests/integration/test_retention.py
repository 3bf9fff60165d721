"""Records are kept as long as rules and legal holds say, whoever wants them gone."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from api.composition import make_gate
from erp_core.clock import Clock
from erp_core.gate.audit.accounts import unaccounted
from erp_core.gate.contract import Command, Denied, Executed, Outcome, Proposed, Refused
from erp_core.gate.decisions import ApproveProposal
from erp_core.gate.principals import Principal
from erp_core.gate.submission import Gate
from erp_core.integration.disposal import DisposeRecords, retention_due
from erp_core.inventory.months import MonthInUse, NotPartitioned, open_months, retire_months
from erp_core.master.commands import (
    AddTradeDocument,
    HoldRecords,
    ReleaseRecords,
    SetRecordRetention,
    SetTaxRule,
)
from erp_core.master.model_trade import trade_documents
from erp_core.master.rules.retention import LegalHold, Retention, RetentionRule
from erp_core.orders.commands import EraseCustomer, ForgetCustomers, RegisterCustomer
from erp_core.orders.model import customers
from erp_core.storage.engine import reading, writing
from tests.shop import MONDAY, Shop
from tests.shop_fixtures import fresh_shop as fresh_shop

LONG_AGO = date(2000, 1, 1)


class Office:
    """The people who decide about records, on any business day."""

    def __init__(self, shop: Shop, home: Path) -> None:
        self.shop, self._home = shop, home
        self.on(date(2026, 6, 30))

    def on(self, day: date) -> Office:
        self.day = day
        self.gate: Gate = make_gate(self.shop.gate.engine, Clock(fixed_business_date=day), home=self._home)
        return self

    def person(self, role: str) -> Principal:
        return self.gate.bootstrap_user(role, roles=(role,))

    def submit(self, command: Command, role: str = "admin") -> Outcome:
        return self.gate.submit(command, self.person(role), key=uuid4().hex)

    def agreed(self, command: Command) -> dict[str, Any]:
        """What became of a command that a manager and finance agreed to."""
        outcome = self.submit(command)
        assert isinstance(outcome, Proposed), outcome
        for role in ("manager", "finance"):
            yes = ApproveProposal(proposal_id=outcome.proposal_id, payload_hash=outcome.payload_hash)
            answer = self.submit(yes, role)
            assert isinstance(answer, Executed), answer
        return dict(answer.result.get("results", [answer.result])[0])

    def keep(self, record_class: Any, years: int, **fields: Any) -> None:
        wanted = {"valid_from": LONG_AGO, "reason": "Tax law"} | fields
        result = self.agreed(SetRecordRetention(record_class=record_class, years=years, **wanted))
        assert "failed" not in result

    def forget(self) -> int:
        jobs = self.gate.bootstrap_user("jobs", roles=("jobs",), kind="service")
        outcome = self.gate.submit(ForgetCustomers(), jobs, key=uuid4().hex)
        assert isinstance(outcome, Executed), outcome
        return int(outcome.result["forgotten"])

    def due(self) -> dict[str, Any]:
        with reading(self.gate.engine) as connection:
            return {one.record_class: one for one in retention_due(connection, self.day)}


@pytest.fixture
def office(fresh_shop: Shop, tmp_path: Path) -> Office:
    return Office(fresh_shop, tmp_path)


def customer(shop: Shop) -> UUID:
    id_ = uuid4()
    shop.run(
        RegisterCustomer(
            customer_id=id_, code=id_.hex[:8], country="DE", customer_name="Ada", email="a@b.example"
        )
    )
    return id_


def known(shop: Shop, id_: UUID) -> tuple[Any, Any]:
    with reading(shop.gate.engine) as connection:
        row = connection.execute(select(customers).where(customers.c.id == id_)).one()
    return row.name, row.email


@pytest.mark.capability("S118")
def test_a_customer_who_wants_to_be_forgotten_is_named_as_long_as_the_invoice_is_kept_and_not_a_day_longer(
    office: Office,
) -> None:
    shop = office.shop
    item, buyer, visitor = shop.item(north=9), customer(shop), customer(shop)
    rule = SetTaxRule(
        rule_id=uuid4(), rule_name="VAT", treatment="taxed", rate=190_000, valid_from=MONDAY.date()
    )
    asked = office.submit(rule, "finance")
    assert isinstance(asked, Proposed)
    yes = ApproveProposal(proposal_id=asked.proposal_id, payload_hash=asked.payload_hash)
    assert isinstance(office.submit(yes, "manager"), Executed)
    office.keep("sales_document", 10)
    shop.ship(shop.place((item, 1), customer_id=buyer))
    result = shop.run(EraseCustomer(customer_id=buyer))
    assert result == {"erased": False, "on_hold": False, "name_kept_until": "2037-01-01"}
    assert known(shop, buyer) == ("Ada", None)
    assert shop.run(EraseCustomer(customer_id=visitor))["erased"] is True
    assert known(shop, visitor) == (None, None)
    assert office.on(date(2036, 12, 31)).forget() == 0
    assert office.on(date(2037, 1, 1)).forget() == 1
    assert known(shop, buyer) == (None, None)
    assert office.forget() == 0


@pytest.mark.capability("S118")
def test_a_legal_hold_keeps_all_of_a_customer_until_it_is_released(office: Office) -> None:
    shop = office.shop
    item, buyer = shop.item(north=9), customer(shop)
    shop.place((item, 1), customer_id=buyer)
    hold = HoldRecords(hold_id=uuid4(), record_id=buyer, reason="Court case 7")
    assert isinstance(office.submit(hold, "finance"), Executed)
    again = office.submit(hold.model_copy(), "finance")
    assert isinstance(again, Refused) and again.error.code == "already_exists"
    assert shop.run(EraseCustomer(customer_id=buyer))["on_hold"] is True
    assert office.forget() == 0 and known(shop, buyer) == ("Ada", "a@b.example")
    office.keep("customer", 1, basis="date")
    office.on(date(2030, 1, 1))
    refused = office.agreed(DisposeRecords(record_class="customer", before=date(2029, 1, 1)))
    assert "on_legal_hold" in str(refused["failed"])
    assert (office.due()["customer"].held, office.due()["customer"].records) == (1, 0)
    released = ReleaseRecords(hold_id=hold.hold_id, reason="Settled")
    assert "failed" not in office.agreed(released)
    assert "illegal_transition" in str(office.agreed(released)["failed"])
    assert office.forget() == 1 and known(shop, buyer) == (None, None)


@pytest.mark.capability("S118")
def test_what_falls_due_is_listed_by_class_and_disposing_refuses_what_a_rule_keeps_or_none_is_about(
    office: Office,
) -> None:
    shop, item = office.shop, office.shop.item(north=9)
    paper = AddTradeDocument(
        document_id=uuid4(),
        kind="import_licence",
        number="IL-7",
        issuer="Customs",
        valid_from=date(2020, 1, 1),
        valid_to=date(2021, 3, 1),
        file_sha256="c" * 64,
        subject_kind="item",
        subject_id=item,
    )
    shop.run(paper)
    wish = DisposeRecords(record_class="trade_document", before=date(2022, 1, 1))
    assert office.due()["trade_document"].unruled == 1
    assert "no_retention_rule" in str(office.agreed(wish)["failed"])
    office.keep("trade_document", 6, basis="date")
    assert (office.due()["trade_document"].kept, office.due()["trade_document"].records) == (1, 0)
    office.on(date(2027, 2, 28))
    assert "under_retention" in str(office.agreed(wish)["failed"])
    office.on(date(2027, 3, 1))
    listed = office.due()["trade_document"]
    assert (listed.records, listed.oldest, listed.kept) == (1, date(2021, 3, 1), 0)
    early = DisposeRecords(record_class="trade_document", before=date(2021, 3, 1))
    assert office.agreed(early)["disposed"] == 0
    assert office.agreed(wish)["disposed"] == 1
    with reading(office.gate.engine) as connection:
        row = connection.execute(select(trade_documents)).one()
        assert list(unaccounted(connection)) == []
    assert (row.number, row.file_sha256, row.disposed_on) == ("", "", date(2027, 3, 1))
    assert office.due()["trade_document"].records == 0
    for kept in ("journal_entry", "stock_move"):
        refused = office.agreed(DisposeRecords(record_class=kept, before=date(2022, 1, 1)))
        assert "cannot_be_disposed" in str(refused["failed"])


@pytest.mark.capability("S118")
def test_only_people_decide_how_long_records_are_kept_and_two_agree(office: Office) -> None:
    wish = SetRecordRetention(record_class="stock_move", years=3, valid_from=LONG_AGO, reason="Tax law")
    asked = office.submit(wish)
    assert isinstance(asked, Proposed)
    yes = ApproveProposal(proposal_id=asked.proposal_id, payload_hash=asked.payload_hash)
    answer = office.submit(yes, "manager")
    assert isinstance(answer, Executed) and answer.result["status"] == "pending"
    robot = office.gate.bootstrap_user("robot", roles=("admin",), kind="service")
    assert isinstance(office.gate.submit(wish, robot, key=uuid4().hex), Denied)


@pytest.mark.capability("S118")
def test_months_of_the_ledger_are_not_retired_while_a_rule_or_a_hold_keeps_them(office: Office) -> None:
    engine = office.gate.engine
    if engine.dialect.name == "sqlite":
        with pytest.raises(NotPartitioned), writing(engine) as connection:
            retire_months(connection, date(2026, 7, 1), datetime(2028, 6, 30, tzinfo=UTC))
        return
    office.shop.item(north=3)
    office.keep("stock_move", 2, basis="date")
    hold = HoldRecords(hold_id=uuid4(), record_class="stock_move", to_day=date(2026, 7, 1), reason="Audit")
    assert isinstance(office.submit(hold), Executed)

    def retire(now: datetime) -> int:
        with writing(engine) as connection:
            return retire_months(connection, date(2026, 7, 1), now).moves

    with writing(engine) as connection:
        open_months(connection, date(2026, 6, 1), date(2026, 7, 1))
    with pytest.raises(MonthInUse, match="legal hold keeps 2026-06: Audit"):
        retire(datetime(2028, 6, 30, tzinfo=UTC))
    assert "failed" not in office.agreed(ReleaseRecords(hold_id=hold.hold_id, reason="Audited"))
    with pytest.raises(MonthInUse, match="kept up to 2028-06-30"):
        retire(datetime(2028, 6, 29, tzinfo=UTC))
    assert retire(datetime(2028, 6, 30, tzinfo=UTC)) == 1
    office.shop.assert_sound()


def rule(version: int, valid_from: date, years: int, basis: str = "date") -> RetentionRule:
    return RetentionRule("sales_document", version, valid_from, years, basis, "law")


@pytest.mark.capability("S118")
def test_the_rule_of_a_records_day_counts_from_its_first_day_on_and_its_newest_version() -> None:
    turn = date(2026, 7, 1)
    retention = Retention([rule(1, LONG_AGO, 10), rule(2, turn, 8), rule(3, turn, 6, "year_end")], [])
    found = {
        day: retention.free_on("sales_document", day)
        for day in (date(1999, 12, 31), date(2024, 2, 29), date(2026, 6, 30), turn)
    }
    assert list(found.values()) == [None, date(2034, 3, 1), date(2036, 6, 30), date(2033, 1, 1)]
    today = date(2036, 6, 29)
    assert retention.obstacle("sales_document", (), date(2026, 6, 30), today) is not None
    assert retention.obstacle("sales_document", (), date(2026, 6, 30), date(2036, 6, 30)) is None
    hold = LegalHold(uuid4(), "sales_document", None, date(2026, 1, 1), date(2026, 2, 1), "case", today)
    held = Retention([], [hold])
    days = [date(2025, 12, 31), date(2026, 1, 1), date(2026, 1, 31), date(2026, 2, 1)]
    assert [held.hold_on("sales_document", (), day) is not None for day in days] == [False, True, True, False]
    assert held.hold_on("customer", (), days[1]) is None


@given(
    day=st.dates(date(1990, 1, 1), date(2080, 12, 31)), years=st.integers(1, 100), later=st.integers(0, 40)
)
@pytest.mark.capability("S118")
def test_a_record_is_kept_at_least_its_years_and_never_longer_than_to_the_end_of_the_next(
    day: date, years: int, later: int
) -> None:
    by_date, by_year = (
        rule(1, LONG_AGO, years).free_on(day),
        rule(1, LONG_AGO, years, "year_end").free_on(day),
    )
    assert day < by_date <= by_year
    assert by_date.year - day.year == years and (by_date.month, by_date.day) >= (day.month, 1)
    assert (by_year.year - day.year, by_year.month, by_year.day) == (years + 1, 1, 1)
