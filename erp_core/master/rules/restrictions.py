"""Pure rules of restricted products: what a restriction covers, and whether an order keeps it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from erp_core.gate.contract import DomainError


class ProductRestricted(DomainError):
    """A product may not be sold to this channel, country or from this place."""

    code = "product_restricted"


class QuantityRestricted(DomainError):
    """More of a product than may be sold in one order, or on one day."""

    code = "quantity_restricted"


@dataclass(frozen=True, slots=True)
class Sale:
    """Some units of a product for a customer's country, through a channel, from a place (None: not chosen yet)."""

    item_id: UUID
    category: str
    channel_id: UUID
    country: str
    location_id: UUID | None
    quantity: int


@dataclass(frozen=True, slots=True)
class Restriction:
    """One restriction. What it leaves open, it covers all of; without any most, the sale is forbidden."""

    id: UUID
    name: str
    item_id: UUID | None
    category: str | None
    channel_id: UUID | None
    country: str | None
    location_id: UUID | None
    most_per_order: int | None
    most_per_day: int | None

    @property
    def forbids(self) -> bool:
        """Whether nothing at all may be sold."""
        return self.most_per_order is None and self.most_per_day is None

    def covers(self, sale: Sale) -> bool:
        """Whether the sale falls under it."""
        return (
            self.item_id in (None, sale.item_id)
            and self.category in (None, sale.category)
            and self.channel_id in (None, sale.channel_id)
            and (self.country is None or self.country.casefold() == sale.country.casefold())
            and self.location_id in (None, sale.location_id)
        )


def forbidding(restrictions: Iterable[Restriction], sale: Sale) -> Restriction | None:
    """The first restriction that forbids the sale."""
    return next((one for one in restrictions if one.forbids and one.covers(sale)), None)


def forbidden(restriction: Restriction) -> ProductRestricted:
    """The refusal that names the restriction."""
    return ProductRestricted(
        f"{restriction.name}: this may not be sold here",
        field="lines",
        remedy="take the product off the order, or sell it where the restriction does not hold",
        restriction=restriction.name,
    )


def check_sales(
    restrictions: Sequence[Restriction], sales: Sequence[Sale], sold_today: Mapping[UUID, int]
) -> None:
    """Pass when an order keeps every restriction. Raises `ProductRestricted` or `QuantityRestricted`.

    `sold_today` gives the units already ordered today under each restriction with a daily most. A most may be
    reached exactly; lines of one order count together.
    """
    for one in restrictions:
        units = sum(sale.quantity for sale in sales if one.covers(sale))
        if not units:
            continue
        if one.forbids:
            raise forbidden(one)
        if one.most_per_order is not None and units > one.most_per_order:
            raise _too_many(one, "in one order", one.most_per_order, units)
        if one.most_per_day is not None and sold_today.get(one.id, 0) + units > one.most_per_day:
            left = max(one.most_per_day - sold_today.get(one.id, 0), 0)
            raise _too_many(one, f"a day, {left} are left today", one.most_per_day, units)


def _too_many(restriction: Restriction, when: str, most: int, units: int) -> QuantityRestricted:
    return QuantityRestricted(
        f"{restriction.name}: at most {most} {when}, not {units}",
        field="lines.quantity",
        remedy="order less of it",
        restriction=restriction.name,
        most=most,
        units=units,
    )
