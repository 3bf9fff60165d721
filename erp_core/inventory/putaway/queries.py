"""What lies where it was received, and where it should go."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from datetime import date
from uuid import UUID

from sqlalchemy import Connection, func, or_, select

from erp_core.inventory.model import lots, stock_balances
from erp_core.inventory.pick_faces.model import pick_faces
from erp_core.inventory.putaway.model import putaway_rules
from erp_core.inventory.putaway.room import Pair, Rooms
from erp_core.inventory.putaway.rules import Advice, Face, Goods, Rule, advise
from erp_core.inventory.rules import NO_LOT, ON_HAND_STATES, OWN
from erp_core.master.model import items, locations
from erp_core.storage.lookup import fetch_in

_RULES = select(
    putaway_rules.c.id,
    putaway_rules.c.location_id,
    putaway_rules.c.priority,
    putaway_rules.c.item_id,
    putaway_rules.c.category,
    putaway_rules.c.abc_class,
    putaway_rules.c.expires_within_days,
    putaway_rules.c.capacity,
).where(putaway_rules.c.active)


def putaway_advice(
    connection: Connection, site_id: UUID, today: date, item_ids: Collection[UUID] | None = None
) -> list[Advice]:
    """Where what is available at a site itself should be put away, in its zones and bins.

    Nothing is advised for a site without rules and without pick faces to fill.
    """
    goods = _goods(connection, site_id, today, item_ids)
    found = [Rule(*row) for row in connection.execute(_RULES.where(putaway_rules.c.site_id == site_id))]
    faces = _faces(connection, site_id, {one.item_id for one in goods})
    if not found and not faces:
        return []
    places = {rule.location_id for rule in found if rule.capacity is not None}
    return list(advise(goods, found, faces, _lying(connection, places)))


def read_rooms(
    connection: Connection, places: Collection[UUID], item_ids: Collection[UUID], ordered: Mapping[Pair, int]
) -> Rooms:
    """What still fits at places, sites or what is in them: capacities less what lies there and what is on its way.

    `ordered` is what suppliers will bring, by (item, place). Where no rule has a capacity one query is all.
    """
    known, wanted = putaway_rules.c, set(places)
    rules: dict[UUID, list[Rule]] = {}
    at_places = or_(known.site_id.in_(wanted), known.location_id.in_(wanted))
    for *row, site_id in connection.execute(_RULES.add_columns(known.site_id).where(at_places)):
        rule = Rule(*row)
        for place in {site_id, rule.location_id} & wanted:
            rules.setdefault(place, []).append(rule)
    kept = {rule.location_id for of_place in rules.values() for rule in of_place if rule.capacity is not None}
    if not kept:
        return Rooms({}, {}, {}, {})
    coming = Counter({pair: units for pair, units in ordered.items() if pair[1] in rules})
    coming.update(_at_sites(connection, rules.keys(), kept))
    kinds = select(items.c.id, items.c.category, items.c.abc_class)
    of_items = fetch_in(connection, kinds, items.c.id, {*item_ids, *(item_id for item_id, _ in coming)})
    return Rooms(
        rules,
        _lying(connection, kept),
        coming,
        {id_: Goods(id_, NO_LOT, 0, category, abc, None) for id_, category, abc in of_items},
    )


def _at_sites(connection: Connection, places: Collection[UUID], kept: Collection[UUID]) -> dict[Pair, int]:
    """Units that are to be put away yet, or in transit, by (item, place); what lies in a zone or bin is not."""
    balances = stock_balances.c
    statement = (
        select(balances.item_id, balances.location_id, balances.state, balances.quantity)
        .where(balances.state.in_((*ON_HAND_STATES, "in_transit")), balances.quantity > 0)
        .order_by(balances.item_id)
    )
    found: Counter[Pair] = Counter()
    for item_id, place, state, units in fetch_in(connection, statement, balances.location_id, places):
        if state == "in_transit" or place not in kept:
            found[item_id, place] += units
    return found


def _goods(
    connection: Connection, site_id: UUID, today: date, item_ids: Collection[UUID] | None
) -> list[Goods]:
    statement = (
        select(
            stock_balances.c.item_id,
            stock_balances.c.lot_id,
            stock_balances.c.quantity,
            items.c.category,
            items.c.abc_class,
            lots.c.expires_on,
        )
        .join(items, items.c.id == stock_balances.c.item_id)
        .outerjoin(lots, lots.c.id == stock_balances.c.lot_id)
        .where(
            stock_balances.c.location_id == site_id,
            stock_balances.c.state == "available",
            stock_balances.c.owner == OWN,
            stock_balances.c.quantity > 0,
        )
        .order_by(items.c.sku, stock_balances.c.lot_id)
    )
    if item_ids is not None:
        statement = statement.where(stock_balances.c.item_id.in_(list(item_ids)))
    return [
        Goods(item_id, lot_id, units, category, abc, None if last is None else (last - today).days)
        for item_id, lot_id, units, category, abc, last in connection.execute(statement)
    ]


def _faces(connection: Connection, site_id: UUID, item_ids: Collection[UUID]) -> dict[UUID, Face]:
    """The pick faces of the site that are below their minimum, the emptiest of an item."""
    zones = select(locations.c.id).where(locations.c.within_id == site_id)
    inside = select(locations.c.id).where(
        locations.c.within_id.in_(zones) | (locations.c.within_id == site_id)
    )
    there = func.coalesce(
        select(func.sum(stock_balances.c.quantity))
        .where(
            stock_balances.c.item_id == pick_faces.c.item_id,
            stock_balances.c.location_id == pick_faces.c.location_id,
            stock_balances.c.state == "available",
            stock_balances.c.owner == OWN,
        )
        .scalar_subquery(),
        0,
    )
    statement = select(
        pick_faces.c.item_id, pick_faces.c.location_id, pick_faces.c.minimum, pick_faces.c.maximum, there
    ).where(pick_faces.c.location_id.in_(inside))
    found: dict[UUID, Face] = {}
    for item_id, place, minimum, maximum, units in fetch_in(
        connection, statement, pick_faces.c.item_id, item_ids
    ):
        face = Face(place, maximum - int(units))
        if units < minimum and (item_id not in found or found[item_id].room < face.room):
            found[item_id] = face
    return found


def _lying(connection: Connection, places: Collection[UUID]) -> dict[UUID, int]:
    statement = (
        select(stock_balances.c.location_id, func.sum(stock_balances.c.quantity))
        .where(stock_balances.c.state.in_(ON_HAND_STATES))
        .group_by(stock_balances.c.location_id)
    )
    rows = fetch_in(connection, statement, stock_balances.c.location_id, places)
    return {place: int(units) for place, units in rows}
