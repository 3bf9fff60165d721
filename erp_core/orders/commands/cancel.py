"""Cancelling orders."""

from __future__ import annotations

from uuid import UUID

from erp_core.gate.contract import Command
from erp_core.orders.rules import CancelReason


class CancelOrder(Command):
    """Cancel all that is not shipped yet, or the lines given. Reservations are released."""

    order_id: UUID
    reason: CancelReason
    line_ids: tuple[UUID, ...] | None = None

    @property
    def subject(self) -> tuple[str, UUID]:
        """The order."""
        return ("order", self.order_id)
