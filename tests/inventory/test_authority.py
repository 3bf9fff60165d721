"""Where another system is right about the stock, it alone corrects it; what others see becomes an exception."""

from __future__ import annotations

from copy import copy
from uuid import uuid4

import pytest

from erp_core.finance.reconciliation import reconciliation_drafts
from erp_core.gate.contract import Executed, Refused
from erp_core.inventory.commands import (
    CountedLine,
    OpenCount,
    PostCount,
    RecordCount,
    RecordStockSnapshot,
    ReportedLine,
    ReverseStock,
    SetStockAuthority,
)
from erp_core.storage.engine import reading
from tests.conftest import TODAY
from tests.shop import Shop


def acting(shop: Shop, login: str, kind: str) -> Shop:
    """The same shop seen by another account."""
    other = copy(shop)
    other._name = f"{login}-{uuid4().hex[:6]}"
    other.principal = shop.gate.bootstrap_user(login, roles=("simulator", "warehouse"), kind=kind)
    return other


@pytest.mark.capability("S51")
def test_only_the_system_that_is_right_about_a_place_corrects_its_stock(fresh_shop: Shop) -> None:
    shop = fresh_shop
    tea = shop.item(cost=10_000, north=10, south=10)
    before, count = shop.adjust(tea, 1), uuid4()
    shop.run(before)
    shop.run(OpenCount(count_id=count, location_id=shop.north, item_ids=(tea,)))
    shop.run(RecordCount(count_id=count, lines=(CountedLine(item_id=tea, quantity=9),)))
    shop.run(SetStockAuthority(location_id=shop.north, system="wms"))
    wms, clerk = acting(shop, "wms", "service"), acting(shop, "wms.clerk", "person")

    for who in (shop, clerk):
        error = who.refused(shop.adjust(tea, -1))
        assert (error.code, error.details["system"], error.field) == (
            "not_the_authority",
            "wms",
            "location_id",
        )
    undo = ReverseStock(document_kind="adjustment", document_id=before.adjustment_id, reason_code="counted")
    corrections = (
        PostCount(count_id=count),
        undo,
        OpenCount(count_id=uuid4(), location_id=shop.north, item_ids=(tea,)),
    )
    for outcome in shop.submit(*corrections):
        assert isinstance(outcome, Refused) and outcome.error.code == "not_the_authority"
    assert shop.at(tea).available == 11

    wms.run(shop.adjust(tea, -1))
    wms.run(undo)
    wms.run(PostCount(count_id=count))
    assert shop.at(tea).available == 7
    shop.run(shop.adjust(tea, -1, location_id=shop.south))
    order = shop.place((tea, 2))
    shop.ship(order)
    assert shop.at(tea).on_hand == 5, "what leaves is posted as everywhere"

    seen = RecordStockSnapshot(
        snapshot_id=uuid4(),
        location_id=shop.north,
        source="walked by",
        as_of=TODAY,
        lines=(ReportedLine(item_id=tea, quantity=500),),
    )
    assert all(isinstance(one, Executed) for one in shop.submit(seen))
    with reading(shop.gate.engine) as connection:
        (draft,) = reconciliation_drafts(connection, TODAY)
    assert (draft.kind, draft.expected_loss) == ("snapshot_difference", 495 * 10_000)
    shop.run(SetStockAuthority(location_id=shop.north, system="ledger"))
    shop.run(shop.adjust(tea, -1))
    shop.assert_sound()
