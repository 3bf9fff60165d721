"""What all readers of stock share: one position, a fixed list of events, and stock that is promised to nobody."""

from __future__ import annotations

from typing import get_args
from uuid import uuid4

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from erp_core.gate.model import audit_entries
from erp_core.inventory.commands import HoldStock, ReceiveTransfer, StockLine, TransferStock
from erp_core.inventory.lots.queries import lot_stock
from erp_core.inventory.model import EVENTS, stock_moves
from erp_core.inventory.ownership import owned_stock
from erp_core.inventory.queries import available_units, positions
from erp_core.inventory.rules import EventKind
from erp_core.master.commands import CreateLocation
from erp_core.storage.base import metadata
from erp_core.storage.engine import gate_writing, reading
from tests.inventory.lots import assert_lots_sound, take_in, tracked_item
from tests.shop import MONDAY, Shop


@pytest.mark.capability("S22")
def test_a_move_says_event_item_place_state_lot_quantity_document_actor_and_time(shop: Shop) -> None:
    item_id = tracked_item(shop)
    lot = take_in(shop, item_id, "A", 3)
    order = shop.place((item_id, 2))
    shop.ship(order)
    statement = (
        select(stock_moves, audit_entries.c.principal_id)
        .join(audit_entries, audit_entries.c.id == stock_moves.c.audit_id)
        .where(stock_moves.c.item_id == item_id)
        .order_by(stock_moves.c.occurred_at, stock_moves.c.id)
    )
    with reading(shop.gate.engine) as connection:
        rows = connection.execute(statement).all()
    assert [row.event for row in rows] == ["opening", "reservation", "shipment"]
    for row in rows:
        assert (row.lot_id, row.owner, row.occurred_at) == (lot, "own", MONDAY)
        assert row.document_kind and row.document_id and row.principal_id and row.recorded_at
    assert (rows[2].from_state, rows[2].to_state, rows[2].quantity) == ("reserved", "virtual", 2)


@pytest.mark.capability("S23")
def test_every_reader_gives_the_one_position(shop: Shop) -> None:
    item_id = tracked_item(shop)
    lot = take_in(shop, item_id, "A", 9)
    shop.place((item_id, 4))
    shop.run(
        HoldStock(
            hold_id=uuid4(),
            item_id=item_id,
            lot_code="A",
            location_id=shop.north,
            quantity=2,
            reason_code="inspection_due",
        )
    )
    with reading(shop.gate.engine) as connection:
        now = positions(connection, item_ids=[item_id])[item_id, shop.north]
        today = positions(connection, item_ids=[item_id], as_of=shop.now.date())[item_id, shop.north]
        free = available_units(connection, [item_id])
        by_lot = {one.state: one.units for one in lot_stock(connection, lot)}
        (owned,) = owned_stock(connection, item_id)
    assert now.states == {"available": 3, "reserved": 4, "quarantined": 2} == today.states == by_lot
    assert free == {(item_id, shop.north): 3}
    assert (owned.units, owned.promisable_units) == (now.on_hand, now.available)
    holders = {
        table.name
        for table in metadata.tables.values()
        if {"state", "location_id", "quantity"} <= set(table.c.keys()) and "audit_id" not in table.c
    }
    assert holders == {"stock_balances", "stock_carried"}


@pytest.mark.capability("S26")
def test_an_event_that_is_not_on_the_list_is_refused_by_the_database(shop: Shop) -> None:
    assert set(get_args(EventKind)) == set(EVENTS)
    shop.item(north=1)
    copied = text(
        "INSERT INTO stock_moves SELECT occurred_on, :id, 'magic', item_id, lot_id, owner, from_location_id,"
        " from_state, to_location_id, to_state, quantity, document_kind, document_id, reason, reverses_id,"
        " occurred_at, recorded_at, audit_id FROM stock_moves LIMIT 1"
    )
    new = uuid4()
    id_ = new if shop.gate.engine.dialect.name == "postgresql" else new.hex
    with pytest.raises(IntegrityError, match="event"), gate_writing(shop.gate.engine) as connection:
        connection.execute(copied, {"id": id_})


@pytest.mark.capability("S28")
@pytest.mark.parametrize("kind", ["quarantine", "non_pickable"])
def test_nothing_is_promised_from_a_place_that_is_not_picked(shop: Shop, kind: str) -> None:
    item_id, cage = tracked_item(shop), uuid4()
    code = f"CAGE-{cage.hex[:6]}"
    shop.run(
        CreateLocation.model_validate(
            {"location_id": cage, "code": code, "location_name": code, "kind": kind}
        )
    )
    take_in(shop, item_id, "A", 5, place=cage)
    error = shop.refused(shop.order((item_id, 1), place=cage))
    assert (error.code, error.field) == ("not_pickable", "lines.location_id")
    assert shop.refused(shop.order((item_id, 1), place=cage, ship_now=True)).code == "not_pickable"
    anywhere = shop.place((item_id, 1), place=None)
    assert shop.status(anywhere) == "backordered"
    out = TransferStock(
        transfer_id=uuid4(),
        from_location_id=cage,
        to_location_id=shop.lines(anywhere)[0].location_id,
        lines=(StockLine(item_id=item_id, quantity=1),),
    )
    shop.run(out)
    shop.run(ReceiveTransfer(transfer_id=out.transfer_id))
    assert shop.status(anywhere) == "reserved"
    assert_lots_sound(shop)
