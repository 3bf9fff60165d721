"""Arithmetic of cost, on whole ten-thousandths."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


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


def shares(amount: int, weights: Sequence[int]) -> list[int]:
    """An amount in parts by weight (equal ones without any weight): they add up to it exactly, the remainder is last.

    Raises `ValueError` where there is nothing to split it over, or a weight is below zero.
    """
    if not weights or min(weights) < 0:
        raise ValueError("an amount is split over one part or more, with weights of zero or more")
    whole = sum(weights)
    parts = [amount * weight // whole if whole else amount // len(weights) for weight in weights]
    parts[-1] += amount - sum(parts)
    return parts


def in_company_currency(amount: int, rate: int) -> int:
    """What an amount is worth in company currency, rounded half up away from zero. `rate` in 10^-8."""
    worth = (2 * abs(amount) * rate + RATE_SCALE) // (2 * RATE_SCALE)
    return worth if amount >= 0 else -worth


def carried_value(open_amount: int, open_value: int, amount: int, value: int) -> int:
    """What a movement changes the value of an open item by, all signed alike; the rest of `value` is an exchange difference.

    What opens an item, or adds to it, counts at its own value. What closes it takes the value that it stands at, in
    proportion, and all of it with the last; what goes beyond opens it the other way round.
    """
    if open_amount + amount == 0:
        return -open_value
    if not open_amount or (open_amount > 0) == (amount > 0) or not amount:
        return value
    closed = min(abs(amount), abs(open_amount))
    taken = open_value * closed // abs(open_amount)
    return value * (abs(amount) - closed) // abs(amount) - taken


def oldest_first(layers: Iterable[tuple[int, int]], units: int) -> list[tuple[int, int]]:
    """What `units` take of layers given as (units, value), first to last: (units, value) of each that is touched.

    The last unit of a layer takes what is left of its value. Fewer units than asked for come where there are fewer.
    """
    taken: list[tuple[int, int]] = []
    for held, value in layers:
        if not units:
            break
        part = min(units, held)
        taken.append((part, issue_value(part, held, value)))
        units -= part
    return taken


def taken_from(amount: int, values: Sequence[int]) -> list[int]:
    """An amount in parts that are taken from these values, in proportion: they add up to it, and none exceeds its value.

    Raises `ValueError` where the values are less than the amount.
    """
    whole = sum(values)
    if not 0 <= amount <= whole:
        raise ValueError("no more is taken than there is")
    parts, before, so_far = [], 0, 0
    for value in values:
        so_far += value
        until = amount * so_far // whole if whole else 0
        parts.append(until - before)
        before = until
    return parts
