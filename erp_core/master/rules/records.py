"""Rules of the master data: status graphs, mandatory fields, exact unit conversion."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from erp_core.gate.contract import DomainError
from erp_core.gate.statuses import StatusGraph

ITEM_STATUSES: StatusGraph = {
    "draft": frozenset({"active"}),
    "active": frozenset({"discontinued"}),
    "discontinued": frozenset({"active"}),
}
SUPPLIER_STATUSES: StatusGraph = {
    "draft": frozenset({"submitted"}),
    "submitted": frozenset({"draft", "active"}),
    "active": frozenset({"blocked"}),
    "blocked": frozenset({"active"}),
}
RiskClass = Literal["low", "medium", "high"]
RISK_CLASSES: tuple[RiskClass, ...] = ("low", "medium", "high")
"""Risk classes of suppliers, the lowest first."""
ITEM_MANDATORY = ("name", "category", "brand", "base_unit")
SUPPLIER_MANDATORY = ("name", "country", "payment_days", "delivery_terms", "lead_time_days")


class MandatoryFieldMissing(DomainError):
    """A record cannot become active while fields that others rely on are empty."""

    code = "mandatory_field_missing"


class UnknownUnit(DomainError):
    """The item has no conversion for this unit."""

    code = "unknown_unit"


class InconsistentUnit(DomainError):
    """A conversion that contradicts the base unit."""

    code = "inconsistent_unit"


class InexactConversion(DomainError):
    """A quantity is no whole number of the wanted unit; it is never rounded."""

    code = "inexact_conversion"


def check_complete(subject: str, record: Mapping[str, Any], mandatory: tuple[str, ...]) -> None:
    """Raise `MandatoryFieldMissing` that names every mandatory field which is empty (None or blank text)."""
    missing = [name for name in mandatory if record[name] is None or record[name] == ""]
    if missing:
        raise MandatoryFieldMissing(
            f"{subject} has no {', '.join(missing)}",
            field=missing[0],
            remedy=f"fill {', '.join(missing)} and activate it again",
            missing=missing,
        )


def relative_change(old: int | None, new: int | None) -> int | None:
    """How far a price moves in 1/100 % of the old one, rounded away from zero; None where either is unknown.

    From a price of zero any other is a change of 100 %.
    """
    if old is None or new is None:
        return None
    if old == 0:
        return 10_000 if new else 0
    size = -(-abs(new - old) * 10_000 // old)
    return size if new >= old else -size


def to_base_units(quantity: int, unit: str, base_unit: str, factors: Mapping[str, int]) -> int:
    """`quantity` of `unit` in base units, exactly. Raises `UnknownUnit`."""
    return quantity * _factor(unit, base_unit, factors)


def from_base_units(quantity: int, unit: str, base_unit: str, factors: Mapping[str, int]) -> int:
    """Base units as a whole number of `unit`. Raises `UnknownUnit`, or `InexactConversion` rather than round."""
    factor = _factor(unit, base_unit, factors)
    whole, rest = divmod(quantity, factor)
    if rest:
        raise InexactConversion(
            f"{quantity} {base_unit} is no whole number of {unit} ({factor} each)",
            field="unit",
            remedy=f"use a multiple of {factor} {base_unit}, or give the quantity in {base_unit}",
            quantity=quantity,
            factor=factor,
        )
    return whole


def _factor(unit: str, base_unit: str, factors: Mapping[str, int]) -> int:
    if unit == base_unit:
        return 1
    if unit not in factors:
        known = ", ".join([base_unit, *sorted(factors)])
        raise UnknownUnit(
            f"the item has no unit {unit!r}",
            field="unit",
            remedy=f"use one of {known}, or set the unit first",
            unit=unit,
        )
    return factors[unit]
