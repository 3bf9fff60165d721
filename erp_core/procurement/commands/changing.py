"""Changes of an order after it was approved: each is a numbered revision with reason, author and what changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, func, select

from erp_core.exceptions.book import Noted, raise_cases
from erp_core.gate.contract import DomainError, Done, Event, Task, Transaction
from erp_core.master.queries.calendars import calendars_of
from erp_core.master.queries.prices import supplier_items_by_day
from erp_core.master.queries.reasons import Reasons
from erp_core.master.queries.units import SizedUnits
from erp_core.procurement.commands.change_plan import (
    ChangeNotPossible,
    ChangePlan,
    added_terms,
    planned_change,
)
from erp_core.procurement.commands.drafting import check_need_day
from erp_core.procurement.commands.purchase_orders import ChangePurchaseOrder
from erp_core.procurement.contracts.book import ContractBook, drawn
from erp_core.procurement.errors import PurchaseOrderExists, QuantityAgainstTerms
from erp_core.procurement.model import drop_ship_lines, po_lines, po_revisions, receipt_lines, receipts
from erp_core.procurement.model.invoices import invoice_steps, supplier_invoice_lines
from erp_core.procurement.ordering.differences import confirmation_differences, confirmation_key, over
from erp_core.procurement.ordering.in_units import in_base_units
from erp_core.procurement.ordering.purchase_orders import Line, PurchaseOrder, PurchaseOrders
from erp_core.procurement.ordering.revising import next_revision
from erp_core.procurement.receiving.reversing import stands
from erp_core.procurement.rules import INBOUND, Terms
from erp_core.storage.lookup import fetch_in, there


def agreed_totals(connection: Connection, orders: Sequence[PurchaseOrder]) -> dict[UUID, int]:
    """The total of each order that people last said yes to; 0 where nobody was ever asked."""
    table = po_revisions.c
    rows: dict[UUID, list[Any]] = {}
    statement = select(
        table.po_id, table.revision, table.total_before, table.total_after, table.proposal_id
    ).order_by(table.revision)
    for row in fetch_in(connection, statement, table.po_id, (order.id for order in orders)):
        rows.setdefault(row.po_id, []).append(row)
    agreed: dict[UUID, int] = {}
    for order in orders:
        revisions = rows.get(order.id, [])
        asked = [row for row in revisions if row.proposal_id is not None]
        first = revisions[0].total_before if revisions else order.total
        agreed[order.id] = asked[-1].total_after if asked else first if order.proposal_id is not None else 0
    return agreed


def change_purchase_orders(
    tasks: Sequence[Task[ChangePurchaseOrder]], tx: Transaction
) -> Sequence[Done | DomainError]:
    """Make the changes, each under the order's next revision number."""
    orders = PurchaseOrders.of(tx)
    orders.load(task.command.po_id for task in tasks)
    changes = in_base_units(tx.connection, [task.command for task in tasks], sized=SizedUnits.of(tx).pairs)
    outcomes: list[Done | DomainError] = []
    for task, command in zip(tasks, changes, strict=True):
        try:
            if isinstance(command, DomainError):
                raise command
            order = orders.get(command.po_id)
            outcomes.append(_change(order, replace(task, command=command), orders, tx))
        except DomainError as error:
            outcomes.append(error)
    return outcomes


