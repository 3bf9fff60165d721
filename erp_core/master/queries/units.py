"""Quantities in any unit of their item as base units, and which units a transaction gives another size."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self
from uuid import UUID

from sqlalchemy import Connection, select

from erp_core.gate.contract import DomainError, NotFound, Transaction
from erp_core.master.model import items
from erp_core.master.queries.records import item_factors
from erp_core.master.rules import to_base_units
from erp_core.master.values import LARGEST_AMOUNT
from erp_core.storage.locks import lock_names
from erp_core.storage.lookup import fetch_in

_BASE = select(items.c.id, items.c.base_unit)


class QuantityTooLarge(DomainError):
    """More base units than a line can have."""

    code = "quantity_too_large"


@dataclass(frozen=True, slots=True)
class ItemUnits:
    """The base units of items, and how many of them one of each further unit has."""

    base: Mapping[UUID, str | None]
    factors: Mapping[UUID, Mapping[str, int]]

    @classmethod
    def read(cls, connection: Connection, item_ids: Iterable[UUID]) -> Self:
        """Those of the items that are there."""
        wanted = set(item_ids)
        rows = fetch_in(connection, _BASE, items.c.id, wanted)
        return cls({id_: unit for id_, unit in rows}, item_factors(connection, wanted))

    def in_base(self, item_id: UUID, quantity: int, unit: str, *, field: str = "lines.quantity") -> int:
        """`quantity` of `unit` in base units, exactly. Raises `NotFound`, `UnknownUnit` or `QuantityTooLarge`."""
        if item_id not in self.base:
            raise NotFound("there is no such item", field="item_id", remedy="look it up by its SKU")
        base = self.base[item_id] or ""
        units = to_base_units(quantity, unit, base, self.factors.get(item_id, {}))
        if units > LARGEST_AMOUNT:
            raise QuantityTooLarge(
                f"{quantity} {unit} are {units} {base}",
                field=field,
                remedy="correct the quantity or the unit",
            )
        return units


class SizedUnits:
    """The units that this transaction sizes, as (item, unit): what was judged before it does not hold for them.

    Nothing is forgotten with a savepoint: it may not have been the one that sized.
    """

    def __init__(self) -> None:
        self.pairs: set[tuple[UUID, str]] = set()

    @classmethod
    def of(cls, tx: Transaction) -> Self:
        """The transaction's."""
        return tx.unit(cls, lambda _: cls())

    def flush(self) -> None:
        """Nothing is pending."""

    def discard(self) -> None:
        """Nothing is read, and nothing forgotten."""


def lock_units(connection: Connection, item_ids: Iterable[UUID]) -> None:
    """Let the units of these items stay as they are until the end of this transaction, or wait for who sizes them."""
    lock_names(connection, [f"units of {item_id}" for item_id in item_ids])
