"""Goods that a shipping notice announced and that did not come: how many are missing, and the case that it makes. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import accumulate

from erp_core.exceptions.draft import CaseDraft, by_hand, fact
from erp_core.exceptions.rules import CaseKey
from erp_core.procurement.ordering.purchase_orders import Line, PurchaseOrder
from erp_core.procurement.receiving.rules import VARIANCE

DAYS_TO_ASK = 3
Notices = Sequence[tuple[date, int]]
"""What was announced of a line: the day each notice is expected on and its units, the earliest first."""


@dataclass(slots=True)
class Announced:
    """What notices announced of a line, and the units that arrived since the first of them.

    `deliveries` are the units of each notice as a whole, the earliest first; `notices` tells those of a notice by carton.
    """

    notices: Notices
    arrived: int
    deliveries: Sequence[int] = ()


def short_key(line: Line) -> CaseKey:
    """What makes the case of a line's missing goods the same one."""
    return VARIANCE, f"{line.id}:short"


def missing(announced: Notices, arrived: int, today: date) -> int:
    """Units of notices that are due, or that came in part, and are not there. What came fills the earliest notice first."""
    short = 0
    for expected_on, units in announced:
        came = min(arrived, units)
        arrived -= came
        if came or expected_on <= today:
            short += units - came
    return short


def as_announced(deliveries: Sequence[int], arrived: int) -> bool:
    """Whether what arrived is all of the first deliveries and nothing of the others."""
    return arrived > 0 and arrived in accumulate(deliveries)


def short_case(
    order: PurchaseOrder, line: Line, announced: Announced, under: int, occurred_at: datetime
) -> CaseDraft | None:
    """The case of a line of which less came than was announced, by more than `under` hundredths of a percent; else None.

    What is missing is not owed, so that it costs nothing by itself; whom it makes wait is priced by the scan.
    """
    units = sum(units for _, units in announced.notices)
    short = missing(announced.notices, announced.arrived, occurred_at.date())
    if short <= units * under // 10_000:
        return None
    return CaseDraft(
        kind=VARIANCE,
        subject_key=short_key(line)[1],
        title=f"{order.number} line {line.line_no}: {short} units that were announced did not come",
        subjects=(
            ("po_line", line.id),
            ("purchase_order", order.id),
            ("supplier", order.supplier_id),
            ("item", line.item_id),
        ),
        probability=1.0,
        deadline=occurred_at + timedelta(days=DAYS_TO_ASK),
        expected_loss=0,
        residual_loss=0,
        action_cost=0,
        evidence=(
            fact("announced", units, "units"),
            fact("arrived since", announced.arrived, "units"),
            fact("missing", short, "units"),
        ),
        action=by_hand("ask the supplier where they are, and close the line short if they do not come"),
    )
