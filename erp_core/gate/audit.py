"""The audit log: sealed in batches into a Merkle tree, verified entry by entry.

The sealer gives every entry a leaf number and signs the tree head; the signed checkpoint is also
appended to a file outside the database. `verify` finds what anybody with the database in their hands
may have done: change, deletion, insertion, reordering of entries, truncation of the log, rows of the
ledger that no audit entry accounts for.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from os import SEEK_END
from pathlib import Path
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from sqlalchemy import Connection, Engine, Row, Text, func, select, text, type_coerce

from erp_core.gate.merkle import Frontier, extend, leaf_hash, root
from erp_core.gate.model import audit_checkpoints, audit_entries, audit_leaves
from erp_core.storage.bulk import insert_rows
from erp_core.storage.engine import reading, writing
from erp_core.storage.types import Json, canonical_json

SEAL_BATCH = 1_000
_BACKLOG = 100_000
SEAL_AFTER = timedelta(seconds=5)
_LATE_COMMITS = timedelta(minutes=10)
_SEALER_LOCK = 7_203_117


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong with the log: what, at which leaf, about which entry."""

    problem: str
    leaf: int | None
    audit_id: UUID | None


@dataclass(frozen=True, slots=True)
class Verification:
    """The result of a verification. `intact` when there is no finding; `unsealed` entries are still open."""

    entries: int
    sealed: int
    unsealed: int
    root: str
    findings: tuple[Finding, ...]

    @property
    def intact(self) -> bool:
        """Whether nothing was found."""
        return not self.findings


