"""The kinds of record that a figure drills down to: columns, dimensions, and what stays hidden.

Text written outside the company never comes in a record, only a handle to it; personal fields need a right.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement, FromClause, case, func, select

from erp_core.analytics.branches import preferred_suppliers
from erp_core.analytics.facts import visible
from erp_core.analytics.record_kind import RecordKind
from erp_core.analytics.records_of_invoices import SUPPLIER_INVOICE
from erp_core.exceptions.model import case_subjects, cases
from erp_core.gate.model import users
from erp_core.inventory.model import stock_moves
from erp_core.master.model import channels, items, locations, suppliers
from erp_core.orders.model import customers, order_lines, orders
from erp_core.procurement.model import po_lines, purchase_orders, supplier_messages
from erp_core.returns.model import return_lines, returns

_BUYERS = users.alias("buyers")
_PREFERRED = preferred_suppliers().subquery("preferred")
_FROM, _TO = locations.alias("from_locations"), locations.alias("to_locations")
_ITEM = {"item": items.c.sku, "item_name": items.c.name}
_ITEM_DIMENSIONS: dict[str, ColumnElement[Any]] = {
    "category": items.c.category,
    "brand": items.c.brand,
    "abc_class": items.c.abc_class,
}


def _order_source() -> FromClause:
    return orders.join(channels, channels.c.id == orders.c.channel_id).outerjoin(
        customers, customers.c.id == orders.c.customer_id
    )


def _order_line_source() -> FromClause:
    return (
        order_lines.join(orders, orders.c.id == order_lines.c.order_id)
        .join(items, items.c.id == order_lines.c.item_id)
        .join(locations, locations.c.id == order_lines.c.location_id)
        .join(channels, channels.c.id == order_lines.c.channel_id)
        .outerjoin(_PREFERRED, _PREFERRED.c.item_id == items.c.id)
    )


def _po_source() -> FromClause:
    return (
        purchase_orders.join(suppliers, suppliers.c.id == purchase_orders.c.supplier_id)
        .join(locations, locations.c.id == purchase_orders.c.location_id)
        .outerjoin(_BUYERS, _BUYERS.c.id == purchase_orders.c.buyer_id)
    )


def _po_line_source() -> FromClause:
    return (
        po_lines.join(purchase_orders, purchase_orders.c.id == po_lines.c.po_id)
        .join(items, items.c.id == po_lines.c.item_id)
        .join(suppliers, suppliers.c.id == purchase_orders.c.supplier_id)
        .join(locations, locations.c.id == purchase_orders.c.location_id)
        .outerjoin(_BUYERS, _BUYERS.c.id == purchase_orders.c.buyer_id)
    )


def _return_source() -> FromClause:
    return (
        return_lines.join(returns, returns.c.id == return_lines.c.return_id)
        .join(items, items.c.id == return_lines.c.item_id)
        .join(locations, locations.c.id == return_lines.c.location_id)
        .join(channels, channels.c.id == return_lines.c.channel_id)
        .outerjoin(_PREFERRED, _PREFERRED.c.item_id == items.c.id)
    )


def _move_source() -> FromClause:
    return (
        stock_moves.join(items, items.c.id == stock_moves.c.item_id)
        .join(_FROM, _FROM.c.id == stock_moves.c.from_location_id)
        .join(_TO, _TO.c.id == stock_moves.c.to_location_id)
        .outerjoin(_PREFERRED, _PREFERRED.c.item_id == items.c.id)
    )


_SUBJECTS = {"item": "item", "warehouse": "location", "supplier": "supplier"}


def _about(kind: str) -> Callable[[tuple[Any, ...]], ColumnElement[bool]]:
    """Cases that speak of one of these subjects."""
    table = case_subjects.c
    return lambda ids: cases.c.id.in_(
        select(table.case_id).where(table.subject_kind == kind, table.subject_id.in_(ids))
    )


_messages = (
    select(func.count(supplier_messages.c.id))
    .where(supplier_messages.c.po_id == purchase_orders.c.id)
    .correlate(purchase_orders)
    .scalar_subquery()
)

KINDS: dict[str, RecordKind] = {
    kind.name: kind
    for kind in (
        RecordKind(
            "order",
            orders,
            _order_source,
            {
                "number": orders.c.number,
                "channel": channels.c.code,
                "customer_country": orders.c.customer_country,
                "customer_name": customers.c.name,
                "customer_email": customers.c.email,
                "status": orders.c.status,
                "ordered_on": orders.c.ordered_on,
                "promised_on": orders.c.promised_on,
                "shipped_on": orders.c.shipped_on,
                "shipments": orders.c.shipments,
                "cancel_reason": orders.c.cancel_reason,
                "freight_cost": orders.c.freight_cost,
            },
            orders.c.number,
            {
                "channel": orders.c.channel_id,
                "customer_country": orders.c.customer_country,
                "order_status": orders.c.status,
            },
            orders.c.ordered_on,
            (orders.c.ordered_on.desc(), orders.c.number),
            frozenset({"freight_cost"}),
            {"customer_name": "see_customers", "customer_email": "see_customers", "freight_cost": "see_cost"},
            visible(orders),
        ),
        RecordKind(
            "order_line",
            order_lines,
            _order_line_source,
            {
                "number": orders.c.number,
                "line_no": order_lines.c.line_no,
                **_ITEM,
                "warehouse": locations.c.code,
                "channel": channels.c.code,
                "customer_country": order_lines.c.customer_country,
                "order_status": orders.c.status,
                "ordered_on": order_lines.c.ordered_on,
                "promised_on": order_lines.c.promised_on,
                "shipped_on": order_lines.c.shipped_on,
                "quantity": order_lines.c.quantity,
                "reserved": order_lines.c.reserved_quantity,
                "shipped": order_lines.c.shipped_quantity,
                "cancelled": order_lines.c.cancelled_quantity,
                "unit_price": order_lines.c.unit_price,
                "list_price": order_lines.c.list_price,
                "cost": order_lines.c.cost,
            },
            orders.c.number,
            {
                "item": order_lines.c.item_id,
                **_ITEM_DIMENSIONS,
                "warehouse": order_lines.c.location_id,
                "legal_entity": locations.c.legal_entity_id,
                "channel": order_lines.c.channel_id,
                "customer_country": order_lines.c.customer_country,
                "order_status": orders.c.status,
                "supplier": _PREFERRED.c.supplier_id,
            },
            order_lines.c.ordered_on,
            (order_lines.c.ordered_on.desc(), orders.c.number, order_lines.c.line_no),
            frozenset({"unit_price", "list_price", "cost"}),
            {"cost": "see_cost"},
            visible(order_lines),
        ),
        RecordKind(
            "po",
            purchase_orders,
            _po_source,
            {
                "number": purchase_orders.c.number,
                "supplier": suppliers.c.code,
                "supplier_name": suppliers.c.name,
                "warehouse": locations.c.code,
                "buyer": _BUYERS.c.login,
                "status": purchase_orders.c.status,
                "created_on": purchase_orders.c.created_on,
                "sent_on": purchase_orders.c.sent_on,
                "currency": purchase_orders.c.currency,
                "total": purchase_orders.c.total,
                "freight_cost": purchase_orders.c.freight_cost,
                "expedite_cost": purchase_orders.c.expedite_cost,
            },
            purchase_orders.c.number,
            {
                "supplier": purchase_orders.c.supplier_id,
                "buyer": purchase_orders.c.buyer_id,
                "warehouse": purchase_orders.c.location_id,
                "legal_entity": locations.c.legal_entity_id,
                "po_status": purchase_orders.c.status,
            },
            purchase_orders.c.created_on,
            (purchase_orders.c.created_on.desc(), purchase_orders.c.number),
            frozenset({"total", "freight_cost", "expedite_cost"}),
            {"total": "see_cost", "freight_cost": "see_cost", "expedite_cost": "see_cost"},
            visible(purchase_orders),
            ("supplier_messages", _messages),
        ),
        RecordKind(
            "po_line",
            po_lines,
            _po_line_source,
            {
                "number": purchase_orders.c.number,
                "line_no": po_lines.c.line_no,
                **_ITEM,
                "supplier": suppliers.c.code,
                "supplier_name": suppliers.c.name,
                "warehouse": locations.c.code,
                "po_status": purchase_orders.c.status,
                "sent_on": purchase_orders.c.sent_on,
                "need_by": po_lines.c.need_by,
                "first_promised_on": po_lines.c.first_promised_on,
                "promised_on": po_lines.c.promised_on,
                "completed_on": po_lines.c.completed_on,
                "quantity": po_lines.c.quantity,
                "accepted": po_lines.c.accepted_quantity,
                "held": po_lines.c.held_quantity,
                "rejected": po_lines.c.rejected_quantity,
                "cancelled": po_lines.c.cancelled_quantity,
                "unit_price": po_lines.c.unit_price,
                "reference_price": po_lines.c.reference_price,
                "delay_cause": po_lines.c.delay_cause,
            },
            purchase_orders.c.number,
            {
                "item": po_lines.c.item_id,
                **_ITEM_DIMENSIONS,
                "supplier": purchase_orders.c.supplier_id,
                "buyer": purchase_orders.c.buyer_id,
                "warehouse": purchase_orders.c.location_id,
                "legal_entity": locations.c.legal_entity_id,
                "po_status": purchase_orders.c.status,
            },
            func.coalesce(
                po_lines.c.first_promised_on, purchase_orders.c.sent_on, purchase_orders.c.created_on
            ),
            (purchase_orders.c.created_on.desc(), purchase_orders.c.number, po_lines.c.line_no),
            frozenset({"unit_price", "reference_price"}),
            {"unit_price": "see_cost", "reference_price": "see_cost"},
            visible(purchase_orders),
        ),
        RecordKind(
            "return_line",
            return_lines,
            _return_source,
            {
                "number": returns.c.number,
                "line_no": return_lines.c.line_no,
                **_ITEM,
                "warehouse": locations.c.code,
                "channel": channels.c.code,
                "customer_country": return_lines.c.customer_country,
                "status": returns.c.status,
                "returned_on": return_lines.c.returned_on,
                "shipped_on": return_lines.c.shipped_on,
                "quantity": return_lines.c.quantity,
                "return_reason": return_lines.c.reason,
                "condition": return_lines.c.condition,
                "disposition": return_lines.c.disposition,
                "disposed_on": return_lines.c.disposed_on,
                "refund": return_lines.c.refund,
                "recovered": return_lines.c.recovered,
                "written_off": return_lines.c.written_off,
            },
            returns.c.number,
            {
                "item": return_lines.c.item_id,
                **_ITEM_DIMENSIONS,
                "warehouse": return_lines.c.location_id,
                "legal_entity": locations.c.legal_entity_id,
                "channel": return_lines.c.channel_id,
                "customer_country": return_lines.c.customer_country,
                "return_reason": return_lines.c.reason,
                "disposition": return_lines.c.disposition,
                "supplier": _PREFERRED.c.supplier_id,
            },
            return_lines.c.returned_on,
            (return_lines.c.returned_on.desc(), returns.c.number, return_lines.c.line_no),
            frozenset({"refund", "recovered", "written_off"}),
            {"recovered": "see_cost", "written_off": "see_cost"},
            visible(returns),
            ("return_comment", return_lines.c.comment),
        ),
        RecordKind(
            "stock_move",
            stock_moves,
            _move_source,
            {
                "occurred_on": stock_moves.c.occurred_on,
                "event": stock_moves.c.event,
                **_ITEM,
                "from_location": _FROM.c.code,
                "from_state": stock_moves.c.from_state,
                "to_location": _TO.c.code,
                "to_state": stock_moves.c.to_state,
                "quantity": stock_moves.c.quantity,
                "document_kind": stock_moves.c.document_kind,
                "document_id": stock_moves.c.document_id,
                "reason": stock_moves.c.reason,
            },
            stock_moves.c.id,
            {
                "item": stock_moves.c.item_id,
                **_ITEM_DIMENSIONS,
                "warehouse": case((_TO.c.physical, _TO.c.id), else_=_FROM.c.id),
                "legal_entity": case((_TO.c.physical, _TO.c.legal_entity_id), else_=_FROM.c.legal_entity_id),
                "stock_state": case(
                    (stock_moves.c.to_state == "virtual", stock_moves.c.from_state),
                    else_=stock_moves.c.to_state,
                ),
                "supplier": _PREFERRED.c.supplier_id,
            },
            stock_moves.c.occurred_on,
            (stock_moves.c.occurred_on.desc(), stock_moves.c.id.desc()),
        ),
        RecordKind(
            "case",
            cases,
            lambda: cases,
            {
                "kind": cases.c.kind,
                "title": cases.c.title,
                "status": cases.c.status,
                "probability": cases.c.probability,
                "deadline": cases.c.deadline,
                "expected_loss": cases.c.expected_loss,
                "net_benefit": cases.c.net_benefit,
                "opened_at": cases.c.opened_at,
                "closed_at": cases.c.closed_at,
            },
            cases.c.subject_key,
            {"exception_kind": cases.c.kind},
            None,
            (cases.c.net_benefit.desc(), cases.c.id),
            frozenset({"expected_loss", "net_benefit"}),
            {"expected_loss": "see_cost", "net_benefit": "see_cost"},
            linked={name: _about(kind) for name, kind in _SUBJECTS.items()},
        ),
        RecordKind(
            "item",
            items,
            lambda: items.outerjoin(_PREFERRED, _PREFERRED.c.item_id == items.c.id).outerjoin(
                suppliers, suppliers.c.id == _PREFERRED.c.supplier_id
            ),
            {
                "number": items.c.sku,
                "name": items.c.name,
                "category": items.c.category,
                "brand": items.c.brand,
                "abc_class": items.c.abc_class,
                "status": items.c.status,
                "preferred_supplier": suppliers.c.code,
                "list_price": items.c.list_price,
                "standard_cost": items.c.standard_cost,
            },
            items.c.sku,
            {"item": items.c.id, **_ITEM_DIMENSIONS, "supplier": _PREFERRED.c.supplier_id},
            None,
            (items.c.sku,),
            frozenset({"list_price", "standard_cost"}),
            {"standard_cost": "see_cost"},
        ),
        RecordKind(
            "supplier",
            suppliers,
            lambda: suppliers,
            {
                "number": suppliers.c.code,
                "name": suppliers.c.name,
                "country": suppliers.c.country,
                "currency": suppliers.c.currency,
                "segment": suppliers.c.segment,
                "risk_class": suppliers.c.risk_class,
                "status": suppliers.c.status,
                "lead_time_days": suppliers.c.lead_time_days,
                "payment_days": suppliers.c.payment_days,
                "delivery_terms": suppliers.c.delivery_terms,
            },
            suppliers.c.code,
            {"supplier": suppliers.c.id},
            None,
            (suppliers.c.code,),
        ),
        SUPPLIER_INVOICE,
    )
}
