"""Customers' money: what is owed is paid, what is credited is refunded, and every account of sales is what its records say."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from erp_core.finance.books import journal_of, trial_balance
from erp_core.gate.contract import Command, Denied, Executed, Outcome, Proposed
from erp_core.gate.decisions import ApproveProposal
from erp_core.master.commands import SetRevenueRule
from erp_core.orders.commands import (
    CancelOrder,
    ConfirmDelivery,
    PaymentLine,
    PlaceOrder,
    RecordCustomerPayments,
    RecordProviderPayout,
    SetOffCustomerCredit,
    ShipOrder,
    ShippedLine,
)
from erp_core.orders.model_payments import customer_payments
from erp_core.orders.queries.customer_accounts import CustomerAccount, customer_accounts, sales_balances
from erp_core.orders.rules.payments import OrderAccount, PaymentKind, limit_of, take
from erp_core.procurement.books.reconciling import journal_differences
from erp_core.returns.commands import (
    AuthorisedLine,
    AuthoriseReturn,
    CreditOrder,
    DisposedLine,
    DisposeReturn,
    InspectedLine,
    InspectReturn,
    ReceiveReturn,
)
from erp_core.storage.engine import gate_writing, reading
from erp_core.storage.types import money
from tests.conftest import size
from tests.orders.test_sales_documents import DAY, Market, another
from tests.shop import MONDAY, Shop

KINDS: tuple[PaymentKind, ...] = ("payment", "chargeback", "refund", "returned_refund")


class Till(Market):
    """A taxed channel with a payment provider of its own."""

    def __init__(self, market: Market, **tax: Any) -> None:
        super().__init__(market.shop, market.channel)
        self.provider = f"PSP-{uuid4().hex[:8]}"
        self.tax(**tax)

    def line(
        self, order: PlaceOrder, amount: int, kind: PaymentKind = "payment", **fields: Any
    ) -> PaymentLine:
        told = {"payment_id": uuid4(), "order_id": order.order_id, "kind": kind, "reference": uuid4().hex}
        return PaymentLine(**told | {"amount": amount} | fields)

    def report(self, *lines: PaymentLine) -> RecordCustomerPayments:
        return RecordCustomerPayments(report_id=uuid4(), provider=self.provider, lines=lines)

    def moves(self, order: PlaceOrder, amount: int, kind: PaymentKind = "payment") -> dict[str, Any]:
        return self.shop.run(self.report(self.line(order, amount, kind)))

    def refuses(self, order: PlaceOrder, amount: int, kind: PaymentKind = "payment") -> int:
        """What is due of the order, which the amount exceeds."""
        error = self.shop.refused(self.report(self.line(order, amount, kind)))
        assert error.code == "exceeds_due", error
        return int(error.details["due"])

    def payout(self, amount: int, **fields: Any) -> RecordProviderPayout:
        told = {"payout_id": uuid4(), "provider": self.provider, "reference": uuid4().hex}
        return RecordProviderPayout(**told | {"amount": amount} | fields)

    def open(self, order: PlaceOrder) -> tuple[int, int, int]:
        with reading(self.shop.gate.engine) as connection:
            (found,) = customer_accounts(connection, order_id=order.order_id)
        assert isinstance(found, CustomerAccount)
        return found.receivable, found.prepaid, found.refund_due

    def posted_by(self, document_id: UUID) -> dict[tuple[str, str], int]:
        with reading(self.shop.gate.engine) as connection:
            return {(one.debit, one.credit): one.value for one in journal_of(connection, document_id)}

    def agreed(self, command: Command) -> Outcome:
        """What comes of a wish that a manager agrees to."""
        manager = self.shop.gate.bootstrap_user("manager-then", roles=("manager", "simulator"))
        (held,) = self.shop.submit(command)
        if not isinstance(held, Proposed):
            return held
        yes = ApproveProposal(proposal_id=held.proposal_id, payload_hash=held.payload_hash)
        return self.shop.gate.submit(
            yes.model_copy(update={"occurred_at": self.shop.now}), manager, key=uuid4().hex
        )

    def credit(self, order: PlaceOrder, amount: int) -> Outcome:
        told = {"credit_id": uuid4(), "order_id": order.order_id, "amount": amount}
        return self.agreed(CreditOrder(reason_code="goodwill", **told))


def agreed(shop: Shop, last: date = DAY) -> None:
    """On every day every account of sales is what its records say, by order and in all, and the journal balances."""
    with reading(shop.gate.engine) as connection:
        for days in range((last - DAY).days + 2):
            day = DAY + timedelta(days=days)
            assert journal_differences(connection, day) == []
            totals = trial_balance(connection, day)
            assert sum(one.debit for one in totals) == sum(one.credit for one in totals)
            balances, orders = sales_balances(connection, day), customer_accounts(connection, until=day)
            assert balances["receivables"] == sum(one.receivable for one in orders)
            assert balances["customer_prepayments"] == sum(one.prepaid for one in orders)
            assert balances["refunds_payable"] == sum(one.refund_due for one in orders)
            assert all(min(one.receivable, one.prepaid, one.refund_due) >= 0 for one in orders)


@pytest.fixture
def till(shop: Shop) -> Till:
    return Till(another(shop))


@pytest.mark.capability("S113")
def test_a_payment_closes_what_was_invoiced_and_the_payout_brings_it_to_the_bank_less_the_fee(
    till: Till,
) -> None:
    order = till.sell((till.shop.item(north=9, cost=10_000), 2))
    till.shop.ship(order)
    assert till.open(order) == (money("47.60"), 0, 0)
    report = till.report(till.line(order, money("47.60")))
    told = till.shop.run(report)
    assert (told["recorded"], told["known"], told["amounts"]) == (1, 0, {"payment": money("47.60")})
    assert till.posted_by(report.report_id) == {("payments_in_transit", "receivables"): money("47.60")}
    assert till.open(order) == (0, 0, 0)
    assert till.refuses(order, 1) == 0
    assert till.shop.refused(till.payout(money("47.61"))).details["due"] == money("47.60")
    paid_out = till.payout(money("46.60"), fee=money(1))
    till.shop.run(paid_out)
    assert till.posted_by(paid_out.payout_id) == {
        ("bank", "payments_in_transit"): money("46.60"),
        ("payment_fees", "payments_in_transit"): money(1),
    }
    assert till.shop.run(paid_out.model_copy(update={"payout_id": uuid4()}))["known"] is True
    other = paid_out.model_copy(update={"payout_id": uuid4(), "amount": money(1)})
    assert till.shop.refused(other).code == "reference_taken"
    agreed(till.shop)


@pytest.mark.capability("S113")
def test_what_is_paid_before_the_invoice_is_an_advance_that_each_parcel_uses(till: Till) -> None:
    order = till.sell((till.shop.item(north=9, cost=10_000), 3))
    whole = money("71.40")
    assert till.refuses(order, whole + 1) == whole
    early = till.report(till.line(order, whole))
    till.shop.run(early)
    assert till.posted_by(early.report_id) == {("payments_in_transit", "customer_prepayments"): whole}
    assert till.refuses(order, 1) == 0
    for units in (1, 2):
        left = till.open(order)[1]
        part = ShippedLine(line_id=order.lines[0].line_id, quantity=units)
        till.shop.ship(order, lines=(part,))
        assert till.open(order) == (0, left - units * money("23.80"), 0)
    first, second = till.documents(order)
    assert till.posted(first, second)["customer_prepayments", "receivables"] == whole
    agreed(till.shop)


@pytest.mark.capability("S125")
def test_a_refund_is_paid_only_where_it_is_due_and_what_is_still_owed_is_set_off(till: Till) -> None:
    item = till.shop.item(north=20, cost=10_000)
    paid, unpaid = till.sell((item, 2)), till.sell((item, 2))
    for order in (paid, unpaid):
        till.shop.ship(order)
    till.moves(paid, money("47.60"))
    assert till.refuses(paid, 1, "refund") == 0
    for order in (paid, unpaid):
        till.give_back(order, 0, 1, money(20))
        assert till.open(order)[2] == money("23.80")
    assert till.refuses(paid, money("23.81"), "refund") == money("23.80")
    assert till.refuses(unpaid, 1, "refund") == 0
    told = till.report(till.line(paid, money("23.80"), "refund"))
    till.shop.run(told)
    assert till.posted_by(told.report_id) == {("refunds_payable", "payments_in_transit"): money("23.80")}
    assert till.open(paid) == (0, 0, 0)
    set_off = SetOffCustomerCredit(set_off_id=uuid4(), order_id=unpaid.order_id, amount=money("23.80"))
    assert till.shop.refused(set_off.model_copy(update={"amount": money("23.81")})).code == "exceeds_due"
    till.shop.run(set_off)
    assert till.posted_by(set_off.set_off_id) == {("refunds_payable", "receivables"): money("23.80")}
    assert till.shop.refused(set_off).code == "already_exists"
    till.moves(unpaid, money("23.80"))
    assert till.open(unpaid) == (0, 0, 0)
    agreed(till.shop)


@pytest.mark.capability("S112")
def test_a_credit_without_a_return_is_paid_back_with_its_tax(till: Till) -> None:
    order = till.sell((till.shop.item(north=9, cost=10_000), 2))
    till.shop.ship(order)
    till.moves(order, money("47.60"))
    assert isinstance(till.credit(order, money(10)), Executed)
    assert till.open(order) == (0, 0, money("11.90"))
    till.moves(order, money("11.90"), "refund")
    assert till.open(order) == (0, 0, 0)
    assert till.refuses(order, money("11.91"), "returned_refund") == money("11.90")
    till.moves(order, money("11.90"), "returned_refund")
    assert till.open(order) == (0, 0, money("11.90"))
    agreed(till.shop)


@pytest.mark.capability("S113")
def test_an_advance_of_a_cancelled_order_goes_back_and_a_chargeback_lets_what_was_paid_fall_due(
    till: Till,
) -> None:
    item = till.shop.item(north=20, cost=10_000)
    cancelled, kept = till.sell((item, 1)), till.sell((item, 2))
    till.moves(cancelled, money("23.80"))
    till.shop.cancel(cancelled)
    assert till.refuses(cancelled, 1) == 0
    assert till.refuses(cancelled, money("23.81"), "refund") == money("23.80")
    till.moves(cancelled, money("23.80"), "refund")
    assert till.open(cancelled) == (0, 0, 0)
    till.moves(kept, money("47.60"))
    till.shop.ship(kept, lines=(ShippedLine(line_id=kept.lines[0].line_id, quantity=1),))
    assert till.open(kept) == (0, money("23.80"), 0)
    assert till.refuses(kept, money("47.61"), "chargeback") == money("47.60")
    till.moves(kept, money("30"), "chargeback")
    assert till.open(kept) == (money("6.20"), 0, 0)
    agreed(till.shop)


@pytest.mark.capability("S113")
def test_a_report_that_comes_twice_is_recorded_once_and_one_that_is_wrong_not_at_all(till: Till) -> None:
    item = till.shop.item(north=20, cost=10_000)
    one, other = till.sell((item, 1)), till.sell((item, 1))
    for order in (one, other):
        till.shop.ship(order)
    first = till.line(one, money("23.80"))
    report = till.report(first, till.line(other, money(20)))
    assert till.shop.run(report)["recorded"] == 2
    again = till.report(first, till.line(other, money("3.80")))
    told = till.shop.run(again)
    assert (told["recorded"], told["known"]) == (1, 1)
    assert till.shop.run(report)["recorded"] == 0
    for other_one in ({"amount": money(1)}, {"order_id": other.order_id}, {"kind": "refund"}):
        wrong = first.model_copy(update=other_one)
        assert till.shop.refused(till.report(wrong)).code == "reference_taken"
    third = till.sell((item, 1))
    till.shop.ship(third)
    bad = till.report(till.line(third, money("23.80")), till.line(third, 1))
    assert till.shop.refused(bad).code == "exceeds_due"
    assert till.open(third) == (money("23.80"), 0, 0), "a report is recorded whole or not at all"
    taken = till.report(till.line(third, 1, payment_id=first.payment_id))
    assert till.shop.refused(taken).code == "already_exists"
    unknown = till.report(till.line(third, 1, order_id=uuid4()))
    assert till.shop.refused(unknown).code == "not_found"
    elsewhere = till.report(first.model_copy(update={"payment_id": uuid4(), "order_id": third.order_id}))
    till.shop.run(elsewhere.model_copy(update={"provider": f"{till.provider}-2"}))
    assert till.open(third) == (0, 0, 0), "another provider has references of its own"
    agreed(till.shop)


@pytest.mark.capability("S210")
def test_only_finance_records_money_of_customers_and_nobody_changes_what_is_recorded(till: Till) -> None:
    order = till.sell((till.shop.item(north=9, cost=10_000), 1))
    till.shop.ship(order)
    gate, report = till.shop.gate, till.report(till.line(order, money("23.80")))
    for role in ("service", "returns", "manager", "warehouse", "buyer"):
        person = gate.bootstrap_user(f"{role}-only", roles=(role,))
        for command in (report, till.payout(1)):
            assert isinstance(gate.submit(command, person, key=uuid4().hex), Denied)
    finance = gate.bootstrap_user("finance", roles=("finance",))
    assert isinstance(gate.submit(report, finance, key=uuid4().hex), Executed)
    with pytest.raises(Exception, match="append-only"), gate_writing(gate.engine) as connection:
        connection.execute(update(customer_payments).values(settled=1))


@pytest.mark.capability("S113")
def test_of_reports_that_come_at_once_no_two_take_the_same_money(till: Till) -> None:
    order = till.sell((till.shop.item(north=9, cost=10_000), 1))
    till.shop.ship(order)
    same = till.line(order, money("23.80"))
    guests = [till.shop.visit() for _ in range(6)]

    def record(position: int) -> Any:
        line = same if position % 2 else till.line(order, money("23.80"))
        (outcome,) = guests[position].submit(till.report(line))
        return outcome

    with ThreadPoolExecutor(6) as pool:
        outcomes = list(pool.map(record, range(6)))
    recorded = [one.result["recorded"] for one in outcomes if isinstance(one, Executed)]
    assert sum(recorded) == 1
    assert till.open(order) == (0, 0, 0)
    agreed(till.shop)


@pytest.mark.capability("S113")
def test_a_company_that_invoices_elsewhere_has_nothing_to_be_paid_here(fresh_shop: Shop) -> None:
    order = fresh_shop.place((fresh_shop.item(north=9), 1))
    line = PaymentLine(
        payment_id=uuid4(), order_id=order.order_id, kind="payment", reference="1", amount=money(20)
    )
    report = RecordCustomerPayments(report_id=uuid4(), provider="PSP", lines=(line,))
    assert fresh_shop.refused(report).code == "exceeds_due"
    with reading(fresh_shop.gate.engine) as connection:
        assert set(sales_balances(connection, DAY).values()) == {0}
        assert customer_accounts(connection) == []


AMOUNTS = st.integers(1, 500)


@given(
    owed=st.lists(st.integers(0, 400), min_size=3, max_size=3),
    moves=st.lists(st.tuples(st.sampled_from(KINDS), AMOUNTS, st.integers(0, 300)), max_size=20),
)
@pytest.mark.capability("S113")
def test_no_figure_of_an_order_falls_below_zero_and_money_is_only_moved(
    owed: list[int], moves: list[tuple[PaymentKind, int, int]]
) -> None:
    account = OrderAccount(owed[0], owed[1], owed[2], received=owed[1])
    held, before = 0, account.receivable - account.prepaid - account.refund_due
    for kind, amount, expected in moves:
        limit = limit_of(kind, account, expected)
        amount = min(amount, limit.amount)
        if not amount:
            continue
        split = take(kind, account, amount, limit)
        assert sum(split) == amount and min(split) >= 0
        assert split.settled <= limit.settled and split.in_advance <= limit.in_advance
        held += amount if kind in ("payment", "returned_refund") else -amount
        assert min(account.receivable, account.prepaid, account.refund_due) >= 0
        assert min(account.received, account.refunded) >= 0
        assert account.receivable - account.prepaid - account.refund_due == before - held


STEP = st.tuples(
    st.sampled_from(
        ("order", "with tax", "ship", "part", "cancel", "return", "credit", "deliver", "set off", "payout")
        + KINDS
        + ("payment", "payment", "ship", "part")
    ),
    st.integers(0, 4),
    st.integers(1, 100),
    st.integers(0, 2),
)


class Trade:
    """Turns drawn steps into what customers, the warehouse and finance do."""

    def __init__(self, tills: list[Till]) -> None:
        self.tills, self.shop = tills, tills[0].shop
        self.item = self.shop.item(north=400, cost=33_333)
        self.orders: list[tuple[Till, PlaceOrder]] = []
        self.parcels: list[UUID] = []

    def step(self, what: str, pick: int, percent: int, units: int) -> None:
        if what in ("order", "with tax") or not self.orders:
            till = self.tills[pick % len(self.tills)]
            order = self.shop.order(
                (self.item, units + 1),
                channel_id=till.channel,
                prices_include_tax=what == "with tax",
            )
            self.shop.run(order)
            self.orders.append((till, order))
            return
        till, order = self.orders[pick % len(self.orders)]
        if what == "cancel":
            self.shop.submit(CancelOrder(order_id=order.order_id, reason_code="customer_request"))
        elif what in ("ship", "part"):
            self._ship(order, 1 if what == "part" else None)
        elif what == "deliver" and self.parcels:
            self.shop.submit(ConfirmDelivery(shipment_id=self.parcels[pick % len(self.parcels)]))
        elif what == "return":
            self._give_back(till, order, percent * 1_999)
        elif what == "credit":
            till.credit(order, percent * 777)
        elif what == "set off":
            amount = max(min(till.open(order)[0], till.open(order)[2]) * percent // 100, 1)
            told = {"set_off_id": uuid4(), "order_id": order.order_id, "amount": amount}
            self.shop.submit(SetOffCustomerCredit(**told))
        elif what == "payout":
            self.shop.submit(till.payout(percent * 2_345, fee=percent))
        elif what in KINDS:
            self._move(till, order, what, percent)

    def _move(self, till: Till, order: PlaceOrder, kind: Any, percent: int) -> None:
        """As much of what is due as the percentage says; with one more it is refused."""
        (outcome,) = self.shop.submit(till.report(till.line(order, 10**12, kind)))
        due = int(outcome.error.details["due"])
        amount = due * percent // 100
        assert till.refuses(order, due + 1, kind) == due
        if amount:
            till.moves(order, amount, kind)

    def _give_back(self, till: Till, order: PlaceOrder, refund: int) -> None:
        """A unit comes back, where one is out and so much of its price may still be given back."""
        line = AuthorisedLine(
            return_line_id=uuid4(),
            order_line_id=order.lines[0].line_id,
            quantity=1,
            reason_code="changed_mind",
            refund=refund,
        )
        return_id = uuid4()
        wish = AuthoriseReturn(return_id=return_id, order_id=order.order_id, lines=(line,))
        if not isinstance(till.agreed(wish), Executed):
            return
        self.shop.run(ReceiveReturn(return_id=return_id))
        seen = InspectedLine(return_line_id=line.return_line_id, condition="as_new")
        self.shop.run(InspectReturn(return_id=return_id, lines=(seen,)))
        way = DisposedLine(return_line_id=line.return_line_id, disposition="restock")
        self.shop.run(DisposeReturn(return_id=return_id, lines=(way,)))

    def _ship(self, order: PlaceOrder, units: int | None) -> None:
        parcel = uuid4()
        part = () if units is None else (ShippedLine(line_id=order.lines[0].line_id, quantity=units),)
        fields = {"lines": part} if part else {}
        (outcome,) = self.shop.submit(ShipOrder(order_id=order.order_id, shipment_id=parcel, **fields))
        if isinstance(outcome, Executed):
            self.parcels.append(parcel)


@pytest.mark.capability("S113", "S125")
@settings(
    max_examples=size(6, 80), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=st.lists(st.tuples(STEP, st.integers(0, 1)), min_size=8, max_size=30))
def test_whatever_customers_pay_and_get_back_every_account_of_sales_is_what_its_records_add_up_to(
    shop: Shop, steps: list[tuple[Any, int]]
) -> None:
    later = Till(another(shop), rounding_unit=100)
    later.govern(
        SetRevenueRule(rule_id=uuid4(), channel_id=later.channel, recognise_at="delivery", valid_from=DAY)
    )
    trade = Trade([Till(another(shop)), later])
    shop.now = MONDAY
    for step, days in steps:
        shop.later(days)
        trade.step(*step)
    agreed(shop, shop.now.date())
