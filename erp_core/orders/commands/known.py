"""Orders that are there already: one per id, per number, and per channel and reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection, and_, bindparam, or_, select

from erp_core.master.commands.records import AlreadyExists
from erp_core.orders.commands.place import PlaceOrder
from erp_core.orders.model import orders
from erp_core.storage.lookup import fetch_in

_KNOWN = select(orders.c.id, orders.c.number, orders.c.channel_id, orders.c.external_ref, orders.c.status)
_LIKE_ONE = _KNOWN.where(
    or_(
        orders.c.id == bindparam("like_id"),
        orders.c.number == bindparam("like_number"),
        and_(
            orders.c.channel_id == bindparam("like_channel"),
            orders.c.external_ref == bindparam("like_reference"),
        ),
    )
)
_OF_CHANNELS = _KNOWN.where(orders.c.channel_id.in_(bindparam("channels", expanding=True)))


@dataclass(frozen=True, slots=True)
class Known:
    """An order that is there already."""

    id: UUID
    number: str
    channel_id: UUID
    external_ref: str
    status: str


def order_number(order_id: UUID) -> str:
    """The number of an order that came without one: it follows from the id."""
    return f"SO-{order_id.hex[-12:].upper()}"


class KnownOrders:
    """The orders that share an id, a number or a channel's reference with one of a batch."""

    def __init__(self, connection: Connection, commands: Sequence[PlaceOrder]) -> None:
        self._by_id: dict[UUID, Known] = {}
        self._by_number: dict[str, Known] = {}
        self._by_reference: dict[tuple[UUID, str], Known] = {}
        self._read(connection, commands)

    def _read(self, connection: Connection, commands: Sequence[PlaceOrder]) -> None:
        """Orders that share an id, a number or a channel's reference with one to place."""
        numbers = [one.number or order_number(one.order_id) for one in commands]
        if len(commands) == 1:
            (one,) = commands
            like = {
                "like_id": one.order_id,
                "like_number": numbers[0],
                "like_channel": one.channel_id,
                "like_reference": one.external_ref,
            }
            rows = [*connection.execute(_LIKE_ONE, like)]
        else:
            references = [one.external_ref for one in commands]
            channels = list({one.channel_id for one in commands})
            rows = [
                *fetch_in(connection, _KNOWN, orders.c.id, (one.order_id for one in commands)),
                *fetch_in(connection, _KNOWN, orders.c.number, numbers),
                *fetch_in(connection, _OF_CHANNELS, orders.c.external_ref, references, channels=channels),
            ]
        for row in rows:
            self.remember(Known(*row))

    def remember(self, known: Known) -> None:
        """Note an order that is about to be written."""
        self._by_id[known.id] = known
        self._by_number[known.number] = known
        self._by_reference[known.channel_id, known.external_ref] = known

    def first(self, command: PlaceOrder) -> Known | None:
        """The order that its channel sent under this reference before."""
        return self._by_reference.get((command.channel_id, command.external_ref))

    def check(self, command: PlaceOrder, number: str) -> None:
        """Raise `AlreadyExists` when the id or the number is taken."""
        if command.order_id in self._by_id:
            raise AlreadyExists(
                f"order {command.order_id} is there already under another reference",
                field="order_id",
                remedy="make a new id",
            )
        if number in self._by_number:
            raise AlreadyExists(
                f"order {number} is there already", field="number", remedy="give another number, or none"
            )
