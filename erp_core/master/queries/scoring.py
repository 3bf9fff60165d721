"""Scores of all items and suppliers in one go, from what the database says on a day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Connection, select

from erp_core.master.model import item_units, items, supplier_items, suppliers
from erp_core.master.queries.documents import gaps_of
from erp_core.master.queries.duplicates import Kind, duplicates
from erp_core.master.queries.parameters import parameters
from erp_core.master.queries.prices import DAY, EVERY_PRICE, last_prices, with_every_price
from erp_core.master.queries.records import feeds
from erp_core.master.rules.quality import (
    ItemFacts,
    Problem,
    SupplierFacts,
    item_problems,
    supplier_problems,
)

_FEEDS: Mapping[Kind, tuple[str, ...]] = {"item": ("stock", "sales"), "supplier": ("purchasing",)}


class Scored(NamedTuple):
    """What is wrong with one record."""

    kind: str
    record_id: UUID
    problems: tuple[Problem, ...]


def score_all(connection: Connection, day: date) -> list[Scored]:
    """Every item and every supplier that is none of our own warehouses, with its problems on the day."""
    values = parameters(connection)
    return [*_items(connection, day, values), *_suppliers(connection, day, values)]


def _items(connection: Connection, day: date, values: Mapping[str, int]) -> Iterable[Scored]:
    stale, twins = _stale(connection, "item", day, values), _twins(connection, "item")
    factors: defaultdict[UUID, list[int]] = defaultdict(list)
    for item_id, factor in connection.execute(select(item_units.c.item_id, item_units.c.factor)):
        factors[item_id].append(factor)
    sources, expired = _sources(connection, day), _expired(connection, day)
    for row in connection.execute(
        select(
            items.c.id,
            items.c.base_unit,
            items.c.category,
            items.c.standard_cost,
            items.c.list_price,
        )
    ):
        offers = sources.get(row.id, ())
        prices = [price for price, _, _ in offers if price is not None]
        facts = ItemFacts(
            base_unit=row.base_unit,
            category=row.category,
            standard_cost=row.standard_cost,
            list_price=row.list_price,
            lead_time_days=offers[0][1] if offers else None,
            order_multiple=offers[0][2] if offers else 1,
            factors=factors[row.id],
            sources=len(offers),
            prices=prices,
            expired=None if prices else expired.get(row.id),
            twin=twins.get(row.id),
        )
        yield Scored("item", row.id, tuple(item_problems(facts, values, stale)))


def _suppliers(connection: Connection, day: date, values: Mapping[str, int]) -> Iterable[Scored]:
    stale, twins = _stale(connection, "supplier", day, values), _twins(connection, "supplier")
    rows = connection.execute(select(suppliers).where(suppliers.c.internal.is_(False))).all()
    gaps = gaps_of(connection, ((row.id, row.segment, day) for row in rows))
    for row in rows:
        facts = SupplierFacts(
            country=row.country,
            payment_days=row.payment_days,
            delivery_terms=row.delivery_terms,
            lead_time_days=row.lead_time_days,
            gaps=gaps.get((row.id, day), ()),
            twin=twins.get(row.id),
        )
        yield Scored("supplier", row.id, tuple(supplier_problems(facts, values, stale)))


def _sources(connection: Connection, day: date) -> dict[UUID, list[tuple[int | None, int | None, int]]]:
    """Price in force, lead time and order multiple of those who supply each item, by rank."""
    statement = with_every_price(
        select(
            supplier_items.c.item_id,
            EVERY_PRICE.c.price,
            supplier_items.c.lead_time_days,
            suppliers.c.lead_time_days.label("usual"),
            supplier_items.c.order_multiple,
        ).select_from(supplier_items.join(suppliers, suppliers.c.id == supplier_items.c.supplier_id))
    ).order_by(supplier_items.c.item_id, supplier_items.c.rank)
    found: defaultdict[UUID, list[tuple[int | None, int | None, int]]] = defaultdict(list)
    for row in connection.execute(statement, {DAY: day}):
        lead = row.usual if row.lead_time_days is None else row.lead_time_days
        found[row.item_id].append((row.price, lead, row.order_multiple))
    return found


def _expired(connection: Connection, day: date) -> dict[UUID, date]:
    """The first day without a price of items whose newest price has run out."""
    last = last_prices()
    statement = select(last.c.item_id, last.c.valid_to).where(last.c.valid_to <= day)
    found: dict[UUID, date] = {}
    for row in connection.execute(statement):
        found[row.item_id] = max(row.valid_to, found.get(row.item_id, date.min))
    return found


def _twins(connection: Connection, kind: Kind) -> dict[UUID, str]:
    """The code of the likeliest duplicate of each record that has one."""
    found: dict[UUID, str] = {}
    for match in duplicates(connection, kind):
        found.setdefault(match.first.id, match.second.code)
        found.setdefault(match.second.id, match.first.code)
    return found


def _stale(connection: Connection, kind: Kind, day: date, values: Mapping[str, int]) -> str | None:
    """The first feed that records of this kind rest on and that has become old; None where none has."""
    known, oldest = feeds(connection), day - timedelta(days=values["stale_feed_days"])
    for name in _FEEDS[kind]:
        if name in known and known[name].last_on < oldest:
            return f"{name} data end on {known[name].last_on}"
    return None
