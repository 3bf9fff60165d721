"""Commands of procurement and their registration."""

from __future__ import annotations

from erp_core.procurement.commands.messages import RecordSupplierMessage
from erp_core.procurement.commands.purchase_orders import (
    CancelPurchaseOrder,
    ChangePurchaseOrderDates,
    ClosePurchaseOrder,
    ConfirmPurchaseOrder,
    CreatePurchaseOrder,
    LinePromise,
    LineRepromise,
    PurchaseOrderLine,
    SendPurchaseOrder,
    SubmitPurchaseOrder,
)
from erp_core.procurement.commands.receipts import ReceivedLine, ReceiveGoods

__all__ = [
    "CancelPurchaseOrder",
    "ChangePurchaseOrderDates",
    "ClosePurchaseOrder",
    "ConfirmPurchaseOrder",
    "CreatePurchaseOrder",
    "LinePromise",
    "LineRepromise",
    "PurchaseOrderLine",
    "ReceiveGoods",
    "ReceivedLine",
    "RecordSupplierMessage",
    "SendPurchaseOrder",
    "SubmitPurchaseOrder",
]
