"""Commands of procurement and their registration."""

from __future__ import annotations

from functools import partial

from erp_core.clock import Clock
from erp_core.gate.contract import Duty, Registration, Registry
from erp_core.master.commands.records import Today
from erp_core.orders.events import LinesBackordered
from erp_core.procurement.commands.approval import (
    Submission,
    TargetsOf,
    no_targets,
    show_held,
    show_released,
    submission_read_sets,
    submit_purchase_orders,
)
from erp_core.procurement.commands.arriving import ReceivedLine, ReceiveGoods
from erp_core.procurement.commands.awarding import AwardQuotation
from erp_core.procurement.commands.awarding import register as register_awarding
from erp_core.procurement.commands.change_facts import change_facts, change_read_sets
from erp_core.procurement.commands.changing import change_purchase_orders
from erp_core.procurement.commands.chasing import FollowUpSuppliers, follow_up_suppliers
from erp_core.procurement.commands.closing import ClosePeriod
from erp_core.procurement.commands.closing import register as register_closing
from erp_core.procurement.commands.consignment import ReceiveConsigned, TakeOverConsigned
from erp_core.procurement.commands.consignment import register as register_consignment
from erp_core.procurement.commands.contracts import AgreeContract, ContractLine, EndContract
from erp_core.procurement.commands.contracts import register as register_contracts
from erp_core.procurement.commands.drafting import create_purchase_orders
from erp_core.procurement.commands.drop_ship import ConfirmDropShipment, DropShipped, OrderDropShipments
from erp_core.procurement.commands.drop_ship import register as register_drop_ship
from erp_core.procurement.commands.following import (
    cancel_purchase_order,
    cancel_reason,
    close_purchase_order,
    close_reason,
    delay_causes,
    on_purchase_orders,
    send_purchase_orders,
)
from erp_core.procurement.commands.held_goods import DecideHeldGoods, SetReceiptTolerance
from erp_core.procurement.commands.held_goods import register as register_held_goods
from erp_core.procurement.commands.inspection import SetInspectionRule
from erp_core.procurement.commands.inspection import register as register_inspection
from erp_core.procurement.commands.invoices import InvoiceCharge, InvoiceLine, RecordSupplierInvoice
from erp_core.procurement.commands.landed_cost import RecordLandedCost
from erp_core.procurement.commands.landed_cost import register as register_landed_cost
from erp_core.procurement.commands.landed_reversal import ReverseLandedCost
from erp_core.procurement.commands.landed_reversal import register as register_landed_reversal
from erp_core.procurement.commands.messages import RecordSupplierMessage, record_supplier_messages
from erp_core.procurement.commands.notices import NoticeLine, SendShippingNotice, send_shipping_notices
from erp_core.procurement.commands.payables import register as register_payables
from erp_core.procurement.commands.promising import change_purchase_order_dates, confirm_purchase_orders
from erp_core.procurement.commands.purchase_orders import (
    CancelPurchaseOrder,
    ChangePurchaseOrder,
    ChangePurchaseOrderDates,
    ClosePurchaseOrder,
    ConfirmPurchaseOrder,
    CreatePurchaseOrder,
    LineCancellation,
    LineChange,
    LinePromise,
    LineRepromise,
    PurchaseOrderLine,
    SendPurchaseOrder,
    SubmitPurchaseOrder,
)
from erp_core.procurement.commands.quotations import (
    CancelQuotationRequest,
    ExtendQuotationDeadline,
    QuotationWish,
    QuotedLine,
    RecordQuotation,
    RequestQuotation,
)
from erp_core.procurement.commands.quotations import register as register_quotations
from erp_core.procurement.commands.quoting import register as register_quoting
from erp_core.procurement.commands.receipt_reversal import ReverseReceipt
from erp_core.procurement.commands.receipt_reversal import register as register_receipt_reversal
from erp_core.procurement.commands.receipts import receive_goods
from erp_core.procurement.commands.requisitions import (
    CancelRequisition,
    OrderRequisitions,
    RequestPurchase,
)
from erp_core.procurement.commands.requisitions import register as register_requisitions
from erp_core.procurement.commands.unordered import DecideUnorderedGoods
from erp_core.procurement.commands.unordered import register as register_unordered
from erp_core.procurement.contracts.watching import register as register_watching
from erp_core.procurement.ordering.inbound import promise_backorders, with_promises
from erp_core.procurement.ordering.steps import RecordMilestone
from erp_core.procurement.ordering.steps import register as register_steps
from erp_core.procurement.receiving.papers import register as register_papers
from erp_core.procurement.receiving.papers import with_papers

