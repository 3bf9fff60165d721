"""Who sends an interchange, functional groups, several orders in one message, and credit notes."""

from __future__ import annotations

from datetime import date
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from erp_core.gate.contract import Denied
from erp_core.integration.edifact.partners import RegisterEdiPartner
from erp_core.integration.edifact.segments import InterchangeRefused, read_interchange
from erp_core.procurement.model import po_lines, purchase_orders, shipping_notices, supplier_invoices
from erp_core.procurement.model.invoices import supplier_invoice_lines
from erp_core.storage.types import money
from tests.integration.test_edifact import Sender, interchange, message, number_of, response
from tests.procurement.conftest import Company, company, founding

__all__ = ["company", "founding"]
LINE = ("LIN+1+5+LAMP-0:IN", "QTY+113:20", "DTM+67:20260710:102")
GLN = "4012345000009"


def grouped(*groups: tuple[str, str, list[str]], reference: str = "R1") -> str:
    body = "".join(
        f"UNG+{kind}+ACME+QM+260701:0900+{number}+UN+D:96A'{''.join(messages)}UNE+{len(messages)}+{number}'"
        for kind, number, messages in groups
    )
    return f"UNA:+.? 'UNB+UNOC:3+ACME+QM+260701:0900+{reference}'{body}UNZ+{len(groups)}+{reference}'"


@pytest.mark.capability("S95", "S217")
def test_an_interchange_is_taken_from_the_identification_that_is_registered_for_the_supplier(
    company: Company,
) -> None:
    sender, order = Sender(company), company.sent(20)
    content = interchange(response(company, order, *LINE))
    other = content.replace("UNB+UNOC:3+ACME", "UNB+UNOC:3+SLEEPY")
    error = sender.refused(other)
    assert (error["code"], error["details"]["tag"]) == ("interchange_refused", "UNB") and error["remedy"]
    own = RegisterEdiPartner(supplier_id=company.supplier, identification=GLN, qualifier="14")
    assert isinstance(company.submit(own, "buyer"), Denied)
    company.do(own, "admin")
    taken = own.model_copy(update={"supplier_id": company.sleeping_supplier})
    assert company.refused(taken, "admin")["code"] == "identification_taken"
    unknown = own.model_copy(update={"supplier_id": uuid4()})
    assert company.refused(unknown, "admin")["code"] == "not_found"
    assert "ACME" in sender.refused(content)["message"], "its code counts no more"
    for wrong in (f"{GLN}", f"{GLN}:ZZ", "4012345000016:14"):
        assert sender.refused(content.replace("UNB+UNOC:3+ACME", f"UNB+UNOC:3+{wrong}"))["remedy"]
    sender.taken(content.replace("UNB+UNOC:3+ACME", f"UNB+UNOC:3+{GLN}:14"))
    assert company.row(po_lines, order.line_ids[0]).promised_on == date(2026, 7, 10)


@pytest.mark.capability("S217")
def test_messages_come_in_functional_groups_whose_counts_and_types_are_checked(company: Company) -> None:
    sender, first, second = Sender(company), company.sent(20), company.sent(20)
    one, two = response(company, first, *LINE), response(company, second, *LINE, reference="M2")
    told = sender.taken(grouped(("ORDRSP", "G1", [one]), ("ORDRSP", "G2", [two])))
    assert [part["status"] for part in told["messages"]] == ["confirmed", "confirmed"]
    good = grouped(("ORDRSP", "G1", [one, two]))
    assert len(read_interchange(good).messages) == 2
    for bad, tag, says in (
        (good.replace("UNE+2", "UNE+1"), "UNE", "there are 2"),
        (good.replace("UNE+2+G1", "UNE+2+G9"), "UNE", "under G9"),
        (good.replace("UNG+ORDRSP", "UNG+INVOIC"), "UNH", "holds no ORDRSP"),
        (good.replace("UNZ+1", "UNZ+2"), "UNZ", "2 groups"),
        (good.replace("UNE+2+G1'", ""), "UNG", "does not end"),
        (good.replace("UNZ", f"{one}UNZ"), "UNH", "outside a group"),
    ):
        with pytest.raises(InterchangeRefused, match=says) as refused:
            read_interchange(bad)
        assert refused.value.details["tag"] == tag and refused.value.remedy


