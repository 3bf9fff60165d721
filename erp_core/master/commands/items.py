"""Items and their units."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from erp_core.gate.contract import Command, DomainError, Done, NotFound, Task, Transaction
from erp_core.master.model import item_units, items
from erp_core.master.records import Records
from erp_core.master.rules import ITEM_MANDATORY, ITEM_STATUSES, MandatoryFieldMissing, check_step, missing_fields
from erp_core.master.values import Amount, Sku, Units

_Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=80)]
_Unit = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=20)]


class CreateItem(Command):
    """A new item as a draft. Costs and prices are per base unit; unknown ones stay empty."""

    item_id: UUID
    sku: Sku
    name: Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)] = ""
    category: _Text = ""
    brand: _Text = ""
    base_unit: Annotated[str, StringConstraints(strip_whitespace=True, max_length=20)] = ""
    abc_class: Literal["A", "B", "C"] | None = None
    standard_cost: Amount | None = None
    list_price: Amount | None = None
    introduced_on: date | None = None

    @property
    def subject(self) -> tuple[str, UUID]:
        """The item."""
        return ("item", self.item_id)


class ChangeItem(Command):
    """Fill or correct fields of an item; what is left out stays. The base unit of an active item is fixed."""

    item_id: UUID
    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)] | None = None
    category: Annotated[_Text, Field(min_length=1)] | None = None
    brand: Annotated[_Text, Field(min_length=1)] | None = None
    base_unit: _Unit | None = None
    abc_class: Literal["A", "B", "C"] | None = None
    standard_cost: Amount | None = None
    list_price: Amount | None = None

    @property
    def subject(self) -> tuple[str, UUID]:
        """The item."""
        return ("item", self.item_id)


class ActivateItem(Command):
    """Let the item be bought, stocked and sold. Refused while a mandatory field is missing."""

    item_id: UUID

    @property
    def subject(self) -> tuple[str, UUID]:
        """The item."""
        return ("item", self.item_id)


class SetItemUnit(Command):
    """One `unit` of the item is `factor` base units. Whole factors only, so that conversion is exact."""

    item_id: UUID
    unit: _Unit
    factor: Units

    @property
    def subject(self) -> tuple[str, UUID]:
        """The item."""
        return ("item", self.item_id)