def _change(
    order: PurchaseOrder, task: Task[ChangePurchaseOrder], orders: PurchaseOrders, tx: Transaction
) -> Done:
    command, day = task.command, task.occurred_on
    reasons = Reasons.of(tx)
    reasons.require("purchase_order_change", command.reason_code, field="reason_code")
    if command.override_reason_code is not None:
        reasons.require("terms_override", command.override_reason_code, field="override_reason_code")
    terms = added_terms(tx.connection, [(order, command, day)])
    change = planned_change(order, command, terms, day)
    _check_with_master(order, change, task, tx)
    _call_off(order, change, day, tx)
    before, total_before = order.status, order.total
    lines = _apply(order, change, task, orders, tx.connection)
    order.total = change.total
    asked_again = list(_ask_again(order, lines, change, day))
    if asked_again and order.status == "confirmed":
        order.step_to("sent")
    if order.status == "partly_received" and all(not line.open_quantity for line in order.lines.values()):
        order.step_to("received")
    settled = {confirmation_key(line) for line in lines if line.confirmed_quantity is not None}
    noted = Noted("the order was changed", task.occurred_at, task.audit_id)
    raise_cases(tx, (), noted, settled=settled | {*over(lines)})
    orders.flush()
    revision = next_revision(tx.connection, order.id)
    changes = {
        where: {name: [_plain(value) for value in values] for name, values in fields.items()}
        for where, fields in change.fields.items()
    }
    orders.insert(
        po_revisions,
        {
            "po_id": order.id,
            "revision": revision,
            "changed_on": day,
            "author_id": task.principal.user_id,
            "reason_code": command.reason_code,
            "comment": command.comment,
            "changes": changes,
            "total_before": total_before,
            "total_after": order.total,
            "proposal_id": task.proposal_id,
            "audit_id": task.audit_id,
        },
    )
    told = {
        "number": order.number,
        "revision": revision,
        "reason": command.reason_code,
        "changes": changes,
        "total": order.total,
        "asked_again": [line.line_no for line in asked_again],
    }
    event = Event("PurchaseOrderChanged", "purchase_order", order.id, order.version + 1, told)
    orders.changed(order, task.audit_id, lines)
    orders.purchasing_on(day)
    return Done(
        told,
        events=(event,),
        before={"status": before, "total": total_before},
        after={"status": order.status} | told,
    )


def _call_off(order: PurchaseOrder, change: ChangePlan, day: date, tx: Transaction) -> None:
    """Take of contracts what changed and added lines draw more. Raises `ContractOverdrawn` before anything changes."""
    lines = [*order.lines.values(), *change.added]
    if all(line.contract_id is None for line in lines):
        return
    book = ContractBook.of(tx)
    book.load(lines)
    moved = [
        (line, drawn(line, change.fields.get(str(line.line_no))) - drawn(line))
        for line in order.lines.values()
    ]
    book.take([*moved, *((line, drawn(line)) for line in change.added)], day)


def _apply(
    order: PurchaseOrder,
    change: ChangePlan,
    task: Task[ChangePurchaseOrder],
    orders: PurchaseOrders,
    connection: Connection,
) -> list[Line]:
    """Bring lines and costs of the order to what was planned; gives the lines that were named or added."""
    command = task.command
    by_number = {str(line.line_no): line for line in order.lines.values()}
    for where, fields in change.fields.items():
        target: Any = order if where == "order" else by_number.get(where)
        for name, (_, value) in fields.items() if target is not None else ():
            setattr(target, name, value)
    for line in change.added:
        orders.add_line(order, line)
    cancelled = [order.lines[one.po_line_id] for one in command.cancelled]
    complete = [line for line in cancelled if line.accepted_quantity and not line.open_quantity]
    for line_id, came_on in _last_came(connection, [line.id for line in complete]).items():
        order.lines[line_id].completed_on = came_on
    return [*(order.lines[one.po_line_id] for one in command.lines), *cancelled, *change.added]


def _last_came(connection: Connection, line_ids: Sequence[UUID]) -> dict[UUID, date]:
    """The last day on which goods of each line were accepted: it was complete then, now that no more is to come."""
    statement = (
        select(receipt_lines.c.po_line_id, func.max(receipts.c.received_on).label("came_on"))
        .join(receipts, receipts.c.id == receipt_lines.c.receipt_id)
        .where(receipt_lines.c.accepted_quantity > 0, stands())
        .group_by(receipt_lines.c.po_line_id)
    )
    return {
        row.po_line_id: row.came_on
        for row in fetch_in(connection, statement, receipt_lines.c.po_line_id, line_ids)
    }


def _ask_again(order: PurchaseOrder, lines: Sequence[Line], change: ChangePlan, day: date) -> Iterator[Line]:
    """The changed lines that the supplier is to confirm again: those that are not as it confirmed them."""
    if order.status not in INBOUND:
        return
    for line in lines:
        if str(line.line_no) not in change.fields:
            continue
        if not line.open_quantity:
            line.asked_again_on = None
            continue
        known = line.confirmed_quantity is not None
        if known and not any(confirmation_differences(line)):
            continue
        line.asked_again_on = day
        yield line


