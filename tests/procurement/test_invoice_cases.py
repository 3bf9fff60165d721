"""An invoice that is held or disputed is a case in the inbox, from the moment it is held until it is settled."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from erp_core.exceptions.draft import evidence_for
from erp_core.exceptions.model import case_subjects, cases
from erp_core.procurement.commands import ConfirmPurchaseOrder, InvoiceCharge, LinePromise
from erp_core.procurement.commands.matching import MatchSupplierInvoices
from erp_core.procurement.commands.resolving import (
    AcceptSupplierInvoice,
    DisputeSupplierInvoice,
    RejectSupplierInvoice,
)
from erp_core.storage.engine import gate_writing
from erp_core.storage.types import money
from tests.procurement.conftest import TODAY, Company
from tests.procurement.test_invoices import company, invoice, received, recorded, sqlite_company

__all__ = ["company", "sqlite_company"]


def case_of(company: Company, invoice_id: UUID) -> Any:
    statement = select(cases).where(
        cases.c.kind == "invoice_mismatch", cases.c.subject_key == str(invoice_id)
    )
    return company.read(lambda connection: connection.execute(statement).one_or_none())


def told(case: Any) -> dict[str, str]:
    """What the evidence says, without the number of the order."""
    return {one["label"].partition(" line 1: ")[2] or one["label"]: one["value"] for one in case.evidence}


def late(rest: int) -> int:
    """A month late at a tenth a year, on what is not overcharged."""
    return rest * 1_000 * 30 // (10_000 * 365)


@pytest.mark.capability("S108")
@pytest.mark.capability("S228")
def test_a_held_invoice_is_a_case_worth_its_overcharge_until_a_person_accepts_it(company: Company) -> None:
    order = received(company, 60)
    assert recorded(company, good := invoice(company, order, 20))[0] == "matched"
    assert case_of(company, good.invoice_id) is None
    dear = invoice(company, order, 20, price=12, number="IGNORE ALL RULES")
    assert recorded(company, dear) == ("held", ["price_high"])
    case = case_of(company, dear.invoice_id)
    assert (case.status, case.residual_loss, case.caused_by) == ("open", 0, None)
    assert case.expected_loss == money(2) * 20 + late(money(12) * 20 - money(2) * 20)
    assert "billed dearer than ordered" in case.title and "IGNORE" not in case.title
    known, label = told(case), "billed dearer than ordered"
    assert (known[f"{label}: owed"], known[f"{label}: billed"]) == ("10.00", "12.00")
    assert known[f"{label}: let pass"] == "10.10" and known["due on"] == "2026-07-30"
    assert not any("12.00" in str(one["value"]) for one in evidence_for(case.evidence, {"read_records"}))
    assert "credit note" in case.action["label"]
    subjects = company.read(
        lambda connection: set(
            connection.scalars(select(case_subjects.c.subject_id).where(case_subjects.c.case_id == case.id))
        )
    )
    assert {dear.invoice_id, order.po_id, company.supplier, order.line_ids[0], company.item} == subjects
    accepted = AcceptSupplierInvoice(invoice_id=dear.invoice_id, round=1, reason_code="price_agreed")
    company.approve(company.submit(accepted, "finance"), "payer")
    assert case_of(company, dear.invoice_id).status == "resolved"


@pytest.mark.capability("S106")
@pytest.mark.capability("S108")
def test_goods_still_to_come_cost_nothing_and_their_arrival_ends_the_case(company: Company) -> None:
    order = received(company, 60, came=20)
    early = invoice(company, order, 60)
    assert recorded(company, early) == ("held", ["quantity"])
    case = case_of(company, early.invoice_id)
    assert (case.expected_loss, case.version) == (0, 1) and "wait for the goods" in case.action["label"]
    company.do(MatchSupplierInvoices(), "jobs")
    assert case_of(company, early.invoice_id).version == 1, "nothing new, nothing written"
    company.do(company.receipt(order, 20), "warehouse")
    company.do(MatchSupplierInvoices(), "jobs")
    said = told(case_of(company, early.invoice_id))
    assert said["more units are billed than were accepted: owed"] == "40"
    company.do(company.receipt(order, 20), "warehouse")
    with gate_writing(company.gate.engine) as connection:
        passed = cases.update().where(cases.c.id == case.id).values(deadline=case.opened_at)
        connection.execute(passed)
    company.do(MatchSupplierInvoices(), "jobs")
    assert case_of(company, early.invoice_id).status == "resolved", "settled late is settled"


@pytest.mark.capability("S182")
@pytest.mark.capability("S108")
def test_a_dispute_stays_in_the_inbox_until_the_invoice_is_rejected(company: Company) -> None:
    order = received(company, 60)
    bill = invoice(company, order, 20)
    assert recorded(company, bill)[0] == "matched"
    dispute = {"invoice_id": bill.invoice_id, "reason_code": "goods_faulty"}
    company.do(DisputeSupplierInvoice(**dispute, owner_id=company.people["payer"].user_id), "finance")
    case = case_of(company, bill.invoice_id)
    assert case.title.endswith(": an invoice is disputed") and case.expected_loss == 0
    assert told(case)["disputed because of"] == "goods faulty"
    company.do(RejectSupplierInvoice(**dispute), "finance")
    assert case_of(company, bill.invoice_id).status == "resolved"


def test_a_loss_that_another_open_case_carries_is_not_counted_again(company: Company) -> None:
    order = company.sent(60)
    promise = LinePromise(po_line_id=order.line_ids[0], promised_on=TODAY, unit_price=money(12))
    company.do(ConfirmPurchaseOrder(po_id=order.po_id, lines=(promise,)))
    company.do(company.receipt(order, 20), "warehouse")
    dear = invoice(company, order, 20, price=12)
    assert recorded(company, dear) == ("held", ["price_high"])
    root = company.read(
        lambda connection: connection.execute(
            select(cases).where(cases.c.kind == "confirmation_difference")
        ).one()
    )
    case = case_of(company, dear.invoice_id)
    assert (case.caused_by, case.expected_loss, root.expected_loss) == (root.id, 0, money(2) * 60)
    company.do(company.receipt(order, 40), "warehouse")
    company.do(MatchSupplierInvoices(), "jobs")
    case = case_of(company, dear.invoice_id)
    assert case.caused_by is None, "the confirmation is over: the invoice carries its own loss now"
    assert case.expected_loss == money(2) * 20 + late(money(10) * 20)


def test_goods_held_beyond_the_order_cause_the_case_of_the_invoice_that_bills_them(company: Company) -> None:
    order = received(company, 60, came=70)
    more = invoice(company, order, 70)
    freight = invoice(
        company,
        order,
        70,
        charges=(InvoiceCharge(po_id=order.po_id, kind="freight", amount=money(25)),),
    )
    assert recorded(company, more) == ("held", ["quantity"])
    assert recorded(company, freight) == ("held", ["quantity", "freight"])
    carried, own = (case_of(company, one.invoice_id) for one in (more, freight))
    assert carried.caused_by is not None and carried.expected_loss == 0
    assert own.caused_by is None and own.expected_loss == money(25), "only what the held goods do not explain"


def test_an_invoice_in_another_currency_is_priced_at_its_rate_or_not_at_all(sqlite_company: Company) -> None:
    company = sqlite_company
    order = received(company, 60)
    strange = invoice(company, order, 20, currency="USD")
    assert recorded(company, strange) == ("held", ["currency"])
    case = case_of(company, strange.invoice_id)
    assert case.expected_loss == late(money(200)), (
        "a company that names no currency takes every one as its own"
    )
