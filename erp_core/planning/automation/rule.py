"""What the stored rules recommend to buy now: reorder points against stock, at the preferred supplier's terms.

The same facts always give the same lines; nothing here asks a model or reads free text.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from sqlalchemy import Connection, and_, or_, select

from erp_core.gate.autonomy.model import automation_uses
from erp_core.gate.model import proposal_states, proposals
from erp_core.master.queries import (
    SupplierItem,
    list_items,
    list_locations,
    list_supplier_items,
    list_suppliers,
)
from erp_core.master.rules.prices import price_at
from erp_core.planning.queries import list_reorder_points
from erp_core.procurement.model import po_lines, purchase_orders
from erp_core.procurement.ordering.thresholds import NextBreak, next_break
from erp_core.procurement.queries import Pair, positions
from erp_core.procurement.rules import ReorderTarget, Terms, recommend_quantity

REASON = "at or below the reorder point: ordered up to the stored level"
QUIET = timedelta(days=7)
"""For so long nothing is recommended again that a person turned down."""


@dataclass(frozen=True, slots=True)
class RuleLine:
    """An item to order for a location from its preferred supplier, where its inventory position stands. `unit_price` per base unit, in the supplier's currency."""

    item_id: UUID
    location_id: UUID
    supplier_id: UUID
    category: str
    quantity: int
    unit_price: int
    position: int
    as_of: date
    next_break: NextBreak | None = None

    @property
    def pair(self) -> Pair:
        """Item and location."""
        return (self.item_id, self.location_id)

    @property
    def amount(self) -> int:
        """What it costs, in the supplier's currency."""
        return self.quantity * self.unit_price

    @property
    def rule(self) -> str:
        """The stored rule it follows from."""
        return f"reorder points of {self.as_of.isoformat()}"


def rule_lines(
    connection: Connection, today: date, *, item_ids: Collection[UUID] | None = None
) -> list[RuleLine]:
    """One line for each item-location at or below its reorder point, of these items where given.

    Only for places that suppliers deliver to, and items that an active supplier sells.
    """
    places = _delivered_to(connection)
    points = [one for one in list_reorder_points(connection, item_ids=item_ids) if one.location_id in places]
    if not points:
        return []
    wanted = {one.item_id for one in points}
    stock = positions(connection, ((one.item_id, one.location_id) for one in points))
    offers = _preferred(connection, wanted, today)
    categories = {
        one.id: one.category for one in list_items(connection, ids=wanted) if one.status == "active"
    }
    lines = []
    for point in points:
        offer = offers.get(point.item_id)
        if offer is None or point.item_id not in categories:
            continue
        terms = Terms(offer.minimum_quantity, offer.order_multiple)
        advice = recommend_quantity(
            ReorderTarget(point.reorder_point, point.order_up_to),
            stock[point.item_id, point.location_id],
            terms,
        )
        if advice.quantity:
            lines.append(
                RuleLine(
                    point.item_id,
                    point.location_id,
                    offer.supplier_id,
                    categories[point.item_id],
                    advice.quantity,
                    price_at(offer.price, offer.breaks, advice.quantity),
                    stock[point.item_id, point.location_id].units,
                    point.as_of,
                    next_break(offer.price, offer.breaks, advice.quantity, terms),
                )
            )
    return lines


def waiting_pairs(connection: Connection, today: date) -> set[Pair]:
    """Item-locations for which an order waits for people already, or was turned down within the last days.

    Turned down is a proposal that a person rejected, and an order of automation's own that a person cancelled.
    """
    bought = select(automation_uses.c.document_id).where(automation_uses.c.day >= today - QUIET)
    submitted = (
        select(po_lines.c.item_id, purchase_orders.c.location_id)
        .join(purchase_orders, purchase_orders.c.id == po_lines.c.po_id)
        .where(
            or_(
                purchase_orders.c.status == "submitted",
                and_(purchase_orders.c.status == "cancelled", purchase_orders.c.id.in_(bought)),
            )
        )
    )
    found = {(item_id, location_id) for item_id, location_id in connection.execute(submitted)}
    pending = (
        select(proposals.c.payload)
        .join(proposal_states, proposal_states.c.proposal_id == proposals.c.id)
        .where(
            or_(
                proposal_states.c.status == "pending",
                and_(
                    proposal_states.c.status == "rejected",
                    proposal_states.c.changed_at >= datetime.combine(today - QUIET, time(), UTC),
                ),
            )
        )
    )
    for (plan,) in connection.execute(pending):
        found.update(_ordered_pairs(plan))
    return found


def _ordered_pairs(plan: Iterable[dict[str, object]]) -> Iterable[Pair]:
    for step in plan:
        if step["command"] != "CreatePurchaseOrder":
            continue
        payload = step["payload"]
        assert isinstance(payload, dict)
        for line in payload["lines"]:
            yield UUID(line["item_id"]), UUID(payload["location_id"])


def _delivered_to(connection: Connection) -> set[UUID]:
    places = list_locations(connection)
    return {one.id for one in places if one.kind in ("warehouse", "third_party")} or {
        one.id for one in places
    }


def _preferred(connection: Connection, item_ids: Collection[UUID], today: date) -> dict[UUID, SupplierItem]:
    active = {one.id for one in list_suppliers(connection, status="active")}
    offers: dict[UUID, SupplierItem] = {}
    for offer in list_supplier_items(connection, on=today, item_ids=item_ids):
        if offer.supplier_id in active:
            offers.setdefault(offer.item_id, offer)
    return offers
