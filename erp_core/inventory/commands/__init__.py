"""Commands of inventory."""

from __future__ import annotations

from erp_core.gate.contract import Registry
from erp_core.inventory.commands import (
    counts,
    kitting,
    pick_faces,
    putaway,
    reversal,
    snapshots,
    stock,
    transfers,
)
from erp_core.inventory.commands.counts import CancelCount, CountedLine, OpenCount, PostCount, RecordCount
from erp_core.inventory.commands.kitting import AssembleKits, DisassembleKits
from erp_core.inventory.commands.pick_faces import RefillPickFace, SetPickFace
from erp_core.inventory.commands.putaway import PutAway, SetPutawayRule
from erp_core.inventory.commands.reversal import ReverseStock
from erp_core.inventory.commands.snapshots import RecordStockSnapshot, ReportedLine
from erp_core.inventory.commands.stock import (
    AdjustStock,
    ExpireReservations,
    PostOpeningStock,
    StockLine,
)
from erp_core.inventory.commands.transfers import ReceiveTransfer, TransferStock
from erp_core.inventory.lots import holds, terms
from erp_core.inventory.lots.holds import HoldStock, QuarantineExpired, ReleaseHold
from erp_core.inventory.lots.terms import SetShelfLife, SetStockAuthority

__all__ = [
    "AdjustStock",
    "AssembleKits",
    "CancelCount",
    "CountedLine",
    "DisassembleKits",
    "ExpireReservations",
    "HoldStock",
    "OpenCount",
    "PostCount",
    "PostOpeningStock",
    "PutAway",
    "QuarantineExpired",
    "ReceiveTransfer",
    "RecordCount",
    "RecordStockSnapshot",
    "RefillPickFace",
    "ReleaseHold",
    "ReportedLine",
    "ReverseStock",
    "SetPickFace",
    "SetPutawayRule",
    "SetShelfLife",
    "SetStockAuthority",
    "StockLine",
    "TransferStock",
    "register",
]


def register(registry: Registry) -> None:
    """Add every command of inventory."""
    for noun in (stock, reversal, transfers, kitting, counts, snapshots, pick_faces, putaway, holds, terms):
        noun.register(registry)
