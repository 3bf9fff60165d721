"""What went back to suppliers already, by the order line that brought it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, func, select

from erp_core.procurement.model.claims import vendor_claims, vendor_returns
from erp_core.procurement.model.receiving import held_decisions
from erp_core.storage.lookup import fetch_in

_CLAIM = vendor_claims.c
_BACK = (
    select(_CLAIM.po_line_id, func.sum(_CLAIM.quantity).label("units"))
    .where(_CLAIM.status != "withdrawn")
    .group_by(_CLAIM.po_line_id)
)
_DEFECTIVE = (
    select(vendor_returns.c.po_line_id, func.sum(vendor_returns.c.quantity).label("units"))
    .join(vendor_claims, _CLAIM.vendor_return_id == vendor_returns.c.id)
    .where(_CLAIM.status != "withdrawn", vendor_returns.c.defect.is_not(None))
    .group_by(vendor_returns.c.po_line_id)
)
_KEPT_IN_DOUBT = (
    select(held_decisions.c.po_line_id, func.sum(held_decisions.c.quantity).label("units"))
    .where(held_decisions.c.held_for == "quarantine", held_decisions.c.decision == "accept")
    .group_by(held_decisions.c.po_line_id)
)


def went_back(connection: Connection, po_line_ids: Iterable[UUID]) -> dict[UUID, int]:
    """Units by line that went back after they were accepted, from stock or from a customer, and did not come again."""
    return _units(connection, _BACK, _CLAIM.po_line_id, po_line_ids)


def went_back_defective(connection: Connection, po_line_ids: Iterable[UUID]) -> dict[UUID, int]:
    """Of those that went back from stock, units by line with which something was wrong."""
    return _units(connection, _DEFECTIVE, vendor_returns.c.po_line_id, po_line_ids)


def kept_in_doubt(connection: Connection, po_line_ids: Iterable[UUID]) -> dict[UUID, int]:
    """Units by line that were quarantined on inspection, counted as defective then, and kept."""
    return _units(connection, _KEPT_IN_DOUBT, held_decisions.c.po_line_id, po_line_ids)


def _units(connection: Connection, statement: Any, column: Any, ids: Iterable[UUID]) -> dict[UUID, int]:
    return {row.po_line_id: int(row.units) for row in fetch_in(connection, statement, column, ids)}
