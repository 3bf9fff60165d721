"""The books of purchasing: from order to bank in two currencies, every account is what its documents add up to."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, case, func, select

from erp_core.finance.books import account_amounts, journal_of, trial_balance
from erp_core.finance.commands import SetExchangeRate
from erp_core.finance.rules import RATE_SCALE
from erp_core.gate.commands import SetCompanyFact
from erp_core.gate.contract import Command, Executed, Outcome, Proposed, Refused
from erp_core.gate.submission import Gate
from erp_core.inventory.commands import AdjustStock
from erp_core.master.commands import (
    ActivateSupplier,
    AddSupplierDocument,
    CreateSupplier,
    SetSupplierItem,
    SubmitSupplier,
)
from erp_core.procurement.books.reconciling import journal_differences
from erp_core.procurement.commands import (
    ChangePurchaseOrder,
    InvoiceCharge,
    LineChange,
    ReceiveGoods,
    RecordSupplierInvoice,
    ReverseReceipt,
)
from erp_core.procurement.commands.landed_cost import RecordLandedCost
from erp_core.procurement.commands.landed_reversal import ReverseLandedCost
from erp_core.procurement.commands.match_tolerances import SetMatchTolerance
from erp_core.procurement.commands.matching import MatchSupplierInvoices
from erp_core.procurement.commands.paying import PaySupplierInvoices
from erp_core.procurement.commands.resolving import AcceptSupplierInvoice, DisputeSupplierInvoice
from erp_core.procurement.model import po_lines
from erp_core.procurement.model.invoices import (
    invoice_steps,
    supplier_invoice_lines,
    supplier_invoices,
    supplier_payments,
)
from erp_core.storage.types import money
from tests.conftest import Founded, Founding, size
from tests.procurement.conftest import TODAY, Company, Order, open_company
from tests.procurement.test_invoices import invoice

DAYS = 6
FIRST = TODAY - timedelta(days=DAYS)
RATES = (90, 92, 88, 95, 101, 100, 97)
"""Hundredths of a euro for a dollar, from the first day on."""


@dataclass
class Books(Company):
    """The company with a supplier who bills in dollars."""

    overseas: UUID = field(default_factory=uuid4)

    def on(self, day: int, command: Command) -> Outcome:
        moment = datetime(FIRST.year, FIRST.month, FIRST.day, 9, tzinfo=UTC) + timedelta(days=day)
        by_finance = isinstance(command, PaySupplierInvoices | RecordLandedCost | ReverseLandedCost)
        who = "payer" if by_finance else "simulator"
        outcome = self.submit(command.model_copy(update={"occurred_at": moment}), who)
        if isinstance(outcome, Proposed):
            self.approve(outcome, "manager")
        return outcome

    def happens(self, day: int, command: Command) -> None:
        outcome = self.on(day, command)
        assert isinstance(outcome, Executed | Proposed), outcome

    def balances(self, day: int = DAYS) -> dict[str, int]:
        found = self.read(lambda c: trial_balance(c, FIRST + timedelta(days=day)))
        return {one.code: one.balance for one in found if one.balance}

    def dollars(self, *units: int, **fields: Any) -> Order:
        return self.sent(*units, supplier_id=self.overseas, **fields)

    def bill(self, order: Order, *units: int, dollars: bool = True, **fields: Any) -> RecordSupplierInvoice:
        told = {"supplier_id": self.overseas, "currency": "USD"} if dollars else {}
        return invoice(self, order, *units, **(told | fields))


def open_books(gate: Gate) -> Books:
    company = open_company(gate)
    books = Books(**{name: getattr(company, name) for name in Company.__dataclass_fields__}, overseas=uuid4())
    books.people["simulator"] = gate.bootstrap_user("simulator", roles=("simulator",), kind="service")
    books.people["payer"] = gate.bootstrap_user("payer", roles=("simulator", "finance"))
    books.do(SetCompanyFact(key="currency", value="EUR"), "admin")
    supplier = CreateSupplier(
        supplier_id=books.overseas,
        code="OVERSEAS",
        supplier_name="Overseas",
        currency="USD",
        country="United States",
        payment_days=30,
        delivery_terms="FOB",
        lead_time_days=40,
    )
    books.do(supplier, "admin")
    document = AddSupplierDocument(
        document_id=uuid4(),
        supplier_id=books.overseas,
        kind="business_registration",
        number="1",
        valid_from=date(2020, 1, 1),
    )
    books.do(document, "admin")
    books.do(SubmitSupplier(supplier_id=books.overseas), "admin")
    books.approve(books.submit(ActivateSupplier(supplier_id=books.overseas), "manager"), "second_manager")
    for item_id in (books.item, books.other_item):
        terms = {"price": money(10), "minimum_quantity": 1, "order_multiple": 1, "rank": 2}
        books.do(SetSupplierItem(supplier_id=books.overseas, item_id=item_id, **terms), "admin")
    for day, cents in enumerate(RATES):
        rate = SetExchangeRate(
            currency="USD", valid_from=FIRST + timedelta(days=day), rate=cents * RATE_SCALE // 100
        )
        books.approve(books.submit(rate, "finance"), "manager")
    return books


BOOKS = Founding("books", open_books)


@pytest.fixture
def founding() -> Founding:
    return BOOKS


@pytest.fixture
def books(gate: Gate, founded: Founded) -> Books:
    return _opened(gate, founded)


@pytest.fixture
def sqlite_books(sqlite_gate: Gate, founded: Founded) -> Books:
    return _opened(sqlite_gate, founded)


def _opened(gate: Gate, founded: Founded) -> Books:
    books: Books
    _, books = founded(gate.engine.dialect.name, BOOKS)
    return replace(books, gate=gate, people=dict(books.people))


def agreed(books: Books) -> None:
    """On every day every account is what its records add up to."""
    for day in range(DAYS + 1):
        assert books.read(lambda c, on=FIRST + timedelta(days=day): journal_differences(c, on)) == []


@pytest.mark.capability("S110")
@pytest.mark.capability("S109")
def test_price_and_exchange_differences_are_kept_apart_from_receipt_to_payment(books: Books) -> None:
    order = books.dollars(40)
    books.happens(0, books.receipt(order, 40))
    assert books.balances() == {"stock": money(360), "goods_received_not_invoiced": money(360)}
    line = {"po_id": order.po_id, "po_line_id": order.line_ids[0], "quantity": 40, "unit_price": 101_000}
    bill = books.bill(order, 40, lines=(line,), tax=money(8), total=money(412))
    books.happens(3, bill)
    booked = books.balances()
    assert booked == {
        "stock": money(360),
        "price_variance": 38_000,
        "exchange_differences": money(20),
        "tax_recoverable": 76_000,
        "payables": 412 * 9_500,
    }
    pay = PaySupplierInvoices(payment_id=uuid4(), supplier_id=books.overseas, invoice_ids=(bill.invoice_id,))
    books.happens(5, pay)
    paid = books.balances()
    assert "payables" not in paid and paid["bank"] == -money(412)
    assert paid["exchange_differences"] == money(20) + 412 * 500
    held = books.read(lambda c: account_amounts(c, "payables", FIRST + timedelta(days=3)))
    assert held == {"USD": (money(412), 412 * 9_500)}
    entries = books.read(lambda c: journal_of(c, pay.payment_id))
    assert sorted((one.debit, one.credit, one.amount, one.value) for one in entries) == [
        ("exchange_differences", "payables", 0, 412 * 500),
        ("payables", "bank", money(412), money(412)),
    ]
    agreed(books)


@pytest.mark.capability("S109")
@pytest.mark.capability("S107")
def test_an_invoice_that_is_disputed_takes_back_exactly_what_it_posted(books: Books) -> None:
    order = books.dollars(40)
    books.happens(0, books.receipt(order, 40))
    before = books.balances()
    bill = books.bill(order, 30)
    books.happens(2, bill)
    assert books.balances()["payables"] == 300 * 8_800
    dispute = DisputeSupplierInvoice(
        invoice_id=bill.invoice_id, reason_code="price", owner_id=books.people["buyer"].user_id
    )
    books.happens(3, dispute)
    assert books.balances() == before
    books.happens(4, MatchSupplierInvoices(invoice_ids=(bill.invoice_id,)))
    again = books.balances()
    assert again["payables"] == 300 * 10_100
    assert again["goods_received_not_invoiced"] == money(90), "what is left stands at the rate of its receipt"
    books.happens(5, books.bill(order, 10))
    assert "goods_received_not_invoiced" not in books.balances()
    agreed(books)


def test_what_is_paid_in_advance_is_an_asset_until_it_is_deducted(books: Books) -> None:
    order = books.sent(20)
    bill = invoice(
        books,
        order,
        charges=(InvoiceCharge(po_id=order.po_id, kind="prepayment", amount=money(50)),),
        lines=(),
    )
    wish = SetMatchTolerance(prepayment=5_000)
    books.approve(books.submit(wish, "finance"), "manager", "payer")
    books.happens(1, bill)
    assert books.balances() == {"prepayments": money(50), "payables": money(50)}
    books.happens(2, books.receipt(order, 20))
    rest = invoice(
        books,
        order,
        20,
        charges=(InvoiceCharge(po_id=order.po_id, kind="deduction", amount=money(50)),),
    )
    books.happens(3, rest)
    assert books.balances() == {"stock": money(200), "payables": money(200)}
    agreed(books)


@pytest.mark.capability("S109")
def test_a_line_that_was_billed_in_advance_keeps_its_price(sqlite_books: Books) -> None:
    books = sqlite_books
    order = books.sent(20)
    bill = invoice(books, order, 20)
    books.happens(1, bill)
    dearer = ChangePurchaseOrder(
        po_id=order.po_id,
        reason_code="demand_changed",
        lines=(LineChange(po_line_id=order.line_ids[0], unit_price=money(11)),),
    )
    accept = AcceptSupplierInvoice(invoice_id=bill.invoice_id, round=1, reason_code="agreed_in_advance")
    books.approve(books.submit(accept, "buyer"), "finance")
    assert books.balances()["goods_received_not_invoiced"] == -money(200)
    assert books.refused(dearer)["field"] == "lines.unit_price"
    books.happens(DAYS, books.receipt(order, 20))
    assert books.balances() == {"stock": money(200), "payables": money(200)}
    agreed(books)


@pytest.mark.capability("S109")
def test_a_currency_without_a_rate_is_refused_before_anything_is_posted(sqlite_books: Books) -> None:
    books = sqlite_books
    order = books.dollars(40)
    early = books.on(-1, books.receipt(order, 40))
    billed = books.on(-1, books.bill(order, 10))
    for outcome in (early, billed):
        assert isinstance(outcome, Refused) and outcome.error.code == "no_exchange_rate"
        assert outcome.error.field == "currency" and "USD" in outcome.error.message
    assert books.stock(books.item) == {} and books.balances() == {}


@pytest.mark.capability("S48")
def test_landed_cost_is_accrued_until_freight_is_billed_and_goes_back_whole(books: Books) -> None:
    order = books.sent(40, freight_cost=money(30))
    books.happens(0, books.receipt(order, 40))
    charge = RecordLandedCost(charge_id=uuid4(), po_id=order.po_id, component="handling", amount=money(30))
    books.happens(1, charge)
    assert books.balances() == {
        "stock": money(430),
        "goods_received_not_invoiced": money(400),
        "landed_cost_accrued": money(30),
    }
    freight = InvoiceCharge(po_id=order.po_id, kind="freight", amount=money(30))
    books.happens(2, invoice(books, order, 40, charges=(freight,)))
    assert books.balances() == {"stock": money(430), "payables": money(430)}
    back = ReverseLandedCost(charge_id=charge.charge_id, reversal_id=uuid4(), reason_code="charged_twice")
    books.happens(3, back)
    assert books.balances() == {
        "stock": money(400),
        "landed_cost_accrued": -money(30),
        "payables": money(430),
    }
    agreed(books)


STEPS = (
    "receive",
    "reverse",
    "bill",
    "dear",
    "credit",
    "part",
    "dispute",
    "match",
    "pay",
    "charge",
    "back",
    "freight",
    "lose",
)


@pytest.mark.capability("S47", "S106", "S107", "S109", "S116")
@settings(
    max_examples=size(4, 60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    steps=st.lists(
        st.tuples(
            st.integers(0, DAYS), st.sampled_from(STEPS), st.booleans(), st.integers(1, 25), st.integers(0, 5)
        ),
        min_size=4,
        max_size=14,
    )
)
def test_whatever_happens_the_journal_is_what_the_documents_add_up_to_on_every_day(
    books: Books, steps: list[tuple[int, str, bool, int, int]]
) -> None:
    orders = {
        True: books.dollars(100, freight_cost=money(30)),
        False: books.sent(100, freight_cost=money(30)),
    }
    bills: list[RecordSupplierInvoice] = []
    charges: list[UUID] = []
    came: list[ReceiveGoods] = []
    for day, what, dollars, units, pick in sorted(steps, key=lambda step: step[0]):
        if what == "reverse":
            command = _reversal(came[pick % len(came)]) if came else None
        else:
            command = _step(books, orders[dollars], bills, charges, (what, dollars, units, pick))
        if isinstance(command, ReceiveGoods):
            came.append(command)
        if command is not None:
            books.on(day, command)
    agreed(books)
    totals = books.read(lambda c: trial_balance(c, date.max))
    assert sum(one.debit for one in totals) == sum(one.credit for one in totals)
    for order in orders.values():
        (line_id,) = order.line_ids
        payable = books.read(lambda c, line=line_id: payable_units(c, line))
        assert payable <= books.row(po_lines, line_id).accepted_quantity, (
            "no more is payable than is billable"
        )
    for path in books.read(paths_to_payment):
        assert path[-2:] == ["matched", "paid"], "nothing held or disputed is paid"


def payable_units(connection: Connection, line_id: UUID) -> int:
    """Units of a line on invoices that are payable or paid, less those of credit notes."""
    line, bill = supplier_invoice_lines.c, supplier_invoices.c
    units = case((line.price_only == 1, 0), else_=line.quantity)
    statement = (
        select(func.sum(case((bill.kind == "credit_note", -units), else_=units)))
        .join(supplier_invoices, bill.id == line.invoice_id)
        .where(line.po_line_id == line_id, bill.status.in_(("matched", "paid")))
    )
    return int(connection.scalar(statement) or 0)


def paths_to_payment(connection: Connection) -> list[list[str]]:
    """The steps of every invoice that money was paid for, in their order."""
    steps = invoice_steps.c
    rows = connection.execute(
        select(steps.invoice_id, steps.status)
        .join(supplier_payments, supplier_payments.c.invoice_id == steps.invoice_id)
        .order_by(steps.invoice_id, steps.version)
    )
    found: dict[UUID, list[str]] = {}
    for invoice_id, status in rows:
        found.setdefault(invoice_id, []).append(status)
    return list(found.values())


def _reversal(receipt: ReceiveGoods) -> Command:
    return ReverseReceipt(po_id=receipt.po_id, receipt_id=receipt.receipt_id, reason_code="posted_twice")


def _step(
    books: Books,
    order: Order,
    bills: list[RecordSupplierInvoice],
    charges: list[UUID],
    step: tuple[str, bool, int, int],
) -> Command | None:
    what, dollars, units, pick = step
    if what == "receive":
        return books.receipt(order, units)
    if what in ("bill", "dear"):
        line = {
            "po_id": order.po_id,
            "po_line_id": order.line_ids[0],
            "quantity": units,
            "unit_price": 101_000 if what == "dear" else 99_500,
        }
        bills.append(
            books.bill(
                order,
                dollars=dollars,
                lines=(line,),
                tax=pick * 7,
                total=units * line["unit_price"] + pick * 7,
            )
        )
        return bills[-1]
    if what == "charge":
        charges.append(uuid4())
        return RecordLandedCost(
            charge_id=charges[-1], po_id=order.po_id, component="handling", amount=units * 1_234 + 1
        )
    if what == "freight":
        part = InvoiceCharge(po_id=order.po_id, kind="freight", amount=units * 7_777)
        bills.append(books.bill(order, dollars=dollars, charges=(part,)))
        return bills[-1]
    if what == "back":
        if not charges:
            return None
        return ReverseLandedCost(
            charge_id=charges[pick % len(charges)], reversal_id=uuid4(), reason_code="charged_twice"
        )
    if not bills:
        return None
    bill = bills[pick % len(bills)]
    if what in ("credit", "part"):
        if not bill.lines:
            return bill.model_copy(
                update={
                    "invoice_id": uuid4(),
                    "number": f"C-{uuid4().hex[:8]}",
                    "kind": "credit_note",
                    "credits": bill.invoice_id,
                }
            )
        own = bill.lines[0].model_copy(
            update={"quantity": min(units, bill.lines[0].quantity), "price_only": what == "part"}
            | ({"unit_price": 5_000} if what == "part" else {})
        )
        return bill.model_copy(
            update={
                "invoice_id": uuid4(),
                "number": f"C-{uuid4().hex[:8]}",
                "kind": "credit_note",
                "credits": bill.invoice_id,
                "lines": (own,),
                "tax": 0,
                "total": own.quantity * own.unit_price,
            }
        )
    if what == "dispute":
        return DisputeSupplierInvoice(
            invoice_id=bill.invoice_id, reason_code="price", owner_id=books.people["buyer"].user_id
        )
    if what == "match":
        return MatchSupplierInvoices()
    if what == "pay":
        return PaySupplierInvoices(
            payment_id=uuid4(), supplier_id=bill.supplier_id, invoice_ids=(bill.invoice_id,)
        )
    return AdjustStock(
        adjustment_id=uuid4(),
        item_id=books.item,
        location_id=books.warehouse,
        quantity=-units,
        reason_code="counted",
    )


@pytest.mark.capability("S105")
def test_a_receipt_in_another_currency_is_taken_back_at_the_rate_of_its_day(books: Books) -> None:
    order = books.dollars(40)
    first, second = books.receipt(order, 10), books.receipt(order, 10)
    books.happens(0, first)
    books.happens(3, second)
    assert books.balances()["stock"] == 100 * 9_000 + 100 * 9_500
    books.happens(5, _reversal(first))
    assert books.balances() == {"stock": 100 * 9_500, "goods_received_not_invoiced": 100 * 9_500}
    books.happens(6, _reversal(second))
    assert books.balances() == {}
    agreed(books)
