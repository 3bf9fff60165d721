"""Kits in orders. One that is sold from its parts is an order line for each component, and moves in whole sets.

The order keeps the kit as it was sold (`order_kits`), its lines name it (`kit_line_id`) and say how many of their
units one kit has (`per_kit`). A later definition of the kit changes no order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select

from erp_core.gate.contract import DomainError
from erp_core.master.rules.kits import whole_sets
from erp_core.orders.book import BookLine, BookOrder
from erp_core.orders.model import order_kits


class BrokenKit(DomainError):
    """Something would leave part of a kit behind: a kit is sold, shipped and cancelled in whole sets."""

    code = "broken_kit"


@dataclass(frozen=True, slots=True)
class OrderedKit:
    """A kit as it was sold. Prices of one kit in ten-thousandths."""

    id: UUID
    order_id: UUID
    line_no: int
    kit_item_id: UUID
    quantity: int
    unit_price: int
    list_price: int


def with_whole_kits(order: BookOrder, lines: Iterable[BookLine]) -> list[BookLine]:
    """The lines, and for each that is part of a kit the kit's other lines beside it."""
    found: dict[UUID, BookLine] = {}
    for line in lines:
        if line.kit_line_id is None:
            found[line.id] = line
        else:
            found.update({one.id: one for one in order.lines.values() if one.kit_line_id == line.kit_line_id})
    return list(found.values())


def sets_to_fill(lines: Sequence[BookLine], free: Callable[[BookLine], int]) -> int:
    """How many whole sets of one kit wait and can be had, of what is `free` where its lines are."""
    each: dict[tuple[UUID, UUID], int] = {}
    for line in lines:
        place = (line.item_id, line.location_id)
        each[place] = each.get(place, 0) + (line.per_kit or 1)
    there = {(line.item_id, line.location_id): free(line) for line in lines}
    waiting = min(line.parts.unfilled // (line.per_kit or 1) for line in lines)
    return min(waiting, whole_sets((there[place], units) for place, units in each.items()))


def lines_of_kit(order: BookOrder, kit_line_id: UUID) -> list[BookLine]:
    """The order's lines that are the parts of a kit; none where the id is no kit's."""
    return [line for line in order.lines.values() if line.kit_line_id == kit_line_id]


def require_whole_kits(order: BookOrder, units: Mapping[UUID, int]) -> None:
    """Pass when these units by line id are whole sets of every kit they touch. Raises `BrokenKit`."""
    for kit_line_id in {order.lines[id_].kit_line_id for id_ in units} - {None}:
        assert kit_line_id is not None
        lines = lines_of_kit(order, kit_line_id)
        sets = {divmod(units.get(line.id, 0), line.per_kit or 1) for line in lines}
        if len(sets) > 1 or next(iter(sets))[1]:
            raise BrokenKit(
                f"order {order.number} would part a kit",
                field="lines.line_id",
                remedy=f"take whole kits: their own line is {kit_line_id}",
                kit=str(kit_line_id),
            )


_KITS = select(*(order_kits.c[name] for name in OrderedKit.__dataclass_fields__)).order_by(
    order_kits.c.line_no
)


def kits_of_order(connection: Connection, order_id: UUID) -> list[OrderedKit]:
    """The kits of an order as they were sold; its lines hold their components."""
    rows: Iterable[Any] = connection.execute(_KITS.where(order_kits.c.order_id == order_id))
    return [OrderedKit(*row) for row in rows]
