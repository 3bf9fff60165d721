"""A credit note for goods that went back settles their claim once, and leaves what is received and not invoiced alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from erp_core.finance.model_journal import journal_entries
from erp_core.finance.queries import valuation_differences
from erp_core.gate.contract import Command, Executed, Refused
from erp_core.inventory.queries import rebuild_differences
from erp_core.procurement.books.accruals import accruals
from erp_core.procurement.books.reconciling import BookDifference, journal_differences
from erp_core.procurement.claims.balances import credits_to_be_taken
from erp_core.procurement.claims.crediting import covered_units
from erp_core.procurement.claims.rules import new_defects
from erp_core.procurement.commands import ReceiveGoods, RecordSupplierInvoice, ReverseReceipt
from erp_core.procurement.commands.matching import MatchSupplierInvoices
from erp_core.procurement.commands.resolving import (
    AcceptSupplierInvoice,
    DisputeSupplierInvoice,
    RejectSupplierInvoice,
)
from erp_core.procurement.model import po_lines
from erp_core.procurement.model.claims import vendor_claims
from erp_core.procurement.model.invoices import supplier_invoices
from erp_core.returns.commands import ReturnToVendor, ReverseVendorReturn, SettleVendorClaim
from erp_core.returns.queries import VendorClaim, list_vendor_claims
from erp_core.storage.engine import gate_writing
from erp_core.storage.ids import new_id
from erp_core.storage.types import money
from tests.conftest import size
from tests.procurement.conftest import Order
from tests.procurement.test_books import DAYS, FIRST, Books, timedelta
from tests.procurement.test_books import books as books
from tests.procurement.test_books import founding as founding
from tests.procurement.test_books import sqlite_books as sqlite_books
from tests.procurement.test_invoices import invoice
from tests.returns.test_vendor_returns import sent_back


def credit(bill: RecordSupplierInvoice, units: int, price: int | None = None) -> RecordSupplierInvoice:
    line = bill.lines[0].model_copy(update={"quantity": units})
    if price is not None:
        line = line.model_copy(update={"unit_price": price})
    return bill.model_copy(
        update={
            "invoice_id": uuid4(),
            "number": f"C-{uuid4().hex[:8]}",
            "kind": "credit_note",
            "credits": bill.invoice_id,
            "lines": (line,),
            "tax": 0,
            "total": units * line.unit_price,
        }
    )


def dispute(books: Books, note: RecordSupplierInvoice) -> Command:
    return DisputeSupplierInvoice(
        invoice_id=note.invoice_id, reason_code="price", owner_id=books.people["buyer"].user_id
    )


def claims(books: Books) -> tuple[VendorClaim, ...]:
    found: tuple[VendorClaim, ...] = books.read(list_vendor_claims)
    return found


def status(books: Books, bill: RecordSupplierInvoice) -> str:
    return str(books.row(supplier_invoices, bill.invoice_id).status)


def agreed(books: Books) -> None:
    """On every day every account is what its records add up to, and stock is worth what is valued."""
    for day in range(DAYS + 1):
        on = FIRST + timedelta(days=day)
        assert books.read(lambda c, on=on: journal_differences(c, on)) == [], day
    assert books.read(valuation_differences) == [] == books.read(rebuild_differences)


def billed(books: Books, units: int = 40) -> tuple[Order, RecordSupplierInvoice]:
    order = books.sent(units)
    books.happens(0, books.receipt(order, units))
    bill = invoice(books, order, units)
    books.happens(1, bill)
    assert status(books, bill) == "matched"
    return order, bill


@pytest.mark.capability("S102", "S109")
def test_a_credit_note_for_goods_that_went_back_settles_the_claim_and_nothing_is_owed_again(
    books: Books,
) -> None:
    order, bill = billed(books)
    books.happens(2, sent_back(order, 10))
    note = credit(bill, 10)
    books.happens(3, note)
    (claim,) = claims(books)
    assert (claim.status, claim.credited, claim.credit_note) == ("credited", money(100), note.number)
    assert claim.settled_on == FIRST + timedelta(days=3)
    assert books.balances() == {"stock": money(300), "payables": money(300)}
    assert books.read(lambda c: accruals(c, FIRST + timedelta(days=DAYS))) == []
    again = books.on(4, SettleVendorClaim(claim_id=claim.id, credited=money(100), credit_note=note.number))
    assert isinstance(again, Refused) and again.error.code == "illegal_transition"
    twice = invoice(books, order, 10, number="TWICE")
    books.happens(4, twice)
    assert status(books, twice) == "held", "goods that went back are not billed again"
    agreed(books)


@pytest.mark.capability("S102")
def test_a_credit_note_that_is_disputed_leaves_the_credit_to_be_taken_until_it_counts_again(
    books: Books,
) -> None:
    order, bill = billed(books)
    books.happens(2, sent_back(order, 10))
    note = credit(bill, 10, price=95_000)
    books.happens(3, note)
    settled = books.balances()
    assert settled == {"stock": money(300), "payables": money(305), "stock_losses": money(5)}
    books.happens(4, dispute(books, note))
    assert books.balances() == {
        "stock": money(300),
        "payables": money(400),
        "supplier_credits": money(95),
        "stock_losses": money(5),
    }
    books.happens(5, MatchSupplierInvoices(invoice_ids=(note.invoice_id,)))
    assert books.balances() == settled
    assert [one.status for one in claims(books)] == ["credited"]
    agreed(books)


@pytest.mark.capability("S102")
def test_a_claim_that_was_settled_first_is_taken_by_the_note_that_comes_later(books: Books) -> None:
    order, bill = billed(books)
    books.happens(2, sent_back(order, 10))
    (claim,) = claims(books)
    settle = SettleVendorClaim(claim_id=claim.id, credited=money(100), credit_note="C-1")
    books.happens(3, settle)
    assert books.balances()["supplier_credits"] == money(100)
    books.happens(4, credit(bill, 10))
    assert books.balances() == {"stock": money(300), "payables": money(300)}
    agreed(books)


@pytest.mark.capability("S102", "S109")
def test_a_claim_is_settled_on_no_day_before_it_was_opened(books: Books) -> None:
    order, bill = billed(books)
    books.happens(4, sent_back(order, 10))
    (claim,) = claims(books)
    early = books.on(3, SettleVendorClaim(claim_id=claim.id, credited=money(100), credit_note="C-1"))
    assert isinstance(early, Refused)
    assert (early.error.code, early.error.field) == ("claim_not_open", "occurred_at")
    first, second = credit(bill, 6), credit(bill, 4)
    books.happens(5, first)
    books.happens(5, dispute(books, first))
    books.happens(5, second)
    assert [one.status for one in claims(books)] == ["open"]
    books.happens(3, MatchSupplierInvoices(invoice_ids=(first.invoice_id,)))
    (claim,) = claims(books)
    assert (claim.status, claim.settled_on) == ("credited", claim.opened_on)
    agreed(books)


@pytest.mark.capability("S102")
def test_a_note_for_a_refused_claim_lowers_the_loss_and_a_rejected_note_covers_nothing(books: Books) -> None:
    order, bill = billed(books)
    books.happens(2, sent_back(order, 10))
    (claim,) = claims(books)
    books.happens(2, SettleVendorClaim(claim_id=claim.id, credited=0))
    assert books.balances()["stock_losses"] == money(100)
    wrong = credit(bill, 10)
    books.happens(3, wrong)
    assert books.balances() == {"stock": money(300), "payables": money(300)}
    books.happens(4, dispute(books, wrong))
    books.happens(4, RejectSupplierInvoice(invoice_id=wrong.invoice_id, reason_code="price"))
    assert books.read(lambda c: covered_units(c, [claim.id])) == {}
    books.happens(5, credit(bill, 10))
    assert books.balances() == {"stock": money(300), "payables": money(300)}
    agreed(books)


@pytest.mark.capability("S102", "S131")
def test_a_note_before_the_refusal_stays_to_be_taken_and_one_after_it_lowers_the_loss(books: Books) -> None:
    order, bill = billed(books)
    books.happens(2, sent_back(order, 10))
    (claim,) = claims(books)
    early, late = credit(bill, 4), credit(bill, 6)
    books.happens(3, early)
    assert books.balances()["supplier_credits"] == -money(40)
    books.happens(4, SettleVendorClaim(claim_id=claim.id, credited=0))
    books.happens(4, late)
    after = {"supplier_credits": -money(40), "stock_losses": money(40)}
    assert {code: worth for code, worth in books.balances().items() if code in after} == after
    to_be_taken = books.read(lambda c: credits_to_be_taken(c, FIRST + timedelta(days=4)))
    assert to_be_taken == {"EUR": -money(40)}
    books.happens(5, dispute(books, early))
    assert "supplier_credits" not in books.balances()
    books.happens(DAYS, MatchSupplierInvoices(invoice_ids=(early.invoice_id,)))
    assert books.balances() == {"stock": money(300), "payables": money(300)}
    agreed(books)


@pytest.mark.capability("S131")
def test_a_credit_to_be_taken_that_was_posted_beside_its_claim_is_told_on_its_day_and_after(
    books: Books,
) -> None:
    order, _ = billed(books)
    books.happens(2, sent_back(order, 10))
    (claim,) = claims(books)
    books.happens(3, SettleVendorClaim(claim_id=claim.id, credited=money(80), credit_note="C-1"))
    beside = {
        "id": new_id(),
        "occurred_on": FIRST + timedelta(days=4),
        "event": "claim",
        "document_kind": "vendor_claim",
        "document_id": claim.id,
        "debit": "supplier_credits",
        "credit": "stock_losses",
        "currency": "EUR",
        "amount": money(7),
        "value": money(7),
        "audit_id": new_id(),
    }
    with gate_writing(books.gate.engine) as c:
        c.execute(journal_entries.insert(), [beside])
    on = [FIRST + timedelta(days=day) for day in (3, 4, DAYS)]
    told = [books.read(lambda c, day=day: journal_differences(c, day)) for day in on]
    wrong = [BookDifference("supplier_credits", "EUR", money(87), money(80))]
    assert told == [[], wrong, wrong]


@pytest.mark.capability("S102", "S109")
def test_what_was_billed_too_much_is_credited_before_what_went_back(books: Books) -> None:
    order = books.sent(40)
    books.happens(0, books.receipt(order, 30))
    bill = invoice(books, order, 30)
    books.happens(1, bill)
    more = invoice(books, order, 4)
    books.happens(1, more)
    accept = AcceptSupplierInvoice(invoice_id=more.invoice_id, round=1, reason_code="agreed_in_advance")
    books.approve(books.submit(accept, "buyer"), "finance")
    books.happens(DAYS, sent_back(order, 10))
    books.happens(DAYS, credit(bill, 6))
    (claim,) = claims(books)
    assert claim.status == "open" and books.read(lambda c: covered_units(c, [claim.id])) == {claim.id: 2}
    back = ReverseVendorReturn(vendor_return_id=claim.vendor_return_id, reason_code="never_left")
    outcome = books.on(DAYS, back)
    assert isinstance(outcome, Refused) and outcome.error.code == "claim_credited"
    books.happens(DAYS, credit(bill, 8))
    (claim,) = claims(books)
    assert (claim.status, claim.credited) == ("credited", money(100))
    assert books.balances() == {"stock": money(200), "payables": money(200)}
    agreed(books)


@pytest.mark.capability("S102")
def test_a_note_in_another_currency_settles_the_claim_at_the_rate_of_its_day(books: Books) -> None:
    order = books.dollars(40)
    books.happens(0, books.receipt(order, 40))
    bill = books.bill(order, 40)
    books.happens(0, bill)
    books.happens(2, sent_back(order, 10))
    (claim,) = claims(books)
    assert claim.expected == money(90)
    books.happens(3, credit(bill, 10))
    (claim,) = claims(books)
    assert (claim.status, claim.credited) == ("credited", money(95))
    assert "goods_received_not_invoiced" not in books.balances()
    agreed(books)


@dataclass
class Story:
    """What happened so far to the two orders."""

    orders: dict[bool, Order]
    bills: list[RecordSupplierInvoice] = field(default_factory=list)
    notes: list[RecordSupplierInvoice] = field(default_factory=list)
    gone: list[ReturnToVendor] = field(default_factory=list)
    came: list[ReceiveGoods] = field(default_factory=list)

    def next(self, books: Books, what: str, dollars: bool, units: int, pick: int) -> Command | None:
        """The next command, where there is something it can be about."""
        order = self.orders[dollars]
        if what == "receive":
            self.came.append(books.receipt(order, units))
            return self.came[-1]
        if what == "bill":
            self.bills.append(books.bill(order, units, dollars=dollars))
            return self.bills[-1]
        if what == "send_back":
            self.gone.append(sent_back(order, units))
            return self.gone[-1]
        if what == "match":
            return MatchSupplierInvoices()
        if what == "settle":
            return self._settlement(books, units, pick)
        about: dict[str, list[Any]] = {
            "credit": self.bills,
            "dispute": self.notes,
            "reject": self.notes,
            "reverse": self.came,
            "take_back": self.gone,
        }
        if not about[what]:
            return None
        one = about[what][pick % len(about[what])]
        if what == "credit":
            self.notes.append(credit(one, min(units, one.lines[0].quantity)))
            return self.notes[-1]
        if what == "dispute":
            return dispute(books, one)
        if what == "reject":
            return RejectSupplierInvoice(invoice_id=one.invoice_id, reason_code="price")
        if what == "reverse":
            return ReverseReceipt(po_id=one.po_id, receipt_id=one.receipt_id, reason_code="posted_twice")
        return ReverseVendorReturn(vendor_return_id=one.vendor_return_id, reason_code="never_left")

    def _settlement(self, books: Books, units: int, pick: int) -> Command | None:
        known = claims(books)
        if not known:
            return None
        claim: UUID = known[pick % len(known)].id
        return SettleVendorClaim(claim_id=claim, credited=max(units - 5, 0) * 9_000, credit_note="C")


WHAT = (
    "receive",
    "bill",
    "send_back",
    "send_back",
    "credit",
    "credit",
    "settle",
    "match",
    "dispute",
    "reject",
    "reverse",
    "take_back",
)


@pytest.mark.capability("S102", "S109", "S131")
@settings(
    max_examples=size(4, 60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    steps=st.lists(
        st.tuples(
            st.integers(0, DAYS), st.sampled_from(WHAT), st.booleans(), st.integers(1, 20), st.integers(0, 5)
        ),
        min_size=4,
        max_size=14,
    )
)
def test_whatever_goes_back_stock_value_journal_and_claims_agree_on_every_day(
    books: Books, steps: list[tuple[int, str, bool, int, int]]
) -> None:
    story = Story({True: books.dollars(100), False: books.sent(100)})
    for dollars in (True, False):
        books.on(0, story.next(books, "receive", dollars, 30, 0) or MatchSupplierInvoices())
        books.on(0, story.next(books, "bill", dollars, 25, 0) or MatchSupplierInvoices())
    for day, what, dollars, units, pick in sorted(steps, key=lambda step: step[0]):
        command = story.next(books, what, dollars, units, pick)
        if command is not None:
            books.on(day, command)
    agreed(books)
    found = claims(books)
    covered = books.read(lambda c: covered_units(c, [one.id for one in found]))
    assert all(covered.get(one.id, 0) <= one.quantity for one in found)
    accepted = dict(
        map(tuple, books.read(lambda c: c.execute(select(po_lines.c.id, po_lines.c.accepted_quantity)).all()))
    )
    claim = vendor_claims.c
    standing = (
        select(claim.po_line_id, func.sum(claim.quantity))
        .where(claim.status != "withdrawn")
        .group_by(claim.po_line_id)
    )
    back = dict(map(tuple, books.read(lambda c: c.execute(standing).all())))
    assert all(units <= accepted[line_id] for line_id, units in back.items())


@given(
    parts=st.lists(st.integers(1, 10), min_size=1, max_size=8),
    known=st.integers(0, 30),
)
def test_units_that_were_in_doubt_before_are_counted_once_in_whatever_parts_they_go_back(
    parts: list[int], known: int
) -> None:
    counted, before = 0, 0
    for units in parts:
        counted += new_defects(units, before, known)
        before += units
    assert counted == max(sum(parts) - known, 0)


def test_a_credit_note_that_runs_is_no_refusal(sqlite_books: Books) -> None:
    order, bill = billed(sqlite_books, 20)
    assert isinstance(sqlite_books.on(2, credit(bill, 5)), Executed)
    owed = sqlite_books.read(lambda c: accruals(c, FIRST + timedelta(days=DAYS)))
    assert [(one.po_line_id, one.units) for one in owed] == [(order.line_ids[0], 5)]
    agreed(sqlite_books)
