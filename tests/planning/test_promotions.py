"""A promotion starts on its channel when its stock is ready, or against the check with a reason and a manager's yes."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

from erp_core.gate.contract import Executed, Proposed
from erp_core.master.commands import SetChannelTerms
from erp_core.planning.commands import PlanPromotion, StartPromotion
from erp_core.planning.promotions import PromotionReadiness, promotion_readiness
from erp_core.procurement.commands import (
    ConfirmPurchaseOrder,
    CreatePurchaseOrder,
    LinePromise,
    PurchaseOrderLine,
    SendPurchaseOrder,
    SubmitPurchaseOrder,
)
from erp_core.storage.engine import reading
from tests.master.market import active_supplier, agree, approve, ask, offered
from tests.shop import MONDAY, Shop

TODAY = MONDAY.date()


def planned(shop: Shop, item: UUID, first: int = 7, last: int = 13) -> UUID:
    """A promotion of some days from now."""
    promotion_id = uuid4()
    days = {"starts_on": TODAY + timedelta(days=first), "ends_on": TODAY + timedelta(days=last)}
    shop.run(
        PlanPromotion(
            promotion_id=promotion_id,
            item_id=item,
            channel_id=shop.web,
            discount=Decimal("0.2"),
            title="Week of lamps",
            **days,
        )
    )
    return promotion_id


def look(shop: Shop, promotion_id: UUID, expected: int, on: date = TODAY) -> PromotionReadiness:
    with reading(shop.gate.engine) as connection:
        return promotion_readiness(connection, promotion_id, expected, on)


@pytest.mark.capability("S73")
def test_a_promotion_does_not_start_before_its_stock_is_ready_unless_a_manager_lets_it(
    fresh_shop: Shop,
) -> None:
    shop = fresh_shop
    lamp = shop.item(north=30)
    promotion = planned(shop, lamp)
    error = shop.refused(StartPromotion(promotion_id=promotion, expected_units=31))
    assert (error.code, error.details["needed"], error.details["covered"]) == ("promotion_not_ready", 31, 30)
    asked = ask(
        shop, StartPromotion(promotion_id=promotion, expected_units=31, override_reason="one more is coming")
    )
    assert isinstance(asked, Proposed)
    started = approve(shop, asked)
    assert isinstance(started, Executed)
    again = shop.refused(StartPromotion(promotion_id=promotion, expected_units=1))
    assert again.code == "promotion_over"
    other = planned(shop, lamp)
    assert shop.run(StartPromotion(promotion_id=other, expected_units=30)) == {
        "needed": 30,
        "covered": 30,
        "overridden": False,
    }, "ready, it needs nobody"
    assert shop.refused(StartPromotion(promotion_id=uuid4(), expected_units=1)).code == "not_found"
    over = planned(shop, lamp, -9, -1)
    assert shop.refused(StartPromotion(promotion_id=over, expected_units=1)).code == "promotion_over"


@pytest.mark.capability("S73")
def test_only_what_the_channel_may_have_in_time_covers_a_promotion(fresh_shop: Shop) -> None:
    shop = fresh_shop
    lamp = shop.item(north=30, south=50)
    promotion = planned(shop, lamp)
    agree(shop, SetChannelTerms(channel_id=shop.web, priority=1, buffer_units=5, locations=(shop.north,)))
    first = look(shop, promotion, 10)
    assert (first.published, first.covered) == (25, 25), "neither the buffer nor another channel's place"
    supplier = active_supplier(shop)
    offered(shop, supplier, lamp)

    def bought(units: int, **fields: Any) -> None:
        po_id, line_id = uuid4(), uuid4()
        shop.run(
            CreatePurchaseOrder(
                po_id=po_id,
                supplier_id=supplier,
                location_id=fields.get("place", shop.north),
                reason="promotion",
                lines=(PurchaseOrderLine(line_id=line_id, item_id=lamp, quantity=units),),
            )
        )
        agree(shop, SubmitPurchaseOrder(po_id=po_id))
        shop.run(SendPurchaseOrder(po_id=po_id))
        if "due" in fields:
            promise = LinePromise(po_line_id=line_id, promised_on=TODAY + timedelta(days=fields["due"]))
            shop.run(ConfirmPurchaseOrder(po_id=po_id, lines=(promise,)))

    bought(7, due=7)
    bought(11, due=8)
    bought(13)
    bought(17, due=3, place=shop.south)
    assert look(shop, promotion, 10).inbound == 7, "confirmed, in time, to its place"
    shop.place((lamp, 33))
    owed = look(shop, promotion, 10)
    assert (owed.owed, owed.published, owed.covered) == (3, 0, 4)


@pytest.mark.capability("S73")
def test_what_its_days_sell_without_it_is_needed_at_least(fresh_shop: Shop) -> None:
    shop = fresh_shop
    lamp = shop.item(north=100)
    promotion = planned(shop, lamp)
    before = look(shop, promotion, 5)
    assert (before.ordinary, before.needed) == (None, 5), "nobody knows sales yet"
    shop.place((lamp, 10))
    after = look(shop, promotion, 5)
    assert after.ordinary == 70, "ten on the only day that is known, for seven days"
    assert after.needed == 70
    assert look(shop, promotion, 90).needed == 90
