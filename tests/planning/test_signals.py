"""What leaves tells who refills, once there is too little left and nothing on its way."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select

from erp_core.gate.model import outbox
from erp_core.orders.commands import ShipOrder
from erp_core.planning.commands import PublishReorderPoints, ReorderPoint
from erp_core.storage.engine import reading
from tests.conftest import TODAY
from tests.shop import Shop
from tests.shop_fixtures import fresh_shop

__all__ = ["fresh_shop"]


def signals(shop: Shop) -> list[dict[str, Any]]:
    with reading(shop.gate.engine) as connection:
        told = select(outbox.c.data).where(outbox.c.kind == "ReplenishmentDue").order_by(outbox.c.recorded_at)
        return [line for data in connection.scalars(told) for line in data["lines"]]


@pytest.mark.capability("S66")
@pytest.mark.capability("S27")
def test_a_shipment_says_what_is_to_be_refilled_when_the_position_is_at_its_reorder_point(
    fresh_shop: Shop,
) -> None:
    shop = fresh_shop
    tea, unplanned = shop.item(north=30), shop.item(north=3)
    point = ReorderPoint(tea, shop.north, 5, 20, 50, 1.5, 0.5, 14.0, 2.0, 0.95)
    shop.run(PublishReorderPoints(batch_id=uuid4(), as_of=TODAY, points=(point,)))
    shop.ship(shop.place((tea, 9), (unplanned, 3)))
    assert signals(shop) == [], "21 are left, and nobody said what is wanted of the other"
    order = shop.place((tea, 1))
    wanted = {"position": 20, "reorder_point": 20, "order_up_to": 50}
    where = {"item_id": str(tea), "location_id": str(shop.north)}
    assert signals(shop) == []
    shop.ship(order)
    assert signals(shop) == [where | wanted]
    assert shop.refused(ShipOrder(order_id=order.order_id, shipment_id=uuid4())).code == "illegal_transition"
    assert len(signals(shop)) == 1
    shop.run(shop.order((tea, 2), ship_now=True))
    assert signals(shop)[1:] == [where | wanted | {"position": 18}]
    shop.stock(tea, 40)
    shop.ship(shop.place((tea, 1)))
    assert len(signals(shop)) == 2
    shop.assert_sound()
