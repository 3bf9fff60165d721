"""Pure rules of returns: the life of a return, and what condition leads to what disposition."""

from __future__ import annotations

from collections.abc import Mapping

from erp_core.gate.statuses import StatusGraph

RETURN_STEPS: StatusGraph = {
    "authorised": frozenset({"received"}),
    "received": frozenset({"inspected"}),
    "inspected": frozenset({"disposed"}),
    "disposed": frozenset(),
}

UNDECIDED = "undecided"
DISPOSITION_STEPS: StatusGraph = {
    UNDECIDED: frozenset({"restock", "refurbish", "quarantine", "vendor_return", "write_off"}),
    "refurbish": frozenset({"restock", "vendor_return", "write_off"}),
    "quarantine": frozenset({"restock", "refurbish", "vendor_return", "write_off"}),
    "restock": frozenset(),
    "vendor_return": frozenset(),
    "write_off": frozenset(),
}

DISPOSITION_BY_CONDITION: Mapping[str, str] = {
    "as_new": "restock",
    "opened": "restock",
    "damaged_packaging": "refurbish",
    "defective": "vendor_return",
    "damaged": "write_off",
    "suspect": "quarantine",
}


def returnable(shipped: int, already_returned: int) -> int:
    """How many units of an order line may still come back."""
    return max(shipped - already_returned, 0)


def share_of(value: int | None, part: int, whole: int) -> int | None:
    """The value of `part` units out of `whole`, rounded half up; None while the value is unknown."""
    if value is None or whole == 0:
        return None
    return (2 * value * part + whole) // (2 * whole)
