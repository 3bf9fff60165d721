"""The ledger by month on PostgreSQL: months are opened and retired, and every figure stays what it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine, text

from api.composition import make_gate
from erp_core.clock import Clock
from erp_core.gate.principals import Principal
from erp_core.gate.submission import Gate
from erp_core.inventory.buckets import bucket_stock
from erp_core.inventory.commands import PostOpeningStock, StockLine
from erp_core.inventory.months import (
    MonthInUse,
    NotPartitioned,
    Retired,
    open_months,
    opened_months,
    retire_months,
)
from erp_core.inventory.queries import rebuild_differences
from erp_core.storage.engine import open_engine, reading, writing
from tests.conftest import TODAY
from tests.shop import Shop

JUNE, JULY, AUGUST = date(2026, 6, 1), date(2026, 7, 1), date(2026, 8, 1)
NOW = datetime(2027, 9, 1, tzinfo=UTC)


@pytest.fixture
def years(postgres_url: str, simulator: Callable[[Gate], Principal], tmp_path: Path) -> Iterator[Shop]:
    """A shop on PostgreSQL."""
    engine = open_engine(postgres_url)
    gate = make_gate(engine, Clock(fixed_business_date=TODAY), home=tmp_path)
    shop = Shop(gate, simulator(gate))
    shop.open()
    yield shop
    engine.dispose()


def two_months(shop: Shop) -> UUID:
    """An item that came in June, and of which a part left in July."""
    item_id = shop.item(north=10)
    order = shop.place((item_id, 4))
    shop.later(35)
    shop.ship(order)
    return item_id


def moves_in(engine: Engine, table: str) -> int:
    with reading(engine) as connection:
        return connection.scalar(text(f"SELECT count(*) FROM {table}")) or 0


def opened(shop: Shop, first: date, last: date) -> list[date]:
    with writing(shop.gate.engine) as connection:
        return open_months(connection, first, last)


def retired(shop: Shop, before: date) -> Retired:
    with writing(shop.gate.engine) as connection:
        return retire_months(connection, before, NOW)


def test_a_month_that_is_opened_takes_its_moves_and_those_to_come(years: Shop) -> None:
    shop, engine = years, years.gate.engine
    item_id = two_months(shop)
    assert moves_in(engine, "ledger.stock_moves_rest") == moves_in(engine, "stock_moves") == 3
    assert opened(shop, JUNE, date(2026, 8, 20)) == [JUNE, JULY, AUGUST]
    assert opened(shop, JUNE, AUGUST) == []
    shop.later(30)
    shop.place((item_id, 1))
    shop.later(400)
    shop.place((item_id, 1))
    tables = ("stock_moves_2026_06", "stock_moves_2026_07", "stock_moves_2026_08", "stock_moves_rest")
    assert [moves_in(engine, f"ledger.{table}") for table in tables] == [2, 1, 1, 1]
    shop.assert_sound()


def test_a_retired_month_leaves_its_sums_and_every_figure_as_it_was(years: Shop) -> None:
    shop = years
    item_id = two_months(shop)
    opened(shop, JUNE, AUGUST)
    days = (None, date(2026, 6, 1), date(2026, 6, 30), date(2026, 7, 31))
    before = [shop.at(item_id, as_of=day) for day in days]
    with reading(shop.gate.engine) as connection:
        buckets = bucket_stock(connection, item_id, as_of=days[-1])
    assert retired(shop, JULY) == Retired((JUNE,), 2)
    with reading(shop.gate.engine) as connection:
        assert bucket_stock(connection, item_id, as_of=days[-1]) == buckets != []
    assert [shop.at(item_id, as_of=day) for day in days] == before
    assert moves_in(shop.gate.engine, "stock_moves") == 1
    assert moves_in(shop.gate.engine, "retired.stock_moves_2026_06") == 2
    shop.place((item_id, 2))
    shop.assert_sound()
    assert retired(shop, AUGUST) == Retired((JULY,), 2)
    assert shop.at(item_id).states == {"available": 4, "reserved": 2}
    shop.assert_sound()


def test_a_sum_that_a_retired_month_carried_cannot_be_changed_unseen(years: Shop) -> None:
    shop = years
    two_months(shop)
    opened(shop, JUNE, AUGUST)
    retired(shop, JULY)
    with writing(shop.gate.engine) as connection:
        connection.execute(text("UPDATE stock_carried SET quantity = 7 WHERE state = 'available'"))
    with reading(shop.gate.engine) as connection:
        found = {(one.projection, one.stored, one.rebuilt) for one in rebuild_differences(connection)}
    assert found == {("stock_balances", 6, 7), ("stock_carried", 7, 6)}


def test_months_that_lie_with_the_rest_are_not_retired(years: Shop) -> None:
    two_months(years)
    with pytest.raises(MonthInUse, match="2026-06-01"):
        retired(years, JULY)
    assert moves_in(years.gate.engine, "stock_moves") == 3
    years.assert_sound()


def test_nothing_is_dated_back_into_a_retired_month(years: Shop) -> None:
    shop = years
    item_id = two_months(shop)
    opened(shop, JUNE, AUGUST)
    retired(shop, JULY)
    later = shop.visit()
    clock = Clock(fixed_business_date=date(2027, 9, 1))
    later.gate = make_gate(shop.gate.engine, clock, home=shop.gate.home)
    opening = PostOpeningStock(
        document_id=uuid4(), location_id=shop.north, lines=(StockLine(item_id=item_id, quantity=5),)
    )
    error = later.refused(opening)
    assert (error.code, error.field) == ("month_retired", "occurred_at")
    assert "2026-07-01" in error.remedy
    later.now = datetime(2026, 7, 1, tzinfo=UTC)
    later.run(opening)
    shop.assert_sound()


def test_months_of_the_last_year_are_not_retired(years: Shop) -> None:
    two_months(years)
    opened(years, JUNE, AUGUST)
    with pytest.raises(MonthInUse, match="366 days"), writing(years.gate.engine) as connection:
        retire_months(connection, JULY, datetime(2027, 6, 30, tzinfo=UTC))
    assert moves_in(years.gate.engine, "stock_moves") == 3


def test_sqlite_keeps_its_moves_in_one_table(sqlite_engine: Engine) -> None:
    with reading(sqlite_engine) as connection, pytest.raises(NotPartitioned, match="PostgreSQL"):
        opened_months(connection)
