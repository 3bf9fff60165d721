"""Customers of a world pay what is invoiced and get back what is credited, and the books agree."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Engine, func, select

from erp_core.finance.books import trial_balance
from erp_core.gate.submission import Gate
from erp_core.orders.model_documents import sales_documents
from erp_core.orders.model_payments import customer_payments, provider_payouts
from erp_core.orders.queries.customer_accounts import customer_accounts
from erp_core.procurement.books.reconciling import journal_differences
from erp_core.storage.engine import reading
from evals.worlds import TINY, Summary
from tests.evals.worlds.test_company import built, home

__all__ = ["built", "home"]


@pytest.mark.capability("S113")
def test_customers_pay_and_are_refunded_and_only_the_last_days_are_open(
    built: tuple[Gate, Engine, Summary],
) -> None:
    with reading(built[1]) as connection:
        for day in (TINY.start + timedelta(days=40), TINY.end):
            assert journal_differences(connection, day) == []
        held = {one.code: one.balance for one in trial_balance(connection, TINY.end)}
        kinds = dict(
            connection.execute(
                select(customer_payments.c.kind, func.sum(customer_payments.c.settled)).group_by(
                    customer_payments.c.kind
                )
            ).all()
        )
        opened = customer_accounts(connection)
        latest = dict(
            connection.execute(
                select(sales_documents.c.order_id, func.max(sales_documents.c.issued_on)).group_by(
                    sales_documents.c.order_id
                )
            ).all()
        )
        fees = connection.scalar(select(func.sum(provider_payouts.c.fee)))
    assert kinds["payment"] > kinds["refund"] > 0
    assert held["payment_fees"] == fees > 0 and held["payments_in_transit"] > 0
    assert held["receivables"] == sum(one.receivable for one in opened)
    assert opened and all(latest[one.order_id] >= TINY.end - timedelta(days=3) for one in opened)
