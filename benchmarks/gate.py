"""What the gate costs an order of three lines that is placed and reserved: one by one, and documents in batches of 334.

One by one, ways take turns at every order: through the gate; its handler alone, in a transaction without rights,
policy, key, audit entry and event; and on PostgreSQL the bare driver, writing into a copy of the database the rows that
the gate's transaction left in all tables, in one transaction. In batches, of such orders and of transfers of three lines, the
bare driver writes the batch's rows likewise, with its own bulk statement and values already converted. The last figures are PostgreSQL's once more where the
application has a role of its own, so that every statement passes the guard's trigger.
"""

from __future__ import annotations

import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import psycopg
from sqlalchemy import Connection, Engine, event

from benchmarks.company import DOCUMENTS, Company, found_company, new_order, new_orders, new_transfers
from benchmarks.databases import copy_of, postgresql, sqlite, with_own_role
from benchmarks.rows import Row, Rows, driver
from erp_core.gate.contract import DomainError, Executed, Submission, Task, Transaction
from erp_core.orders.commands import PlaceOrder
from erp_core.storage.engine import gate_writing, open_engine
from erp_core.storage.ids import new_id
from erp_core.storage.schema import migrate

BATCHES = 10
SINGLES = 400
WARM_UP = 50

Figures = Iterator[tuple[str, str]]


def run() -> list[tuple[str, str]]:
    """Milliseconds, statements and moves per second with their ratios: SQLite, then PostgreSQL where there is one."""
    with tempfile.TemporaryDirectory() as name, sqlite(Path(name)) as engine:
        company = found_company(engine, Path(name))
        figures = [(f"SQLite: {figure}", value) for figure, value in _sqlite_figures(company, Path(name))]
    with tempfile.TemporaryDirectory() as name, postgresql() as server:
        if server is not None:
            company = found_company(server, Path(name))
            figures += [(f"PostgreSQL: {figure}", value) for figure, value in _postgresql_figures(company)]
    return figures


# ---- ways to place an order -------------------------------------------------------------------------------------


def _through_gate(company: Company, order: PlaceOrder) -> None:
    outcome = company.gate.submit(order, company.service, key=str(order.order_id))
    assert isinstance(outcome, Executed), outcome


def _by_handler(company: Company, order: PlaceOrder) -> None:
    registry, clock = company.gate.registry, company.gate.clock
    with gate_writing(company.engine) as connection:
        tx = Transaction(
            connection,
            recorded_at=clock.now(),
            business_now=clock.business_now(),
            new_id=new_id,
            deliver=registry.deliver,
        )
        task = Task(order, company.service, tx.business_now, tx.new_id())
        (done,) = registry.require("PlaceOrder").handler([task], tx)
        assert not isinstance(done, DomainError), done
        tx.flush()


def _timed(way: Callable[[], None]) -> float:
    started = time.perf_counter()
    way()
    return (time.perf_counter() - started) * 1_000


@contextmanager
def _counting(engine: Engine) -> Iterator[list[str]]:
    statements: list[str] = []

    def note(_connection: Connection, _cursor: Any, statement: str, *_rest: Any) -> None:
        statements.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    yield statements
    event.remove(engine, "before_cursor_execute", note)


def _one_by_one(gate: list[float], handler: list[float], company: Company) -> Figures:
    with _counting(company.engine) as statements:
        _through_gate(company, new_order(0))
        through = len(statements)
        _by_handler(company, new_order(0))
        alone = len(statements) - through
    whole, bare = median(gate[WARM_UP:]), median(handler[WARM_UP:])
    yield "an order of 3 lines through the gate, p50 ms", f"{whole:.2f}"
    yield "its handler alone, p50 ms", f"{bare:.2f}"
    yield "what the gate adds, p50 ms", f"{whole - bare:.2f}"
    yield "statements through the gate, of which the gate's", f"{through}, {through - alone}"


@dataclass(frozen=True)
class Document:
    """A kind of document of three lines, each of which makes one move."""

    name: str
    batch: Callable[[], list[Submission]]
    submit: Callable[[Company, list[Submission]], None]


ORDERS = Document("orders", new_orders, Company.place)
TRANSFERS = Document("transfers", new_transfers, Company.transfer)
"""The heaviest document and the plainest: one sells and reserves, the other only moves."""


def _batches(kind: Document, gate: Sequence[float], floor: Sequence[float], rows: float) -> Figures:
    moves = DOCUMENTS * 3 * 1_000
    yield f"batches of {DOCUMENTS} {kind.name} of 3 lines, moves/s", f"{moves / median(gate):,.0f}"
    yield f"{kind.name}: rows written per batch, all tables", f"{rows:,.0f}"
    yield f"{kind.name}: the same rows with the bare driver, moves/s", f"{moves / median(floor):,.0f}"
    yield f"{kind.name}: the gate against that floor", f"{median(floor) / median(gate):.0%}"


