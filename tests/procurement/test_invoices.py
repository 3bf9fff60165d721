"""Suppliers' invoices from the day they come to the day they are paid."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from erp_core.gate.contract import Denied, Executed, Proposed, Refused
from erp_core.procurement.commands import InvoiceCharge, InvoiceLine, RecordSupplierInvoice
from erp_core.procurement.commands.match_tolerances import SetMatchTolerance
from erp_core.procurement.commands.matching import MatchSupplierInvoices
from erp_core.procurement.commands.paying import PaySupplierInvoices
from erp_core.procurement.commands.resolving import (
    AcceptSupplierInvoice,
    AssignSupplierInvoice,
    DisputeSupplierInvoice,
    RejectSupplierInvoice,
)
from erp_core.procurement.model.invoices import invoice_steps, supplier_invoices, supplier_payments
from erp_core.storage.engine import gate_writing
from erp_core.storage.types import money
from tests.procurement.conftest import Company, Order


@pytest.fixture
def company(company: Company) -> Company:
    return _staffed(company)


@pytest.fixture
def sqlite_company(sqlite_company: Company) -> Company:
    return _staffed(sqlite_company)


def _staffed(company: Company) -> Company:
    company.people["payer"] = company.gate.bootstrap_user("payer", roles=("finance",))
    company.people["jobs"] = company.gate.bootstrap_user("jobs", roles=("jobs",), kind="service")
    return company


def invoice(
    company: Company,
    order: Order,
    *units: int,
    price: int = 10,
    number: str | None = None,
    **fields: Any,
) -> RecordSupplierInvoice:
    """An invoice of the supplier for units of the order's lines in turn, which adds up."""
    lines = tuple(
        InvoiceLine(po_id=order.po_id, po_line_id=line, quantity=quantity, unit_price=money(price))
        for line, quantity in zip(order.line_ids, units, strict=False)
    )
    charges = fields.get("charges", ())
    own = sum(-one.amount if one.kind == "deduction" else one.amount for one in charges)
    values: dict[str, Any] = {
        "invoice_id": uuid4(),
        "supplier_id": company.supplier,
        "number": number or f"R-{uuid4().hex[:8]}",
        "currency": "EUR",
        "invoiced_on": date(2026, 6, 30),
        "lines": lines,
        "total": sum(line.quantity * line.unit_price for line in lines) + own,
    }
    return RecordSupplierInvoice(**values | fields)


def received(company: Company, *ordered: int, came: int | None = None, **fields: Any) -> Order:
    order = company.sent(*ordered, **fields)
    company.do(company.receipt(order, *([came] if came is not None else ordered)), "warehouse")
    return order


def recorded(company: Company, command: RecordSupplierInvoice) -> tuple[str, list[str]]:
    result = company.do(command, "finance")
    return result["status"], result["reasons"]


def status(company: Company, invoice_id: UUID) -> str:
    return str(company.row(supplier_invoices, invoice_id).status)


def pay(company: Company, *ids: UUID) -> PaySupplierInvoices:
    return PaySupplierInvoices(payment_id=uuid4(), supplier_id=company.supplier, invoice_ids=ids)


@pytest.mark.capability("S106")
def test_invoices_match_line_by_line_over_many_receipts_and_invoices(company: Company) -> None:
    order = company.sent(60)
    company.do(company.receipt(order, 20), "warehouse")
    first, early, rest = (invoice(company, order, units) for units in (20, 15, 25))
    assert recorded(company, first) == ("matched", [])
    assert recorded(company, early) == ("held", ["quantity"])
    company.do(company.receipt(order, 15), "warehouse")
    assert company.do(MatchSupplierInvoices(), "jobs") == {"matched": [str(early.invoice_id)], "held": 0}
    assert recorded(company, rest) == ("held", ["quantity"])
    company.do(company.receipt(order, 25), "warehouse")
    assert company.do(MatchSupplierInvoices(), "jobs")["matched"] == [str(rest.invoice_id)]
    assert recorded(company, invoice(company, order, 1)) == ("held", ["quantity"])
    assert company.row(supplier_invoices, first.invoice_id).due_on == date(2026, 7, 30)


