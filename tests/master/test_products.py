"""Products and their variants: every combination of values is one item, and a category's figure is that of what lies in it."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from erp_core.gate.contract import Executed, Refused
from erp_core.inventory.variants import Held, held_by_item, sums_by_unit
from erp_core.master.commands import (
    ActivateItem,
    ChangeItem,
    ChangeProduct,
    CreateItem,
    CreateProduct,
    SetCategory,
    SetItemVariant,
)
from erp_core.master.model import items
from erp_core.master.queries import list_items
from erp_core.master.queries.products import (
    Category,
    Product,
    find_product,
    list_categories,
    list_products,
    variants_of,
)
from erp_core.storage.engine import gate_writing, reading
from tests.shop import Shop

RED_M = {"colour": "Red", "size": "M"}


def product(shop: Shop, *axes: str, category: str = "Shirts") -> UUID:
    product_id = uuid4()
    shop.run(
        CreateProduct(
            product_id=product_id,
            code=f"P-{product_id.hex[:8]}",
            product_name="Linen shirt",
            category=category,
            axes=axes or ("colour", "size"),
        )
    )
    return product_id


def variant(product_id: UUID, values: dict[str, str], sku: str | None = None, **fields: Any) -> CreateItem:
    item_id = uuid4()
    sku = sku or f"V-{item_id.hex[:8]}"
    return CreateItem(
        item_id=item_id,
        sku=sku,
        product_id=product_id,
        variant=values,
        **{"item_name": f"Shirt {sku}", "brand": "Acme", "base_unit": "piece"} | fields,
    )


def shown(shop: Shop, product_id: UUID) -> list[tuple[str, dict[str, str]]]:
    with reading(shop.gate.engine) as connection:
        found = find_product(connection, product_id)
        assert found is not None
        return [(one.sku, dict(one.values)) for one in variants_of(connection, found)]


@pytest.mark.capability("S1")
def test_an_item_is_the_variant_of_a_product_and_each_combination_of_values_is_one_item(shop: Shop) -> None:
    shirt = product(shop)
    red, blue = variant(shirt, RED_M), variant(shirt, {"Size": "M", "COLOUR": "Blue"})
    shop.run(red)
    shop.run(blue)
    with reading(shop.gate.engine) as connection:
        (item,) = list_items(connection, ids=[red.item_id])
        found = find_product(connection, shirt)
        assert found is not None and find_product(connection, found.code.lower()) == found
    assert item.category == "Shirts", "a variant is of its product's category"
    assert (found.axes, found.variants) == (("colour", "size"), 2)
    by_sku = dict(shown(shop, shirt))
    assert list(by_sku[blue.sku].items()) == [("colour", "Blue"), ("size", "M")], "in the product's order"
    refused = shop.refused(variant(shirt, {"size": " m ", "colour": "RED"}))
    assert (refused.code, refused.field, refused.details["sku"]) == ("variant_taken", "variant", red.sku)
    assert red.sku in refused.message
    other = product(shop)
    shop.run(variant(other, RED_M))
    for values, code in (
        ({"colour": "Red", "length": "M"}, "unknown_axis"),
        ({"colour": "Red", "Colour": "Blue"}, "unknown_axis"),
    ):
        assert shop.refused(variant(shirt, values)).code == code
    assert shop.refused(variant(uuid4(), RED_M)).code == "not_found"
    assert shop.refused(variant(shirt, {}, category="Hats")).code == "category_of_product"


@pytest.mark.capability("S1")
def test_of_two_items_that_come_together_with_the_same_values_one_is_made(shop: Shop) -> None:
    shirt = product(shop)
    plain = CreateItem(item_id=uuid4(), sku=f"PLAIN-{shirt.hex[:8]}")
    made, plainly, taken = shop.submit(variant(shirt, RED_M), plain, variant(shirt, RED_M))
    assert isinstance(made, Executed) and isinstance(plainly, Executed)
    assert isinstance(taken, Refused) and taken.error.code == "variant_taken"
    assert len(shown(shop, shirt)) == 1


@pytest.mark.capability("S1")
def test_a_variant_is_not_activated_before_it_has_a_value_on_every_axis(shop: Shop) -> None:
    shirt = product(shop)
    bare, half = variant(shirt, {}), variant(shirt, {"size": "L"})
    shop.run(bare)
    shop.run(half)
    refused = shop.refused(ActivateItem(item_id=half.item_id))
    assert (refused.code, refused.details["missing"]) == ("variant_incomplete", ["colour"])
    assert shop.refused(ActivateItem(item_id=bare.item_id)).details["missing"] == ["colour", "size"]
    short = SetItemVariant(item_id=half.item_id, product_id=shirt, variant={"colour": "Red"})
    assert shop.refused(short).details["missing"] == ["size"]
    shop.run(short.model_copy(update={"variant": {"colour": "Red", "size": "L"}}))
    shop.run(ActivateItem(item_id=half.item_id))
    assert dict(shown(shop, shirt))[half.sku] == {"colour": "Red", "size": "L"}


@pytest.mark.capability("S1")
def test_variants_of_one_product_bear_one_name_and_are_no_duplicates_unless_they_share_a_gtin(
    shop: Shop,
) -> None:
    shirt, other = product(shop), product(shop)
    name = f"Shirt {shirt.hex}"
    red, blue, green = (
        variant(shirt, RED_M | {"colour": colour}, item_name=name, gtin=gtin)
        for colour, gtin in (("Red", "4006381333931"), ("Blue", None), ("Green", "4006381333931"))
    )
    stranger = variant(other, RED_M, item_name=name)
    for one in (red, blue, green, stranger):
        shop.run(one)
    shop.run(ActivateItem(item_id=red.item_id))
    shop.run(ActivateItem(item_id=blue.item_id))
    for one in (green, stranger):
        assert shop.refused(ActivateItem(item_id=one.item_id)).code == "probable_duplicate"


@pytest.mark.capability("S1")
def test_an_item_that_exists_becomes_a_variant_changes_its_values_and_leaves_the_product(shop: Shop) -> None:
    shirt = product(shop, category="Things")
    first, second = shop.item(), shop.item()
    shop.run(SetItemVariant(item_id=first, product_id=shirt, variant=RED_M))
    taken = shop.refused(SetItemVariant(item_id=second, product_id=shirt, variant=RED_M))
    assert (taken.code, taken.details["item"]) == ("variant_taken", first)
    shop.run(SetItemVariant(item_id=first, product_id=shirt, variant=RED_M | {"size": "S"}))
    shop.run(SetItemVariant(item_id=second, product_id=shirt, variant=RED_M))
    shop.run(SetItemVariant(item_id=second, product_id=None))
    assert [values for _, values in shown(shop, shirt)] == [{"colour": "Red", "size": "S"}]
    hat = product(shop, category="Hats")
    assert shop.refused(SetItemVariant(item_id=second, product_id=hat, variant=RED_M)).field == "category"
    for command in (
        SetItemVariant(item_id=uuid4(), product_id=shirt, variant=RED_M),
        SetItemVariant(item_id=first, product_id=uuid4(), variant=RED_M),
        ChangeProduct(product_id=uuid4(), product_name="Nothing"),
    ):
        assert shop.refused(command).code == "not_found"


@pytest.mark.capability("S1")
def test_the_database_holds_neither_two_items_of_one_combination_nor_an_active_variant_without_its_values(
    shop: Shop,
) -> None:
    shirt = product(shop)
    red, blue = variant(shirt, RED_M), variant(shirt, RED_M | {"colour": "Blue"})
    for one in (red, blue):
        shop.run(one)
        shop.run(ActivateItem(item_id=one.item_id))
    with reading(shop.gate.engine) as connection:
        key = connection.scalar(select(items.c.variant_key).where(items.c.id == red.item_id))
    for wrong in ({"variant_key": key}, {"variant_key": None}, {"product_id": None}):
        with pytest.raises(IntegrityError), gate_writing(shop.gate.engine) as connection:
            connection.execute(update(items).where(items.c.id == blue.item_id).values(**wrong))


@pytest.mark.capability("S1")
def test_a_product_has_a_code_of_its_own_and_each_axis_once(shop: Shop) -> None:
    shirt = product(shop)
    with reading(shop.gate.engine) as connection:
        found = find_product(connection, shirt)
        assert found is not None
        assert find_product(connection, uuid4()) is None
    again = {"product_id": uuid4(), "product_name": "Shirt", "category": "Shirts"}
    refused = shop.refused(CreateProduct(**again, code=found.code.lower(), axes=("size",)))
    assert (refused.code, refused.field) == ("already_exists", "code")
    for wrong in ({"axes": ["size", "Size"]}, {"axes": []}, {"axes": ["a", "b", "c", "d", "e"]}):
        with pytest.raises(ValueError, match="axes"):
            CreateProduct.model_validate(again | {"code": "NEW"} | wrong)
    with pytest.raises(ValueError, match="product_id"):
        CreateItem(item_id=uuid4(), sku="LOOSE", variant=RED_M)


@pytest.mark.capability("S1")
@pytest.mark.capability("S4")
def test_categories_lie_within_each_other_and_a_parents_figure_is_that_of_what_lies_within_it(
    fresh_shop: Shop,
) -> None:
    shop = fresh_shop
    for name, parent in (("Clothing", None), ("Tops", "Clothing"), ("Shirts", "Tops")):
        shop.run(SetCategory(category=name, parent=parent))
    shirt = product(shop)
    for size in ("S", "M"):
        shop.run(variant(shirt, {"colour": "Red", "size": size}))
    shop.run(variant(product(shop, "size", category="Tops"), {"size": "S"}))
    loose = shop.item()
    with reading(shop.gate.engine) as connection:
        assert list_categories(connection) == [
            Category("Clothing", None, ("Clothing",), 0, 3),
            Category("Tops", "Clothing", ("Clothing", "Tops"), 1, 3),
            Category("Shirts", "Tops", ("Clothing", "Tops", "Shirts"), 2, 2),
            Category("Things", None, ("Things",), 1, 1),
        ]
        assert {one.category for one in list_products(connection, category="Clothing")} == {"Shirts", "Tops"}
        assert [one.id for one in list_products(connection, category="Shirts")] == [shirt]
        assert len(list_products(connection, text="linen")) == 2
    for parent in ("Clothing", "Shirts"):
        cycle = shop.refused(SetCategory(category="Clothing", parent=parent))
        assert (cycle.code, cycle.field) == ("category_cycle", "parent")
    assert shop.refused(SetCategory(category="Hats", parent="Nowhere")).code == "not_found"
    assert shop.refused(SetCategory(category="SHIRTS")).code == "already_exists"
    assert shop.refused(ChangeItem(item_id=_one(shop, shirt), category="Hats")).code == "category_of_product"
    shop.run(ChangeItem(item_id=loose, category="Tops"))
    shop.run(ChangeProduct(product_id=shirt, category="Tops"))
    shop.run(SetCategory(category="Tops"))
    with reading(shop.gate.engine) as connection:
        counted = {one.name: (one.items, one.items_within) for one in list_categories(connection)}
    assert counted == {"Clothing": (0, 0), "Tops": (4, 4), "Shirts": (0, 0)}


def _one(shop: Shop, product_id: UUID) -> UUID:
    with reading(shop.gate.engine) as connection:
        found = find_product(connection, product_id)
        assert isinstance(found, Product)
        return variants_of(connection, found)[0].item_id


@pytest.mark.capability("S1")
@pytest.mark.capability("S4")
def test_the_stock_of_a_product_is_that_of_its_variants_at_all_places_and_units_are_not_mixed(
    shop: Shop,
) -> None:
    cloth = product(shop, "colour")
    red, blue, roll = (
        variant(cloth, {"colour": colour}, base_unit=unit)
        for colour, unit in (("Red", "piece"), ("Blue", "piece"), ("Raw", "metre"))
    )
    for one in (red, blue, roll):
        shop.run(one)
        shop.run(ActivateItem(item_id=one.item_id))
    shop.stock(red.item_id, 5)
    shop.stock(red.item_id, 2, shop.south)
    shop.stock(blue.item_id, 4)
    shop.stock(roll.item_id, 90)
    shop.place((red.item_id, 3))
    with reading(shop.gate.engine) as connection:
        found = find_product(connection, cloth)
        assert found is not None
        variants = variants_of(connection, found)
        held = held_by_item(connection, [one.item_id for one in variants])
    assert held[red.item_id] == Held(on_hand=7, available=4, reserved=3, sellable=7)
    assert {one.base_unit: one.held for one in sums_by_unit(variants, held)} == {
        "metre": Held(on_hand=90, available=90, sellable=90),
        "piece": Held(on_hand=11, available=8, reserved=3, sellable=11),
    }
