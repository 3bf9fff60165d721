"""What an order stands just short of: the supplier's next price break, and the least value it takes an order for.

Pure rules over one currency, the supplier's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from erp_core.master.rules.prices import price_at
from erp_core.procurement.rules import Terms
from erp_core.storage.types import money_text

NEAR_PERCENT = 25
"""A break is near when it takes at most this many percent more units."""


@dataclass(frozen=True, slots=True)
class NextBreak:
    """The quantity that reaches a lower price, `more` units beyond the one asked for, and the price of a unit there.

    `extra` is what the whole then costs more, in the supplier's currency; negative where it costs less.
    """

    quantity: int
    more: int
    unit_price: int
    extra: int

    @property
    def explanation(self) -> str:
        """The sentence for whoever decides about the quantity."""
        whole = (
            f"{money_text(self.extra)} more"
            if self.extra > 0
            else f"{money_text(-self.extra)} less"
            if self.extra < 0
            else "the same"
        )
        return (
            f"{self.more} more units reach the price of {money_text(self.unit_price)} from {self.quantity}:"
            f" the whole then costs {whole}"
        )


def next_break(
    price: int, breaks: Sequence[Sequence[int]], quantity: int, terms: Terms = Terms()
) -> NextBreak | None:
    """The first lower price beyond a quantity that is near, or at which the whole costs no more; None where none is.

    The quantity it names keeps the supplier's minimum and multiple. Storage and capital of the further units are not
    counted.
    """
    if quantity <= 0:
        return None
    paid = price_at(price, breaks, quantity)
    for start in sorted(start for start, _ in breaks if start > quantity):
        valid = terms.next_valid(start)
        reached = price_at(price, breaks, valid)
        extra = valid * reached - quantity * paid
        near = (valid - quantity) * 100 <= quantity * NEAR_PERCENT
        if reached < paid and (near or extra <= 0):
            return NextBreak(valid, valid - quantity, reached, extra)
    return None


def short_of_minimum(value: int, minimum_order: int) -> int:
    """What an order of this value lacks of the least that the supplier takes one for; 0 where it is reached."""
    return max(minimum_order - value, 0)


def explain_short(value: int, minimum_order: int) -> str:
    """The sentence that an order is too small for its supplier; empty where it is not."""
    missing = short_of_minimum(value, minimum_order)
    if not missing:
        return ""
    return (
        f"{money_text(value)} is {money_text(missing)} below the supplier's minimum order of"
        f" {money_text(minimum_order)}"
    )
