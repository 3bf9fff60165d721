"""Lock-out and the log of refusals: seen by every process, bounded, and told to who is locked out."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import Engine, func, select

from erp_core.gate import lockout, refusals
from erp_core.gate.lockout import LIMITS, Limit, attempt
from erp_core.gate.model import login_attempts
from erp_core.gate.model import refusals as table
from erp_core.storage.engine import open_engine, reading, writing

pytestmark = pytest.mark.capability("S204")
NOW = datetime(2026, 6, 30, 12, tzinfo=UTC)


def tried(engine: Engine, login: str, now: datetime = NOW) -> datetime | None:
    with writing(engine) as connection:
        return attempt(connection, "login", login, now)


def test_ten_failures_close_a_login_and_each_further_one_for_twice_as_long(engine: Engine) -> None:
    assert [tried(engine, "ann") for _ in range(LIMITS["login"].failures)] == [None] * 10
    assert tried(engine, "ann") == NOW + timedelta(minutes=1)
    assert tried(engine, "bob") is None
    later = NOW + timedelta(minutes=1)
    assert tried(engine, "ann", later) is None
    assert tried(engine, "ann", later) == later + timedelta(minutes=2)


def test_a_lock_is_seen_by_another_process_and_ends(engine: Engine, database_url: str) -> None:
    for _ in range(10):
        tried(engine, "ann")
    other = open_engine(database_url)
    assert tried(other, "ann") is not None
    assert tried(other, "ann", NOW + timedelta(minutes=16)) is None
    assert tried(other, "ann", NOW + timedelta(minutes=16)) is None
    other.dispose()


def test_guesses_sent_at_once_count_one_by_one(engine: Engine) -> None:
    with ThreadPoolExecutor(6) as pool:
        outcomes = list(pool.map(lambda _: tried(engine, "ann"), range(24)))
    assert sum(one is None for one in outcomes) == 10


def test_a_success_forgets_the_login_and_an_administrator_can(engine: Engine) -> None:
    for _ in range(10):
        tried(engine, "ann")
    with writing(engine) as connection:
        assert lockout.forget(connection, "ann")
    assert tried(engine, "ann") is None
    with writing(engine) as connection:
        lockout.succeeded(connection, "ann", "192.0.2.1")
    with reading(engine) as connection:
        assert connection.scalar(select(func.count()).select_from(login_attempts)) == 0


def test_an_address_has_room_for_many_people_but_not_for_guessing_logins(engine: Engine) -> None:
    def from_office() -> datetime | None:
        with writing(engine) as connection:
            return attempt(connection, "address", "192.0.2.1", NOW)

    assert [from_office() for _ in range(50)] == [None] * 50
    assert from_office() is not None


def test_a_lock_never_lasts_longer_than_its_bound() -> None:
    limit = Limit(3)
    assert [limit.lock_after(n) for n in (2, 3, 4)] == [None, timedelta(minutes=1), timedelta(minutes=2)]
    assert limit.lock_after(10_000) == limit.longest


def test_a_flood_of_refusals_is_one_row_a_window(engine: Engine) -> None:
    someone = uuid4()
    with writing(engine) as connection:
        for _ in range(20):
            refusals.count(connection, "unauthenticated", "GET /items", NOW)
        total = refusals.count(connection, "denied", "GET /audit", NOW, principal_id=someone, times=500)
        refusals.count(connection, "unauthenticated", "GET /items", NOW + timedelta(minutes=5))
    with reading(engine) as connection:
        assert connection.scalar(select(func.count()).select_from(table)) == 3
        newest, *_ = refusals.list_refusals(connection)
    assert total == 500
    assert (newest.times, newest.window_start) == (1, NOW + timedelta(minutes=5))
