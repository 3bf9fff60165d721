"""The margin of orders, part by part: from the same rows that the metric `contribution_margin` adds up."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import date
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Connection, Float, Select, cast, func, select, union_all

from erp_core.analytics.facts import FACTS, Scope
from erp_core.master.model import items
from erp_core.orders.model import orders
from erp_core.storage.lookup import fetch_in

SOURCES = {
    "net_sales": "what was shipped, at the price charged",
    "markdown": "list price above the price charged; net sales are after it",
    "cost": "cost entries of the shipments, with landed cost that became known later",
    "procurement_variance": "that cost above the standard cost of the items; part of it",
    "freight": "freight of the shipments, shared over their lines by units",
    "refunds": "refunds of the lines that came back, and credits without a return",
    "recovered": "what restock, refurbishing or vendor credit regained of them",
}
"""Where each component of a margin comes from."""

_MEASURES = {
    "shipped": ("units", "net_sales", "markdown", "costed_sales", "costed_units", "cost"),
    "freight_out": ("cost",),
    "returned": ("refund", "loss"),
    "credited": ("amount",),
}


@dataclass(frozen=True, slots=True)
class Margin:
    """What is left of sales. Money in ten-thousandths of the company's currency; None where it is not known.

    `cost` is landed, at what was paid for the goods, and with `costed_sales` of the `costed_units` alone;
    `procurement_variance` is what of it stands above standard cost. `net_sales` are after `markdown`.
    """

    units: int = 0
    costed_units: int = 0
    net_sales: int = 0
    markdown: int = 0
    costed_sales: int = 0
    cost: int | None = None
    procurement_variance: int | None = None
    freight: int = 0
    refunds: int = 0
    recovered: int = 0

    @property
    def gross(self) -> int | None:
        """Sales of the units whose cost is known less that cost."""
        return None if self.cost is None else self.costed_sales - self.cost

    @property
    def contribution(self) -> int | None:
        """The gross margin less freight and what returns lost; None where goods went out and no cost is known."""
        gross = 0 if self.gross is None and not self.units else self.gross
        return None if gross is None else gross - self.freight - self.refunds + self.recovered


@dataclass(frozen=True, slots=True)
class ItemMargin:
    """The margin of an item in an order."""

    item_id: UUID
    sku: str
    margin: Margin


@dataclass(frozen=True, slots=True)
class OrderMargin:
    """The margin of an order by item, and of the whole, whose components are their sums."""

    order_id: UUID
    number: str
    channel_id: UUID
    lines: tuple[ItemMargin, ...]
    whole: Margin


def together(margins: Iterable[Margin]) -> Margin:
    """The sums of all components; one that is known nowhere stays unknown."""
    found: dict[str, Any] = {}
    for margin in margins:
        for part in fields(Margin):
            value = getattr(margin, part.name)
            if value is not None:
                found[part.name] = (found.get(part.name) or 0) + value
    return Margin(**found)


def order_margins(connection: Connection, order_ids: Iterable[UUID]) -> list[OrderMargin]:
    """The margins of these orders, by number; unknown ids are left out. Nothing shipped and nothing back: no lines.

    A return that names no order is part of the metric and of no order's margin.
    """
    heads = fetch_in(connection, _ORDERS, orders.c.id, order_ids)
    found: dict[tuple[UUID, UUID], dict[str, int | None]] = {}
    for fact, statement, column in _statements():
        for row in fetch_in(connection, statement, column, [one.id for one in heads]):
            parts = found.setdefault((row.order, row.item), {})
            parts |= {
                f"{fact}.{name}": None if row[place] is None else round(row[place])
                for place, name in enumerate(_MEASURES[fact], 2)
            }
    wanted = {item_id for _, item_id in found}
    known = {row.id: row for row in fetch_in(connection, _ITEMS, items.c.id, wanted)}
    lines: dict[UUID, list[ItemMargin]] = {}
    for (order_id, item_id), parts in found.items():
        item = known[item_id]
        margin = _margin(parts, item.standard_cost)
        lines.setdefault(order_id, []).append(ItemMargin(item_id, item.sku, margin))
    return [
        OrderMargin(
            head.id,
            head.number,
            head.channel_id,
            tuple(sorted(lines.get(head.id, ()), key=lambda one: one.sku)),
            together(one.margin for one in lines.get(head.id, ())),
        )
        for head in heads
    ]


def _margin(parts: dict[str, int | None], standard_cost: int | None) -> Margin:
    cost, costed = parts.get("shipped.cost"), parts.get("shipped.costed_units") or 0
    refunds = parts.get("returned.refund") or 0
    known = cost is not None and standard_cost is not None
    return Margin(
        units=parts.get("shipped.units") or 0,
        costed_units=costed,
        net_sales=parts.get("shipped.net_sales") or 0,
        markdown=parts.get("shipped.markdown") or 0,
        costed_sales=parts.get("shipped.costed_sales") or 0,
        cost=cost,
        procurement_variance=(cost or 0) - (standard_cost or 0) * costed if known else None,
        freight=parts.get("freight_out.cost") or 0,
        refunds=refunds + (parts.get("credited.amount") or 0),
        recovered=refunds - (parts.get("returned.loss") or 0),
    )


_ORDERS = select(orders.c.id, orders.c.number, orders.c.channel_id).order_by(orders.c.number)
_ITEMS = select(items.c.id, items.c.sku, items.c.standard_cost)


@lru_cache(maxsize=1)
def _statements() -> Sequence[tuple[str, Select[Any], Any]]:
    """Sums by order and item of each fact that a margin is made of, with the column that names the order."""
    found: list[tuple[str, Select[Any], Any]] = []
    for name, measures in _MEASURES.items():
        scope = Scope(date.min, date.min, frozenset({"order", "item", *measures}))
        arms = [arm.subquery() for arm in FACTS[name].arms(scope)]
        columns = ("order", "item", *measures)
        rows = union_all(*(select(*(arm.c[one] for one in columns)) for arm in arms)).subquery(name)
        kind = Float if name == "freight_out" else BigInteger
        sums = [cast(func.sum(rows.c[measure]), kind).label(measure) for measure in measures]
        grouped = select(rows.c.order, rows.c.item, *sums).group_by(rows.c.order, rows.c.item)
        found.append((name, grouped, rows.c.order))
    return found
