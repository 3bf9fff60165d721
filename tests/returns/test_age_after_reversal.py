"""A receipt of a return that was taken back makes nothing younger that waits beside it."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from erp_core.inventory.ageing import aged_stock
from erp_core.inventory.model import stock_moves
from erp_core.returns.commands import ReceiveReturn, ReverseReturnReceipt
from tests.conftest import TODAY

Shop = Any


@pytest.mark.capability("S52", "S120")
def test_goods_that_wait_stay_as_old_when_a_receipt_that_came_later_is_taken_back(shop: Shop) -> None:
    old, wrong = came_back(shop, 20, 3), came_back(shop, 5, 4)
    (both,) = waiting(shop)
    assert (both.units, both.oldest_days, both.trapped) == (7, 20, 3)
    shop.do(ReverseReturnReceipt(return_id=wrong.return_id, reason_code="counted_wrongly"))
    (left,) = waiting(shop)
    assert (left.units, left.by_age, left.oldest_days, left.trapped) == (3, {"0-30": 3}, 20, 3)
    received(shop, wrong, 1)
    shop.do(ReverseReturnReceipt(return_id=wrong.return_id, reason_code="counted_wrongly"))
    assert waiting(shop) == [left], "received again and taken back again"
    shop.do(ReverseReturnReceipt(return_id=old.return_id, reason_code="counted_wrongly"))
    assert waiting(shop) == []


@pytest.mark.capability("S52", "S120")
def test_each_line_that_leaves_again_names_the_move_that_brought_it(shop: Shop) -> None:
    wanted = came_back(shop, 5, 2, 1, 2)
    shop.do(ReverseReturnReceipt(return_id=wanted.return_id, reason_code="counted_wrongly"))
    table = stock_moves.c
    moves = shop.read(
        lambda c: c.execute(select(stock_moves).where(table.document_id == wanted.return_id)).all()
    )
    came = {move.id: (move.item_id, move.quantity) for move in moves if move.event == "return"}
    left = {move.reverses_id: (move.item_id, move.quantity) for move in moves if move.event == "reversal"}
    assert left == came and len(came) == 3


def came_back(shop: Shop, days: int, *units: int) -> Any:
    """A return that was sold long before and received so many days ago."""
    shop.people["past"] = shop.people.get("past") or shop.gate.bootstrap_user(
        "then", roles=("returns", "simulator"), kind="service"
    )
    sale = shop.sell(*units, occurred_at=days_ago(days + 5))
    wanted = shop.authorise(sale, *units).model_copy(update={"occurred_at": days_ago(days)})
    shop.do(wanted, "past")
    received(shop, wanted, days)
    return wanted


def received(shop: Shop, wanted: Any, days: int) -> None:
    shop.do(ReceiveReturn(return_id=wanted.return_id, occurred_at=days_ago(days)), "past")


def waiting(shop: Shop) -> list[Any]:
    found = shop.read(lambda c: aged_stock(c, TODAY, item_id=shop.items[0]))
    return [one for one in found if one.state == "return_pending"]


def days_ago(days: int) -> datetime:
    return datetime.combine(TODAY - timedelta(days=days), time(12), UTC)
