"""What people decide about goods that came beyond an order, and how many days that takes them."""

from __future__ import annotations

import numpy as np

_DECISIONS = ("accept", "return", "correct")
_SHARES = (0.62, 0.24, 0.14)
_FIRST_DAY, _LAST_DAY = 1, 5


def draw_decision(rng: np.random.Generator, day: int) -> tuple[int, str]:
    """The day on which goods that came on `day` are decided about, and the decision as `DecideHeldGoods` names it."""
    decided = day + int(rng.integers(_FIRST_DAY, _LAST_DAY + 1))
    return decided, _DECISIONS[int(rng.choice(len(_DECISIONS), p=_SHARES))]