class Sealer:
    """Seals and verifies the log of one company. Its key and checkpoint file live under `home`."""

    def __init__(self, engine: Engine, home: Path) -> None:
        self._engine = engine
        self._folder = home / "audit"
        self._published_all = False

    @property
    def checkpoint_file(self) -> Path:
        """Where signed checkpoints are kept outside the database."""
        return self._folder / "checkpoints.jsonl"

    def seal(self, now: datetime) -> int:
        """Seal everything committed so far; returns how many entries. One sealer runs at a time.

        A sealer that was killed between its commit and the file left a checkpoint unpublished: the next
        one makes up for it.
        """
        if not self._published_all:
            self._publish_missing()
        sealed = 0
        while waiting := self._waiting():
            for start in range(0, len(waiting), SEAL_BATCH):
                sealed += self._seal_batch(now, waiting[start : start + SEAL_BATCH])
        return sealed

    def _waiting(self) -> list[UUID]:
        """Entries without a leaf, in the order in which they are to be sealed."""
        with reading(self._engine) as connection:
            newest = connection.scalar(select(func.max(audit_checkpoints.c.sealed_at)))
            query = (
                select(audit_entries.c.id)
                .outerjoin(audit_leaves, audit_leaves.c.audit_id == audit_entries.c.id)
                .where(audit_leaves.c.audit_id.is_(None))
                .order_by(audit_entries.c.recorded_at, audit_entries.c.id)
                .limit(_BACKLOG)
            )
            if newest is not None:
                query = query.where(audit_entries.c.recorded_at >= newest - _LATE_COMMITS)
            return list(connection.scalars(query))

    def _seal_batch(self, now: datetime, waiting: Sequence[UUID]) -> int:
        with writing(self._engine) as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _SEALER_LOCK})
            last = connection.execute(
                select(audit_checkpoints).order_by(audit_checkpoints.c.size.desc()).limit(1)
            ).one_or_none()
            rows = _unsealed(connection, waiting)
            if not rows:
                return 0
            size = last.size if last else 0
            leaves = [leaf_hash(_leaf_data(row)) for row in rows]
            frontier = extend(_frontier_from(last.frontier) if last else (), leaves)
            insert_rows(
                connection,
                audit_leaves,
                [
                    {"leaf": size + offset, "audit_id": row.id, "leaf_hash": leaf.hex()}
                    for offset, (row, leaf) in enumerate(zip(rows, leaves, strict=True))
                ],
            )
            checkpoint = self._checkpoint(size + len(rows), frontier, now)
            insert_rows(connection, audit_checkpoints, [checkpoint])
        self._publish(checkpoint)
        return len(rows)

    def _checkpoint(self, size: int, frontier: Frontier, now: datetime) -> dict[str, Any]:
        head = root(frontier).hex()
        return {
            "size": size,
            "root": head,
            "frontier": [[count, value.hex()] for count, value in frontier],
            "signature": self._key().sign(_signed(size, head)).hex(),
            "sealed_at": now,
        }

    def _publish(self, checkpoint: Mapping[str, Any]) -> None:
        line = {name: checkpoint[name] for name in ("size", "root", "signature")}
        with self.checkpoint_file.open("a+b") as file:
            if file.tell():
                file.seek(-1, SEEK_END)
                cut_off = file.read(1) != b"\n"
            else:
                cut_off = False
            text = canonical_json(line | {"sealed_at": checkpoint["sealed_at"].isoformat()})
            file.write(f"{chr(10) if cut_off else ''}{text}\n".encode())

    def _publish_missing(self) -> None:
        newest = max((size for size, *_ in self._kept()), default=0)
        with reading(self._engine) as connection:
            missing = connection.execute(
                select(audit_checkpoints)
                .where(audit_checkpoints.c.size > newest)
                .order_by(audit_checkpoints.c.size)
            ).all()
        for row in missing:
            self._publish(
                {"size": row.size, "root": row.root, "signature": row.signature, "sealed_at": row.sealed_at}
            )
        self._published_all = True

    def _key(self) -> Ed25519PrivateKey:
        path = self._folder / "signing-key.pem"
        if not path.exists():
            self._folder.mkdir(parents=True, exist_ok=True)
            fresh = Ed25519PrivateKey.generate()
            pem = fresh.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            try:
                with path.open("xb") as file:
                    path.chmod(0o600)
                    file.write(pem)
            except FileExistsError:
                pass
        key = load_pem_private_key(path.read_bytes(), password=None)
        if not isinstance(key, Ed25519PrivateKey):
            raise TypeError(f"{path} holds no Ed25519 key")
        return key

    def verify(self) -> Verification:
        """Recompute every leaf and tree head and compare. Reads only; names the first bad entry first."""
        kept = list(
            self._kept()
        )  # before the snapshot: a seal meanwhile makes the database newer, never older
        with reading(self._engine) as connection:
            total = connection.scalar(select(func.count()).select_from(audit_entries)) or 0
            findings: list[Finding] = []
            leaves: list[bytes] = []
            for number, (row, entry_row) in enumerate(_sealed(connection)):
                findings.extend(_check_leaf(number, row, entry_row))
                leaves.append(bytes.fromhex(row.leaf_hash))
            findings.extend(self._check_heads(connection, leaves, kept))
            findings.extend(_unaccounted(connection))
        head = root(extend((), leaves)).hex()
        return Verification(total, len(leaves), max(total - len(leaves), 0), head, tuple(findings))

    def _check_heads(
        self, connection: Connection, leaves: list[bytes], kept: list[tuple[int, str, str, str]]
    ) -> Iterator[Finding]:
        stored = {row.size: row for row in connection.execute(select(audit_checkpoints))}
        public = self._key().public_key() if stored or kept else None
        frontier: Frontier = ()
        done = 0
        for size, head, signature, origin in sorted(
            [(row.size, row.root, row.signature, "database") for row in stored.values()] + kept
        ):
            assert public is not None
            try:
                public.verify(bytes.fromhex(signature), _signed(size, head))
            except (InvalidSignature, ValueError):
                yield Finding(f"the checkpoint at {size} in the {origin} has a wrong signature", None, None)
                continue
            if size > len(leaves):
                yield Finding(
                    f"the log was cut: a checkpoint knows {size} entries, {len(leaves)} are left",
                    len(leaves),
                    None,
                )
                return
            frontier = extend(frontier, leaves[done:size])
            done = size
            if root(frontier).hex() != head:
                yield Finding(
                    f"the tree head at {size} differs from the checkpoint in the {origin}", None, None
                )
                return
        newest = self._newest_kept(max(stored, default=0))
        if newest < max(stored, default=0):
            yield Finding("the checkpoint file outside the database ends earlier than the log", newest, None)

    def _newest_kept(self, wanted: int) -> int:
        """The newest size in the file; a seal just committed gets a moment to reach it."""
        for _ in range(10):
            newest = max((size for size, *_ in self._kept()), default=0)
            if newest >= wanted:
                break
            time.sleep(0.1)
        return newest

    def _kept(self) -> Iterator[tuple[int, str, str, str]]:
        if self.checkpoint_file.exists():
            for line in self.checkpoint_file.read_text(encoding="utf-8").splitlines():
                try:
                    entry = json.loads(line)
                except ValueError:  # cut off when its writer was killed
                    continue
                yield entry["size"], entry["root"], entry["signature"], "file"


