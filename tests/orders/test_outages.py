"""During an outage orders go to the set fallback and channels are told the set share; afterwards it is put right."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from erp_core.gate.contract import Executed, Proposed
from erp_core.master.commands import SetOutageFallback
from erp_core.orders.commands import EndOutage, PlaceOrder, StartOutage
from erp_core.orders.outages import Outage, list_outages
from erp_core.orders.queries.published import published_quantities
from erp_core.storage.engine import reading
from tests.conftest import TODAY
from tests.master.market import agree, ask
from tests.shop import Shop


def falls_back(shop: Shop, place: UUID, fallback: UUID | None, percent: int = 0) -> None:
    outcome = agree(shop, SetOutageFallback(location_id=place, fallback_id=fallback, outage_percent=percent))
    assert isinstance(outcome, Executed)
    assert "failed" not in outcome.result


def goes_out(shop: Shop, place: UUID) -> UUID:
    outage_id = uuid4()
    shop.run(StartOutage(outage_id=outage_id, location_id=place, reason_code="system_down"))
    return outage_id


def where(shop: Shop, order: PlaceOrder) -> list[tuple[UUID, str | None]]:
    return [(line.location_id, line.location_reason) for line in shop.lines(order)]


def told(shop: Shop, item: UUID) -> int:
    with reading(shop.gate.engine) as connection:
        (found,) = published_quantities(connection, shop.web, [item], today=TODAY) or []
    return found.published


def known(shop: Shop) -> list[Outage]:
    with reading(shop.gate.engine) as connection:
        return list_outages(connection)


@pytest.mark.capability("S74")
def test_orders_go_to_the_fallback_and_what_waits_there_comes_back_when_the_outage_is_over(
    fresh_shop: Shop,
) -> None:
    shop = fresh_shop
    both, only_north = shop.item(north=10, south=4), shop.item(north=6)
    falls_back(shop, shop.north, shop.south, 50)
    before = shop.place((both, 1))
    assert told(shop, both) == 13
    outage = goes_out(shop, shop.north)
    assert told(shop, both) == 4 + 4, "half of the nine at NORTH, in whole units, and all at SOUTH"
    filled, waiting = shop.place((both, 3)), shop.place((only_north, 2))
    unpaid = shop.place((only_north, 1), payment_status="pending")
    free = shop.place((only_north, 1), place=None)
    counter = shop.place((both, 1), ship_now=True, shipment_id=uuid4())
    assert where(shop, before) == where(shop, counter) == [(shop.north, None)]
    assert where(shop, filled) == where(shop, waiting) == where(shop, unpaid) == [(shop.south, "outage")]
    assert where(shop, free)[0][0] != shop.north, "nobody chooses a place that is out"
    assert (shop.status(filled), shop.status(waiting)) == ("reserved", "backordered")
    (standing,) = known(shop)
    assert (standing.rerouted_to, standing.rerouted, standing.returned) == (shop.south, 3, 0)

    assert shop.run(EndOutage(outage_id=outage)) == {
        "location_id": str(shop.north),
        "returned": 2,
        "kept": 1,
        "publish_again": True,
    }
    assert where(shop, filled) == [(shop.south, "outage")], "its goods lie there"
    assert where(shop, waiting) == where(shop, unpaid) == [(shop.north, "outage_over")]
    assert (shop.status(waiting), shop.status(unpaid)) == ("reserved", "on_hold")
    assert told(shop, both) == 8 + 1
    assert where(shop, shop.place((both, 1))) == [(shop.north, None)]
    (over,) = known(shop)
    assert (over.rerouted_to, over.returned, over.ended_at is not None) == (None, 2, True)
    shop.ship(waiting)
    shop.assert_sound()


@pytest.mark.capability("S74")
def test_an_outage_needs_a_fallback_that_works_and_begins_and_ends_once(fresh_shop: Shop) -> None:
    shop = fresh_shop

    def refused(place: UUID, reason: str = "system_down") -> str:
        return shop.refused(StartOutage(outage_id=uuid4(), location_id=place, reason_code=reason)).code

    assert refused(shop.north) == "no_fallback"
    assert isinstance(
        ask(shop, SetOutageFallback(location_id=shop.north, fallback_id=shop.south)), Proposed
    ), "set beforehand, with a manager's yes"
    for place, fallback in ((shop.north, shop.south), (shop.store, shop.north), (shop.south, shop.north)):
        falls_back(shop, place, fallback)
    assert refused(shop.north, "because") == "unknown_reason"
    item = shop.item(south=5)
    first = goes_out(shop, shop.store)
    second = goes_out(shop, shop.north)
    assert where(shop, shop.place((item, 1), place=shop.store)) == [(shop.south, "outage")], (
        "the fallback of the store is out too: its own takes over"
    )
    assert refused(shop.north) == "outage_state"
    assert refused(shop.south) == "no_fallback", "north is out"
    shop.run(EndOutage(outage_id=second))
    shop.run(EndOutage(outage_id=first))
    assert shop.refused(EndOutage(outage_id=first)).code == "outage_state"
    assert shop.refused(EndOutage(outage_id=uuid4())).field == "outage_id"
    assert where(shop, shop.place((item, 1), place=shop.store)) == [(shop.store, None)]
    outcome = agree(shop, SetOutageFallback(location_id=shop.north, fallback_id=shop.north))
    assert isinstance(outcome, Executed)
    assert outcome.result["failed"]["code"] == "no_fallback"
