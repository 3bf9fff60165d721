"""What others call our items: each code is one item, and what fits none or two is a case and never a guess."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from erp_core.exceptions.queries import Case, CaseFilter, ranked_cases
from erp_core.master.commands import (
    CreateSupplier,
    MapExternalSku,
    ResolveExternalSkus,
    SetSupplierItem,
)
from erp_core.master.queries.external_skus import list_external_skus
from erp_core.storage.engine import reading
from tests.orders.parcels import agreed
from tests.shop import Shop


def asks(shop: Shop, party: str, party_id: UUID, *codes: str) -> tuple[dict[str, str], list[str]]:
    told = shop.run(ResolveExternalSkus(party=party, party_id=party_id, codes=codes))
    return told["items"], told["unmapped"]


def doubts(shop: Shop) -> dict[str, Case]:
    with reading(shop.gate.engine) as connection:
        found = ranked_cases(connection, CaseFilter(kinds=("unmapped_sku",))).cases
    return {one.subject_key.partition(":")[2]: one for one in found}


@pytest.mark.capability("S3")
@pytest.mark.parametrize("party", ["channel", "location"])
def test_a_code_stands_for_the_item_it_was_mapped_to_and_what_is_not_mapped_becomes_a_case(
    fresh_shop: Shop, party: str
) -> None:
    shop = fresh_shop
    theirs = {"channel": shop.web, "location": shop.south}[party]
    tea, cup = shop.item("TEA"), shop.item("CUP")
    assert asks(shop, party, theirs, "tea", "NEW") == ({"tea": str(tea)}, ["NEW"]), "they use our SKUs"
    assert doubts(shop).keys() == {"new"}
    mapping = {"party": party, "party_id": theirs}
    shop.run(MapExternalSku(**mapping, code="New", item_id=cup))
    assert doubts(shop) == {}
    assert asks(shop, party, theirs, "NEW", "TEA") == ({"NEW": str(cup)}, ["TEA"]), (
        "now they have codes of their own"
    )
    assert (
        doubts(shop)["tea"].title == f"TEA of {'WEB' if party == 'channel' else 'SOUTH'} is no item of ours"
    )
    refused = shop.refused(MapExternalSku(**mapping, code="NEW", item_id=tea))
    assert (refused.code, refused.details["item"]) == ("already_mapped", cup)
    shop.run(MapExternalSku(**mapping, code="NEW", item_id=tea, replaces=cup))
    shop.run(MapExternalSku(**mapping, code="TEA", item_id=cup))
    assert asks(shop, party, theirs, "new", "tea") == ({"new": str(tea), "tea": str(cup)}, [])
    with reading(shop.gate.engine) as connection:
        found = list_external_skus(connection, theirs)
        assert list_external_skus(connection, uuid4()) == []
    assert [(one.code, one.item_id) for one in found] == [("NEW", tea), ("TEA", cup)]
    assert doubts(shop) == {}


@pytest.mark.capability("S3")
def test_a_suppliers_code_that_two_of_its_items_bear_is_ambiguous_until_it_is_mapped(
    fresh_shop: Shop,
) -> None:
    shop = fresh_shop
    supplier, tea, cup, pot = uuid4(), shop.item("TEA"), shop.item("CUP"), shop.item("POT")
    shop.run(
        CreateSupplier(
            supplier_id=supplier, code="ACME", supplier_name="Acme", currency="EUR", segment="domestic"
        )
    )
    for item_id, code in ((tea, "X-1"), (cup, "x-1"), (pot, "P-9")):
        agreed(shop, SetSupplierItem(supplier_id=supplier, item_id=item_id, supplier_sku=code, price=30_000))
    assert asks(shop, "supplier", supplier, "X-1", "p-9", "TEA") == ({"p-9": str(pot)}, ["TEA", "X-1"])
    assert doubts(shop)["x-1"].title == "X-1 of ACME may be CUP or TEA"
    action = doubts(shop)["x-1"].action
    assert action is not None and action["commands"][0]["payload"]["code"] == "X-1"
    shop.run(MapExternalSku(party="supplier", party_id=supplier, code="X-1", item_id=tea))
    assert asks(shop, "supplier", supplier, "X-1") == ({"X-1": str(tea)}, [])
    assert doubts(shop).keys() == {"tea"}


@pytest.mark.capability("S3")
def test_nobody_maps_a_code_of_an_unknown_party_or_to_an_unknown_item(shop: Shop) -> None:
    tea = shop.item()
    strange = MapExternalSku(party="channel", party_id=shop.north, code="T", item_id=tea)
    assert (shop.refused(strange).code, shop.refused(strange).field) == ("not_found", "party_id")
    nothing = MapExternalSku(party="channel", party_id=shop.web, code="T", item_id=uuid4())
    assert shop.refused(nothing).field == "item_id"
    asked = ResolveExternalSkus(party="supplier", party_id=uuid4(), codes=("T",))
    assert shop.refused(asked).code == "not_found"
