"""Submission: what approval policy is told, what a proposal rests on, and what a yes does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Self
from uuid import UUID

from sqlalchemy import Connection, bindparam, select

from erp_core.gate.contract import Command, DomainError, Done, Facts, NotFound, Task, Transaction
from erp_core.gate.statuses import require_step
from erp_core.master.queries import Names, Supplier, list_items, list_supplier_items, list_suppliers
from erp_core.procurement.commands.drafting import SupplierTerms, require_active
from erp_core.procurement.commands.following import attempt, happened
from erp_core.procurement.commands.purchase_orders import CreatePurchaseOrder, SubmitPurchaseOrder
from erp_core.procurement.errors import HeldByProposal
from erp_core.procurement.model import po_lines, purchase_orders
from erp_core.procurement.purchase_orders import PurchaseOrder, PurchaseOrders
from erp_core.procurement.queries import Pair, ever_ordered_from, positions
from erp_core.procurement.rules import (
    PURCHASE_ORDER_STEPS,
    Position,
    ReorderTarget,
    Terms,
    percent_of,
    recommend_quantity,
)
from erp_core.storage.types import canonical_json

_HEADER = select(
    purchase_orders.c.number,
    purchase_orders.c.status,
    purchase_orders.c.supplier_id,
    purchase_orders.c.location_id,
    purchase_orders.c.total,
).where(purchase_orders.c.id == bindparam("po_id"))
_LINES = (
    select(po_lines.c.item_id, po_lines.c.quantity, po_lines.c.unit_price)
    .where(po_lines.c.po_id == bindparam("po_id"))
    .order_by(po_lines.c.line_no)
)

TargetsOf = Callable[[Connection, Iterable[Pair]], Mapping[Pair, ReorderTarget]]


def no_targets(connection: Connection, pairs: Iterable[Pair]) -> Mapping[Pair, ReorderTarget]:
    """For a company without planning: no recommendation is known."""
    return {}


@dataclass(frozen=True, slots=True)
class Purchase:
    """What a submission asks for, from the draft that is there or from the plan's own draft."""

    number: str | None
    supplier_id: UUID
    location_id: UUID
    total: int
    lines: tuple[tuple[UUID, int, int], ...]
    """(item_id, quantity, unit price)"""

    @classmethod
    def of(cls, command: SubmitPurchaseOrder, preceding: Sequence[Command], connection: Connection) -> Self:
        """Find it. Raises `NotFound`, or `IllegalTransition` where it cannot become approved."""
        for earlier in preceding:
            if isinstance(earlier, CreatePurchaseOrder) and earlier.po_id == command.po_id:
                return cls._planned(earlier, connection)
        row = connection.execute(_HEADER, {"po_id": command.po_id}).one_or_none()
        if row is None:
            raise NotFound("there is no such purchase order", field="po_id", remedy="create the draft first")
        number, status, supplier_id, location_id, total = row
        require_step(PURCHASE_ORDER_STEPS, status, "approved", f"purchase order {number}")
        lines = tuple(map(tuple, connection.execute(_LINES, {"po_id": command.po_id})))
        return cls(number, supplier_id, location_id, total, lines)

    @classmethod
    def _planned(cls, draft: CreatePurchaseOrder, connection: Connection) -> Self:
        terms = SupplierTerms.read(connection, [draft])
        require_active(terms.suppliers.get(draft.supplier_id))
        missing = [line.item_id for line in draft.lines if line.item_id not in terms.items]
        if missing:
            raise NotFound("there is no such item", field="lines.item_id", remedy="look it up by its SKU")
        lines = tuple(
            (line.item_id, line.quantity, terms.price(draft.supplier_id, line)) for line in draft.lines
        )
        total = (
            sum(quantity * price for _, quantity, price in lines) + draft.freight_cost + draft.expedite_cost
        )
        return cls(None, draft.supplier_id, draft.location_id, total, lines)

    @property
    def item_ids(self) -> list[UUID]:
        """The items, each once."""
        return list(dict.fromkeys(item_id for item_id, _, _ in self.lines))

    @property
    def quantities(self) -> dict[Pair, int]:
        """Units by (item, location): lines of the same item together."""
        sums: dict[Pair, int] = {}
        for item_id, quantity, _ in self.lines:
            pair = (item_id, self.location_id)
            sums[pair] = sums.get(pair, 0) + quantity
        return sums


