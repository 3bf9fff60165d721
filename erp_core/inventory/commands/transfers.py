"""Transfers between locations: shipped, in transit, received."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field

from erp_core.gate.contract import Command
from erp_core.inventory.commands.stock import StockLine


class TransferStock(Command):
    """Send available stock on its way. It is in transit at the destination until it is received there."""

    transfer_id: UUID
    from_location_id: UUID
    to_location_id: UUID
    lines: Annotated[tuple[StockLine, ...], Field(min_length=1, max_length=10_000)]

    @property
    def subject(self) -> tuple[str, UUID]:
        """The transfer."""
        return ("transfer", self.transfer_id)


class ReceiveTransfer(Command):
    """Take in what arrived of a transfer: all that is still in transit, or the quantities given.

    What did not arrive stays in transit until it does, or until it is adjusted away.
    """

    transfer_id: UUID
    lines: tuple[StockLine, ...] | None = None

    @property
    def subject(self) -> tuple[str, UUID]:
        """The transfer."""
        return ("transfer", self.transfer_id)
