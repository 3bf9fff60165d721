from __future__ import annotations

import re
from datetime import date, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import Table, select, update
from sqlalchemy.exc import IntegrityError

from erp_core.gate.contract import Executed
from erp_core.gate.model import outbox
from erp_core.inventory.commands import (
    AdjustStock,
    ExpireReservations,
    PostOpeningStock,
    ReceiveTransfer,
    ReverseStock,
    StockLine,
    TransferStock,
)
from erp_core.inventory.model import stock_balances, stock_daily, stock_monthly
from erp_core.inventory.queries import available_units, rebuild_differences, stock_moves_of
from erp_core.inventory.rules import Bucket, MalformedMove, Move, check_move
from erp_core.storage.engine import gate_writing, reading
from tests.conftest import ROOT
from tests.shop import MONDAY, Shop

WRITERS = re.compile(
    r"(insert|upsert|add|replace|update|delete)\w*\([^)]*\b(stock_moves|stock_balances|stock_daily|stock_monthly)\b",
    re.S,
)


def test_only_the_ledger_writes_stock() -> None:
    places = {
        str(file.relative_to(ROOT))
        for package in ("erp_core", "copilot", "api", "evals")
        for file in Path(ROOT, package).rglob("*.py")
        if "attacks" not in file.parts
        for text in [file.read_text()]
        if WRITERS.search(text)
        or re.search(
            r"\b(stock_moves|stock_balances|stock_daily|stock_monthly)\.(insert|update|delete)\(", text
        )
        or re.search(
            r"(INSERT INTO|UPDATE|DELETE FROM) (stock_moves|stock_balances|stock_daily|stock_monthly)", text
        )
    }
    assert places == {f"erp_core/inventory/{name}.py" for name in ("ledger", "locks", "months")}


@pytest.mark.capability("S22")
def test_opening_stock_is_available_and_every_unit_has_a_move_behind_it(shop: Shop) -> None:
    item_id = shop.item(north=7, south=3)
    assert shop.at(item_id).states == {"available": 7}
    with reading(shop.gate.engine) as connection:
        assert available_units(connection, [item_id]) == {(item_id, shop.north): 7, (item_id, shop.south): 3}
        (move,) = stock_moves_of(connection, item_id=item_id, location_id=shop.south)
    assert (move.event, move.quantity, move.to_state) == ("opening", 3, "available")
    shop.assert_sound()


def test_a_count_is_posted_once_whatever_key_it_comes_under(shop: Shop) -> None:
    item_id = shop.item()
    count = PostOpeningStock(
        document_id=uuid4(), location_id=shop.north, lines=(StockLine(item_id=item_id, quantity=5),)
    )
    first, second = shop.submit(count, count)
    assert isinstance(first, Executed)
    assert second.error.code == "already_exists"
    assert shop.refused(count).code == "already_exists"
    assert shop.at(item_id).available == 5


def test_stock_is_booked_at_physical_places_only(shop: Shop) -> None:
    from erp_core.master.virtual import CUSTOMER

    item_id = shop.item()
    lines = (StockLine(item_id=item_id, quantity=5),)
    assert (
        shop.refused(PostOpeningStock(document_id=uuid4(), location_id=CUSTOMER, lines=lines)).code
        == "no_stock_here"
    )
    assert (
        shop.refused(PostOpeningStock(document_id=uuid4(), location_id=uuid4(), lines=lines)).code
        == "not_found"
    )


@pytest.mark.capability("S43")
def test_an_adjustment_moves_stock_to_or_from_loss_with_its_reason(shop: Shop) -> None:
    item_id = shop.item(north=10)
    shop.write_off(item_id, 4, reason="damaged")
    shop.run(shop.adjust(item_id, 1, reason="found"))
    assert shop.at(item_id).available == 7
    with reading(shop.gate.engine) as connection:
        moves = stock_moves_of(connection, item_id=item_id)
    assert {(move.event, move.reason, move.quantity) for move in moves} == {
        ("opening", None, 10),
        ("adjustment", "damaged", 4),
        ("adjustment", "found", 1),
    }


