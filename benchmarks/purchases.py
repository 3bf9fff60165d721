"""A purchase order of twenty lines from creation to receipt, one after the other, beside the same in Tryton 8.0 in the same run.

Both work on the same PostgreSQL server, each in a database of its own, one process and one person at a time. Ours makes the
order, submits it to approval policy, sends it and receives it whole: four commands, each with rights, policy, audit entry, events, moves,
balances and cost. Tryton's is `_tryton.py`, in an environment of its own: `QUARTERMASTER_TRYTON_PYTHON` names its
interpreter; otherwise it is made in the user's cache from the package registry.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from statistics import median
from uuid import uuid4

from sqlalchemy import Engine, create_engine, make_url, text

from benchmarks.company import found_company, id_of
from benchmarks.databases import postgresql, sqlite
from erp_core.gate.contract import Command, Executed, Proposed
from erp_core.gate.decisions import ApproveProposal
from erp_core.gate.principals import Principal
from erp_core.gate.submission import Gate
from erp_core.master.commands import (
    ActivateSupplier,
    AddSupplierDocument,
    CreateSupplier,
    SetSupplierItem,
    SubmitSupplier,
)
from erp_core.procurement.commands import (
    CreatePurchaseOrder,
    ReceiveGoods,
    SendPurchaseOrder,
    SubmitPurchaseOrder,
)

LINES = 20
TIMES, TRYTON_TIMES, WARM_UP = 40, 15, 5
PRICE = 100
PACKAGES = ("trytond>=8.0,<8.1", "trytond-purchase>=8.0,<8.1", "psycopg[binary,pool]")

Figures = list[tuple[str, str]]


def run() -> Figures:
    """Milliseconds of a purchase order here and there, and how many times faster."""
    figures: Figures = []
    with tempfile.TemporaryDirectory() as name, sqlite(Path(name)) as engine:
        figures += _told("Quartermaster, SQLite", _ours(engine, Path(name), TIMES))
    with tempfile.TemporaryDirectory() as name, postgresql() as server:
        if server is None:
            return [*figures, ("Tryton 8.0", "not measured: no PostgreSQL")]
        before = _ours(server, Path(name), TIMES)
        theirs = _theirs(server)
        if isinstance(theirs, str):
            return [*figures, *_told("Quartermaster, PostgreSQL", before), ("Tryton 8.0", theirs)]
        with tempfile.TemporaryDirectory() as again, postgresql() as second:
            assert second is not None
            ours = before + _ours(second, Path(again), TIMES)
    figures += [*_told("Quartermaster, PostgreSQL", ours), *_told("Tryton 8.0, PostgreSQL", theirs)]
    return [*figures, ("faster on PostgreSQL, medians", f"{median(theirs) / median(ours):.0f} times")]


def _told(name: str, seconds: Sequence[float]) -> Figures:
    low, high = min(seconds) * 1_000, max(seconds) * 1_000
    return [
        (
            f"{name}: median of {len(seconds)}",
            f"{median(seconds) * 1_000:,.1f} ms ({low:,.1f} to {high:,.1f})",
        )
    ]


def _ours(engine: Engine, folder: Path, times: int) -> list[float]:
    gate = found_company(engine, folder).gate
    buyer, warehouse = gate.bootstrap_user("buyer", ("buyer",)), gate.bootstrap_user("hub", ("warehouse",))
    _found_supplier(gate)
    taken = []
    for number in range(WARM_UP + times):
        steps = _purchase()
        begun = time.perf_counter()
        for step in steps:
            who = warehouse if isinstance(step, ReceiveGoods) else buyer
            _run(gate, who, step, approved=number == 0)
        taken.append(time.perf_counter() - begun)
    return taken[WARM_UP:]


def _purchase() -> list[Command]:
    po_id = uuid4()
    lines = [uuid4() for _ in range(LINES)]
    return [
        CreatePurchaseOrder(
            po_id=po_id,
            supplier_id=id_of("supplier"),
            location_id=id_of("hub"),
            lines=[
                {"line_id": line, "item_id": id_of(f"item{number}"), "quantity": 10}
                for number, line in enumerate(lines)
            ],
            reason="restock",
        ),
        SubmitPurchaseOrder(po_id=po_id),
        SendPurchaseOrder(po_id=po_id),
        ReceiveGoods(
            receipt_id=uuid4(),
            po_id=po_id,
            lines=[{"receipt_line_id": uuid4(), "po_line_id": line, "quantity": 10} for line in lines],
        ),
    ]


def _found_supplier(gate: Gate) -> None:
    supplier = id_of("supplier")
    admin = gate.bootstrap_user("admin", ("admin",))
    simulator = gate.bootstrap_user("past", ("simulator",), kind="service")
    for command in (
        CreateSupplier(
            supplier_id=supplier,
            code="SUP",
            supplier_name="Supplier",
            currency="EUR",
            country="NL",
            payment_days=30,
            delivery_terms="DAP",
            lead_time_days=14,
        ),
        AddSupplierDocument(
            document_id=uuid4(),
            supplier_id=supplier,
            kind="business_registration",
            number="KvK 1",
            valid_from=date(2020, 1, 1),
        ),
        SubmitSupplier(supplier_id=supplier),
        *(
            SetSupplierItem(supplier_id=supplier, item_id=id_of(f"item{number}"), price=PRICE)
            for number in range(LINES)
        ),
    ):
        _run(gate, admin, command)
    _run(gate, simulator, ActivateSupplier(supplier_id=supplier), approved=True)


def _run(gate: Gate, who: Principal, command: Command, *, approved: bool = False) -> None:
    outcome = gate.submit(command, who, key=uuid4().hex)
    if approved and isinstance(outcome, Proposed):
        manager = gate.bootstrap_user("manager", ("manager",))
        decision = ApproveProposal(proposal_id=outcome.proposal_id, payload_hash=outcome.payload_hash)
        outcome = gate.submit(decision, manager, key=uuid4().hex)
    assert isinstance(outcome, Executed), (command, outcome)


def _theirs(engine: Engine) -> list[float] | str:
    """Seconds of each of Tryton's purchases, or why there are none."""
    try:
        python = _environment()
        with _database(engine) as (uri, name):
            script = Path(__file__).with_name("_tryton.py")
            asked = [str(python), str(script), uri, name, str(LINES), str(TRYTON_TIMES)]
            done = subprocess.run(asked, check=True, capture_output=True, text=True)
            return [float(one) for one in json.loads(done.stdout)]
    except subprocess.CalledProcessError as error:
        return f"not measured: {(error.stderr or '').strip().splitlines()[-1:] or error}"


