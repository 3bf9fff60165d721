"""Reads of the master data: find by code, list, resolve ids to codes and names in bulk."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import date
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, Select, Table, func, or_, select

from erp_core.master.model import (
    channels,
    data_feeds,
    import_visibility,
    item_units,
    items,
    legal_entities,
    locations,
    suppliers,
)
from erp_core.storage.lookup import fetch_in


@dataclass(frozen=True, slots=True)
class Item:
    """An item. Money per base unit in ten-thousandths; None where unknown."""

    id: UUID
    sku: str
    name: str
    category: str
    brand: str
    abc_class: str | None
    base_unit: str
    standard_cost: int | None
    list_price: int | None
    status: str
    introduced_on: date | None
    gtin: str | None = None
    lot_tracked: bool = False
    serial_tracked: bool = False
    expiry_tracked: bool = False
    kit: str | None = None


@dataclass(frozen=True, slots=True)
class Supplier:
    """A supplier with its terms."""

    id: UUID
    code: str
    name: str
    country: str | None
    currency: str
    payment_days: int | None
    delivery_terms: str | None
    minimum_order: int
    lead_time_days: int | None
    segment: str
    risk_class: str
    status: str
    created_by: UUID


@dataclass(frozen=True, slots=True)
class Location:
    """A place that holds stock, or a virtual one. `rerouted_to` takes its orders during an outage.

    `within_id` is the site of a zone or the zone of a bin; None for a site.
    """

    id: UUID
    code: str
    name: str
    kind: str
    country: str | None
    physical: bool
    rerouted_to: UUID | None = None
    within_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Channel:
    """A way customers order."""

    id: UUID
    code: str
    name: str
    kind: str
    priority: int


@dataclass(frozen=True, slots=True)
class LegalEntity:
    """A company in law that owns places or sells through channels."""

    id: UUID
    code: str
    name: str
    country: str


@dataclass(frozen=True, slots=True)
class Feed:
    """Days over which the company has facts of a kind."""

    kind: str
    first_on: date
    last_on: date


R = TypeVar("R")


def _columns(record: type[Any], table: Table) -> list[Any]:
    return [table.c[part.name] for part in fields(record)]


def _read(record: Callable[..., R], rows: Iterable[Row[Any]]) -> list[R]:
    return [record(*row) for row in rows]


def _find(
    connection: Connection, record: type[R], table: Table, code: ColumnElement[Any], wanted: str
) -> R | None:
    statement = select(*_columns(record, table))
    exact = _read(record, connection.execute(statement.where(code == wanted)))
    near = exact or _read(record, connection.execute(statement.where(func.lower(code) == wanted.lower())))
    return near[0] if len(near) == 1 else None


def find_item(connection: Connection, sku: str) -> Item | None:
    """The item of this SKU: exactly, else in any case if only one fits."""
    return _find(connection, Item, items, items.c.sku, sku)


def find_by_gtin(connection: Connection, gtin: str) -> Item | None:
    """The item of this GTIN, with or without its leading zeros, if it is one item's."""
    full = gtin.zfill(14)
    forms = [full[-length:] for length in (8, 12, 13, 14) if not full[:-length].strip("0")]
    found = _read(
        Item, connection.execute(select(*_columns(Item, items)).where(items.c.gtin.in_(forms)).limit(2))
    )
    return found[0] if len(found) == 1 else None


def find_supplier(connection: Connection, code: str) -> Supplier | None:
    """The supplier of this code: exactly, else in any case if only one fits."""
    return _find(connection, Supplier, suppliers, suppliers.c.code, code)


def find_location(connection: Connection, code: str) -> Location | None:
    """The location of this code: exactly, else in any case if only one fits."""
    return _find(connection, Location, locations, locations.c.code, code)


def find_channel(connection: Connection, code: str) -> Channel | None:
    """The channel of this code: exactly, else in any case if only one fits."""
    return _find(connection, Channel, channels, channels.c.code, code)


def list_items(
    connection: Connection,
    *,
    ids: Iterable[UUID] | None = None,
    category: str | None = None,
    status: str | None = None,
    text: str | None = None,
    limit: int | None = None,
    offset: int = 0,
) -> list[Item]:
    """Items by SKU; `text` is looked for in SKU and name."""
    statement = select(*_columns(Item, items)).order_by(items.c.sku)
    if category is not None:
        statement = statement.where(items.c.category == category)
    if status is not None:
        statement = statement.where(items.c.status == status)
    if text is not None:
        statement = statement.where(
            or_(items.c.sku.icontains(text, autoescape=True), items.c.name.icontains(text, autoescape=True))
        )
    if ids is not None:
        return _read(Item, fetch_in(connection, statement, items.c.id, ids))
    return _read(Item, connection.execute(statement.limit(limit).offset(offset)))


