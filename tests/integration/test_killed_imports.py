"""An import whose process is killed: a second run ends it as if nothing had happened."""

from __future__ import annotations

import multiprocessing
import os
import signal
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
FORKING = multiprocessing.get_context("fork")


def _import_and_die(gate: Gate, admin: Principal, path: Path, step: str, after: int) -> None:
    gate.engine.dispose(close=False)  # the connections are the parent's
    seen = 0

    def progress(now: str, done: int, total: int) -> None:
        nonlocal seen
        seen += now == step
        if seen > after:
            os.kill(os.getpid(), signal.SIGKILL)

    run_import(gate, gate.engine, admin, "online-retail", path, AS_OF, progress=progress)


@pytest.mark.capability("S220")
@pytest.mark.parametrize("step", ["staging", "posting"])
def test_an_import_killed_anywhere_continues_and_ends_with_the_same_facts(
    gate: Gate,
    engine: Engine,
    person: Callable[..., Principal],
    tmp_path: Path,
    step: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("erp_core.integration.sources.online_retail.LINES_PER_CHUNK", 60)
    admin = person(gate, "admin", login="admin")
    path = invoices(tmp_path / "r.csv", 600)
    for kill in range(size(5, 50)):
        gate.engine.dispose()
        child = FORKING.Process(target=_import_and_die, args=(gate, admin, path, step, (3 + kill) % 7))
        child.start()
        child.join(120)
        if child.exitcode == 0:
            break
        assert child.exitcode == -signal.SIGKILL
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
