"""Scan confirmation: the wrong place, item, lot or number is refused at receipt and at pick."""

from __future__ import annotations

from datetime import date
from uuid import UUID, uuid4

import pytest

from erp_core.inventory.scanning import WrongItem, read_barcode, require_item
from erp_core.orders.commands import ConfirmPick, PickedLine, PlaceOrder, ReleasePick
from tests.inventory.lots import assert_lots_sound, count, lies, lot_named, take_in, tracked_item
from tests.shop import Shop

GTIN = "9521123456785"
OTHER = "4006381333931"


@pytest.mark.capability("S54")
@pytest.mark.parametrize(
    "text",
    [
        "]C10109521123456785172612311\x30ABC\x1d21S1",
        "(01)09521123456785(17)261231(10)ABC(21)S1",
        "\x1d0109521123456785\x1d17261231\x1d10ABC\x1d21S1",
        "]d2010952112345678510ABC\x1d1726123121S1",
    ],
)
def test_a_gs1_label_says_item_lot_last_day_and_serial_number(text: str) -> None:
    scan = read_barcode(text)
    assert (scan.gtin, scan.lot, scan.expires_on, scan.serial) == (
        "09521123456785",
        "ABC",
        date(2026, 12, 31),
        "S1",
    )


@pytest.mark.parametrize("text", [GTIN, f"]E0{GTIN}", f"010{GTIN}", f"(01)0{GTIN}"])
def test_the_same_article_number_is_read_from_every_kind_of_label(text: str) -> None:
    scan = read_barcode(text)
    assert (scan.gtin, scan.lot, scan.sku) == ("0" + GTIN, None, None)
    require_item(scan, "TEA", GTIN)
    for sku, gtin in (("TEA", OTHER), ("TEA", None)):
        with pytest.raises(WrongItem, match="TEA is asked for"):
            require_item(scan, sku, gtin)


@pytest.mark.parametrize(("text", "right"), [("tea", True), ("TEA-2", False), ("9521123456786", False)])
def test_a_label_without_a_valid_article_number_is_the_sku_or_wrong(text: str, right: bool) -> None:
    scan = read_barcode(text)
    assert scan.gtin is None
    if right:
        require_item(scan, "TEA", GTIN)
    else:
        with pytest.raises(WrongItem):
            require_item(scan, "TEA", GTIN)


def released(shop: Shop, order: PlaceOrder) -> UUID:
    pick = uuid4()
    shop.run(ReleasePick(order_id=order.order_id, pick_id=pick))
    return pick


def confirm(
    pick: UUID, order: PlaceOrder, units: int, place: str | None = None, **said: object
) -> ConfirmPick:
    line = PickedLine.model_validate({"line_id": order.lines[0].line_id, "quantity": units} | said)
    return ConfirmPick(pick_id=pick, lines=(line,), scanned_location=place)


@pytest.mark.capability("S54")
def test_a_pick_at_another_place_of_another_item_or_of_another_lot_is_refused(shop: Shop) -> None:
    item_id = tracked_item(shop, gtin=GTIN)
    soon, late = take_in(shop, item_id, "SOON", 5), take_in(shop, item_id, "LATE", 5, date(2027, 1, 31))
    order = shop.place((item_id, 3))
    pick = released(shop, order)
    for wrong, code in (
        (confirm(pick, order, 3, "SOUTH"), "wrong_location"),
        (confirm(pick, order, 3, "NORTH", barcode=OTHER), "wrong_item"),
        (confirm(pick, order, 3, "NORTH", barcode=f"(01)0{GTIN}(10)LATE"), "wrong_lot"),
        (confirm(pick, order, 3, "NORTH", lot_code="LATE"), "wrong_lot"),
        (confirm(pick, order, 3, "NORTH", barcode=f"(01)0{GTIN}(10)SOON", lot_code="LATE"), "wrong_lot"),
        (confirm(pick, order, 3, lot_code="NEVER"), "not_found"),
        (confirm(pick, order, 4, lot_code="SOON"), "more_than_on_pick"),
    ):
        assert shop.refused(wrong).code == code, wrong
    assert lies(shop, soon) == {("north", "available"): 2, ("north", "reserved"): 3}
    shop.run(confirm(pick, order, 3, "north", barcode=f"(01)0{GTIN}(10)SOON"))
    assert lies(shop, soon) == {("north", "available"): 2, ("north", "picked"): 3}
    assert lies(shop, late) == {("north", "available"): 5}
    assert_lots_sound(shop)


@pytest.mark.capability("S54")
def test_a_plain_item_is_confirmed_by_its_label_too(shop: Shop) -> None:
    item_id = shop.item("TEA", north=5)
    order = shop.place((item_id, 2))
    pick = released(shop, order)
    assert shop.refused(confirm(pick, order, 2, barcode="COFFEE")).code == "wrong_item"
    assert shop.refused(confirm(pick, order, 2, lot_code="A")).code == "not_tracked"
    shop.run(confirm(pick, order, 2, "NORTH", barcode="TEA"))
    assert shop.at(item_id).states == {"available": 3, "picked": 2}


@pytest.mark.capability("S35")
@pytest.mark.capability("S54")
def test_the_numbered_unit_that_is_picked_is_the_one_the_customer_gets(shop: Shop) -> None:
    item_id = tracked_item(shop, lots=False, serials=True, expiry=False)
    shop.run(count(item_id, shop.north, 3, serials=("1", "2", "3")))
    shop.run(count(item_id, shop.south, 1, serials=("4",)))
    order = shop.place((item_id, 2))
    pick = released(shop, order)
    assert shop.refused(ConfirmPick(pick_id=pick)).code == "lot_required"
    assert shop.refused(confirm(pick, order, 2, serials=("3",))).code == "lot_required"
    assert shop.refused(confirm(pick, order, 2, serials=("3", "4"))).code == "insufficient_stock"
    shop.run(confirm(pick, order, 2, serials=("3", "1")))
    for number, state in (("1", "picked"), ("2", "available"), ("3", "picked")):
        assert lies(shop, lot_named(shop, item_id, number).id) == {("north", state): 1}
    assert_lots_sound(shop)


def test_a_lot_that_went_over_on_the_shelf_is_not_picked(shop: Shop) -> None:
    item_id = tracked_item(shop)
    take_in(shop, item_id, "A", 5, date(2026, 6, 2))
    order = shop.place((item_id, 2))
    pick = released(shop, order)
    shop.later(2)
    assert shop.refused(confirm(pick, order, 2, lot_code="A")).code == "lot_held"