# ---- SQLite -----------------------------------------------------------------------------------------------------


def _sqlite_figures(company: Company, folder: Path) -> Figures:
    gate, handler = [], []
    for number in range(SINGLES):
        gate.append(_timed(lambda order=new_order(number): _through_gate(company, order)))
        handler.append(_timed(lambda order=new_order(number): _by_handler(company, order)))
    yield from _one_by_one(gate, handler, company)
    for kind in (ORDERS, TRANSFERS):
        yield from _sqlite_batches(kind, company, folder)


def _sqlite_batches(kind: Document, company: Company, folder: Path) -> Figures:
    known = {table: set(rows) for table, rows in _sqlite_rows(folder / "company.db").items()}
    seconds = [_timed(lambda batch=kind.batch(): kind.submit(company, batch)) for _ in range(BATCHES)]
    added = {
        table: [row for row in rows if row not in known[table]]
        for table, rows in _sqlite_rows(folder / "company.db").items()
    }
    floor = _sqlite_floor(folder / f"{kind.name}.db", {table: rows for table, rows in added.items() if rows})
    yield from _batches(kind, seconds, floor, sum(map(len, added.values())) / BATCHES)


def _sqlite_rows(path: Path) -> dict[str, list[Row]]:
    with sqlite3.connect(path) as connection:
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: connection.execute(f"SELECT * FROM {name}").fetchall() for name in names}


def _sqlite_floor(path: Path, added: Mapping[str, list[Row]]) -> list[float]:
    engine = open_engine(f"sqlite:///{path}")
    migrate(engine)
    engine.dispose()
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA synchronous=FULL")
    for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        connection.execute(f"DROP TRIGGER {name}")

    def write(batch: int) -> None:
        connection.execute("BEGIN IMMEDIATE")
        for table, rows in added.items():
            part = rows[len(rows) * batch // BATCHES : len(rows) * (batch + 1) // BATCHES]
            if part:
                marks = ", ".join("?" * len(part[0]))
                connection.executemany(f"INSERT INTO {table} VALUES ({marks})", part)
        connection.execute("COMMIT")

    seconds = [_timed(lambda batch=batch: write(batch)) for batch in range(BATCHES)]
    connection.close()
    return seconds


# ---- PostgreSQL -------------------------------------------------------------------------------------------------


def _postgresql_figures(company: Company) -> Figures:
    with copy_of(company.engine) as floor_engine, copy_of(company.engine) as handler_engine:
        apart = company.reopened(handler_engine)
        with driver(company.engine) as ours, driver(floor_engine) as floor:
            rows_of = Rows(ours, lambda: _through_gate(company, new_order(0)))
            rows_of.write(floor, rows_of.last())
            gate, handler, bare = [], [], []
            for number in range(SINGLES):
                order, other = new_order(number), new_order(number)
                gate.append(_timed(lambda order=order: _through_gate(company, order)))
                written = rows_of.last()
                bare.append(_timed(lambda written=written: rows_of.write(floor, written)))
                handler.append(_timed(lambda other=other: _by_handler(apart, other)))
            assert rows_of.counts(floor) == rows_of.counts(ours), "the floor wrote other rows than the gate"
            yield from _one_by_one(gate, handler, apart)
            whole, least = median(gate[WARM_UP:]), median(bare[WARM_UP:])
            yield "the same rows with the bare driver, p50 ms", f"{least:.2f}"
            yield "the gate against that floor", f"{whole / least:.1f} times"
            for kind in (ORDERS, TRANSFERS):
                yield from _postgresql_batches(kind, company, ours, floor)
    with with_own_role(company.engine) as application:
        guarded, owner, passed = company.reopened(application), [], []
        for number in range(SINGLES):
            owner.append(_timed(lambda order=new_order(number): _through_gate(company, order)))
            passed.append(_timed(lambda order=new_order(number): _through_gate(guarded, order)))
        added = median(passed[WARM_UP:]) - median(owner[WARM_UP:])
        yield "what a role of its own adds to an order, p50 ms", f"{added:.2f}"


def _postgresql_batches(
    kind: Document, company: Company, ours: psycopg.Connection[Row], floor: psycopg.Connection[Row]
) -> Figures:
    rows_of = Rows(ours, lambda: kind.submit(company, kind.batch()))
    rows_of.copy(floor, rows_of.last_as_streams())
    batches, floors, count = [], [], 0
    for _ in range(BATCHES):
        batch = kind.batch()
        batches.append(_timed(lambda batch=batch: kind.submit(company, batch)))
        streams = rows_of.last_as_streams()
        count += sum(stream.count(b"\n") for stream in streams.values())
        floors.append(_timed(lambda streams=streams: rows_of.copy(floor, streams)))
    assert rows_of.counts(floor) == rows_of.counts(ours), "the floor wrote other rows than the gate"
    yield from _batches(kind, batches, floors, count / BATCHES)