@pytest.mark.capability("S43")
@pytest.mark.capability("S21")
def test_an_adjustment_below_zero_is_refused_and_one_without_a_known_reason_is_malformed(shop: Shop) -> None:
    item_id = shop.item(sku := f"Jar-{uuid4().hex}", north=3)
    error = shop.refused(shop.adjust(item_id, -4))
    assert error.code == "insufficient_stock"
    assert error.details == {
        "item": sku,
        "location": "NORTH",
        "state": "available",
        "wanted": 4,
        "available": 3,
    }
    assert "3 or less" in error.remedy
    with pytest.raises(ValueError, match="reason"):
        shop.adjust(item_id, -1, reason="felt like it")
    with pytest.raises(ValueError, match="0 units"):
        shop.adjust(item_id, 0)
    with pytest.raises(ValueError, match="state"):
        AdjustStock.model_validate(shop.adjust(item_id, -1).model_dump() | {"state": "reserved"})
    assert shop.at(item_id).available == 3


def test_adjustments_of_one_batch_see_each_other(shop: Shop) -> None:
    item_id = shop.item(north=5)
    first, second, third = shop.submit(
        *(shop.adjust(item_id, -3) for _ in range(2)), shop.adjust(item_id, -2)
    )
    assert isinstance(first, Executed)
    assert second.error.code == "insufficient_stock"
    assert isinstance(third, Executed)
    assert shop.at(item_id).states == {}
    shop.assert_sound()


@pytest.mark.capability("S105")
def test_a_wrong_document_is_undone_by_opposite_moves_once(shop: Shop) -> None:
    item_id = shop.item(cost=50_000, north=10)
    adjustment = shop.adjust(item_id, 4, reason="found")
    shop.run(adjustment)
    reverse = ReverseStock(
        document_kind="adjustment", document_id=adjustment.adjustment_id, reason_code="data_error"
    )
    shop.run(reverse)
    assert shop.at(item_id).available == 10
    assert shop.refused(reverse).code == "already_reversed"
    with reading(shop.gate.engine) as connection:
        moves = stock_moves_of(connection, document_id=adjustment.adjustment_id)
    assert sorted(move.event for move in moves) == ["adjustment", "reversal"]
    assert {move.reverses_id for move in moves if move.event == "reversal"} == {
        move.id for move in moves if move.event == "adjustment"
    }
    shop.assert_sound()


def test_what_was_sold_since_cannot_be_reversed_away(shop: Shop) -> None:
    item_id = shop.item()
    opening = shop.stock(item_id, 5)
    shop.ship(shop.place((item_id, 3)))
    error = shop.refused(ReverseStock(document_kind="opening", document_id=opening, reason_code="data_error"))
    assert error.code == "insufficient_stock"
    assert shop.at(item_id).available == 2
    unknown = ReverseStock(document_kind="opening", document_id=uuid4(), reason_code="data_error")
    assert shop.refused(unknown).code == "not_found"


def transfer(shop: Shop, item_id: object, units: int) -> TransferStock:
    return TransferStock.model_validate(
        {
            "transfer_id": uuid4(),
            "from_location_id": shop.north,
            "to_location_id": shop.south,
            "lines": [{"item_id": item_id, "quantity": units}],
        }
    )


