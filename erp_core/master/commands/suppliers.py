"""Suppliers: drafted, submitted with their documents, activated by another person, blocked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

from pydantic import Field, StringConstraints
from sqlalchemy import Connection, select

from erp_core.gate.contract import (
    Command,
    DomainError,
    Duty,
    Facts,
    Registration,
    Registry,
    Task,
    Transaction,
    facts_each,
)
from erp_core.master.commands.duplicates import duplicate_obstacles
from erp_core.master.commands.records import Creation, Rows, Step, renamed, unknown
from erp_core.master.model import suppliers
from erp_core.master.queries.documents import gaps_of
from erp_core.master.queries.owners import owner_logins
from erp_core.master.queries.reasons import Reasons
from erp_core.master.rules import SUPPLIER_MANDATORY, SUPPLIER_STATUSES
from erp_core.master.rules.documents import DocumentGap, invalid
from erp_core.master.rules.duplicates import identifier_hash, normal_identifier
from erp_core.master.rules.records import RiskClass
from erp_core.master.values import Amount, Code, Comment, Country, Currency, ReasonCode

_Identifier = Annotated[str, StringConstraints(strip_whitespace=True, min_length=5, max_length=40)]


class DocumentMissing(DomainError):
    """A required compliance document is missing or not valid on the business date."""

    code = "document_missing"


class CreateSupplier(Command):
    """A new supplier as a draft; nothing can be ordered from it until it is activated.

    Of tax id and bank account only a hash and the last characters are kept.
    """

    personal: ClassVar[frozenset[str]] = frozenset({"tax_id", "bank_account"})

    supplier_id: UUID
    code: Code
    supplier_name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=160)]
    currency: Currency
    country: Country | None = None
    payment_days: Annotated[int, Field(ge=0, le=365)] | None = None
    delivery_terms: (
        Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=20)] | None
    ) = None
    minimum_order: Amount = 0
    lead_time_days: Annotated[int, Field(ge=0, le=730)] | None = None
    segment: Literal["strategic", "long_tail", "imported", "domestic"] = "long_tail"
    risk_class: RiskClass = "medium"
    tax_id: _Identifier | None = None
    bank_account: _Identifier | None = None

    @property
    def subject(self) -> tuple[str, UUID]:
        """The supplier."""
        return ("supplier", self.supplier_id)


class _OnSupplier(Command):
    supplier_id: UUID

    @property
    def subject(self) -> tuple[str, UUID]:
        """The supplier."""
        return ("supplier", self.supplier_id)


class SubmitSupplier(_OnSupplier):
    """Hand a draft in for activation: terms are complete and required documents are valid."""


class SendBackSupplier(_OnSupplier):
    """A submitted supplier becomes a draft again, for a reason."""

    reason_code: ReasonCode
    comment: Comment | None = None


class ActivateSupplier(_OnSupplier):
    """Let purchase orders go to a submitted supplier, or again to a blocked one. Governed.

    Refused while a mandatory term or a required document is missing, or while it looks like a supplier that
    is there and is not stated, with a reason, to be none of `not_duplicate_of`.
    """

    not_duplicate_of: tuple[UUID, ...] = ()
    reason_code: ReasonCode | None = None


class BlockSupplier(_OnSupplier):
    """Let no further purchase order go to the supplier, for a reason. Activating it again unblocks it."""

    reason_code: ReasonCode
    comment: Comment | None = None


def _new_supplier(task: Task[CreateSupplier]) -> dict[str, Any]:
    command = task.command
    fields = renamed(
        command.model_dump(exclude={"occurred_at", *command.personal}), supplier_id="id", supplier_name="name"
    )
    return (
        fields
        | {"status": "draft", "created_by": task.principal.user_id}
        | _kept("tax_id", command.tax_id)
        | _kept("bank", command.bank_account)
    )


def _kept(kind: str, text: str | None) -> dict[str, str | None]:
    if text is None:
        return {f"{kind}_hash": None, f"{kind}_last": None}
    return {f"{kind}_hash": identifier_hash(kind, text), f"{kind}_last": normal_identifier(text)[-4:]}


create_suppliers = Creation(suppliers, "code", _new_supplier)


def _document_obstacles(
    tasks: Sequence[Task[Any]], rows: Rows, tx: Transaction
) -> Mapping[UUID, DomainError]:
    asked = [
        (task.command.supplier_id, rows[task.command.supplier_id]["segment"], task.occurred_on)
        for task in tasks
    ]
    return {
        id_: _missing(rows[id_]["code"], standing)
        for (id_, _), gaps in gaps_of(tx.connection, asked).items()
        if (standing := invalid(gaps))
    }


def _missing(code: str, gaps: Sequence[DocumentGap]) -> DocumentMissing:
    listed = ", ".join(f"{gap.label} ({gap.state.replace('_', ' ')})" for gap in gaps)
    return DocumentMissing(
        f"supplier {code} lacks {listed}",
        field="supplier_id",
        remedy="add the documents with AddSupplierDocument",
        documents=[{"kind": gap.kind, "state": gap.state} for gap in gaps],
    )


def _activation_obstacles(
    tasks: Sequence[Task[Any]], rows: Rows, tx: Transaction
) -> Mapping[UUID, DomainError]:
    return {**duplicate_obstacles("supplier", tasks, tx), **_document_obstacles(tasks, rows, tx)}


def _reason_obstacles(tasks: Sequence[Task[Any]], rows: Rows, tx: Transaction) -> Mapping[UUID, DomainError]:
    found: dict[UUID, DomainError] = {}
    for task in tasks:
        try:
            Reasons.of(tx).require("supplier_block", task.command.reason_code)
        except DomainError as error:
            found[task.command.supplier_id] = error
    return found


submit_suppliers = Step(
    suppliers,
    "code",
    SUPPLIER_STATUSES,
    "submitted",
    mandatory=SUPPLIER_MANDATORY,
    obstacles=_document_obstacles,
)
send_back_suppliers = Step(suppliers, "code", SUPPLIER_STATUSES, "draft", obstacles=_reason_obstacles)
block_suppliers = Step(suppliers, "code", SUPPLIER_STATUSES, "blocked", obstacles=_reason_obstacles)
activate_suppliers = Step(
    suppliers,
    "code",
    SUPPLIER_STATUSES,
    "active",
    mandatory=SUPPLIER_MANDATORY,
    obstacles=_activation_obstacles,
)


def activation_facts(
    command: ActivateSupplier, preceding: Sequence[Command], connection: Connection
) -> Facts:
    """What the policy weighs: the supplier's risk, segment, country and smallest order, and who owns its data.

    Whoever set it up may not approve it.
    """
    row = connection.execute(select(suppliers).where(suppliers.c.id == command.supplier_id)).one_or_none()
    if row is None:
        raise unknown("supplier", command.supplier_id)
    return {
        "supplier_risk": row.risk_class,
        "segment": row.segment,
        "country": row.country,
        "minimum_order": row.minimum_order,
        "domain_owner": owner_logins(connection, "suppliers", [command.supplier_id])[command.supplier_id],
        "created_by": str(row.created_by),
    }


def register(registry: Registry) -> None:
    """Add the supplier commands."""
    registry.register(
        Registration(
            CreateSupplier,
            create_suppliers,
            duties=lambda command: [Duty("supplier", command.supplier_id, "supplier_creator")],
        )
    )
    registry.register(Registration(SubmitSupplier, submit_suppliers))
    registry.register(Registration(SendBackSupplier, send_back_suppliers))
    registry.register(
        Registration(
            ActivateSupplier,
            activate_suppliers,
            governed=True,
            facts=facts_each(activation_facts),
            approver_duties=lambda command: [Duty("supplier", command.supplier_id, "activation_approver")],
            compensation="BlockSupplier",
        )
    )
    registry.register(Registration(BlockSupplier, block_suppliers))
