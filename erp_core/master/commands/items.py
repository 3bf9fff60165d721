"""Items and their units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints, model_validator
from sqlalchemy import Connection, bindparam, select

from erp_core.gate.contract import (
    Command,
    DomainError,
    Done,
    Facts,
    Registration,
    Registry,
    Task,
    Transaction,
    facts_each,
)
from erp_core.master.commands.duplicates import duplicate_obstacles
from erp_core.master.commands.records import Creation, Step, existing, renamed, unknown
from erp_core.master.commands.variants import Seats, Variant, Wanted, category_refusal, variant_obstacles
from erp_core.master.model import item_units, items, products
from erp_core.master.queries.units import SizedUnits, lock_units
from erp_core.master.rules import (
    ITEM_MANDATORY,
    ITEM_STATUSES,
    InconsistentUnit,
    relative_change,
)
from erp_core.master.rules.duplicates import gtin_holds, normal_sku
from erp_core.master.values import Amount, ReasonCode, Sku, Units
from erp_core.storage.bulk import upsert_replace

_Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=80)]
_Filled = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]
_Unit = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=20)]
_Measure = Annotated[int, Field(ge=1, le=10**8)]


def _checked(gtin: str) -> str:
    if not gtin_holds(gtin):
        raise ValueError("is no GTIN: 8, 12, 13 or 14 digits of which the last checks the others")
    return gtin


Gtin = Annotated[str, StringConstraints(strip_whitespace=True, max_length=14), AfterValidator(_checked)]


class CreateItem(Command):
    """A new item as a draft. Costs and prices are per base unit; unknown ones stay empty.

    As a variant of a product it names its value on each axis, and takes the product's category; it is not
    activated before every axis has one.
    """

    item_id: UUID
    sku: Sku
    item_name: Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)] = ""
    category: _Text = ""
    brand: _Text = ""
    base_unit: Annotated[str, StringConstraints(strip_whitespace=True, max_length=20)] = ""
    abc_class: Literal["A", "B", "C"] | None = None
    standard_cost: Amount | None = None
    list_price: Amount | None = None
    introduced_on: date | None = None
    gtin: Gtin | None = None
    lot_tracked: bool = False
    serial_tracked: bool = False
    expiry_tracked: bool = False
    product_id: UUID | None = None
    variant: Variant = Field(default_factory=dict)

    @model_validator(mode="after")
    def _values_are_of_a_product(self) -> Self:
        if self.variant and self.product_id is None:
            raise ValueError("variant needs product_id: its values are on the axes of a product")
        return self

    @model_validator(mode="after")
    def _expiry_is_of_a_lot(self) -> Self:
        if self.expiry_tracked and not (self.lot_tracked or self.serial_tracked):
            raise ValueError("expiry_tracked needs lot_tracked or serial_tracked: a last day is a lot's")
        return self

    @property
    def subject(self) -> tuple[str, UUID]:
        """The item."""
        return ("item", self.item_id)


class ChangeItem(Command):
    """Fill or correct fields of an item; what is left out stays.

    The base unit of an active item is fixed, and so is whether it has lots, serial numbers and last days.

    Governed: a price or cost that changes much needs a person's approval.
    """

    item_id: UUID
    item_name: (
        Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)] | None
    ) = None
    category: _Filled | None = None
    brand: _Filled | None = None
    base_unit: _Unit | None = None
    abc_class: Literal["A", "B", "C"] | None = None
    standard_cost: Amount | None = None
    list_price: Amount | None = None
    gtin: Gtin | None = None
    lot_tracked: bool | None = None
    serial_tracked: bool | None = None
    expiry_tracked: bool | None = None

    @property
    def subject(self) -> tuple[str, UUID]:
        """The item."""
        return ("item", self.item_id)


class ActivateItem(Command):
    """Let the item be bought, stocked and sold.

    Refused while a mandatory field or a value on an axis of its product is missing, or while it looks like an
    item that is there and is not stated, with a reason, to be none of `not_duplicate_of`.
    """

    item_id: UUID
    not_duplicate_of: tuple[UUID, ...] = ()
    reason_code: ReasonCode | None = None

    @property
    def subject(self) -> tuple[str, UUID]:
        """The item."""
        return ("item", self.item_id)


class SetItemUnit(Command):
    """One `unit` of the item is `factor` base units. Whole factors only, so that conversion is exact.

    Weight and outer measures are those of one such unit as it is packed; what is left out is unknown. The base
    unit's own are given with factor 1.
    """

    item_id: UUID
    unit: _Unit
    factor: Units
    weight_grams: _Measure | None = None
    length_mm: _Measure | None = None
    width_mm: _Measure | None = None
    height_mm: _Measure | None = None

    @property
    def subject(self) -> tuple[str, UUID]:
        """The item."""
        return ("item", self.item_id)


_SIZE = ("weight_grams", "length_mm", "width_mm", "height_mm")


class UnitInUse(DomainError):
    """The base unit of an active item cannot change: every quantity ever recorded is counted in it."""

    code = "unit_in_use"


class TrackingFixed(DomainError):
    """Lots, serial numbers and last days are asked for from the first unit on, or never."""

    code = "tracking_fixed"


class ExpiryWithoutLot(DomainError):
    """A last day is that of a lot or of a numbered unit."""

    code = "expiry_without_lot"


_TRACKING = ("lot_tracked", "serial_tracked", "expiry_tracked")


def create_items(tasks: Sequence[Task[CreateItem]], tx: Transaction) -> Sequence[Done | DomainError]:
    """One draft for each task whose id and SKU are free, and whose product has no such variant yet."""
    named = (task.command.product_id for task in tasks)
    seats = Seats(tx, (id_ for id_ in named if id_ is not None))
    refused: dict[int, DomainError] = {}
    placed: dict[UUID, dict[str, Any]] = {}
    for number, task in enumerate(tasks):
        try:
            placed[task.audit_id] = _variant_columns(task.command, seats)
        except DomainError as error:
            refused[number] = error

    def row(task: Task[CreateItem]) -> dict[str, Any]:
        fields = renamed(task.command.model_dump(exclude={"occurred_at"}), item_id="id", item_name="name")
        return fields | {"status": "draft", "sku_key": normal_sku(task.command.sku)} | placed[task.audit_id]

    create = Creation(items, "sku", row, key=items.c.sku_key)
    made = iter(create([task for number, task in enumerate(tasks) if number not in refused], tx))
    return [refused.get(number) or next(made) for number in range(len(tasks))]


def _variant_columns(command: CreateItem, seats: Seats) -> dict[str, Any]:
    if command.product_id is None:
        return {"variant": None, "variant_key": None}
    wanted = Wanted(
        command.item_id, command.sku, command.product_id, command.category, command.variant, complete=False
    )
    return seats.take(wanted)


def change_items(tasks: Sequence[Task[ChangeItem]], tx: Transaction) -> Sequence[Done | DomainError]:
    """Write the given fields."""
    rows = existing(tx, items, (task.command.item_id for task in tasks))
    own = existing(tx, products, {row["product_id"] for row in rows.values() if row["product_id"]})
    outcomes: list[Done | DomainError] = []
    changed: dict[UUID, dict[str, Any]] = {}
    for task in tasks:
        command = task.command
        row = rows.get(command.item_id)
        if row is None:
            outcomes.append(unknown("item", command.item_id))
            continue
        given = command.model_dump(exclude={"item_id", "occurred_at"}, exclude_none=True)
        given = renamed(given, item_name="name")
        if row["status"] != "draft" and given.get("base_unit", row["base_unit"]) != row["base_unit"]:
            outcomes.append(
                UnitInUse(
                    f"{row['sku']} is counted in {row['base_unit']}",
                    field="base_unit",
                    remedy="create a new item for another base unit",
                )
            )
            continue
        product = own.get(row["product_id"])
        if product is not None and given.get("category", row["category"]) != row["category"]:
            outcomes.append(category_refusal(row["sku"], product))
            continue
        refusal = _tracking_refusal(row, given)
        if refusal is not None:
            outcomes.append(refusal)
            continue
        before = {name: row[name] for name in given}
        row.update(given)
        changed[command.item_id] = row
        outcomes.append(Done({"item_id": str(command.item_id)}, before=before, after=given))
    if changed:
        names = (
            *("name", "category", "brand", "base_unit", "abc_class", "standard_cost", "list_price", "gtin"),
            *_TRACKING,
        )
        statement = items.update().where(items.c.id == bindparam("item_id"))
        tx.connection.execute(
            statement.values({name: bindparam(f"new_{name}") for name in names}),
            [{"item_id": id_} | {f"new_{name}": row[name] for name in names} for id_, row in changed.items()],
        )
    return outcomes


def _tracking_refusal(row: Mapping[str, Any], given: Mapping[str, Any]) -> DomainError | None:
    wanted = {name: given.get(name, row[name]) for name in _TRACKING}
    changed = [name for name in _TRACKING if wanted[name] != row[name]]
    if changed and row["status"] != "draft":
        return TrackingFixed(
            f"{row['sku']} is active: its stock was taken in without asking for {changed[0].split('_')[0]}s",
            field=changed[0],
            remedy="create a new item that is tracked as you want, and move the stock to it by adjustments",
        )
    if wanted["expiry_tracked"] and not (wanted["lot_tracked"] or wanted["serial_tracked"]):
        return ExpiryWithoutLot(
            f"{row['sku']} has neither lots nor serial numbers",
            field="expiry_tracked",
            remedy="set lot_tracked or serial_tracked too",
        )
    return None


def price_facts(command: ChangeItem, preceding: Sequence[Command], connection: Connection) -> Facts:
    """What the policy weighs: `price_change`, the larger change of list price and standard cost in 1/100 %.

    Unknown where nothing is in force yet or nothing is given.
    """
    prices = select(items.c.list_price, items.c.standard_cost).where(items.c.id == command.item_id)
    in_force = connection.execute(prices).one_or_none() or (None, None)
    changes = (
        relative_change(old, new)
        for old, new in zip(in_force, (command.list_price, command.standard_cost), strict=True)
    )
    return {"price_change": max((abs(one) for one in changes if one is not None), default=None)}


activate_items = Step(
    items,
    "sku",
    ITEM_STATUSES,
    "active",
    mandatory=ITEM_MANDATORY,
    obstacles=lambda tasks, rows, tx: {
        **duplicate_obstacles("item", tasks, tx),
        **variant_obstacles(rows, tx),
    },
)


def set_item_units(tasks: Sequence[Task[SetItemUnit]], tx: Transaction) -> Sequence[Done | DomainError]:
    """Write one conversion factor per item and unit."""
    lock_units(tx.connection, (task.command.item_id for task in tasks))
    rows = existing(tx, items, (task.command.item_id for task in tasks))
    outcomes: list[Done | DomainError] = []
    units: dict[tuple[UUID, str], dict[str, Any]] = {}
    for task in tasks:
        command = task.command
        row = rows.get(command.item_id)
        if row is None:
            outcomes.append(unknown("item", command.item_id))
        elif command.unit == row["base_unit"] and command.factor != 1:
            outcomes.append(
                InconsistentUnit(
                    f"{command.unit} is the base unit of {row['sku']}: its factor is 1",
                    field="factor",
                    remedy="name another unit",
                )
            )
        else:
            unit = command.model_dump(exclude={"occurred_at"})
            units[command.item_id, command.unit] = unit
            told = {name: unit[name] for name in _SIZE if unit[name] is not None}
            outcomes.append(
                Done({"item_id": str(command.item_id)}, after={command.unit: command.factor, **told})
            )
    upsert_replace(tx.connection, item_units, list(units.values()), ["factor", *_SIZE])
    SizedUnits.of(tx).pairs.update(units)
    return outcomes


def register(registry: Registry) -> None:
    """Add the item commands."""
    registry.register(Registration(CreateItem, create_items))
    registry.register(Registration(ChangeItem, change_items, governed=True, facts=facts_each(price_facts)))
    registry.register(Registration(ActivateItem, activate_items))
    registry.register(Registration(SetItemUnit, set_item_units))
