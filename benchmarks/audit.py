"""What the audit log costs: sealing and verifying a million entries, against hashing the same bytes.

The entries are synthetic, of the length that orders leave behind. The floor hashes each leaf's bytes once, in
memory, as RFC 6962 wants it, together with the tree above them.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Engine

from benchmarks.databases import postgresql, sqlite
from erp_core.gate.audit import Checkpoint, Sealer
from erp_core.gate.audit.leaves import hash_of, sealed_entries
from erp_core.gate.audit.proofs import prove_inclusion
from erp_core.gate.audit.sealing import SEAL_BATCH, checkpoint_row
from erp_core.gate.merkle import extend, leaf_hash, root, size_of
from erp_core.gate.model import audit_checkpoints, audit_entries, audit_leaves
from erp_core.storage.bulk import insert_rows
from erp_core.storage.columnar import insert_columns
from erp_core.storage.engine import gate_writing, reading, writing
from erp_core.storage.ids import SeededIds
from erp_core.storage.types import canonical_json, utc_text

ENTRIES = int(os.environ.get("QUARTERMASTER_BENCH_ENTRIES", 1_000_000))
UNSEALED = 20_000
PART = 50_000
START = datetime(2025, 1, 1, tzinfo=UTC)


def run() -> list[tuple[str, str]]:
    """Seconds and rates on SQLite, and on PostgreSQL where there is one."""
    figures = []
    with tempfile.TemporaryDirectory() as folder, sqlite(Path(folder)) as engine:
        figures += [(f"SQLite: {figure}", value) for figure, value in _measure(engine, Path(folder))]
    with tempfile.TemporaryDirectory() as folder, postgresql() as server:
        if server is not None:
            figures += [(f"PostgreSQL: {figure}", value) for figure, value in _measure(server, Path(folder))]
    return figures


def _measure(engine: Engine, folder: Path) -> Iterator[tuple[str, str]]:
    sealer = Sealer(engine, folder)
    started = time.perf_counter()
    last = _fill(engine, sealer)
    yield f"building the log of {ENTRIES:,} entries, s", f"{time.perf_counter() - started:.0f}"
    started = time.perf_counter()
    sealed = sealer.seal(last)
    yield (
        f"sealing {sealed:,} more, a signed checkpoint per {SEAL_BATCH:,}, entries/s",
        _rate(sealed, started),
    )
    before = getrusage(RUSAGE_SELF).ru_maxrss
    started, busy = time.perf_counter(), time.process_time()
    found = sealer.verify()
    seconds, busy = time.perf_counter() - started, time.process_time() - busy
    assert found.intact and found.sealed == ENTRIES, found.findings[:3]
    yield f"verifying {ENTRIES:,} entries, s", f"{seconds:.1f}"
    yield "of which this process worked, s", f"{busy:.1f}"
    yield "memory that verifying adds, MB", f"{(getrusage(RUSAGE_SELF).ru_maxrss - before) / 1024:.0f}"
    floor, victim = _floor(engine, found.root)
    yield "hashing the same leaves in memory, s of work", f"{floor:.1f}"
    yield "verifying against that floor, work", f"{busy / floor:.1f} times"
    started = time.perf_counter()
    with reading(engine) as connection:
        prove_inclusion(connection, victim)
    yield f"proof of one entry among {ENTRIES:,}, s", f"{time.perf_counter() - started:.2f}"


def _rate(count: int, started: float) -> str:
    return f"{count / (time.perf_counter() - started):,.0f}"


def _fill(engine: Engine, sealer: Sealer) -> datetime:
    """Entries as orders leave them, 50 ms apart, with leaves and checkpoints; the last `UNSEALED` wait for the sealer."""
    ids, person, log = SeededIds(1), uuid4(), uuid4()
    key, frontier, kept = sealer.files.signing_key(), extend((), ()), []
    for start in range(0, ENTRIES, PART):
        numbers = range(start, min(start + PART, ENTRIES))
        moments = [START + timedelta(milliseconds=50 * number) for number in numbers]
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
            "principal_id": [person] * len(numbers),
            "command": "PlaceOrder",
            "outcome": "executed",
            "subject_id": orders,
            "rule": "role service",
            "payload": [_payload(order) for order in orders],
            "after": [{"status": "allocated", "number": f"SO-{number}"} for number in numbers],
        }
        with gate_writing(engine) as connection:
            insert_columns(connection, audit_entries, columns)
        sealed = [number for number in numbers if number < ENTRIES - UNSEALED]
        hashes = [_hash(columns, number - start) for number in sealed]
        heads = []
        for low in range(0, len(hashes), SEAL_BATCH):
            frontier = extend(frontier, map(bytes.fromhex, hashes[low : low + SEAL_BATCH]))
            signed = Checkpoint.signed(key, log, size_of(frontier), root(frontier).hex(), moments[0])
            heads.append(checkpoint_row(signed, frontier, moments[0]))
            kept.append(signed)
        if hashes:
            with writing(engine) as connection:
                leaves = {"leaf": sealed, "audit_id": entries[: len(sealed)], "leaf_hash": hashes}
                insert_columns(connection, audit_leaves, leaves)
                insert_rows(connection, audit_checkpoints, heads)
    sealer.files.keep(kept)
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("ANALYZE")
    return moments[-1]


def _hash(columns: Mapping[str, Any], position: int) -> str:
    """The leaf hash of a row, from its values."""
    entry = {name: value if isinstance(value, str) else value[position] for name, value in columns.items()}
    for name in ("recorded_at", "occurred_at"):
        entry[name] = f"{utc_text(entry[name]).replace(' ', 'T')}Z"
    return hash_of(entry)


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
            started = time.process_time()
            frontier = extend(frontier, map(leaf_hash, leaves))
            seconds += time.process_time() - started
        (middle,) = sealed_entries(connection, ENTRIES // 2, ENTRIES // 2 + 1)
        victim = middle.audit_id
    assert root(frontier).hex() == head and victim is not None
    return seconds, victim
