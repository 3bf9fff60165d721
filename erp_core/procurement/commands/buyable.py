"""Who may be bought from, and what may be bought: one rule for requisitions, quotations, contracts and orders."""

from __future__ import annotations

from erp_core.gate.contract import NotFound
from erp_core.master.queries import Item, Supplier
from erp_core.master.rules.kits import KitHasNoStock
from erp_core.procurement.errors import InactiveItem, InactiveSupplier


def require_active(supplier: Supplier | None) -> Supplier:
    """The supplier, when orders may go to it. Raises `NotFound` or `InactiveSupplier`."""
    if supplier is None:
        raise NotFound("there is no such supplier", field="supplier_id", remedy="look it up by its code")
    if supplier.status != "active":
        raise InactiveSupplier(
            f"supplier {supplier.code} is {supplier.status}, not active",
            field="supplier_id",
            remedy="have it activated first, or choose another supplier",
            supplier=supplier.code,
        )
    return supplier


def require_buyable(item: Item | None, field: str = "lines.item_id") -> Item:
    """The item, when it is active and stocked itself. Raises `NotFound`, `InactiveItem` or `KitHasNoStock`."""
    if item is None:
        raise NotFound("there is no such item", field=field, remedy="look it up by its SKU")
    if item.status != "active":
        raise InactiveItem(
            f"{item.sku} is {item.status}, not active", field=field, remedy="have the item activated first"
        )
    if item.kit == "parts":
        raise KitHasNoStock(
            f"{item.sku} is a kit that is stocked as its parts",
            field=field,
            remedy="name its components instead",
            item=item.sku,
        )
    return item
