"""Verification: recompute every leaf and tree head, compare, and name the first bad entry.

It reads one snapshot and changes nothing. Its memory does not grow with the log.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, Engine, func, select

from erp_core.gate.audit.accounts import unaccounted
from erp_core.gate.audit.checkpoints import Checkpoint, LogFiles, stored
from erp_core.gate.audit.findings import Finding, Verification
from erp_core.gate.audit.leaves import SealedEntry, about, sealed_entries, sealed_until
from erp_core.gate.merkle import Frontier, extend, root
from erp_core.gate.model import audit_checkpoints, audit_entries, audit_leaves
from erp_core.storage.engine import reading
from erp_core.storage.protection import protection_findings

LATE_COMMITS = timedelta(minutes=10)
"""How long after a later entry was recorded an entry may still be committed and sealed."""
MOST_FINDINGS = 100


def verify(engine: Engine, files: LogFiles, *, against: Iterable[Checkpoint] = ()) -> Verification:
    """Recompute the log of `engine` and compare it with the database's checkpoints, those in `files`, and `against`."""
    kept = files.kept()  # before the snapshot: a seal meanwhile makes the database newer, never older
    with reading(engine) as connection:
        rows = connection.execute(select(audit_checkpoints).order_by(audit_checkpoints.c.size))
        there = [stored(row) for row in rows]
        entries = connection.scalar(select(func.count()).select_from(audit_entries)) or 0
        leaves = connection.scalar(select(func.count()).select_from(audit_leaves)) or 0
        heads = _Heads(_trusted(there, kept, list(against), files))
        log = _Log(heads)
        for found in sealed_entries(connection):
            log.take(found)
        log.finish(leaves)
        log.name_moved(connection)
        findings = heads.findings + log.findings
        findings.sort(key=lambda one: float("inf") if one.leaf is None else one.leaf)
        findings += [*_kept_everywhere(there, files), *_slipped_in(connection, there, entries, log.matched)]
        findings += [*unaccounted(connection), *map(Finding, protection_findings(connection))]
    return Verification(
        log=there[-1].log if there else None,
        entries=entries,
        sealed=log.size,
        unsealed=max(entries - log.matched, 0),
        root=root(log.frontier).hex(),
        findings=tuple(findings[:MOST_FINDINGS]),
    )


@dataclass(slots=True)
class _Heads:
    """The checkpoints in the order of their sizes, compared as the log goes past them."""

    trusted: tuple[list[tuple[Checkpoint, str]], list[Finding]]
    findings: list[Finding] = field(default_factory=list)
    next: int = 0
    fits_until: int = 0
    broken: bool = False

    def __post_init__(self) -> None:
        self.findings += self.trusted[1]

    @property
    def due(self) -> int | None:
        """The size at which the next checkpoint is to be compared."""
        checkpoints = self.trusted[0]
        return checkpoints[self.next][0].size if self.next < len(checkpoints) else None

    def compare(self, frontier: Frontier, size: int) -> None:
        """Compare every checkpoint of this size with the tree head; after the first that differs all later ones do."""
        head = root(frontier).hex()
        while self.due == size:
            checkpoint, place = self.trusted[0][self.next]
            self.next += 1
            if checkpoint.root == head:
                self.fits_until = size
            elif not self.broken:
                self.broken = True
                self.findings.append(
                    Finding(
                        f"the tree head at {size} differs from the checkpoint in {place}: one of the leaves "
                        f"{self.fits_until} to {size - 1} was forged together with its hash, put in or moved",
                        self.fits_until,
                    )
                )

    def finish(self, size: int) -> None:
        """Say what the checkpoints beyond the end of the log mean."""
        if self.due is not None:
            checkpoint, place = self.trusted[0][-1]
            self.findings.append(
                Finding(
                    f"the log was cut, or the database is an older copy: a checkpoint in {place} knows "
                    f"{checkpoint.size} entries, {size} are left",
                    size,
                )
            )
        elif self.trusted[0] and self.trusted[0][-1][0].size < size:
            self.findings.append(
                Finding("no signed checkpoint covers the end of the log", self.trusted[0][-1][0].size)
            )
        elif not self.trusted[0] and size:
            self.findings.append(Finding("no signed checkpoint covers the log", 0))


