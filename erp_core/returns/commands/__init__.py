"""Commands of returns and their registration."""

from __future__ import annotations

from erp_core.gate.contract import Registration, Registry
from erp_core.orders.events import CustomersForgotten
from erp_core.returns.commands.arriving import inspect_returns, receive_returns
from erp_core.returns.commands.authorising import authorise_returns
from erp_core.returns.commands.disposing import dispose_returns, disposition_facts
from erp_core.returns.commands.wishes import (
    ArrivedLine,
    AuthorisedLine,
    AuthoriseReturn,
    DisposedLine,
    DisposeReturn,
    InspectedLine,
    InspectReturn,
    ReceiveReturn,
)
from erp_core.returns.forgetting import forget_comments

__all__ = [
    "ArrivedLine",
    "AuthoriseReturn",
    "AuthorisedLine",
    "DisposeReturn",
    "DisposedLine",
    "InspectReturn",
    "InspectedLine",
    "ReceiveReturn",
    "register",
]


def register(registry: Registry) -> None:
    """Register the commands."""
    registry.register(Registration(AuthoriseReturn, authorise_returns))
    registry.register(Registration(ReceiveReturn, receive_returns))
    registry.subscribe(CustomersForgotten, forget_comments)
    registry.register(Registration(InspectReturn, inspect_returns))
    registry.register(
        Registration(
            DisposeReturn,
            dispose_returns,
            governed=True,
            facts=disposition_facts,
            compensation="none: a refund that was paid is asked back by hand",
        )
    )
