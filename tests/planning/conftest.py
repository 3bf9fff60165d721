"""Automated companies: one where nothing is decided yet, one where automation has earned to act."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from copy import copy
from pathlib import Path

import pytest
from sqlalchemy import Engine

from api.composition import make_gate
from erp_core.clock import Clock
from erp_core.storage.engine import open_engine
from tests.planning.automated import Automated, earn, open_automated
from tests.procurement.conftest import TODAY
from tests.shop_fixtures import fresh_shop, shared_engine, shared_shop, shop

__all__ = ["fresh_shop", "shared_engine", "shared_shop", "shop"]


@pytest.fixture
def automated(engine: Engine, tmp_path: Path) -> Automated:
    """On 1 May, on both databases."""
    return open_automated(engine, tmp_path)


@pytest.fixture
def sqlite_automated(sqlite_engine: Engine, tmp_path: Path) -> Automated:
    """The same on SQLite only."""
    return open_automated(sqlite_engine, tmp_path)


@pytest.fixture
def acting(automated: Automated) -> Automated:
    """On 30 June, with the right to act at MAIN, on both databases."""
    earn(automated)
    return automated


@pytest.fixture(scope="session")
def acting_template(
    sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Automated]:
    home = tmp_path_factory.mktemp("acting")
    path = home / "company.db"
    shutil.copy(sqlite_template, path)
    engine = open_engine(f"sqlite:///{path}")
    built = open_automated(engine, home)
    earn(built)
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()
    return path, built


@pytest.fixture
def sqlite_acting(acting_template: tuple[Path, Automated], tmp_path: Path) -> Iterator[Automated]:
    """The same on SQLite only: a copy of one that was built once."""
    template, built = acting_template
    path = tmp_path / "company.db"
    shutil.copy(template, path)
    engine = open_engine(f"sqlite:///{path}")
    mine = copy(built)
    mine.home, mine.company = tmp_path, copy(built.company)
    mine.company.gate = make_gate(engine, Clock(fixed_business_date=TODAY), home=tmp_path)
    yield mine
    engine.dispose()
