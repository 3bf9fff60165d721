"""Reads of the rules of tax and revenue, and of what decides about the tax of a sale."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Table, and_, func, select

from erp_core.master.model import channels, legal_entities, locations
from erp_core.master.model_trade import item_trade, revenue_rules, tax_rules
from erp_core.master.rules.countries import country_code
from erp_core.master.rules.taxes import STANDARD, RevenueRule, TaxRule
from erp_core.storage.lookup import fetch_in
from erp_core.storage.types import NO_LOT

COMPANY = NO_LOT
"""The seller where a channel belongs to no legal entity: the company itself."""


def _newest(table: Table, of: type[Any]) -> Any:
    newest = select(table.c.id, func.max(table.c.version).label("version")).group_by(table.c.id).subquery()
    return (
        select(*(table.c[part.name] for part in fields(of)))
        .join(newest, and_(newest.c.id == table.c.id, newest.c.version == table.c.version))
        .where(table.c.active)
        .order_by(table.c.valid_from, table.c.id)
    )


_TAX_RULES, _REVENUE_RULES = _newest(tax_rules, TaxRule), _newest(revenue_rules, RevenueRule)
_SELLERS = select(
    channels.c.id, channels.c.legal_entity_id, legal_entities.c.code, legal_entities.c.country
).join(legal_entities, legal_entities.c.id == channels.c.legal_entity_id, isouter=True)
_CLASSES = select(item_trade.c.item_id, item_trade.c.tax_class)


@dataclass(frozen=True, slots=True)
class Seller:
    """Who sells through a channel: a legal entity, or the company itself, and its country where it is known."""

    id: UUID
    code: str
    country: str | None


def tax_rules_in_use(connection: Connection) -> list[TaxRule]:
    """The newest version of every tax rule that was not lifted, whatever its days."""
    found = []
    for row in connection.execute(_TAX_RULES):
        values = dict(row._mapping)
        named = values["customer_countries"]
        found.append(TaxRule(**values | {"customer_countries": None if named is None else tuple(named)}))
    return found


def revenue_rules_in_use(connection: Connection) -> list[RevenueRule]:
    """The newest version of every revenue rule that was not lifted, whatever its days."""
    return [RevenueRule(*row) for row in connection.execute(_REVENUE_RULES)]


def sellers(connection: Connection) -> dict[UUID, Seller]:
    """Who sells, by channel."""
    return {
        channel_id: Seller(COMPANY, "", None)
        if entity_id is None
        else Seller(entity_id, code, country_code(country))
        for channel_id, entity_id, code, country in connection.execute(_SELLERS)
    }


def dispatch_countries(connection: Connection) -> Mapping[UUID, str | None]:
    """The country that each place sends from; None where it is not known."""
    rows = connection.execute(select(locations.c.id, locations.c.country))
    return {id_: country_code(country) for id_, country in rows}


def tax_classes(connection: Connection, item_ids: Iterable[UUID]) -> dict[UUID, str]:
    """The tax class of each of these items."""
    wanted = set(item_ids)
    rows = fetch_in(connection, _CLASSES, item_trade.c.item_id, wanted)
    return dict.fromkeys(wanted, STANDARD) | {row.item_id: row.tax_class for row in rows}
