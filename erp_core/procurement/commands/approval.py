"""Submission: what approval policy is told, what a proposal rests on, and what a yes does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from erp_core.exceptions.queries import stockout_losses
from erp_core.gate.contract import Asked, DomainError, Done, Facts, ReadSet, Task, Transaction
from erp_core.gate.statuses import require_step
from erp_core.master.commands.records import Today, day_of
from erp_core.master.queries import (
    Names,
    Supplier,
    SupplierItem,
    list_items,
    list_supplier_items,
    list_suppliers,
)
from erp_core.master.queries.classes import classes_of
from erp_core.master.queries.prices import supplier_items_by_day
from erp_core.master.queries.quality import scores_of
from erp_core.master.rules import relative_change
from erp_core.master.rules.prices import price_at
from erp_core.procurement.commands.buyable import require_active
from erp_core.procurement.commands.drafting import Suppliers
from erp_core.procurement.commands.following import attempt, happened, suppliers_of
from erp_core.procurement.commands.money import CompanyMoney
from erp_core.procurement.commands.purchase import Purchase, planned_draft
from erp_core.procurement.commands.purchase_orders import SubmitPurchaseOrder
from erp_core.procurement.contracts.book import ContractBook, drawn
from erp_core.procurement.errors import HeldByProposal
from erp_core.procurement.events import PurchaseApproving
from erp_core.procurement.ordering.in_units import unit_facts
from erp_core.procurement.ordering.purchase_orders import PurchaseOrder, PurchaseOrders
from erp_core.procurement.queries import Pair, ever_ordered_from, positions
from erp_core.procurement.rules import (
    PURCHASE_ORDER_STEPS,
    ReorderTarget,
    Terms,
    percent_of,
    recommend_quantity,
)
from erp_core.storage.types import canonical_json

Offers = dict[tuple[UUID, UUID], SupplierItem]
TargetsOf = Callable[[Connection, Iterable[Pair]], Mapping[Pair, ReorderTarget]]


def no_targets(connection: Connection, pairs: Iterable[Pair]) -> Mapping[Pair, ReorderTarget]:
    """For a company without planning: no recommendation is known."""
    return {}


class Submission:
    """What approval policy is told of a `SubmitPurchaseOrder`; `targets` are planning's stored reorder targets,
    `today` gives the business date.
    """

    def __init__(self, targets: TargetsOf, today: Today) -> None:
        self._targets, self._today = targets, today

    def facts(
        self, asked: Sequence[Asked[SubmitPurchaseOrder]], connection: Connection
    ) -> Sequence[Facts | DomainError]:
        """Amount, categories, supplier risk and newness, budget left, stock risk, quantity in percent of the recommendation.

        Amounts are in company currency; without a rate there is none, and no policy holds. `cumulative_amount` adds what was
        bought from the supplier in the last days without asking anybody, and the orders before it in the batch,
        so that parts of an order count as the whole. `stock_risk` is what open cases expect to lose where the ordered items run
        out at the place; 0 without any. `quantity_vs_recommendation` is the largest over the items;
        None where none has a recommendation. `price_change` is the furthest that a line is off the price in force,
        in 1/100 %; None where none is in force. `quality` is the lowest score among the supplier and the items.
        """
        read = Purchase.read(asked, connection, self._today)
        purchases = [one for one in read if isinstance(one, Purchase)]
        suppliers = _suppliers(purchases, connection)
        known = ever_ordered_from(connection, suppliers)
        item_ids = {item_id for one in purchases for item_id in one.item_ids}
        categories = {item.id: item.category for item in list_items(connection, ids=item_ids)}
        classes = classes_of(connection, item_ids)
        losses = stockout_losses(connection, item_ids)
        places = Names.read(connection, locations={one.location_id for one in purchases})
        offers = self._offers(asked, read, connection)
        recommended = self._recommended(purchases, offers, connection)
        scores = scores_of(
            connection, [("item", id_) for id_ in item_ids] + [("supplier", id_) for id_ in suppliers]
        )
        money = CompanyMoney.read(asked, read, suppliers, categories, connection)
        found: list[Facts | DomainError] = []
        for one, wanted in zip(read, asked, strict=True):
            try:
                if isinstance(one, DomainError):
                    raise one
                supplier = require_active(suppliers.get(one.supplier_id))
            except DomainError as error:
                found.append(error)
                continue
            new = supplier.id not in known
            found.append(
                {
                    **money.facts(one, supplier, wanted.occurred_at),
                    "category": sorted({categories[item_id] for item_id in one.item_ids}),
                    "inventory_class": sorted({name for id_ in one.item_ids for name in classes[id_]}),
                    "warehouse": [places.code(one.location_id)],
                    "supplier": supplier.code,
                    "supplier_group": supplier.segment,
                    "supplier_risk": supplier.risk_class,
                    "supplier_new": new,
                    "stock_risk": sum(losses.get(pair, 0) for pair in one.quantities),
                    "below_minimum_order": one.total < supplier.minimum_order,
                    "quantity_vs_recommendation": _largest_share(one, recommended),
                    "price_change": _furthest_off(one, offers),
                    "quality": min(
                        (
                            scores[key]
                            for key in (("supplier", supplier.id), *(("item", id_) for id_ in one.item_ids))
                            if key in scores
                        ),
                        default=None,
                    ),
                    "approver_duties": [("supplier", str(supplier.id), "first_order_approver")]
                    if new
                    else [],
                }
            )
        return found

    def _offers(
        self,
        asked: Sequence[Asked[SubmitPurchaseOrder]],
        read: Sequence[Purchase | DomainError],
        connection: Connection,
    ) -> Offers:
        """What the suppliers ask for the items on the day of asking, the latest where there are several."""
        found = supplier_items_by_day(
            connection,
            (
                (one.supplier_id, item_id, day_of(wanted, self._today))
                for one, wanted in zip(read, asked, strict=True)
                if isinstance(one, Purchase)
                for item_id in one.item_ids
            ),
        )
        return {key[:2]: found[key] for key in sorted(found, key=lambda key: key[2])}

    def _recommended(
        self, purchases: Sequence[Purchase], offers: Offers, connection: Connection
    ) -> dict[tuple[UUID, Pair], int]:
        """Recommended units by supplier and (item, location), where there is a reorder target."""
        targets = self._targets(connection, {pair for one in purchases for pair in one.quantities})
        stands = positions(connection, targets)
        records = {
            pair: Terms(offer.minimum_quantity, offer.order_multiple) for pair, offer in offers.items()
        }
        return {
            (one.supplier_id, pair): recommend_quantity(
                targets[pair], stands[pair], records.get((one.supplier_id, pair[0]), Terms())
            ).quantity
            for one in purchases
            for pair in one.quantities
            if pair in targets
        }


PRICE_TOLERANCE_PERCENT = 2


def submission_read_sets(
    asked: Sequence[Asked[SubmitPurchaseOrder]], connection: Connection, today: Today
) -> Sequence[ReadSet | DomainError]:
    """Prices in force, the supplier's status, the draft's content, what each item can count on, and the size of units."""
    read = Purchase.read(asked, connection, today)
    purchases = [one for one in read if isinstance(one, Purchase)]
    suppliers = _suppliers(purchases, connection)
    items = {item_id for one in purchases for item_id in one.item_ids}
    names = Names.read(connection, items=items, locations={one.location_id for one in purchases})
    offers: dict[tuple[UUID, UUID], SupplierItem] = {
        (offer.supplier_id, offer.item_id): offer
        for offer in list_supplier_items(connection, on=today(), item_ids=items, supplier_ids=suppliers)
    }
    stands = positions(connection, {pair for one in purchases for pair in one.quantities})
    sizes = unit_facts(connection, [planned_draft(wanted) or wanted.command for wanted in asked])
    found: list[ReadSet | DomainError] = []
    for one, of_units in zip(read, sizes, strict=True):
        if isinstance(one, DomainError):
            found.append(one)
            continue
        supplier = suppliers[one.supplier_id]
        entries = [*of_units, _entry(f"status of supplier {supplier.code}", supplier.status)]
        if one.number is not None:
            entries.append(_entry(f"content of purchase order {one.number}", _digest(one)))
        for item_id in one.item_ids:
            offer = offers.get((supplier.id, item_id))
            if offer is not None:
                fact = f"price of {names.code(item_id)} from {supplier.code}"
                price = _price_of(item_id, one, offer)
                entries.append(_entry(fact, price, price * PRICE_TOLERANCE_PERCENT // 100))
        for pair, quantity in one.quantities.items():
            fact = f"available, in transit and on order of {names.code(pair[0])} at {names.code(pair[1])}"
            entries.append(_entry(fact, stands[pair].supply, max(quantity // 2, 1)))
        found.append(entries)
    return found


def submit_purchase_orders(
    tasks: Sequence[Task[SubmitPurchaseOrder]], tx: Transaction
) -> Sequence[Done | DomainError]:
    """Approve: the gate runs this only where policy needs nobody, or with the last approval."""
    orders = PurchaseOrders.of(tx)
    orders.load(task.command.po_id for task in tasks)
    suppliers = Suppliers.read(tx.connection, suppliers_of(orders, tasks))
    contracts = ContractBook.of(tx)
    found = [orders.find(task.command.po_id) for task in tasks]
    contracts.load(line for order in found if order is not None for line in order.lines.values())

    def approve(order: PurchaseOrder, task: Task[Any]) -> Done:
        suppliers.require_active(order.supplier_id, task.occurred_on)
        if order.status == "submitted" and order.proposal_id != task.proposal_id:
            raise HeldByProposal(
                f"a pending proposal holds purchase order {order.number}",
                remedy="decide or withdraw that proposal",
                proposal_id=order.proposal_id,
            )
        require_step(PURCHASE_ORDER_STEPS, order.status, "approved", f"purchase order {order.number}")
        contracts.take(((line, drawn(line)) for line in order.lines.values()), task.occurred_on)
        tx.publish(
            PurchaseApproving(order, task.principal, task.proposal_id, task.occurred_at, task.audit_id)
        )
        before = order.status
        order.step_to("approved")
        order.submitted_at = order.submitted_at or task.occurred_at
        order.approved_at = task.approved_at or task.occurred_at
        order.proposal_id = task.proposal_id
        return happened("PurchaseOrderApproved", order, before, total=order.total)

    return [attempt(approve, orders, task, lines_change=False) for task in tasks]


def show_held(command: SubmitPurchaseOrder, proposal_id: UUID, tx: Transaction) -> None:
    """While its proposal is pending the draft reads submitted. A plan's own draft is not there yet."""
    orders = PurchaseOrders.of(tx)
    orders.load([command.po_id])
    order = orders.find(command.po_id)
    if order is None:
        return
    order.step_to("submitted")
    order.submitted_at = command.occurred_at or tx.business_now
    order.proposal_id = proposal_id
    orders.changed(order)


