"""Forward pick is refilled from reserve as the system says, and nothing is lost on the way."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from erp_core.inventory.commands import RefillPickFace, SetPickFace
from erp_core.inventory.pick_faces.queries import Refill, due_refills, refill_of
from erp_core.storage.engine import reading
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
