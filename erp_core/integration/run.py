"""`run_import`: from a file to posted rows. Parse, validate all, stage, post in chunks, show.

A run that was killed continues where it stood; a second run of the same content changes nothing.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path
from time import monotonic, sleep
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Engine, select

from erp_core.gate.contract import Command as GateCommand
from erp_core.gate.contract import Denied, DomainError, Executed, Outcome, Refused, Submission
from erp_core.gate.principals import Principal
from erp_core.gate.submission import Gate
from erp_core.integration.commands import COMMAND_OF, BeginImport, CompleteImport
from erp_core.integration.files import FileFacts, UnreadableFile, inspect, positions, rows_of
from erp_core.integration.findings import Chunks, Feed, Findings, Refusal
from erp_core.integration.ids import import_id
from erp_core.integration.known import Known
from erp_core.integration.model import import_refusals
from erp_core.integration.pace import GAP, Pace
from erp_core.integration.sources import SOURCES, Source
from erp_core.integration.staging import (
    ImportRow,
    find_import,
    keep_refusals,
    set_status,
    stage,
    unposted,
)
from erp_core.storage.engine import reading

OnError = Literal["reject-file", "skip-rows"]
Progress = Callable[[str, int, int], None]
REFUSALS_SHOWN = 100


class ImportStopped(DomainError):
    """The import could not go on: the right is missing, or a chunk was refused."""

    code = "import_stopped"


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did. `rows_read = rows_accepted + rows_set_aside + rows_refused`, always.

    `status`: complete, or rejected (nothing was posted). `unchanged`: the same content was imported
    before. `set_aside` and `noted` count rows by rule (docs/imports.md); `refusals` are the first hundred.
    """

    import_id: UUID
    source: str
    file_name: str
    as_of: date
    status: str
    unchanged: bool
    rows_read: int
    rows_accepted: int
    rows_set_aside: int
    rows_refused: int
    set_aside: dict[str, int]
    noted: dict[str, int]
    feeds: dict[Feed, list[str]]
    chunks: int
    refusals: tuple[Refusal, ...]

    def as_dict(self) -> dict[str, Any]:
        """JSON-safe form."""
        return asdict(self) | {"import_id": str(self.import_id), "as_of": self.as_of.isoformat()}

    def summary(self) -> str:
        """One sentence for people."""
        if self.unchanged:
            return f"{self.file_name} was imported before as of {self.as_of}: nothing changed."
        if self.status == "rejected":
            return (
                f"{self.file_name} was rejected: {self.rows_refused} of {self.rows_read} rows are malformed;"
                " nothing was posted."
            )
        return (
            f"{self.file_name}: {self.rows_read} rows read = {self.rows_accepted} accepted"
            f" + {self.rows_set_aside} set aside by rule + {self.rows_refused} refused."
        )


def run_import(
    gate: Gate,
    engine: Engine,
    principal: Principal,
    source: str,
    path: Path | str,
    as_of: date,
    on_error: OnError = "reject-file",
    progress: Progress | None = None,
) -> ImportReport:
    """Import a file as of a day; rows that became known later stay out.

    `source` is a name of `SOURCES`. With `reject-file` one malformed row stops the whole file and
    nothing is posted; with `skip-rows` the others are posted. `progress(step, done, total)` is called
    while reading, staging and posting, in rows. Raises `UnreadableFile` for a file that is no such
    CSV, `ImportStopped` where the principal has no right or the books refuse a chunk; what was posted
    by then stays hidden, and the same call continues.
    """
    tell = progress or (lambda _step, _done, _total: None)
    reader = _source(source)
    facts = inspect(Path(path))
    id_ = import_id(reader.name, facts.sha256, as_of)
    before = _find(engine, id_)
    if before is not None and before.status == "complete":
        return _report(engine, before, unchanged=True)
    _begin(gate, principal, reader, facts, id_, as_of)
    if before is None or before.status != "posting":
        findings, chunks = _read(engine, reader, facts, id_, as_of, tell)
        keep_refusals(engine, id_, findings.refusals)
        if findings.refused and on_error == "reject-file":
            set_status(engine, id_, "rejected", findings)
            return _report(engine, _found(engine, id_))
        staged = 0
        for chunk in stage(engine, id_, chunks):
            staged += chunk.rows
            tell("staging", staged, max(staged, findings.accepted))
        set_status(engine, id_, "posting", findings)
    _post(gate, engine, principal, id_, tell)
    return _report(engine, _found(engine, id_))


def _source(name: str) -> Source:
    if name not in SOURCES:
        raise UnreadableFile(
            f"there is no source {name!r}", field="source", remedy=f"use one of {', '.join(sorted(SOURCES))}"
        )
    return SOURCES[name]()


def _begin(
    gate: Gate, principal: Principal, reader: Source, facts: FileFacts, id_: UUID, as_of: date
) -> None:
    command = BeginImport(
        import_id=id_,
        source=reader.name,
        file_name=facts.path.name[:200],
        file_sha256=facts.sha256,
        as_of=as_of,
    )
    _submit(gate, principal, command, f"{id_}:begin:{sha256(command.file_name.encode()).hexdigest()[:8]}")


