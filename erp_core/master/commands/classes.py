"""Inventory classes: stored in batch, what each selects, and which brands are our own."""

from __future__ import annotations

from collections import Counter
from datetime import date
from functools import cached_property
from hashlib import sha256
from typing import Annotated, Any, Literal
from uuid import NAMESPACE_URL, UUID, uuid5

from pydantic import Field, StringConstraints
from sqlalchemy import select

from erp_core.gate.contract import Command, Done, Event, Registration, Registry, Task, Transaction, each
from erp_core.master.commands.records import existing, unknown
from erp_core.master.commands.service_levels import ServiceLevel, out_of_range
from erp_core.master.model import items, legal_entities
from erp_core.master.model_selection import brands, class_policies, item_classes
from erp_core.master.queries.classes import list_class_policies
from erp_core.master.rules.classes import Classified
from erp_core.storage.bulk import update_rows, upsert_replace

_Days = Annotated[int, Field(ge=1, le=730)]


class RecordItemClasses(Command):
    """The classes of every item on a day. Only differences are written, the item's ABC class among them.

    The audit log keeps counts and SHA-256.
    """

    classification_id: UUID
    as_of: date
    classified: tuple[Classified, ...] = Field(max_length=500_000)

    @property
    def subject(self) -> tuple[str, UUID]:
        """The classification."""
        return ("item_classes", self.classification_id)

    @cached_property
    def sha256(self) -> str:
        """SHA-256 over what was found."""
        digest = sha256()
        for one in self.classified:
            digest.update(f"{one.item_id.hex}|{','.join(one.classes)}|{one.net_sales}|{one.units}\n".encode())
        return digest.hexdigest()

    def recorded(self) -> dict[str, Any]:
        """Header, items by class and digest; never the items."""
        header = self.model_dump(mode="json", exclude={"classified"}, exclude_none=True)
        members = Counter(name for one in self.classified for name in one.classes)
        return header | {"items": len(self.classified), "by_class": dict(members), "sha256": self.sha256}


class SetClassPolicy(Command):
    """What a class selects where nothing is set for an item itself. Governed. What is left out it leaves to others.

    Of the classes of an item the one with the lowest `rank` that says something decides.
    """

    item_class: Literal["new", "seasonal", "fast", "private_label", "imported", "A", "B", "C"]
    rank: Annotated[int, Field(ge=1, le=999)]
    service_level: ServiceLevel | None = None
    review_days: _Days | None = None
    count_days: _Days | None = None

    @property
    def subject(self) -> tuple[str, UUID]:
        """The class."""
        return ("item_class", uuid5(NAMESPACE_URL, f"quartermaster:item_class:{self.item_class}"))


class SetBrand(Command):
    """What is known of a brand: whether it is our own, and whose. Items carry it by name."""

    brand: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]
    private_label: bool = False
    legal_entity_id: UUID | None = None

    @property
    def subject(self) -> tuple[str, UUID]:
        """The brand."""
        return ("brand", uuid5(NAMESPACE_URL, f"quartermaster:brand:{self.brand}"))


def record_item_classes(task: Task[RecordItemClasses], tx: Transaction) -> Done:
    """Write the classes that are new or differ; the same again changes nothing."""
    command = task.command
    kept = select(item_classes.c.item_id, item_classes.c.classes)
    known = {item_id: tuple(classes) for item_id, classes in tx.connection.execute(kept)}
    stated = {item_id: abc for item_id, abc in tx.connection.execute(select(items.c.id, items.c.abc_class))}
    there = [one for one in command.classified if one.item_id in stated]
    changed = [one for one in there if known.get(one.item_id) != one.classes]
    upsert_replace(
        tx.connection,
        item_classes,
        [
            {
                "item_id": one.item_id,
                "classes": list(one.classes),
                "abc": one.abc,
                "net_sales": one.net_sales,
                "units": one.units,
                "classified_on": command.as_of,
                "audit_id": task.audit_id,
            }
            for one in changed
        ],
        ["classes", "abc", "net_sales", "units", "classified_on", "audit_id"],
    )
    moved = [one for one in there if one.abc is not None and stated[one.item_id] != one.abc]
    update_rows(tx.connection, items, [{"id": one.item_id, "abc_class": one.abc} for one in moved])
    counts = {"classified": len(there), "changed": len(changed), "abc_changed": len(moved)}
    event = Event("ItemClassesRecorded", "item_classes", command.classification_id, 1, counts)
    return Done(result=counts, events=(event,))


def set_class_policy(task: Task[SetClassPolicy], tx: Transaction) -> Done:
    """Write what the class selects."""
    command = task.command
    level = command.service_level
    if level is not None and (refusal := out_of_range(level)) is not None:
        raise refusal
    before = list_class_policies(tx.connection)[command.item_class]
    values = {"rank": command.rank, "review_days": command.review_days, "count_days": command.count_days}
    row = {"class": command.item_class, "service_level": None if level is None else float(level), **values}
    names = [name for name in row if name != "class"]
    upsert_replace(tx.connection, class_policies, [row | {"audit_id": task.audit_id}], [*names, "audit_id"])
    was = None if before.service_level is None else str(before.service_level)
    return Done(
        {"item_class": command.item_class},
        before={"service_level": was} | {name: getattr(before, name) for name in values},
        after={"service_level": level, **values},
    )


def set_brand(task: Task[SetBrand], tx: Transaction) -> Done:
    """Write the brand; a legal entity it names must be there."""
    command = task.command
    entity = command.legal_entity_id
    if entity is not None and not existing(tx, legal_entities, [entity]):
        raise unknown("legal entity", entity, "legal_entity_id")
    row = {"name": command.brand, "private_label": command.private_label, "legal_entity_id": entity}
    names = ["private_label", "legal_entity_id", "audit_id"]
    upsert_replace(tx.connection, brands, [row | {"audit_id": task.audit_id}], names)
    return Done({"brand": command.brand}, after={"private_label": command.private_label})


def register(registry: Registry) -> None:
    """Add the commands."""
    registry.register(Registration(RecordItemClasses, each(record_item_classes)))
    registry.register(Registration(SetClassPolicy, each(set_class_policy), governed=True))
    registry.register(Registration(SetBrand, each(set_brand)))
