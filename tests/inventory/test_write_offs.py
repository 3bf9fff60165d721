"""Stock that is written off: nobody does it alone, however little it is."""

from __future__ import annotations

from uuid import uuid4

import pytest

from erp_core.finance.queries import valuation
from erp_core.gate.contract import Executed, Proposed
from erp_core.master.commands import SetReasonCode
from erp_core.storage.engine import reading
from tests.shop import Shop


@pytest.mark.capability("S44")
def test_one_broken_cup_waits_for_a_manager_and_leaves_stock_and_its_value_only_then(shop: Shop) -> None:
    item_id = shop.item(north=10, cost=50_000)
    (asked,) = shop.submit(shop.adjust(item_id, -1, reason="damaged"))
    assert isinstance(asked, Proposed) and asked.policy == "write-off"
    assert [one["role"] for one in asked.approvers] == ["manager"]
    assert shop.at(item_id).available == 10, "nothing moved yet"
    shop.write_off(item_id, 2, reason="theft")
    assert shop.at(item_id).available == 8
    with reading(shop.gate.engine) as connection:
        worth = {one.item_id: one.value for one in valuation(connection)}
    assert worth[item_id] == 8 * 50_000
    shop.assert_sound()


@pytest.mark.capability("S44")
def test_a_miscount_or_goods_that_are_found_wait_for_nobody_up_to_twenty_units(shop: Shop) -> None:
    item_id = shop.item(north=50)
    assert isinstance(shop.submit(shop.adjust(item_id, -19))[0], Executed)
    assert isinstance(shop.submit(shop.adjust(item_id, 20, reason="damaged", state="damaged"))[0], Executed)
    (beyond,) = shop.submit(shop.adjust(item_id, -21))
    assert isinstance(beyond, Proposed) and beyond.policy == "stock adjustment by a service over 20 units"


@pytest.mark.capability("S44")
def test_a_reason_that_the_company_marks_as_a_loss_waits_for_a_manager_too(fresh_shop: Shop) -> None:
    shop = fresh_shop
    item_id, code = shop.item(north=5), f"eaten_{uuid4().hex[:6]}"
    shop.run(SetReasonCode(kind="stock_adjustment", code=code, label="Eaten", effect="loss"))
    assert isinstance(shop.submit(shop.adjust(item_id, -1, reason=code))[0], Proposed)
