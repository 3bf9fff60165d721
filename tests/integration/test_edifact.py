"""Suppliers' EDIFACT messages: taken as a whole, once, and only for the sender's own orders."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from erp_core.exceptions.model import cases
from erp_core.gate.contract import Denied, Executed, Refused
from erp_core.gate.model import audit_entries
from erp_core.gate.principals import Principal
from erp_core.integration.edifact.commands import ReceiveInterchange
from erp_core.integration.edifact.segments import InterchangeRefused, read_interchange
from erp_core.integration.model import edi_interchanges
from erp_core.master.commands import SetSupplierItem
from erp_core.procurement.model import po_lines, purchase_orders, shipping_notices, supplier_messages
from erp_core.procurement.ordering.supplier_view import sent_by_supplier, suppliers_order, suppliers_orders
from erp_core.storage.types import money
from tests.procurement.conftest import TODAY, Company, Order, company, founding
from tests.procurement.test_supplier_logins import login_of

__all__ = ["company", "founding"]


def message(kind: str, *segments: str, reference: str = "M1") -> str:
    body = "".join(f"{segment}'" for segment in segments)
    return f"UNH+{reference}+{kind}:D:96A:UN'{body}UNT+{len(segments) + 2}+{reference}'"


def interchange(*messages: str, reference: str = "R1") -> str:
    head = f"UNA:+.? 'UNB+UNOC:3+ACME+QM+260701:0900+{reference}'"
    return f"{head}{''.join(messages)}UNZ+{len(messages)}+{reference}'"


def number_of(company: Company, order: Order) -> str:
    return str(company.row(purchase_orders, order.po_id).number)


def response(company: Company, order: Order, *lines: str, **fields: Any) -> str:
    head = ("BGM+231+AB1+4", "DTM+137:20260701:102", f"RFF+ON:{number_of(company, order)}")
    return message("ORDRSP", *head, *lines, **fields)


class Sender:
    """A supplier's login that sends interchanges."""

    def __init__(self, company: Company) -> None:
        self.company, self.login = company, login_of(company, company.supplier)

    def send(self, content: str, login: Principal | None = None) -> Any:
        command = ReceiveInterchange(
            interchange_id=uuid4(), supplier_id=self.company.supplier, content=content
        )
        return self.company.gate.submit(command, login or self.login, key=uuid4().hex)

    def taken(self, content: str) -> dict[str, Any]:
        outcome = self.send(content)
        assert isinstance(outcome, Executed), outcome
        return dict(outcome.result)

    def refused(self, content: str) -> dict[str, Any]:
        outcome = self.send(content)
        assert isinstance(outcome, Refused), outcome
        return outcome.error.as_dict()


@pytest.fixture
def supplier(company: Company) -> Sender:
    return Sender(company)


def count(company: Company, table: Any) -> int:
    return int(company.read(lambda c: c.scalar(select(func.count()).select_from(table))))


@pytest.mark.capability("S217", "S95", "S82")
def test_an_order_response_confirms_line_by_line_once_and_its_text_stays_untrusted(
    company: Company, supplier: Sender
) -> None:
    order = company.sent(20, 40)
    text = "Approve everything at once?! It?'s agreed"
    content = interchange(
        response(
            company,
            order,
            f"FTX+AAI+++{text}",
            *("LIN+1+5+LAMP-0:IN", "QTY+113:20:PCE", "DTM+67:20260710:102", "PRI+AAA:10"),
            *("LIN+2+3", "PIA+1+LAMP-1:IN", "QTY+113:30", "DTM+67:20260720:102", "PRI+AAA:420:::100"),
        )
    )
    told = supplier.taken(content)
    assert (told["messages"][0]["command"], told["messages"][0]["status"]) == (
        "ConfirmPurchaseOrder",
        "confirmed",
    )
    first, second = (company.row(po_lines, line_id) for line_id in order.line_ids)
    assert (first.confirmed_quantity, first.confirmed_price) == (20, money(10))
    assert (second.confirmed_quantity, second.confirmed_price) == (30, money("4.20"))
    assert count(company, cases) == 1, "what differs is an exception at once"
    (body,) = company.read(lambda c: c.scalars(select(supplier_messages.c.body)).all())
    assert body == "Approve everything at once! It's agreed"
    assert supplier.taken(content)["duplicate"], "the same again does nothing"
    assert count(company, supplier_messages) == count(company, edi_interchanges) == 1
    other = content.replace("QTY+113:30", "QTY+113:31")
    assert "reference R1 was used" in supplier.refused(other)["message"]
    payloads = company.read(lambda c: c.scalars(select(audit_entries.c.payload)).all())
    assert "Approve everything" not in str(payloads), "of free text the log keeps the hash"


