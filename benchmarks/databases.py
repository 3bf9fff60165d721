"""Empty companies' databases for a benchmark, on SQLite and on the PostgreSQL that `scripts/test-services` started."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from sqlalchemy import Engine, create_engine, make_url, text

from erp_core.storage.append_only import APPEND_ONLY
from erp_core.storage.engine import open_engine
from erp_core.storage.guard import grant_rights, set_secret
from erp_core.storage.schema import migrate


@contextmanager
def sqlite(folder: Path) -> Iterator[Engine]:
    """A new, migrated SQLite database in this folder."""
    engine = open_engine(f"sqlite:///{folder / 'company.db'}")
    migrate(engine)
    yield engine
    engine.dispose()


@contextmanager
def postgresql() -> Iterator[Engine | None]:
    """A new, migrated PostgreSQL database, taken away afterwards; None where there is no server."""
    server = _server()
    if server is None:
        yield None
        return
    name = f"qm_bench_{uuid4().hex[:12]}"
    _run(server, f"CREATE DATABASE {name}")
    engine = open_engine(_url(server, name))
    try:
        migrate(engine)
        yield engine
    finally:
        engine.dispose()
        _run(server, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@contextmanager
def copy_of(engine: Engine) -> Iterator[Engine]:
    """A copy of a PostgreSQL database as it is now, taken away afterwards; nobody else may be connected to it."""
    server, name = engine.url.render_as_string(hide_password=False), f"qm_bench_{uuid4().hex[:12]}"
    engine.dispose()
    admin = _url(server, "postgres")
    _run(admin, f"CREATE DATABASE {name} TEMPLATE {engine.url.database}")
    copied = open_engine(_url(server, name))
    try:
        yield copied
    finally:
        copied.dispose()
        _run(admin, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@contextmanager
def with_own_role(engine: Engine) -> Iterator[Engine]:
    """The same PostgreSQL database, opened as an application that does not own its tables."""
    role, password, secret = f"qm_bench_{uuid4().hex[:12]}", secrets.token_hex(16), secrets.token_hex(32)
    with engine.begin() as connection:
        connection.execute(text(f"CREATE ROLE {role} LOGIN PASSWORD '{password}'"))
        grant_rights(connection, role, APPEND_ONLY)
        set_secret(connection, secret)
    url = engine.url.set(username=role, password=password).render_as_string(hide_password=False)
    application = open_engine(url, gate_secret=lambda: secret)
    try:
        yield application
    finally:
        application.dispose()
        with engine.begin() as connection:
            connection.execute(text(f"DROP OWNED BY {role}"))
            connection.execute(text(f"DROP ROLE {role}"))


def _url(server: str, name: str) -> str:
    return make_url(server).set(database=name).render_as_string(hide_password=False)


def _run(server: str, statement: str) -> None:
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()


def _server() -> str | None:
    """The durable one where there is one."""
    file = Path(__file__).parent.parent / ".test-services.env"
    lines = file.read_text().splitlines() if file.exists() else []
    known = dict(line.partition("=")[::2] for line in lines) | dict(os.environ)
    for name in ("QUARTERMASTER_BENCH_POSTGRES_URL", "QUARTERMASTER_TEST_POSTGRES_URL"):
        if known.get(name):
            return known[name].strip("'\"")
    return None
