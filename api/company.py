"""An opened company: its database, clocks, gate, sealer and agent, shared by every way in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Engine

from api.composition import make_gate
from api.database import open_database
from erp_core.clock import Clock
from erp_core.gate.audit import Sealer
from erp_core.gate.queries import company_facts
from erp_core.gate.submission import Gate
from erp_core.settings import Settings
from erp_core.storage.engine import reading
from erp_core.storage.schema import is_migrated

if TYPE_CHECKING:
    from api.oidc import Provider
    from copilot.agents.agent import Agent
    from copilot.tools.tool import KnowledgeSearch


@dataclass(frozen=True)
class Company:
    """What a request, a job or the demo works with. Thread-safe; close it when done."""

    settings: Settings
    engine: Engine
    clock: Clock
    gate: Gate
    sealer: Sealer

    @property
    def home(self) -> Path:
        """The folder of everything that is not in the database."""
        return self.settings.home

    @cached_property
    def agent(self) -> Agent:
        """The agent, built at its first question."""
        from copilot.agents import make_agent

        return make_agent(self.gate, self.settings, self.knowledge)

    @cached_property
    def knowledge(self) -> KnowledgeSearch:
        """The knowledge base, shared by the agent and MCP clients."""
        from copilot.agents import make_knowledge

        return make_knowledge(self.settings)

    @cached_property
    def provider(self) -> Provider | None:
        """The identity provider, where one is configured."""
        if self.settings.oidc_issuer is None:
            return None
        from api.oidc import Provider

        return Provider(self.settings)

    def close(self) -> None:
        """Give the database connections back."""
        self.engine.dispose()


def open_company(settings: Settings, *, throwaway: bool = False) -> Company:
    """Open the company that `settings` names. Creates no table: `erp_core.storage.schema.migrate` does.

    The business date is the setting's, else the company's own fixed date, else it follows the wall.
    `throwaway` builds a company that is discarded unless the building ends (`open_engine`).
    """
    settings.home.mkdir(parents=True, exist_ok=True)
    engine = open_database(settings, throwaway=throwaway)
    clock = Clock(fixed_business_date=settings.business_date or _own_date(engine))
    gate = make_gate(engine, clock, home=settings.home)
    return Company(settings, engine, clock, gate, Sealer(engine, settings.home))


def _own_date(engine: Engine) -> date | None:
    if not is_migrated(engine):
        return None
    with reading(engine) as connection:
        fixed = company_facts(connection).get("business_date")
    return date.fromisoformat(fixed) if fixed else None