@pytest.mark.capability("S217", "S85", "S95")
def test_one_message_is_about_several_orders_when_each_line_names_its_own(company: Company) -> None:
    sender, orders = Sender(company), [company.sent(20), company.sent(20)]
    numbers = [number_of(company, order) for order in orders]
    lines = [
        part
        for n, number in enumerate(numbers, start=1)
        for part in (f"LIN+{n}+5+LAMP-0:IN", f"RFF+ON:{number}", "QTY+113:20", "DTM+67:20260710:102")
    ]
    told = sender.taken(interchange(message("ORDRSP", "BGM+231+AB1+4", *lines)))
    assert [part["command"] for part in told["messages"]] == ["ConfirmPurchaseOrder"] * 2
    packed = [
        part
        for n, number in enumerate(numbers, start=1)
        for part in (f"LIN+{n}++LAMP-0:IN", f"RFF+ON:{number}", "QTY+12:20")
    ]
    notice = ("BGM+351+DN-7", "DTM+17:20260710:102", "CPS+1", "GIN+BJ+340123450000000018")
    sender.taken(interchange(message("DESADV", *notice, *packed), reference="R2"))
    notices = company.read(lambda c: c.execute(select(shipping_notices)).all())
    assert {(one.reference, one.po_id) for one in notices} == {("DN-7", order.po_id) for order in orders}
    assert {company.row(purchase_orders, order.po_id).status for order in orders} == {"shipped"}
    for order in orders:
        company.do(company.receipt(order, 20), "warehouse")
    billed = [
        part
        for n, number in enumerate(numbers, start=1)
        for part in (f"LIN+{n}++LAMP-0:IN", f"RFF+ON:{number}", "QTY+47:20", "PRI+AAA:10")
    ]
    head = ("BGM+380+INV-1", "DTM+137:20260630:102", "CUX+2:EUR:4")
    bill = message("INVOIC", *head, *billed, "UNS+S", "MOA+77:400", "MOA+176:0")
    freight = message("INVOIC", *head, *billed, "UNS+S", "MOA+77:410", "MOA+64:10")
    assert "freight" in sender.refused(interchange(freight, reference="R3"))["message"]
    told = sender.taken(interchange(bill, reference="R4"))
    assert told["messages"][0]["status"] == "matched"
    nameless = message("ORDRSP", "BGM+231+AB1+4", *LINE)
    assert "no purchase order" in sender.refused(interchange(nameless, reference="R5"))["message"]
    again = sender.refused(interchange(message("DESADV", *notice, *packed), reference="R6"))
    assert again["details"]["cause"] == "notice_exists"


@pytest.mark.capability("S217", "S106")
def test_a_credit_note_names_the_senders_own_invoice(company: Company) -> None:
    sender, order = Sender(company), company.sent(20)
    company.do(company.receipt(order, 20), "warehouse")

    def paper(kind: str, number: str, units: int, *refs: str) -> str:
        named = ("DTM+137:20260630:102", f"RFF+ON:{number_of(company, order)}", *refs, "CUX+2:EUR:4")
        billed = ("LIN+1++LAMP-0:IN", f"QTY+47:{units}", "PRI+AAA:10", "UNS+S", f"MOA+77:{units * 10}")
        return message("INVOIC", f"BGM+{kind}+{number}", *named, *billed)

    sender.taken(interchange(paper("380", "INV-1", 20)))
    credit = paper("381", "CN-1", 5, "RFF+IV:inv 1")
    told = sender.taken(interchange(credit, reference="R2"))["messages"][0]
    assert told["status"] == "matched"
    stored = company.read(
        lambda c: c.execute(select(supplier_invoices).where(supplier_invoices.c.kind == "credit_note")).one()
    )
    assert stored.number == "CN-1" and stored.credits_id is not None
    beyond = sender.taken(interchange(paper("381", "CN-2", 20, "RFF+IV:INV-1"), reference="R3"))
    assert beyond["messages"][0]["status"] == "held", "more than is left of the invoice"
    for bad, says in (
        (paper("381", "CN-3", 5), "has no RFF+IV"),
        (paper("381", "CN-3", 5, "RFF+IV:INV-9"), "no invoice INV-9"),
        (paper("389", "CN-3", 5), "389 is not taken"),
    ):
        error = sender.refused(interchange(bad, reference="R4"))
        assert says in error["message"] and error["remedy"], error


@pytest.mark.capability("S217", "S106")
@pytest.mark.parametrize(
    ("kind", "parts"),
    [
        ("381", ("MOA+203:10",)),
        ("381", ("QTY+47:0", "PRI+AAA:10", "MOA+203:10")),
        ("83", ("QTY+47:20", "PRI+AAA:0.5")),
    ],
    ids=["an amount and no units", "no units, with an amount", "a financial adjustment"],
)
def test_a_credit_note_without_goods_gives_back_a_part_of_the_price_and_no_units(
    company: Company, kind: str, parts: tuple[str, ...]
) -> None:
    sender, order = Sender(company), company.sent(20)
    company.do(company.receipt(order, 20), "warehouse")

    def paper(kind: str, number: str, *parts: str, total: str, reference: str) -> str:
        named = ("DTM+137:20260630:102", f"RFF+ON:{number_of(company, order)}", "RFF+IV:INV-1")
        body = ("CUX+2:EUR:4", "LIN+1++LAMP-0:IN", *parts, "UNS+S", f"MOA+77:{total}")
        return interchange(message("INVOIC", f"BGM+{kind}+{number}", *named, *body), reference=reference)

    sender.taken(paper("380", "INV-1", "QTY+47:20", "PRI+AAA:10", total="200", reference="R1"))
    told = sender.taken(paper(kind, "CN-1", *parts, total="10", reference="R2"))["messages"][0]
    assert told["status"] == "matched"
    (line,) = company.read(
        lambda c: c.execute(
            select(supplier_invoice_lines).where(
                supplier_invoice_lines.c.invoice_id == UUID(told["invoice_id"])
            )
        ).all()
    )
    assert (line.price_only, line.quantity * line.unit_price) == (1, money(10))
    goods = paper("381", "CN-2", "QTY+47:20", "PRI+AAA:9.5", total="190", reference="R3")
    told = sender.taken(goods)["messages"][0]
    assert told["status"] == "matched", "all units are left to be credited, at what was paid for them"
    more = sender.taken(paper(kind, "CN-3", *parts, total="10", reference="R4"))["messages"][0]
    assert more["status"] == "held" and "credit_value" in more["reasons"]
    bare = sender.refused(paper("380", "INV-2", "MOA+203:10", total="10", reference="R5"))
    assert "no units or no price" in bare["message"]
    nothing = sender.refused(paper("381", "CN-4", total="10", reference="R6"))
    assert "MOA+203" in nothing["remedy"]
