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
