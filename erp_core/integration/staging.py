"""Staging: what an import read, kept until it is posted. Technical tables, no business state."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine, delete, func, select, update

from erp_core.gate.contract import DomainError
from erp_core.integration.findings import Chunk, Feed, Findings, Refusal
from erp_core.integration.model import import_chunks, import_refusals, imports
from erp_core.storage.bulk import insert_rows
from erp_core.storage.engine import reading, writing

CHUNKS_AT_ONCE = 8


class ImportMissing(DomainError):
    """There is no such import, or it is not in the state that the step needs."""

    code = "import_missing"


class ChunkAltered(DomainError):
    """A staged chunk is not what was staged."""

    code = "chunk_altered"


@dataclass(frozen=True, slots=True)
class StagedChunk:
    """A chunk by number, as the command that posts it quotes it."""

    number: int
    kind: str
    rows: int
    sha256: str


@dataclass(frozen=True, slots=True)
class ImportRow:
    """One import as it stands."""

    id: UUID
    source: str
    file_name: str
    as_of: date
    status: str
    rows_read: int
    rows_accepted: int
    rows_set_aside: int
    rows_refused: int
    chunks: int
    counts: dict[str, dict[str, int]]
    feeds: dict[Feed, list[str]]


def find_import(connection: Connection, import_id: UUID) -> ImportRow | None:
    """The import, or None."""
    columns = [imports.c[name] for name in ImportRow.__dataclass_fields__]
    row = connection.execute(select(*columns).where(imports.c.id == import_id)).one_or_none()
    return ImportRow(*row) if row else None


def digest(payload: str) -> str:
    """The SHA-256 of a chunk's payload."""
    return sha256(payload.encode()).hexdigest()


def stage(engine: Engine, import_id: UUID, chunks: Iterable[Chunk]) -> Iterable[StagedChunk]:
    """Write the chunks, a few in each short transaction; those already there stay.

    A staged chunk that differs (the rules changed since) is replaced: nothing was posted yet.
    """
    with reading(engine) as connection:
        known = {
            row.chunk: row.payload_sha256
            for row in connection.execute(
                select(import_chunks.c.chunk, import_chunks.c.payload_sha256).where(
                    import_chunks.c.import_id == import_id
                )
            )
        }
    number = 0
    waiting: list[dict[str, Any]] = []
    for number, chunk in enumerate(chunks, start=1):
        staged = StagedChunk(number, chunk.kind, chunk.rows, digest(chunk.payload))
        if known.get(number) != staged.sha256:
            waiting.append(
                {
                    "import_id": import_id,
                    "chunk": number,
                    "kind": chunk.kind,
                    "rows": chunk.rows,
                    "payload": chunk.payload,
                    "payload_sha256": staged.sha256,
                }
            )
        if len(waiting) == CHUNKS_AT_ONCE:
            _replace(engine, import_id, waiting)
            waiting = []
        yield staged
    _replace(engine, import_id, waiting)
    with writing(engine) as connection:
        connection.execute(
            delete(import_chunks).where(
                import_chunks.c.import_id == import_id, import_chunks.c.chunk > number
            )
        )


def _replace(engine: Engine, import_id: UUID, rows: Sequence[dict[str, Any]]) -> None:
    if not rows:
        return
    numbers = [row["chunk"] for row in rows]
    table = import_chunks
    with writing(engine) as connection:
        connection.execute(delete(table).where(table.c.import_id == import_id, table.c.chunk.in_(numbers)))
        insert_rows(connection, table, rows)


def _is(import_id: UUID, number: int) -> Any:
    return (import_chunks.c.import_id == import_id) & (import_chunks.c.chunk == number)


def keep_refusals(engine: Engine, import_id: UUID, refusals: Sequence[Refusal]) -> None:
    """Replace the refused rows that are on record for an import."""
    unique = {(one.line, one.field): one for one in refusals}
    rows = [{"import_id": import_id, **asdict(one)} for one in unique.values()]
    with writing(engine) as connection:
        connection.execute(delete(import_refusals).where(import_refusals.c.import_id == import_id))
        insert_rows(connection, import_refusals, rows)


def set_status(engine: Engine, import_id: UUID, status: str, findings: Findings) -> None:
    """Record where the import stands and what reading found; chunks are counted, not claimed."""
    if not findings.adds_up():
        raise AssertionError(
            f"rows read {findings.read} are not accepted, set aside and refused rows: {findings}"
        )
    with writing(engine) as connection:
        staged = select(func.count()).where(import_chunks.c.import_id == import_id).scalar_subquery()
        connection.execute(
            update(imports)
            .where(imports.c.id == import_id, imports.c.status != "complete")
            .values(
                status=status,
                rows_read=findings.read,
                rows_accepted=findings.accepted,
                rows_set_aside=findings.set_aside.total(),
                rows_refused=findings.refused,
                chunks=staged,
                counts={"set_aside": dict(findings.set_aside), "noted": dict(findings.noted)},
                feeds={
                    kind: [first.isoformat(), last.isoformat()]
                    for kind, (first, last) in findings.feeds.items()
                },
            )
        )


def unposted(engine: Engine, import_id: UUID) -> list[StagedChunk]:
    """The chunks that still wait, in their order."""
    with reading(engine) as connection:
        rows = connection.execute(
            select(
                import_chunks.c.chunk,
                import_chunks.c.kind,
                import_chunks.c.rows,
                import_chunks.c.payload_sha256,
            )
            .where(import_chunks.c.import_id == import_id, import_chunks.c.audit_id.is_(None))
            .order_by(import_chunks.c.chunk)
        )
        return [StagedChunk(*row) for row in rows]


def load(connection: Connection, import_id: UUID, number: int) -> tuple[str, str, int, UUID | None]:
    """Payload, its recorded SHA-256, rows, and the audit entry that posted it, of one chunk."""
    row = connection.execute(
        select(
            import_chunks.c.payload,
            import_chunks.c.payload_sha256,
            import_chunks.c.rows,
            import_chunks.c.audit_id,
        ).where(_is(import_id, number))
    ).one_or_none()
    if row is None:
        raise ImportMissing(
            f"import {import_id} has no chunk {number}",
            field="chunk",
            remedy="run the import again from its file",
        )
    return row.payload, row.payload_sha256, row.rows, row.audit_id


def mark_posted(connection: Connection, import_id: UUID, number: int, audit_id: UUID) -> None:
    """Empty the payload of a posted chunk and name its audit entry."""
    connection.execute(
        update(import_chunks).where(_is(import_id, number)).values(payload="", audit_id=audit_id)
    )
