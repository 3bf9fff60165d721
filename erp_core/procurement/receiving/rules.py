"""Pure rules of receiving: what may come beyond an order, what is decided about the rest, and the case that it makes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from erp_core.exceptions.draft import CURRENCY, CaseDraft, by_hand, fact
from erp_core.exceptions.rules import CaseKey
from erp_core.procurement.ordering.purchase_orders import Line, PurchaseOrder
from erp_core.storage.types import money_text

VARIANCE = "receipt_variance"
DAYS_TO_DECIDE = 3
COMPANY = "company"


def scopes(supplier_id: UUID, item_id: UUID) -> tuple[str, ...]:
    """What a tolerance may be for, the narrowest first."""
    return (
        f"supplier:{supplier_id.hex} item:{item_id.hex}",
        f"item:{item_id.hex}",
        f"supplier:{supplier_id.hex}",
        COMPANY,
    )


def scope_of(supplier_id: UUID | None, item_id: UUID | None) -> str:
    """What a rule of receiving is for, as one word."""
    parts = [
        f"{kind}:{id_.hex}" for kind, id_ in (("supplier", supplier_id), ("item", item_id)) if id_ is not None
    ]
    return " ".join(parts) or COMPANY


def tolerance_of(tolerances: Mapping[str, int], supplier_id: UUID, item_id: UUID) -> int:
    """How much more than ordered may come, in hundredths of a percent; nothing where nothing is set."""
    return next((tolerances[scope] for scope in scopes(supplier_id, item_id) if scope in tolerances), 0)


def still_tolerated(line: Line, ordered: int, over: int) -> int:
    """How many units beyond what stands in the line may still come. `ordered` is what was asked for at first."""
    return max(ordered + ordered * over // 10_000 - line.quantity, 0)


def variance_key(line: Line) -> CaseKey:
    """What makes the case of a line's held goods the same one."""
    return VARIANCE, str(line.id)


def variance_case(order: PurchaseOrder, line: Line, occurred_at: datetime) -> CaseDraft | None:
    """The case of a line with goods that are beyond the order or in doubt; None where none are.

    It is worth what they would cost. What waits for inspection is work, and no case.
    """
    units = line.beyond_quantity + line.quarantined_quantity
    if not units:
        return None
    worth = units * line.unit_price
    told = "more than ordered are held" if line.beyond_quantity else "in doubt are held"
    return CaseDraft(
        kind=VARIANCE,
        subject_key=str(line.id),
        title=f"{order.number} line {line.line_no}: {units} units {told}",
        subjects=tuple(_subjects(order, line)),
        probability=1.0,
        deadline=occurred_at + timedelta(days=DAYS_TO_DECIDE),
        expected_loss=0,
        residual_loss=0,
        action_cost=0,
        evidence=(
            fact("ordered", line.quantity, "units"),
            fact("accepted", line.accepted_quantity, "units"),
            fact("held", units, "units"),
            fact("held, at the order's price", money_text(worth), CURRENCY),
        ),
        action=by_hand("accept, return or correct what is held"),
    )


def _subjects(order: PurchaseOrder, line: Line) -> Iterator[tuple[str, UUID]]:
    yield "po_line", line.id
    yield "purchase_order", order.id
    yield "supplier", order.supplier_id
    yield "item", line.item_id
