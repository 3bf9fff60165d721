"""Panels: columnar arrays for models, the only bulk read of the system.

Nothing in a panel was known after its `as_of`.
"""

from __future__ import annotations

from erp_core.analytics.demand_panel import demand_panel
from erp_core.analytics.panel_types import DemandPanel, PurchaseLines, StockPanel
from erp_core.analytics.stock_panel import purchase_lines, stock_panel

__all__ = ["DemandPanel", "PurchaseLines", "StockPanel", "demand_panel", "purchase_lines", "stock_panel"]
