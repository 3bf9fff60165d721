"""Buying, and taking a wrong receipt back, on the command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from api.demo import PASSWORD
from tests.api.conftest import User
from tests.api.test_cli import Cli, cli

__all__ = ["cli"]


@pytest.mark.capability("S86", "S89", "S92", "S209")
def test_a_buyer_reads_orders_quotations_contracts_sources_and_scorecards_on_the_command_line(
    cli: Cli, user: Callable[[str], User]
) -> None:
    cli("login", "buyer", given=f"{PASSWORD}\n")
    orders: dict[str, Any] = cli.json("buying", "orders")
    assert f"{orders['total']} purchase orders" in cli("buying", "orders")
    only = cli.json("buying", "orders", "--status", "sent")["rows"]
    assert only and {one["status"] for one in only} == {"sent"}
    first = orders["rows"][0]
    story = cli.json("buying", "order", first["id"])
    told = f"{len(story['revisions'])} changes, {len(story['invoices'])} invoices"
    assert told in cli("buying", "order", first["id"])
    for name, what in (("requisitions", "requisitions"), ("quotations", "requests for quotation")):
        assert f"{len(cli.json('buying', name))} {what}" in cli("buying", name)
    assert f"{len(cli.json('buying', 'contracts', '--over'))} contracts" in cli(
        "buying", "contracts", "--over"
    )
    record = user("admin").get(f"/purchase-orders/{first['id']}")
    sku = record["labels"][record["record"]["lines"][0]["item_id"]]["code"]
    offers = cli.json("buying", "sources", sku.lower(), "--quantity", "7")
    assert offers and all(one["quantity"] >= 7 for one in offers)
    assert f"sources of {sku}" in cli("buying", "sources", sku)
    cli("buying", "sources", "NEVER", expect=1)
    assert "there is no item NEVER" in cli.errors
    columns = cli.json("buying", "scorecard", "--by", "month")["columns"]
    assert columns[0] == "month" and "adherence_days" in columns
    assert "by supplier" in cli("buying", "scorecard")
    cli("login", "warehouse", given=f"{PASSWORD}\n")
    cli("buying", "contracts", expect=4)
    assert cli.json("buying", "orders")["rows"][0]["total"] is None, "what it costs is not for everybody"


@pytest.mark.capability("S97", "S209")
def test_the_warehouse_takes_a_wrong_receipt_back_on_the_command_line(
    cli: Cli, user: Callable[[str], User], tmp_path: Path
) -> None:
    admin = user("admin")
    number = admin.get("/purchase-orders", status="sent")["rows"][0]["number"]
    order = admin.get(f"/purchase-orders/{number}")
    wanted = order["labels"][order["record"]["lines"][0]["item_id"]]["code"]
    cli("login", "warehouse", given=f"{PASSWORD}\n")
    cli("reverse-receipt", number, "wrong_order", expect=2)
    assert f"{number} has no receipt" in cli.errors
    file = tmp_path / "scans.csv"
    file.write_text(f"sku,quantity\n{wanted},2\n")
    for _ in range(2):
        cli("receive", number, str(file))

    def receipts() -> dict[str, str | None]:
        found = admin.get(f"/purchase-orders/{number}")["record"]["receipts"]
        return {one["receipt_id"]: one["reversed_on"] for one in found}

    first, second = receipts()
    cli("reverse-receipt", number, "wrong_order", expect=2)
    assert f"{number} has 2 receipts that stand" in cli.errors
    assert first in cli.errors and second in cli.errors
    cli("reverse-receipt", number, "because", "--receipt", second, expect=3)
    done = cli.json(
        "reverse-receipt", number, "wrong_order", "--receipt", second, "--comment", "the next one"
    )
    assert done["outcome"] == "executed"
    assert receipts()[first] is None and receipts()[second] is not None
    assert "audit entry" in cli("reverse-receipt", number, "posted_twice")
    assert None not in receipts().values()
