"""The last part of an order's life: what comes back of it."""

from __future__ import annotations

from datetime import datetime

from erp_core.gate.contract import Event
from erp_core.orders.book import BookOrder
from erp_core.orders.rules import GONE, return_steps


def take_return_steps(order: BookOrder, stage: str, restocked: bool, at: datetime) -> tuple[Event, ...]:
    """Bring a loaded order to the stage of its returns, step by step. Gives an event for each step.

    An order of which something is still owed stays what it is.
    """
    if order.status not in GONE:
        return ()
    events = []
    for step in return_steps(order.status, stage, restocked):
        order.step_to(step, at)
        events.append(order.event(f"Order{step.capitalize()}"))
    return tuple(events)
