"""Pure rules of landed cost: which components there are, and how the amount of one is shared among the goods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from erp_core.gate.contract import DomainError

BASES = ("value", "quantity", "weight", "volume")


class BasisUnknown(DomainError):
    """Goods whose value, weight or volume nobody knows cannot take a share by it."""

    code = "basis_unknown"


@dataclass(frozen=True, slots=True)
class Component:
    """A kind of cost beside the price of the goods. `basis` is what its amount is shared by."""

    code: str
    name: str
    basis: str
    active: bool = True


COMPONENTS: Mapping[str, Component] = MappingProxyType(
    {
        one.code: one
        for one in (
            Component("freight", "Freight", "weight"),
            Component("duty", "Customs duty", "value"),
            Component("brokerage", "Customs brokerage", "value"),
            Component("insurance", "Insurance", "value"),
            Component("handling", "Handling and port charges", "quantity"),
        )
    }
)
"""What a company starts with."""


@dataclass(frozen=True, slots=True)
class Goods:
    """Some units of one line: what each basis measures, None where unknown."""

    quantity: int
    value: int | None
    weight_grams: int | None = None
    volume_mm3: int | None = None

    def measure(self, basis: str) -> int | None:
        """How much of the basis they are."""
        return {
            "quantity": self.quantity,
            "value": self.value,
            "weight": self.weight_grams,
            "volume": self.volume_mm3,
        }[basis]


def shares(amount: int, component: Component, goods: Sequence[Goods]) -> tuple[int, ...]:
    """The amount by line, in proportion to the component's basis; the remainder is on the last line.

    Parts add up to the amount exactly, and no part has another sign. Raises `BasisUnknown` where a line has no
    measure, or all measures are 0: a guess would go into the cost of goods.
    """
    measures = [one.measure(component.basis) for one in goods]
    known = [one for one in measures if one is not None]
    total = sum(known)
    if len(known) < len(measures) or total <= 0:
        raise BasisUnknown(
            f"{component.name} is shared by {component.basis}, which is not known of all goods",
            field="component",
            remedy=f"give the {component.basis} of the goods, or share {component.code} by quantity",
            component=component.code,
            basis=component.basis,
        )
    sign = -1 if amount < 0 else 1
    parts = [sign * (abs(amount) * one // total) for one in known]
    parts[-1] += amount - sum(parts)
    return tuple(parts)
