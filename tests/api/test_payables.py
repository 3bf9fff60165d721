"""What is owed to suppliers, over HTTP and on the command line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select

from api.company import Company
from api.demo import PASSWORD
from api.upkeep import keep_up
from erp_core.inventory.model import stock_balances
from erp_core.procurement.model import po_lines, purchase_orders
from erp_core.storage.engine import reading
from tests.api.conftest import User
from tests.api.test_cli import Cli, cli

__all__ = ["cli"]


@pytest.mark.capability("S108")
@pytest.mark.capability("S109")
def test_finance_sees_what_is_owed_and_what_holds_an_invoice_and_the_warehouse_sees_no_money(
    user: Callable[[str], User], cli: Cli, tiny_company: Company
) -> None:
    finance = user("finance")
    owed: dict[str, Any] = finance.get("/accruals")
    assert owed["rows"] and owed["totals"] == {
        currency: sum(one["value"] for one in owed["rows"] if one["accrual"]["currency"] == currency)
        for currency in owed["totals"]
    }
    line = next(one["accrual"] for one in owed["rows"] if one["units"] > 0)
    bill = {
        "invoice_id": str(uuid4()),
        "supplier_id": line["supplier_id"],
        "number": "R-1",
        "currency": line["currency"],
        "invoiced_on": owed["as_of"],
        "lines": [
            {
                "po_id": line["po_id"],
                "po_line_id": line["po_line_id"],
                "quantity": 1,
                "unit_price": 2 * line["unit_price"],
            }
        ],
        "total": 2 * line["unit_price"],
    }
    finance.post("/commands/RecordSupplierInvoice", bill)
    held = finance.get("/supplier-invoices", status="held", limit=200)["rows"]
    (listed,) = (one for one in held if one["number"] == "R-1")
    assert (listed["age_days"], listed["owner_role"]) == (0, "buyer")
    detail = finance.get(f"/supplier-invoices/{bill['invoice_id']}")
    assert [(one["code"], one["amount"]) for one in detail["reasons"]] == [("price_high", line["unit_price"])]
    cases = finance.get("/exceptions", kind="invoice_mismatch", limit=200)["rows"]
    (case,) = (one for one in cases if bill["invoice_id"] in str(one))
    said = finance.http.get(
        f"/exceptions/{case['id']}",
        headers={"Accept": "text/html", "Authorization": f"Bearer {finance.token}"},
    )
    assert said.status_code == 200 and "R-1" in said.text and "too much" in said.text
    variances = finance.get(f"/purchase-orders/{line['po_id']}/price-variance")
    assert line["po_line_id"] in {one["po_line_id"] for one in variances}
    assert finance.get("/accruals")["totals"] == owed["totals"], "what is held is still owed"
    assert finance.get("/accruals", as_of="2000-01-01")["rows"] == []
    item = finance.get(f"/purchase-orders/{line['po_id']}")["record"]["lines"][0]["item_id"]
    fifo, average = (
        finance.get(f"/items/{item}/cost-layers", method=method) for method in ("fifo", "average")
    )
    assert sum(one["units"] for one in fifo) == sum(one["units"] for one in average)
    for path in ("/supplier-invoices", "/accruals", f"/supplier-invoices/{bill['invoice_id']}"):
        user("warehouse").get(path, expect=403)
    jobs = tiny_company.gate.bootstrap_user("jobs", roles=("jobs",), kind="service")
    assert keep_up(tiny_company, jobs)["invoices_matched"] == 0, "it is matched again, and still too dear"
    finance.get("/supplier-invoices", expect=422, status="lost")
    finance.get(f"/supplier-invoices/{uuid4()}", expect=404)
    cli("login", "finance", given=f"{PASSWORD}\n")
    shown = cli.json("payables", "invoices", "--status", "held")["rows"]
    assert sorted(one["number"] for one in shown) == sorted(one["number"] for one in held)
    assert "Ask for a credit note" in str(cli.json("payables", "show", bill["invoice_id"]))
    assert "R-1" in cli("payables", "invoices")
    assert cli.json("payables", "accrued")["totals"] == owed["totals"]
    assert "received and not invoiced" in cli("payables", "accrued")


@pytest.mark.capability("S102")
def test_goods_that_went_back_from_stock_are_listed_among_the_claims(
    user: Callable[[str], User], cli: Cli, tiny_company: Company
) -> None:
    finance, warehouse = user("finance"), user("warehouse")
    lies = select(po_lines.c.id, po_lines.c.po_id).join(
        purchase_orders, purchase_orders.c.id == po_lines.c.po_id
    )
    there = (stock_balances.c.item_id == po_lines.c.item_id) & (
        stock_balances.c.location_id == purchase_orders.c.location_id
    )
    with reading(tiny_company.engine) as connection:
        line = connection.execute(
            lies.join(stock_balances, there).where(
                po_lines.c.accepted_quantity > 0,
                stock_balances.c.state == "available",
                stock_balances.c.quantity > 0,
            )
        ).first()
    assert line is not None
    gone = {
        "vendor_return_id": str(uuid4()),
        "po_id": str(line.po_id),
        "po_line_id": str(line.id),
        "quantity": 1,
        "state": "available",
        "reason_code": "quality",
        "defect": "faulty",
    }
    warehouse.post("/commands/ReturnToVendor", gone)
    known = finance.get("/returns/claims", status="open")
    (claim,) = (one for one in known if one["vendor_return_id"] == gone["vendor_return_id"])
    assert claim["return_line_id"] is None
    assert claim["po_line_id"] == gone["po_line_id"] and claim["expected"] > 0
    (seen,) = (one for one in warehouse.get("/returns/claims") if one["id"] == claim["id"])
    assert (seen["quantity"], seen["expected"]) == (1, None), "who sees no cost sees no claimed cost"
    finance.get("/returns/claims", expect=422, status="lost")
    cli("login", "finance", given=f"{PASSWORD}\n")
    assert cli.json("payables", "claims", "--status", "open") == known
    assert "stock" in cli("payables", "claims")
