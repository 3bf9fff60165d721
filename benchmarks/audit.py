"""What the audit log costs: sealing and verifying a million entries, against hashing the same bytes.

The entries are synthetic, of the length that orders leave behind. The floor hashes each leaf's bytes once, in
memory, as RFC 6962 wants it, together with the tree above them.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from uuid import UUID, uuid4

from sqlalchemy import Engine, create_engine, make_url, text

from erp_core.gate.audit import Sealer
from erp_core.gate.audit.leaves import sealed_entries
from erp_core.gate.audit.proofs import checkpoint_at, prove_inclusion
from erp_core.gate.merkle import extend, leaf_hash, root
from erp_core.gate.model import audit_entries
from erp_core.storage.columnar import insert_columns
from erp_core.storage.engine import gate_writing, open_engine, reading
from erp_core.storage.ids import SeededIds
from erp_core.storage.schema import migrate
from erp_core.storage.types import canonical_json

ENTRIES = int(os.environ.get("QUARTERMASTER_BENCH_ENTRIES", 1_000_000))
PART = 50_000
START = datetime(2025, 1, 1, tzinfo=UTC)


def run() -> list[tuple[str, str]]:
    """Seconds and rates on SQLite, and on PostgreSQL where there is one."""
    figures = []
    for name, database in (("SQLite", _sqlite), ("PostgreSQL", _postgresql)):
        with tempfile.TemporaryDirectory() as folder, database(Path(folder)) as engine:
            if engine is not None:
                figures += [(f"{name}: {figure}", value) for figure, value in _measure(engine, Path(folder))]
    return figures


def _measure(engine: Engine, folder: Path) -> Iterator[tuple[str, str]]:
    last = _fill(engine)
    sealer = Sealer(engine, folder)
    started = time.perf_counter()
    sealed = sealer.seal(last)
    yield f"sealing {sealed:,} entries, a signed checkpoint per 1,000, entries/s", _rate(sealed, started)
    before = getrusage(RUSAGE_SELF).ru_maxrss
    started = time.perf_counter()
    found = sealer.verify()
    seconds = time.perf_counter() - started
    assert found.intact and found.sealed == sealed, found.findings
    yield f"verifying {sealed:,} entries, s", f"{seconds:.1f}"
    yield "memory that verifying adds, MB", f"{(getrusage(RUSAGE_SELF).ru_maxrss - before) / 1024:.0f}"
    floor, victim = _floor(engine, found.root)
    yield "hashing the same leaves in memory, s", f"{floor:.1f}"
    yield "verifying against that floor", f"{seconds / floor:.1f} times"
    started = time.perf_counter()
    with reading(engine) as connection:
        prove_inclusion(connection, victim)
        size = checkpoint_at(connection).size
    yield f"proof of one entry among {size:,}, s", f"{time.perf_counter() - started:.2f}"


def _rate(count: int, started: float) -> str:
    return f"{count / (time.perf_counter() - started):,.0f}"


def _fill(engine: Engine) -> datetime:
    """Entries as orders leave them, 50 ms apart."""
    ids, person = SeededIds(1), uuid4()
    moment = START
    for start in range(0, ENTRIES, PART):
        count = min(PART, ENTRIES - start)
        moments = [START + timedelta(milliseconds=50 * number) for number in range(start, start + count)]
        moment = moments[-1]
        entries, orders = [], []
        for one in moments:
            ids.at(one)
            entries.append(ids())
            orders.append(ids())
        columns = {
            "id": entries,
            "recorded_at": moments,
            "occurred_at": moments,
            "principal_kind": "service",
            "principal_id": [person] * count,
            "command": "PlaceOrder",
            "outcome": "executed",
            "subject_kind": None,
            "subject_id": orders,
            "rule": "role service",
            "payload": [_payload(order) for order in orders],
            "after": [
                {"status": "allocated", "number": f"SO-{number}"} for number in range(start, start + count)
            ],
        }
        with gate_writing(engine) as connection:
            insert_columns(
                connection, audit_entries, {name: value for name, value in columns.items() if value}
            )
    return moment


def _payload(order: UUID) -> dict[str, object]:
    line = {"item_id": str(order), "quantity": 1, "unit_price": 200_000, "location_id": str(order)}
    return {
        "order_id": str(order),
        "external_ref": f"ref-{order}",
        "customer_country": "NL",
        "lines": [line] * 2,
    }


def _floor(engine: Engine, head: str) -> tuple[float, UUID]:
    seconds, frontier = 0.0, extend((), ())
    victim: UUID | None = None
    with reading(engine) as connection:
        for start in range(0, ENTRIES, PART):
            leaves = [
                canonical_json(one.entry).encode() for one in sealed_entries(connection, start, start + PART)
            ]
            started = time.perf_counter()
            frontier = extend(frontier, map(leaf_hash, leaves))
            seconds += time.perf_counter() - started
        (middle,) = sealed_entries(connection, ENTRIES // 2, ENTRIES // 2 + 1)
        victim = middle.audit_id
    assert root(frontier).hex() == head and victim is not None
    return seconds, victim


@contextmanager
def _sqlite(folder: Path) -> Iterator[Engine | None]:
    engine = open_engine(f"sqlite:///{folder / 'audit.db'}")
    migrate(engine)
    yield engine
    engine.dispose()


@contextmanager
def _postgresql(_folder: Path) -> Iterator[Engine | None]:
    url = _server()
    if url is None:
        yield None
        return
    name = f"qm_bench_{uuid4().hex[:12]}"
    admin = create_engine(url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    try:
        engine = open_engine(make_url(url).set(database=name).render_as_string(hide_password=False))
        migrate(engine)
        yield engine
        engine.dispose()
    finally:
        with admin.connect() as connection:
            connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
        admin.dispose()


def _server() -> str | None:
    """The PostgreSQL that `scripts/test-services` started, the durable one where there is one."""
    file = Path(__file__).parent.parent / ".test-services.env"
    lines = file.read_text().splitlines() if file.exists() else []
    known = dict(line.partition("=")[::2] for line in lines) | dict(os.environ)
    for name in ("QUARTERMASTER_BENCH_POSTGRES_URL", "QUARTERMASTER_TEST_POSTGRES_URL"):
        if known.get(name):
            return known[name].strip("'\"")
    return None
