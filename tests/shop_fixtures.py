"""Shops for tests: one that the tests of a module share, each with items of its own, and a fresh one."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest
from sqlalchemy import Engine, create_engine, text

from api.composition import make_gate
from erp_core.clock import Clock
from erp_core.gate.principals import Principal
from erp_core.gate.submission import Gate
from erp_core.storage.engine import open_engine
from tests.conftest import TODAY
from tests.shop import Shop


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shared_engine(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Engine]:
    """A migrated database for all tests of a module, SQLite and PostgreSQL in turn."""
    if request.param == "sqlite":
        path = tmp_path_factory.mktemp("shop") / "company.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        engine = open_engine(f"sqlite:///{path}")
        yield engine
        engine.dispose()
        return
    server = request.getfixturevalue("postgres_server")
    template = request.getfixturevalue("postgres_template")
    name = f"qm_shop_{uuid4().hex[:12]}"
    admin = create_engine(server, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY"))
    engine = open_engine(admin.url.set(database=name).render_as_string(hide_password=False))
    yield engine
    engine.dispose()
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
    admin.dispose()


@pytest.fixture(scope="module")
def shared_shop(shared_engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Shop:
    gate = make_gate(shared_engine, Clock(fixed_business_date=TODAY), home=tmp_path_factory.mktemp("home"))
    return _open(gate, gate.bootstrap_user("simulator", roles=("simulator", "warehouse"), kind="service"))


@pytest.fixture
def shop(shared_shop: Shop) -> Shop:
    """A shop that is open; the tests of the module share it, so each makes items of its own."""
    return shared_shop.visit()


@pytest.fixture
def fresh_shop(gate: Gate, simulator: Callable[[Gate], Principal]) -> Shop:
    """A shop of the test's own, without items and without history."""
    return _open(gate, simulator(gate))


def _open(gate: Gate, principal: Principal) -> Shop:
    gate.install_policies()
    shop = Shop(gate, principal)
    shop.open()
    return shop
