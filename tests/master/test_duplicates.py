"""Records that look alike are found before they go active, and a person who knows better says so with a reason."""

from __future__ import annotations

from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from erp_core.gate.contract import Executed
from erp_core.gate.model import audit_entries
from erp_core.master.commands import (
    ActivateItem,
    ActivateSupplier,
    CreateItem,
    SetMasterParameter,
    SubmitSupplier,
)
from erp_core.master.model import suppliers
from erp_core.master.queries.duplicates import duplicates, duplicates_of
from erp_core.master.rules.duplicates import (
    Record,
    gtin_holds,
    identifier_hash,
    name_alikeness,
    normal_sku,
    probable_duplicates,
)
from erp_core.storage.engine import reading
from erp_core.storage.ids import new_id
from tests.master.market import active_supplier, agree, document, supplier
from tests.shop import Shop


def item(name: str, **fields: object) -> CreateItem:
    values = {"item_id": uuid4(), "sku": f"K{new_id().hex[-10:]}", "item_name": name, "category": "Kitchen"}
    return CreateItem.model_validate(values | {"brand": "Acme", "base_unit": "piece"} | fields)


def word() -> str:
    """A word that no other test uses."""
    return "".join(chr(ord("a") + int(digit, 16)) for digit in uuid4().hex[:12])


@pytest.mark.capability("S7")
@pytest.mark.parametrize("twin", ["AB-12.3/c", "ab 12_3c", "AB123C"])
def test_a_sku_that_is_written_like_another_is_refused_at_once(shop: Shop, twin: str) -> None:
    mark = uuid4().hex[:8]
    shop.run(item("Pan", sku=f"AB-123-C-{mark}"))
    error = shop.refused(item("Pot", sku=f"{twin}-{mark}"))
    assert (error.code, error.field) == ("already_exists", "sku")
    assert error.details["code"] == f"AB-123-C-{mark}"


@pytest.mark.capability("S7")
def test_an_item_with_nearly_the_name_of_another_is_not_activated_until_a_person_says_why(
    shop: Shop,
) -> None:
    mark = word()
    first, second = item(f"{mark} glass teapot"), item(f"Teapot, glas {mark}")
    for one in (first, second):
        shop.run(one)
    shop.run(ActivateItem(item_id=first.item_id))
    error = shop.refused(ActivateItem(item_id=second.item_id))
    assert error.code == "probable_duplicate"
    (candidate,) = error.details["candidates"]
    assert candidate["code"] == first.sku
    assert 90 <= candidate["score"] < 100
    stated = ActivateItem(item_id=second.item_id, not_duplicate_of=(first.item_id,))
    assert shop.refused(stated).code == "override_without_reason"
    wrong = stated.model_copy(update={"reason_code": "looked_different"})
    assert shop.refused(wrong).code == "unknown_reason"
    elsewhere = ActivateItem(item_id=second.item_id, not_duplicate_of=(uuid4(),), reason_code="other_variant")
    assert shop.refused(elsewhere).code == "probable_duplicate"
    shop.run(stated.model_copy(update={"reason_code": "other_variant"}))
    with reading(shop.gate.engine) as connection:
        rows = connection.execute(
            select(audit_entries.c.payload).where(
                audit_entries.c.subject_id == second.item_id, audit_entries.c.outcome == "executed"
            )
        ).scalars()
        told = [row for row in rows if "not_duplicate_of" in str(row)]
    assert "other_variant" in str(told)


@pytest.mark.capability("S7")
def test_two_items_with_one_gtin_are_one_in_whatever_length_it_is_written(shop: Shop) -> None:
    body = f"40{int(uuid4().hex[:9], 16) % 10**10:010d}"
    (gtin,) = [f"{body}{digit}" for digit in range(10) if gtin_holds(f"{body}{digit}")]
    first, second = item(word(), gtin=gtin), item(word(), gtin=f"0{gtin}")
    for one in (first, second):
        shop.run(one)
    shop.run(ActivateItem(item_id=first.item_id))
    (candidate,) = shop.refused(ActivateItem(item_id=second.item_id)).details["candidates"]
    assert (candidate["score"], candidate["because"]) == (100, "same GTIN")


def test_a_gtin_whose_check_digit_is_wrong_is_malformed() -> None:
    assert gtin_holds("4006381333931")
    with pytest.raises(ValueError, match="GTIN"):
        item("Pen", gtin="4006381333932")


def test_of_two_alike_in_one_batch_the_first_goes_active(shop: Shop) -> None:
    name = word()
    twins = [item(name), item(name.title())]
    for one in twins:
        shop.run(one)
    first, second = shop.submit(*(ActivateItem(item_id=one.item_id) for one in twins))
    assert isinstance(first, Executed)
    assert second.error.code == "probable_duplicate"


