"""The last look before automation buys by itself: level, switch, rule, records and caps, in the executing transaction.

It runs where no person was asked. Whoever uses automation's caps holds one lock until the transaction ends, so that two
processes at once cannot pass a cap that one of them would keep, and nothing is bought after the switch was pulled.
"""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import Connection

from erp_core.finance.queries import rates_on
from erp_core.finance.rules import converted
from erp_core.gate.autonomy.model import automation_uses
from erp_core.gate.autonomy.permit import is_automation, permit
from erp_core.gate.autonomy.rules import AutonomyTooLow, CapExceeded, NotRuleMade, check_caps
from erp_core.gate.autonomy.state import current_limits, lock_automation, used_on
from erp_core.gate.contract import DomainError, Transaction
from erp_core.master.queries import Names, Supplier, list_items, list_locations, list_suppliers
from erp_core.master.queries.quality import Key, quality_threshold, scores_of
from erp_core.planning.automation.rule import REASON, RuleLine, rule_lines
from erp_core.procurement.events import PurchaseApproving
from erp_core.procurement.ordering.purchase_orders import PurchaseOrder
from erp_core.procurement.queries import ever_ordered_from
from erp_core.storage.bulk import insert_rows
from erp_core.storage.ids import short_number


class SupplierNotForAutomation(DomainError):
    """Automation does not buy from suppliers that are new or at risk."""

    code = "supplier_not_for_automation"


class QualityTooLow(DomainError):
    """A record that the order rests on is too poor, or has no score at all."""

    code = "quality_too_low"


def guard_automation(event: PurchaseApproving, tx: Transaction) -> None:
    """Pass what is not automation's own buying; else count the order into the day's caps, or raise which limit holds it."""
    if not is_automation(event.principal) or event.proposal_id is not None:
        return
    lock_automation(tx.connection)
    tx.flush()
    order, connection = event.order, tx.connection
    (supplier,) = list_suppliers(connection, ids=[order.supplier_id])
    _check_level(event, supplier, connection)
    lines = _check_rule(event, tx)
    _check_records(supplier, lines, connection)
    amounts = _amounts(order, supplier, lines, tx)
    check_caps(current_limits(connection), used_on(connection, tx.today), amounts)
    rule = max(lines.values(), key=lambda line: line.as_of).rule
    insert_rows(
        connection,
        automation_uses,
        [
            {
                "document_id": order.id,
                "category": category,
                "day": tx.today,
                "amount": amount,
                "rule": rule,
                "audit_id": event.audit_id,
            }
            for category, amount in sorted(amounts.items())
        ],
    )


def _check_level(event: PurchaseApproving, supplier: Supplier, connection: Connection) -> None:
    items = list_items(connection, ids={line.item_id for line in event.order.lines.values()})
    places = {place.id: place.code for place in list_locations(connection)}
    facts = {
        "category": sorted({item.category for item in items}),
        "supplier": supplier.code,
        "supplier_group": supplier.segment,
        "warehouse": places.get(event.order.location_id),
    }
    applied = permit(facts, (), event.principal, connection)
    if applied is not None and applied.level != "act":
        raise AutonomyTooLow(
            f"automation may propose this, not do it: {applied.why}",
            remedy="let a person approve it, or raise the scope's level",
            scope=list(applied.scope),
            level=applied.level,
        )


def _check_rule(event: PurchaseApproving, tx: Transaction) -> dict[UUID, RuleLine]:
    """The rule's own lines for the items of the order, when the order asks for nothing beyond them."""
    order = event.order
    plain = (
        order.buyer_id == event.principal.user_id
        and order.reason == REASON
        and order.number == short_number("PO", order.id)
        and order.freight_cost == order.expedite_cost == 0
        and all(line.need_by is None for line in order.lines.values())
    )
    if not plain:
        raise NotRuleMade(
            f"purchase order {order.number} carries something beyond ids and quantities",
            field="po_id",
            remedy="let a person submit it",
        )
    wanted: dict[UUID, int] = {}
    for line in order.lines.values():
        wanted[line.item_id] = wanted.get(line.item_id, 0) + line.quantity
    own = {
        line.item_id: line
        for line in rule_lines(tx.connection, tx.today, item_ids=wanted)
        if line.location_id == order.location_id and line.supplier_id == order.supplier_id
    }
    names = Names.read(tx.connection, items=wanted)
    for item_id, quantity in wanted.items():
        recommended = own[item_id].quantity if item_id in own else 0
        if quantity > recommended:
            raise NotRuleMade(
                f"{quantity} of {names.code(item_id)} are more than the {recommended} that its rule recommends now",
                field="lines.quantity",
                remedy="let the rule make the order anew, or let a person ask for it",
                item=names.code(item_id),
                quantity=quantity,
                recommended=recommended,
            )
    for line in order.lines.values():
        if line.unit_price != line.reference_price:
            raise NotRuleMade(
                f"the price of {names.code(line.item_id)} is not the one in force",
                field="lines.unit_price",
                remedy="leave the price out",
                item=names.code(line.item_id),
            )
    return own


def _check_records(supplier: Supplier, lines: Mapping[UUID, RuleLine], connection: Connection) -> None:
    new = not ever_ordered_from(connection, [supplier.id])
    if new or supplier.risk_class == "high":
        raise SupplierNotForAutomation(
            f"supplier {supplier.code} is {'new' if new else 'at high risk'}",
            field="supplier_id",
            remedy="let a person order from it",
            supplier=supplier.code,
        )
    records: list[Key] = [("supplier", supplier.id), *(("item", item_id) for item_id in lines)]
    scores, least = scores_of(connection, records), quality_threshold(connection)
    names = Names.read(connection, items=lines, suppliers=[supplier.id])
    for key in records:
        score = scores.get(key)
        if score is None or score < least:
            known = "no data-quality score" if score is None else f"a data quality of {score} of 100"
            raise QualityTooLow(
                f"{names.code(key[1])} has {known}; automation needs {least}",
                remedy="complete the record, or let a person order it",
                record=names.code(key[1]),
                score=score,
                needed=least,
            )


def _amounts(
    order: PurchaseOrder, supplier: Supplier, lines: Mapping[UUID, RuleLine], tx: Transaction
) -> dict[str, int]:
    """What the order costs by category, in company currency. Raises `CapExceeded` where there is no rate to know it by."""
    rate = rates_on(tx.connection, [supplier.currency], tx.today).get(supplier.currency)
    if rate is None:
        raise CapExceeded(
            f"there is no exchange rate for {supplier.currency}: no cap can be kept",
            remedy="set the exchange rate, or let a person order it",
            limit="exchange rate",
            currency=supplier.currency,
        )
    costs: dict[str, int] = {}
    for line in order.lines.values():
        category = lines[line.item_id].category
        costs[category] = costs.get(category, 0) + line.quantity * line.unit_price
    return {category: converted(cost, rate) for category, cost in costs.items()}