@pytest.mark.capability("S39")
def test_a_transfer_keeps_its_units_in_transit_until_they_arrive(shop: Shop) -> None:
    item_id = shop.item(cost=30_000, north=10)
    sent = transfer(shop, item_id, 6)
    shop.run(sent)
    assert shop.at(item_id).states == {"available": 4}
    assert shop.at(item_id, shop.south).states == {"in_transit": 6}
    assert shop.at(item_id, shop.south).on_hand == 0
    arrived = ReceiveTransfer(transfer_id=sent.transfer_id, lines=(StockLine(item_id=item_id, quantity=4),))
    assert shop.run(arrived)["still_in_transit"] == 2
    too_much = arrived.model_copy(update={"lines": (StockLine(item_id=item_id, quantity=3),)})
    assert shop.refused(too_much).code == "more_than_in_transit"
    shop.run(ReceiveTransfer(transfer_id=sent.transfer_id))
    assert shop.at(item_id, shop.south).states == {"available": 6}
    assert shop.refused(ReceiveTransfer(transfer_id=sent.transfer_id)).code == "more_than_in_transit"
    shop.assert_sound()


@pytest.mark.capability("S39")
def test_transfers_of_a_batch_leave_one_by_one_and_a_refused_one_harms_no_other(shop: Shop) -> None:
    item_id = shop.item(cost=30_000, north=10)
    first, too_much, rest = transfer(shop, item_id, 6), transfer(shop, item_id, 5), transfer(shop, item_id, 4)
    again = first.model_copy(update={"lines": rest.lines})
    nowhere = rest.model_copy(update={"transfer_id": uuid4(), "to_location_id": shop.north})
    outcomes = shop.submit(first, too_much, again, nowhere, rest)
    assert [getattr(one, "error", None) and one.error.code for one in outcomes] == [
        None,
        "insufficient_stock",
        "already_exists",
        "same_location",
        None,
    ]
    assert shop.at(item_id).states == {}
    assert shop.at(item_id, shop.south).states == {"in_transit": 10}
    assert shop.refused(rest).code == "already_exists"
    shop.assert_sound()


@pytest.mark.capability("S39")
def test_a_transfer_of_more_than_is_available_moves_nothing(shop: Shop) -> None:
    plenty, scarce = shop.item(north=50), shop.item(north=2)
    wanted = transfer(shop, plenty, 5)
    both = wanted.model_copy(
        update={
            "lines": (
                *wanted.lines,
                StockLine(item_id=scarce, quantity=1),
                StockLine(item_id=scarce, quantity=2),
            )
        }
    )
    assert shop.refused(both).code == "insufficient_stock"
    assert shop.at(plenty).available == 50
    nowhere = wanted.model_copy(update={"to_location_id": shop.north})
    assert shop.refused(nowhere).code == "same_location"
    shop.run(wanted)
    assert shop.refused(wanted).code == "already_exists"
    assert shop.refused(ReceiveTransfer(transfer_id=uuid4())).code == "not_found"


@pytest.mark.capability("S53")
def test_stock_of_a_past_day_is_reproduced_from_the_changes_by_month_and_day(shop: Shop) -> None:
    item_id = shop.item(north=10)
    shop.later(2)
    order = shop.place((item_id, 3))
    shop.later(2)
    shop.ship(order)
    assert shop.at(item_id, as_of=date(2026, 5, 31)).states == {}
    assert shop.at(item_id, as_of=date(2026, 6, 2)).states == {"available": 10}
    assert shop.at(item_id, as_of=date(2026, 6, 3)).states == {"available": 7, "reserved": 3}
    assert shop.at(item_id, as_of=date(2026, 6, 5)).states == {"available": 7}
    shop.later(60)
    shop.stock(item_id, 5)
    shop.later(1)
    shop.place((item_id, 2))
    assert shop.at(item_id, as_of=date(2026, 6, 30)).states == {"available": 7}
    assert shop.at(item_id, as_of=date(2026, 7, 1)).states == {"available": 7}
    today = MONDAY.date() + timedelta(days=65)
    assert shop.at(item_id, as_of=today - timedelta(days=1)).states == {"available": 12}
    assert shop.at(item_id, as_of=today).states == shop.at(item_id).states == {"available": 10, "reserved": 2}


