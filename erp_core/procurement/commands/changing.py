"""Changes of an order after it was approved: each is a numbered revision with reason, author and what changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator
from sqlalchemy import Connection, func, select

from erp_core.exceptions.book import Noted, raise_cases
from erp_core.gate.contract import Command, DomainError, Done, Event, Task, Transaction
from erp_core.master.queries.prices import supplier_items_by_day
from erp_core.master.queries.reasons import Reasons
from erp_core.master.values import LARGEST_AMOUNT, Amount, Comment, ReasonCode, Units
from erp_core.procurement.differences import confirmation_differences, confirmation_key
from erp_core.procurement.errors import OrderTooLarge, QuantityAgainstTerms
from erp_core.procurement.model import drop_ship_lines, po_revisions
from erp_core.procurement.purchase_orders import Line, PurchaseOrder, PurchaseOrders
from erp_core.procurement.rules import COMMITTED, INBOUND, Terms
from erp_core.storage.lookup import fetch_in


class ChangeNotPossible(DomainError):
    """The order is not approved or is over, the line came already, or nothing would change."""

    code = "change_not_possible"


class LineChange(BaseModel):
    """What becomes of a line; what is left out stays. Less than what came already is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    po_line_id: UUID
    quantity: Units | None = None
    unit_price: Amount | None = None
    need_by: date | None = None


class ChangePurchaseOrder(Command):
    """Change an order that was approved; what it adds beyond what people agreed to needs their yes again.

    A line changed after the order was sent is to be confirmed again, unless the change is what the supplier confirmed.
    """

    po_id: UUID
    reason_code: ReasonCode
    comment: Comment | None = None
    lines: tuple[LineChange, ...] = Field(default=(), max_length=500)
    freight_cost: Amount | None = None
    expedite_cost: Amount | None = None
    override_reason_code: ReasonCode | None = None

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        if not self.lines and self.freight_cost is None and self.expedite_cost is None:
            raise ValueError("name the lines, freight_cost or expedite_cost that change")
        if len({one.po_line_id for one in self.lines}) < len(self.lines):
            raise ValueError("a line is changed twice: give each line once")
        return self

    @property
    def subject(self) -> tuple[str, UUID]:
        """The purchase order."""
        return ("purchase_order", self.po_id)


@dataclass(frozen=True, slots=True)
class Changed:
    """An order's lines as they would be, `fields` by line number with each value before and after."""

    fields: Mapping[str, Mapping[str, tuple[Any, Any]]]
    total: int


def planned_change(order: PurchaseOrder, command: ChangePurchaseOrder) -> Changed:
    """What the command would change. Raises `ChangeNotPossible` or `NotFound`; changes nothing."""
    if order.status not in COMMITTED:
        raise ChangeNotPossible(
            f"purchase order {order.number} is {order.status.replace('_', ' ')}",
            field="po_id",
            remedy="an order that was approved and is not over can be changed; make a draft anew instead",
        )
    fields: dict[str, dict[str, tuple[Any, Any]]] = {}
    goods = sum(line.quantity * line.unit_price for line in order.lines.values())
    for one in command.lines:
        line = order.line(one.po_line_id, "lines.po_line_id")
        differing = {
            name: (before, after)
            for name in ("quantity", "unit_price", "need_by")
            if (after := getattr(one, name)) is not None and after != (before := getattr(line, name))
        }
        _check_line(order, line, differing)
        if differing:
            fields[str(line.line_no)] = differing
        quantity = line.quantity if one.quantity is None else one.quantity
        price = line.unit_price if one.unit_price is None else one.unit_price
        goods += quantity * price - line.quantity * line.unit_price
    header = {
        name: (before, after)
        for name in ("freight_cost", "expedite_cost")
        if (after := getattr(command, name)) is not None and after != (before := getattr(order, name))
    }
    if header:
        fields["order"] = header
    if not fields:
        raise ChangeNotPossible(
            f"{order.number} stands like this already", field="lines", remedy="name what is to be otherwise"
        )
    costs = [getattr(command, name) for name in ("freight_cost", "expedite_cost")]
    stand = (order.freight_cost, order.expedite_cost)
    total = goods + sum(now if new is None else new for new, now in zip(costs, stand, strict=True))
    if total > LARGEST_AMOUNT:
        raise OrderTooLarge("no order comes to so much", field="lines", remedy="check quantities and prices")
    return Changed(fields, total)


