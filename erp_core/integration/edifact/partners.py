"""Who may send an interchange: the identification in UNB is the supplier's own."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints
from sqlalchemy import Connection, select

from erp_core.gate.contract import (
    Command,
    DomainError,
    Done,
    NotFound,
    Registration,
    Registry,
    Task,
    Transaction,
    each,
)
from erp_core.integration.edifact.segments import Interchange, InterchangeRefused
from erp_core.integration.model import edi_partners
from erp_core.master.queries import list_suppliers
from erp_core.storage.bulk import upsert_replace
from erp_core.storage.locks import lock_names

Identification = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=35)]


class IdentificationTaken(DomainError):
    """Another supplier sends under this identification."""

    code = "identification_taken"


class RegisterEdiPartner(Command):
    """Under which identification, with its qualifier where it has one (14 for a GLN), a supplier sends interchanges."""

    supplier_id: UUID
    identification: Identification
    qualifier: Annotated[str, Field(max_length=4)] = ""

    @property
    def subject(self) -> tuple[str, UUID]:
        """The supplier."""
        return ("supplier", self.supplier_id)


def register_partner(task: Task[RegisterEdiPartner], tx: Transaction) -> Done:
    """Write the identification; it is one supplier's alone."""
    command, table = task.command, edi_partners.c
    if not list_suppliers(tx.connection, ids=[command.supplier_id]):
        raise NotFound("there is no such supplier", field="supplier_id", remedy="look it up by its code")
    lock_names(tx.connection, [f"edi partner {command.identification} {command.qualifier}"])
    holder = tx.connection.scalar(
        select(table.supplier_id).where(
            table.identification == command.identification, table.qualifier == command.qualifier
        )
    )
    if holder not in (None, command.supplier_id):
        raise IdentificationTaken(
            f"another supplier sends as {command.identification}",
            field="identification",
            remedy="check the number, or register another for that supplier first",
        )
    before = _registered(tx.connection, command.supplier_id)
    told = {"identification": command.identification, "qualifier": command.qualifier}
    row = {"supplier_id": command.supplier_id, "audit_id": task.audit_id} | told
    upsert_replace(tx.connection, edi_partners, [row], [*told, "audit_id"])
    return Done(
        {"supplier_id": str(command.supplier_id)} | told,
        before=None if before is None else {"identification": before[0], "qualifier": before[1]},
        after=told,
    )


def check_sender(connection: Connection, supplier_id: UUID, interchange: Interchange) -> None:
    """Pass when the sender of the interchange is the supplier: what is registered for it, else its code.

    Raises `InterchangeRefused`.
    """
    registered = _registered(connection, supplier_id)
    if registered is None:
        (supplier,) = list_suppliers(connection, ids=[supplier_id])
        expected, found = (supplier.code.lower(), ""), (interchange.sender.lower(), "")
    else:
        expected, found = registered, (interchange.sender, interchange.sender_qualifier)
    if found != expected:
        raise InterchangeRefused(
            f"its sender {interchange.sender or 'is missing and'} is not the one that is registered for you",
            field="content",
            remedy="send it under your own identification in UNB, or have yours registered",
            segment=1,
            tag="UNB",
        )


def _registered(connection: Connection, supplier_id: UUID) -> tuple[str, str] | None:
    table = edi_partners.c
    row = connection.execute(
        select(table.identification, table.qualifier).where(table.supplier_id == supplier_id)
    ).one_or_none()
    return None if row is None else (row.identification, row.qualifier)


def register(registry: Registry) -> None:
    """Add the command."""
    registry.register(Registration(RegisterEdiPartner, each(register_partner)))
