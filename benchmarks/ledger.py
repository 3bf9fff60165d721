"""What the ledger does at speed: floors of a batch, reads at ten thousand and five million moves.

The floor of a batch writes its moves and balances alone, with the bare driver: no rights, policy, key, audit entry, event,
order, reservation or daily change. It runs beside the gate in the same run. The ledger of five million moves is made by
the database itself: 1,000 items at 5 places over 1,000 days.
"""

from __future__ import annotations

import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from statistics import median
from typing import Any
from uuid import UUID, uuid4, uuid5

import psycopg
from sqlalchemy import Connection, Engine, Table, func, select, text

from benchmarks.company import (
    DOCUMENTS,
    Company,
    found_company,
    id_of,
    new_orders,
    new_transfers,
)
from benchmarks.databases import postgresql, sqlite
from erp_core.gate.contract import Submission
from erp_core.inventory.commands import TransferStock
from erp_core.inventory.model import stock_daily, stock_moves
from erp_core.inventory.queries import available_units, positions
from erp_core.master.model import items, locations
from erp_core.orders.commands import PlaceOrder
from erp_core.storage.bulk import insert_missing
from erp_core.storage.engine import gate_writing, reading

BATCHES = 8
ITEMS = 1_000
PLACES = 5
BEGINS = date(2023, 10, 1)
READS = 15
HUB = id_of("hub")

Figures = Iterator[tuple[str, str]]


def run() -> list[tuple[str, str]]:
    """Moves and sales per second against their floors, milliseconds of reads: SQLite, then PostgreSQL where there is one."""
    figures: list[tuple[str, str]] = []
    with tempfile.TemporaryDirectory() as name, sqlite(Path(name)) as engine:
        figures += [(f"SQLite: {figure}", value) for figure, value in _figures(engine, Path(name))]
    with tempfile.TemporaryDirectory() as name, postgresql() as server:
        if server is not None:
            figures += [(f"PostgreSQL: {figure}", value) for figure, value in _figures(server, Path(name))]
    return figures


def _figures(engine: Engine, folder: Path) -> Figures:
    company = found_company(engine, folder)
    yield from _batch_figures(company)
    yield from _read_figures(engine)


def _timed(way: Callable[[], Any]) -> float:
    started = time.perf_counter()
    way()
    return time.perf_counter() - started


# ---- a batch ----------------------------------------------------------------------------------------------------


def _batch_figures(company: Company) -> Figures:
    """Orders, the heaviest documents of 3 lines, and transfers, the plainest: each line makes one move."""
    yield from _batches("orders", company, new_orders, company.place)
    yield from _batches("transfers", company, new_transfers, company.transfer)


def _batches(
    name: str,
    company: Company,
    make: Callable[[], list[Submission]],
    submit: Callable[[list[Submission]], None],
) -> Figures:
    moves = DOCUMENTS * 3
    floor = _sqlite_floor if company.engine.dialect.name == "sqlite" else _postgresql_floor
    through, bare = [], []
    with floor(company.engine) as write:
        for _ in range(BATCHES):
            batch = make()
            through.append(_timed(lambda batch=batch: submit(batch)))
            bare.append(_timed(lambda batch=batch: write(_last_moves(batch))))
    yield f"batches of {DOCUMENTS} {name} of 3 lines, moves/s", f"{moves / median(through):,.0f}"
    yield f"{name}: moves and balances alone with the bare driver, moves/s", f"{moves / median(bare):,.0f}"
    yield f"{name}: the gate against that floor", f"{median(bare) / median(through):.1%}"


Move = tuple[UUID, UUID]


def _last_moves(batch: list[Submission]) -> list[Move]:
    """An id and an item for each unit that the batch reserves or transfers."""
    documents = [one.command for one in batch if isinstance(one.command, PlaceOrder | TransferStock)]
    return [(uuid4(), line.item_id) for document in documents for line in document.lines]


_MOVE_COLUMNS = (
    "occurred_on, id, event, item_id, lot_id, owner, from_location_id, from_state, to_location_id, to_state, quantity,"
    " document_kind, document_id, occurred_at, recorded_at, audit_id"
)
_UPSERT = """
INSERT INTO floor_balances (item_id, location_id, state, lot_id, owner, quantity) {rows}
ON CONFLICT (item_id, location_id, state, lot_id, owner) DO UPDATE SET quantity = floor_balances.quantity + excluded.quantity
"""


