"""A supplier's delay reaches service, exactly the customers it makes late, and the buyer with the ways out: by one event."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from erp_core.exceptions.model import case_subjects, cases
from erp_core.gate.model import audit_entries, outbox
from erp_core.inventory.commands import PostOpeningStock, StockLine
from erp_core.master.commands import ActivateSupplier, ChangeItem, SetSupplierItem
from erp_core.orders.commands import AlertOrders, CancelOrder
from erp_core.orders.model_alerts import order_alerts
from erp_core.orders.queries.alerts import list_alerts, messages_of
from erp_core.planning.continuity import Option
from erp_core.planning.delays import KIND, best_way
from erp_core.procurement.commands import CancelPurchaseOrder
from erp_core.storage.types import money
from tests.procurement.test_promises import JULY_6, JULY_9, JULY_20, Customers, redated


class Told:
    """What service, customers and buyers know."""

    def __init__(self, company: Any) -> None:
        self.company = company

    def alerts(self) -> dict[UUID, tuple[str, Any]]:
        return {one.order_id: (one.kind, one.expected_on) for one in self.company.read(list_alerts)}

    def of(self, order: UUID) -> list[str]:
        return [one.body for one in self.company.read(lambda connection: messages_of(connection, [order]))]

    def cases(self) -> list[Any]:
        """Open ones, by when they were opened."""
        statement = select(cases).where(cases.c.kind == KIND, cases.c.status == "open").order_by(cases.c.id)
        return list(self.company.read(lambda connection: connection.execute(statement).all()))

    def overdue(self) -> int:
        """Messages that the jobs still had to write."""
        return int(self.company.do(AlertOrders(), "service")["messages"])


def second_source(company: Any) -> UUID:
    """Another supplier of the first item."""
    other: UUID = company.sleeping_supplier
    company.approve(company.submit(ActivateSupplier(supplier_id=other), "manager"), "second_manager")
    terms = {"price": money(12), "lead_time_days": 3, "rank": 2}
    company.do(SetSupplierItem(supplier_id=other, item_id=company.item, **terms), "admin")
    return other


@pytest.fixture
def told(company: Any) -> Told:
    return Told(company)


@pytest.mark.capability("S71")
@pytest.mark.capability("S90")
def test_a_delay_is_told_to_the_customers_it_makes_late_again_when_it_grows_and_never_to_others(
    company: Any, told: Told
) -> None:
    customers = Customers(company)
    purchase = company.sent(20, promised_on=JULY_6)
    early, patient = customers.order(12), customers.order(8, promised_on=JULY_9)
    assert (told.overdue(), told.alerts()) == (0, {}), "everything comes in time"
    company.do(redated(purchase, JULY_9))
    assert told.alerts() == {early: ("delay", JULY_9)}
    assert (len(told.of(early)), len(told.of(patient))) == (1, 0)
    company.do(redated(purchase, JULY_9))
    assert len(told.of(early)) == 1, "the same day again is no news"
    company.do(redated(purchase, JULY_20))
    assert told.alerts() == {early: ("delay", JULY_20), patient: ("delay", JULY_20)}
    assert ["2026-07-09" in told.of(early)[0], "2026-07-20" in told.of(early)[1]] == [True, True]
    company.do(redated(purchase, JULY_9))
    assert told.alerts() == {early: ("delay", JULY_9)}
    assert len(told.of(patient)) == 2, "late, and good news"
    company.do(CancelPurchaseOrder(po_id=purchase.po_id, reason_code="supplier_cannot_deliver"))
    assert told.alerts() == {early: ("shortage", None), patient: ("shortage", None)}
    assert told.overdue() == 0, "nothing was left for the jobs"


@pytest.mark.capability("S90")
def test_one_delay_tells_service_the_customer_and_the_buyer_other_sources_and_stock_in_one_transaction(
    company: Any, told: Told
) -> None:
    customers = Customers(company)
    other = second_source(company)
    purchase = company.sent(20, promised_on=JULY_6)
    order = customers.order(12)
    company.do(redated(purchase, JULY_20))
    (case,) = told.cases()
    assert case.title.startswith("1 order waits longer for") and case.title.endswith("until 20 Jul 2026")
    known = {one["label"]: one["value"] for one in case.evidence}
    assert (known["units that are late"], known["promised first"], known["expected now"]) == (
        "12",
        "2026-07-06",
        "2026-07-20",
    )
    create, submit = case.action["commands"]
    assert (create["command"], submit["command"]) == ("CreatePurchaseOrder", "SubmitPurchaseOrder")
    assert create["payload"]["supplier_id"] == str(other)
    subjects = select(case_subjects.c.subject_kind, case_subjects.c.subject_id).where(
        case_subjects.c.case_id == case.id
    )
    about = dict(map(tuple, company.read(lambda connection: connection.execute(subjects).all())))
    assert about == {
        "item": company.item,
        "location": company.warehouse,
        "purchase_order": purchase.po_id,
        "supplier": company.supplier,
    }
    entry = select(audit_entries.c.id).where(audit_entries.c.command == "ChangePurchaseOrderDates")
    alert = select(order_alerts.c.audit_id).where(order_alerts.c.order_id == order)
    message = select(outbox.c.audit_id).where(outbox.c.kind == "CustomerMessage")
    by = {
        company.read(lambda connection, one=one: connection.execute(one).scalar_one())
        for one in (entry, alert, message)
    }
    assert by == {case.audit_id}, "one event is behind all of them"


@pytest.mark.capability("S90")
def test_a_delay_is_worth_the_margin_on_what_is_late_less_what_another_source_brings_in_time(
    company: Any, told: Told
) -> None:
    customers = Customers(company)
    purchase = company.sent(20, promised_on=JULY_6)
    customers.order(12, unit_price=money(15))
    company.do(redated(purchase, JULY_9))
    (case,) = told.cases()
    assert (case.expected_loss, case.residual_loss) == (0, 0), "nobody knows what a unit costs"
    company.do(ChangeItem(item_id=company.item, standard_cost=money(11)), "admin")
    company.do(redated(purchase, JULY_20))
    (case,) = told.cases()
    assert (case.expected_loss, case.residual_loss) == (12 * money(4), 12 * money(4))
    assert case.action["kind"] == "decide"
    second_source(company)
    company.do(redated(purchase, JULY_9))
    company.do(redated(purchase, JULY_20))
    (case,) = told.cases()
    assert (case.expected_loss, case.residual_loss) == (12 * money(4), 0)
    assert case.action["kind"] == "order_now"


@pytest.mark.capability("S90")
def test_a_way_out_that_brings_nothing_sooner_is_no_way_out() -> None:
    def way(kind: str, day: date | None, *commands: dict[str, Any]) -> Option:
        return Option(kind, kind, 5, day, commands)

    order = {"command": "CreatePurchaseOrder", "payload": {}}
    substitute, late, unknown, soon = (
        way("substitute", JULY_6),
        way("alternate", JULY_20, order),
        way("alternate", None, order),
        way("alternate", JULY_9, order),
    )
    assert best_way([substitute, late, unknown, soon], JULY_20) is soon
    assert best_way([substitute, late, unknown], JULY_20) is None
    assert best_way([substitute, late, unknown], None) is late, "anything is sooner than nobody knows when"


@pytest.mark.capability("S90")
def test_the_case_of_a_delay_follows_it_and_ends_with_it_however_it_ends(company: Any, told: Told) -> None:
    customers = Customers(company)
    purchase = company.sent(40, promised_on=JULY_6)
    first, second = customers.order(12), customers.order(8)
    company.do(redated(purchase, JULY_9))
    (case,) = told.cases()
    company.do(redated(purchase, JULY_20))
    assert [(one.id, one.version) for one in told.cases()] == [(case.id, case.version + 1)]
    company.do(redated(purchase, JULY_6))
    assert told.cases() == [] and told.alerts() == {}
    company.do(redated(purchase, JULY_20))
    assert len(told.cases()) == 1
    company.do(CancelOrder(order_id=first, reason_code="customer_request"), "service")
    assert told.overdue() == 0
    (case,) = told.cases()
    assert case.title.startswith("1 order waits")
    stock = PostOpeningStock(
        document_id=uuid4(),
        location_id=company.warehouse,
        lines=(StockLine(item_id=company.item, quantity=8),),
    )
    company.do(stock, "admin")
    assert told.overdue() == 1, "good news"
    assert told.cases() == [] and told.alerts() == {}
    assert len(told.of(second)) == 5


@pytest.mark.capability("S90")
def test_a_change_that_is_refused_tells_nobody(company: Any, told: Told) -> None:
    customers = Customers(company)
    purchase = company.sent(20, promised_on=JULY_6)
    order = customers.order(12)
    outcome = company.submit(redated(purchase, JULY_6.replace(year=2020)), "buyer")
    assert outcome.error.code == "promise_not_possible"
    assert (told.alerts(), told.of(order), told.cases()) == ({}, [], [])
