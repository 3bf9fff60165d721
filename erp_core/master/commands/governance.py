"""What governs the master data, as data: owners, document kinds, reason codes, parameters."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import Field, StringConstraints, model_validator
from sqlalchemy import select

from erp_core.gate.contract import Command, DomainError, Done, Registration, Registry, Task, Transaction
from erp_core.gate.model import users
from erp_core.master.commands.records import AlreadyExists, existing, unknown
from erp_core.master.model import (
    data_owners,
    document_kinds,
    master_parameters,
    reason_codes,
    supplier_documents,
    suppliers,
)
from erp_core.master.queries.documents import kinds_of_document
from erp_core.master.queries.owners import DOMAINS, WHOLE_DOMAIN
from erp_core.master.queries.parameters import parameters
from erp_core.master.queries.reasons import reason_catalogue
from erp_core.master.rules.parameters import PARAMETERS
from erp_core.master.rules.reasons import EFFECTS, KINDS
from erp_core.master.values import ReasonCode
from erp_core.storage.bulk import insert_rows, upsert_replace
from erp_core.storage.lookup import fetch_in, there

_Label = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]
_Segment = Literal["strategic", "long_tail", "imported", "domestic"]


class UnknownKind(DomainError):
    """A kind, domain or parameter that the company does not know."""

    code = "unknown_kind"


class OutOfBounds(DomainError):
    """A parameter outside its bounds."""

    code = "out_of_bounds"


class FixedReason(DomainError):
    """A reason that the system's own rules set, or whose effect past documents rest on."""

    code = "fixed_reason"


class AddSupplierDocument(Command):
    """A compliance document of a supplier, valid from a day and up to, not on, another (without end: None)."""

    document_id: UUID
    supplier_id: UUID
    kind: ReasonCode
    number: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]
    valid_from: date
    valid_to: date | None = None
    file_sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] | None = None
    reference: (
        Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)] | None
    ) = None

    @model_validator(mode="after")
    def _has_days(self) -> Self:
        if self.valid_to is not None and self.valid_to <= self.valid_from:
            raise ValueError(
                "valid_to lies on or before valid_from: give the first day it is no longer valid"
            )
        return self

    @property
    def subject(self) -> tuple[str, UUID]:
        """The supplier."""
        return ("supplier", self.supplier_id)


class SetDocumentKind(Command):
    """Which segments must have a kind of document, whether orders are refused without, and when it is listed."""

    kind: ReasonCode
    label: _Label
    required_for: tuple[_Segment, ...] = ()
    blocks_orders: bool = True
    warn_days: Annotated[int, Field(ge=0, le=365)] = 30


class SetReasonCode(Command):
    """Add a reason code, rename it, say what it does, or switch it off."""

    kind: str
    code: ReasonCode
    label: _Label
    effect: str | None = None
    active: bool = True


class SetMasterParameter(Command):
    """A threshold or deduction of master-data governance, within its bounds."""

    name: str
    value: int


class AssignDataOwner(Command):
    """Who owns a domain of master data, or one record of it."""

    domain: str
    user_id: UUID
    record_id: UUID | None = None

    @property
    def subject(self) -> tuple[str, UUID]:
        """The record, or the owner where it is about the whole domain."""
        return (self.domain[:30], self.record_id or self.user_id)


def _no_such(what: str, name: str, known: Sequence[str], field: str) -> UnknownKind:
    return UnknownKind(f"there is no {what} {name}", field=field, remedy=f"use one of {', '.join(known)}")


def add_supplier_documents(
    tasks: Sequence[Task[AddSupplierDocument]], tx: Transaction
) -> Sequence[Done | DomainError]:
    """Documents are added, never changed: a new one follows an old one."""
    known = existing(tx, suppliers, (task.command.supplier_id for task in tasks))
    taken = there(tx.connection, supplier_documents.c.id, (task.command.document_id for task in tasks))
    kinds = kinds_of_document(tx.connection)
    outcomes: list[Done | DomainError] = []
    rows: list[dict[str, Any]] = []
    for task in tasks:
        command = task.command
        if command.supplier_id not in known:
            outcomes.append(unknown("supplier", command.supplier_id))
        elif command.kind not in kinds:
            outcomes.append(_no_such("kind of document", command.kind, sorted(kinds), "kind"))
        elif command.document_id in taken:
            outcomes.append(
                AlreadyExists(
                    f"document {command.document_id} is there already",
                    field="document_id",
                    remedy="make a new id",
                )
            )
        else:
            taken.add(command.document_id)
            row = command.model_dump(exclude={"occurred_at", "document_id"})
            rows.append(row | {"id": command.document_id, "audit_id": task.audit_id})
            valid_to = command.valid_to and command.valid_to.isoformat()
            after = {"kind": command.kind, "valid_from": command.valid_from.isoformat(), "valid_to": valid_to}
            outcomes.append(Done({"document_id": str(command.document_id)}, after=after))
    insert_rows(tx.connection, supplier_documents, rows)
    return outcomes