def _environment() -> Path:
    named = os.environ.get("QUARTERMASTER_TRYTON_PYTHON")
    if named:
        return Path(named)
    folder = Path.home() / ".cache" / "quartermaster" / "tryton-8.0"
    python = folder / "bin" / "python"
    if not (folder / "bin" / "trytond-admin").exists():
        subprocess.run(
            [sys.executable, "-m", "venv", str(folder)], check=True, capture_output=True, text=True
        )
        install = [str(python), "-m", "pip", "install", "--quiet", *PACKAGES]
        subprocess.run(install, check=True, capture_output=True, text=True)
    return python


@contextmanager
def _database(engine: Engine) -> Iterator[tuple[str, str]]:
    """A database with Tryton's purchases in it, taken away afterwards: its server's address and its name."""
    name = f"tryton_bench_{uuid4().hex[:12]}"
    url = make_url(engine.url.render_as_string(hide_password=False)).set(drivername="postgresql", database="")
    uri = f"{url.render_as_string(hide_password=False).rstrip('/')}/"
    _administer(engine, f"CREATE DATABASE {name}")
    try:
        with tempfile.TemporaryDirectory() as folder:
            settings, password = Path(folder) / "tryton.conf", Path(folder) / "password"
            settings.write_text(f"[database]\nuri = {uri}\n")
            password.write_text(uuid4().hex)
            admin = _environment().with_name("trytond-admin")
            made = [str(admin), "-c", str(settings), "-d", name, "-u", "purchase", "--activate-dependencies"]
            subprocess.run(
                [*made, "-l", "en", "--email", "admin@example.com"],
                check=True,
                capture_output=True,
                text=True,
                env=os.environ | {"TRYTONPASSFILE": str(password)},
            )
        yield uri, name
    finally:
        _administer(engine, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def _administer(engine: Engine, statement: str) -> None:
    server = create_engine(engine.url.set(database="postgres"), isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(text(statement))
    server.dispose()
