"""What approval policy is told of a change to an order, and what a proposal of one rests on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from uuid import UUID

from sqlalchemy import Connection

from erp_core.finance.queries import rates_on
from erp_core.finance.rules import converted
from erp_core.gate.contract import Asked, DomainError, Facts, NotFound, ReadSet
from erp_core.gate.policies.unasked import Unasked, unasked_since
from erp_core.master.commands.records import Today, day_of
from erp_core.master.queries import list_suppliers
from erp_core.master.rules import relative_change
from erp_core.procurement.commands.change_plan import ChangePlan, added_terms, planned_change
from erp_core.procurement.commands.changing import agreed_totals
from erp_core.procurement.commands.purchase_orders import ChangePurchaseOrder
from erp_core.procurement.ordering.in_units import in_base_units, refuse_sized, unit_facts
from erp_core.procurement.ordering.purchase_orders import PurchaseOrder, read_orders
from erp_core.procurement.queries import unasked_purchases
from erp_core.storage.locks import lock_names


def change_facts(
    asked: Sequence[Asked[ChangePurchaseOrder]], connection: Connection, today: Today
) -> Sequence[Facts | DomainError]:
    """`amount` is what the change adds to the order; `cumulative_amount` what it then comes to beyond what people said
    yes to, with what was bought from the supplier unasked in the last days. `price_change` is the furthest that a
    line's price moves, or that of an added line is off the price in force, in 1/100 %. Amounts are in company currency; without a rate there is none, and no policy holds.
    """
    orders = read_orders(connection, (one.command.po_id for one in asked))
    supplier_ids = {order.supplier_id for order in orders.values()}
    suppliers = {one.id: one for one in list_suppliers(connection, ids=supplier_ids)}
    moments = [one.occurred_at for one in asked if one.occurred_at is not None]
    rates = (
        rates_on(connection, {one.currency for one in suppliers.values()}, max(moments).date())
        if moments and suppliers
        else {}
    )
    lock_names(connection, [f"purchases from {id_}" for id_ in supplier_ids])
    agreed = agreed_totals(connection, list(orders.values()))
    own = {order.id for order in orders.values()}
    unasked = Unasked()
    if moments:
        for row in unasked_purchases(connection, supplier_ids, unasked_since(moments)):
            if row.id not in own and row.currency in rates:
                unasked.add(row.supplier_id, row.approved_at, converted(row.total, rates[row.currency]))
    days = [day_of(one, today) for one in asked]
    counted = in_base_units(connection, [one.command for one in asked])
    known = [
        (orders[one.po_id], one, day)
        for one, day in zip(counted, days, strict=True)
        if not isinstance(one, DomainError) and one.po_id in orders
    ]
    terms = added_terms(connection, known)
    found: list[Facts | DomainError] = []
    for one, command, day in zip(asked, counted, days, strict=True):
        try:
            if isinstance(command, DomainError):
                raise command
            refuse_sized(one.command, one.preceding)
            order = _known(orders, command.po_id)
            change = planned_change(order, command, terms, day)
        except DomainError as error:
            found.append(error)
            continue
        supplier = suppliers[order.supplier_id]
        facts: dict[str, object] = {
            "supplier": supplier.code,
            "supplier_group": supplier.segment,
            "supplier_risk": supplier.risk_class,
            "price_change": max(_price_moves(change), default=None),
        }
        rate = rates.get(order.currency)
        if rate is not None and one.occurred_at is not None:
            beyond = max(change.total - agreed[order.id], 0)
            added = max(change.total - order.total, 0)
            facts["amount"] = converted(added, rate)
            facts["cumulative_amount"] = (
                unasked.with_earlier(supplier.id, one.occurred_at, converted(beyond, rate)) if added else 0
            )
        found.append(facts)
    return found


def _price_moves(change: ChangePlan) -> Iterator[int]:
    """How far each price moves in 1/100 %; unknown where it was nothing."""
    pairs = [
        fields["unit_price"]
        for fields in change.fields.values()
        if "unit_price" in fields and "item_id" not in fields
    ]
    pairs += [(line.reference_price, line.unit_price) for line in change.added]
    for before, after in pairs:
        moved = relative_change(before, after)
        if moved is not None:
            yield abs(moved)


def change_read_sets(
    asked: Sequence[Asked[ChangePurchaseOrder]], connection: Connection
) -> Sequence[ReadSet | DomainError]:
    """The order as it stands: whatever happens to it until the yes makes the proposal stale; and the size of units."""
    orders = read_orders(connection, (one.command.po_id for one in asked))
    sizes = unit_facts(connection, [one.command for one in asked])
    found: list[ReadSet | DomainError] = []
    for one, of_units in zip(asked, sizes, strict=True):
        try:
            order = _known(orders, one.command.po_id)
        except DomainError as error:
            found.append(error)
            continue
        found.append(
            [
                {"fact": f"version of purchase order {order.number}", "value": order.version, "tolerance": 0},
                *of_units,
            ]
        )
    return found


def _known(orders: dict[UUID, PurchaseOrder], po_id: UUID) -> PurchaseOrder:
    if po_id not in orders:
        raise NotFound("there is no such purchase order", field="po_id", remedy="look it up by its number")
    return orders[po_id]
