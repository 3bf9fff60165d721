"""Terms agreed with a supplier for some time: what a quotation that is awarded writes into the master data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select

from erp_core.gate.contract import Transaction
from erp_core.master.commands.prices import Prices, told
from erp_core.master.model import supplier_items
from erp_core.master.queries.prices import Pair, PriceRecord
from erp_core.storage.bulk import insert_rows, update_rows
from erp_core.storage.locks import lock_names
from erp_core.storage.lookup import AnyRow, fetch_in


@dataclass(frozen=True, slots=True)
class AgreedTerms:
    """What a supplier asks for an item from a day on, up to and not on `valid_to`. Money in ten-thousandths."""

    supplier_id: UUID
    item_id: UUID
    price: int
    breaks: tuple[tuple[int, int], ...]
    minimum_quantity: int
    order_multiple: int
    lead_time_days: int | None
    currency: str
    valid_from: date
    valid_to: date
    reference: str


@dataclass(frozen=True, slots=True)
class PricesMoved:
    """The prices before and after, as the audit log has them."""

    before: Sequence[Mapping[str, Any] | None]
    after: Sequence[Mapping[str, Any] | None]


def agree_terms(tx: Transaction, agreed: Sequence[AgreedTerms], audit_id: UUID) -> PricesMoved:
    """Set the prices for their days and the quantities and lead times from now on.

    A supplier that did not supply the item yet comes after those that do; who is preferred stays so.
    Raises `PriceOverlap`.
    """
    pairs: list[Pair] = [(one.supplier_id, one.item_id) for one in agreed]
    prices = Prices(tx, pairs)
    before = [told(prices.in_force(pair, one.valid_from)) for pair, one in zip(pairs, agreed, strict=True)]
    after = [told(prices.agree(_record(one), audit_id)) for one in agreed]
    lock_names(tx.connection, (f"sources of {one.item_id}" for one in agreed))
    known = _sources(tx.connection, {one.item_id for one in agreed})
    ranks: dict[UUID, int] = {}
    for (_, item_id), row in known.items():
        ranks[item_id] = max(ranks.get(item_id, 0), row.rank)
    new, changed = [], []
    for pair, one in zip(pairs, agreed, strict=True):
        terms = {
            "supplier_id": one.supplier_id,
            "item_id": one.item_id,
            "minimum_quantity": one.minimum_quantity,
            "order_multiple": one.order_multiple,
            "audit_id": audit_id,
        }
        if pair in known:
            lead = known[pair].lead_time_days if one.lead_time_days is None else one.lead_time_days
            changed.append(terms | {"lead_time_days": lead})
            continue
        ranks[one.item_id] = ranks.get(one.item_id, 0) + 1
        new.append(
            terms | {"lead_time_days": one.lead_time_days, "rank": ranks[one.item_id], "supplier_sku": None}
        )
    insert_rows(tx.connection, supplier_items, new)
    update_rows(tx.connection, supplier_items, changed)
    prices.write(tx)
    return PricesMoved(before, after)


def _record(one: AgreedTerms) -> PriceRecord:
    return PriceRecord(
        one.supplier_id,
        one.item_id,
        one.valid_from,
        one.valid_to,
        1,
        one.price,
        one.currency,
        one.breaks,
        one.reference,
    )


def _sources(connection: Connection, item_ids: set[UUID]) -> dict[Pair, AnyRow]:
    table = supplier_items.c
    statement = select(table.supplier_id, table.item_id, table.rank, table.lead_time_days)
    return {
        (row.supplier_id, row.item_id): row
        for row in fetch_in(connection, statement, table.item_id, item_ids)
    }
