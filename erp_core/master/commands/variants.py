"""Items as variants of products: which values an item has on each axis, each combination once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, NamedTuple
from uuid import UUID

from pydantic import Field, StringConstraints
from sqlalchemy import select

from erp_core.gate.contract import Command, DomainError, Done, Registration, Registry, Task, Transaction
from erp_core.master.commands.records import Rows, existing, unknown
from erp_core.master.model import items, products
from erp_core.master.rules.products import (
    CategoryOfProduct,
    VariantTaken,
    require_every_axis,
    variant_key,
    variant_of,
)
from erp_core.storage.bulk import update_rows
from erp_core.storage.locks import lock_names
from erp_core.storage.lookup import fetch_in

MOST_AXES = 4
Axis = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40)]
Variant = Annotated[dict[Axis, Axis], Field(max_length=MOST_AXES)]


class SetItemVariant(Command):
    """The item is this variant of a product: its value on every axis. Without a product it is none's variant.

    Refused where another item of the product has the same values, or the item is of another category.
    """

    item_id: UUID
    product_id: UUID | None
    variant: Variant = Field(default_factory=dict)

    @property
    def subject(self) -> tuple[str, UUID]:
        """The item."""
        return ("item", self.item_id)


class Wanted(NamedTuple):
    """What an item is to be: of which product, with which values."""

    item_id: UUID
    sku: str
    product_id: UUID
    category: str
    given: Mapping[str, str]
    complete: bool


class Seats:
    """The combinations of values that are taken, product by product; asked for one item after the other."""

    def __init__(self, tx: Transaction, product_ids: Iterable[UUID]) -> None:
        wanted = set(product_ids)
        lock_names(tx.connection, (f"variants of {id_}" for id_ in wanted))
        self._products = existing(tx, products, wanted)
        columns = select(items.c.product_id, items.c.variant_key, items.c.id, items.c.sku)
        rows = fetch_in(tx.connection, columns, items.c.product_id, self._products)
        self._taken = {(row.product_id, row.variant_key): (row.id, row.sku) for row in rows}

    def take(self, wanted: Wanted) -> dict[str, Any]:
        """The columns of the item.

        Raises `NotFound`, `UnknownAxis`, `VariantIncomplete`, `CategoryOfProduct` or `VariantTaken`.
        """
        product = self._products.get(wanted.product_id)
        if product is None:
            raise unknown("product", wanted.product_id)
        values = variant_of(product["code"], product["axes"], wanted.given)
        if wanted.complete:
            require_every_axis(wanted.sku, product["axes"], values)
        if wanted.category and wanted.category != product["category"]:
            raise category_refusal(wanted.sku, product)
        key = variant_key(product["axes"], values)
        if key is not None:
            holder, sku = self._taken.setdefault((wanted.product_id, key), (wanted.item_id, wanted.sku))
            if holder != wanted.item_id:
                raise VariantTaken(
                    f"{sku} is {product['code']} in {', '.join(values.values())} already",
                    field="variant",
                    remedy=f"use {sku}, or give other values",
                    item=holder,
                    sku=sku,
                )
        return {
            "product_id": wanted.product_id,
            "variant": values,
            "variant_key": key,
            "category": product["category"],
        }


def category_refusal(sku: str, product: Mapping[str, Any]) -> CategoryOfProduct:
    """Why an item of this product is of no other category than the product."""
    return CategoryOfProduct(
        f"{sku} is a variant of {product['code']}, whose category is {product['category']}",
        field="category",
        remedy="change the category of the product, or take the item out of it first",
    )


def variant_obstacles(rows: Rows, tx: Transaction) -> dict[UUID, DomainError]:
    """Which of these items lack a value on an axis of their product, and so may not be activated."""
    open_rows = [row for row in rows.values() if row["product_id"] and row["variant_key"] is None]
    own = existing(tx, products, {row["product_id"] for row in open_rows})
    found: dict[UUID, DomainError] = {}
    for row in open_rows:
        try:
            require_every_axis(row["sku"], own[row["product_id"]]["axes"], row["variant"])
        except DomainError as error:
            found[row["id"]] = error
    return found


def set_item_variants(tasks: Sequence[Task[SetItemVariant]], tx: Transaction) -> Sequence[Done | DomainError]:
    """Write product and values."""
    rows = existing(tx, items, (task.command.item_id for task in tasks))
    named = (task.command.product_id for task in tasks)
    seats = Seats(tx, (id_ for id_ in named if id_ is not None))
    outcomes: list[Done | DomainError] = []
    changed: dict[UUID, dict[str, Any]] = {}
    for task in tasks:
        row = rows.get(task.command.item_id)
        try:
            if row is None:
                raise unknown("item", task.command.item_id)
            columns = _columns(task.command, row, seats)
        except DomainError as error:
            outcomes.append(error)
            continue
        before = _told(row)
        row.update(columns)
        changed[row["id"]] = {"id": row["id"], **{name: row[name] for name in _COLUMNS}}
        outcomes.append(Done({"item_id": str(row["id"])}, before=before, after=_told(row)))
    update_rows(tx.connection, items, list(changed.values()))
    return outcomes


_COLUMNS = ("product_id", "variant", "variant_key", "category")


def _columns(command: SetItemVariant, row: Mapping[str, Any], seats: Seats) -> dict[str, Any]:
    if command.product_id is None:
        return {"product_id": None, "variant": None, "variant_key": None}
    wanted = Wanted(
        row["id"], row["sku"], command.product_id, row["category"], command.variant, complete=True
    )
    return seats.take(wanted)


def _told(row: Mapping[str, Any]) -> dict[str, Any]:
    product_id = row["product_id"]
    return {"product_id": product_id and str(product_id), "variant": row["variant"]}


def register(registry: Registry) -> None:
    """Add the command."""
    registry.register(Registration(SetItemVariant, set_item_variants))
