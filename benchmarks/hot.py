"""One hot item under eight processes, against one conditional UPDATE a sale in the same run; nothing is oversold."""

from __future__ import annotations

import multiprocessing
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import Engine, func, select

from benchmarks.company import Company, found_company, id_of, new_order, new_transfer
from benchmarks.databases import postgresql, sqlite
from erp_core.gate.contract import Executed, Submission
from erp_core.inventory.model import stock_balances
from erp_core.inventory.queries import rebuild_differences
from erp_core.storage.engine import reading

PROCESSES = 8
SECONDS = 5.0
HOT_BATCHES = (20, 100)

Figures = Iterator[tuple[str, str]]


def run() -> list[tuple[str, str]]:
    """Sales per second and their part of the floor: SQLite, then PostgreSQL where there is one."""
    figures: list[tuple[str, str]] = []
    with tempfile.TemporaryDirectory() as name, sqlite(Path(name)) as engine:
        figures += [(f"SQLite: {figure}", value) for figure, value in _figures(engine, Path(name))]
    with tempfile.TemporaryDirectory() as name, postgresql() as server:
        if server is not None:
            figures += [(f"PostgreSQL: {figure}", value) for figure, value in _figures(server, Path(name))]
    return figures


def _figures(engine: Engine, folder: Path) -> Figures:
    company = found_company(engine, folder)
    before = _units(company.engine)
    ways = {
        f"{PROCESSES} processes sell one item, an order each, sales/s": _sell,
        **{
            f"the same in batches of {size} orders, sales/s": partial(_sell_batches, size=size)
            for size in HOT_BATCHES
        },
        f"the same in batches of {HOT_BATCHES[-1]} transfers of it, moves/s": partial(
            _transfer_batches, size=HOT_BATCHES[-1]
        ),
    }
    rates = {name: _rate(company, way) for name, way in ways.items()}
    with reading(company.engine) as connection:
        assert rebuild_differences(connection) == [], "the ledger does not add up"
    assert _units(company.engine) - before == sum(rates.values()), "other units left than were told"
    with _hot_row(company.engine):
        bare = _rate(company, _update)
    for name, rate in rates.items():
        yield name, f"{rate / SECONDS:,.0f}: {rate / bare:.1%}"
    yield "a bare conditional UPDATE each, the whole of these, /s", f"{bare / SECONDS:,.0f}"


def _units(engine: Engine) -> int:
    """Units of the hot item that are reserved or on their way."""
    with reading(engine) as connection:
        return int(
            connection.scalar(
                select(func.sum(stock_balances.c.quantity)).where(
                    stock_balances.c.item_id == id_of("item0"),
                    stock_balances.c.state.in_(("reserved", "in_transit")),
                )
            )
        )


def _rate(company: Company, sell: Callable[[Company, float], int]) -> int:
    """How many sales all processes ended within the time."""
    forking = multiprocessing.get_context("fork")
    company.engine.dispose()
    start, sold = forking.Barrier(PROCESSES + 1), forking.Queue()
    children = [
        forking.Process(target=_child, args=(company, sell, start, sold.put)) for _ in range(PROCESSES)
    ]
    for child in children:
        child.start()
    start.wait()
    total = sum(sold.get() for _ in children)
    for child in children:
        child.join()
    return total


def _child(
    company: Company, sell: Callable[[Company, float], int], start: Barrier, tell: Callable[[int], None]
) -> None:
    company.engine.dispose(close=False)
    start.wait()
    tell(sell(company, time.perf_counter() + SECONDS))


def _sell(company: Company, until: float) -> int:
    sold = 0
    while time.perf_counter() < until:
        one = new_order(0, lines=1)
        outcome = company.gate.submit(one, company.service, key=str(one.order_id))
        assert isinstance(outcome, Executed), outcome
        sold += 1
    return sold


def _sell_batches(company: Company, until: float, size: int) -> int:
    sold = 0
    while time.perf_counter() < until:
        batch = [new_order(0, lines=1) for _ in range(size)]
        company.place([Submission(one, str(one.order_id)) for one in batch])
        sold += size
    return sold


def _transfer_batches(company: Company, until: float, size: int) -> int:
    sent = 0
    while time.perf_counter() < until:
        batch = [new_transfer(0, lines=1) for _ in range(size)]
        company.transfer([Submission(one, str(one.transfer_id)) for one in batch])
        sent += size
    return sent


@contextmanager
def _hot_row(engine: Engine) -> Iterator[None]:
    """A row of stock without anything around it."""
    connection: Any
    if engine.dialect.name == "sqlite":
        connection = sqlite3.connect(f"{engine.url.database}.floor", isolation_level=None)
        connection.execute("PRAGMA journal_mode=WAL")
    else:
        connection = psycopg.connect(_plain(engine), autocommit=True)
    connection.execute("CREATE TABLE hot (id integer PRIMARY KEY, quantity bigint)")
    connection.execute("INSERT INTO hot VALUES (1, 1000000000)")
    yield
    connection.execute("DROP TABLE hot")
    connection.close()


def _plain(engine: Engine) -> str:
    return engine.url.set(drivername="postgresql").render_as_string(hide_password=False)


def _update(company: Company, until: float) -> int:
    connection: Any
    if company.engine.dialect.name == "sqlite":
        connection = sqlite3.connect(f"{company.engine.url.database}.floor", isolation_level=None, timeout=30)
        connection.execute("PRAGMA synchronous=FULL")
    else:
        connection = psycopg.connect(_plain(company.engine), autocommit=True)
    sold = 0
    while time.perf_counter() < until:
        changed = connection.execute("UPDATE hot SET quantity = quantity - 1 WHERE id = 1 AND quantity >= 1")
        assert changed.rowcount == 1
        sold += 1
    connection.close()
    return sold
