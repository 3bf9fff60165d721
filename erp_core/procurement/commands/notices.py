"""Shipping notices: what a supplier says has left, carton by carton, matched to the order's lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Annotated, Any
from uuid import UUID

from pydantic import ConfigDict, Field, StringConstraints
from sqlalchemy import Connection, func, select

from erp_core.exceptions.book import Noted, raise_cases
from erp_core.gate.contract import Command, DomainError, Done, Event, Task, Transaction
from erp_core.gate.supplier_logins import require_own_supplier
from erp_core.master.values import Units
from erp_core.procurement.model import shipping_notice_lines, shipping_notices
from erp_core.procurement.ordering.differences import notice_case
from erp_core.procurement.ordering.in_units import InUnit, in_base_units, ordered_item
from erp_core.procurement.ordering.purchase_orders import PurchaseOrder, PurchaseOrders
from erp_core.procurement.receiving.packaging import StatedPackaging
from erp_core.procurement.receiving.packed import packaging_cases
from erp_core.procurement.receiving.substitutes import announced_substitutes
from erp_core.procurement.rules import INBOUND
from erp_core.storage.lookup import fetch_in, fetch_in_pairs, there

Label = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40)]


class NoticeExists(DomainError):
    """The supplier sent a notice with this id or number already."""

    code = "notice_exists"


class NoticeNotPossible(DomainError):
    """The order is not on its way, or the goods would arrive before they left."""

    code = "notice_not_possible"


class NoticeLine(InUnit):
    """Units of a line in one carton; a line may be spread over cartons, a carton may hold several lines.

    `quantity` is in base units, or in `unit`, one of what is sent: the item ordered or its substitute.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    po_line_id: UUID
    carton: Label
    quantity: Units
    packaging: StatedPackaging | None = None
    substitute_item_id: UUID | None = Field(
        default=None, description="the item that comes in place of the one ordered"
    )


class SendShippingNotice(Command):
    """The supplier sent goods of an order on the day of `occurred_at`: what, in which cartons, and when they arrive.

    More than is open on a line is taken down and becomes an exception at once. Nothing is received by it.
    """

    notice_id: UUID
    po_id: UUID
    reference: Label = Field(description="the supplier's number of the notice")
    expected_on: date
    lines: tuple[NoticeLine, ...] = Field(min_length=1, max_length=2_000)

    @property
    def subject(self) -> tuple[str, UUID]:
        """The purchase order."""
        return ("purchase_order", self.po_id)


def send_shipping_notices(
    tasks: Sequence[Task[SendShippingNotice]], tx: Transaction
) -> Sequence[Done | DomainError]:
    """Take notices down; the order reads shipped, and its announced lines are expected on the day given."""
    orders = PurchaseOrders.of(tx)
    orders.load(task.command.po_id for task in tasks)
    known = _Known(tx.connection, tasks, orders)
    item_of = ordered_item(orders.find(task.command.po_id) for task in tasks)
    counted = in_base_units(tx.connection, [task.command for task in tasks], item_of)
    outcomes: list[Done | DomainError] = []
    for task, command in zip(tasks, counted, strict=True):
        try:
            order = orders.get(task.command.po_id)
            require_own_supplier(task.principal, task.command.command_name, order.supplier_id)
            if isinstance(command, DomainError):
                raise command
            outcomes.append(_send(order, replace(task, command=command), known, orders, tx))
        except DomainError as error:
            outcomes.append(error)
    return outcomes


class _Known:
    """Notices that are there, and the units they announced by line."""

    def __init__(
        self, connection: Connection, tasks: Sequence[Task[SendShippingNotice]], orders: PurchaseOrders
    ) -> None:
        self.ids = there(connection, shipping_notices.c.id, (task.command.notice_id for task in tasks))
        named = {
            (order.supplier_id, task.command.reference, order.id)
            for task in tasks
            if (order := orders.find(task.command.po_id)) is not None
        }
        columns = (shipping_notices.c.supplier_id, shipping_notices.c.reference, shipping_notices.c.po_id)
        self.references = {tuple(row) for row in fetch_in_pairs(connection, select(*columns), columns, named)}
        lines = shipping_notice_lines.c
        announced = select(lines.po_line_id, func.sum(lines.quantity)).group_by(lines.po_line_id)
        wanted = {line.po_line_id for task in tasks for line in task.command.lines}
        self.announced: Counter[UUID] = Counter(
            {
                line_id: int(units)
                for line_id, units in fetch_in(connection, announced, lines.po_line_id, wanted)
            }
        )


