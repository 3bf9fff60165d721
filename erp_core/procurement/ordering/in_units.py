"""What is asked for, bought, announced and received in cartons or packs: base units, before anything looks at it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Any, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from sqlalchemy import Connection

from erp_core.gate.contract import Command, DomainError, ReadSet
from erp_core.master.commands import SetItemUnit
from erp_core.master.queries import Names
from erp_core.master.queries.units import ItemUnits, lock_units
from erp_core.procurement.errors import UnitMoves
from erp_core.procurement.ordering.purchase_orders import PurchaseOrder

C = TypeVar("C", bound=Command)
_LINES = ("lines", "added", "unordered")
_QUANTITIES = ("quantity", "rejected_quantity", "quarantined_quantity")


class InUnit(BaseModel):
    """Quantities that may be given in a unit of their item; prices stay those of a base unit."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    unit: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=20)] | None = (
        Field(
            default=None,
            description="the unit of the item that quantities are in; without one they are base units",
        )
    )


ItemOf = Callable[[Any], UUID | None]


def own_item(line: Any) -> UUID | None:
    """The item that a line names."""
    found: UUID = line.item_id
    return found


def ordered_item(orders: Iterable[PurchaseOrder | None]) -> ItemOf:
    """The item of a line that names itself what came, or a line of one of these orders; None where there is no such line."""
    known = {id_: line.item_id for order in orders if order is not None for id_, line in order.lines.items()}

    def item_of(line: Any) -> UUID | None:
        named: UUID | None = getattr(line, "item_id", None) or getattr(line, "substitute_item_id", None)
        return named or known.get(line.po_line_id)

    return item_of


def in_base_units(
    connection: Connection,
    commands: Sequence[C],
    item_of: ItemOf = own_item,
    *,
    sized: Collection[tuple[UUID, str]] = (),
) -> list[C | DomainError]:
    """The commands with all quantities in base units, or why one has none; a batch that names no unit costs nothing.

    Why not: `UnknownUnit`, `QuantityTooLarge`, `NotFound`, or `UnitMoves` for a unit that is `sized` meanwhile. What
    names a line that is not there stays as it is. Until the transaction ends nobody else sizes the units.
    """
    named = {item for one in commands for line in _in_units(one) if (item := item_of(line)) is not None}
    if not named:
        return list(commands)
    lock_units(connection, named)
    units = ItemUnits.read(connection, named)
    return [_converted(one, units, item_of, sized) for one in commands]


def refuse_sized(command: Command, preceding: Iterable[Command]) -> None:
    """Raise `UnitMoves` where a plan sizes a unit and buys in it: what it comes to cannot be judged."""
    sized = {(one.item_id, one.unit) for one in preceding if isinstance(one, SetItemUnit)}
    for line in _in_units(command) if sized else ():
        _require_still(own_item(line), line.unit, sized)


def unit_facts(connection: Connection, commands: Sequence[Command]) -> list[ReadSet]:
    """What a proposal of each command rests on: how many base units one of each named unit has."""
    asked = [
        [(line.item_id, line.unit) for line in map(_any, _in_units(one)) if line.unit is not None]
        for one in commands
    ]
    item_ids = {item_id for pairs in asked for item_id, _ in pairs}
    if not item_ids:
        return [[] for _ in commands]
    units, names = ItemUnits.read(connection, item_ids), Names.read(connection, items=item_ids)
    return [
        [
            {
                "fact": f"units in one {unit} of {names.code(item_id)}",
                "value": units.in_base(item_id, 1, unit),
                "tolerance": 0,
            }
            for item_id, unit in dict.fromkeys(pairs)
        ]
        for pairs in asked
    ]


def plans_in_base_units(
    connection: Connection, plans: Sequence[Sequence[Mapping[str, Any]]]
) -> list[list[Mapping[str, Any]]]:
    """Stored plans, ``{"command", "payload"}`` each, with the lines of drafts in base units; a line of an unknown unit stays."""
    named = {UUID(line["item_id"]) for plan in plans for step in plan for line in _stored_in_units(step)}
    units = ItemUnits.read(connection, named) if named else None
    return [
        [step if units is None or not any(_stored_in_units(step)) else _counted(step, units) for step in plan]
        for plan in plans
    ]


def _stored_in_units(step: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    lines = step["payload"]["lines"] if step["command"] == "CreatePurchaseOrder" else ()
    return (line for line in lines if line.get("unit") is not None)


def _counted(step: Mapping[str, Any], units: ItemUnits) -> Mapping[str, Any]:
    lines = [_counted_line(line, units) for line in step["payload"]["lines"]]
    return {**step, "payload": {**step["payload"], "lines": lines}}


def _counted_line(line: Mapping[str, Any], units: ItemUnits) -> Mapping[str, Any]:
    if line.get("unit") is None:
        return line
    try:
        found = units.in_base(UUID(line["item_id"]), line["quantity"], line["unit"])
    except DomainError:
        return line
    return {name: value for name, value in line.items() if name != "unit"} | {"quantity": found}


def _any(line: InUnit) -> Any:
    return line


def _in_units(command: Command) -> Iterator[InUnit]:
    parts = [command, *(line for name in _LINES for line in getattr(command, name, ()))]
    return (one for one in parts if isinstance(one, InUnit) and one.unit is not None)


def _converted(
    command: C, units: ItemUnits, item_of: ItemOf, sized: Collection[tuple[UUID, str]]
) -> C | DomainError:
    try:
        if isinstance(command, InUnit):
            return command.model_copy(update=_base_units(command, "quantity", units, item_of, sized))
        lines = {
            name: tuple(
                line.model_copy(update=_base_units(line, f"{name}.quantity", units, item_of, sized))
                for line in getattr(command, name)
            )
            for name in _LINES
            if getattr(command, name, ())
        }
    except DomainError as error:
        return error
    return command.model_copy(update=lines)


def _base_units(
    line: Any, field: str, units: ItemUnits, item_of: ItemOf, sized: Collection[tuple[UUID, str]]
) -> dict[str, Any]:
    if not isinstance(line, InUnit) or line.unit is None or (item_id := item_of(line)) is None:
        return {}
    _require_still(item_id, line.unit, sized)
    counted = {name: getattr(line, name) for name in _QUANTITIES if hasattr(line, name)}
    found = {name: units.in_base(item_id, many, line.unit, field=field) for name, many in counted.items()}
    return found | {"unit": None}


def _require_still(item_id: UUID | None, unit: str | None, sized: Collection[tuple[UUID, str]]) -> None:
    if item_id is not None and unit is not None and (item_id, unit) in sized:
        raise UnitMoves(
            f"the size of a {unit} is set together with what is bought in it",
            field="unit",
            remedy="set the unit first, or give the quantity in base units",
        )
