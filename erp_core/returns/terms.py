"""The return terms in force, as commands read them."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import Connection, select

from erp_core.master.model import items
from erp_core.returns.model import return_terms
from erp_core.returns.rules.terms import ReturnTerms, terms_for
from erp_core.storage.lookup import fetch_in

_ACTIVE = select(
    return_terms.c.channel_id,
    return_terms.c.category,
    return_terms.c.window_days,
    return_terms.c.fault_window_days,
    return_terms.c.reasons,
    return_terms.c.resale,
).where(return_terms.c.active)
_CATEGORIES = select(items.c.id, items.c.category)


def active_terms(connection: Connection) -> list[ReturnTerms]:
    """The terms in force, in no order."""
    return [
        ReturnTerms(
            channel, category, days, fault_days, None if reasons is None else frozenset(reasons), resale
        )
        for channel, category, days, fault_days, reasons, resale in connection.execute(_ACTIVE)
    ]


class Terms:
    """The terms that hold for a batch of items. Their categories are read only where there are terms at all."""

    def __init__(self, connection: Connection, item_ids: Iterable[UUID]) -> None:
        self._known = active_terms(connection)
        self._category: dict[UUID, str] = {}
        if self._known:
            self._category = dict(map(tuple, fetch_in(connection, _CATEGORIES, items.c.id, set(item_ids))))

    def of(self, channel_id: UUID, item_id: UUID) -> ReturnTerms:
        """The most precise terms for the item sold on the channel."""
        return terms_for(self._known, channel_id, self._category.get(item_id, ""))