_BILLED = (
    select(supplier_invoice_lines.c.po_line_id)
    .join(invoice_steps, invoice_steps.c.invoice_id == supplier_invoice_lines.c.invoice_id)
    .where(invoice_steps.c.booked != 0)
)
_CAME_ONCE = select(receipt_lines.c.po_line_id).where(receipt_lines.c.accepted_quantity > 0)


def _check_with_master(
    order: PurchaseOrder, change: ChangePlan, task: Task[ChangePurchaseOrder], tx: Transaction
) -> None:
    """Refuse line ids that are taken, quantities that break the supplier's terms, and of lines that were bought for one
    customer; another price where an invoice was ever payable or goods ever came: the journal holds the line at that price.
    """
    command = task.command
    if there(tx.connection, po_lines.c.id, (line.id for line in change.added)):
        raise PurchaseOrderExists(
            "an added line has the id of a line that is there already",
            field="added.line_id",
            remedy="use new ids",
        )
    repriced = [one.po_line_id for one in command.lines if one.unit_price is not None]
    billed = fetch_in(tx.connection, _BILLED, supplier_invoice_lines.c.po_line_id, repriced)
    if billed:
        raise ChangeNotPossible(
            f"line {order.lines[billed[0].po_line_id].line_no} of {order.number} was billed at its price",
            field="lines.unit_price",
            remedy="cancel the line and order anew; the invoice settles what was billed",
        )
    came = fetch_in(tx.connection, _CAME_ONCE, receipt_lines.c.po_line_id, repriced)
    if came:
        raise ChangeNotPossible(
            f"goods of line {order.lines[came[0].po_line_id].line_no} of {order.number} came at its price and were taken back",
            field="lines.unit_price",
            remedy="cancel the line and order anew at the other price",
        )
    left = dict(_left_of(order, command))
    linked = fetch_in(tx.connection, select(drop_ship_lines.c.po_line_id), drop_ship_lines.c.po_line_id, left)
    if linked:
        raise ChangeNotPossible(
            f"line {order.lines[linked[0].po_line_id].line_no} of {order.number} is sent to a customer",
            field="lines.quantity",
            remedy="cancel the order, and the customer's goods are ordered anew",
        )
    if command.override_reason_code is None:
        moved = [(one.po_line_id, one.need_by) for one in command.lines if one.need_by is not None]
        worked = calendars_of(tx.connection, (order.supplier_id, order.location_id) if moved else ())
        for line_id, need_by in moved:
            check_need_day([*worked.values()], need_by, f"line {order.lines[line_id].line_no} is needed")
        _check_left(
            order, {id_: units for id_, units in left.items() if units}, task.occurred_on, tx.connection
        )


def _left_of(order: PurchaseOrder, command: ChangePurchaseOrder) -> Iterator[tuple[UUID, int]]:
    """The units that are ordered of each line whose quantity changes."""
    for one in command.lines:
        if one.quantity is not None:
            yield one.po_line_id, one.quantity - order.lines[one.po_line_id].cancelled_quantity
    for gone in command.cancelled:
        line = order.lines[gone.po_line_id]
        units = line.open_quantity if gone.quantity is None else gone.quantity
        yield line.id, 0 if units == line.open_quantity else line.quantity - line.cancelled_quantity - units


def _check_left(order: PurchaseOrder, left: dict[UUID, int], day: date, connection: Connection) -> None:
    asked: dict[tuple[UUID, UUID, date], list[UUID]] = {}
    for line_id in left:
        asked.setdefault((order.supplier_id, order.lines[line_id].item_id, day), []).append(line_id)
    for key, offer in supplier_items_by_day(connection, asked).items():
        terms = Terms(offer.minimum_quantity, offer.order_multiple)
        for line_id in asked[key]:
            if not terms.accepts(left[line_id]):
                valid = terms.next_valid(left[line_id])
                raise QuantityAgainstTerms(
                    f"line {order.lines[line_id].line_no} breaks the supplier's minimum or multiple",
                    field="lines.quantity",
                    remedy=f"order {valid}, or give a reason code of kind terms_override in override_reason_code",
                    next_valid_quantity=valid,
                )


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value