@pytest.mark.capability("S217", "S85")
def test_a_despatch_advice_is_a_shipping_notice_with_its_cartons(company: Company, supplier: Sender) -> None:
    order = company.sent(20, 40, promised_on=TODAY)
    advice = message(
        "DESADV",
        *("BGM+351+DN-7", "DTM+17:20260710:102", f"RFF+ON:{number_of(company, order)}"),
        *("CPS+1", "PAC+1", "GIN+BJ+340123450000000018", "LIN+1++LAMP-0:IN", "QTY+12:20"),
        *("LIN+2", "RFF+LI:2", "QTY+12:10"),
        *("CPS+2", "PAC+1", "GIN+BJ+340123450000000025", "LIN+3", "RFF+LI:2", "QTY+12:30"),
    )
    told = supplier.taken(interchange(advice))["messages"][0]
    assert (told["reference"], told["units"], told["cartons"], told["status"]) == ("DN-7", 60, 2, "shipped")
    stored = company.read(lambda c: c.execute(select(shipping_notices)).one())
    assert (stored.reference, stored.expected_on.isoformat(), stored.cartons) == ("DN-7", "2026-07-10", 2)
    again = supplier.refused(interchange(advice, reference="R2"))
    assert again["details"]["cause"] == "notice_exists"


@pytest.mark.capability("S217", "S95")
def test_an_invoice_is_handed_over_to_the_match_and_its_number_is_taken_once(
    company: Company, supplier: Sender
) -> None:
    order = company.sent(20)
    company.do(company.receipt(order, 20), "warehouse")
    invoice = message(
        "INVOIC",
        *("BGM+380+INV-1", "DTM+137:20260630:102", f"RFF+ON:{number_of(company, order)}", "CUX+2:EUR:4"),
        *("LIN+1++LAMP-0:IN", "QTY+47:20", "PRI+AAA:10.5", "UNS+S", "MOA+77:210", "MOA+176:0"),
    )
    told = supplier.taken(interchange(invoice))["messages"][0]
    assert (told["command"], told["status"]) == ("RecordSupplierInvoice", "held"), "dearer than ordered"
    again = supplier.refused(interchange(invoice.replace("INV-1", "inv 1"), reference="R2"))
    assert again["details"]["cause"] == "invoice_exists"
    credit = supplier.refused(interchange(invoice.replace("BGM+380", "BGM+381"), reference="R3"))
    assert (credit["details"]["tag"], "RFF+IV" in credit["remedy"]) == ("UNH", True)


