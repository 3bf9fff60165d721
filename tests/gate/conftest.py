"""The gate by itself: no context registered."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine

from erp_core.clock import Clock
from erp_core.gate.contract import Registry
from erp_core.gate.submission import Gate


@pytest.fixture
def gate(engine: Engine, clock: Clock, tmp_path: Path) -> Gate:
    return Gate(engine, Registry(), clock, home=tmp_path)
