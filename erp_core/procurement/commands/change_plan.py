"""What a change makes of an order: fields before and after, lines added and cancelled, and the total it then comes to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection

from erp_core.gate.contract import DomainError
from erp_core.master.values import LARGEST_AMOUNT
from erp_core.procurement.commands.drafting import SupplierTerms, draft_lines
from erp_core.procurement.commands.purchase_orders import ChangePurchaseOrder, LineCancellation, LineChange
from erp_core.procurement.errors import OrderTooLarge
from erp_core.procurement.ordering.purchase_orders import Line, PurchaseOrder
from erp_core.procurement.rules import COMMITTED

Fields = dict[str, tuple[Any, Any]]


class ChangeNotPossible(DomainError):
    """The order is not approved or is over, the line came already, or nothing would change."""

    code = "change_not_possible"


@dataclass(frozen=True, slots=True)
class ChangePlan:
    """An order as it would be: `fields` by line number with each value before and after, the lines that are `added`."""

    fields: Mapping[str, Mapping[str, tuple[Any, Any]]]
    total: int
    added: Sequence[Line]


def added_terms(
    connection: Connection, changes: Sequence[tuple[PurchaseOrder, ChangePurchaseOrder, date]]
) -> SupplierTerms | None:
    """The master data that added lines rest on; None, without a statement, where no line is added."""
    drafts = [
        (change.added_as_draft(order.supplier_id, order.location_id), day)
        for order, change, day in changes
        if change.added
    ]
    return SupplierTerms.read(connection, drafts) if drafts else None


def planned_change(
    order: PurchaseOrder, command: ChangePurchaseOrder, terms: SupplierTerms | None, day: date
) -> ChangePlan:
    """What the command would change. Raises `ChangeNotPossible`, `NotFound` or what a draft raises; changes nothing."""
    if order.status not in COMMITTED:
        raise ChangeNotPossible(
            f"purchase order {order.number} is {order.status.replace('_', ' ')}",
            field="po_id",
            remedy="an order that was approved and is not over can be changed; make a draft anew instead",
        )
    fields: dict[str, Fields] = {}
    goods = sum(_wanted(line) * line.unit_price for line in order.lines.values())
    for one in command.lines:
        line = order.line(one.po_line_id, "lines.po_line_id")
        differing = _differing(line, one)
        _check_line(order, line, differing)
        quantity = line.quantity if one.quantity is None else one.quantity
        price = line.unit_price if one.unit_price is None else one.unit_price
        goods += (quantity - line.cancelled_quantity) * price - _wanted(line) * line.unit_price
        if differing:
            fields[str(line.line_no)] = differing
    for gone in command.cancelled:
        line = order.line(gone.po_line_id, "cancelled.po_line_id")
        units = _cancelled_units(order, line, gone)
        goods -= units * line.unit_price
        fields[str(line.line_no)] = {
            "cancelled_quantity": (line.cancelled_quantity, line.cancelled_quantity + units)
        }
    added = _added(order, command, terms, day)
    goods += sum(line.quantity * line.unit_price for line in added)
    fields |= {str(line.line_no): _as_new(line) for line in added}
    header = dict(_differing_costs(order, command))
    if header:
        fields["order"] = header
    _check_whole(order, command, fields)
    total = goods + sum(
        header[name][1] if name in header else getattr(order, name)
        for name in ("freight_cost", "expedite_cost")
    )
    if total > LARGEST_AMOUNT:
        raise OrderTooLarge("no order comes to so much", field="lines", remedy="check quantities and prices")
    return ChangePlan(fields, total, added)


def _wanted(line: Line) -> int:
    return line.quantity - line.cancelled_quantity


def _differing(line: Line, change: LineChange) -> Fields:
    return {
        name: (before, after)
        for name in ("quantity", "unit_price", "need_by")
        if (after := getattr(change, name)) is not None and after != (before := getattr(line, name))
    }


def _differing_costs(
    order: PurchaseOrder, command: ChangePurchaseOrder
) -> Iterator[tuple[str, tuple[int, int]]]:
    for name in ("freight_cost", "expedite_cost"):
        before, after = getattr(order, name), getattr(command, name)
        if after is not None and after != before:
            yield name, (before, after)


def _added(
    order: PurchaseOrder, command: ChangePurchaseOrder, terms: SupplierTerms | None, day: date
) -> Sequence[Line]:
    if not command.added or terms is None:
        return ()
    terms.suppliers.require_active(order.supplier_id, day)
    last = max(line.line_no for line in order.lines.values())
    return draft_lines(
        command.added_as_draft(order.supplier_id, order.location_id), terms, day, first_no=last + 1
    )


def _as_new(line: Line) -> Fields:
    shown = {"quantity": line.quantity, "unit_price": line.unit_price, "need_by": line.need_by}
    return {"item_id": (None, str(line.item_id))} | {
        name: (None, value) for name, value in shown.items() if value is not None
    }


def _cancelled_units(order: PurchaseOrder, line: Line, gone: LineCancellation) -> int:
    """The units that are cancelled. Raises `ChangeNotPossible` where so many are not open."""
    units = line.open_quantity if gone.quantity is None else gone.quantity
    if not 0 < units <= line.open_quantity:
        raise ChangeNotPossible(
            f"of line {line.line_no} of {order.number} {line.open_quantity} units have not come",
            field="cancelled.quantity",
            remedy=f"cancel at most {line.open_quantity}" if line.open_quantity else "leave the line out",
        )
    return units


def _check_whole(
    order: PurchaseOrder, command: ChangePurchaseOrder, fields: Mapping[str, Mapping[str, Any]]
) -> None:
    """Refuse a change of nothing, and one that leaves an order of nothing."""
    if not fields:
        raise ChangeNotPossible(
            f"{order.number} stands like this already", field="lines", remedy="name what is to be otherwise"
        )
    gone = {one.po_line_id: fields[str(order.lines[one.po_line_id].line_no)] for one in command.cancelled}
    left = sum(
        line.quantity - gone[line.id]["cancelled_quantity"][1] if line.id in gone else _wanted(line)
        for line in order.lines.values()
    )
    if gone and left == 0 and not command.added:
        raise ChangeNotPossible(
            f"nothing would be left of {order.number}",
            field="cancelled",
            remedy="cancel the order as a whole, with CancelPurchaseOrder",
        )


def _check_line(order: PurchaseOrder, line: Line, differing: Mapping[str, tuple[Any, Any]]) -> None:
    named = f"line {line.line_no} of {order.number}"
    if line.open_quantity == 0 and differing:
        raise ChangeNotPossible(
            f"{named} is complete", field="lines", remedy="order more with another line or purchase order"
        )
    least = line.accepted_quantity + line.cancelled_quantity
    if "quantity" in differing and differing["quantity"][1] < max(least, 1):
        raise ChangeNotPossible(
            f"of {named} {line.accepted_quantity} came already and {line.cancelled_quantity} were cancelled",
            field="lines.quantity",
            remedy=f"give at least {max(least, 1)}",
        )
    if "unit_price" in differing and line.accepted_quantity:
        raise ChangeNotPossible(
            f"goods of {named} are in stock at its price",
            field="lines.unit_price",
            remedy="cancel what is open of the line and add it anew; the invoice settles what came",
        )
