"""Arithmetic of weighted average cost, on whole ten-thousandths."""

from __future__ import annotations


def issue_value(quantity: int, held: int, value: int) -> int:
    """What `quantity` of `held` units worth `value` are worth: the average, rounded half up.

    All of them are worth all of it, so that nothing is left behind when nothing is left.
    """
    if quantity == held:
        return value
    return (2 * value * quantity + held) // (2 * held)


def unit_cost(held: int, value: int) -> int:
    """The value of one unit, rounded half up."""
    return (2 * value + held) // (2 * held)


RATE_SCALE = 10**8


def converted(amount: int, rate: int) -> int:
    """An amount in company currency, rounded up: a limit is never missed by rounding. `rate` in 10^-8."""
    return -(-amount * rate // RATE_SCALE)
