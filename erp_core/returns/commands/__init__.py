"""Commands of returns and their registration."""

from __future__ import annotations

from erp_core.gate.contract import Duty, Registration, Registry, each
from erp_core.orders.events import CustomersForgotten
from erp_core.procurement.events import ClaimsCovered
from erp_core.returns.commands.arriving import receive_returns
from erp_core.returns.commands.authorising import authorisation_facts, authorise_returns
from erp_core.returns.commands.claims import settle_claims, settle_covered_claims
from erp_core.returns.commands.crediting import credit_orders
from erp_core.returns.commands.disposing import dispose_returns
from erp_core.returns.commands.ending import cancel_returns, end_unused_returns, reverse_return_receipts
from erp_core.returns.commands.from_vendor import reverse_vendor_return
from erp_core.returns.commands.inspecting import inspect_returns
from erp_core.returns.commands.limits import credit_facts, disposition_facts
from erp_core.returns.commands.terms import set_terms
from erp_core.returns.commands.to_vendor import return_to_vendor
from erp_core.returns.commands.vendor_limits import vendor_return_facts
from erp_core.returns.commands.vendor_wishes import ReturnToVendor, ReverseVendorReturn
from erp_core.returns.commands.wishes import (
    ArrivedLine,
    AuthorisedLine,
    AuthoriseReturn,
    CancelReturn,
    CreditOrder,
    DisposedLine,
    DisposeReturn,
    EndUnusedReturns,
    InspectedLine,
    InspectReturn,
    ReceiveReturn,
    ReverseReturnReceipt,
    SetReturnTerms,
    SettleVendorClaim,
)
from erp_core.returns.forgetting import forget_comments

__all__ = [
    "ArrivedLine",
    "AuthoriseReturn",
    "AuthorisedLine",
    "CancelReturn",
    "CreditOrder",
    "DisposeReturn",
    "DisposedLine",
    "EndUnusedReturns",
    "InspectReturn",
    "InspectedLine",
    "ReceiveReturn",
    "ReturnToVendor",
    "ReverseReturnReceipt",
    "ReverseVendorReturn",
    "SetReturnTerms",
    "SettleVendorClaim",
    "register",
]


def register(registry: Registry) -> None:
    """Register the commands."""
    registry.register(
        Registration(AuthoriseReturn, authorise_returns, governed=True, facts=authorisation_facts)
    )
    registry.register(Registration(ReceiveReturn, receive_returns, compensation="ReverseReturnReceipt"))
    registry.register(Registration(CancelReturn, cancel_returns))
    registry.register(Registration(ReverseReturnReceipt, reverse_return_receipts))
    registry.register(Registration(EndUnusedReturns, each(end_unused_returns)))
    registry.subscribe(CustomersForgotten, forget_comments)
    registry.register(Registration(InspectReturn, inspect_returns))
    registry.register(
        Registration(
            DisposeReturn,
            dispose_returns,
            governed=True,
            facts=disposition_facts,
            compensation="none: a refund that was paid is asked back by hand",
        )
    )
    registry.register(
        Registration(
            CreditOrder,
            credit_orders,
            governed=True,
            facts=credit_facts,
            compensation="none: what was credited is charged again by hand",
        )
    )
    registry.register(Registration(SettleVendorClaim, settle_claims))
    registry.subscribe(ClaimsCovered, settle_covered_claims)
    registry.register(
        Registration(
            ReturnToVendor,
            return_to_vendor,
            governed=True,
            facts=vendor_return_facts,
            duties=lambda command: [Duty("purchase_order", command.po_id, "receiver")],
            compensation="ReverseVendorReturn",
        )
    )
    registry.register(Registration(ReverseVendorReturn, each(reverse_vendor_return)))
    registry.register(
        Registration(
            SetReturnTerms,
            each(set_terms),
            governed=True,
            compensation="SetReturnTerms with the terms before",
        )
    )
