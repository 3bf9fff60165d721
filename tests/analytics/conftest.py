"""One generated company per database, written once and only read."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import Connection, Engine, create_engine, make_url, text

from erp_core.storage.engine import open_engine, reading
from tests.analytics.company import Company, make_company


@pytest.fixture(scope="session")
def company() -> Company:
    """The rows of the generated company."""
    return make_company(11)


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def filled(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, company: Company
) -> Iterator[Engine]:
    """A database that holds the company; not to be written."""
    if request.param == "sqlite":
        path: Path = tmp_path_factory.mktemp("filled") / "company.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        engine = open_engine(f"sqlite:///{path}")
        company.write(engine)
        yield engine
        engine.dispose()
        return
    server = make_url(request.getfixturevalue("postgres_server"))
    template, name = request.getfixturevalue("postgres_template"), f"qm_test_{uuid4().hex[:12]}"
    admin = create_engine(server, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}"))
    engine = open_engine(server.set(database=name).render_as_string(hide_password=False))
    company.write(engine)
    yield engine
    engine.dispose()
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
    admin.dispose()


@pytest.fixture
def connection(filled: Engine) -> Iterator[Connection]:
    """An open read transaction over the company."""
    with reading(filled) as connection:
        yield connection
