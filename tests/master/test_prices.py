"""Prices by day, and one preferred supplier of an item."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.exc import DatabaseError, IntegrityError

from erp_core.gate.contract import Asked, Executed, Proposed
from erp_core.gate.model import audit_entries
from erp_core.master.commands import PreferSupplier, SetSupplierItem, SetSupplierPrice
from erp_core.master.model import supplier_items, supplier_prices
from erp_core.master.queries import list_sources, list_supplier_items, price_records
from erp_core.master.queries.prices import supplier_items_by_day
from erp_core.master.rules.periods import Period, contradicts, in_force
from erp_core.master.rules.prices import price_at
from erp_core.procurement.commands import CreatePurchaseOrder, PurchaseOrderLine, SubmitPurchaseOrder
from erp_core.procurement.queries import purchase_order
from erp_core.storage.engine import gate_writing, reading
from tests.master.market import active_supplier, agree, ask, offered
from tests.shop import MONDAY, Shop

TODAY = MONDAY.date()


def price(supplier_id: UUID, item_id: UUID, amount: int, start: int, **fields: object) -> SetSupplierPrice:
    values = {"supplier_id": supplier_id, "item_id": item_id, "price": amount}
    return SetSupplierPrice.model_validate(values | {"valid_from": TODAY + timedelta(start)} | fields)


def asked_on(shop: Shop, item_id: UUID, day: int) -> int | None:
    with reading(shop.gate.engine) as connection:
        on = TODAY + timedelta(day)
        found = list_supplier_items(connection, on=on, item_ids=[item_id])
        asked = [(one.supplier_id, item_id, on) for one in list_sources(connection, item_id, on=on)]
        assert set(supplier_items_by_day(connection, asked).values()) == set(found)
    return found[0].price if found else None


@pytest.fixture
def pair(shop: Shop) -> tuple[UUID, UUID]:
    """A supplier and an item that it supplies for 10.00 from today on."""
    supplier_id, item_id = active_supplier(shop), shop.item()
    offered(shop, supplier_id, item_id)
    return supplier_id, item_id


@pytest.mark.capability("S9")
def test_a_price_counts_from_its_day_on_and_those_before_stay(shop: Shop, pair: tuple[UUID, UUID]) -> None:
    shop.run(price(*pair, 105_000, 10))
    assert [asked_on(shop, pair[1], day) for day in (-1, 0, 9, 10)] == [None, 100_000, 100_000, 105_000]
    with reading(shop.gate.engine) as connection:
        assert [one.price for one in price_records(connection, [pair])[pair]] == [100_000, 105_000]


@pytest.mark.capability("S9")
def test_a_contract_price_holds_for_its_days_and_the_price_before_it_comes_back(
    shop: Shop, pair: tuple[UUID, UUID]
) -> None:
    contract = price(*pair, 95_000, 5, valid_to=TODAY + timedelta(8), contract_reference="C-7")
    shop.run(contract)
    assert [asked_on(shop, pair[1], day) for day in (4, 5, 7, 8)] == [100_000, 95_000, 95_000, 100_000]


@pytest.mark.capability("S9")
@pytest.mark.parametrize(("start", "end"), [(5, 6), (3, 6), (7, None), (5, None), (4, 20)])
def test_a_price_that_reaches_into_another_one_is_refused(
    shop: Shop, pair: tuple[UUID, UUID], start: int, end: int | None
) -> None:
    shop.run(price(*pair, 95_000, 5, valid_to=TODAY + timedelta(8)))
    until = None if end is None else TODAY + timedelta(end)
    error = shop.refused(price(*pair, 96_000, start, valid_to=until))
    assert (error.code, error.field) == ("price_overlap", "valid_from")


@pytest.mark.capability("S9")
def test_a_change_over_a_tenth_either_way_or_a_day_in_the_past_waits_for_a_manager(
    shop: Shop, pair: tuple[UUID, UUID]
) -> None:
    assert isinstance(ask(shop, price(*pair, 110_000, 1)), Executed)
    for change in (price(*pair, 121_100, 2), price(*pair, 98_000, 2), price(*pair, 100_100, -1)):
        assert isinstance(ask(shop, change), Proposed), change
    outcome = agree(shop, price(*pair, 130_000, 3))
    assert isinstance(outcome, Executed)
    assert asked_on(shop, pair[1], 3) == 130_000


@pytest.mark.capability("S9")
@pytest.mark.capability("S207")
def test_a_price_change_is_logged_with_what_was_before_and_after(shop: Shop, pair: tuple[UUID, UUID]) -> None:
    shop.run(price(*pair, 105_000, 4))
    with reading(shop.gate.engine) as connection:
        entries = connection.execute(
            select(audit_entries.c.before, audit_entries.c.after).where(
                audit_entries.c.subject_id == pair[0], audit_entries.c.command == "SetSupplierPrice"
            )
        ).all()
    assert [(one.before["price"], one.after["price"]) for one in entries] == [(100_000, 105_000)]


@pytest.mark.capability("S9")
def test_a_price_record_is_never_changed_a_correction_stands_beside_it(
    shop: Shop, pair: tuple[UUID, UUID]
) -> None:
    shop.run(price(*pair, 105_000, 4))
    missing = shop.refused(price(*pair, 104_000, 5, corrects=True))
    assert missing.code == "not_found"
    shop.run(price(*pair, 104_000, 4, corrects=True))
    assert asked_on(shop, pair[1], 4) == 104_000
    shop.run(price(*pair, 104_000, 4, valid_to=TODAY + timedelta(4), corrects=True))
    assert asked_on(shop, pair[1], 4) == 100_000
    with reading(shop.gate.engine) as connection:
        every = price_records(connection, [pair], corrected=True)[pair]
    assert [(one.price, one.version) for one in every] == [
        (100_000, 1),
        (105_000, 1),
        (104_000, 2),
        (104_000, 3),
    ]
    with pytest.raises(DatabaseError), gate_writing(shop.gate.engine) as connection:
        connection.execute(supplier_prices.update().values(price=1))


@pytest.mark.capability("S9")
def test_an_order_takes_the_price_in_force_on_its_day_by_its_quantity(
    shop: Shop, pair: tuple[UUID, UUID]
) -> None:
    shop.run(price(*pair, 105_000, 3, breaks=[(10, 98_000), (50, 96_000)]))

    def ordered(quantity: int) -> int:
        line = PurchaseOrderLine(line_id=uuid4(), item_id=pair[1], quantity=quantity)
        command = CreatePurchaseOrder(
            po_id=uuid4(), supplier_id=pair[0], location_id=shop.north, lines=(line,), reason="needed"
        )
        shop.run(command)
        with reading(shop.gate.engine) as connection:
            found = purchase_order(connection, command.po_id)
        assert found is not None
        return found.lines[0].unit_price

    assert ordered(60) == 100_000
    shop.later(3)
    assert [ordered(quantity) for quantity in (9, 10, 49, 50)] == [105_000, 98_000, 98_000, 96_000]


@pytest.mark.capability("S9")
def test_a_price_that_moves_at_some_quantity_only_waits_for_a_manager_too(
    shop: Shop, pair: tuple[UUID, UUID]
) -> None:
    dearer, cheaper = ((10, 900_000),), ((10, 50_000),)
    assert isinstance(ask(shop, price(*pair, 100_000, 1, breaks=dearer)), Proposed)
    assert isinstance(ask(shop, price(*pair, 100_000, 1, breaks=((10, 95_000),))), Executed)
    assert isinstance(agree(shop, price(*pair, 100_000, 2, breaks=cheaper)), Executed)
    shop.later(2)
    loses_its_breaks = SetSupplierItem(supplier_id=pair[0], item_id=pair[1], price=101_000)
    assert isinstance(ask(shop, loses_its_breaks), Proposed)
    keeps_them = SetSupplierItem(supplier_id=pair[0], item_id=pair[1], price=100_000)
    assert isinstance(ask(shop, keeps_them), Executed)


@pytest.mark.capability("S9")
def test_a_price_is_measured_by_the_last_one_where_none_is_in_force(
    shop: Shop, pair: tuple[UUID, UUID]
) -> None:
    shop.run(price(*pair, 100_000, 0, valid_to=TODAY, corrects=True))
    assert asked_on(shop, pair[1], 1) is None
    assert isinstance(ask(shop, price(*pair, 900_000, 1)), Proposed)
    assert isinstance(ask(shop, price(*pair, 105_000, 1)), Executed)


@pytest.mark.capability("S9")
def test_policy_is_told_how_far_a_line_is_off_the_price_in_force(shop: Shop, pair: tuple[UUID, UUID]) -> None:
    def told(unit_price: int | None) -> object:
        line = PurchaseOrderLine(line_id=uuid4(), item_id=pair[1], quantity=1, unit_price=unit_price)
        draft = CreatePurchaseOrder(
            po_id=uuid4(), supplier_id=pair[0], location_id=shop.north, lines=(line,), reason="needed"
        )
        registration = shop.gate.registry.require("SubmitPurchaseOrder")
        assert registration.facts is not None
        asked = Asked(SubmitPurchaseOrder(po_id=draft.po_id), (draft,), shop.now)
        with reading(shop.gate.engine) as connection:
            (facts,) = registration.facts([asked], connection)
        assert not isinstance(facts, Exception)
        return facts["price_change"]

    assert [told(given) for given in (None, 100_000, 101_000, 88_000)] == [0, 0, 100, 1_200]


def test_an_order_without_a_price_in_force_is_refused(shop: Shop, pair: tuple[UUID, UUID]) -> None:
    shop.run(price(*pair, 100_000, 0, valid_to=TODAY + timedelta(2), corrects=True))
    shop.later(2)
    line = PurchaseOrderLine(line_id=uuid4(), item_id=pair[1], quantity=1)
    command = CreatePurchaseOrder(
        po_id=uuid4(), supplier_id=pair[0], location_id=shop.north, lines=(line,), reason="needed"
    )
    assert shop.refused(command).code == "no_supplier_record"


def test_a_price_in_another_currency_or_of_an_item_not_supplied_is_refused(
    shop: Shop, pair: tuple[UUID, UUID]
) -> None:
    assert shop.refused(price(*pair, 100_000, 1, currency="USD")).code == "wrong_currency"
    assert shop.refused(price(pair[0], shop.item(), 100_000, 1)).code == "not_found"


def test_setting_the_same_price_again_adds_no_record(shop: Shop, pair: tuple[UUID, UUID]) -> None:
    shop.later(2)
    shop.run(SetSupplierItem(supplier_id=pair[0], item_id=pair[1], price=100_000, minimum_quantity=6))
    with reading(shop.gate.engine) as connection:
        assert len(price_records(connection, [pair], corrected=True)[pair]) == 1


@pytest.mark.capability("S8")
def test_an_item_has_one_preferred_supplier_and_its_alternates_are_seen(shop: Shop) -> None:
    item_id = shop.item()
    first, second, third = (active_supplier(shop) for _ in range(3))
    offered(shop, first, item_id, 100_000, supplier_sku="A-1", lead_time_days=9)
    taken = shop.refused(SetSupplierItem(supplier_id=second, item_id=item_id, price=90_000))
    assert (taken.code, taken.details["preferred"]) == ("preferred_taken", first)
    offered(shop, second, item_id, 90_000, rank=2, minimum_quantity=12, order_multiple=6)
    offered(shop, third, item_id, 95_000, rank=3)
    with reading(shop.gate.engine) as connection:
        sources = list_sources(connection, item_id, on=TODAY)
    assert [(one.supplier_id, one.preferred) for one in sources] == [
        (first, True),
        (second, False),
        (third, False),
    ]
    assert (sources[0].supplier_sku, sources[0].lead_time_days, sources[1].order_multiple) == ("A-1", 9, 6)


@pytest.mark.capability("S8")
def test_another_preferred_supplier_changes_places_with_the_one_before(shop: Shop) -> None:
    item_id, first, second = shop.item(), active_supplier(shop), active_supplier(shop)
    offered(shop, first, item_id)
    offered(shop, second, item_id, rank=4)
    shop.run(PreferSupplier(supplier_id=second, item_id=item_id))
    with reading(shop.gate.engine) as connection:
        ranks = {one.supplier_id: one.rank for one in list_sources(connection, item_id, on=TODAY)}
    assert ranks == {second: 1, first: 4}
    stranger = shop.refused(PreferSupplier(supplier_id=uuid4(), item_id=item_id))
    assert stranger.code == "not_found"


@pytest.mark.capability("S8")
def test_two_in_one_batch_change_places_and_the_database_allows_one_preferred_supplier(shop: Shop) -> None:
    item_id, first, second = shop.item(), active_supplier(shop), active_supplier(shop)
    offered(shop, first, item_id)
    offered(shop, second, item_id, rank=2)
    outcomes = shop.submit(
        SetSupplierItem(supplier_id=first, item_id=item_id, price=100_000, rank=2),
        SetSupplierItem(supplier_id=second, item_id=item_id, price=100_000, rank=1),
    )
    assert all(isinstance(one, Executed) for one in outcomes), outcomes
    with pytest.raises(IntegrityError), gate_writing(shop.gate.engine) as connection:
        connection.execute(supplier_items.update().where(supplier_items.c.item_id == item_id).values(rank=1))


DAYS = st.dates(date(2026, 1, 1), date(2026, 2, 15))
PERIODS = st.tuples(DAYS, st.none() | DAYS).filter(lambda one: one[1] is None or one[1] >= one[0])


@given(wanted=st.lists(PERIODS, max_size=8), day=DAYS)
def test_prices_that_do_not_contradict_leave_at_most_one_that_speaks_for_a_day(
    wanted: list[tuple[date, date | None]], day: date
) -> None:
    accepted: list[Period] = []
    for period in (Period(*one) for one in wanted):
        if not any(contradicts(period, other) for other in accepted):
            accepted.append(period)
    covering = [period for period in accepted if period.covers(day)]
    bounded = [period for period in covering if period.valid_to is not None]
    assert len(bounded) <= 1
    assert len({period.valid_from for period in covering}) == len(covering)
    found = in_force(accepted, day)
    assert (found is None) == (not covering)
    if bounded:
        assert found == bounded[0]


@given(
    price=st.integers(0, 10**6),
    steps=st.lists(st.tuples(st.integers(1, 100), st.integers(0, 10**6)), unique_by=lambda one: one[0]),
    quantity=st.integers(1, 200),
)
def test_the_price_of_a_quantity_is_that_of_the_largest_break_it_reaches(
    price: int, steps: list[tuple[int, int]], quantity: int
) -> None:
    reached = sorted(one for one in steps if one[0] <= quantity)
    assert price_at(price, steps, quantity) == (reached[-1][1] if reached else price)
