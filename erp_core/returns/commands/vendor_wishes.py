"""What can be asked for goods that go back to suppliers from stock. Quantities in base units."""

from __future__ import annotations

from uuid import UUID

from erp_core.gate.contract import Command
from erp_core.inventory.lots.rules import LotFields
from erp_core.master.values import Comment, ReasonCode, Units
from erp_core.procurement.claims.rules import Defect, ReturnedFrom


class ReturnToVendor(Command, LotFields):
    """Send goods of a purchase order line back to its supplier, from available stock or from quarantine. Governed.

    The units leave stock at their cost, and the supplier owes what they cost: an open claim. Never more than was accepted
    of the line less what went back, and never goods that are promised or wait with a customer's return. `defect` says
    what is wrong with them, and counts against the supplier; left out, they go back by agreement. `location_id` is where
    they lie; without it, where the order was received. Of a tracked item it names the lot or the numbered units.
    """

    vendor_return_id: UUID
    po_id: UUID
    po_line_id: UUID
    quantity: Units
    state: ReturnedFrom
    location_id: UUID | None = None
    reason_code: ReasonCode
    defect: Defect | None = None
    comment: Comment | None = None

    @property
    def subject(self) -> tuple[str, UUID]:
        """The return to the supplier."""
        return ("vendor_return", self.vendor_return_id)


class ReverseVendorReturn(Command):
    """Goods that went back to a supplier came again, or never left: they lie where they lay, and the claim is withdrawn.

    All of them and once, while the claim is open and no credit note covers any.
    """

    vendor_return_id: UUID
    reason_code: ReasonCode

    @property
    def subject(self) -> tuple[str, UUID]:
        """The return to the supplier."""
        return ("vendor_return", self.vendor_return_id)
