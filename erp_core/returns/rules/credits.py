"""How a credit to an order is shared over its lines."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise


def shared(amount: int, left: Sequence[int]) -> list[int]:
    """An amount over lines in proportion to what may still be given back of each, and never more than that.

    The parts add up to it. There must be as much left.
    """
    whole = sum(left)
    if not 0 <= amount <= whole:
        raise ValueError(f"{amount} is not within the {whole} that are left")
    if not whole:
        return [0] * len(left)
    upto = [amount * reached // whole for reached in accumulate(left, initial=0)]
    return [after - before for before, after in pairwise(upto)]
