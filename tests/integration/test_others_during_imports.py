"""While one process imports, another one works: an import never holds the books for long."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Callable
from datetime import date
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import Engine, func, select

from erp_core.gate.contract import Executed
from erp_core.gate.principals import Principal
from erp_core.gate.submission import Gate
from erp_core.integration.model import imports
from erp_core.integration.pace import MOST, SECONDS, Pace
from erp_core.integration.staging import StagedChunk
from erp_core.master.commands.items import CreateItem
from erp_core.master.model import items
from erp_core.orders.model import order_lines
from erp_core.storage.engine import reading
from tests.integration.invoices import invoices

IMPORTING = textwrap.dedent(
    """
    import sys
    from datetime import date
    from pathlib import Path
    from uuid import UUID
    from api.composition import make_gate
    from erp_core.clock import Clock
    from erp_core.gate.principals import Principal
    from erp_core.integration.run import run_import
    from erp_core.integration.sources import online_retail
    from erp_core.storage.engine import open_engine

    url, home, user, path = sys.argv[1:]
    online_retail.LINES_PER_CHUNK = 10
    engine = open_engine(url)
    gate = make_gate(engine, Clock(fixed_business_date=date(2026, 6, 30)), home=Path(home))
    admin = Principal("person", UUID(user), "admin", frozenset({"admin"}))
    run_import(gate, engine, admin, "online-retail", path, date(2011, 6, 30))
    """
)


@pytest.mark.capability("S209")
def test_another_process_posts_while_an_import_is_being_posted(
    gate: Gate, engine: Engine, database_url: str, person: Callable[..., Principal], tmp_path: Path
) -> None:
    admin = person(gate, "admin", login="admin")
    path = invoices(tmp_path / "r.csv", 3_000)
    command = [sys.executable, "-c", IMPORTING, database_url, str(tmp_path), str(admin.user_id), str(path)]
    child = subprocess.Popen(command, cwd=Path(__file__).parents[2])
    during = made = 0
    try:
        while child.poll() is None:
            with reading(engine) as connection:
                before = connection.scalar(select(imports.c.status))
            outcome = gate.submit(_item(made), admin, key=f"item-{made}")
            with reading(engine) as connection:
                after = connection.scalar(select(imports.c.status))
            assert isinstance(outcome, Executed)
            made += 1
            during += before == after == "posting"
    finally:
        child.wait(timeout=120)

    assert child.returncode == 0 and during > 0
    with reading(engine) as connection:
        assert connection.scalar(select(imports.c.status)) == "complete"
        assert connection.scalar(select(func.count()).select_from(order_lines)) == 3_000
        ours = select(func.count()).where(items.c.sku.startswith("OWN-"))
        assert connection.scalar(ours) == made


def _item(number: int) -> CreateItem:
    return CreateItem(
        item_id=uuid4(),
        sku=f"OWN-{number}",
        item_name="Made meanwhile",
        category="Home",
        base_unit="piece",
        introduced_on=date(2026, 6, 30),
    )


def test_transactions_grow_while_they_are_quick_and_shrink_at_once_when_they_are_slow() -> None:
    chunks = [StagedChunk(number, "sales", 1, "") for number in range(1, 41)]
    pace, sizes = Pace(), []
    for batch in pace.batches(chunks):
        sizes.append(len(batch))
        slow = 11 <= batch[0].number <= 20
        pace.took(len(batch), len(batch) * (2 * SECONDS if slow else SECONDS / 100))

    assert sizes[:3] == [1, 2, 4] and max(sizes) <= MOST
    assert 1 in sizes[3:] and sum(sizes) == 40


def test_a_transaction_never_mixes_kinds_for_one_may_need_the_other() -> None:
    chunks = [StagedChunk(n, kind, 1, "") for n, kind in enumerate(["items", "sales", "sales", "sums"], 1)]
    pace, batches = Pace(), []
    for batch in pace.batches(chunks):
        batches.append([chunk.number for chunk in batch])
        pace.took(len(batch), 0.0)

    assert batches == [[1], [2], [3], [4]]
