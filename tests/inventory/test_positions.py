"""One position in every dimension, now and on any past day, and every figure of it kept apart."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from erp_core.inventory.buckets import BucketStock, bucket_stock
from erp_core.inventory.commands import ReceiveTransfer, StockLine, TransferStock
from erp_core.inventory.queries import Position, stock_moves_of
from erp_core.inventory.rules import ON_HAND_STATES
from erp_core.master.model import items
from erp_core.orders.queries.reserved import reserved_by_channel
from erp_core.procurement.figures import Inbound, StockFigures, known_pairs, stock_figures
from erp_core.storage.engine import reading
from tests.conftest import TODAY, size
from tests.shop import Shop

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["stock", "order", "ship", "cancel", "send", "arrive", "damage", "lose"]),
        st.integers(1, 6),
    ),
    min_size=1,
    max_size=10,
)


@pytest.mark.capability("S24")
@pytest.mark.capability("S25")
@settings(
    max_examples=size(8, 120),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=STEPS)
def test_after_every_event_the_states_add_up_and_every_past_day_stays_as_it_was(
    shop: Shop, steps: list[tuple[str, int]]
) -> None:
    item_id = shop.item(north=5)
    placed, sent, remembered = [], [], dict[date, list[BucketStock]]()
    for kind, units in steps:
        line = (StockLine(item_id=item_id, quantity=units),)
        if kind == "stock":
            shop.stock(item_id, units)
        elif kind == "order":
            placed.append(shop.place((item_id, units)))
        elif kind == "ship" and placed and shop.status(placed[-1]) in ("reserved", "backordered"):
            if any(one.reserved_quantity for one in shop.lines(placed[-1])):
                shop.ship(placed[-1])
        elif kind == "cancel" and placed and shop.status(placed[-1]) in ("reserved", "backordered"):
            shop.cancel(placed[-1])
        elif kind == "send":
            sent.append(uuid4())
            shop.submit(
                TransferStock(
                    transfer_id=sent[-1], from_location_id=shop.north, to_location_id=shop.south, lines=line
                )
            )
        elif kind == "arrive" and sent:
            shop.submit(ReceiveTransfer(transfer_id=sent[-1]))
        elif kind == "damage":
            shop.submit(shop.adjust(item_id, units, reason="found", state="damaged"))
        elif kind == "lose":
            shop.submit(shop.adjust(item_id, -units))
        with reading(shop.gate.engine) as connection:
            figures = stock_figures(connection, [(item_id, shop.north), (item_id, shop.south)])
            buckets = bucket_stock(connection, item_id)
            reserved = reserved_by_channel(connection, item_id)
        for (_, place), one in figures.items():
            states = one.position.states
            here = [bucket for bucket in buckets if bucket.location_id == place]
            assert {bucket.state: bucket.units for bucket in here} == dict(states)
            assert one.position.on_hand == sum(states.get(state, 0) for state in ON_HAND_STATES)
            assert one.position.on_hand + one.position.in_transit == sum(states.values())
            assert one.position.sellable == one.position.available + one.position.reserved
            assert one.non_pickable == states.get("damaged", 0)
            owed = sum(
                row.quantity - row.reserved_quantity - row.shipped_quantity - row.cancelled_quantity
                for order in placed
                for row in shop.lines(order)
                if place == shop.north
            )
            assert one.backordered == owed
            assert one.atp(TODAY) == one.position.available - owed
            held = sum(row.units for row in reserved if row.location_id == place)
            assert held == one.position.reserved
            assert {row.channel_id for row in reserved} <= {shop.web}
        remembered[shop.now.date()] = buckets
        shop.later(1)
    with reading(shop.gate.engine) as connection:
        for day, buckets in remembered.items():
            assert bucket_stock(connection, item_id, as_of=day) == buckets
        assert bucket_stock(connection, item_id, as_of=min(remembered) - timedelta(days=1)) == []


@pytest.mark.capability("S23")
def test_behind_every_figure_of_a_past_day_are_the_moves_that_made_it(shop: Shop) -> None:
    item_id = shop.item(north=9)
    shop.later(1)
    day = shop.now.date()
    order = shop.place((item_id, 4))
    shop.later(1)
    shop.ship(order)
    with reading(shop.gate.engine) as connection:
        (reserved,) = bucket_stock(connection, item_id, location_id=shop.north, state="reserved", as_of=day)
        moves = stock_moves_of(
            connection, item_id=item_id, location_id=shop.north, state="reserved", last_on=day
        )
        then = reserved_by_channel(connection, item_id, as_of=day)
        now = reserved_by_channel(connection, item_id)
    assert reserved.units == sum(
        one.quantity if one.to_state == "reserved" else -one.quantity for one in moves
    )
    assert [(one.channel_id, one.units) for one in then] == [(shop.web, 4)]
    assert now == []


@pytest.mark.capability("S25")
@given(
    available=st.integers(0, 50),
    owed=st.integers(0, 50),
    buffer=st.integers(0, 10),
    inbound=st.lists(
        st.tuples(st.integers(1, 20), st.none() | st.integers(0, 30), st.booleans()), max_size=5
    ),
    day=st.integers(0, 30),
)
def test_available_to_promise_counts_dated_confirmed_supply_and_never_more_later_than_there_is(
    available: int,
    owed: int,
    buffer: int,
    inbound: list[tuple[int, int | None, bool]],
    day: int,
) -> None:
    coming = [
        Inbound(units, None if due is None else TODAY + timedelta(days=due), confirmed)
        for units, due, confirmed in inbound
    ]
    position = Position(UUID(int=1), UUID(int=2), {"available": available, "damaged": 7, "in_transit": 3})
    figures = StockFigures(position, coming, owed)
    due = sum(units for units, on, confirmed in inbound if confirmed and on is not None and on <= day)
    assert figures.atp(TODAY + timedelta(days=day), buffer) == available - buffer + due - owed
    assert figures.atp(TODAY - timedelta(days=1)) == available - owed
    later = [figures.atp(TODAY + timedelta(days=number)) for number in range(31)]
    assert later == sorted(later)
    assert figures.supplier_confirmed <= figures.on_order == sum(units for units, _, _ in inbound)


@pytest.mark.capability("S23")
def test_the_places_of_an_item_are_listed_with_stock_or_with_what_is_owed_there(shop: Shop) -> None:
    lying, owed = shop.item(south=4), shop.item()
    yesterday = shop.now.date()
    shop.later(1)
    shop.stock(lying, 3)
    shop.place((owed, 2))
    with reading(shop.gate.engine) as connection:
        assert known_pairs(connection, item_id=owed) == ([(owed, shop.north)], 1)
        assert known_pairs(connection, item_id=owed, as_of=shop.now.date()) == ([], 0)
        assert known_pairs(connection, item_id=lying, as_of=yesterday) == ([(lying, shop.south)], 1)
        pages = [known_pairs(connection, item_id=lying, limit=1, offset=offset) for offset in range(3)]
        assert [(len(pairs), total) for pairs, total in pages] == [(1, 2), (1, 2), (0, 2)]
        assert {pairs[0][1] for pairs, _ in pages[:2]} == {shop.north, shop.south}
        assert known_pairs(connection, item_id=lying, location_id=shop.north)[1] == 1
        sku = connection.execute(select(items.c.sku).where(items.c.id == lying)).scalar_one()
        assert known_pairs(connection, text=sku.lower())[1] == 2
        assert known_pairs(connection, text="%")[1] == 0