_COLUMNS = [
    type_coerce(column, Text).label(column.name) if isinstance(column.type, Json) else column
    for column in audit_entries.columns
]


def _leaf_data(row: Row[Any]) -> bytes:
    values = [
        value.isoformat() if isinstance(value, datetime) else None if value is None else str(value)
        for value in row
    ]
    return canonical_json(values).encode()


def _signed(size: int, head: str) -> bytes:
    return f"quartermaster audit log\n{size}\n{head}\n".encode()


def _frontier_from(stored: Iterable[tuple[int, str]]) -> Frontier:
    return tuple((count, bytes.fromhex(value)) for count, value in stored)


def _unsealed(connection: Connection, waiting: Sequence[UUID]) -> list[Row[Any]]:
    """Those of the entries that still have no leaf, in their order."""
    query = (
        select(*_COLUMNS)
        .outerjoin(audit_leaves, audit_leaves.c.audit_id == audit_entries.c.id)
        .where(audit_leaves.c.audit_id.is_(None), audit_entries.c.id.in_(waiting))
        .order_by(audit_entries.c.recorded_at, audit_entries.c.id)
    )
    return list(connection.execute(query))


def _sealed(connection: Connection) -> Iterator[tuple[Row[Any], Row[Any] | None]]:
    leaves = connection.execution_options(yield_per=5_000).execute(
        select(audit_leaves).order_by(audit_leaves.c.leaf)
    )
    for part in leaves.partitions(5_000):
        ids = [row.audit_id for row in part]
        found: dict[UUID, Row[Any]] = {}
        for start in range(0, len(ids), 500):
            chunk = select(*_COLUMNS).where(audit_entries.c.id.in_(ids[start : start + 500]))
            found |= {row.id: row for row in connection.execute(chunk)}
        yield from ((row, found.get(row.audit_id)) for row in part)


def _check_leaf(number: int, row: Row[Any], entry_row: Row[Any] | None) -> Iterator[Finding]:
    if row.leaf != number:
        yield Finding(f"leaf {number} is missing", number, row.audit_id)
    elif entry_row is None:
        yield Finding("the entry was deleted", row.leaf, row.audit_id)
    elif leaf_hash(_leaf_data(entry_row)).hex() != row.leaf_hash:
        yield Finding("the entry was altered", row.leaf, row.audit_id)


def _unaccounted(connection: Connection) -> Iterator[Finding]:
    newest = select(func.max(audit_checkpoints.c.sealed_at)).scalar_subquery()
    late = connection.execute(
        select(audit_entries.c.id)
        .outerjoin(audit_leaves, audit_leaves.c.audit_id == audit_entries.c.id)
        .where(audit_leaves.c.audit_id.is_(None), audit_entries.c.recorded_at < newest)
        .limit(100)
    ).scalars()
    horizon = connection.scalar(select(func.max(audit_checkpoints.c.sealed_at)))
    for audit_id in late:
        recorded = connection.scalar(
            select(audit_entries.c.recorded_at).where(audit_entries.c.id == audit_id)
        )
        if horizon is not None and recorded is not None and recorded < horizon - _LATE_COMMITS:
            yield Finding("an entry was slipped in behind the seal", None, audit_id)
    for table in _audited_tables():
        missing = connection.execute(
            select(table.c.audit_id)
            .outerjoin(audit_entries, audit_entries.c.id == table.c.audit_id)
            .where(audit_entries.c.id.is_(None))
            .limit(10)
        ).scalars()
        for audit_id in missing:
            yield Finding(
                f"a row of {table.name} has no audit entry: it was written beside the gate", None, audit_id
            )


def _audited_tables() -> list[Any]:
    return [
        table
        for table in audit_entries.metadata.sorted_tables
        if "audit_id" in table.c and table.name not in ("audit_leaves", "outbox")
    ]
