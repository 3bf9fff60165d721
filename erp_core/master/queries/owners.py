"""Who owns which master data, and which has no owner."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection, Select, Table, func, select

from erp_core.gate.model import users
from erp_core.master.model import (
    channels,
    data_owners,
    items,
    locations,
    planning_policies,
    supplier_prices,
    suppliers,
)
from erp_core.storage.lookup import fetch_in

WHOLE_DOMAIN = UUID(int=0)
DOMAINS: Mapping[str, str] = {
    "items": "Items and their units",
    "suppliers": "Suppliers and their documents",
    "prices": "What suppliers ask for items",
    "planning_policies": "How well items are to be served",
    "allocation": "What each channel may take of stock",
    "locations": "Places that hold stock",
    "channels": "Ways customers order",
    "fulfilment": "Carriers, packagings and fulfilment rules",
    "customers": "Customers on account",
    "reasons": "Statuses, exception codes and reason codes",
}
_RECORDS: Mapping[str, tuple[Table, str]] = {
    "items": (items, "id"),
    "suppliers": (suppliers, "id"),
    "prices": (supplier_prices, "supplier_id"),
    "planning_policies": (planning_policies, "item_id"),
    "locations": (locations, "id"),
    "channels": (channels, "id"),
}
"""Tables of the domains whose records can have an owner of their own, and by which id."""


@dataclass(frozen=True, slots=True)
class DomainOwner:
    """A domain with its owner's login, None where it has none, and how many records nobody owns.

    `unowned` is None where the domain's records are kept elsewhere and it has no owner.
    """

    domain: str
    label: str
    owner: str | None
    unowned: int | None


@dataclass(frozen=True, slots=True)
class Unowned:
    """A record of a domain without an owner, where the record has none of its own."""

    domain: str
    record_id: UUID
    code: str


def owner_logins(connection: Connection, domain: str, ids: Iterable[UUID] = ()) -> dict[UUID, str | None]:
    """The login of each record's owner: its own, else the domain's, else None."""
    wanted = list(dict.fromkeys(ids))
    statement = select(data_owners.c.record_id, users.c.login).join(
        users, users.c.id == data_owners.c.user_id
    )
    rows = fetch_in(
        connection,
        statement.where(data_owners.c.domain == domain),
        data_owners.c.record_id,
        [WHOLE_DOMAIN, *wanted],
    )
    known = {row.record_id: row.login for row in rows}
    return {id_: known.get(id_, known.get(WHOLE_DOMAIN)) for id_ in wanted}


def list_domains(connection: Connection) -> list[DomainOwner]:
    """Every domain with its owner and the number of its records that nobody owns."""
    rows = connection.execute(
        select(data_owners.c.domain, users.c.login)
        .join(users, users.c.id == data_owners.c.user_id)
        .where(data_owners.c.record_id == WHOLE_DOMAIN)
    )
    owners = {domain: login for domain, login in rows}
    return [
        DomainOwner(domain, label, owners.get(domain), _unowned(connection, domain, domain in owners))
        for domain, label in DOMAINS.items()
    ]


def _unowned(connection: Connection, domain: str, owned: bool) -> int | None:
    if owned:
        return 0
    if domain not in _RECORDS:
        return None
    table, key = _RECORDS[domain]
    statement = select(func.count(table.c[key].distinct())).where(table.c[key].not_in(_own(domain)))
    return int(connection.scalar(statement) or 0)


def _own(domain: str) -> Select[UUID]:
    return select(data_owners.c.record_id).where(data_owners.c.domain == domain)


def records_without_owner(connection: Connection, domain: str, *, limit: int = 100) -> list[Unowned]:
    """Records of a domain that nobody owns, by code; none where the domain has an owner."""
    owned = connection.scalar(
        select(func.count())
        .select_from(data_owners)
        .where(data_owners.c.domain == domain, data_owners.c.record_id == WHOLE_DOMAIN)
    )
    if owned or domain not in _RECORDS:
        return []
    table, key = _RECORDS[domain]
    named = {"supplier_id": suppliers, "item_id": items}.get(key, table)
    code = named.c.sku if named is items else named.c.code
    statement = select(named.c.id, code).where(named.c.id.not_in(_own(domain))).order_by(code).limit(limit)
    if named is not table:
        statement = statement.where(named.c.id.in_(select(table.c[key])))
    return [Unowned(domain, id_, text) for id_, text in connection.execute(statement)]