@pytest.mark.capability("S106")
@pytest.mark.capability("S107")
def test_two_invoices_at_once_never_bill_the_same_goods_twice(company: Company) -> None:
    order = received(company, 60)
    both = [invoice(company, order, 40), invoice(company, order, 40)]
    with ThreadPoolExecutor(2) as pool:
        found = sorted(pool.map(lambda one: recorded(company, one)[0], both))
    assert found == ["held", "matched"]


@pytest.mark.capability("S106")
def test_the_same_invoice_is_refused_and_a_mistyped_one_is_held(sqlite_company: Company) -> None:
    company = sqlite_company
    order = received(company, 60)
    assert recorded(company, invoice(company, order, 20, number="INV-2026-0047"))[0] == "matched"
    again = company.refused(invoice(company, order, 10, number="inv 2026/0047"), "finance")
    assert again["code"] == "invoice_exists" and again["details"]["number"] == "INV-2026-0047"
    typed = invoice(company, order, 20, number="INV-2O26-0047")
    assert recorded(company, typed) == ("held", ["duplicate"])
    later = invoice(company, order, 20, number="INV-2026-0048", invoiced_on=date(2026, 6, 23))
    assert recorded(company, later)[0] == "matched"
    company.do(RejectSupplierInvoice(invoice_id=typed.invoice_id, reason_code="duplicate"), "finance")
    assert recorded(company, invoice(company, order, 20, number="inv-2O26-0047"))[1] == ["duplicate"]


@pytest.mark.capability("S107")
def test_only_a_matched_invoice_is_paid_and_the_database_holds_it_too(company: Company) -> None:
    order = received(company, 60)
    good, dear = invoice(company, order, 20), invoice(company, order, 20, price=12)
    assert recorded(company, good)[0] == "matched"
    assert recorded(company, dear) == ("held", ["price_high"])
    refusal = company.refused(pay(company, good.invoice_id, dear.invoice_id), "payer")
    assert (refusal["code"], refusal["details"]["status"]) == ("not_payable", "held")
    assert status(company, good.invoice_id) == "matched"
    dispute = DisputeSupplierInvoice(
        invoice_id=good.invoice_id, reason_code="goods_faulty", owner_id=company.people["buyer"].user_id
    )
    company.do(dispute, "finance")
    assert company.refused(pay(company, good.invoice_id), "payer")["details"]["status"] == "disputed"
    for invoice_id in (good.invoice_id, dear.invoice_id):
        row = {"payment_id": uuid4(), "invoice_id": invoice_id, "supplier_id": company.supplier}
        row |= {"amount": good.total, "paid_on": date(2026, 6, 30), "audit_id": uuid4()}
        with pytest.raises(DBAPIError, match="matched invoice"), gate_writing(company.gate.engine) as c:
            c.execute(supplier_payments.insert(), [row])
        with pytest.raises(DBAPIError, match="by its payment"), gate_writing(company.gate.engine) as c:
            c.execute(
                supplier_invoices.update()
                .where(supplier_invoices.c.id == invoice_id)
                .values(status="paid", held_since=None)
            )
    company.do(MatchSupplierInvoices(invoice_ids=(good.invoice_id,)), "finance")
    assert company.do(pay(company, good.invoice_id), "payer")["amount"] == money(200)
    assert company.refused(pay(company, good.invoice_id), "payer")["details"]["status"] == "paid"
    again = DisputeSupplierInvoice(
        invoice_id=good.invoice_id, reason_code="price", owner_id=company.people["buyer"].user_id
    )
    assert company.refused(again, "finance")["code"] == "illegal_transition"


@pytest.mark.capability("S107")
def test_who_received_neither_matches_nor_pays_and_who_matched_does_not_pay(sqlite_company: Company) -> None:
    company = sqlite_company
    order = received(company, 20)
    bill = invoice(company, order, 20)
    dock = company.gate.bootstrap_user("dock", roles=("warehouse",))
    company.people["dock"] = dock
    assert isinstance(company.submit(bill, "dock"), Denied)
    recorded(company, bill)
    assert company.refused(pay(company, bill.invoice_id), "finance")["code"] == "duties_conflict"
    assert isinstance(company.submit(pay(company, bill.invoice_id), "payer"), Executed)


