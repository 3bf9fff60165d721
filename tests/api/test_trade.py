"""Tax, invoices, documents of trade and retention, over HTTP and on the command line."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

import pytest

from api.demo import PASSWORD
from tests.api.conftest import User
from tests.api.test_cli import Cli, cli

__all__ = ["cli"]


@pytest.mark.capability("S113", "S117", "S118")
def test_people_see_invoices_taxes_papers_and_what_is_kept_and_finance_holds_records(
    user: Callable[[str], User], cli: Cli
) -> None:
    finance = user("finance")
    period = {"since": "2000-01-01", "until": "2099-12-31"}
    assert {"Export", "VAT Germany"} <= {one["name"] for one in finance.get("/tax-rules")}
    assert finance.get("/revenue-rules") == [] == finance.get("/uninvoiced-shipments")
    newest = finance.get("/sales-documents", kind="invoice", limit=1)[0]
    lines = finance.get(f"/sales-documents/{newest['id']}/lines")
    assert sum(one["tax"] for one in lines) == newest["tax"] and newest["number"].startswith("INV-")
    sums = finance.get("/tax-sums", **period)
    invoiced = sum(one["net"] for one in sums if one["kind"] == "invoice")
    credited = sum(one["net"] for one in sums if one["kind"] == "credit_note")
    assert finance.get("/revenue", **period) == {"recognised": invoiced - credited, "deferred": 0}
    finance.get(f"/sales-documents/{uuid4()}/lines", expect=404)
    finance.get("/sales-documents", expect=422, kind="receipt")
    item = finance.get("/items", limit=1)[0]["id"]
    finance.get(f"/items/{item}/trade", expect=404)
    paper = {
        "document_id": str(uuid4()),
        "kind": "certificate_of_origin",
        "number": "CO-1",
        "issuer": "Chamber",
        "valid_from": "2026-01-01",
        "file_sha256": "d" * 64,
        "subject_kind": "item",
        "subject_id": item,
    }
    user("buyer").post("/commands/AddTradeDocument", paper)
    user("returns").post("/commands/AddTradeDocument", paper, expect=403)
    assert [one["number"] for one in finance.get("/trade-documents", subject_id=item)] == ["CO-1"]
    assert finance.get("/trade-rules") == []
    cli("login", "finance", given=f"{PASSWORD}\n")
    assert cli.json("taxes", "invoices", "--kind", "invoice")[0]["id"] == newest["id"]
    assert cli.json("taxes", "revenue", "--since", "2000-01-01", "--until", "2099-12-31")["deferred"] == 0
    assert cli.json("trade", "documents", "--of", item)[0]["kind"] == "certificate_of_origin"
    cli("retention", "hold", "--class", "journal_entry", "--reason", "Tax audit")
    (hold,) = finance.get("/retention")["holds"]
    due = {one["record_class"]: one for one in cli.json("retention", "due")}
    assert (hold["reason"], due["journal_entry"]["records"]) == ("Tax audit", 0)
    assert due["journal_entry"]["held"] > 0 == due["sales_document"]["held"]
    kept = ("sales_document", "10", "--from", "2000-01-01", "--reason", "Tax law")
    assert "proposed" in cli("retention", "keep", *kept)
    assert "proposed" in cli("retention", "release", hold["id"], "--reason", "Over")
    assert "Tax audit" in cli("retention", "rules")
    assert "rate" in cli("taxes", "rules")
