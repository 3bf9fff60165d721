"""The gate by itself: no context registered."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine

from erp_core.clock import Clock
from erp_core.gate.contract import Registry
from erp_core.gate.submission import Gate
from tests.gate.office import Office, let_everybody_spend, open_office


@pytest.fixture
def gate(engine: Engine, clock: Clock, tmp_path: Path) -> Gate:
    return Gate(engine, Registry(), clock, home=tmp_path)


@pytest.fixture
def office(engine: Engine, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Office:
    """A gate with a made-up context: everybody in the office may ask to spend money."""
    let_everybody_spend(monkeypatch)
    return Office(open_office(engine, clock, tmp_path))
