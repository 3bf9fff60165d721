"""Reads of procurement. Money in ten-thousandths, quantities in base units.

Rows of an import that is not complete are never seen.
"""

from __future__ import annotations

from erp_core.procurement.queries.documents import (
    PurchaseOrderDetail,
    PurchaseOrderHeader,
    PurchaseOrderLine,
    ReceiptLine,
    SupplierMessage,
    find_purchase_order,
    list_purchase_orders,
    purchase_order,
    receipts_under,
    supplier_messages_of,
)
from erp_core.procurement.queries.lines import (
    Commitment,
    OpenLine,
    commitments_by_supplier,
    late_lines,
    open_lines,
)
from erp_core.procurement.queries.spending import (
    committed_by_category,
    ever_ordered_from,
    unasked_purchases,
)
from erp_core.procurement.queries.supply import (
    Pair,
    on_order_units,
    positions,
)

__all__ = [
    "Commitment",
    "OpenLine",
    "Pair",
    "PurchaseOrderDetail",
    "PurchaseOrderHeader",
    "PurchaseOrderLine",
    "ReceiptLine",
    "SupplierMessage",
    "commitments_by_supplier",
    "committed_by_category",
    "ever_ordered_from",
    "find_purchase_order",
    "late_lines",
    "list_purchase_orders",
    "on_order_units",
    "open_lines",
    "positions",
    "purchase_order",
    "receipts_under",
    "supplier_messages_of",
    "unasked_purchases",
]
