"""The steps that a supplier's workflow asks for: who may take them, milestones reached, and what is due."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, and_, case, func, or_, select

from erp_core.gate.contract import (
    Command,
    DomainError,
    Done,
    Event,
    Registration,
    Registry,
    Task,
    Transaction,
)
from erp_core.gate.supplier_logins import SUPPLIER, require_own_supplier
from erp_core.master.commands.workflows import MilestoneName
from erp_core.master.model import suppliers
from erp_core.master.queries import visible
from erp_core.master.queries.workflows import list_workflows, workflows_of
from erp_core.master.rules.workflows import CONFIRMATION, Workflow
from erp_core.procurement.model import po_lines, po_milestones, purchase_orders
from erp_core.procurement.ordering.inbound import with_promises
from erp_core.procurement.ordering.purchase_orders import PurchaseOrder, PurchaseOrders
from erp_core.procurement.rules import INBOUND, slip_days
from erp_core.storage.bulk import insert_rows
from erp_core.storage.lookup import AnyRow, fetch_in, fetch_in_pairs


class SupplierStep(DomainError):
    """The supplier takes this step in its own channel; nobody takes it in its name."""

    code = "supplier_step"


class ConfirmationIncomplete(DomainError):
    """A confirmation to this segment names every line."""

    code = "confirmation_incomplete"


class MilestoneNotPossible(DomainError):
    """The workflow has no such milestone, it was reached already, or the order is not on its way."""

    code = "milestone_not_possible"


class RecordMilestone(Command):
    """The order reached a milestone of its supplier's workflow, on the day of `occurred_at`."""

    po_id: UUID
    milestone: MilestoneName

    @property
    def subject(self) -> tuple[str, UUID]:
        """The purchase order."""
        return ("purchase_order", self.po_id)


def check_step(workflow: Workflow, step: str, task: Task[Any]) -> None:
    """Pass when the principal may take the step. Raises `SupplierStep` where it is the supplier's own."""
    if step in workflow.supplier_steps and SUPPLIER not in task.principal.roles:
        raise SupplierStep(
            f"{workflow.segment} suppliers take the step {step} themselves",
            field="po_id",
            remedy="let the supplier's own login do it, or change the segment's workflow",
        )


def check_confirmation(workflow: Workflow, order: PurchaseOrder, named: set[UUID]) -> None:
    """Pass when the lines named, with those promised before, are all that the workflow asks for."""
    left_out = [
        line.line_no
        for line in order.lines.values()
        if line.open_quantity and not line.is_confirmed and line.id not in named
    ]
    if workflow.every_line and left_out:
        raise ConfirmationIncomplete(
            f"{order.number} leaves out line {left_out[0]}: {workflow.segment} suppliers confirm every line",
            field="lines",
            remedy="give a day for each open line",
            lines=left_out,
        )


def record_milestones(
    tasks: Sequence[Task[RecordMilestone]], tx: Transaction
) -> Sequence[Done | DomainError]:
    """Write each milestone once."""
    orders = PurchaseOrders.of(tx)
    orders.load(task.command.po_id for task in tasks)
    found = [orders.find(task.command.po_id) for task in tasks]
    workflows = workflows_of(tx.connection, (one.supplier_id for one in found if one is not None))
    pairs = [(task.command.po_id, task.command.milestone) for task in tasks]
    reached = {
        (row.po_id, row.milestone)
        for row in fetch_in_pairs(
            tx.connection,
            select(po_milestones.c.po_id, po_milestones.c.milestone),
            (po_milestones.c.po_id, po_milestones.c.milestone),
            pairs,
        )
    }
    outcomes: list[Done | DomainError] = []
    rows = []
    for task, pair in zip(tasks, pairs, strict=True):
        try:
            order = orders.get(task.command.po_id)
            require_own_supplier(task.principal, task.command.command_name, order.supplier_id)
            _check_milestone(workflows[order.supplier_id], order, task, reached)
        except DomainError as error:
            outcomes.append(error)
            continue
        reached.add(pair)
        days = dict(workflows[order.supplier_id].milestones)[task.command.milestone]
        if order.sent_on is not None:
            late = (task.occurred_on - order.sent_on).days - days
            put_off_by(order, max(late, 0))
        rows.append(
            {
                "po_id": order.id,
                "milestone": task.command.milestone,
                "reached_on": task.occurred_on,
                "audit_id": task.audit_id,
            }
        )
        told = {
            "number": order.number,
            "milestone": task.command.milestone,
            "reached_on": task.occurred_on.isoformat(),
        }
        event = Event("PurchaseOrderMilestone", "purchase_order", order.id, order.version + 1, told)
        orders.changed(order, task.audit_id, order.lines.values())
        outcomes.append(Done(told, events=(event,), after=told))
    insert_rows(tx.connection, po_milestones, rows)
    return outcomes


def put_off_by(order: PurchaseOrder, slip_days: int) -> bool:
    """Note that the order's milestones are so many days late; gives whether that is new."""
    if order.slip_days == slip_days:
        return False
    order.slip_days = slip_days
    for line in order.lines.values():
        line.expect(slip_days)
    return True


