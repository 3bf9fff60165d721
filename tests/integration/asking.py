"""Questions to a company of published data: import, ask, and take figures out of answers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

from api.composition import make_gate
from copilot.agents.agent import Agent
from copilot.agents.answer import Answer
from erp_core.clock import Clock
from erp_core.gate.principals import Principal
from erp_core.integration.run import run_import
from erp_core.storage.engine import open_engine
from erp_core.storage.schema import migrate
from tests.integration.published import Figures

Ask = Callable[[str], Answer]
SMALL = Decimal("0.0001")


def asking(home: Path, source: str, path: Path, today: date) -> tuple[Ask, Callable[[], None]]:
    """Import the file into an empty company and ask a planner's questions there."""
    engine = open_engine(f"sqlite:///{home / 'company.db'}")
    migrate(engine)
    gate = make_gate(engine, Clock(fixed_business_date=today), home=home)
    report = run_import(gate, engine, gate.bootstrap_user("admin", roles=("admin",)), source, path, today)
    assert report.status == "complete"
    planner: Principal = gate.bootstrap_user("planner", roles=("planner", "manager"))
    agent = Agent(gate)
    return lambda question: agent.ask(question, planner), engine.dispose


def figures(answer: Answer, metric: str, by: str | None = None) -> Figures:
    """A figure of the answer's first table, by its dimension; nothing may have been left out of the question."""
    assert (answer.status, answer.partial) == ("answered", None), (answer.text, answer.partial)
    table = answer.tables[0]
    names = [column["name"] for column in table.columns]
    place, key = names.index(metric), names.index(by) if by else None
    return {
        row[key] if key is not None else None: Decimal(str(row[place]))
        for row in table.rows
        if row[place] is not None
    }


def same(found: Figures, expected: Figures) -> bool:
    return found.keys() == expected.keys() and all(abs(found[key] - expected[key]) <= SMALL for key in found)


def leads(found: Figures, expected: Figures, most: int, *, lowest: bool = False) -> bool:
    """The first rows of a ranking: each is right, and none is missing; ties may stand either way."""
    order = sorted(expected.values(), reverse=not lowest)[:most]
    right = all(abs(value - expected[key]) <= SMALL for key, value in found.items())
    listed = sorted(found.values(), reverse=not lowest)
    return (
        right
        and len(listed) == len(order)
        and all(abs(a - b) <= SMALL for a, b in zip(listed, order, strict=True))
    )


def ratio(top: Figures, bottom: Figures) -> Figures:
    return {key: top.get(key, Decimal(0)) / bottom[key] for key in bottom if bottom[key]}