def list_suppliers(
    connection: Connection, *, ids: Iterable[UUID] | None = None, status: str | None = None
) -> list[Supplier]:
    """Suppliers by code."""
    statement = select(*_columns(Supplier, suppliers)).order_by(suppliers.c.code)
    if status is not None:
        statement = statement.where(suppliers.c.status == status)
    return _read(Supplier, _limited(connection, statement, suppliers.c.id, ids))


def list_locations(connection: Connection, *, physical: bool | None = True) -> list[Location]:
    """Locations by code; the virtual ones only when asked for (`physical` False or None)."""
    statement = select(*_columns(Location, locations)).order_by(locations.c.code)
    if physical is not None:
        statement = statement.where(locations.c.physical == physical)
    return _read(Location, connection.execute(statement))


def places_within(connection: Connection, site_id: UUID) -> list[Location]:
    """The zones and bins of a site, by code."""
    places = list_locations(connection)
    zones = {place.id for place in places if place.within_id == site_id}
    return [place for place in places if place.within_id == site_id or place.within_id in zones]


def list_channels(connection: Connection) -> list[Channel]:
    """Channels by priority and code."""
    return _read(
        Channel,
        connection.execute(
            select(*_columns(Channel, channels)).order_by(channels.c.priority, channels.c.code)
        ),
    )


def list_legal_entities(connection: Connection) -> list[LegalEntity]:
    """Legal entities by code."""
    statement = select(*_columns(LegalEntity, legal_entities)).order_by(legal_entities.c.code)
    return _read(LegalEntity, connection.execute(statement))


def item_factors(connection: Connection, item_ids: Iterable[UUID]) -> dict[UUID, dict[str, int]]:
    """Base units in one of each further unit, by item."""
    factors: dict[UUID, dict[str, int]] = {}
    for row in fetch_in(connection, select(item_units), item_units.c.item_id, item_ids):
        factors.setdefault(row.item_id, {})[row.unit] = row.factor
    return factors


def feeds(connection: Connection) -> dict[str, Feed]:
    """The kinds of fact the company has, by kind; a kind that is missing has no facts at all."""
    rows = connection.execute(select(*_columns(Feed, data_feeds)))
    return {feed.kind: feed for feed in _read(Feed, rows)}


def visible(import_id: ColumnElement[Any]) -> ColumnElement[bool]:
    """True for rows of live documents and of complete imports; every reader of such rows filters by it."""
    complete = select(import_visibility.c.import_id).where(import_visibility.c.complete)
    return or_(import_id.is_(None), import_id.in_(complete))


def _limited(
    connection: Connection, statement: Select[Any], column: ColumnElement[Any], ids: Iterable[UUID] | None
) -> Iterable[Row[Any]]:
    return connection.execute(statement) if ids is None else fetch_in(connection, statement, column, ids)


class Names:
    """Codes and names of records by id, read in bulk. An id that names nothing is shown as itself."""

    def __init__(self, labels: Mapping[UUID, tuple[str, str]]) -> None:
        self._labels = labels

    @classmethod
    def read(
        cls,
        connection: Connection,
        *,
        items: Iterable[UUID] = (),
        suppliers: Iterable[UUID] = (),
        locations: Iterable[UUID] = (),
        channels: Iterable[UUID] = (),
    ) -> Names:
        """Resolve these ids, with one query for each kind given."""
        labels: dict[UUID, tuple[str, str]] = {}
        for table, code, ids in zip(_CODED, _CODES, (items, suppliers, locations, channels), strict=True):
            rows = fetch_in(
                connection, select(table.c.id, table.c[code].label("code"), table.c.name), table.c.id, ids
            )
            labels.update({row.id: (row.code, row.name) for row in rows})
        return cls(labels)

    def code(self, id_: UUID) -> str:
        """The code (of an item, its SKU)."""
        return self._labels[id_][0] if id_ in self._labels else str(id_)

    def name(self, id_: UUID) -> str:
        """The name."""
        return self._labels[id_][1] if id_ in self._labels else str(id_)


_CODED = (items, suppliers, locations, channels)
_CODES = ("sku", "code", "code", "code")
