"""What a unit costs for a quantity."""

from __future__ import annotations

from collections.abc import Sequence


def price_at(price: int, breaks: Sequence[Sequence[int]], quantity: int) -> int:
    """The price per base unit for a quantity; `breaks` are (from quantity, price)."""
    reached = [(start, reduced) for start, reduced in breaks if quantity >= start]
    return max(reached)[1] if reached else price