def _read(
    engine: Engine, reader: Source, facts: FileFacts, id_: UUID, as_of: date, tell: Progress
) -> tuple[Findings, Chunks]:
    findings = Findings()
    with rows_of(facts) as (header, rows):
        places = positions(header, reader.columns, reader.required)
        chunks = reader.read(_Counted(rows, tell), places, Known(engine, id_, as_of), findings)
    if not findings.read:
        raise UnreadableFile(f"{facts.path.name} has no rows", field="file", remedy="give a file with rows")
    if not findings.adds_up():
        raise AssertionError(f"{reader.name} lost count of rows: {findings}")
    tell("reading", findings.read, findings.read)
    return findings, chunks


class _Counted:
    """Rows that report how many have passed."""

    EVERY = 20_000

    def __init__(self, rows: Any, tell: Progress) -> None:
        self._rows = rows
        self._tell = tell

    def __iter__(self) -> Any:
        for number, row in enumerate(self._rows, start=1):
            yield row
            if number % self.EVERY == 0:
                self._tell("reading", number, 0)


def _post(gate: Gate, engine: Engine, principal: Principal, id_: UUID, tell: Progress) -> None:
    row = _found(engine, id_)
    waiting = unposted(engine, id_)
    done = row.rows_accepted - sum(chunk.rows for chunk in waiting)
    pace = Pace()
    for batch in pace.batches(waiting):
        submissions = [
            Submission(
                COMMAND_OF[chunk.kind](
                    import_id=id_, chunk=chunk.number, rows=chunk.rows, sha256=chunk.sha256
                ),
                f"{id_}:{chunk.number}",
            )
            for chunk in batch
        ]
        started = monotonic()
        outcomes = gate.submit_many(submissions, principal, imported=True)
        pace.took(len(batch), monotonic() - started)
        for submission, outcome in zip(submissions, outcomes, strict=True):
            _check(submission.command, outcome)
        done += sum(chunk.rows for chunk in batch)
        if engine.dialect.name == "sqlite":
            sleep(GAP)  # a rival that waits for its turn takes it now
        tell("posting", max(done, 0), row.rows_accepted)
    _submit(
        gate,
        principal,
        CompleteImport(import_id=id_, chunks=row.chunks, rows=row.rows_accepted),
        f"{id_}:complete",
    )


def _submit(gate: Gate, principal: Principal, command: GateCommand, key: str) -> None:
    (outcome,) = gate.submit_many([Submission(command, key)], principal, imported=True)
    _check(command, outcome)


def _check(command: GateCommand, outcome: Outcome) -> None:
    if isinstance(outcome, Executed):
        return
    if isinstance(outcome, Denied):
        raise ImportStopped(outcome.message, remedy=outcome.remedy)
    if isinstance(outcome, Refused):
        error = outcome.error
        raise ImportStopped(error.message, field=error.field, remedy=error.remedy, refused=error.as_dict())
    raise ImportStopped(
        f"{command.command_name} did not run: {outcome}",
        remedy="let a person with the right to import run it",
    )


def _find(engine: Engine, id_: UUID) -> ImportRow | None:
    with reading(engine) as connection:
        return find_import(connection, id_)


def _found(engine: Engine, id_: UUID) -> ImportRow:
    row = _find(engine, id_)
    assert row is not None
    return row


def _report(engine: Engine, row: ImportRow, *, unchanged: bool = False) -> ImportReport:
    return ImportReport(
        import_id=row.id,
        source=row.source,
        file_name=row.file_name,
        as_of=row.as_of,
        status=row.status,
        unchanged=unchanged,
        rows_read=row.rows_read,
        rows_accepted=row.rows_accepted,
        rows_set_aside=row.rows_set_aside,
        rows_refused=row.rows_refused,
        set_aside=row.counts.get("set_aside", {}),
        noted=row.counts.get("noted", {}),
        feeds=row.feeds,
        chunks=row.chunks,
        refusals=tuple(refusals(engine, row.id, limit=REFUSALS_SHOWN)),
    )


def refusals(engine: Engine, id_: UUID, *, limit: int | None = None) -> Sequence[Refusal]:
    """The refused rows of an import, by line."""
    table = import_refusals
    statement = (
        select(table.c.line, table.c.field, table.c.rule, table.c.reason, table.c.remedy)
        .where(table.c.import_id == id_)
        .order_by(table.c.line, table.c.field)
        .limit(limit)
    )
    with reading(engine) as connection:
        return [Refusal(*row) for row in connection.execute(statement)]


def write_refusals(engine: Engine, report: ImportReport, path: Path | str) -> int:
    """Write the refused rows as CSV (file, line, field, rule, reason, remedy); how many there are."""
    found = refusals(engine, report.import_id)
    with Path(path).open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(("file", "line", "field", "rule", "reason", "remedy"))
        writer.writerows(
            (report.file_name, one.line, one.field, one.rule, one.reason, one.remedy) for one in found
        )
    return len(found)
