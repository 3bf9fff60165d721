"""Sources: a module per kind of file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from erp_core.integration.sources.base import Source
from erp_core.integration.sources.masters import Items, Suppliers
from erp_core.integration.sources.online_retail import OnlineRetail
from erp_core.integration.sources.purchases import PurchaseOrders
from erp_core.integration.sources.returned import Returns
from erp_core.integration.sources.sales import OpenOrders, SalesHistory
from erp_core.integration.sources.scms import Scms
from erp_core.integration.sources.stock import OpeningStock
from erp_core.integration.sources.template import Template, template_text

TEMPLATES: dict[str, type[Template[Any]]] = {
    kind.name: kind
    for kind in (Items, Suppliers, OpeningStock, SalesHistory, OpenOrders, PurchaseOrders, Returns)
}
SOURCES: dict[str, Callable[[], Source]] = {
    **TEMPLATES,
    OnlineRetail.name: OnlineRetail,
    Scms.name: Scms,
}

__all__ = ["SOURCES", "TEMPLATES", "Source", "template_text"]
