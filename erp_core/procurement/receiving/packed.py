"""Packaging that is stated otherwise than the master data have it, as cases that are raised the moment it is stated."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, select

from erp_core.exceptions.draft import CaseDraft, by_hand, fact
from erp_core.exceptions.rules import CaseKey
from erp_core.gate.contract import Transaction
from erp_core.master.model import item_units, items
from erp_core.master.queries.parameters import parameters
from erp_core.procurement.ordering.purchase_orders import Line, PurchaseOrder
from erp_core.procurement.receiving.packaging import (
    KnownPackaging,
    KnownUnit,
    StatedPackaging,
    packaging_differences,
)
from erp_core.storage.lookup import fetch_in

PACKAGING = "packaging_difference"
DAYS_TO_CHECK = 7
_UNITS = {"weight_grams": "g", "length_mm": "mm", "width_mm": "mm", "height_mm": "mm", "case_pack": "units"}
_GTINS = select(items.c.id, items.c.gtin)
_PACKED = select(
    item_units.c.item_id,
    item_units.c.factor,
    item_units.c.weight_grams,
    item_units.c.length_mm,
    item_units.c.width_mm,
    item_units.c.height_mm,
)
Stated = tuple[Line, StatedPackaging | None]


def packaging_cases(
    tx: Transaction, order: PurchaseOrder, stated: Iterable[Stated], occurred_at: datetime
) -> tuple[list[CaseDraft], list[CaseKey]]:
    """The cases of lines whose packaging differs, and the keys of those that are over as all is as known.

    Nothing is read where nothing is stated.
    """
    told = [(line, packaging) for line, packaging in stated if packaging is not None]
    if not told:
        return [], []
    known = _known(tx.connection, {line.item_id for line, _ in told})
    percent = parameters(tx.connection)["packaging_percent"]
    found: dict[UUID, tuple[Line, list[tuple[str, str, str]]]] = {}
    for line, packaging in told:
        differences = list(packaging_differences(packaging, known[line.item_id], percent))
        found.setdefault(line.id, (line, []))[1].extend(differences)
    drafts = [_case(order, line, parts, occurred_at) for line, parts in found.values() if parts]
    return drafts, [(PACKAGING, str(line.id)) for line, parts in found.values() if not parts]


def _known(connection: Connection, item_ids: Iterable[UUID]) -> dict[UUID, KnownPackaging]:
    wanted = list(item_ids)
    units: dict[UUID, list[KnownUnit]] = {item_id: [] for item_id in wanted}
    for row in fetch_in(connection, _PACKED, item_units.c.item_id, wanted):
        sides = (row.length_mm, row.width_mm, row.height_mm)
        units[row.item_id].append(KnownUnit(row.factor, row.weight_grams, sides))
    return {
        row.id: KnownPackaging(row.gtin, units[row.id])
        for row in fetch_in(connection, _GTINS, items.c.id, wanted)
    }


def _case(
    order: PurchaseOrder, line: Line, differences: Sequence[tuple[str, str, str]], occurred_at: datetime
) -> CaseDraft:
    parts = dict.fromkeys(what.removesuffix("_mm").removesuffix("_grams") for what, _, _ in differences)
    return CaseDraft(
        kind=PACKAGING,
        subject_key=str(line.id),
        title=f"{order.number} line {line.line_no}: {', '.join(parts).replace('_', ' ')} other than known",
        subjects=(
            ("po_line", line.id),
            ("purchase_order", order.id),
            ("supplier", order.supplier_id),
            ("item", line.item_id),
        ),
        probability=1.0,
        deadline=occurred_at + timedelta(days=DAYS_TO_CHECK),
        expected_loss=0,
        residual_loss=0,
        action_cost=0,
        evidence=tuple(
            fact(f"{what} {side}", value, _UNITS.get(what, "code"))
            for what, known, stated in differences
            for side, value in (("known", known), ("stated", stated))
        ),
        action=by_hand("measure again; then correct the master data, or complain to the supplier"),
    )
