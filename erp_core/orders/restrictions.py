"""Restricted products where orders are placed and stock is allocated."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import Select, func, select

from erp_core.gate.contract import Task, Transaction
from erp_core.inventory.locks import lock_names
from erp_core.master.model import items
from erp_core.master.queries.restrictions import active_restrictions
from erp_core.master.rules.restrictions import Restriction, Sale, check_sales, forbidding
from erp_core.orders.model import order_kits, order_lines
from erp_core.storage.lookup import fetch_in

if TYPE_CHECKING:
    from erp_core.orders.commands.place import OrderLine, PlaceOrder

_CATEGORIES = select(items.c.id, items.c.category)
_LINES = select(
    order_lines.c.id,
    order_lines.c.item_id,
    order_lines.c.channel_id,
    order_lines.c.customer_country,
    order_lines.c.location_id,
    order_lines.c.quantity,
)
PlannedSale = tuple[UUID, UUID, str, UUID, int]
"""Item, channel, the customer's country, place and units."""


class Restrictions:
    """The restrictions in force, over one batch of orders. Without any it costs one read.

    Those with a daily most are locked for the days of the batch, so that two orders count one after the other.
    """

    def __init__(self, tx: Transaction, tasks: Sequence[Task[PlaceOrder]]) -> None:
        self._tx = tx
        self._all = active_restrictions(tx.connection)
        self._sold: dict[tuple[UUID, date], int] = {}
        if not self._all:
            return
        wanted = {line.item_id for task in tasks for line in task.command.lines}
        self._categories = _categories(tx, wanted)
        kinds = set(self._categories.values())
        days = {task.occurred_on for task in tasks}
        lock_names(
            tx.connection,
            (
                f"restriction {one.id} {day}"
                for one in self._all
                if one.most_per_day is not None and (one.item_id in wanted or one.category in kinds)
                for day in days
            ),
        )

    def allowed_places(self, command: PlaceOrder, places: Sequence[UUID]) -> list[UUID]:
        """Those of the places from which every line without a place of its own may be sold."""
        if not self._all:
            return list(places)
        free = [line for line in command.lines if line.location_id is None]
        return [
            place
            for place in places
            if not any(forbidding(self._all, self._sale(command, line, place)) for line in free)
        ]

    def check(self, command: PlaceOrder, places: Sequence[UUID | None], day: date) -> None:
        """Pass when the order keeps every restriction. Raises `ProductRestricted` or `QuantityRestricted`."""
        if not self._all:
            return
        sales = self._sales(command, places)
        concerned = [one for one in self._all if any(one.covers(sale) for sale in sales)]
        daily = [one for one in concerned if one.most_per_day is not None]
        check_sales(concerned, sales, {one.id: self._sold_on(one, day) for one in daily})

    def count(self, command: PlaceOrder, places: Sequence[UUID | None], day: date) -> None:
        """Count an accepted order into the day's units, before it is written."""
        sales = self._sales(command, places) if self._all else []
        for id_, sold_on in self._sold:
            if sold_on == day:
                one = next(one for one in self._all if one.id == id_)
                self._sold[id_, day] += sum(sale.quantity for sale in sales if one.covers(sale))

    def _sales(self, command: PlaceOrder, places: Sequence[UUID | None]) -> list[Sale]:
        return [self._sale(command, line, place) for line, place in zip(command.lines, places, strict=True)]

    def _sale(self, command: PlaceOrder, line: OrderLine, place: UUID | None) -> Sale:
        return Sale(
            line.item_id,
            self._categories.get(line.item_id, ""),
            command.channel_id,
            command.customer_country,
            place,
            line.quantity,
        )

    def _sold_on(self, one: Restriction, day: date) -> int:
        if (one.id, day) not in self._sold:
            line = order_lines.c
            units = line.quantity - line.cancelled_quantity
            sold = self._tx.connection.scalar(_narrowed(select(func.sum(units)), one, day))
            if one.item_id is not None:
                kits = select(func.sum(units / line.per_kit)).where(
                    line.line_no == _FIRST_OF_KIT, line.kit_line_id == order_kits.c.id
                )
                kits = kits.where(order_kits.c.kit_item_id == one.item_id)
                sold = (sold or 0) + (self._tx.connection.scalar(_narrowed(kits, one, day, item=False)) or 0)
            self._sold[one.id, day] = int(sold or 0)
        return self._sold[one.id, day]


_OTHER = order_lines.alias("other_line_of_kit")
_FIRST_OF_KIT = (
    select(func.min(_OTHER.c.line_no))
    .where(_OTHER.c.order_id == order_lines.c.order_id, _OTHER.c.kit_line_id == order_lines.c.kit_line_id)
    .correlate(order_lines)
    .scalar_subquery()
)


def _narrowed(statement: Select[Any], one: Restriction, day: date, *, item: bool = True) -> Select[Any]:
    """The statement over order lines of that day which the restriction covers, of any item where `item` is not set."""
    line = order_lines.c
    statement = statement.where(line.ordered_on == day, line.import_id.is_(None))
    if item and one.item_id is not None:
        statement = statement.where(line.item_id == one.item_id)
    if item and one.category is not None:
        statement = statement.where(
            line.item_id.in_(select(items.c.id).where(items.c.category == one.category))
        )
    if one.channel_id is not None:
        statement = statement.where(line.channel_id == one.channel_id)
    if one.country is not None:
        statement = statement.where(func.lower(line.customer_country) == one.country.lower())
    if one.location_id is not None:
        statement = statement.where(line.location_id == one.location_id)
    return statement


def forbidden_lines(tx: Transaction, line_ids: Collection[UUID]) -> dict[UUID, Restriction]:
    """Those of the order lines that may not be filled now, each with the restriction that forbids it."""
    rules = _forbidding_rules(tx) if line_ids else []
    rows = fetch_in(tx.connection, _LINES, order_lines.c.id, line_ids) if rules else ()
    return _forbidden(tx, rules, {row.id: row[1:] for row in rows})


def forbidden_sales(tx: Transaction, sales: Mapping[UUID, PlannedSale]) -> dict[UUID, Restriction]:
    """Those of the sales that are not lines yet and may not be, each with the restriction that forbids it."""
    return _forbidden(tx, _forbidding_rules(tx), sales)


def _forbidding_rules(tx: Transaction) -> list[Restriction]:
    return [one for one in active_restrictions(tx.connection) if one.forbids]


def _forbidden(
    tx: Transaction, rules: Sequence[Restriction], sales: Mapping[UUID, PlannedSale]
) -> dict[UUID, Restriction]:
    if not rules:
        return {}
    categories = _categories(tx, (item_id for item_id, *_ in sales.values()))
    found = {}
    for id_, (item_id, channel_id, country, place, units) in sales.items():
        rule = forbidding(rules, Sale(item_id, categories[item_id], channel_id, country, place, units))
        if rule is not None:
            found[id_] = rule
    return found


def _categories(tx: Transaction, item_ids: Iterable[UUID]) -> dict[UUID, str]:
    return {row.id: row.category for row in fetch_in(tx.connection, _CATEGORIES, items.c.id, item_ids)}
