"""The composition root: which contexts the gate knows, and who reacts to whom."""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path

from sqlalchemy import Engine

from erp_core.clock import Clock
from erp_core.gate.contract import Registry
from erp_core.gate.submission import Gate
from erp_core.settings import settings
from erp_core.storage.ids import IdSource, new_id

CONTEXTS = (
    "exceptions",
    "master",
    "inventory",
    "finance",
    "orders",
    "procurement",
    "returns",
    "planning",
    "integration",
)


def make_registry() -> Registry:
    """All commands and subscribers of all contexts, lowest context first."""
    registry = Registry()
    for context in CONTEXTS:
        if importlib.util.find_spec(f"erp_core.{context}.commands"):
            module = importlib.import_module(f"erp_core.{context}.commands")
            getattr(module, "register", lambda registry: None)(registry)
    return registry


def make_gate(engine: Engine, clock: Clock, *, home: Path, ids: IdSource = new_id) -> Gate:
    """A gate over `engine` with every command registered."""
    return Gate(
        engine, make_registry(), clock, home=home, agent_open_proposals=settings().agent_open_proposals, ids=ids
    )