def _check_milestone(
    workflow: Workflow,
    order: PurchaseOrder,
    task: Task[RecordMilestone],
    reached: set[tuple[UUID, str]],
) -> None:
    milestone, names = task.command.milestone, [name for name, _ in workflow.milestones]
    if milestone not in names:
        raise MilestoneNotPossible(
            f"orders to {workflow.segment} suppliers have no milestone {milestone}",
            field="milestone",
            remedy=f"use one of {', '.join(names)}" if names else "none is asked for",
        )
    if order.status not in INBOUND:
        raise MilestoneNotPossible(
            f"purchase order {order.number} is {order.status.replace('_', ' ')}",
            field="po_id",
            remedy="a milestone is reached by an order that is on its way",
        )
    if (order.id, milestone) in reached:
        raise MilestoneNotPossible(
            f"{order.number} reached {milestone} already",
            field="milestone",
            remedy="leave it: a milestone is reached once",
        )
    check_step(workflow, "milestones", task)


@dataclass(frozen=True, slots=True)
class DueStep:
    """A step that an order on its way still lacks. `late_days` is 0 until the day after `due_on`."""

    po_id: UUID
    number: str
    supplier_id: UUID
    supplier: str
    segment: str
    step: str
    due_on: date
    late_days: int


_ANSWERED = or_(po_lines.c.first_promised_on.is_not(None), po_lines.c.confirmed_quantity.is_not(None))
_CONFIRMED = case((and_(_ANSWERED, po_lines.c.asked_again_on.is_(None)), 1))


def due_steps(connection: Connection, today: date, po_id: UUID | None = None) -> list[DueStep]:
    """The steps that orders on their way (or this one) still lack, the latest first: unconfirmed lines and milestones."""
    unconfirmed = (
        select(
            po_lines.c.po_id,
            func.count().label("lines"),
            func.count(_CONFIRMED).label("confirmed"),
            func.max(po_lines.c.asked_again_on).label("asked_again_on"),
        )
        .where(po_lines.c.quantity > po_lines.c.accepted_quantity + po_lines.c.cancelled_quantity)
        .group_by(po_lines.c.po_id)
        .subquery()
    )
    order = purchase_orders.c
    rows = connection.execute(
        select(
            order.id, order.number, order.supplier_id, suppliers.c.code, suppliers.c.segment, order.sent_on
        )
        .add_columns(unconfirmed.c.lines, unconfirmed.c.confirmed, unconfirmed.c.asked_again_on)
        .join(suppliers, suppliers.c.id == order.supplier_id)
        .join(unconfirmed, unconfirmed.c.po_id == order.id)
        .where(
            order.status.in_(sorted(INBOUND)),
            order.sent_on.is_not(None),
            visible(order.import_id),
            *(() if po_id is None else (order.id == po_id,)),
        )
    ).all()
    reached: dict[UUID, set[str]] = {}
    for po_id, milestone in connection.execute(
        select(po_milestones.c.po_id, po_milestones.c.milestone).join(
            purchase_orders,
            and_(order.id == po_milestones.c.po_id, order.status.in_(sorted(INBOUND))),
        )
    ):
        reached.setdefault(po_id, set()).add(milestone)
    workflows = list_workflows(connection)
    found = []
    for row in rows:
        workflow = workflows[row.segment]
        taken = reached.get(row.id, set()) | ({CONFIRMATION} if _confirmed(workflow, row) else set())
        for step, due_on in workflow.steps(row.sent_on):
            if step == CONFIRMATION and row.asked_again_on is not None:
                due_on += row.asked_again_on - row.sent_on
            if step not in taken:
                late = max((today - due_on).days, 0)
                found.append(
                    DueStep(row.id, row.number, row.supplier_id, row.code, row.segment, step, due_on, late)
                )
    return sorted(found, key=lambda one: (one.due_on, one.number, one.step))


def slips(connection: Connection, po_ids: Iterable[UUID], today: date) -> dict[UUID, int]:
    """By how many days each order's milestones are late: the last one reached, or one that is overdue if that is more."""
    wanted = sorted(set(po_ids))
    statement = select(purchase_orders.c.id, purchase_orders.c.supplier_id, purchase_orders.c.sent_on)
    orders = [row for row in fetch_in(connection, statement, purchase_orders.c.id, wanted) if row.sent_on]
    workflows = workflows_of(connection, (row.supplier_id for row in orders))
    reached: dict[UUID, dict[str, date]] = {}
    columns = select(po_milestones.c.po_id, po_milestones.c.milestone, po_milestones.c.reached_on)
    for po_id, milestone, day in fetch_in(connection, columns, po_milestones.c.po_id, wanted):
        reached.setdefault(po_id, {})[milestone] = day
    return {
        row.id: slip_days(
            [
                (row.sent_on + timedelta(days=days), reached.get(row.id, {}).get(name))
                for name, days in workflows[row.supplier_id].milestones
            ],
            today,
        )
        for row in orders
    }


def _confirmed(workflow: Workflow, row: AnyRow) -> bool:
    """Whether the supplier confirmed enough; a line that changed since is to be confirmed by everybody."""
    if row.asked_again_on is not None:
        return False
    return bool(row.confirmed == row.lines if workflow.every_line else row.confirmed > 0)


def register(registry: Registry) -> None:
    """Add the command."""
    registry.register(Registration(RecordMilestone, with_promises(record_milestones)))
