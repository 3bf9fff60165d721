"""What each channel may take, where stock is promised."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from uuid import UUID

from sqlalchemy import Connection, func, select

from erp_core.gate.contract import DomainError, Transaction
from erp_core.inventory.locks import lock_names
from erp_core.orders.book import OrderBook
from erp_core.orders.model import order_lines, orders
from erp_core.orders.model_service import channel_quotas
from erp_core.orders.rules import COMMITTED, WAITING
from erp_core.orders.rules.shares import Quota, Quotas, allowed, quota_for
from erp_core.storage.lookup import AnyRow, fetch_in

_LINE = order_lines.c
_OF_CHANNELS = (
    select(_LINE.item_id, _LINE.location_id, _LINE.channel_id, func.sum(_LINE.reserved_quantity))
    .join(orders, orders.c.id == _LINE.order_id)
    .where(_LINE.reserved_quantity > 0, orders.c.status.in_(COMMITTED))
    .group_by(_LINE.item_id, _LINE.location_id, _LINE.channel_id)
)
_OWED = (
    select(
        _LINE.item_id,
        _LINE.channel_id,
        func.sum(
            _LINE.quantity - _LINE.reserved_quantity - _LINE.shipped_quantity - _LINE.cancelled_quantity
        ),
    )
    .join(orders, orders.c.id == _LINE.order_id)
    .where(orders.c.status.in_(WAITING))
    .group_by(_LINE.item_id, _LINE.channel_id)
)


class OversellLimit(DomainError):
    """The channel owes as many of an item without stock as it may."""

    code = "oversell_limit"


def quotas_in_force(connection: Connection, on: date) -> dict[tuple[UUID, UUID, UUID], Quota]:
    """The quotas of a day by channel, item and place (the zero id for every one): of several the last to begin."""
    table = channel_quotas.c
    columns = (
        table.channel_id,
        table.item_id,
        table.location_id,
        table.valid_from,
        table.kept_units,
        table.most_percent,
        table.low_percent,
        table.high_percent,
        table.oversell_units,
    )
    covers = (table.valid_from <= on) & (table.valid_to.is_(None) | (table.valid_to > on))
    statement = select(*columns, table.active).where(covers).order_by(table.valid_from)
    latest: dict[tuple[UUID, UUID, UUID], AnyRow] = {
        (row[0], row[1], row[2]): row for row in connection.execute(statement)
    }
    return {key: Quota(*row[:-1]) for key, row in latest.items() if row.active}


def quotas_to_adapt(connection: Connection, today: date) -> bool:
    """Whether a quota that follows demand was not looked at today."""
    table = channel_quotas.c
    late = (table.adapted_on.is_(None) | (table.adapted_on < today)) & (
        (table.valid_from <= today) & (table.valid_to.is_(None) | (table.valid_to > today))
    )
    found = (
        select(table.channel_id).where(table.active, table.low_percent < table.high_percent, late).limit(1)
    )
    return connection.execute(found).first() is not None


def held_by_channel(
    connection: Connection, item_ids: Iterable[UUID]
) -> dict[tuple[UUID, UUID], dict[UUID, int]]:
    """Units that each channel's orders hold, by (item, place)."""
    held: dict[tuple[UUID, UUID], dict[UUID, int]] = {}
    for item_id, place, channel_id, units in fetch_in(connection, _OF_CHANNELS, _LINE.item_id, item_ids):
        held.setdefault((item_id, place), {})[channel_id] = int(units)
    return held


class Shares:
    """The quotas of today over one piece of work on these items: what is promised is what lies there now.

    Without any quota nothing more is read.

    Make it when the stock is locked, so that two orders count one after the other.
    """

    def __init__(self, tx: Transaction, item_ids: Iterable[UUID], *, none: bool = False) -> None:
        self._quotas: Quotas = {} if none else quotas_in_force(tx.connection, tx.today)
        self._held: dict[tuple[UUID, UUID], dict[UUID, int]] = {}
        self._owed: dict[tuple[UUID, UUID], int] = {}
        if self._quotas:
            items = set(item_ids)
            OrderBook.of(tx).flush()
            self._held = held_by_channel(tx.connection, items)
            for item_id, channel_id, units in fetch_in(tx.connection, _OWED, _LINE.item_id, items):
                self._owed[channel_id, item_id] = int(units)

    def __bool__(self) -> bool:
        return bool(self._quotas)

    def allowed(self, channel_id: UUID, item_id: UUID, place: UUID, free: int) -> int:
        """How many of the free units the channel may take."""
        if not self._quotas:
            return free
        held = self._held.get((item_id, place), {})
        return allowed(self._quotas, channel_id, item_id, place, free, held)

    def take(self, channel_id: UUID, item_id: UUID, place: UUID, units: int) -> None:
        """Count units that were reserved for the channel."""
        if self._quotas:
            held = self._held.setdefault((item_id, place), {})
            held[channel_id] = held.get(channel_id, 0) + units

    def require_may_owe(self, channel_id: UUID, wanted: dict[UUID, int]) -> None:
        """Raise `OversellLimit` when the channel may not owe so many more units, by item, without stock."""
        for item_id, units in wanted.items():
            quota = quota_for(self._quotas, channel_id, item_id)
            if quota is None or quota.oversell_units is None or not units:
                continue
            owed = self._owed.get((channel_id, item_id), 0)
            if owed + units > quota.oversell_units:
                left = max(quota.oversell_units - owed, 0)
                raise OversellLimit(
                    f"{units} units are not there, and the channel may owe {left} more",
                    field="lines.quantity",
                    remedy="order what is available, or wait for the next receipt",
                    item=item_id,
                    wanted=units,
                    left=left,
                )

    def owe(self, channel_id: UUID, wanted: dict[UUID, int]) -> bool:
        """Count units that the channel owes now. Gives whether it is oversold under a limit by them."""
        limited = False
        for item_id, units in wanted.items():
            key = channel_id, item_id
            self._owed[key] = self._owed.get(key, 0) + units
            quota = quota_for(self._quotas, channel_id, item_id)
            limited |= units > 0 and quota is not None and quota.oversell_units is not None
        return limited


def lock_oversell(tx: Transaction, pairs: Iterable[tuple[UUID, UUID]]) -> None:
    """Let two orders of a channel for an item count one after the other, wherever they are filled."""
    lock_names(tx.connection, (f"oversell {channel_id} {item_id}" for channel_id, item_id in set(pairs)))
