"""What is received and not invoiced, at any date, and what prices did on the way."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from erp_core.gate.contract import Command
from erp_core.procurement.books.accruals import Accrual, accruals, price_variances
from erp_core.procurement.commands import ConfirmPurchaseOrder, LinePromise
from erp_core.procurement.commands.matching import MatchSupplierInvoices
from erp_core.procurement.commands.resolving import DisputeSupplierInvoice
from erp_core.procurement.invoices.queries import list_supplier_invoices, supplier_invoice
from erp_core.storage.types import money
from tests.conftest import size
from tests.procurement.conftest import TODAY, Company, Order
from tests.procurement.test_invoices import invoice

DAYS = 6


@pytest.fixture
def company(company: Company) -> Company:
    return _with_simulator(company)


@pytest.fixture
def sqlite_company(sqlite_company: Company) -> Company:
    return _with_simulator(sqlite_company)


def _with_simulator(company: Company) -> Company:
    company.people["simulator"] = company.gate.bootstrap_user(
        "simulator", roles=("simulator",), kind="service"
    )
    return company


def on(company: Company, day: int, command: Command) -> dict[str, Any]:
    moment = datetime(TODAY.year, TODAY.month, TODAY.day, 9, tzinfo=UTC) - timedelta(days=DAYS - day)
    return company.do(command.model_copy(update={"occurred_at": moment}), "simulator")


def owed(company: Company, day: int, order: Order) -> Accrual | None:
    found = company.read(lambda c: accruals(c, TODAY - timedelta(days=DAYS - day)))
    return next((one for one in found if one.po_id == order.po_id), None)


@pytest.mark.capability("S109")
def test_a_past_day_shows_what_was_owed_that_day_whatever_happened_since(company: Company) -> None:
    order = company.sent(60)
    on(company, 1, company.receipt(order, 40))
    bill = invoice(company, order, 30, price=10)
    on(company, 2, bill)
    on(company, 3, company.receipt(order, 20))
    dispute = DisputeSupplierInvoice(
        invoice_id=bill.invoice_id, reason_code="price", owner_id=company.people["buyer"].user_id
    )
    on(company, 4, dispute)
    on(company, 5, MatchSupplierInvoices(invoice_ids=(bill.invoice_id,)))
    on(company, 6, invoice(company, order, 30, price=10, number="R-NEXT"))
    values = [None if (one := owed(company, day, order)) is None else one.value for day in range(7)]
    assert values == [
        None,
        money(400),
        money(100),
        money(300),
        money(600),
        money(300),
        None,
    ]


@pytest.mark.capability("S109")
def test_what_is_held_is_still_owed_and_a_credit_note_opens_the_accrual_again(
    sqlite_company: Company,
) -> None:
    company = sqlite_company
    order = company.sent(40)
    on(company, 1, company.receipt(order, 40))
    on(company, 2, invoice(company, order, 40, price=12))
    dear = owed(company, 2, order)
    assert dear is not None and dear.units == 40
    good = invoice(company, order, 40)
    on(company, 3, good)
    assert owed(company, 3, order) is None
    on(company, 4, invoice(company, order, 4, kind="credit_note", credits=good.invoice_id))
    back = owed(company, 4, order)
    assert back is not None and back.units == 4


@pytest.mark.capability("S109")
@settings(
    max_examples=size(6, 80), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    steps=st.lists(
        st.tuples(st.integers(0, DAYS), st.sampled_from(["receive", "bill"]), st.integers(1, 25)), max_size=8
    )
)
def test_the_accrual_of_any_day_is_what_came_less_what_was_payable_by_then(
    company: Company, steps: list[tuple[int, str, int]]
) -> None:
    order = company.sent(100)
    came, billed = [0] * (DAYS + 1), [0] * (DAYS + 1)
    for day, what, units in sorted(steps):
        if what == "receive":
            came[day] += on(company, day, company.receipt(order, units))["accepted"]
        elif on(company, day, invoice(company, order, units))["status"] == "matched":
            billed[day] += units
    for day in range(DAYS + 1):
        expected = sum(came[: day + 1]) - sum(billed[: day + 1])
        one = owed(company, day, order)
        assert (0 if one is None else one.units) == expected >= 0


@pytest.mark.capability("S110")
def test_price_variance_is_known_at_confirmation_receipt_and_invoice_and_not_before(
    sqlite_company: Company,
) -> None:
    company = sqlite_company
    order = company.sent(40, price=money(11))

    def variance() -> tuple[int | None, ...]:
        (one,) = company.read(lambda c: price_variances(c, order.line_ids))
        return one.ordered, one.at_confirmation, one.at_receipt, one.at_invoice

    assert variance() == (money(40), None, None, None)
    promise = LinePromise(po_line_id=order.line_ids[0], promised_on=TODAY, quantity=40, unit_price=money(12))
    company.do(ConfirmPurchaseOrder(po_id=order.po_id, lines=(promise,)))
    assert variance() == (money(40), money(80), None, None)
    company.do(company.receipt(order, 30), "warehouse")
    assert variance()[2:] == (money(30), None)
    bill = invoice(company, order, 10, lines=_lines(order, 10, 111_000), total=1_110_000)
    assert company.do(bill, "finance")["status"] == "matched"
    assert variance()[3] == 10 * (111_000 - money(10))
    company.do(invoice(company, order, 10, price=13), "finance")
    assert variance()[3] == 10 * (111_000 - money(10)), "what is held is no cost yet"


def _lines(order: Order, units: int, price: int) -> tuple[dict[str, Any], ...]:
    return ({"po_id": order.po_id, "po_line_id": order.line_ids[0], "quantity": units, "unit_price": price},)


@pytest.mark.capability("S108")
@pytest.mark.capability("S228")
def test_a_list_shows_what_waits_longest_first_with_owner_age_and_a_proposal(
    sqlite_company: Company,
) -> None:
    company = sqlite_company
    order = company.sent(40)
    company.do(company.receipt(order, 40), "warehouse")
    old, new, good = (
        invoice(company, order, 1, price=12),
        invoice(company, order, 50),
        invoice(company, order, 1),
    )
    on(company, 2, old)
    company.do(new, "finance")
    company.do(good, "finance")
    rows, total = company.read(lambda c: list_supplier_invoices(c, TODAY))
    assert [one.id for one in rows] == [old.invoice_id, new.invoice_id, good.invoice_id] and total == 3
    assert [one.age_days for one in rows] == [4, 0, None]
    assert rows[0].owner_id == company.people["buyer"].user_id
    mine, _ = company.read(lambda c: list_supplier_invoices(c, TODAY, statuses=["held"], owner_id=uuid4()))
    assert mine == []
    detail = company.read(lambda c: supplier_invoice(c, old.invoice_id, TODAY))
    (reason,) = detail.reasons
    assert (reason.owner, reason.action, reason.amount) == ("buyer", "ask_credit", money(2))
    assert "1 units are billed at 12.00, ordered at 10.00" in reason.explanation
    beyond = company.read(lambda c: supplier_invoice(c, new.invoice_id, TODAY)).reasons[0]
    assert "more than was ordered" in beyond.explanation
    assert company.read(lambda c: supplier_invoice(c, good.invoice_id, TODAY)).reasons == []
    assert company.read(lambda c: supplier_invoice(c, UUID(int=5), TODAY)) is None
