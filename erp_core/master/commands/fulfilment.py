"""Packagings, which item leaves in which, and what an order may use."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import Field, model_validator
from sqlalchemy import Table

from erp_core.gate.contract import Command, Done, Registration, Registry, Task, Transaction, each
from erp_core.master.commands.carriers import Grams, require_zone
from erp_core.master.commands.records import existing, plain, unknown, write_coded
from erp_core.master.model import channels, items, locations
from erp_core.master.model_fulfilment import (
    carrier_services,
    fulfilment_rules,
    packaging_rules,
    packagings,
)
from erp_core.master.values import Amount, Code, Name, Units
from erp_core.storage.bulk import upsert_replace

Rank = Annotated[int, Field(ge=1, le=999, description="1 is asked first")]
_Millimetres = Annotated[int, Field(ge=1, le=100_000)]
_Category = Annotated[str, Field(min_length=1, max_length=80)]


class SetPackaging(Command):
    """A box or bag, or a change of one: inner measures, its own weight and what it carries."""

    packaging_id: UUID
    code: Code
    packaging_name: Name
    length_mm: _Millimetres | None = None
    width_mm: _Millimetres | None = None
    height_mm: _Millimetres | None = None
    tare_grams: Annotated[int, Field(ge=0, le=10**8)] = 0
    most_grams: Grams | None = None
    active: bool = True

    @property
    def subject(self) -> tuple[str, UUID]:
        """The packaging."""
        return ("packaging", self.packaging_id)


class SetPackagingRule(Command):
    """Let an item or a category, or every item where both are left out, leave in a packaging.

    `alone` keeps other items out of its parcels; `most_units` is how many of the item share one.
    """

    rule_id: UUID
    rule_name: Name
    packaging_id: UUID
    rank: Rank = 100
    item_id: UUID | None = None
    category: _Category | None = None
    alone: bool = False
    most_units: Units | None = None
    active: bool = True

    @model_validator(mode="after")
    def _one_product(self) -> Self:
        if self.item_id is not None and self.category is not None:
            raise ValueError(
                "a rule is for an item or for a category: give one of them, or none for every item"
            )
        return self

    @property
    def subject(self) -> tuple[str, UUID]:
        """The rule."""
        return ("packaging_rule", self.rule_id)


class SetFulfilmentRule(Command):
    """What orders that meet all conditions may use: places, speeds, services, parcels. Governed.

    A condition that is left out is met, and an aspect that is left out stays open for later rules. Bounds are
    half-open; margins are in hundredths of a percent. `active` False lifts the rule.
    """

    rule_id: UUID
    rule_name: Name
    rank: Rank = 100
    channel_id: UUID | None = None
    category: _Category | None = None
    zone: Code | None = None
    most_priority: Annotated[int, Field(ge=1, le=99)] | None = None
    margin_below: Annotated[int, Field(ge=-1_000_000, le=10_000)] | None = None
    value_from: Amount | None = None
    value_below: Amount | None = None
    locations: tuple[UUID, ...] | None = Field(default=None, min_length=1, max_length=100)
    speeds: tuple[Literal["economy", "standard", "express", "overnight"], ...] | None = Field(
        default=None, min_length=1, max_length=4
    )
    services: tuple[UUID, ...] | None = Field(default=None, min_length=1, max_length=100)
    most_parcels: Annotated[int, Field(ge=1, le=100)] | None = None
    active: bool = True

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if all(one is None for one in (self.locations, self.speeds, self.services, self.most_parcels)):
            raise ValueError("the rule says nothing: give locations, speeds, services or most_parcels")
        if (
            self.value_from is not None
            and self.value_below is not None
            and self.value_from >= self.value_below
        ):
            raise ValueError("value_from must lie below value_below: the bounds are half-open")
        return self

    @property
    def subject(self) -> tuple[str, UUID]:
        """The rule."""
        return ("fulfilment_rule", self.rule_id)


def set_packaging(task: Task[SetPackaging], tx: Transaction) -> Done:
    """Write the packaging."""
    command = task.command
    row = command.model_dump(exclude={"occurred_at", "packaging_id", "packaging_name"})
    row |= {"id": command.packaging_id, "name": command.packaging_name}
    return write_coded(task, tx, packagings, "packaging", row)


def set_packaging_rule(task: Task[SetPackagingRule], tx: Transaction) -> Done:
    """Write the rule; what it names must be there."""
    command = task.command
    _require(tx, items, "item", "item_id", [command.item_id])
    _require(tx, packagings, "packaging", "packaging_id", [command.packaging_id])
    return _write_rule(task, tx, packaging_rules, command.model_dump(exclude={"occurred_at"}))


def set_fulfilment_rule(task: Task[SetFulfilmentRule], tx: Transaction) -> Done:
    """Write the rule; what it names must be there."""
    command = task.command
    _require(tx, channels, "channel", "channel_id", [command.channel_id])
    _require(tx, locations, "location", "locations", command.locations or ())
    _require(tx, carrier_services, "service", "services", command.services or ())
    if command.zone is not None:
        require_zone(tx, command.zone)
    row = command.model_dump(exclude={"occurred_at"})
    for name in ("locations", "speeds", "services"):
        row[name] = None if row[name] is None else plain(row[name])
    return _write_rule(task, tx, fulfilment_rules, row)


def _require(tx: Transaction, table: Table, kind: str, field: str, ids: Any) -> None:
    wanted = [id_ for id_ in ids if id_ is not None]
    there = existing(tx, table, wanted)
    missing = next((id_ for id_ in wanted if id_ not in there), None)
    if missing is not None:
        raise unknown(kind, missing, field)


def _write_rule(task: Task[Any], tx: Transaction, table: Table, row: dict[str, Any]) -> Done:
    rule_id = row.pop("rule_id")
    row["name"] = row.pop("rule_name")
    before = existing(tx, table, [rule_id]).get(rule_id)
    upsert_replace(
        tx.connection, table, [{"id": rule_id, **row, "audit_id": task.audit_id}], [*row, "audit_id"]
    )
    return Done(
        {"rule_id": str(rule_id)},
        before=before and {name: plain(before[name]) for name in row if before[name] is not None},
        after={name: plain(value) for name, value in row.items() if value is not None},
    )


def register(registry: Registry) -> None:
    """Add the commands."""
    registry.register(Registration(SetPackaging, each(set_packaging)))
    registry.register(Registration(SetPackagingRule, each(set_packaging_rule)))
    registry.register(Registration(SetFulfilmentRule, each(set_fulfilment_rule), governed=True))
