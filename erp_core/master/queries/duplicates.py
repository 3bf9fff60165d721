"""Probable duplicates among the records that are there."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Connection, Select, select

from erp_core.master.model import items, suppliers
from erp_core.master.queries.parameters import parameters
from erp_core.master.rules.duplicates import Match, Record, probable_duplicates

Kind = Literal["item", "supplier"]

_ITEMS = select(
    items.c.id, items.c.sku.label("code"), items.c.name, items.c.gtin, items.c.sku_key, items.c.product_id
)
_SUPPLIERS = select(
    suppliers.c.id, suppliers.c.code, suppliers.c.name, suppliers.c.tax_id_hash, suppliers.c.bank_hash
)


def duplicates(connection: Connection, kind: Kind) -> list[Match]:
    """Pairs of items or suppliers past their draft that are probably one, the surest first."""
    return probable_duplicates(_records(connection, kind), name_score=_score(connection, kind))


def duplicates_of(connection: Connection, kind: Kind, ids: Collection[UUID]) -> list[Match]:
    """Pairs of these records, drafts too, with each other or with any record past its draft."""
    records = _records(connection, kind, ids)
    return probable_duplicates(records, name_score=_score(connection, kind), among=ids)


def _score(connection: Connection, kind: Kind) -> int:
    return parameters(connection)[f"{kind}_name_score"]


def _records(connection: Connection, kind: Kind, ids: Iterable[UUID] = ()) -> list[Record]:
    table = items if kind == "item" else suppliers
    statement: Select[Any] = _ITEMS if kind == "item" else _SUPPLIERS
    statement = statement.add_columns(table.c.status).order_by(table.c.id)
    if kind == "supplier":
        statement = statement.where(suppliers.c.internal.is_(False))
    wanted = set(ids)
    return [
        Record(
            row.id,
            row.code,
            row.name,
            _identifiers(kind, row),
            row.product_id if kind == "item" else None,
        )
        for row in connection.execute(statement)
        if row.status != "draft" or row.id in wanted
    ]


def _identifiers(kind: Kind, row: Any) -> tuple[tuple[str, str], ...]:
    named = (
        (("GTIN", row.gtin and row.gtin.zfill(14)), ("SKU", row.sku_key))
        if kind == "item"
        else (("tax id", row.tax_id_hash), ("bank account", row.bank_hash))
    )
    return tuple((name, value) for name, value in named if value)
