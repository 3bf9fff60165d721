"""What the database itself refuses about lots: a numbered unit in two places, and promises of stock that is held.

The lot book and the commands refuse both before, with better words. The triggers look at balances of lots alone: stock
without lots passes by a comparison.
"""

from __future__ import annotations

from erp_core.storage.refusals import Refusal

_NO_LOT = "00000000000000000000000000000000"

LOT_PLACES = (
    Refusal(
        "stock_balances_of_lots",
        "stock_balances",
        ("INSERT", "UPDATE"),
        (
            (
                "a numbered unit is in one place only",
                "EXISTS (SELECT 1 FROM lots l WHERE l.id = NEW.lot_id AND l.serial) AND 1 < "
                f"(SELECT sum(b.quantity) FROM stock_balances b WHERE b.lot_id = NEW.lot_id AND b.lot_id <> '{_NO_LOT}')",
            ),
            (
                "stock of a lot that is held is neither available nor promised",
                "NEW.state IN ('available', 'reserved') AND NEW.owner = 'own' "
                "AND EXISTS (SELECT 1 FROM lots l WHERE l.id = NEW.lot_id AND l.status <> 'released')",
            ),
        ),
        only=f"NEW.quantity > 0 AND NEW.lot_id <> '{_NO_LOT}'",
        moment="AFTER",
    ),
)