def _check_line(order: PurchaseOrder, line: Line, differing: Mapping[str, tuple[Any, Any]]) -> None:
    named = f"line {line.line_no} of {order.number}"
    if line.open_quantity == 0 and differing:
        raise ChangeNotPossible(
            f"{named} is complete", field="lines", remedy="order more with another purchase order"
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
            remedy="close the line and order the remainder anew; the invoice settles what came",
        )


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
    outcomes: list[Done | DomainError] = []
    for task in tasks:
        try:
            outcomes.append(_change(orders.get(task.command.po_id), task, orders, tx))
        except DomainError as error:
            outcomes.append(error)
    return outcomes


def _change(
    order: PurchaseOrder, task: Task[ChangePurchaseOrder], orders: PurchaseOrders, tx: Transaction
) -> Done:
    command = task.command
    reasons = Reasons.of(tx)
    reasons.require("purchase_order_change", command.reason_code, field="reason_code")
    if command.override_reason_code is not None:
        reasons.require("terms_override", command.override_reason_code, field="override_reason_code")
    change = planned_change(order, command)
    _check_with_master(order, task, tx)
    lines = [order.line(one.po_line_id, "lines.po_line_id") for one in command.lines]
    before, total_before = order.status, order.total
    for line, one in zip(lines, command.lines, strict=True):
        line.quantity = one.quantity or line.quantity
        line.unit_price = line.unit_price if one.unit_price is None else one.unit_price
        line.need_by = one.need_by or line.need_by
    order.freight_cost = order.freight_cost if command.freight_cost is None else command.freight_cost
    order.expedite_cost = order.expedite_cost if command.expedite_cost is None else command.expedite_cost
    order.total = change.total
    asked_again = list(_ask_again(order, lines, change, task.occurred_on))
    if asked_again and order.status == "confirmed":
        order.step_to("sent")
    settled = [confirmation_key(line) for line in lines if line.confirmed_quantity is not None]
    raise_cases(tx, (), Noted("the order was changed", task.occurred_at, task.audit_id), settled=settled)
    orders.flush()
    revision = _next_revision(tx.connection, order.id)
    changes = {
        where: {name: [_plain(value) for value in values] for name, values in fields.items()}
        for where, fields in change.fields.items()
    }
    orders.insert(
        po_revisions,
        {
            "po_id": order.id,
            "revision": revision,
            "changed_on": task.occurred_on,
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
    orders.purchasing_on(task.occurred_on)
    return Done(
        told,
        events=(event,),
        before={"status": before, "total": total_before},
        after={"status": order.status} | told,
    )


def _ask_again(order: PurchaseOrder, lines: Sequence[Line], change: Changed, day: date) -> Iterator[Line]:
    """The changed lines that the supplier is to confirm again: those that are not as it confirmed them."""
    if order.status not in INBOUND:
        return
    for line in lines:
        if str(line.line_no) not in change.fields:
            continue
        known = line.confirmed_quantity is not None
        if known and not any(confirmation_differences(line)):
            continue
        line.asked_again_on = day
        yield line


def _check_with_master(order: PurchaseOrder, task: Task[ChangePurchaseOrder], tx: Transaction) -> None:
    """Refuse new quantities that break the supplier's terms, and of lines that were bought for one customer."""
    changed = {one.po_line_id: one.quantity for one in task.command.lines if one.quantity is not None}
    linked = fetch_in(
        tx.connection, select(drop_ship_lines.c.po_line_id), drop_ship_lines.c.po_line_id, changed
    )
    if linked:
        raise ChangeNotPossible(
            f"line {order.lines[linked[0].po_line_id].line_no} of {order.number} is sent to a customer",
            field="lines.quantity",
            remedy="cancel the order, and the customer's goods are ordered anew",
        )
    if task.command.override_reason_code is not None:
        return
    asked = {(order.supplier_id, order.lines[id_].item_id, task.occurred_on): id_ for id_ in changed}
    for key, offer in supplier_items_by_day(tx.connection, asked).items():
        quantity = changed[asked[key]]
        terms = Terms(offer.minimum_quantity, offer.order_multiple)
        if quantity is not None and not terms.accepts(quantity):
            valid = terms.next_valid(quantity)
            raise QuantityAgainstTerms(
                f"line {order.lines[asked[key]].line_no} breaks the supplier's minimum or multiple",
                field="lines.quantity",
                remedy=f"order {valid}, or give a reason code of kind terms_override in override_reason_code",
                next_valid_quantity=valid,
            )


def _next_revision(connection: Connection, po_id: UUID) -> int:
    table = po_revisions.c
    last = connection.scalar(select(func.max(table.revision)).where(table.po_id == po_id))
    return int(last or 0) + 1


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value
