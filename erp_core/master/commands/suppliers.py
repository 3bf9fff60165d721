"""Suppliers and what they supply."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, StringConstraints
from sqlalchemy import Connection, select

from erp_core.gate.contract import (
    Asked,
    Command,
    DomainError,
    Done,
    Facts,
    ReadSet,
    Registration,
    Registry,
    Task,
    Transaction,
    facts_each,
)
from erp_core.master.commands.records import Activation, Creation, existing, renamed, unknown
from erp_core.master.model import items, supplier_items, suppliers
from erp_core.master.queries import Names, list_supplier_items
from erp_core.master.rules import SUPPLIER_MANDATORY, SUPPLIER_STATUSES, relative_change
from erp_core.master.values import Amount, Code, Country, Currency, Units
from erp_core.storage.bulk import upsert_replace
from erp_core.storage.lookup import fetch_in_pairs


class CreateSupplier(Command):
    """A new supplier as a draft; nothing can be ordered from it until it is activated."""

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
    risk_class: Literal["low", "medium", "high"] = "medium"

    @property
    def subject(self) -> tuple[str, UUID]:
        """The supplier."""
        return ("supplier", self.supplier_id)


class ActivateSupplier(Command):
    """Let purchase orders go to the supplier. Governed; refused while a mandatory term is missing."""

    supplier_id: UUID

    @property
    def subject(self) -> tuple[str, UUID]:
        """The supplier."""
        return ("supplier", self.supplier_id)


class SetSupplierItem(Command):
    """What a supplier asks for an item: price and quantities per base unit. Rank 1 is the preferred supplier.

    Governed: a price that rises much needs a person's approval.
    """

    supplier_id: UUID
    item_id: UUID
    price: Amount
    supplier_sku: (
        Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)] | None
    ) = None
    minimum_quantity: Units = 1
    order_multiple: Units = 1
    lead_time_days: Annotated[int, Field(ge=0, le=730)] | None = None
    rank: Annotated[int, Field(ge=1, le=99)] = 1

    @property
    def subject(self) -> tuple[str, UUID]:
        """The supplier."""
        return ("supplier", self.supplier_id)


def _new_supplier(task: Task[CreateSupplier]) -> dict[str, Any]:
    fields = renamed(task.command.model_dump(exclude={"occurred_at"}), supplier_id="id", supplier_name="name")
    return fields | {"status": "draft", "created_by": task.principal.user_id}


create_suppliers = Creation(suppliers, "code", _new_supplier)


activate_suppliers = Activation(suppliers, "code", SUPPLIER_STATUSES, SUPPLIER_MANDATORY)


def activation_facts(
    command: ActivateSupplier, preceding: Sequence[Command], connection: Connection
) -> Facts:
    """What the policy weighs: the supplier's risk, segment, country and smallest order."""
    row = connection.execute(select(suppliers).where(suppliers.c.id == command.supplier_id)).one_or_none()
    if row is None:
        return {"amount": 0}
    return {
        "amount": 0,
        "supplier_risk": row.risk_class,
        "segment": row.segment,
        "country": row.country,
        "minimum_order": row.minimum_order,
        "created_by": str(row.created_by),
    }


def price_facts(asked: Sequence[Asked[SetSupplierItem]], connection: Connection) -> Sequence[Facts]:
    """What the policy weighs: `price_change` against the price in force in 1/100 %, unknown where there is none."""
    pairs = [(one.command.supplier_id, one.command.item_id) for one in asked]
    key = (supplier_items.c.supplier_id, supplier_items.c.item_id)
    rows = fetch_in_pairs(connection, select(*key, supplier_items.c.price), key, pairs)
    in_force = {(row.supplier_id, row.item_id): row.price for row in rows}
    return [
        {"price_change": relative_change(in_force.get(pair), one.command.price)}
        for pair, one in zip(pairs, asked, strict=True)
    ]


def price_read_sets(asked: Sequence[Asked[SetSupplierItem]], connection: Connection) -> Sequence[ReadSet]:
    """The price in force that is to change; nothing where there is none."""
    pairs = [(one.command.supplier_id, one.command.item_id) for one in asked]
    suppliers, items = {supplier for supplier, _ in pairs}, {item for _, item in pairs}
    names = Names.read(connection, items=items, suppliers=suppliers)
    offers = list_supplier_items(connection, item_ids=items, supplier_ids=suppliers)
    prices = {(offer.supplier_id, offer.item_id): offer.price for offer in offers}
    return [
        [
            {
                "fact": f"price of {names.code(item)} from {names.code(supplier)}",
                "value": prices[supplier, item],
                "tolerance": 0,
            }
        ]
        if (supplier, item) in prices
        else []
        for supplier, item in pairs
    ]


def set_supplier_items(
    tasks: Sequence[Task[SetSupplierItem]], tx: Transaction
) -> Sequence[Done | DomainError]:
    """Write what suppliers ask for items; the last word on a pair counts."""
    known_suppliers = existing(tx, suppliers, (task.command.supplier_id for task in tasks))
    known_items = existing(tx, items, (task.command.item_id for task in tasks))
    outcomes: list[Done | DomainError] = []
    rows: dict[tuple[UUID, UUID], dict[str, Any]] = {}
    for task in tasks:
        command = task.command
        if command.supplier_id not in known_suppliers:
            outcomes.append(unknown("supplier", command.supplier_id))
        elif command.item_id not in known_items:
            outcomes.append(unknown("item", command.item_id))
        else:
            row = command.model_dump(exclude={"occurred_at"})
            rows[command.supplier_id, command.item_id] = row | {"audit_id": task.audit_id}
            after = {"price": command.price, "rank": command.rank, "item_id": str(command.item_id)}
            outcomes.append(Done({"supplier_id": str(command.supplier_id)}, after=after))
    kept = [column.name for column in supplier_items.columns if not column.primary_key]
    upsert_replace(tx.connection, supplier_items, list(rows.values()), kept)
    return outcomes


def register(registry: Registry) -> None:
    """Add the supplier commands."""
    registry.register(Registration(CreateSupplier, create_suppliers))
    registry.register(
        Registration(ActivateSupplier, activate_suppliers, governed=True, facts=facts_each(activation_facts))
    )
    registry.register(
        Registration(
            SetSupplierItem,
            set_supplier_items,
            governed=True,
            facts=price_facts,
            read_sets=price_read_sets,
        )
    )
