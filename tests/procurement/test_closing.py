"""A month is closed when everything agrees, and then nothing happens in it any more."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import update
from sqlalchemy.exc import DBAPIError

from erp_core.finance.model import cost_entries
from erp_core.finance.model_journal import journal_entries
from erp_core.gate.contract import Command, Executed, Outcome, Refused
from erp_core.gate.model_periods import closed_periods
from erp_core.procurement.books.reconciling import journal_differences, landed_accrued
from erp_core.procurement.commands import ClosePeriod, InvoiceCharge, RecordLandedCost
from erp_core.procurement.commands.closing import closed_differences, figures_on
from erp_core.procurement.commands.paying import PaySupplierInvoices
from erp_core.procurement.invoices.payables import payables, payables_by_invoice
from erp_core.procurement.model.receiving import held_decisions
from erp_core.storage.engine import gate_writing
from erp_core.storage.ids import new_id
from erp_core.storage.types import money
from tests.procurement.conftest import Company
from tests.procurement.test_invoices import invoice

MAY, JUNE = date(2026, 5, 1), date(2026, 6, 1)


@pytest.fixture
def company(company: Company) -> Company:
    company.people["simulator"] = company.gate.bootstrap_user(
        "simulator", roles=("simulator",), kind="service"
    )
    return company


def then(company: Company, day: date, command: Command) -> Outcome:
    moment = datetime(day.year, day.month, day.day, 9, tzinfo=UTC)
    return company.submit(command.model_copy(update={"occurred_at": moment}), "simulator")


def close(company: Company, month: date) -> str:
    """`executed`, or the code of what keeps the month open."""
    result = company.approve(company.submit(ClosePeriod(month=month), "finance"), "manager")
    return str(result["failed"]["code"] if "failed" in result else result["status"])


@pytest.mark.capability("S116")
@pytest.mark.capability("S109")
def test_a_closed_month_keeps_its_figures_and_takes_no_more_postings(company: Company) -> None:
    order = company.sent(60)
    bill, other = invoice(company, order, 30), invoice(company, order, 10)
    for day, command in (
        (date(2026, 5, 20), company.receipt(order, 50)),
        (date(2026, 5, 21), bill),
        (date(2026, 5, 22), other),
    ):
        assert isinstance(then(company, day, command), Executed)
    pay = PaySupplierInvoices(
        payment_id=new_id(), supplier_id=company.supplier, invoice_ids=(other.invoice_id,)
    )
    company.people["payer"] = company.gate.bootstrap_user("payer", roles=("finance",))
    may = company.read(lambda c: figures_on(c, date(2026, 5, 31)))
    assert (may.units, may.valuation) == (50, money(500))
    assert (may.accrued, may.payables) == ({"EUR": money(100)}, {"EUR": money(400)})
    assert may.accounts == {
        "stock": money(500),
        "goods_received_not_invoiced": money(100),
        "payables": money(400),
    }

    assert close(company, JUNE) == "period_not_over"
    assert close(company, MAY) == "executed"
    assert close(company, MAY) == "period_closed"

    late = company.receipt(order, 10)
    for day in (date(2026, 5, 31), date(2026, 4, 2)):
        refused = then(company, day, late)
        assert isinstance(refused, Refused) and refused.error.code == "period_closed"
    assert isinstance(then(company, date(2026, 6, 1), late), Executed)
    company.do(pay, "payer")
    assert company.read(lambda c: figures_on(c, date(2026, 5, 31))) == may
    assert company.read(closed_differences) == []
    for day in (date(2026, 5, 21), date(2026, 5, 31), date(2026, 6, 30)):
        told = company.read(lambda c, day=day: (payables(c, day), payables_by_invoice(c, day)))
        assert told[0] == told[1]
    with pytest.raises(DBAPIError, match="append-only"), gate_writing(company.gate.engine) as c:
        c.execute(update(closed_periods).values(closed_on=date(2026, 7, 1)))


@pytest.mark.capability("S116")
def test_a_month_that_does_not_agree_is_not_closed_and_one_changed_beside_the_gate_shows(
    company: Company,
) -> None:
    order = company.sent(40)
    then(company, date(2026, 5, 20), company.receipt(order, 40))
    stray = {
        "id": new_id(),
        "item_id": company.item,
        "occurred_on": date(2026, 5, 30),
        "event": "adjustment",
        "quantity": 1,
        "value": money(10),
        "document_kind": "adjustment",
        "document_id": new_id(),
        "line_id": None,
        "audit_id": new_id(),
    }
    with gate_writing(company.gate.engine) as c:
        c.execute(cost_entries.insert(), [stray])
    assert close(company, MAY) == "period_differs"
    back = stray | {"id": new_id(), "quantity": -1, "value": -money(10)}
    entry = {
        "id": new_id(),
        "occurred_on": date(2026, 5, 30),
        "event": "adjustment",
        "document_kind": "adjustment",
        "document_id": new_id(),
        "debit": "stock",
        "credit": "stock_losses",
        "currency": "EUR",
        "amount": money(10),
        "value": money(10),
        "audit_id": new_id(),
    }
    against = entry | {"id": new_id(), "debit": "stock_losses", "credit": "stock"}
    with gate_writing(company.gate.engine) as c:
        c.execute(cost_entries.insert(), [back])
        c.execute(journal_entries.insert(), [entry])
    (apart,) = company.read(lambda c: journal_differences(c, date(2026, 5, 31)))
    assert (apart.account, apart.in_journal - apart.in_records) == ("stock", money(10))
    assert close(company, MAY) == "period_differs"
    with gate_writing(company.gate.engine) as c:
        c.execute(journal_entries.insert(), [against])
    assert close(company, MAY) == "executed"
    for table, row in ((cost_entries, stray), (journal_entries, entry)):
        late = row | {"id": new_id()}
        with pytest.raises(DBAPIError, match="closed"), gate_writing(company.gate.engine) as c:
            c.execute(table.insert(), [late])
        with gate_writing(company.gate.engine) as c:
            c.execute(table.insert(), [late | {"occurred_on": date(2026, 6, 1)}])
    beside = {"decision": "accept", "quantity": 1, "decided_on": date(2026, 5, 30), "audit_id": new_id()}
    with gate_writing(company.gate.engine) as c:
        c.execute(held_decisions.insert(), [beside | {"id": new_id(), "po_line_id": order.line_ids[0]}])
    assert company.read(closed_differences) == [MAY]
    with pytest.raises(ValueError, match="first day"):
        ClosePeriod(month=date(2026, 5, 2))


@pytest.mark.capability("S116")
def test_a_month_is_not_closed_while_landed_cost_is_not_what_was_charged_and_billed(company: Company) -> None:
    order = company.sent(40, freight_cost=money(30))
    freight = InvoiceCharge(po_id=order.po_id, kind="freight", amount=money(30))
    for command in (
        company.receipt(order, 40),
        RecordLandedCost(charge_id=new_id(), po_id=order.po_id, component="handling", amount=money(50)),
        invoice(company, order, 40, charges=(freight,)),
    ):
        assert isinstance(then(company, date(2026, 5, 20), command), Executed)
    assert company.read(lambda c: landed_accrued(c, date(2026, 5, 19))) == {}
    assert company.read(lambda c: journal_differences(c, date(2026, 5, 31))) == []
    told = company.read(lambda c: figures_on(c, date(2026, 5, 31))).accounts
    assert told["landed_cost_accrued"] == money(20)
    entry = {
        "id": new_id(),
        "occurred_on": date(2026, 5, 30),
        "event": "landed_cost",
        "document_kind": "landed_charge",
        "document_id": new_id(),
        "debit": "cost_of_goods_sold",
        "credit": "landed_cost_accrued",
        "currency": "XXX",
        "amount": money(5),
        "value": money(5),
        "audit_id": new_id(),
    }
    with gate_writing(company.gate.engine) as c:
        c.execute(journal_entries.insert(), [entry])
    (apart,) = company.read(lambda c: journal_differences(c, date(2026, 5, 31)))
    assert (apart.account, apart.in_journal - apart.in_records) == ("landed_cost_accrued", money(5))
    assert close(company, MAY) == "period_differs"
    with gate_writing(company.gate.engine) as c:
        back = {"debit": "landed_cost_accrued", "credit": "cost_of_goods_sold"}
        c.execute(journal_entries.insert(), [entry | back | {"id": new_id()}])
    assert close(company, MAY) == "executed"
