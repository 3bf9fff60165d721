"""Sealing: each committed entry gets its leaf, each batch a signed checkpoint, kept outside the database as well."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection, Engine, select, text

from erp_core.gate.audit.checkpoints import Checkpoint, LogFiles, stored
from erp_core.gate.audit.findings import Verification
from erp_core.gate.audit.leaves import entries_of, hash_of, sealed_until
from erp_core.gate.audit.verification import LATE_COMMITS, verify
from erp_core.gate.merkle import Frontier, extend, root
from erp_core.gate.model import audit_checkpoints, audit_entries, audit_leaves
from erp_core.storage.bulk import insert_rows
from erp_core.storage.engine import reading, writing

SEAL_BATCH = 1_000
SEAL_AFTER = timedelta(seconds=5)
_BACKLOG = 100_000
_SEALER_LOCK = 7_203_117


class Sealer:
    """Seals and verifies the log of one company. Its key and checkpoint file live under `home`."""

    def __init__(self, engine: Engine, home: Path) -> None:
        self._engine = engine
        self.files = LogFiles(home)
        self._kept_all = False

    @property
    def checkpoint_file(self) -> Path:
        """Where signed checkpoints are kept outside the database."""
        return self.files.checkpoints

    def seal(self, now: datetime) -> int:
        """Seal everything committed so far; returns how many entries. One sealer runs at a time.

        A sealer that was killed between its commit and the file left a checkpoint out of the file: the next
        one makes up for it.
        """
        if not self._kept_all:
            self._keep_missing()
        sealed = 0
        while waiting := self._waiting():
            for start in range(0, len(waiting), SEAL_BATCH):
                sealed += self._seal_batch(now, waiting[start : start + SEAL_BATCH])
        return sealed

    def verify(self, *, against: Iterable[Checkpoint] = ()) -> Verification:
        """Recompute the log and compare it with its checkpoints, and with others `against` kept elsewhere."""
        return verify(self._engine, self.files, against=against)

    def _waiting(self) -> list[UUID]:
        """Entries without a leaf, in the order in which they are to be sealed."""
        with reading(self._engine) as connection:
            newest = sealed_until(connection)
            query = (
                select(audit_entries.c.id)
                .outerjoin(audit_leaves, audit_leaves.c.audit_id == audit_entries.c.id)
                .where(audit_leaves.c.audit_id.is_(None))
                .order_by(audit_entries.c.recorded_at, audit_entries.c.id)
                .limit(_BACKLOG)
            )
            if newest is not None:
                query = query.where(audit_entries.c.recorded_at >= newest - LATE_COMMITS)
            return list(connection.scalars(query))

    def _seal_batch(self, now: datetime, waiting: Sequence[UUID]) -> int:
        key = self.files.signing_key()
        with writing(self._engine) as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _SEALER_LOCK})
            last = connection.execute(
                select(audit_checkpoints).order_by(audit_checkpoints.c.size.desc()).limit(1)
            ).one_or_none()
            hashes = {id_: hash_of(entry) for id_, entry in _unsealed(connection, waiting).items()}
            if not hashes:
                return 0
            size = last.size if last else 0
            leaves = [
                {"leaf": size + offset, "audit_id": id_, "leaf_hash": value}
                for offset, (id_, value) in enumerate(hashes.items())
            ]
            frontier = extend(
                _frontier_from(last.frontier) if last else (), map(bytes.fromhex, hashes.values())
            )
            checkpoint = Checkpoint.signed(
                key, last.log_id if last else uuid4(), size + len(leaves), root(frontier).hex(), now
            )
            insert_rows(connection, audit_leaves, leaves)
            insert_rows(connection, audit_checkpoints, [checkpoint_row(checkpoint, frontier, now)])
        self.files.keep([checkpoint])
        return len(leaves)

    def _keep_missing(self) -> None:
        with reading(self._engine) as connection:
            rows = connection.execute(select(audit_checkpoints).order_by(audit_checkpoints.c.size))
            there = [stored(row) for row in rows]
        missing = set(there) - set(self.files.kept())
        if missing:
            self.files.keep(sorted(missing))
        self._kept_all = True


def checkpoint_row(checkpoint: Checkpoint, frontier: Frontier, sealed_at: datetime) -> Mapping[str, Any]:
    """A checkpoint as the database keeps it, with the frontier that the next batch starts from."""
    return {
        "size": checkpoint.size,
        "log_id": checkpoint.log,
        "root": checkpoint.root,
        "frontier": [[count, value.hex()] for count, value in frontier],
        "signature": checkpoint.signature,
        "sealed_at": sealed_at,
    }


def _frontier_from(stored: Iterable[tuple[int, str]]) -> Frontier:
    return tuple((count, bytes.fromhex(value)) for count, value in stored)


def _unsealed(connection: Connection, waiting: Sequence[UUID]) -> dict[UUID, dict[str, Any]]:
    """Those of the entries that still have no leaf, in their order."""
    sealed = set(
        connection.scalars(select(audit_leaves.c.audit_id).where(audit_leaves.c.audit_id.in_(waiting)))
    )
    return entries_of(connection, [id_ for id_ in waiting if id_ not in sealed])
