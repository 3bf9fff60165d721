"""Pure rules of blanket contracts: what is left, what an order takes of it, and whether it is drawn too slowly."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal
from uuid import UUID

from erp_core.gate.statuses import StatusGraph
from erp_core.master.rules.prices import price_at

CONTRACT_STEPS: StatusGraph = {"agreed": frozenset({"ended"}), "ended": frozenset()}
CALLED_OFF = ("approved", "sent", "confirmed", "shipped", "partly_received", "received", "closed")
"""Orders in these statuses count; a draft, and one that waits for approval, takes nothing yet."""

WATCHED_FROM, BEHIND_BY = 50, 25
"""Percent of its time after which a contract is watched, and by how many points its call-offs may lag behind."""

SEEN_FROM = 10
"""Percent of its time from which a contract's pace says when it will be used up."""

State = Literal["coming", "running", "over", "ended"]


@dataclass(frozen=True, slots=True)
class Drawn:
    """What orders took of a contract: units, and their value at the orders' prices in ten-thousandths."""

    units: int = 0
    value: int = 0

    def __add__(self, other: Drawn) -> Drawn:
        return Drawn(self.units + other.units, self.value + other.value)

    def __sub__(self, other: Drawn) -> Drawn:
        return Drawn(self.units - other.units, self.value - other.value)


@dataclass(frozen=True, slots=True)
class ContractTerms:
    """An item of a contract: its price with breaks, and the units agreed; None where only a value is agreed."""

    contract_id: UUID
    number: str
    item_id: UUID
    price: int
    breaks: tuple[tuple[int, int], ...]
    agreed_quantity: int | None
    agreed_value: int | None
    drawn: Drawn = Drawn()
    value_drawn: int = 0

    def price_at(self, quantity: int) -> int:
        """The price of a unit for a quantity."""
        return price_at(self.price, self.breaks, quantity)

    def left_units(self, taken: Drawn = Drawn()) -> int | None:
        """Units left of the item, with `taken` besides; None where no quantity is agreed."""
        if self.agreed_quantity is None:
            return None
        return self.agreed_quantity - self.drawn.units - taken.units

    def takes(self, quantity: int, taken: Drawn, value_taken: int) -> bool:
        """Whether the whole quantity is left, of the item and of the contract's value, with what was taken besides."""
        left = self.left_units(taken)
        within = left is None or quantity <= left
        value = quantity * self.price_at(quantity)
        return within and (
            self.agreed_value is None or self.value_drawn + value_taken + value <= self.agreed_value
        )


def state_on(day: date, valid_from: date, valid_to: date, ended_on: date | None) -> State:
    """How a contract stands on a day; it runs from its first day up to, and not on, `valid_to` or the day it ended."""
    if ended_on is not None and day >= ended_on:
        return "ended"
    if day < valid_from:
        return "coming"
    return "running" if day < valid_to else "over"


def percent(part: int, whole: int) -> int:
    """A share in whole percent, rounded down; all of nothing is 100."""
    return 100 if whole <= 0 else part * 100 // whole


def is_behind(time_passed: int, drawn: int) -> bool:
    """Whether so little was called off, in percent, that the contract will end with much of it left."""
    return time_passed >= WATCHED_FROM and drawn + BEHIND_BY < time_passed


def is_running_out(time_passed: int, drawn: int) -> bool:
    """Whether so much was called off, in percent, that nothing will be left long before the contract ends."""
    return time_passed >= SEEN_FROM and drawn >= WATCHED_FROM and drawn > time_passed + BEHIND_BY


def at_this_pace(called_off: int, days_passed: int, days: int) -> int:
    """What will have been called off on the last of `days` if it goes on as it did; rounded down."""
    return called_off * days // max(days_passed, 1)