def show_released(command: SubmitPurchaseOrder, proposal_id: UUID, tx: Transaction) -> None:
    """The proposal ended without execution: a draft again."""
    orders = PurchaseOrders.of(tx)
    orders.load([command.po_id])
    order = orders.find(command.po_id)
    if order is None or order.proposal_id != proposal_id or order.status != "submitted":
        return
    order.step_to("draft")
    order.submitted_at = order.proposal_id = None
    orders.changed(order)


def _suppliers(purchases: Iterable[Purchase], connection: Connection) -> dict[UUID, Supplier]:
    found = list_suppliers(connection, ids={one.supplier_id for one in purchases})
    return {supplier.id: supplier for supplier in found}


def _largest_share(purchase: Purchase, recommended: Mapping[tuple[UUID, Pair], int]) -> int | None:
    shares = (
        percent_of(quantity, recommended[purchase.supplier_id, pair])
        for pair, quantity in purchase.quantities.items()
        if (purchase.supplier_id, pair) in recommended
    )
    return max(shares, default=None)


def _furthest_off(purchase: Purchase, offers: Offers) -> int | None:
    changes = (
        relative_change(price_at(offer.price, offer.breaks, quantity), price)
        for place, (item_id, quantity, price) in enumerate(purchase.lines)
        if place not in purchase.contracted
        and (offer := offers.get((purchase.supplier_id, item_id))) is not None
    )
    return max((abs(change) for change in changes if change is not None), default=None)


def _price_of(item_id: UUID, purchase: Purchase, offer: SupplierItem) -> int:
    """What the supplier asks for a unit at the quantities of the purchase; on average, rounded up, where they differ."""
    quantities = [quantity for one, quantity, _ in purchase.lines if one == item_id]
    asked = sum(quantity * price_at(offer.price, offer.breaks, quantity) for quantity in quantities)
    return -(-asked // sum(quantities))


def _digest(purchase: Purchase) -> str:
    content = [
        purchase.supplier_id,
        purchase.location_id,
        purchase.total,
        [list(line) for line in purchase.lines],
    ]
    return sha256(canonical_json(content).encode()).hexdigest()


def _entry(fact: str, value: Any, tolerance: int = 0) -> dict[str, Any]:
    return {"fact": fact, "value": value, "tolerance": tolerance}
