"""Engines and transactions for SQLite (WAL, `BEGIN IMMEDIATE`) and PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from sqlalchemy import Connection, Engine, UpdateBase, create_engine, event, make_url
from sqlalchemy.exc import OperationalError

from erp_core.storage.copying import finish_before_use

WAIT_SECONDS = 30
_ASK_AGAIN_SECONDS = 0.002
_WRITE = "quartermaster_write"
_GATE = "quartermaster_gate"

TECHNICAL_TABLES = frozenset(
    {
        "credentials",
        "login_attempts",
        "login_flows",
        "refusals",
        "audit_leaves",
        "audit_checkpoints",
        "imports",
        "import_chunks",
        "import_refusals",
        "calendar",
        "alembic_version",
    }
)


class WriteBesideGate(RuntimeError):
    """Code tried to change a business table in a transaction that the gate did not open."""


_PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    "cache_size=-65536",
    "temp_store=MEMORY",
    "wal_autocheckpoint=16000",
    "mmap_size=1073741824",
    "recursive_triggers=ON",  # so that INSERT OR REPLACE meets the triggers that refuse a DELETE
)
_THROWAWAY = ("journal_mode=MEMORY", "synchronous=OFF", "cache_size=-524288")


def open_engine(
    url: str, *, throwaway: bool = False, gate_secret: Callable[[], str | None] | None = None
) -> Engine:
    """An engine for `url`. On SQLite the folder is made, WAL is on, and writers queue for 30 seconds.

    On PostgreSQL each new connection is unlocked with the `gate_secret` (see `guard`), where there is one.
    `throwaway` is for building a database that is discarded unless the building ends: SQLite then never
    waits for the disk, and a crash of the machine may leave a broken file.
    """
    target = make_url(url)
    if target.get_backend_name() != "sqlite":
        engine = create_engine(
            target,
            pool_size=10,
            max_overflow=20,
            pool_pre_ping=True,
            connect_args={"options": "-c random_page_cost=1.1"},
        )
        finish_before_use(engine)
        return _unlocking(_guarded(engine), gate_secret)
    if target.database and target.database != ":memory:":
        Path(target.database).parent.mkdir(parents=True, exist_ok=True)
    engine = _guarded(
        create_engine(target, connect_args={"timeout": WAIT_SECONDS, "check_same_thread": False})
    )

    @event.listens_for(engine, "connect")
    def _configure(dbapi_connection: Any, _record: Any) -> None:
        dbapi_connection.isolation_level = None
        dbapi_connection.create_function("quartermaster_gate", 0, _in_the_application, deterministic=True)
        for pragma in (*_PRAGMAS, *(_THROWAWAY if throwaway else ())):
            dbapi_connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        if connection.get_execution_options().get(_WRITE, False):
            _begin_writing(connection)
        else:
            connection.exec_driver_sql("BEGIN")

    return engine


def _in_the_application() -> int:
    """What the tables' triggers ask for on SQLite (see `protection`): clients without it cannot write."""
    return 1


def _unlocking(engine: Engine, secret: Callable[[], str | None] | None) -> Engine:
    if secret is not None:

        @event.listens_for(engine, "connect")
        def _unlock(dbapi_connection: Any, _record: Any) -> None:
            known = secret()
            if known is not None:
                with dbapi_connection.cursor() as cursor:
                    cursor.execute("SELECT guard.unlock(%s)", (known,))
                dbapi_connection.commit()

    return engine


def _begin_writing(connection: Connection) -> None:
    """Wait for the writer's turn, asking often: SQLite's own waiting asks ever more seldom, and a process that
    writes in short transactions one after the other would keep everybody else out.
    """
    connection.exec_driver_sql("PRAGMA busy_timeout=0")
    until = monotonic() + WAIT_SECONDS
    try:
        while True:
            try:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
                return
            except OperationalError as error:
                if "locked" not in str(error.orig) or monotonic() > until:
                    raise
            sleep(_ASK_AGAIN_SECONDS)
    finally:
        connection.exec_driver_sql(f"PRAGMA busy_timeout={WAIT_SECONDS * 1_000}")


def require_gate(connection: Connection, table: Any) -> None:
    """Pass when the table is technical or the transaction is the gate's; else raise `WriteBesideGate`."""
    name = getattr(table, "name", None)
    if name not in TECHNICAL_TABLES and not connection.get_execution_options().get(_GATE):
        raise WriteBesideGate(f"{name} changes only through the gate: submit a command")


def _guarded(engine: Engine) -> Engine:
    """The engine, refusing every change of a business table outside the gate's transactions."""

    @event.listens_for(engine, "before_execute")
    def _refuse(connection: Connection, statement: Any, *_rest: Any) -> None:
        if isinstance(statement, UpdateBase):
            require_gate(connection, getattr(statement, "table", None))

    return engine


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One write transaction for technical tables: committed when the block ends, rolled back when it raises."""
    with engine.connect().execution_options(**{_WRITE: True}) as connection, connection.begin():
        yield connection


@contextmanager
def gate_writing(engine: Engine) -> Iterator[Connection]:
    """One write transaction that may change business tables. The gate's own: nothing else opens it."""
    options = {_WRITE: True, _GATE: True}
    with engine.connect().execution_options(**options) as connection, connection.begin():
        yield connection


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """One read transaction over a single snapshot; it never commits anything."""
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            connection = connection.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
        with connection.begin() as transaction:
            try:
                yield connection
            finally:
                transaction.rollback()
