"""Commands of imports. A chunk's command names the staged rows by number and hash; it never carries them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from uuid import UUID

import orjson
from pydantic import Field
from sqlalchemy import func, select, update

from erp_core.gate.contract import (
    Command,
    Done,
    Event,
    Registration,
    Registry,
    Task,
    Transaction,
    each,
)
from erp_core.integration.disposal import register as register_disposal
from erp_core.integration.edifact.commands import register as register_edifact
from erp_core.integration.model import import_chunks, imports
from erp_core.integration.posting import POSTERS, Lookups, Posting
from erp_core.integration.staging import ChunkAltered, ImportMissing, digest, find_import, load, mark_posted
from erp_core.master.feeds import Feeds
from erp_core.master.model import import_visibility, items
from erp_core.storage.bulk import insert_missing


class _ImportCommand(Command):
    import_id: UUID

    @property
    def subject(self) -> tuple[str, UUID]:
        """The import."""
        return ("import", self.import_id)


class BeginImport(_ImportCommand):
    """Open an import of a file; its rows stay unseen until `CompleteImport`."""

    source: str = Field(max_length=30)
    file_name: str = Field(max_length=200)
    file_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    as_of: date


class PostChunk(_ImportCommand):
    """Post one staged chunk; `sha256` must be the staged rows'. What each kind means: `posting`."""

    chunk: int = Field(ge=1)
    rows: int = Field(ge=0)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class PostImportedItems(PostChunk):
    """Items, and the places they are sold at. Items stay drafts until the import is complete."""


class PostImportedSuppliers(PostChunk):
    """Suppliers and what they supply. Suppliers stay drafts: activating one is for `ActivateSupplier`."""


class PostImportedSales(PostChunk):
    """Past orders: sales and demand, no stock."""


class AddUpImportedSales(PostChunk):
    """The daily sums of items whose past orders are all posted."""


class PostImportedPurchases(PostChunk):
    """Purchase orders and their receipts as they were, no stock."""


class PostImportedReturns(PostChunk):
    """Past returns, no stock."""


class PostImportedStock(PostChunk):
    """Opening stock and its cost, through the ledger."""


class PostImportedOrders(PostChunk):
    """Open orders, reserved from stock like any other."""


class CompleteImport(_ImportCommand):
    """Show the rows of an import to readers; refused while a chunk waits."""

    chunks: int = Field(ge=0)
    rows: int = Field(ge=0)


COMMAND_OF: dict[str, type[PostChunk]] = {
    "items": PostImportedItems,
    "suppliers": PostImportedSuppliers,
    "sales": PostImportedSales,
    "sums": AddUpImportedSales,
    "purchases": PostImportedPurchases,
    "returns": PostImportedReturns,
    "stock": PostImportedStock,
    "orders": PostImportedOrders,
}


def begin(task: Task[BeginImport], tx: Transaction) -> Done:
    """Make the import's row, hidden."""
    command = task.command
    insert_missing(
        tx.connection,
        imports,
        [
            {
                "id": command.import_id,
                "source": command.source,
                "file_name": command.file_name,
                "file_sha256": command.file_sha256,
                "as_of": command.as_of,
                "status": "staging",
                "rows_read": 0,
                "rows_accepted": 0,
                "rows_set_aside": 0,
                "rows_refused": 0,
                "chunks": 0,
                "counts": {},
                "feeds": {},
                "requested_by": task.principal.user_id,
                "started_at": tx.recorded_at,
            }
        ],
    )
    insert_missing(
        tx.connection,
        import_visibility,
        [
            {
                "import_id": command.import_id,
                "complete": False,
                "as_of": command.as_of,
                "source": command.source,
            }
        ],
    )
    return Done({"import_id": str(command.import_id)}, after={"status": "staging"})


def _poster(kind: str, lookups: Lookups) -> Callable[[Task[PostChunk], Transaction], Done]:
    post = POSTERS[kind]

    def handle(task: Task[PostChunk], tx: Transaction) -> Done:
        command = task.command
        row = find_import(tx.connection, command.import_id)
        payload, recorded, rows, posted = load(tx.connection, command.import_id, command.chunk)
        if posted is not None:
            return Done({"rows": 0, "posted_by": str(posted)})
        if row is None or row.status != "posting":
            raise ImportMissing(
                f"import {command.import_id} is not being posted", field="import_id", remedy="stage it first"
            )
        if (command.sha256, command.rows) != (recorded, rows) or digest(payload) != recorded:
            raise ChunkAltered(
                f"chunk {command.chunk} is not what was staged", field="sha256", remedy="run the import again"
            )
        post(orjson.loads(payload), Posting(tx, task, row, lookups))
        mark_posted(tx.connection, command.import_id, command.chunk, task.audit_id)
        return Done({"rows": rows})

    return handle


def complete(task: Task[CompleteImport], tx: Transaction) -> Done:
    """Activate the items, show the rows, and say which kinds of fact the company now has."""
    command = task.command
    row = find_import(tx.connection, command.import_id)
    if row is None or row.status not in ("posting", "complete"):
        raise ImportMissing(
            f"import {command.import_id} was not posted", field="import_id", remedy="post it first"
        )
    waiting = tx.connection.scalar(
        select(func.count()).where(
            import_chunks.c.import_id == command.import_id, import_chunks.c.audit_id.is_(None)
        )
    )
    if waiting or row.chunks != command.chunks:
        raise ImportMissing(
            f"{waiting} of {row.chunks} chunks wait",
            field="chunks",
            remedy="run the import again: it continues",
        )
    posted = select(import_chunks.c.audit_id).where(
        import_chunks.c.import_id == command.import_id, import_chunks.c.kind == "items"
    )
    tx.connection.execute(
        update(items).where(items.c.status == "draft", items.c.audit_id.in_(posted)).values(status="active")
    )
    tx.connection.execute(
        update(import_visibility)
        .where(import_visibility.c.import_id == command.import_id)
        .values(complete=True)
    )
    tx.connection.execute(
        update(imports)
        .where(imports.c.id == command.import_id)
        .values(status="complete", finished_at=tx.recorded_at)
    )
    for kind, (first, last) in row.feeds.items():
        Feeds.of(tx).touch(kind, date.fromisoformat(first), date.fromisoformat(last))
    event = Event(
        "import.completed", "import", command.import_id, 1, {"source": row.source, "rows": row.rows_accepted}
    )
    return Done(
        {"rows": row.rows_accepted},
        events=(event,),
        before={"status": row.status},
        after={"status": "complete"},
    )


def register(registry: Registry) -> None:
    """Add the commands of imports."""
    lookups = Lookups()
    registry.register(Registration(BeginImport, each(begin)))
    for kind, command in COMMAND_OF.items():
        registry.register(Registration(command, each(_poster(kind, lookups))))
    registry.register(Registration(CompleteImport, each(complete)))
    register_edifact(registry)
    register_disposal(registry)
