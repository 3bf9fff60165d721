"""Whether a parcel may leave although the order then takes several."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from uuid import UUID

from erp_core.gate.contract import DomainError, Transaction
from erp_core.orders.book import BookOrder, BookPick
from erp_core.orders.directing import Directing
from erp_core.orders.rules.splits import most_allowed, parcels_with


class SplitNotAllowed(DomainError):
    """The order would leave in more parcels than the fulfilment rules or an approval allow."""

    code = "split_not_allowed"


class SplitPolicy:
    """The limits on parcels for a batch of orders. Nothing is read until an order needs more than one."""

    def __init__(self, tx: Transaction, some: Collection[BookOrder]) -> None:
        self._tx, self._orders = tx, some
        self._directing: Directing | None = None

    def require(self, order: BookOrder, units: Mapping[UUID, int], pick: BookPick | None = None) -> None:
        """Raise `SplitNotAllowed` unless a parcel of these units by line may leave; `pick` is its pick list."""
        parcels = parcels_of(order, units, pick)
        most, rule = self._most(order) if parcels > 1 else (None, "")
        if most is not None and parcels > most:
            raise SplitNotAllowed(
                f"order {order.number} would take {parcels} parcels; {rule} allows {most}",
                field="order_id",
                remedy="send all of it together, cancel what cannot be had, or ask for the split with AllowSplit",
                parcels=parcels,
                most=most,
                rule=rule,
            )

    def permits(self, order: BookOrder, units: Mapping[UUID, int]) -> bool:
        """Whether `require` lets the parcel leave."""
        try:
            self.require(order, units)
        except SplitNotAllowed:
            return False
        return True

    def _most(self, order: BookOrder) -> tuple[int | None, str]:
        if self._directing is None:
            self._directing = Directing(self._tx.connection, self._orders, aspect="most_parcels")
        said = self._directing.of(order)
        return most_allowed(said.most_parcels, order.parcels_allowed), said.because.get("most_parcels", "")


def parcels_of(order: BookOrder, units: Mapping[UUID, int], pick: BookPick | None = None) -> int:
    """The fewest parcels the order takes once this one leaves."""
    others = [one for one in order.open_picks if one is not pick]
    still_open = [
        (line.id, line.location_id, line.parts.open - sum(one.units.get(line.id, 0) for one in others))
        for line in order.lines.values()
    ]
    return parcels_with(order.shipments, len(others), units, still_open)
