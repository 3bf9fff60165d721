"""The composition root: which contexts the gate knows, and who reacts to whom."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Engine

from erp_core.clock import Clock
from erp_core.exceptions import commands as exceptions
from erp_core.finance import commands as finance
from erp_core.gate.contract import Registry
from erp_core.gate.submission import Gate
from erp_core.integration import commands as integration
from erp_core.inventory import commands as inventory
from erp_core.master import commands as master
from erp_core.orders import commands as orders
from erp_core.planning import commands as planning
from erp_core.planning.queries import reorder_targets
from erp_core.planning.signals import replenishment_due
from erp_core.procurement import commands as procurement
from erp_core.returns import commands as returns
from erp_core.settings import settings
from erp_core.storage.ids import IdSource, new_id


def make_registry(clock: Clock | None = None) -> Registry:
    """All commands and subscribers of all contexts, lowest context first."""
    registry, today = Registry(), (clock or Clock()).today
    exceptions.register(registry)
    master.register(registry, today=today)
    for context in (inventory, finance):
        context.register(registry)
    orders.register(registry, due=replenishment_due)
    procurement.register(registry, targets=reorder_targets, today=today)
    returns.register(registry)
    planning.register(registry, today=today)
    integration.register(registry)
    return registry


def make_gate(engine: Engine, clock: Clock, *, home: Path, ids: IdSource = new_id) -> Gate:
    """A gate over `engine` with every command registered."""
    return Gate(
        engine,
        make_registry(clock),
        clock,
        home=home,
        agent_open_proposals=settings().agent_open_proposals,
        ids=ids,
    )