def set_document_kinds(
    tasks: Sequence[Task[SetDocumentKind]], tx: Transaction
) -> Sequence[Done | DomainError]:
    """Write kinds of document; the last word on a kind counts."""
    rows = {
        task.command.kind: {
            **task.command.model_dump(exclude={"occurred_at", "required_for"}),
            "required_for": list(task.command.required_for),
            "audit_id": task.audit_id,
        }
        for task in tasks
    }
    names = ["label", "required_for", "blocks_orders", "warn_days", "audit_id"]
    upsert_replace(tx.connection, document_kinds, list(rows.values()), names)
    return [Done({"kind": task.command.kind}, after=_told(rows[task.command.kind])) for task in tasks]


def set_reason_codes(tasks: Sequence[Task[SetReasonCode]], tx: Transaction) -> Sequence[Done | DomainError]:
    """Write reason codes; those that rules set keep their meaning and stay on."""
    known = {(one.kind, one.code): one for one in reason_catalogue(tx.connection)}
    outcomes: list[Done | DomainError] = []
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for task in tasks:
        command = task.command
        before = known.get((command.kind, command.code))
        effects = EFFECTS.get(command.kind, ())
        if command.kind not in KINDS:
            outcomes.append(_no_such("kind of reason", command.kind, sorted(KINDS), "kind"))
        elif command.effect is not None and command.effect not in effects:
            outcomes.append(_no_such("effect", command.effect, effects or ("none",), "effect"))
        elif before is not None and before.fixed:
            outcomes.append(
                FixedReason(
                    f"{command.code} is set by a rule of the system", field="code", remedy="leave it as it is"
                )
            )
        elif before is not None and command.effect not in (None, before.effect):
            outcomes.append(
                FixedReason(
                    f"what {command.code} does is fixed: past documents rest on it",
                    field="effect",
                    remedy="leave the effect out, or add another code",
                )
            )
        else:
            row = command.model_dump(exclude={"occurred_at"}) | {"audit_id": task.audit_id}
            row["effect"] = command.effect if before is None else before.effect
            rows[command.kind, command.code] = row
            told = None if before is None else {"label": before.label, "active": before.active}
            outcomes.append(Done({"kind": command.kind, "code": command.code}, before=told, after=_told(row)))
    upsert_replace(
        tx.connection, reason_codes, list(rows.values()), ["label", "effect", "active", "audit_id"]
    )
    return outcomes


def set_master_parameters(
    tasks: Sequence[Task[SetMasterParameter]], tx: Transaction
) -> Sequence[Done | DomainError]:
    """Write parameters within their bounds."""
    before = parameters(tx.connection)
    outcomes: list[Done | DomainError] = []
    rows: dict[str, dict[str, Any]] = {}
    for task in tasks:
        command = task.command
        known = PARAMETERS.get(command.name)
        if known is None:
            outcomes.append(_no_such("parameter", command.name, sorted(PARAMETERS), "name"))
        elif not known.low <= command.value <= known.high:
            outcomes.append(
                OutOfBounds(
                    f"{command.value} is no value for {command.name} ({known.label})",
                    field="value",
                    remedy=f"give one from {known.low} to {known.high}",
                )
            )
        else:
            row = {"name": command.name, "value": command.value, "audit_id": task.audit_id}
            rows[command.name] = row
            was = {"value": before[command.name]}
            outcomes.append(Done({"name": command.name}, before=was, after={"value": command.value}))
    upsert_replace(tx.connection, master_parameters, list(rows.values()), ["value", "audit_id"])
    return outcomes


def assign_data_owners(
    tasks: Sequence[Task[AssignDataOwner]], tx: Transaction
) -> Sequence[Done | DomainError]:
    """Write owners: active people only."""
    people = {
        row.id: row
        for row in fetch_in(
            tx.connection,
            select(users.c.id, users.c.login, users.c.kind, users.c.active),
            users.c.id,
            (task.command.user_id for task in tasks),
        )
    }
    outcomes: list[Done | DomainError] = []
    rows: dict[tuple[str, UUID], dict[str, Any]] = {}
    for task in tasks:
        command = task.command
        person = people.get(command.user_id)
        if command.domain not in DOMAINS:
            outcomes.append(_no_such("domain", command.domain, sorted(DOMAINS), "domain"))
        elif person is None or not person.active or person.kind != "person":
            outcomes.append(
                UnknownKind(
                    f"{command.user_id} is no active person",
                    field="user_id",
                    remedy="name an active user that is a person",
                )
            )
        else:
            key = (command.domain, command.record_id or WHOLE_DOMAIN)
            rows[key] = {
                "domain": key[0],
                "record_id": key[1],
                "user_id": command.user_id,
                "audit_id": task.audit_id,
            }
            outcomes.append(
                Done({"domain": command.domain, "owner": person.login}, after={"owner": str(person.id)})
            )
    upsert_replace(tx.connection, data_owners, list(rows.values()), ["user_id", "audit_id"])
    return outcomes


def _told(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "audit_id"}


def register(registry: Registry) -> None:
    """Add the commands that govern master data."""
    registry.register(Registration(AddSupplierDocument, add_supplier_documents))
    registry.register(Registration(SetDocumentKind, set_document_kinds))
    registry.register(Registration(SetReasonCode, set_reason_codes))
    registry.register(Registration(SetMasterParameter, set_master_parameters))
    registry.register(Registration(AssignDataOwner, assign_data_owners))