@pytest.mark.capability("S108")
def test_a_dispute_has_a_reason_an_owner_an_age_and_a_path_of_steps(company: Company) -> None:
    order = received(company, 20)
    bill = invoice(company, order, 20)
    recorded(company, bill)
    buyer, payer = (company.people[role].user_id for role in ("buyer", "payer"))
    open_dispute = DisputeSupplierInvoice(
        invoice_id=bill.invoice_id, reason_code="goods_faulty", owner_id=buyer
    )
    unknown = open_dispute.model_copy(update={"reason_code": "bad_mood"})
    assert company.refused(unknown, "finance")["code"] == "unknown_reason"
    nobody = open_dispute.model_copy(update={"owner_id": uuid4()})
    assert company.refused(nobody, "finance")["field"] == "owner_id"
    company.do(open_dispute, "buyer")
    row = company.row(supplier_invoices, bill.invoice_id)
    assert (row.status, row.owner_id, row.held_since) == ("disputed", buyer, date(2026, 6, 30))
    company.do(AssignSupplierInvoice(invoice_id=bill.invoice_id, owner_id=payer), "buyer")
    assert company.row(supplier_invoices, bill.invoice_id).owner_id == payer
    company.do(RejectSupplierInvoice(invoice_id=bill.invoice_id, reason_code="goods_faulty"), "finance")
    steps = company.read(
        lambda c: c.execute(
            select(invoice_steps.c.status, invoice_steps.c.booked)
            .where(invoice_steps.c.invoice_id == bill.invoice_id)
            .order_by(invoice_steps.c.version)
        ).all()
    )
    assert [tuple(step) for step in steps] == [("matched", 1), ("disputed", -1), ("rejected", 0)]
    assert recorded(company, invoice(company, order, 20, number=bill.number))[0] == "matched"


@pytest.mark.capability("S106")
def test_accepting_what_does_not_match_takes_another_person_and_the_round_that_was_seen(
    company: Company,
) -> None:
    order = received(company, 40, came=20)
    bill = invoice(company, order, 30, price=11)
    assert recorded(company, bill) == ("held", ["price_high", "quantity"])
    accept = AcceptSupplierInvoice(invoice_id=bill.invoice_id, round=1, reason_code="price_agreed")
    proposed = company.submit(accept, "buyer")
    assert isinstance(proposed, Proposed) and proposed.approvers == [{"role": "finance", "people": 1}]
    company.do(company.receipt(order, 20), "warehouse")
    assert company.do(MatchSupplierInvoices(), "jobs")["matched"] == []
    stale = company.approve(proposed, "payer")
    assert stale["status"] == "stale"
    assert (
        company.approve(company.submit(accept.model_copy(update={"round": 2}), "buyer"), "payer")["status"]
        == "executed"
    )
    assert status(company, bill.invoice_id) == "matched"


@pytest.mark.capability("S106")
def test_tolerances_are_versions_of_data_by_supplier_before_company(sqlite_company: Company) -> None:
    company = sqlite_company
    order = received(company, 40)
    assert recorded(company, invoice(company, order, 1, price=11))[0] == "held"
    wide = SetMatchTolerance(price_over=1_000, overcharge=money(1))
    outcome = company.submit(wide, "finance")
    assert isinstance(outcome, Proposed)
    assert company.approve(outcome, "manager", "payer")["status"] == "executed"
    assert recorded(company, invoice(company, order, 1, price=11))[0] == "matched"
    assert recorded(company, invoice(company, order, 1, price=11))[0] == "held", "a unit more is too much"
    own = SetMatchTolerance(applies_to="supplier", supplier_id=company.supplier, price_over=0)
    company.approve(company.submit(own, "finance"), "manager", "payer")
    assert recorded(company, invoice(company, order, 1, price=11))[0] == "held"
    unnamed = company.gate.submit_payload(
        "SetMatchTolerance", {"applies_to": "supplier"}, company.people["finance"], key="t"
    )
    assert "supplier_id" in str(unnamed)


