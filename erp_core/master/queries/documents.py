"""Compliance documents of suppliers: kinds in force, what is there, what is missing or runs out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import Connection, select

from erp_core.master.model import document_kinds, supplier_documents, suppliers
from erp_core.master.rules.documents import (
    DOCUMENT_KINDS,
    DocumentGap,
    DocumentKind,
    Validity,
    document_gaps,
    invalid,
)
from erp_core.storage.lookup import fetch_in

_VALIDITIES = select(
    supplier_documents.c.supplier_id,
    supplier_documents.c.kind,
    supplier_documents.c.valid_from,
    supplier_documents.c.valid_to,
)


@dataclass(frozen=True, slots=True)
class SupplierDocument:
    """A compliance document; `valid_to` is the first day it is no longer valid, None without end."""

    id: UUID
    supplier_id: UUID
    kind: str
    number: str
    valid_from: date
    valid_to: date | None
    file_sha256: str | None
    reference: str | None


@dataclass(frozen=True, slots=True)
class DocumentsDue:
    """A supplier whose required document is missing, not valid or about to run out."""

    supplier_id: UUID
    code: str
    name: str
    status: str
    gap: DocumentGap


def kinds_of_document(connection: Connection) -> dict[str, DocumentKind]:
    """The kinds in force, by kind: those a company starts with, replaced and added to by its own."""
    own = connection.execute(select(document_kinds)).all()
    return dict(DOCUMENT_KINDS) | {
        row.kind: DocumentKind(row.kind, row.label, tuple(row.required_for), row.blocks_orders, row.warn_days)
        for row in own
    }


def list_documents(connection: Connection, supplier_id: UUID) -> list[SupplierDocument]:
    """A supplier's documents, the newest first."""
    table = supplier_documents
    rows = connection.execute(
        select(
            table.c.id,
            table.c.supplier_id,
            table.c.kind,
            table.c.number,
            table.c.valid_from,
            table.c.valid_to,
            table.c.file_sha256,
            table.c.reference,
        )
        .where(table.c.supplier_id == supplier_id)
        .order_by(table.c.valid_from.desc(), table.c.kind)
    )
    return [SupplierDocument(*row) for row in rows]


def gaps_of(
    connection: Connection, asked: Iterable[tuple[UUID, str, date]]
) -> dict[tuple[UUID, date], list[DocumentGap]]:
    """What is wrong with the required documents of suppliers, given with their segment, each on its day.

    A supplier with nothing wrong on a day is left out. Two statements for any number of them.
    """
    wanted = set(asked)
    held: dict[UUID, list[Validity]] = {id_: [] for id_, _, _ in wanted}
    if not held:
        return {}
    for row in fetch_in(connection, _VALIDITIES, supplier_documents.c.supplier_id, held):
        held[row.supplier_id].append(Validity(row.kind, row.valid_from, row.valid_to))
    kinds = list(kinds_of_document(connection).values())
    found = {(id_, day): document_gaps(kinds, segment, held[id_], day) for id_, segment, day in wanted}
    return {key: gaps for key, gaps in found.items() if gaps}


def documents_in_the_way(
    connection: Connection, asked: Iterable[tuple[UUID, str, date]]
) -> dict[tuple[UUID, date], list[DocumentGap]]:
    """The gaps that forbid an order to a supplier on a day; a supplier without one is left out."""
    found = {
        key: [gap for gap in invalid(gaps) if gap.blocks_orders]
        for key, gaps in gaps_of(connection, asked).items()
    }
    return {key: gaps for key, gaps in found.items() if gaps}


def documents_due(connection: Connection, day: date) -> list[DocumentsDue]:
    """Submitted, active and blocked suppliers with something wrong on the day, what ends first coming first."""
    rows = connection.execute(
        select(suppliers.c.id, suppliers.c.code, suppliers.c.name, suppliers.c.status, suppliers.c.segment)
        .where(suppliers.c.status != "draft", suppliers.c.internal.is_(False))
        .order_by(suppliers.c.code)
    ).all()
    gaps = gaps_of(connection, ((row.id, row.segment, day) for row in rows))
    due = [
        DocumentsDue(row.id, row.code, row.name, row.status, gap)
        for row in rows
        for gap in gaps.get((row.id, day), ())
    ]
    return sorted(due, key=lambda one: (one.gap.ends_on or date.min, one.code, one.gap.kind))
