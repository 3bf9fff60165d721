"""The books over HTTP, on the command line and in the console."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from datetime import date, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from api.company import Company
from api.demo import PASSWORD
from api.doctor import _journal
from erp_core.finance.model_journal import journal_entries
from erp_core.storage.engine import gate_writing
from erp_core.storage.ids import new_id
from tests.api.conftest import User
from tests.api.test_cli import Cli, cli

__all__ = ["cli"]


@pytest.mark.capability("S47")
@pytest.mark.capability("S116")
def test_finance_reads_the_books_that_agree_with_the_records_and_closes_a_month(
    user: Callable[[str], User], cli: Cli, tiny_company: Company, tmp_path: Path
) -> None:
    finance = user("finance")
    told: dict[str, Any] = finance.get("/finance/trial-balance")
    assert told["differences"] == [] and told["debit"] == told["credit"] > 0
    held = {one["code"]: one["balance"] for one in told["rows"]}
    assert held["stock"] > 0 and held["cost_of_goods_sold"] > 0
    moved = finance.get("/finance/accounts/goods_received_not_invoiced", limit=3)["rows"]
    document = finance.get("/finance/journal", document_id=moved[0]["document_id"])["rows"]
    assert {"stock"} == {one["debit"] for one in document}
    finance.get("/finance/accounts/pocket", expect=422)
    assert finance.get("/finance/trial-balance", as_of="2000-01-01")["rows"] == []
    for path in ("/finance/trial-balance", "/finance/journal", "/finance/periods", "/finance/journal.csv"):
        user("warehouse").get(path, expect=403)
        user("planner").get(path, expect=403)
    assert user("executive").get("/finance/periods")[0]["closed_on"] is None

    today = tiny_company.clock.today()
    last_month = (today.replace(day=1) - timedelta(days=1)).replace(day=1)
    cli("login", "finance", given=f"{PASSWORD}\n")
    shown = cli("books", "balance")
    assert "Cost of goods sold" in shown
    assert {len(decimals) for decimals in re.findall(r"\d\.(\d+)", shown)} == {2}
    assert cli.json("books", "balance")["debit"] == told["debit"]
    out = tmp_path / "journal.csv"
    cli("books", "journal", "--out", str(out))
    lines = list(csv.DictReader(StringIO(out.read_text())))
    assert sum(round(float(one["value"]) * 10_000) for one in lines) == told["debit"]
    assert "waits" in cli("period", "close", f"{last_month:%Y-%m}").casefold()
    assert cli.json("period", "list")[1]["month"] == str(last_month)
    assert "can be closed" in cli("period", "list")
    assert cli.json("books", "journal", "--limit", "2")["limit"] == 2


@pytest.mark.capability("S47")
def test_the_doctor_names_the_account_that_was_written_beside_its_documents(tiny_company: Company) -> None:
    assert [one.state for one in _journal(tiny_company)] == ["good", "good"]
    row = {
        "id": new_id(),
        "occurred_on": date(2026, 1, 5),
        "event": "adjustment",
        "document_kind": "adjustment",
        "document_id": new_id(),
        "debit": "stock",
        "credit": "stock_losses",
        "currency": "EUR",
        "amount": 1,
        "value": 1,
        "audit_id": new_id(),
    }
    with gate_writing(tiny_company.engine) as connection:
        connection.execute(journal_entries.insert(), [row])
    found = list(_journal(tiny_company))
    assert [one.state for one in found] == ["bad", "good"] and "stock" in found[0].finding
