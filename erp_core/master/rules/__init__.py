"""Pure rules of the master data, a file per noun: records, suppliers, prices, duplicates, quality, reasons."""

from __future__ import annotations

from erp_core.master.rules.records import (
    ITEM_MANDATORY,
    ITEM_STATUSES,
    SUPPLIER_MANDATORY,
    SUPPLIER_STATUSES,
    InconsistentUnit,
    InexactConversion,
    MandatoryFieldMissing,
    UnknownUnit,
    check_complete,
    from_base_units,
    relative_change,
    to_base_units,
)

__all__ = [
    "ITEM_MANDATORY",
    "ITEM_STATUSES",
    "SUPPLIER_MANDATORY",
    "SUPPLIER_STATUSES",
    "InconsistentUnit",
    "InexactConversion",
    "MandatoryFieldMissing",
    "UnknownUnit",
    "check_complete",
    "from_base_units",
    "relative_change",
    "to_base_units",
]
