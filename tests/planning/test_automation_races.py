"""Two processes that buy at once keep the caps together; the kill switch lets nothing through after it."""

from __future__ import annotations

import multiprocessing
from collections import Counter
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
from sqlalchemy import select

from erp_core.gate.autonomy.model import automation_uses
from erp_core.planning.commands.autonomy import SetAutomationLimits, StopAutomation
from erp_core.storage.types import money
from tests.planning.automated import LIMITS, Automated
from tests.planning.buying import ORDERS, buy


def start(automated: Automated, url: str, home: Path) -> Connection:
    """The line to a process that is ready to buy."""
    company = automated.company
    company.gate.engine.dispose()
    forking = multiprocessing.get_context("fork")
    line, theirs = forking.Pipe()
    ids = (company.supplier, company.warehouse, company.item)
    forking.Process(target=buy, args=(url, home, *ids, theirs), daemon=True).start()
    theirs.close()
    assert line.poll(60) and line.recv() == "ready"
    return line


def answers(line: Connection, count: int = ORDERS) -> list[str]:
    """What became of the next orders."""
    return [line.recv() for _ in range(count) if line.poll(60)]


@pytest.mark.capability("S208")
def test_two_processes_at_once_do_not_pass_a_cap_together(
    acting: Automated, database_url: str, tmp_path: Path
) -> None:
    limits = LIMITS | {"day_amount": money(1_000), "day_orders": 50}
    acting.governed(SetAutomationLimits(**limits, reason="many small orders"))
    acting.points((5_000, 6_000))
    lines = [start(acting, database_url, tmp_path) for _ in range(2)]
    for line in lines:
        line.send("go")
    assert Counter(one for line in lines for one in answers(line)) == {
        "executed": 5,
        "cap_exceeded": 2 * ORDERS - 5,
    }
    amounts = acting.company.read(
        lambda connection: connection.scalars(select(automation_uses.c.amount)).all()
    )
    assert sum(amounts) == money(1_000)


@pytest.mark.capability("S208")
def test_nothing_is_bought_after_the_switch_was_pulled_while_a_process_buys(
    acting: Automated, database_url: str, tmp_path: Path
) -> None:
    acting.governed(SetAutomationLimits(**LIMITS | {"day_orders": 50}, reason="many small orders"))
    acting.points((5_000, 6_000))
    line = start(acting, database_url, tmp_path)
    line.send("go")
    (first,) = answers(line, 1)
    acting.company.do(StopAutomation(reason="enough"), "buyer")
    bought = acting.company.read(
        lambda connection: connection.scalars(select(automation_uses.c.amount)).all()
    )
    rest = answers(line, ORDERS - 1)
    after = acting.company.read(lambda connection: connection.scalars(select(automation_uses.c.amount)).all())
    assert first == "executed" and len(after) == len(bought)
    assert rest[-1] == "automation_stopped" and rest.count("executed") == len(bought) - 1
