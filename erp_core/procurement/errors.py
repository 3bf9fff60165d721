"""Refusals of procurement, one class a case."""

from __future__ import annotations

from erp_core.gate.contract import DomainError


class PurchaseOrderExists(DomainError):
    """A purchase order with this id or number is there already."""

    code = "purchase_order_exists"


class InactiveSupplier(DomainError):
    """Nothing can be ordered from a supplier that is not active."""

    code = "inactive_supplier"


class SupplierDocumentMissing(DomainError):
    """A document without which nothing is ordered from the supplier is missing or not valid."""

    code = "supplier_document_missing"


class InactiveItem(DomainError):
    """Only an active item can be ordered."""

    code = "inactive_item"


class NoSupplierRecord(DomainError):
    """The supplier has no price for the item."""

    code = "no_supplier_record"


class PriceMovesInPlan(DomainError):
    """The plan changes a price and orders at it: what it comes to cannot be judged before it runs."""

    code = "price_moves_in_plan"


class UnitMoves(DomainError):
    """A unit is given its size together with what is bought in it: what that comes to cannot be judged before."""

    code = "unit_moves"


class QuantityAgainstTerms(DomainError):
    """The quantity breaks the supplier's minimum or multiple; `details` has the next valid one."""

    code = "quantity_against_terms"


class NeedDayClosed(DomainError):
    """The supplier does not deliver, or the place does not receive, on the day that a line is needed."""

    code = "need_day_closed"


class HeldByProposal(DomainError):
    """A pending proposal holds the purchase order."""

    code = "held_by_proposal"


class PromiseNotPossible(DomainError):
    """A promise lies before the order was sent, comes twice, or was never given."""

    code = "promise_not_possible"


class GoodsReceived(DomainError):
    """Something was received: the order cannot be cancelled any more."""

    code = "goods_received"


class NotReceivable(DomainError):
    """The purchase order is not on its way: nothing can be received for it."""

    code = "not_receivable"


class ReceiptExists(DomainError):
    """A receipt with this id is there already."""

    code = "receipt_exists"


class MessageExists(DomainError):
    """A supplier message with this id is there already."""

    code = "message_exists"


class OrderTooLarge(DomainError):
    """An order's total is beyond every amount that the company's books can hold."""

    code = "order_too_large"