@contextmanager
def _postgresql_floor(engine: Engine) -> Iterator[Callable[[list[Move]], None]]:
    url = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE floor_moves (LIKE stock_moves INCLUDING ALL)")
        connection.execute("CREATE TABLE floor_balances (LIKE stock_balances INCLUDING ALL)")
        insert = (
            f"INSERT INTO floor_moves ({_MOVE_COLUMNS}) SELECT '2026-06-30', id, 'reservation', item_id, %(none)s, 'own',"
            " %(hub)s, 'available', %(hub)s, 'reserved', 1, 'order', %(hub)s, now(), now(), %(hub)s"
            " FROM unnest(%(ids)s::uuid[], %(items)s::uuid[]) AS moved(id, item_id)"
        )
        upsert = _UPSERT.format(
            rows="SELECT item_id, %(hub)s, state, %(none)s, 'own', units FROM"
            " unnest(%(items)s::uuid[], %(states)s::text[], %(units)s::bigint[]) AS summed(item_id, state, units)"
        )

        def write(moves: list[Move]) -> None:
            common = {"hub": HUB, "none": UUID(int=0)}
            ids, items = zip(*moves, strict=True)
            keys, units = _summed(moves)
            with connection.transaction():
                connection.execute(insert, common | {"ids": list(ids), "items": list(items)})
                connection.execute(
                    upsert,
                    common
                    | {
                        "items": [item for item, _ in keys],
                        "states": [state for _, state in keys],
                        "units": units,
                    },
                )

        yield write
        connection.execute("DROP TABLE floor_moves, floor_balances")


@contextmanager
def _sqlite_floor(engine: Engine) -> Iterator[Callable[[list[Move]], None]]:
    with tempfile.TemporaryDirectory() as folder:
        connection = sqlite3.connect(Path(folder) / "floor.db", isolation_level=None)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        with engine.connect() as source:
            declared = source.execute(
                text(
                    "SELECT sql FROM sqlite_master WHERE tbl_name IN ('stock_moves', 'stock_balances') AND sql <> ''"
                ).execution_options(autocommit=True)
            )
            for (statement,) in declared:
                if "TRIGGER" not in statement:
                    connection.execute(statement)
        insert = f"INSERT INTO stock_moves ({_MOVE_COLUMNS}) VALUES ({', '.join('?' * 16)})"
        upsert = _UPSERT.format(rows="VALUES (?, ?, ?, ?, 'own', ?)").replace(
            "floor_balances", "stock_balances"
        )
        none, hub, moment = UUID(int=0).hex, HUB.hex, "2026-06-30 12:00:00.000000"

        def write(moves: list[Move]) -> None:
            keys, units = _summed(moves)
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(
                insert,
                [
                    (
                        "2026-06-30",
                        id_.hex,
                        "reservation",
                        item.hex,
                        none,
                        "own",
                        hub,
                        "available",
                        hub,
                        "reserved",
                        1,
                        "order",
                        hub,
                        moment,
                        moment,
                        hub,
                    )
                    for id_, item in moves
                ],
            )
            connection.executemany(
                upsert,
                [(item.hex, hub, state, none, some) for (item, state), some in zip(keys, units, strict=True)],
            )
            connection.execute("COMMIT")

        yield write
        connection.close()


def _summed(moves: list[Move]) -> tuple[list[tuple[UUID, str]], list[int]]:
    sums: dict[tuple[UUID, str], int] = {}
    for _, item in moves:
        for state in ("available", "reserved"):
            sums[item, state] = sums.get((item, state), 0) + 1
    return list(sums), list(sums.values())


# ---- reads at two sizes -----------------------------------------------------------------------------------------