@pytest.mark.capability("S217")
def test_an_interchange_with_one_bad_message_is_refused_as_a_whole_with_segment_and_remedy(
    company: Company, supplier: Sender
) -> None:
    named = SetSupplierItem(
        supplier_id=company.supplier, item_id=company.item, price=money(10), supplier_sku="A-77"
    )
    company.do(named, "admin")
    order, twins = company.sent(20), company.sent(20, 40, 30)
    line = ("LIN+1+5+LAMP-0:IN", "QTY+113:20", "DTM+67:20260710:102")
    good = response(company, order, "LIN+1+5+A-77:SA", *line[1:])
    for bad, segment, told in (
        (response(company, order, "LIN+1+5+NOPE:IN", *line[1:], reference="M2"), "LIN", "no lines of NOPE"),
        (response(company, twins, *line, reference="M2"), "LIN", "2 lines of LAMP-0"),
        (response(company, order, line[0], "QTY+113:2.5", line[2], reference="M2"), "QTY", "whole number"),
        (response(company, order, *line[:2], "DTM+67:20261340:102", reference="M2"), "DTM", "no day"),
        (response(company, order, *line[:2], reference="M2"), "LIN", "no day"),
        (message("ORDRSP", "BGM+231+A", "RFF+ON:PO-X", *line, reference="M2"), "RFF", "no purchase order"),
        (message("PRICAT", "BGM+9+A", reference="M2"), "UNH", "PRICAT is not taken"),
        (response(company, order, *line, reference="M2").replace("UNT+8", "UNT+9"), "UNT", "9 segments"),
    ):
        error = supplier.refused(interchange(good, bad))
        assert (error["code"], error["details"]["tag"]) == ("interchange_refused", segment), error
        assert told in error["message"] and error["remedy"] and error["details"]["segment"] > 1
    twice = supplier.refused(interchange(good, response(company, order, *line, reference="M2")))
    assert twice["details"]["cause"] == "promise_not_possible"
    assert company.row(po_lines, order.line_ids[0]).promised_on is None, "the good one did not happen either"
    assert count(company, edi_interchanges) == 0
    told = company.read(lambda c: sent_by_supplier(c, company.supplier))
    assert len(told) == 9 and all(one.outcome == "refused" and one.remedy for one in told)


@pytest.mark.capability("S217", "S95")
def test_nobody_sends_in_anothers_name_and_anothers_order_is_as_unknown_as_none(company: Company) -> None:
    supplier = Sender(company)
    order = company.sent(20)
    content = interchange(response(company, order, "LIN+1+5+LAMP-0:IN", "DTM+67:20260710:102"))
    stranger = login_of(company, company.sleeping_supplier)
    outcome = supplier.send(content, stranger)
    assert isinstance(outcome, Refused) and outcome.error.code == "not_your_supplier"
    own_name = ReceiveInterchange(
        interchange_id=uuid4(),
        supplier_id=company.sleeping_supplier,
        content=content.replace("UNOC:3+ACME", "UNOC:3+SLEEPY"),
    )
    told = company.gate.submit(own_name, stranger, key=uuid4().hex)
    assert isinstance(told, Refused) and "you have no purchase order" in told.error.message
    assert isinstance(supplier.send(content, company.people["warehouse"]), Denied)


@pytest.mark.capability("S95")
def test_a_supplier_sees_its_own_orders_with_what_is_asked_and_what_happened(
    company: Company, supplier: Sender
) -> None:
    draft, order = company.drafted(20), company.sent(20, 40)

    def seen() -> Any:
        return company.read(lambda c: suppliers_order(c, company.supplier, order.po_id, TODAY))

    (header,) = company.read(lambda c: suppliers_orders(c, company.supplier))
    assert (header.id, header.lines, header.to_confirm) == (order.po_id, 2, 2)
    assert [one.step for one in seen().asked] == ["confirmation"]
    supplier.taken(interchange(response(company, order, "LIN+1+5+LAMP-0:IN", "DTM+67:20260710:102")))
    detail = seen()
    assert [(line.sku, line.to_confirm) for line in detail.lines] == [("LAMP-0", False), ("LAMP-1", True)]
    assert [(step.command, step.by_supplier) for step in detail.history] == [("SendPurchaseOrder", False)]
    for stranger in (company.sleeping_supplier, uuid4()):
        assert company.read(lambda c, who=stranger: suppliers_order(c, who, order.po_id, TODAY)) is None
        assert company.read(lambda c, who=stranger: suppliers_orders(c, who)) == ()
    assert company.read(lambda c: suppliers_order(c, company.supplier, draft.po_id, TODAY)) is None


@given(st.text(max_size=200))
def test_whatever_is_sent_is_an_interchange_or_refused(content: str) -> None:
    for text in (content, "UNB+" + content, "UNA:+.? '" + content, interchange(content)):
        try:
            found = read_interchange(text)
        except InterchangeRefused:
            continue
        assert found.messages and found.reference
