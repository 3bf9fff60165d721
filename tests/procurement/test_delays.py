"""A supplier's delay reaches service and exactly the customers whose goods come too late because of it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from erp_core.orders.commands import AlertOrders
from erp_core.orders.queries.alerts import list_alerts, messages_of
from erp_core.procurement.commands import CancelPurchaseOrder
from tests.procurement.test_promises import JULY_6, JULY_9, JULY_20, Customers, redated


@pytest.mark.capability("S71")
def test_a_delay_is_told_to_the_customers_it_makes_late_again_when_it_grows_and_never_to_others(
    company: Any,
) -> None:
    customers = Customers(company)
    purchase = company.sent(20, promised_on=JULY_6)
    early, patient = customers.order(12), customers.order(8, promised_on=JULY_9)

    def alerted() -> tuple[int, dict[UUID, tuple[str, Any]]]:
        sent = company.do(AlertOrders(), "service")["messages"]
        return sent, {one.order_id: (one.kind, one.expected_on) for one in company.read(list_alerts)}

    def told(order: UUID) -> list[str]:
        return [one.body for one in company.read(lambda connection: messages_of(connection, [order]))]

    assert alerted() == (0, {}), "everything comes in time"
    company.do(redated(purchase, JULY_9))
    assert alerted() == (1, {early: ("delay", JULY_9)})
    assert alerted()[0] == 0
    company.do(redated(purchase, JULY_20))
    assert alerted() == (2, {early: ("delay", JULY_20), patient: ("delay", JULY_20)})
    assert ["2026-07-09" in told(early)[0], "2026-07-20" in told(early)[1]] == [True, True]
    company.do(redated(purchase, JULY_9))
    assert alerted() == (2, {early: ("delay", JULY_9)})
    assert len(told(patient)) == 2, "late, and good news"
    company.do(CancelPurchaseOrder(po_id=purchase.po_id, reason_code="supplier_cannot_deliver"))
    assert alerted() == (2, {early: ("shortage", None), patient: ("shortage", None)})