class Submission:
    """Facts, read-set and handler of `SubmitPurchaseOrder`; `targets` are planning's stored reorder targets."""

    def __init__(self, targets: TargetsOf) -> None:
        self._targets = targets

    def facts(
        self, command: SubmitPurchaseOrder, preceding: Sequence[Command], connection: Connection
    ) -> Facts:
        """Amount, categories, supplier risk and newness, and the quantity in percent of the recommendation.

        `quantity_vs_recommendation` is the largest over the items; None where none has a recommendation.
        """
        purchase = Purchase.of(command, preceding, connection)
        supplier = _supplier(purchase, connection)
        new = not ever_ordered_from(connection, supplier.id)
        return {
            "amount": purchase.total,
            "category": sorted({item.category for item in list_items(connection, ids=purchase.item_ids)}),
            "supplier_risk": supplier.risk_class,
            "supplier_new": new,
            "below_minimum_order": purchase.total < supplier.minimum_order,
            "quantity_vs_recommendation": self._quantity_vs_recommendation(purchase, connection),
            "excluded_approvers": [str(supplier.created_by)] if new else [],
        }

    def _quantity_vs_recommendation(self, purchase: Purchase, connection: Connection) -> int | None:
        quantities = purchase.quantities
        targets = self._targets(connection, quantities)
        if not targets:
            return None
        stands = positions(connection, targets)
        records = {
            record.item_id: Terms(record.minimum_quantity, record.order_multiple)
            for record in list_supplier_items(
                connection, item_ids=purchase.item_ids, supplier_ids=[purchase.supplier_id]
            )
        }
        return max(
            percent_of(
                quantities[pair],
                recommend_quantity(target, stands[pair], records.get(pair[0], Terms())).quantity,
            )
            for pair, target in targets.items()
        )

    def read_set(
        self, command: SubmitPurchaseOrder, preceding: Sequence[Command], connection: Connection
    ) -> list[dict[str, Any]]:
        """Prices in force, the supplier's status, the draft's content, and what each item can count on."""
        purchase = Purchase.of(command, preceding, connection)
        supplier = _supplier(purchase, connection)
        names = Names.read(connection, items=purchase.item_ids, locations=[purchase.location_id])
        records = list_supplier_items(connection, item_ids=purchase.item_ids, supplier_ids=[supplier.id])
        entries: list[dict[str, Any]] = [_entry(f"status of supplier {supplier.code}", supplier.status)]
        if purchase.number is not None:
            entries.append(_entry(f"content of purchase order {purchase.number}", _digest(purchase)))
        for record in records:
            fact = f"price of {names.code(record.item_id)} from {supplier.code}"
            entries.append(_entry(fact, record.price, record.price * PRICE_TOLERANCE_PERCENT // 100))
        quantities = purchase.quantities
        for pair, position in positions(connection, quantities).items():
            fact = f"available and on order of {names.code(pair[0])} at {names.code(pair[1])}"
            entries.append(_entry(fact, _supply(position), max(quantities[pair] // 2, 1)))
        return entries


PRICE_TOLERANCE_PERCENT = 2


def submit_purchase_orders(
    tasks: Sequence[Task[SubmitPurchaseOrder]], tx: Transaction
) -> Sequence[Done | DomainError]:
    """Approve: the gate runs this only where policy needs nobody, or with the last approval."""
    orders = PurchaseOrders.of(tx)
    orders.load(task.command.po_id for task in tasks)
    found = (orders.find(task.command.po_id) for task in tasks)
    ids = {order.supplier_id for order in found if order is not None}
    suppliers = {supplier.id: supplier for supplier in list_suppliers(tx.connection, ids=ids)}

    def approve(order: PurchaseOrder, task: Task[Any]) -> Done:
        require_active(suppliers.get(order.supplier_id))
        if order.status == "submitted" and order.proposal_id != task.proposal_id:
            raise HeldByProposal(
                f"a pending proposal holds purchase order {order.number}",
                remedy="decide or withdraw that proposal",
                proposal_id=order.proposal_id,
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


def _supplier(purchase: Purchase, connection: Connection) -> Supplier:
    found = list_suppliers(connection, ids=[purchase.supplier_id])
    return require_active(found[0] if found else None)


def _supply(position: Position) -> int:
    return position.available + position.on_order


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
