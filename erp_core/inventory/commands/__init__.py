"""Commands of inventory."""

from __future__ import annotations

from erp_core.gate.contract import Registry
from erp_core.inventory.commands import kitting, stock, transfers
from erp_core.inventory.commands.kitting import AssembleKits, DisassembleKits
from erp_core.inventory.commands.stock import (
    AdjustStock,
    ExpireReservations,
    PostOpeningStock,
    ReverseStock,
    StockLine,
)
from erp_core.inventory.commands.transfers import ReceiveTransfer, TransferStock

__all__ = [
    "AdjustStock",
    "AssembleKits",
    "DisassembleKits",
    "ExpireReservations",
    "PostOpeningStock",
    "ReceiveTransfer",
    "ReverseStock",
    "StockLine",
    "TransferStock",
    "register",
]


def register(registry: Registry) -> None:
    """Add every command of inventory."""
    for noun in (stock, transfers, kitting):
        noun.register(registry)