def _read_figures(engine: Engine) -> Figures:
    for days in (2, 1_000):
        moves, grown, place = _grow(engine, days)
        past = BEGINS + timedelta(days=days // 2)

        def available(connection: Connection, wanted: list[UUID] = grown) -> object:
            return available_units(connection, wanted)

        def now(connection: Connection, wanted: list[UUID] = grown, place: UUID = place) -> object:
            return positions(connection, item_ids=wanted, location_id=place)

        def then(connection: Connection, wanted: list[UUID] = grown, past: date = past) -> object:
            return positions(connection, item_ids=wanted, as_of=past)

        at = f"at {moves:,} moves"
        yield f"availability of {ITEMS:,} items at {PLACES} places {at}, ms", _read(engine, available)
        yield f"position of {ITEMS:,} items at a place {at}, ms", _read(engine, now)
        yield (
            f"position of {ITEMS:,} items at {PLACES} places half the time ago {at}, ms",
            _read(engine, then),
        )


def _read(engine: Engine, read: Callable[[Connection], object]) -> str:
    times = []
    with reading(engine) as connection:
        for _ in range(READS):
            times.append(_timed(lambda: read(connection)))
    return f"{median(times) * 1_000:.1f}"


def _grow(engine: Engine, days: int) -> tuple[int, list[UUID], UUID]:
    """Let the database hold so many days of receipts, one a day for each item and place.

    Gives the number of moves, the items and one of the places.
    """
    items_there = [uuid5(HUB, f"item {number}") for number in range(ITEMS)]
    places_there = [uuid5(HUB, f"place {number}") for number in range(PLACES)]
    with gate_writing(engine) as connection:
        _multiply(connection, items, id_of("item0"), items_there, ("sku", "sku_key"))
        _multiply(connection, locations, HUB, places_there, ("code",))
        there = select(func.count(stock_daily.c.day.distinct())).where(
            stock_daily.c.item_id == items_there[0]
        )
        grown = connection.scalar(there) or 0
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        first, last = BEGINS + timedelta(days=grown), BEGINS + timedelta(days=days - 1)
        for statement in _receipts(engine.dialect.name):
            connection.execute(text(statement), {"first": first, "last": last, "days": days - grown})
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE")
    with reading(engine) as connection:
        return (
            connection.scalar(select(func.count()).select_from(stock_moves)) or 0,
            items_there,
            places_there[0],
        )


def _multiply(
    connection: Connection, table: Table, model: UUID, ids: list[UUID], names: tuple[str, ...]
) -> None:
    """Copies of a record under other ids and codes, where they are not there yet."""
    row = connection.execute(select(table).where(table.c.id == model)).one()._mapping
    insert_missing(
        connection, table, [{**row, "id": id_} | dict.fromkeys(names, id_.hex[:24]) for id_ in ids]
    )


def _receipts(dialect: str) -> list[str]:
    new_id = "gen_random_uuid()" if dialect == "postgresql" else "lower(hex(randomblob(16)))"
    none = f"'{UUID(int=0) if dialect == 'postgresql' else UUID(int=0).hex}'"
    grown = "items AS i CROSS JOIN locations AS l WHERE length(i.sku) = 24 AND length(l.code) = 24"
    daily = f"calendar AS c CROSS JOIN {grown} AND c.day BETWEEN :first AND :last"
    month = "date_trunc('month', c.day)::date" if dialect == "postgresql" else "date(c.day, 'start of month')"
    moment = "c.day" if dialect == "postgresql" else "c.day || ' 12:00:00.000000'"
    return [
        f"INSERT INTO stock_moves ({_MOVE_COLUMNS}) SELECT c.day, {new_id}, 'receipt', i.id, {none}, 'own', l.id, 'virtual',"
        f" l.id, 'available', 1, 'grown', i.id, {moment}, {moment}, i.id FROM {daily}",
        f"INSERT INTO stock_daily (item_id, location_id, state, day, change) SELECT i.id, l.id, 'available', c.day, 1 FROM {daily}",
        "INSERT INTO stock_monthly (item_id, location_id, state, month, change)"
        f" SELECT i.id, l.id, 'available', {month}, count(*) FROM {daily} GROUP BY 1, 2, 3, 4"
        " ON CONFLICT (item_id, location_id, state, month) DO UPDATE SET change = stock_monthly.change + excluded.change",
        "INSERT INTO stock_balances (item_id, location_id, state, lot_id, owner, quantity)"
        f" SELECT i.id, l.id, 'available', {none}, 'own', :days FROM {grown}"
        " ON CONFLICT (item_id, location_id, state, lot_id, owner) DO UPDATE SET quantity = stock_balances.quantity + excluded.quantity",
    ]