__all__ = [
    "AgreeContract",
    "AwardQuotation",
    "CancelPurchaseOrder",
    "CancelQuotationRequest",
    "CancelRequisition",
    "ChangePurchaseOrder",
    "ChangePurchaseOrderDates",
    "ClosePeriod",
    "ClosePurchaseOrder",
    "ConfirmDropShipment",
    "ConfirmPurchaseOrder",
    "ContractLine",
    "CreatePurchaseOrder",
    "DecideHeldGoods",
    "DecideUnorderedGoods",
    "DropShipped",
    "EndContract",
    "ExtendQuotationDeadline",
    "FollowUpSuppliers",
    "InvoiceCharge",
    "InvoiceLine",
    "LineCancellation",
    "LineChange",
    "LinePromise",
    "LineRepromise",
    "NoticeLine",
    "OrderDropShipments",
    "OrderRequisitions",
    "PurchaseOrderLine",
    "QuotationWish",
    "QuotedLine",
    "ReceiveConsigned",
    "ReceiveGoods",
    "ReceivedLine",
    "RecordLandedCost",
    "RecordMilestone",
    "RecordQuotation",
    "RecordSupplierInvoice",
    "RecordSupplierMessage",
    "RequestPurchase",
    "RequestQuotation",
    "ReverseLandedCost",
    "ReverseReceipt",
    "SendPurchaseOrder",
    "SendShippingNotice",
    "SetInspectionRule",
    "SetReceiptTolerance",
    "SubmitPurchaseOrder",
    "TakeOverConsigned",
    "register",
]


def register(registry: Registry, *, targets: TargetsOf = no_targets, today: Today = Clock().today) -> None:
    """Register the commands. `targets` gives planning's stored reorder targets by (item, location), `today` the
    business date.
    """
    submission = Submission(targets, today)
    registry.register(Registration(CreatePurchaseOrder, create_purchase_orders))
    registry.register(
        Registration(
            SubmitPurchaseOrder,
            submit_purchase_orders,
            governed=True,
            facts=submission.facts,
            read_sets=partial(submission_read_sets, today=today),
            on_held=show_held,
            on_released=show_released,
            duties=lambda command: [Duty("purchase_order", command.po_id, "order_requester")],
            approver_duties=lambda command: [Duty("purchase_order", command.po_id, "order_approver")],
            compensation="CancelPurchaseOrder, while nothing has arrived",
        )
    )
    registry.register(
        Registration(
            ChangePurchaseOrder,
            with_promises(change_purchase_orders),
            governed=True,
            facts=partial(change_facts, today=today),
            read_sets=change_read_sets,
            duties=lambda command: [Duty("purchase_order", command.po_id, "order_requester")],
            approver_duties=lambda command: [Duty("purchase_order", command.po_id, "order_approver")],
            compensation="ChangePurchaseOrder back; what came in the meantime stays",
        )
    )
    registry.register(Registration(SendPurchaseOrder, send_purchase_orders))
    registry.register(Registration(SendShippingNotice, with_promises(send_shipping_notices)))
    registry.register(Registration(FollowUpSuppliers, follow_up_suppliers))
    registry.register(Registration(ConfirmPurchaseOrder, with_promises(confirm_purchase_orders)))
    for command, decide, reasons in (
        (ChangePurchaseOrderDates, change_purchase_order_dates, delay_causes),
        (CancelPurchaseOrder, cancel_purchase_order, cancel_reason),
        (ClosePurchaseOrder, close_purchase_order, close_reason),
    ):
        registry.register(Registration(command, with_promises(on_purchase_orders(decide, reasons))))
    registry.register(
        Registration(
            ReceiveGoods,
            with_promises(with_papers(receive_goods)),
            duties=lambda command: [Duty("purchase_order", command.po_id, "receiver")],
            compensation="ReverseReceipt",
        )
    )
    register_papers(registry)
    registry.subscribe(LinesBackordered, promise_backorders)
    registry.register(Registration(RecordSupplierMessage, record_supplier_messages))
    register_steps(registry)
    register_consignment(registry)
    register_drop_ship(registry)
    register_requisitions(registry, today)
    register_quotations(registry)
    register_quoting(registry)
    register_contracts(registry, today)
    register_watching(registry)
    register_awarding(registry, today)
    register_landed_cost(registry)
    register_landed_reversal(registry)
    register_payables(registry)
    register_closing(registry)
    register_held_goods(registry)
    register_receipt_reversal(registry)
    register_inspection(registry)
    register_unordered(registry)
