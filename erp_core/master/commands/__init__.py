"""Commands of the master data."""

from __future__ import annotations

from erp_core.gate.contract import Registry
from erp_core.master.commands import items, places, suppliers
from erp_core.master.commands.items import ActivateItem, ChangeItem, CreateItem, SetItemUnit
from erp_core.master.commands.places import CreateChannel, CreateLocation, SetPlanningPolicy
from erp_core.master.commands.records import AlreadyExists
from erp_core.master.commands.suppliers import ActivateSupplier, CreateSupplier, SetSupplierItem

__all__ = [
    "ActivateItem",
    "ActivateSupplier",
    "AlreadyExists",
    "ChangeItem",
    "CreateChannel",
    "CreateItem",
    "CreateLocation",
    "CreateSupplier",
    "SetItemUnit",
    "SetPlanningPolicy",
    "SetSupplierItem",
    "register",
]


def register(registry: Registry) -> None:
    """Add every command of the master data."""
    for noun in (items, suppliers, places):
        noun.register(registry)
