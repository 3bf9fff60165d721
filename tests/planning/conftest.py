"""Automated companies: one where nothing is decided yet, one where automation has earned to act."""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Engine

from api.composition import make_gate
from erp_core.clock import Clock
from erp_core.gate.submission import Gate
from tests.conftest import Founded, Founding
from tests.planning.automated import EARLIER, Automated, earn, open_automated
from tests.procurement.conftest import TODAY
from tests.shop_fixtures import fresh_shop, shared_engine, shared_shop, shop

__all__ = ["fresh_shop", "shared_engine", "shared_shop", "shop"]


def _automated(gate: Gate) -> Automated:
    return open_automated(gate.engine, gate.home)


def _acting(gate: Gate) -> Automated:
    automated = _automated(gate)
    earn(automated)
    return automated


AUTOMATED, ACTING = Founding("automated", _automated), Founding("acting", _acting)


@pytest.fixture
def founding(request: pytest.FixtureRequest) -> Founding | None:
    """The company that the test asks for."""
    asked = {*request.fixturenames}
    if {"acting", "sqlite_acting"} & asked:
        return ACTING
    return AUTOMATED if {"automated", "sqlite_automated"} & asked else None


@pytest.fixture
def automated(engine: Engine, founded: Founded, tmp_path: Path) -> Automated:
    """On 1 May, on both databases."""
    return _visited(engine, founded, AUTOMATED, tmp_path, EARLIER)


@pytest.fixture
def sqlite_automated(sqlite_engine: Engine, founded: Founded, tmp_path: Path) -> Automated:
    """The same on SQLite only."""
    return _visited(sqlite_engine, founded, AUTOMATED, tmp_path, EARLIER)


@pytest.fixture
def acting(engine: Engine, founded: Founded, tmp_path: Path) -> Automated:
    """On 30 June, with the right to act at MAIN, on both databases."""
    return _visited(engine, founded, ACTING, tmp_path, TODAY)


@pytest.fixture
def sqlite_acting(sqlite_engine: Engine, founded: Founded, tmp_path: Path) -> Automated:
    """The same on SQLite only."""
    return _visited(sqlite_engine, founded, ACTING, tmp_path, TODAY)


def _visited(engine: Engine, founded: Founded, founding: Founding, home: Path, day: date) -> Automated:
    _, built = founded(engine.dialect.name, founding)
    mine: Automated = copy(built)
    gate = make_gate(engine, Clock(fixed_business_date=day), home=home)
    mine.home, mine.company = home, replace(built.company, gate=gate, people=dict(built.company.people))
    return mine