@pytest.mark.capability("S29")
def test_a_reservation_expires_once_and_its_order_waits_on_hold(shop: Shop) -> None:
    item_id = shop.item(north=5)
    order = shop.place((item_id, 4), reserve_until=MONDAY.replace(hour=12))
    kept = shop.place((item_id, 1))
    early = ExpireReservations(occurred_at=MONDAY.replace(hour=11))
    late = ExpireReservations(occurred_at=MONDAY.replace(hour=13))
    assert shop.run(early) == {"expired": 0}
    assert shop.run(late) == {"expired": 1}
    assert shop.run(late) == {"expired": 0}
    assert shop.at(item_id).states == {"available": 4, "reserved": 1}
    assert (shop.status(order), shop.row(order).hold_reason) == ("on_hold", "reservation_expired")
    assert shop.status(kept) == "reserved"
    shop.release(order)
    assert shop.status(order) == "reserved"
    shop.assert_sound()


@pytest.mark.parametrize(
    ("table", "figure"), [(stock_balances, "quantity"), (stock_daily, "change"), (stock_monthly, "change")]
)
def test_the_rebuild_names_a_figure_that_was_tampered_with(
    fresh_shop: Shop, table: Table, figure: str
) -> None:
    shop = fresh_shop
    item_id = shop.item(north=5)
    with gate_writing(shop.gate.engine) as connection:
        connection.execute(update(table).values({figure: 6}).where(table.c.item_id == item_id))
    with reading(shop.gate.engine) as connection:
        found = [(one.projection, one.stored, one.rebuilt) for one in rebuild_differences(connection)]
    assert (table.name, 6, 5) in found
    assert {name for name, *_ in found} <= {table.name, "stock_monthly"}


def test_the_database_itself_refuses_a_balance_below_zero(shop: Shop) -> None:
    item_id = shop.item(north=5)
    with pytest.raises(IntegrityError), gate_writing(shop.gate.engine) as connection:
        connection.execute(
            update(stock_balances).values(quantity=-1).where(stock_balances.c.item_id == item_id)
        )


def move(**changes: object) -> Move:
    item_id, place = uuid4(), uuid4()
    values = {
        "event": "adjustment",
        "source": Bucket(item_id, place),
        "target": Bucket(item_id, place, "damaged"),
        "quantity": 1,
        "document_kind": "test",
        "document_id": uuid4(),
        "occurred_at": MONDAY,
        "audit_id": uuid4(),
    }
    return Move(**values | changes)  # type: ignore[arg-type]


def test_a_move_takes_something_of_one_item_somewhere_else() -> None:
    good = move()
    check_move(good)
    for bad in (
        move(quantity=0),
        move(quantity=-1),
        move(target=good.source),
        move(source=good.source, target=good.source),
    ):
        with pytest.raises(MalformedMove):
            check_move(bad)


@pytest.mark.capability("S215")
def test_every_change_of_stock_leaves_an_event_in_the_order_of_its_document(shop: Shop) -> None:
    item_id = shop.item(north=10)
    sent = transfer(shop, item_id, 6)
    shop.run(sent)
    for _ in range(2):
        shop.run(
            ReceiveTransfer(transfer_id=sent.transfer_id, lines=(StockLine(item_id=item_id, quantity=2),))
        )
    adjustment = shop.write_off(item_id, 1, reason="lost")
    shop.run(
        ReverseStock(
            document_kind="adjustment", document_id=adjustment.adjustment_id, reason_code="data_error"
        )
    )
    told: dict[object, list[tuple[int, str]]] = {}
    with reading(shop.gate.engine) as connection:
        for row in connection.execute(
            select(outbox).where(outbox.c.aggregate_kind.in_(("transfer", "adjustment")))
        ):
            told.setdefault(row.aggregate_id, []).append((row.version, row.kind))
    assert sorted(told[sent.transfer_id]) == [
        (1, "TransferShipped"),
        (2, "TransferReceived"),
        (3, "TransferReceived"),
    ]
    assert sorted(told[adjustment.adjustment_id]) == [(1, "StockAdjusted"), (2, "StockReversed")]
