"""An import whose process is killed: a second run ends it as if nothing had happened."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select

from erp_core.gate.principals import Principal
from erp_core.gate.submission import Gate
from erp_core.integration.export import export_canonical
from erp_core.integration.model import import_chunks, imports
from erp_core.integration.run import run_import
from erp_core.master.queries import visible
from erp_core.orders.model import order_lines, orders
from erp_core.storage.engine import reading
from tests.conftest import size
from tests.integration.invoices import invoices

AS_OF = date(2011, 6, 30)
CHILD = textwrap.dedent(
    """
    import os, signal, sys
    from datetime import date
    from pathlib import Path
    from uuid import UUID
    from api.composition import make_gate
    from erp_core.clock import Clock
    from erp_core.gate.principals import Principal
    from erp_core.integration.run import run_import
    from erp_core.integration.sources import online_retail
    from erp_core.storage.engine import open_engine

    url, home, user, path, step, after = sys.argv[1:]
    online_retail.LINES_PER_CHUNK = 60
    seen = 0

    def progress(now, done, total):
        global seen
        seen += now == step
        if seen > int(after):
            os.kill(os.getpid(), signal.SIGKILL)

    engine = open_engine(url)
    gate = make_gate(engine, Clock(fixed_business_date=date(2026, 6, 30)), home=Path(home))
    admin = Principal("person", UUID(user), "admin", frozenset({"admin"}))
    run_import(gate, engine, admin, "online-retail", path, date(2011, 6, 30), progress=progress)
    """
)


@pytest.mark.capability("S220")
@pytest.mark.parametrize("step", ["staging", "posting"])
def test_an_import_killed_anywhere_continues_and_ends_with_the_same_facts(
    gate: Gate,
    engine: Engine,
    database_url: str,
    person: Callable[..., Principal],
    tmp_path: Path,
    step: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("erp_core.integration.sources.online_retail.LINES_PER_CHUNK", 60)
    admin = person(gate, "admin", login="admin")
    path = invoices(tmp_path / "r.csv", 600)
    command = [sys.executable, "-c", CHILD, database_url, str(tmp_path), str(admin.user_id), str(path), step]
    for kill in range(size(1, 50)):
        child = subprocess.run(
            [*command, str((3 + kill) % 7)], cwd=Path(__file__).parents[2], check=False, env=os.environ
        )
        if child.returncode == 0:
            break
        assert child.returncode == -signal.SIGKILL
        with reading(engine) as connection:
            assert connection.scalar(select(imports.c.status)) in ("staging", "posting")
            assert connection.scalar(select(func.count()).where(visible(orders.c.import_id))) == 0

    report = run_import(gate, engine, admin, "online-retail", path, AS_OF)

    assert report.status == "complete"
    assert report.rows_read == report.rows_accepted + report.rows_set_aside + report.rows_refused
    with reading(engine) as connection:
        assert connection.scalar(select(func.count()).select_from(imports)) == 1
        assert connection.scalar(select(func.count()).where(import_chunks.c.audit_id.is_(None))) == 0
        assert connection.scalar(select(func.count()).select_from(order_lines)) == 600
    assert export_canonical(engine) == _undisturbed(path, tmp_path)


def _undisturbed(path: Path, tmp_path: Path) -> str:
    """The facts of an import that nobody killed, in a database of its own."""
    from api.composition import make_gate
    from erp_core.clock import Clock
    from erp_core.storage.engine import open_engine
    from erp_core.storage.schema import migrate

    engine = open_engine(f"sqlite:///{tmp_path / 'undisturbed.db'}")
    migrate(engine)
    gate = make_gate(engine, Clock(fixed_business_date=date(2026, 6, 30)), home=tmp_path)
    admin = gate.bootstrap_user("admin", roles=("admin",))
    run_import(gate, engine, admin, "online-retail", path, AS_OF)
    facts = export_canonical(engine)
    engine.dispose()
    return facts