@dataclass(slots=True)
class _Log:
    """The leaves as they go past."""

    heads: _Heads
    frontier: Frontier = ()
    size: int = 0
    seen: int = 0
    matched: int = 0
    findings: list[Finding] = field(default_factory=list)
    _pending: list[bytes] = field(default_factory=list)
    _altered: dict[str, int] = field(default_factory=dict)

    def take(self, found: SealedEntry) -> None:
        """The next row of the log."""
        self.seen += 1
        self.matched += found.present
        if found.leaf != self.size:
            if len(self.findings) < MOST_FINDINGS:
                self.findings.append(
                    Finding(f"the leaves {self.size} to {found.leaf - 1} are missing", self.size)
                )
            self.size = found.leaf
        self._check(found)
        try:
            self._pending.append(bytes.fromhex(found.sealed_hash))
        except ValueError:
            self._pending.append(b"")
        self.size += 1
        if self.size == self.heads.due:
            self._settle()
            self.heads.compare(self.frontier, self.size)
        elif len(self._pending) >= 10_000:
            self._settle()

    def finish(self, leaves: int) -> None:
        """The end of the log."""
        self._settle()
        self.heads.finish(self.size)
        if leaves > self.seen:
            self.findings.append(Finding(f"{leaves - self.seen} leaves stand outside the numbering", 0))

    def _settle(self) -> None:
        self.frontier = extend(self.frontier, self._pending)
        self._pending = []

    def _check(self, found: SealedEntry) -> None:
        present = found.present_hash
        if present == found.sealed_hash or len(self.findings) >= MOST_FINDINGS:
            return
        if present is None:
            when = _moment_of(found.audit_id)
            self.findings.append(Finding("the entry was deleted", found.leaf, found.audit_id, when))
        else:
            self._altered[present] = len(self.findings)
            self.findings.append(
                Finding("the entry was altered", found.leaf, found.audit_id, about(found.entry))
            )

    def name_moved(self, connection: Connection) -> None:
        """Say of altered entries that were sealed as another leaf that they were moved."""
        if self._altered:
            sealed_as = connection.execute(
                select(audit_leaves.c.leaf_hash, audit_leaves.c.leaf).where(
                    audit_leaves.c.leaf_hash.in_(self._altered)
                )
            )
            for sealed_hash, leaf in sealed_as:
                position = self._altered[sealed_hash]
                problem = f"the entry was moved: it was sealed as leaf {leaf}"
                self.findings[position] = replace(self.findings[position], problem=problem)


def _trusted(
    there: Sequence[Checkpoint], kept: Sequence[Checkpoint], against: Sequence[Checkpoint], files: LogFiles
) -> tuple[list[tuple[Checkpoint, str]], list[Finding]]:
    """The checkpoints that may be compared, by size, with where each stands; and what is wrong with the others."""
    placed = [(one, "the database") for one in there]
    placed += [(one, "the file") for one in kept]
    placed += [(one, "the copy kept elsewhere") for one in against]
    if not placed:
        return [], []
    key = files.public_key()
    if key is None:
        return [], [Finding(f"there is no public key in {files.folder} to check the checkpoints with")]
    good: list[tuple[Checkpoint, str]] = []
    findings: list[Finding] = []
    for one, place in sorted(placed, key=lambda pair: pair[0].size):
        if one.is_signed_by(key):
            good.append((one, place))
        else:
            findings.append(
                Finding(f"the checkpoint at {one.size} in {place} has a wrong signature", one.size)
            )
    logs = {place: {one.log for one, where in good if where == place} for _, place in good}
    own = next(iter(logs.get("the database") or logs.get("the file") or [None]))
    for place, known in logs.items():
        for other in sorted(known - {own}, key=str):
            findings.insert(
                0, Finding(f"{place} belongs to another log ({other}, not {own}): one of them was swapped", 0)
            )
    return [(one, place) for one, place in good if one.log == own], findings


def _kept_everywhere(there: Sequence[Checkpoint], files: LogFiles) -> Iterator[Finding]:
    """Checkpoints that only the database or only the file knows; one just sealed gets a moment to reach the file."""
    for _ in range(10):
        kept = set(files.kept())
        missing = [one for one in there if one not in kept]
        if not missing:
            break
        time.sleep(0.1)
    if missing:
        newest = max((one.size for one in kept), default=0)
        problem = (
            f"the checkpoint file outside the database ends earlier than the log, at {newest}"
            if missing[0].size > newest
            else f"the checkpoint file outside the database lacks the checkpoint at {missing[0].size}"
        )
        yield Finding(problem)
    newest = there[-1].size if there else 0
    lost = [one.size for one in kept if one not in set(there) and one.size < newest]
    if lost or (kept and not there):
        yield Finding(
            f"the database lacks {len(lost) or len(kept)} checkpoints that the file has, "
            f"the first at {min(lost or [one.size for one in kept])}"
        )


def _slipped_in(
    connection: Connection, there: Sequence[Checkpoint], entries: int, matched: int
) -> Iterator[Finding]:
    """Entries without a leaf that are older than what is sealed."""
    if entries == matched or not there:
        return
    newest = sealed_until(connection)
    if newest is None:
        return
    late = connection.execute(
        select(audit_entries.c.id, audit_entries.c.command, audit_entries.c.recorded_at)
        .outerjoin(audit_leaves, audit_leaves.c.audit_id == audit_entries.c.id)
        .where(audit_leaves.c.audit_id.is_(None), audit_entries.c.recorded_at < newest - LATE_COMMITS)
        .order_by(audit_entries.c.recorded_at, audit_entries.c.id)
        .limit(MOST_FINDINGS)
    )
    for row in late:
        yield Finding(
            "an entry was slipped in behind the seal", None, row.id, f"{row.command} at {row.recorded_at}"
        )


def _moment_of(audit_id: UUID | None) -> str | None:
    """When an entry was made, as far as its id tells: the first 48 bits of a UUIDv7 are its moment."""
    if audit_id is None or audit_id.version != 7:
        return None
    return f"made about {datetime.fromtimestamp((audit_id.int >> 80) / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"
