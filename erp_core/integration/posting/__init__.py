"""Posting: staged rows of each kind become business rows, inside the gate's transaction."""

from __future__ import annotations

from erp_core.integration.posting.base import Lookups, Poster, Posting
from erp_core.integration.posting.history import add_up_sales, post_purchases, post_returns, post_sales
from erp_core.integration.posting.live import post_orders, post_stock
from erp_core.integration.posting.masters import post_items, post_suppliers

POSTERS: dict[str, Poster] = {
    "items": post_items,
    "suppliers": post_suppliers,
    "sales": post_sales,
    "sums": add_up_sales,
    "purchases": post_purchases,
    "returns": post_returns,
    "stock": post_stock,
    "orders": post_orders,
}

__all__ = ["POSTERS", "Lookups", "Poster", "Posting"]
