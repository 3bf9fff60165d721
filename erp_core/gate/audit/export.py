"""The log for an auditor: a zip of plain files that can be verified without the database.

``entries.jsonl`` has a line for every leaf, in order: ``{"entry", "hash", "leaf"}``. Where a filter leaves entries out,
a line ``{"hash", "leaf", "leaves"}`` stands for a full subtree of them, so that the tree head still follows.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine, select

from erp_core.gate.audit.checkpoints import Checkpoint, LogFiles, public_key_from, read_lines, stored
from erp_core.gate.audit.findings import Finding
from erp_core.gate.audit.leaves import Entry, SealedEntry, about, hash_of, sealed_entries
from erp_core.gate.audit.proofs import NotSealed
from erp_core.gate.contract import DomainError
from erp_core.gate.merkle import Frontier, extend_by_subtrees, node_hash, root, size_of
from erp_core.gate.model import audit_checkpoints
from erp_core.storage.engine import reading
from erp_core.storage.types import canonical_json

FORMAT = "quartermaster audit export 1"
ENTRIES, CHECKPOINTS, KEY, MANIFEST, README = (
    "entries.jsonl",
    "checkpoints.jsonl",
    "public-key.pem",
    "manifest.json",
    "README.txt",
)

_README = """An audit log of Quartermaster
=============================

{entries} of {size} sealed entries of the log {log}, up to the checkpoint sealed at {sealed_at}.

entries.jsonl      A line for every leaf of the log, in order. "hash" is SHA-256 of the byte 0x00 and the entry as
                   canonical JSON (RFC 8785, UTF-8). A line with "leaves" stands for that many entries left out by the
                   filter; its hash is the root of their subtree.
checkpoints.jsonl  The signed tree heads (RFC 6962): Ed25519 over the four lines
                   "quartermaster audit log LOG", SIZE, ROOT, SEALED_AT, each ended by a line feed.
public-key.pem     The key that checks them. Compare it with the one the company gave you by another way.
manifest.json      What was asked for, and SHA-256 of each file.

Check it with `quartermaster audit check-export PATH --key KEY`; no database is needed. A filtered export proves that
each entry shown stands in the log as it is, and not that the filter left out nothing that fits it.

