"""Two processes that buy at once keep the caps together; the kill switch lets nothing through after it."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import select

from erp_core.gate.autonomy.model import automation_uses
from erp_core.planning.commands.autonomy import SetAutomationLimits, StopAutomation
from erp_core.storage.types import money
from tests.planning.automated import LIMITS, Automated
from tests.planning.buyer_process import ORDERS

ROOT = Path(__file__).parents[2]


def start(automated: Automated, url: str, home: Path) -> subprocess.Popen[str]:
    company = automated.company
    ids = map(str, (company.supplier, company.warehouse, company.item))
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.planning.buyer_process", url, str(home), *ids],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    return process


@pytest.mark.capability("S208")
def test_two_processes_at_once_do_not_pass_a_cap_together(
    acting: Automated, database_url: str, tmp_path: Path
) -> None:
    limits = LIMITS | {"day_amount": money(1_000), "day_orders": 50}
    acting.governed(SetAutomationLimits(**limits, reason="many small orders"))
    acting.points((5_000, 6_000))
    processes = [start(acting, database_url, tmp_path) for _ in range(2)]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    answers = Counter(line for one in processes for line in one.communicate(timeout=120)[0].split())
    assert answers == {"executed": 5, "cap_exceeded": 2 * ORDERS - 5}
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
    process = start(acting, database_url, tmp_path)
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write("go\n")
    process.stdin.flush()
    first = process.stdout.readline().strip()
    acting.company.do(StopAutomation(reason="enough"), "buyer")
    bought = acting.company.read(
        lambda connection: connection.scalars(select(automation_uses.c.amount)).all()
    )
    rest = process.communicate(timeout=120)[0].split()
    after = acting.company.read(lambda connection: connection.scalars(select(automation_uses.c.amount)).all())
    assert first == "executed" and len(after) == len(bought)
    assert rest[-1] == "automation_stopped" and rest.count("executed") == len(bought) - 1