@pytest.mark.capability("S106", "S112")
def test_a_credit_note_lowers_what_is_paid_and_its_units_can_be_billed_again(sqlite_company: Company) -> None:
    company = sqlite_company
    order = received(company, 20)
    bill = invoice(company, order, 20)
    recorded(company, bill)
    note = invoice(company, order, 5, kind="credit_note", credits=bill.invoice_id)
    assert recorded(company, note) == ("matched", [])
    more = invoice(company, order, 16, kind="credit_note", credits=bill.invoice_id)
    assert recorded(company, more)[1] == ["credit_quantity", "credit_value"]
    assert recorded(company, invoice(company, order, 6))[0] == "held"
    assert recorded(company, invoice(company, order, 5))[0] == "matched"
    alone = company.refused(pay(company, note.invoice_id), "payer")
    assert alone["code"] == "not_payable"
    assert company.do(pay(company, bill.invoice_id, note.invoice_id), "payer")["amount"] == money(150)


@pytest.mark.capability("S106")
def test_freight_is_billed_as_agreed_and_a_payment_in_advance_is_taken_off(sqlite_company: Company) -> None:
    company = sqlite_company
    order = received(company, 20, freight_cost=money(15))

    def charge(kind: str, amount: int) -> InvoiceCharge:
        return InvoiceCharge.model_validate({"po_id": order.po_id, "kind": kind, "amount": money(amount)})

    with_freight = invoice(company, order, 10, charges=(charge("freight", 15),))
    assert recorded(company, with_freight) == ("matched", [])
    assert recorded(company, invoice(company, order, charges=(charge("freight", 1),)))[1] == ["freight"]
    advance = invoice(company, order, charges=(charge("prepayment", 30),))
    assert recorded(company, advance) == ("held", ["prepayment"])
    proposed = company.submit(
        AcceptSupplierInvoice(invoice_id=advance.invoice_id, round=1, reason_code="agreed_in_advance"),
        "buyer",
    )
    company.approve(proposed, "payer")
    assert recorded(company, invoice(company, order, 5))[1] == ["deduction"]
    less = invoice(company, order, 5, charges=(charge("deduction", 30),))
    assert recorded(company, less) == ("matched", []) and less.total == money(20)


@pytest.mark.capability("S106")
def test_an_invoice_for_what_was_never_ordered_of_the_supplier_is_refused(sqlite_company: Company) -> None:
    company = sqlite_company
    order, other = received(company, 20), company.sent(20)
    stranger = invoice(company, order, 20, supplier_id=company.sleeping_supplier)
    assert company.refused(stranger, "finance")["code"] == "not_the_suppliers_order"
    crossed = invoice(company, Order(order.po_id, other.line_ids), 20)
    assert company.refused(crossed, "finance")["field"] == "lines.po_line_id"
    lost = invoice(company, order, 5, kind="credit_note", credits=uuid4())
    assert company.refused(lost, "finance")["field"] == "credits"
    for wrong in ({"lines": ()}, {"kind": "credit_note"}, {"number": "=cmd()"}):
        with pytest.raises(ValueError):
            invoice(company, order, 20, **wrong)
    nothing_came = invoice(company, other, 1)
    assert recorded(company, nothing_came) == ("held", ["quantity"])


@pytest.mark.capability("S107")
def test_a_large_payment_waits_for_a_manager(sqlite_company: Company) -> None:
    company = sqlite_company
    order = company.drafted(2_600)
    from erp_core.procurement.commands import SendPurchaseOrder, SubmitPurchaseOrder

    company.approve(company.submit(SubmitPurchaseOrder(po_id=order.po_id)), "manager", "finance")
    company.do(SendPurchaseOrder(po_id=order.po_id))
    company.do(company.receipt(order, 2_600), "warehouse")
    bill = invoice(company, order, 2_600)
    company.people["clerk"] = company.gate.bootstrap_user("clerk", roles=("finance",))
    assert company.do(bill, "clerk")["status"] == "matched"
    proposed = company.submit(pay(company, bill.invoice_id), "payer")
    assert isinstance(proposed, Proposed)
    assert not isinstance(proposed, Refused)
    company.approve(proposed, "second_manager")
    assert status(company, bill.invoice_id) == "paid"