@pytest.mark.capability("S7")
@pytest.mark.parametrize(
    ("field", "first", "second", "because"),
    [
        ("tax_id", "DE 811 907 980", "de811907980", "same tax id"),
        ("bank_account", "DE89 3704 0044 0532 0130 00", "DE89370400440532013000", "same bank account"),
    ],
)
def test_a_supplier_with_the_tax_id_or_account_of_another_is_not_activated(
    fresh_shop: Shop, field: str, first: str, second: str, because: str
) -> None:
    shop = fresh_shop
    known = active_supplier(shop, **{field: first})
    twin = supplier(**{field: second})
    shop.run(twin)
    shop.run(document(twin.supplier_id))
    shop.run(SubmitSupplier(supplier_id=twin.supplier_id))
    refused = agree(shop, ActivateSupplier(supplier_id=twin.supplier_id))
    assert because in str(refused)
    stated = ActivateSupplier(
        supplier_id=twin.supplier_id, not_duplicate_of=(known,), reason_code="same_group"
    )
    assert isinstance(agree(shop, stated), Executed)
    with reading(shop.gate.engine) as connection:
        row = connection.execute(select(suppliers).where(suppliers.c.id == twin.supplier_id)).one()
        assert row.status == "active"
        kind = field.removesuffix("_account")
        assert row._mapping[f"{kind}_hash"] == identifier_hash(kind, first)
        assert row._mapping[f"{kind}_last"] == first[-4:].replace(" ", "")[-4:] or second[-4:]
        payloads = connection.execute(select(audit_entries.c.payload)).scalars().all()
    assert second not in str(payloads)
    assert first not in str(payloads)


@pytest.mark.capability("S7")
def test_probable_duplicates_among_what_is_there_are_listed_the_surest_first(fresh_shop: Shop) -> None:
    shop = fresh_shop
    made = [
        item("Oak tray 30 cm"),
        item("Oak tray 40 cm"),
        item("Linen towel, grey"),
        item("Linen towl, grey"),
    ]
    for one in made:
        shop.run(one)
        shop.submit(ActivateItem(item_id=one.item_id))
    with reading(shop.gate.engine) as connection:
        assert duplicates(connection, "item") == []
        (match,) = duplicates_of(connection, "item", [made[3].item_id])
    assert (match.first.code, match.second.code) in (
        (made[2].sku, made[3].sku),
        (made[3].sku, made[2].sku),
    )


def test_the_score_from_which_names_count_as_alike_is_data(fresh_shop: Shop) -> None:
    shop = fresh_shop
    first, second = item("Copper kettle"), item("Coper ketle")
    for one in (first, second):
        shop.run(one)
    shop.run(SetMasterParameter(name="item_name_score", value=100))
    shop.run(ActivateItem(item_id=first.item_id))
    shop.run(ActivateItem(item_id=second.item_id))
    with reading(shop.gate.engine) as connection:
        assert duplicates(connection, "item") == []
    shop.run(SetMasterParameter(name="item_name_score", value=80))
    with reading(shop.gate.engine) as connection:
        assert len(duplicates(connection, "item")) == 1
    error = shop.refused(SetMasterParameter(name="item_name_score", value=20))
    assert (error.code, error.field) == ("out_of_bounds", "value")


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("Tray 20 cm", "Tray 24 cm", False),
        ("Stoneware mug with handle, green", "Stoneware mug with handle, grey", False),
        ("Stoneware mug, green", "Mug stonware green", True),
        ("Acme GmbH", "ACME Ltd", True),
        ("", "", False),
    ],
)
def test_names_that_differ_by_a_size_or_a_colour_are_two_things_and_by_spelling_one(
    one: str, other: str, alike: bool
) -> None:
    assert (name_alikeness(one, other) >= 90) == alike


NAMES = st.text("abcdeé 12", min_size=1, max_size=12)


@given(names=st.lists(NAMES, min_size=2, max_size=8), score=st.integers(60, 100))
def test_what_a_whole_catalogue_shows_each_of_its_records_shows_too(names: list[str], score: int) -> None:
    records = [Record(uuid4(), str(n), name) for n, name in enumerate(names)]
    of_all = probable_duplicates(records, name_score=score)
    for match in of_all:
        mine = probable_duplicates(records, name_score=score, among=[match.first.id])
        assert match in mine


@given(sku=st.text(min_size=1, max_size=20))
def test_a_normal_sku_is_normal_already(sku: str) -> None:
    assert normal_sku(normal_sku(sku)) == normal_sku(sku)
