"""Rules of kits: what one may consist of, how many its parts make, and how its price falls on them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from erp_core.gate.contract import DomainError


class KitWithinKit(DomainError):
    """A kit consists of plain items, so that its demand is known without looking further."""

    code = "kit_within_kit"


class KitIsFixed(DomainError):
    """Whether an item is a kit, and where its stock lies, is decided while it is a draft."""

    code = "kit_is_fixed"


class RepeatedComponent(DomainError):
    """A component stands twice in a kit."""

    code = "repeated_component"


class KitHasNoStock(DomainError):
    """A kit that is sold from its parts is itself never stocked, bought or moved."""

    code = "kit_has_no_stock"


@dataclass(frozen=True, slots=True)
class PricedPart:
    """`quantity` units of a component in one kit, each at these prices."""

    component: int
    quantity: int
    unit_price: int
    list_price: int


def whole_sets(parts: Iterable[tuple[int, int]]) -> int:
    """How many kits can be made of (units there, units in one kit): the least over the components; 0 for none."""
    return min((max(there, 0) // each for there, each in parts), default=0)


def split_price(prices: tuple[int, int], parts: Sequence[tuple[int, int]]) -> list[PricedPart]:
    """A kit's (unit price, list price) over its (quantity, weight of one unit) parts: they add up exactly.

    Weights say what a unit is worth beside the others; without any every unit counts the same. What rounding
    leaves is on the part with the fewest units, which falls into two or three where its units cannot cost the same.
    """
    last = min(range(len(parts)), key=lambda position: (parts[position][0], -position))
    weights = [weight for _, weight in parts] if any(weight for _, weight in parts) else [1] * len(parts)
    whole = sum(quantity * weight for (quantity, _), weight in zip(parts, weights, strict=True))
    shares: list[list[int]] = [
        [0 if position == last else price * weight // whole for position, weight in enumerate(weights)]
        for price in prices
    ]
    split = [
        PricedPart(position, quantity, shares[0][position], shares[1][position])
        for position, (quantity, _) in enumerate(parts)
        if position != last
    ]
    units = parts[last][0]
    floors, dearer = [], []
    for price, share in zip(prices, shares, strict=True):
        left = price - sum(quantity * each for (quantity, _), each in zip(parts, share, strict=True))
        floors.append(left // units)
        dearer.append(left % units)
    cuts = sorted({0, *dearer, units})
    return split + [
        PricedPart(
            last, end - begin, *(floor + (begin < more) for floor, more in zip(floors, dearer, strict=True))
        )
        for begin, end in pairwise(cuts)
    ]
