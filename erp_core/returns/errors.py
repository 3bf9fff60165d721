"""Refusals of returns, one class a case."""

from __future__ import annotations

from erp_core.gate.contract import DomainError


class ReturnExists(DomainError):
    """A return with this id or number, or one of its lines, is there already."""

    code = "return_exists"


class ReturnExceedsShipped(DomainError):
    """More would come back than was shipped; `details` says how many still may."""

    code = "return_exceeds_shipped"


class MoreThanAuthorised(DomainError):
    """More arrived than was authorised."""

    code = "more_than_authorised"


class LineNotInspected(DomainError):
    """Every line of a return is inspected together."""

    code = "line_not_inspected"


class OverrideNeedsReason(DomainError):
    """Another disposition than the rule gives needs a reason."""

    code = "override_needs_reason"


class OutsideWindow(DomainError):
    """The goods were shipped too long ago, or nobody knows when."""

    code = "outside_return_window"


class ReasonNotAccepted(DomainError):
    """The terms of the channel and category do not take goods back for this reason."""

    code = "return_reason_not_accepted"


class RefundExceedsPaid(DomainError):
    """More would be paid back than was paid; `details` says how much still may."""

    code = "refund_exceeds_paid"


class NotForResale(DomainError):
    """Goods that may not be sold again are not restocked, whatever the reason."""

    code = "not_for_resale"


class TermsExist(DomainError):
    """Other terms hold for the same channel and category."""

    code = "return_terms_exist"


class CreditExists(DomainError):
    """A credit with this id or number is there already."""

    code = "credit_exists"


class ReturnExceedsReceived(DomainError):
    """More would go back to the supplier than the line brought, less what went back; `details` says how many may."""

    code = "return_exceeds_received"


class NotReturnable(DomainError):
    """The goods may not go back from stock: they never lay there, did not come yet, or wait with a customer's return."""

    code = "not_returnable"


class LotOfAnotherOrder(DomainError):
    """The lot or numbered unit did not come with the purchase order."""

    code = "lot_of_another_order"


class ClaimCredited(DomainError):
    """A credit note covers goods of the claim already."""

    code = "claim_credited"


class ClaimNotOpen(DomainError):
    """A claim is settled on a day before it was opened."""

    code = "claim_not_open"
