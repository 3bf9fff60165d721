"""The journal: every change of the valuation posts both of its sides, and nothing unbalanced can be written down."""

from __future__ import annotations

from datetime import date
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from erp_core.finance.accounts import ACCOUNT_CODES, ACCOUNTS, contra_of
from erp_core.finance.books import account_amounts, journal_of, ledger_of, trial_balance
from erp_core.finance.costs import Costs, CostSource
from erp_core.finance.journal import Journal, JournalSource, own
from erp_core.finance.rules import carried_value, in_company_currency
from erp_core.gate.contract import Transaction
from erp_core.inventory.commands import ReverseStock
from erp_core.storage.engine import gate_writing, reading
from tests.shop import Shop


def balances(shop: Shop) -> dict[str, int]:
    with reading(shop.gate.engine) as connection:
        return {one.code: one.balance for one in trial_balance(connection, date.max)}


def moved(before: dict[str, int], after: dict[str, int]) -> dict[str, int]:
    return {
        code: worth - before.get(code, 0) for code, worth in after.items() if worth != before.get(code, 0)
    }


def test_the_chart_names_every_account_once() -> None:
    assert tuple(ACCOUNTS) == ACCOUNT_CODES


@pytest.mark.capability("S47")
def test_opening_sale_loss_and_its_reversal_post_stock_against_the_account_of_their_event(shop: Shop) -> None:
    start = balances(shop)
    item_id = shop.item(cost=100_000, north=10)
    opened = balances(shop)
    assert moved(start, opened) == {"stock": 1_000_000, "opening_balance": 1_000_000}
    shop.ship(shop.place((item_id, 3)))
    sold = balances(shop)
    assert moved(opened, sold) == {"stock": -300_000, "cost_of_goods_sold": 300_000}
    lost = shop.write_off(item_id, 2, reason="theft")
    assert moved(sold, balances(shop)) == {"stock": -200_000, "stock_losses": 200_000}
    back = ReverseStock(document_kind="adjustment", document_id=lost.adjustment_id, reason_code="data_error")
    shop.run(back)
    assert moved(sold, balances(shop)) == {}, "a reversal goes back where the document posted"
    shop.assert_sound()


@pytest.mark.capability("S47")
def test_a_document_shows_its_entries_and_an_account_what_moved_it(shop: Shop) -> None:
    item_id, other = shop.item(cost=100_000, north=5), shop.item(cost=20_000, north=5)
    order = shop.place((item_id, 1), (other, 2))
    shop.ship(order)
    today = shop.now.date()
    with reading(shop.gate.engine) as connection:
        last = ledger_of(connection, "cost_of_goods_sold", today, today)[-1]
        (entry,) = journal_of(connection, last.document_id)
        held = account_amounts(connection, "stock", date.max)
    assert (last.value, last.against, last.document_kind) == (140_000, "stock", "shipment")
    assert (entry.debit, entry.credit, entry.amount, entry.value) == (
        "cost_of_goods_sold",
        "stock",
        140_000,
        140_000,
    )
    assert set(held) == {entry.currency}


def test_a_reversal_goes_back_to_the_account_of_the_document_it_reverses() -> None:
    assert contra_of("reversal", "purchase_order") == "goods_received_not_invoiced"
    assert contra_of("reversal", "opening") == "opening_balance"
    assert contra_of("reversal", "count") == "stock_losses"


def test_what_cancels_out_within_a_document_is_not_written(shop: Shop) -> None:
    source = JournalSource("kitting", "kitting", uuid4(), shop.now.date(), uuid4())
    with gate_writing(shop.gate.engine) as connection:
        tx: Transaction = shop.gate._transaction(connection)
        journal = Journal.of(tx)
        journal.post("stock", "kit_assembly", own(500), source)
        journal.post("kit_assembly", "stock", own(500), source)
        journal.post("stock", "stock", own(7), source)
        tx.flush()
    with reading(shop.gate.engine) as connection:
        assert journal_of(connection, source.document_id) == []


def test_goods_bought_while_their_stock_has_no_cost_are_owed_all_the_same(shop: Shop) -> None:
    item_id, before = shop.item(north=4), balances(shop)
    source = CostSource("receipt", "purchase_order", uuid4(), shop.now.date(), uuid4(), uuid4())
    with gate_writing(shop.gate.engine) as connection:
        tx = shop.gate._transaction(connection)
        assert Costs.of(tx).receive(item_id, 5, 900, source) is None
        tx.flush()
    assert moved(before, balances(shop)) == {"unvalued_purchases": 900, "goods_received_not_invoiced": 900}


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE journal_entries SET amount = amount + 1",
        "DELETE FROM journal_entries",
        "INSERT INTO journal_entries SELECT * FROM journal_entries",
    ],
)
def test_entries_are_only_added(shop: Shop, shared_engine: Engine, change: str) -> None:
    shop.item(cost=100_000, north=1)
    with pytest.raises(DBAPIError), shared_engine.begin() as connection:
        connection.execute(text(change))


@given(amount=st.integers(-(10**12), 10**12), rate=st.integers(1, 10**12))
def test_an_amount_is_worth_the_same_on_either_side(amount: int, rate: int) -> None:
    worth = in_company_currency(amount, rate)
    assert worth == -in_company_currency(-amount, rate)
    assert abs(worth * 10**8 - amount * rate) <= 10**8 // 2


@given(steps=st.lists(st.tuples(st.integers(-1000, 1000), st.integers(1, 10**9)), min_size=1, max_size=12))
def test_an_open_item_that_is_closed_is_worth_nothing_and_one_that_is_open_its_own_side(
    steps: list[tuple[int, int]],
) -> None:
    amount = worth = 0
    for moved_by, rate in steps:
        if moved_by:
            worth += carried_value(amount, worth, moved_by, in_company_currency(moved_by, rate))
            amount += moved_by
        assert amount or not worth
        assert amount * worth >= 0


def test_closing_takes_the_value_it_was_opened_at_and_the_last_part_takes_what_is_left() -> None:
    assert carried_value(0, 0, 100, 90) == 90
    assert carried_value(100, 90, -50, -60) == -45
    assert carried_value(50, 45, -50, -60) == -45
    assert carried_value(50, 45, -60, -72) == -45 - 12, "what goes beyond opens it the other way round"
