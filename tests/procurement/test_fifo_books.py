"""Books by FIFO: how the method is chosen, what each layer carries, and what a company at the average pays for it."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Connection, Engine, event, update

from erp_core.finance.books import trial_balance
from erp_core.finance.cost_method import SetCostMethod
from erp_core.finance.layers import layer_differences, method_on
from erp_core.finance.model import cost_layers as kept_layers
from erp_core.gate.contract import Denied, Executed, Proposed, Submission
from erp_core.procurement.books.reconciling import journal_differences
from erp_core.procurement.commands.landed_cost import RecordLandedCost
from erp_core.returns.commands import ReturnToVendor
from erp_core.storage.engine import gate_writing
from tests.conftest import TODAY
from tests.procurement.test_cost_methods import Trader, agreed, founding, trader

__all__ = ["founding", "trader"]


@contextmanager
def statements(engine: Engine) -> Iterator[list[str]]:
    """What is sent to the database meanwhile."""
    sent: list[str] = []

    def note(_connection: Connection, _cursor: Any, statement: str, *_rest: Any) -> None:
        sent.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    yield sent
    event.remove(engine, "before_cursor_execute", note)


def two_receipts(trader: Trader) -> Any:
    """20 at 10.00 came on the first day and 10 at 9.70 on the second, of one order each."""
    first, second = trader.sent(20, price=100_000), trader.sent(10, price=97_000)
    trader.happens(1, trader.receipt(first, 20))
    trader.happens(2, trader.receipt(second, 10))
    return first, second


@pytest.mark.capability("S116")
@pytest.mark.capability("S47")
def test_finance_asks_for_fifo_and_a_manager_agrees_and_no_value_jumps(trader: Trader) -> None:
    two_receipts(trader)
    before = trader.read(lambda c: trial_balance(c, TODAY))
    assert isinstance(trader.submit(trader.method("fifo"), "warehouse"), Denied)
    asked = trader.submit(trader.method("fifo"), "finance")
    assert isinstance(asked, Proposed) and trader.read(lambda c: method_on(c, TODAY)) == "average"
    told = trader.approve(asked, "manager")
    assert told["status"] == "executed"
    assert trader.read(lambda c: method_on(c, TODAY)) == "fifo"
    assert trader.read(lambda c: method_on(c, TODAY - timedelta(days=1))) == "average"
    assert trader.read(lambda c: trial_balance(c, TODAY)) == before
    assert trader.layers(trader.item) == [(30, 2_970_000)], "what was there is the first layer"
    assert trader.layers(trader.item, method="average") == [(30, 2_970_000)]


@pytest.mark.capability("S116")
def test_a_method_is_not_changed_to_itself_nor_before_something_that_was_valued_by_the_other(
    trader: Trader,
) -> None:
    def refused(day: int, command: SetCostMethod) -> tuple[str, str | None]:
        moment = trader.moment(day)
        asked = trader.submit(command.model_copy(update={"occurred_at": moment}), "payer")
        assert isinstance(asked, Proposed)
        error = trader.refused_approval(asked)
        return error["code"], error["field"]

    two_receipts(trader)
    assert refused(3, trader.method("average")) == ("method_unchanged", "method")
    assert refused(1, trader.method("fifo")) == ("method_too_early", "occurred_at")
    chosen = trader.method("fifo")
    trader.happens(2, chosen)
    assert refused(2, trader.method("average")) == ("method_too_early", "occurred_at")
    again = SetCostMethod(change_id=chosen.change_id, method="average")
    assert refused(3, again) == ("already_exists", "change_id")
    trader.happens(3, trader.method("average"))
    assert trader.layers(trader.item) == [(30, 2_970_000)]
    agreed(trader)


@pytest.mark.capability("S48")
def test_a_late_charge_rests_on_the_layer_of_its_receipt_and_on_who_bought_the_rest_of_it(
    trader: Trader,
) -> None:
    trader.happens(0, trader.method("fifo"))
    first, _ = two_receipts(trader)
    trader.happens(3, trader.sale(trader.item, 15))
    assert trader.layers(trader.item) == [(5, 500_000), (10, 970_000)]
    charge = RecordLandedCost(charge_id=uuid4(), po_id=first.po_id, component="handling", amount=80_000)
    trader.happens(4, charge)
    assert trader.layers(trader.item) == [(5, 520_000), (10, 970_000)]
    booked = {one.code: one.balance for one in trader.read(lambda c: trial_balance(c, TODAY))}
    assert booked["cost_of_goods_sold"] == 15 * 100_000 + 60_000
    assert trader.layers(trader.item, 2) == [(20, 2_000_000), (10, 970_000)], "a past day stays as it was"
    agreed(trader)


@pytest.mark.capability("S131")
def test_goods_that_go_back_to_their_supplier_take_the_layer_they_came_with(trader: Trader) -> None:
    trader.happens(0, trader.method("fifo"))
    _, second = two_receipts(trader)
    back = ReturnToVendor(
        vendor_return_id=uuid4(),
        po_id=second.po_id,
        po_line_id=second.line_ids[0],
        state="available",
        quantity=4,
        reason_code="quality",
    )
    trader.happens(3, back)
    assert trader.layers(trader.item) == [(20, 2_000_000), (6, 582_000)]
    agreed(trader)


@pytest.mark.capability("S47")
def test_layers_that_were_changed_beside_the_valuation_show_in_the_books(trader: Trader) -> None:
    trader.happens(0, trader.method("fifo"))
    two_receipts(trader)
    assert trader.read(lambda c: layer_differences(c, TODAY)) == []
    with gate_writing(trader.gate.engine) as connection:
        connection.execute(
            update(kept_layers)
            .where(kept_layers.c.item_id == trader.item)
            .values(value=kept_layers.c.value + 1)
        )
    (apart,) = trader.read(lambda c: layer_differences(c, TODAY))
    assert (apart.item_id, apart.layers.value - apart.valued.value) == (trader.item, 2)
    (told,) = trader.read(lambda c: journal_differences(c, TODAY))
    assert (told.account, told.in_records - told.in_journal) == ("stock", 2)


@pytest.mark.capability("S47")
def test_a_company_at_the_average_sends_no_statement_for_layers_and_a_batch_by_fifo_reads_them_once(
    trader: Trader,
) -> None:
    def ship(count: int) -> list[str]:
        moment = trader.moment(5)
        sales = [
            trader.sale(item_id, 1).model_copy(update={"occurred_at": moment})
            for _ in range(count)
            for item_id in (trader.item, trader.other_item)
        ]
        with statements(trader.gate.engine) as sent:
            outcomes = trader.gate.submit_many(
                [Submission(one, uuid4().hex) for one in sales], trader.people["simulator"]
            )
        assert all(isinstance(one, Executed) for one in outcomes)
        return sent

    order = trader.sent(60, 60)
    trader.happens(1, trader.receipt(order, 60, 60))
    ship(2)
    plain = ship(4)
    assert [one for one in plain if "cost_layer" in one] == []
    assert all("cost_balances" in one or "stock_balances" in one for one in plain if "cost_methods" in one)
    trader.happens(5, trader.method("fifo"))
    layered = ship(4)
    of_layers = [one for one in layered if "cost_layer" in one]
    assert len([one for one in of_layers if one.startswith("SELECT")]) == 1
    assert len([one for one in of_layers if "cost_layer_entries" in one]) == 1
    agreed(trader)


@pytest.mark.capability("S47")
def test_sales_at_once_take_each_unit_of_a_layer_once_and_a_change_of_method_waits_for_them(
    trader: Trader,
) -> None:
    trader.happens(0, trader.method("fifo"))
    two_receipts(trader)
    trader.happens(3, trader.sale(trader.item, 1))
    jobs = [trader.sale(trader.item, 3) for _ in range(6)]
    with ThreadPoolExecutor(4) as pool:
        sold = [pool.submit(trader.on, 4, one) for one in jobs[:3]]
        changed = pool.submit(trader.on, 4, trader.method("average"))
        sold += [pool.submit(trader.on, 4, one) for one in jobs[3:]]
        assert all(one.result() for one in sold) and changed.result()
    ((units, value),) = trader.layers(trader.item)
    assert units == 11
    trader.happens(5, trader.method("fifo"))
    assert trader.layers(trader.item) == [(11, value)]
    agreed(trader)
