"""Documents of import, export and licence, and the rules that ask for them."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import Field, StringConstraints, model_validator
from sqlalchemy import func, select

from erp_core.gate.contract import (
    Command,
    Done,
    IllegalTransition,
    Registration,
    Registry,
    Task,
    Transaction,
    each,
)
from erp_core.master.commands.records import AlreadyExists, existing, plain, unknown
from erp_core.master.model import channels, items
from erp_core.master.model_trade import trade_documents, trade_rules
from erp_core.master.rules.countries import require_country
from erp_core.master.rules.trade import Direction
from erp_core.master.values import Comment, Country, Name, ReasonCode
from erp_core.storage.bulk import insert_rows, update_rows
from erp_core.storage.locks import lock_names

_Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
_Number = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]


class AddTradeDocument(Command):
    """A document, kept on an item, an order, a parcel, a purchase order or a shipping notice.

    It is valid from a day and up to, not on, another; of its file the SHA-256 is kept.
    """

    document_id: UUID
    kind: ReasonCode
    number: _Number
    issuer: Name
    valid_from: date
    valid_to: date | None = None
    file_sha256: _Sha256
    subject_kind: Literal["item", "order", "shipment", "purchase_order", "shipping_notice"]
    subject_id: UUID

    @model_validator(mode="after")
    def _some_day(self) -> Self:
        if self.valid_to is not None and self.valid_to <= self.valid_from:
            raise ValueError("valid_to is the first day it is no longer valid: give one after valid_from")
        return self

    @property
    def subject(self) -> tuple[str, UUID]:
        """The document."""
        return ("trade_document", self.document_id)


class WithdrawTradeDocument(Command):
    """A document counts no more from the day this happens, with the reason. It stays, and so does what it allowed."""

    document_id: UUID
    reason: Comment

    @property
    def subject(self) -> tuple[str, UUID]:
        """The document."""
        return ("trade_document", self.document_id)


class SetTradeRule(Command):
    """The next version of a rule: goods of a class or HS code, to a country or through a channel, or imported from a
    country, need every one of these documents; without any the trade is forbidden. Governed. `active` False lifts it.

    It holds from `valid_from` up to, not on, `valid_to`. Of several that hold, each counts.
    """

    rule_id: UUID
    rule_name: Name
    direction: Direction
    trade_class: ReasonCode | None = None
    hs_prefix: Annotated[str, StringConstraints(pattern=r"^\d{2,10}$")] | None = None
    country: Country | None = None
    channel_id: UUID | None = None
    document_kinds: tuple[ReasonCode, ...] = Field(default=(), max_length=20)
    valid_from: date
    valid_to: date | None = None
    active: bool = True

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.trade_class is None and self.hs_prefix is None:
            raise ValueError("say which goods: give trade_class or hs_prefix")
        if self.direction == "import" and self.channel_id is not None:
            raise ValueError("goods are imported through no channel: leave channel_id out")
        if self.valid_to is not None and self.valid_to <= self.valid_from:
            raise ValueError("valid_to is the first day without the rule: give one after valid_from, or none")
        return self

    @property
    def subject(self) -> tuple[str, UUID]:
        """The rule."""
        return ("trade_rule", self.rule_id)


def add_trade_document(task: Task[AddTradeDocument], tx: Transaction) -> Done:
    """Write it. Raises `AlreadyExists`, and `NotFound` for an item that is not there."""
    command = task.command
    if existing(tx, trade_documents, [command.document_id]):
        raise AlreadyExists("this document is there already", field="document_id", remedy="make a new id")
    if command.subject_kind == "item" and not existing(tx, items, [command.subject_id]):
        raise unknown("item", command.subject_id, "subject_id")
    row: dict[str, Any] = command.model_dump(exclude={"occurred_at", "document_id"}) | {
        "id": command.document_id,
        "withdrawn_on": None,
        "withdrawn_because": None,
    }
    insert_rows(tx.connection, trade_documents, [row | {"audit_id": task.audit_id}])
    return Done(
        {"document_id": str(command.document_id)}, after={name: plain(value) for name, value in row.items()}
    )


def withdraw_trade_document(task: Task[WithdrawTradeDocument], tx: Transaction) -> Done:
    """Mark it. Raises `NotFound`, `IllegalTransition`."""
    command = task.command
    row = existing(tx, trade_documents, [command.document_id]).get(command.document_id)
    if row is None:
        raise unknown("document", command.document_id)
    if row["withdrawn_on"] is not None:
        raise IllegalTransition(
            f"it was withdrawn on {row['withdrawn_on']}", field="document_id", remedy="add another document"
        )
    change = {"withdrawn_on": task.occurred_on, "withdrawn_because": command.reason}
    update_rows(tx.connection, trade_documents, [{"id": command.document_id} | change])
    return Done(
        {"document_id": str(command.document_id)}, after={name: plain(one) for name, one in change.items()}
    )


def set_trade_rule(task: Task[SetTradeRule], tx: Transaction) -> Done:
    """Write the version. Raises `UnknownCountry`, `NotFound`."""
    command, connection = task.command, tx.connection
    if command.channel_id is not None and not existing(tx, channels, [command.channel_id]):
        raise unknown("channel", command.channel_id)
    lock_names(connection, [f"trade rule {command.rule_id}"])
    newest = select(func.max(trade_rules.c.version)).where(trade_rules.c.id == command.rule_id)
    before = connection.scalar(newest)
    country = command.country
    row = command.model_dump(exclude={"occurred_at", "rule_id", "rule_name"}) | {
        "id": command.rule_id,
        "version": 1 + (before or 0),
        "name": command.rule_name,
        "country": None if country is None else require_country(country, "country"),
        "document_kinds": sorted(set(command.document_kinds)),
    }
    insert_rows(connection, trade_rules, [row | {"audit_id": task.audit_id}])
    return Done(
        {"rule_id": str(command.rule_id), "version": row["version"]},
        before=None if before is None else {"version": before},
        after={name: plain(value) for name, value in row.items() if value is not None},
    )


def register(registry: Registry) -> None:
    """Add the commands."""
    registry.register(Registration(AddTradeDocument, each(add_trade_document)))
    registry.register(Registration(WithdrawTradeDocument, each(withdraw_trade_document)))
    registry.register(Registration(SetTradeRule, each(set_trade_rule), governed=True))
