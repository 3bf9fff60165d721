"""What finance sees of purchases before they are billed: price variance, and landed cost that is still to come."""

from __future__ import annotations

import pytest

from erp_core.analytics.cost_exposure import CostExposure, cost_exposure, grouped
from erp_core.procurement.commands import (
    ConfirmPurchaseOrder,
    LinePromise,
    RecordLandedCost,
)
from erp_core.storage.types import money
from tests.procurement.conftest import TODAY, Company
from tests.procurement.test_invoices import company, invoice, received, recorded, sqlite_company
from tests.procurement.test_landed_cost import charge, take_back

__all__ = ["company", "sqlite_company"]


def exposure(company: Company) -> CostExposure:
    found = company.read(lambda connection: cost_exposure(connection, TODAY))
    assert isinstance(found, CostExposure)
    for by in ("supplier", "category", "month"):
        groups = grouped(found, by)
        for part in ("lines", "unknown", "value", "variance"):
            assert sum(getattr(one, part) for one in groups) == getattr(found.whole, part)
        for component, amount in found.whole.landed.items():
            known = [one.landed[component] for one in groups if one.landed[component] is not None]
            assert amount == (sum(known) if known else None)
    return found


@pytest.mark.capability("S111")
@pytest.mark.capability("S110")
def test_finance_sees_price_variance_and_landed_cost_before_the_invoice_comes(company: Company) -> None:
    past = received(company, 60)
    command: RecordLandedCost = charge(past, money(60))
    company.do(command, "finance")
    assert recorded(company, invoice(company, past, 60))[0] == "matched"
    assert exposure(company).lines == (), "what is received and invoiced costs nothing more"
    order = company.sent(20, 30, price=money(11))
    dear = LinePromise(po_line_id=order.line_ids[0], promised_on=TODAY, unit_price=money(12))
    as_ordered = LinePromise(po_line_id=order.line_ids[1], promised_on=TODAY)
    company.do(ConfirmPurchaseOrder(po_id=order.po_id, lines=(dear, as_ordered)))
    found = exposure(company)
    first = next(line for line in found.lines if line.po_line_id == order.line_ids[0])
    assert (first.open_units, first.uninvoiced_units, first.value) == (20, 0, money(220))
    assert (first.variance_at_order, first.variance_at_confirmation) == (money(20), money(40))
    assert first.variance_at_receipt is None and first.month == "2026-06"
    assert found.shares["handling"] == 100_000, "60.00 on 600.00 that was received"
    assert first.landed["handling"] == money(22) and first.landed["duty"] is None
    assert found.whole.unknown == 2, "a component that was never charged is not known"
    company.do(company.receipt(order, 20, 30), "warehouse")
    company.do(charge(order, money(11)), "finance")
    found = exposure(company)
    first = next(line for line in found.lines if line.po_line_id == order.line_ids[0])
    assert (first.open_units, first.uninvoiced_units) == (0, 20) and first.variance_at_receipt == money(20)
    share = found.shares["handling"] or 0
    assert share < 100_000, "measured on everything that was received"
    booked = sum(
        (line.value or 0) * share // 1_000_000 - (line.landed["handling"] or 0) for line in found.lines
    )
    assert booked == money(11), "what was booked is not expected again"
    take_back(company, command)
    assert exposure(company).shares["handling"] == money(11) * 1_000_000 // money(1_150), (
        "a charge taken back was none"
    )