def _send(
    order: PurchaseOrder,
    task: Task[SendShippingNotice],
    known: _Known,
    orders: PurchaseOrders,
    tx: Transaction,
) -> Done:
    command = task.command
    named = (order.supplier_id, command.reference, order.id)
    if command.notice_id in known.ids or named in known.references:
        raise NoticeExists(
            f"the notice {command.reference} is there already",
            field="reference",
            remedy="leave it, or give a further delivery its own number",
        )
    if order.status not in INBOUND:
        raise NoticeNotPossible(
            f"purchase order {order.number} is {order.status.replace('_', ' ')}",
            field="po_id",
            remedy="goods are announced for an order that is on its way",
        )
    if command.expected_on < task.occurred_on:
        raise NoticeNotPossible(
            f"the goods left on {task.occurred_on} and cannot arrive on {command.expected_on}",
            field="expected_on",
            remedy=f"give a day from {task.occurred_on} on",
        )
    lines = [order.line(one.po_line_id, "lines.po_line_id") for one in command.lines]
    known.ids.add(command.notice_id)
    known.references.add(named)
    before = order.status
    if order.status in ("sent", "confirmed"):
        order.step_to("shipped")
    units: Counter[UUID] = Counter()
    for line, one in zip(lines, command.lines, strict=True):
        units[line.id] += one.quantity
        line.promised_on = line.expected_on = command.expected_on
    cases = [
        case
        for line in dict.fromkeys(line.id for line in lines)
        if (
            case := notice_case(
                order,
                order.lines[line],
                command.reference,
                _on_its_way(known.announced[line], order.lines[line].accepted_quantity, units[line]),
                command.expected_on,
                task.occurred_at,
            )
        )
    ]
    packed, as_known = packaging_cases(
        tx,
        order,
        ((line, one.packaging) for line, one in zip(lines, command.lines, strict=True)),
        task.occurred_at,
    )
    substituted = announced_substitutes(tx, order, command.lines, task.occurred_at)
    noted = Noted("found in a shipping notice", task.occurred_at, task.audit_id)
    raise_cases(tx, [*cases, *packed, *substituted], noted, settled=as_known)
    known.announced.update(units)
    cartons = len({one.carton for one in command.lines})
    for table, row in _rows(order, task, cartons):
        orders.insert(table, row)
    told: Mapping[str, Any] = {
        "number": order.number,
        "status": order.status,
        "reference": command.reference,
        "expected_on": command.expected_on.isoformat(),
        "units": sum(units.values()),
        "cartons": cartons,
        "differing_lines": len({case.subjects[0] for case in (*cases, *packed, *substituted)}),
    }
    event = Event("ShippingNoticeSent", "purchase_order", order.id, order.version + 1, told)
    orders.changed(order, task.audit_id, lines)
    return Done(told, events=(event,), before={"status": before}, after=told)


def _on_its_way(announced: int, accepted: int, now: int) -> int:
    """Units announced and not received, with those of this notice."""
    return max(announced - accepted, 0) + now


def _rows(
    order: PurchaseOrder, task: Task[SendShippingNotice], cartons: int
) -> Sequence[tuple[Any, dict[str, Any]]]:
    command = task.command
    notice = {
        "id": command.notice_id,
        "po_id": order.id,
        "supplier_id": order.supplier_id,
        "reference": command.reference,
        "shipped_on": task.occurred_on,
        "expected_on": command.expected_on,
        "cartons": cartons,
        "audit_id": task.audit_id,
    }
    return [
        (shipping_notices, notice),
        *(
            (
                shipping_notice_lines,
                {
                    "notice_id": command.notice_id,
                    "position": position,
                    "po_line_id": one.po_line_id,
                    "carton": one.carton,
                    "quantity": one.quantity,
                    "substitute_item_id": one.substitute_item_id,
                },
            )
            for position, one in enumerate(command.lines, start=1)
        ),
    ]
