"""Products with their variants and what of them is in stock, and the tree of categories."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel

from api.auth import OfCompany, Reader
from api.paging import Limit, Offset
from api.problems import not_found
from erp_core.inventory.variants import Held, HeldIn, held_by_item, sums_by_unit
from erp_core.master.queries.products import (
    Category,
    Product,
    find_product,
    list_categories,
    list_products,
    variants_of,
)
from erp_core.storage.engine import reading

router = APIRouter(tags=["master data"])


class VariantBody(BaseModel):
    """An item of a product: its values by axis, and its stock over all places in base units."""

    item_id: UUID
    sku: str
    name: str
    status: str
    base_unit: str
    values: Mapping[str, str]
    held: Held


class ProductBody(BaseModel):
    """A product, its variants by SKU, and what they add up to: once for each base unit, as different units don't add up."""

    product: Product
    variants: list[VariantBody]
    held: list[HeldIn]


@router.get("/products")
def products(
    _actor: Reader,
    company: OfCompany,
    text: str | None = None,
    category: str | None = None,
    limit: Limit = 100,
    offset: Offset = 0,
) -> list[Product]:
    """Products by code, those of a category and of all within it; `text` is looked for in code and name."""
    with reading(company.engine) as connection:
        return list_products(connection, text=text, category=category, limit=limit, offset=offset)


@router.get("/products/{product:path}")
def product_(product: str, _actor: Reader, company: OfCompany) -> ProductBody:
    """One product by id or code, with its variants and their stock now."""
    with reading(company.engine) as connection:
        found = find_product(connection, _id(product) or product)
        if found is None:
            raise not_found("product", "list the products first")
        variants = variants_of(connection, found)
        held = held_by_item(connection, [one.item_id for one in variants])
    bodies = [
        VariantBody(
            item_id=one.item_id,
            sku=one.sku,
            name=one.name,
            status=one.status,
            base_unit=one.base_unit,
            values=one.values,
            held=held.get(one.item_id, Held()),
        )
        for one in variants
    ]
    return ProductBody(product=found, variants=bodies, held=sums_by_unit(variants, held))


@router.get("/categories")
def categories(_actor: Reader, company: OfCompany) -> list[Category]:
    """Categories by path, with the number of their own items and of all within them."""
    with reading(company.engine) as connection:
        return list_categories(connection)


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
