"""Reads of products with their variants, and of the tree of categories."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection, func, or_, select

from erp_core.master.model import categories, items, products
from erp_core.master.rules.products import path_of


@dataclass(frozen=True, slots=True)
class Product:
    """A product, what its variants differ in, and how many it has, drafts too."""

    id: UUID
    code: str
    name: str
    category: str
    axes: tuple[str, ...]
    variants: int


@dataclass(frozen=True, slots=True)
class ItemVariant:
    """An item of a product: its values by axis, in the product's order; a draft may lack some."""

    item_id: UUID
    sku: str
    name: str
    status: str
    base_unit: str
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Category:
    """A category with its path from the top; `items` are its own, `items_within` also those of all below it."""

    name: str
    parent: str | None
    path: tuple[str, ...]
    items: int
    items_within: int


_PRODUCTS = select(
    products.c.id,
    products.c.code,
    products.c.name,
    products.c.category,
    products.c.axes,
    select(func.count()).where(items.c.product_id == products.c.id).scalar_subquery(),
)


def category_parents(connection: Connection) -> dict[str, str | None]:
    """What each category that was set lies within."""
    return {
        name: parent for name, parent in connection.execute(select(categories.c.name, categories.c.parent))
    }


def list_categories(connection: Connection) -> list[Category]:
    """Every category that was set or that an item or a product has, by path."""
    parents = category_parents(connection)
    named = items.c.category != ""
    counts = select(items.c.category, func.count()).where(named).group_by(items.c.category)
    own = {name: int(many) for name, many in connection.execute(counts)}
    names = {*parents, *own, *connection.scalars(select(products.c.category).distinct())}
    paths = {name: path_of(name, parents) for name in names}
    within: Counter[str] = Counter()
    for name, many in own.items():
        within.update(dict.fromkeys(paths[name], many))
    return [
        Category(name, parents.get(name), paths[name], own.get(name, 0), within[name])
        for name in sorted(names, key=paths.__getitem__)
    ]


def list_products(
    connection: Connection,
    *,
    text: str | None = None,
    category: str | None = None,
    limit: int | None = None,
    offset: int = 0,
) -> list[Product]:
    """Products by code, those of a category and of all that lie within it; `text` is looked for in code and name."""
    table = products.c
    statement = _PRODUCTS.order_by(table.code)
    if text is not None:
        told = [column.icontains(text, autoescape=True) for column in (table.code, table.name)]
        statement = statement.where(or_(*told))
    if category is not None:
        parents = category_parents(connection)
        below = [name for name in parents if category in path_of(name, parents)]
        statement = statement.where(table.category.in_({category, *below}))
    rows = connection.execute(statement.limit(limit).offset(offset))
    return [Product(*row[:4], tuple(row.axes), row[5]) for row in rows]


def find_product(connection: Connection, wanted: UUID | str) -> Product | None:
    """The product of this id, or of this code whatever its case."""
    table = products.c
    asked = table.id == wanted if isinstance(wanted, UUID) else func.lower(table.code) == wanted.lower()
    row = connection.execute(_PRODUCTS.where(asked)).first()
    return None if row is None else Product(*row[:4], tuple(row.axes), row[5])


def variants_of(connection: Connection, product: Product) -> list[ItemVariant]:
    """The items of a product, by SKU."""
    table = items.c
    columns = (table.id, table.sku, table.name, table.status, table.base_unit, table.variant)
    own = select(*columns).where(table.product_id == product.id).order_by(table.sku)
    return [
        ItemVariant(*row[:5], {axis: row.variant[axis] for axis in product.axes if axis in row.variant})
        for row in connection.execute(own)
    ]
