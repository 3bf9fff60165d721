"""Forward pick is refilled from reserve as the system says, and nothing is lost on the way."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from erp_core.inventory.commands import RefillPickFace, SetPickFace
from erp_core.inventory.pick_faces.queries import Refill, due_refills, refill_of
from erp_core.storage.engine import reading
from tests.conftest import TODAY
from tests.inventory.lots import JULY, NEXT_YEAR, lies, take_in, tracked_item
from tests.shop import Shop


def face(shop: Shop, item_id: UUID, minimum: int = 5, maximum: int = 20) -> None:
    shop.run(
        SetPickFace(
            item_id=item_id,
            location_id=shop.store,
            reserve_id=shop.north,
            minimum=minimum,
            maximum=maximum,
        )
    )


def refill(shop: Shop, item_id: UUID) -> RefillPickFace:
    return RefillPickFace(refill_id=uuid4(), item_id=item_id, location_id=shop.store)


def due(shop: Shop, *item_ids: UUID) -> list[Refill]:
    with reading(shop.gate.engine) as connection:
        return [one for one in due_refills(connection, shop.store) if one.item_id in item_ids]


@pytest.mark.capability("S41")
def test_a_face_below_its_minimum_is_filled_up_from_reserve_and_waiting_orders_get_theirs(shop: Shop) -> None:
    item_id = shop.item(north=50)
    face(shop, item_id)
    order = shop.place((item_id, 3), place=shop.store)
    (wanted,) = due(shop, item_id)
    assert (wanted.there, wanted.units, wanted.short) == (0, 20, 0)
    assert shop.run(refill(shop, item_id))["units"] == 20
    assert shop.status(order) == "reserved"
    assert (shop.at(item_id).available, shop.at(item_id, shop.store).on_hand) == (30, 20)
    assert due(shop, item_id) == []
    assert shop.refused(refill(shop, item_id)).code == "nothing_to_refill"
    shop.assert_sound()


@pytest.mark.capability("S41")
def test_what_reserve_lacks_is_said_and_the_emptiest_face_comes_first(shop: Shop) -> None:
    scarce, bare = shop.item(north=6), shop.item()
    face(shop, scarce)
    face(shop, bare)
    shop.stock(scarce, 2, shop.store)
    assert [(one.item_id, one.units, one.short) for one in due(shop, scarce, bare)] == [
        (bare, 0, 20),
        (scarce, 6, 12),
    ]
    assert shop.refused(refill(shop, bare)).code == "nothing_to_refill"
    once = refill(shop, scarce)
    shop.run(once)
    assert shop.refused(once).code == "already_exists"
    assert shop.refused(refill(shop, shop.item())).code == "not_found"
    with pytest.raises(ValueError, match="maximum"):
        face(shop, scarce, 9, 8)


@pytest.mark.capability("S41")
def test_a_face_with_its_minimum_is_left_alone() -> None:
    assert refill_of(5, 5, 20, 100) is None
    assert refill_of(4, 5, 20, 100) == (16, 0)
    assert refill_of(4, 5, 20, 10) == (10, 6)


@pytest.mark.capability("S41")
@pytest.mark.capability("S36")
def test_a_face_of_a_tracked_item_is_refilled_first_expired_first_out_and_never_with_what_is_over(
    shop: Shop,
) -> None:
    milk = tracked_item(shop)
    over = take_in(shop, milk, "OVER", 9, TODAY - timedelta(days=1))
    soon, late = take_in(shop, milk, "SOON", 8, JULY), take_in(shop, milk, "LATE", 40, NEXT_YEAR)
    face(shop, milk)
    shop.later((TODAY - shop.now.date()).days)
    assert shop.run(refill(shop, milk)) | {"refill_id": ""} == {"refill_id": "", "units": 20, "short": 0}
    assert lies(shop, soon) == {("store", "available"): 8}
    assert lies(shop, late) == {("store", "available"): 12, ("north", "available"): 28}
    assert ("store", "available") not in lies(shop, over)
    numbered = tracked_item(shop, lots=False, serials=True, expiry=False)
    refused = shop.refused(
        SetPickFace(item_id=numbered, location_id=shop.store, reserve_id=shop.north, minimum=1, maximum=2)
    )
    assert refused.code == "lot_required" and "TransferStock" in refused.remedy
    shop.assert_sound()
