"""Reads of what others call our items: nothing is guessed, and what fits two items fits none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection, func, select

from erp_core.master.model import items, supplier_items
from erp_core.master.model_external import external_skus
from erp_core.storage.lookup import fetch_in


@dataclass(frozen=True, slots=True)
class ExternalSku:
    """A code of a party, and our item that it stands for."""

    party: str
    party_id: UUID
    code: str
    item_id: UUID


@dataclass(frozen=True, slots=True)
class Resolution:
    """Our items by the code of the party; `doubts` are the items that a code might be, none or several."""

    items: Mapping[str, UUID]
    doubts: Mapping[str, tuple[UUID, ...]]


def key_of(code: str) -> str:
    """What of a code counts: neither case nor blanks around it."""
    return code.strip().casefold()


def list_external_skus(connection: Connection, party_id: UUID | None = None) -> list[ExternalSku]:
    """The mappings of a party, or of all, by party and code."""
    table = external_skus.c
    statement = select(table.party, table.party_id, table.code, table.item_id)
    if party_id is not None:
        statement = statement.where(table.party_id == party_id)
    ordered = statement.order_by(table.party, table.party_id, table.code_key)
    return [ExternalSku(*row) for row in connection.execute(ordered)]


def external_items(connection: Connection, party: str, party_id: UUID, codes: Iterable[str]) -> Resolution:
    """Which items a party means.

    A mapping counts first. A supplier's own codes on its supply records count where it has no mapping for one; a party
    of which neither is known names items by our SKUs. Case does not matter; a code that fits two items fits none.
    """
    wanted = {code: key_of(code) for code in codes}
    mapped = fetch_in(
        connection,
        select(external_skus.c.code_key, external_skus.c.item_id).where(external_skus.c.party_id == party_id),
        external_skus.c.code_key,
        set(wanted.values()),
    )
    found: dict[str, set[UUID]] = {key: {item_id} for key, item_id in mapped}
    others = set(wanted.values()) - found.keys()
    if others and party == "supplier":
        own = func.lower(supplier_items.c.supplier_sku)
        statement = select(own, supplier_items.c.item_id).where(supplier_items.c.supplier_id == party_id)
        for key, item_id in fetch_in(connection, statement, own, others):
            found.setdefault(key, set()).add(item_id)
    if others and not _has_codes(connection, party, party_id):
        ours = func.lower(items.c.sku)
        for key, item_id in fetch_in(connection, select(ours, items.c.id), ours, others):
            found.setdefault(key, set()).add(item_id)
    return Resolution(
        {code: next(iter(found[key])) for code, key in wanted.items() if len(found.get(key, ())) == 1},
        {
            code: tuple(sorted(found.get(key, ())))
            for code, key in wanted.items()
            if len(found.get(key, ())) != 1
        },
    )


def _has_codes(connection: Connection, party: str, party_id: UUID) -> bool:
    mapped = select(external_skus.c.party_id).where(external_skus.c.party_id == party_id).exists()
    listed = select(supplier_items.c.supplier_id).where(
        supplier_items.c.supplier_id == party_id, supplier_items.c.supplier_sku.is_not(None)
    )
    either = mapped | listed.exists() if party == "supplier" else mapped
    return bool(connection.scalar(select(either)))
