"""Reads of inventory classes and of what they select."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import Connection, select

from erp_core.master.model import items
from erp_core.master.model_selection import class_policies, item_classes
from erp_core.master.rules.classes import CLASS_POLICIES, ClassPolicy, Selected, select_policy
from erp_core.storage.lookup import fetch_in

_CLASSES = select(items.c.id, items.c.abc_class, item_classes.c.classes).select_from(
    items.outerjoin(item_classes, item_classes.c.item_id == items.c.id)
)


def classes_of(connection: Connection, item_ids: Iterable[UUID]) -> dict[UUID, tuple[str, ...]]:
    """Every class of each item: as computed, else the ABC class that its record states, else none."""
    return {
        item_id: tuple(computed) if computed is not None else (stated,) if stated else ()
        for item_id, stated, computed in fetch_in(connection, _CLASSES, items.c.id, item_ids)
    }


def list_class_policies(connection: Connection) -> dict[str, ClassPolicy]:
    """What every class selects: as set, else as a company starts with."""
    table = class_policies.c
    rows = connection.execute(
        select(table["class"], table.rank, table.service_level, table.review_days, table.count_days)
    )
    return dict(CLASS_POLICIES) | {row[0]: ClassPolicy(*row) for row in rows}


def selected_policies(connection: Connection, item_ids: Iterable[UUID]) -> dict[UUID, Selected]:
    """What the classes of each item select, for where nothing is set for the item itself."""
    classes = classes_of(connection, item_ids)
    policies = list_class_policies(connection)
    return {item_id: select_policy(own, policies) for item_id, own in classes.items()}