People and customers appear by id only: names are in the database, from which they can be erased.
"""


class ExportRefused(DomainError):
    """What was given as an export cannot be read as one."""

    code = "export_refused"


@dataclass(frozen=True, slots=True)
class Selection:
    """Which entries to show: recorded on these days (UTC, inclusive), about this subject, by this person or their agent."""

    since: date | None = None
    until: date | None = None
    subject: UUID | None = None
    person: UUID | None = None

    def takes(self, entry: Entry) -> bool:
        """Whether an entry is asked for."""
        day = entry["recorded_at"][:10]
        return (
            (self.since is None or day >= self.since.isoformat())
            and (self.until is None or day <= self.until.isoformat())
            and (
                self.subject is None
                or str(self.subject) in (entry.get("subject_id"), entry.get("proposal_id"))
            )
            and (
                self.person is None
                or str(self.person) in (entry.get("principal_id"), entry.get("on_behalf_of"))
            )
        )


@dataclass(slots=True)
class _Writer:
    """Lines of the export; entries left out are merged to full subtrees."""

    write: Callable[[bytes], object]
    selection: Selection
    shown: int = 0
    _left_out: list[tuple[int, str]] = field(default_factory=list)
    _next: int = 0

    def take(self, found: SealedEntry) -> None:
        """The next leaf. One whose entry is gone is shown without it: the check names it."""
        if found.entry is None or self.selection.takes(found.entry):
            self.flush()
            line = {"entry": found.entry, "hash": found.sealed_hash, "leaf": found.leaf}
            self.write(f"{canonical_json(line)}\n".encode())
            self.shown += 1
            self._next = found.leaf + 1
            return
        count, value = 1, found.sealed_hash
        start = self._next + sum(size for size, _ in self._left_out)
        while self._left_out and self._left_out[-1][0] == count and start % (2 * count) == count:
            _, left = self._left_out.pop()
            start -= count
            count, value = 2 * count, node_hash(bytes.fromhex(left), bytes.fromhex(value)).hex()
        self._left_out.append((count, value))

    def flush(self) -> None:
        """Write the subtrees left out so far."""
        for count, value in self._left_out:
            line = {"hash": value, "leaf": self._next, "leaves": count}
            self.write(f"{canonical_json(line)}\n".encode())
            self._next += count
        self._left_out = []


def export(
    engine: Engine, files: LogFiles, target: Path, selection: Selection, now: datetime
) -> dict[str, Any]:
    """Write the sealed log to the zip file `target`; gives its manifest. Raises `NotSealed` for an empty log."""
    with (
        reading(engine) as connection,
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
    ):
        checkpoints = _checkpoints(connection)
        pem = files.public_pem()
        if not checkpoints or pem is None:
            raise NotSealed("nothing is sealed yet", remedy="seal the log first")
        newest = checkpoints[-1]
        digest = sha256()
        with archive.open(ENTRIES, "w", force_zip64=True) as file:

            def write(line: bytes) -> None:
                digest.update(line)
                file.write(line)

            writer = _Writer(write, selection)
            for found in sealed_entries(connection, stop=newest.size):
                writer.take(found)
            writer.flush()
        others = {
            CHECKPOINTS: "".join(f"{canonical_json(one.as_json())}\n" for one in checkpoints),
            KEY: pem,
            README: _README.format(
                entries=writer.shown, size=newest.size, log=newest.log, sealed_at=newest.sealed_at
            ),
        }
        manifest = {
            "format": FORMAT,
            "log": str(newest.log),
            "made_at": now.isoformat(),
            "selection": {name: value and str(value) for name, value in asdict(selection).items()},
            "entries": writer.shown,
            "left_out": newest.size - writer.shown,
            "checkpoint": newest.as_json(),
            "sha256": {ENTRIES: digest.hexdigest()}
            | {name: sha256(text.encode()).hexdigest() for name, text in others.items()},
        }
        for name, text in others.items():
            archive.writestr(name, text)
        archive.writestr(MANIFEST, json.dumps(manifest, indent=2))
    return manifest


def _checkpoints(connection: Connection) -> list[Checkpoint]:
    rows = connection.execute(select(audit_checkpoints).order_by(audit_checkpoints.c.size))
    return [stored(row) for row in rows]


@dataclass(frozen=True, slots=True)
class ExportCheck:
    """An export recomputed: how many entries it shows and leaves out, and what is wrong, first bad entry first."""

    log: UUID | None
    shown: int
    left_out: int
    root: str
    findings: tuple[Finding, ...]

    @property
    def intact(self) -> bool:
        """Whether nothing was found."""
        return not self.findings


def check_export(path: Path, key_pem: str | None = None) -> ExportCheck:
    """Verify an export, as a zip or unpacked in a folder, without any database.

    `key_pem` is the public key that the auditor trusts; without it the export's own, which shows that the
    export agrees with itself and not whose it is. Raises `ExportRefused` when a file is missing.
    """
    try:
        with _Opened(path) as files:
            checkpoints = sorted(read_lines(files.text(CHECKPOINTS)))
            key = public_key_from(key_pem or files.text(KEY))
            manifest = json.loads(files.text(MANIFEST))
            findings = [
                Finding(f"the checkpoint at {one.size} has a wrong signature", one.size)
                for one in checkpoints
                if not one.is_signed_by(key)
            ]
            if not checkpoints:
                findings.append(Finding("there is no checkpoint"))
            logs = {one.log for one in checkpoints}
            if len(logs) > 1:
                findings.append(Finding(f"the checkpoints are of {len(logs)} logs: one of them was swapped"))
            recount = _Recount(checkpoints)
            for line in files.lines(ENTRIES):
                recount.take(line)
            recount.finish()
            recount.compare_with(manifest, files)
    except (KeyError, OSError, ValueError, AttributeError, zipfile.BadZipFile) as error:
        raise ExportRefused(
            f"{path} is no export of an audit log: {error}",
            remedy="make it with `quartermaster audit export`",
        ) from error
    ordered = sorted(recount.findings, key=lambda one: float("inf") if one.leaf is None else one.leaf)
    return ExportCheck(
        next(iter(logs), None),
        recount.shown,
        recount.left_out,
        root(recount.frontier).hex(),
        (*ordered, *findings),
    )


@dataclass(slots=True)
class _Recount:
    """The lines of an export as they go past."""

    checkpoints: list[Checkpoint]
    frontier: Frontier = ()
    shown: int = 0
    left_out: int = 0
    findings: list[Finding] = field(default_factory=list)
    _next: int = 0
    _fits_until: int = 0
    _broken: bool = False

    def take(self, line: bytes) -> None:
        """The next line."""
        value = json.loads(line)
        leaf, count = size_of(self.frontier), value.get("leaves", 1)
        entry = value.get("entry")
        if value["leaf"] != leaf:
            self.findings.append(Finding(f"the line of leaf {leaf} is missing or out of order", leaf))
        if "leaves" in value:
            self.left_out += count
        else:
            self.shown += 1
            if entry is None:
                self.findings.append(Finding("the entry was deleted before the export", leaf))
            elif hash_of(entry) != value["hash"]:
                self.findings.append(Finding("the entry was altered", leaf, _id_of(entry), about(entry)))
        self.frontier = extend_by_subtrees(self.frontier, [(count, bytes.fromhex(value["hash"]))])
        self._compare(leaf + count)

    def _compare(self, size: int) -> None:
        while self._next < len(self.checkpoints) and self.checkpoints[self._next].size <= size:
            checkpoint = self.checkpoints[self._next]
            self._next += 1
            if checkpoint.size < size or self._broken:
                continue  # it falls within what the filter left out
            if root(self.frontier).hex() == checkpoint.root:
                self._fits_until = size
            else:
                self._broken = True
                self.findings.append(
                    Finding(
                        f"the tree head at {size} differs from the checkpoint: one of the leaves {self._fits_until} "
                        f"to {size - 1} was forged together with its hash, put in or moved",
                        self._fits_until,
                    )
                )

    def finish(self) -> None:
        """The end of the lines must be the newest checkpoint."""
        size = size_of(self.frontier)
        if self.checkpoints and self.checkpoints[-1].size != size:
            self.findings.append(
                Finding(
                    f"the export was cut or lengthened: {size} of {self.checkpoints[-1].size} leaves", size
                )
            )

    def compare_with(self, manifest: Any, files: _Opened) -> None:
        """The files must be those that the manifest lists; an export without filter leaves nothing out."""
        for name, digest in sorted(manifest["sha256"].items()):
            if files.digest(name) != digest:
                self.findings.append(Finding(f"{name} is not the file that the manifest lists"))
        if self.left_out and not any(manifest["selection"].values()):
            self.findings.append(
                Finding(f"{self.left_out} entries are left out though no filter was asked for")
            )


def _id_of(entry: Any) -> UUID | None:
    try:
        return UUID(entry["id"])
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


class _Opened:
    """The files of an export, zipped or in a folder."""

    def __init__(self, path: Path) -> None:
        self._archive = None if path.is_dir() else zipfile.ZipFile(path)
        self._folder = path

    def __enter__(self) -> _Opened:
        return self

    def __exit__(self, *_: object) -> None:
        if self._archive is not None:
            self._archive.close()

    def lines(self, name: str) -> Iterator[bytes]:
        """The lines of a file, one at a time."""
        with self._open(name) as file:
            yield from file

    def text(self, name: str) -> str:
        """A small file whole."""
        with self._open(name) as file:
            content: bytes = file.read()
        return content.decode()

    def digest(self, name: str) -> str:
        """SHA-256 of a file."""
        digest = sha256()
        with self._open(name) as file:
            while block := file.read(1 << 20):
                digest.update(block)
        return digest.hexdigest()

    def _open(self, name: str) -> Any:
        if self._archive is not None:
            return self._archive.open(name)
        return (self._folder / Path(name).name).open("rb")
