"""What suppliers owe an answer on: confirmations are chased and counted, missed milestones alert and put off the day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from sqlalchemy import Connection, func, select

from erp_core.exceptions.book import Noted, raise_cases, would_change
from erp_core.exceptions.draft import CaseDraft, fact
from erp_core.exceptions.model import cases
from erp_core.exceptions.rules import CLOSED, CaseKey
from erp_core.gate.contract import (
    Command,
    DomainError,
    Done,
    Event,
    Task,
    Transaction,
)
from erp_core.master.rules.workflows import CONFIRMATION
from erp_core.procurement.model import confirmation_chases, po_lines, purchase_orders
from erp_core.procurement.ordering.inbound import redate, redate_left, to_redate
from erp_core.procurement.ordering.purchase_orders import PurchaseOrder, PurchaseOrders
from erp_core.procurement.ordering.steps import DueStep, due_steps, put_off_by, slips
from erp_core.storage.lookup import fetch_in

CHASE_EVERY = timedelta(days=2)
"""So long a chase is given before the next."""
CHASES_BEFORE_A_CASE = 2
"""From so many chases without an answer a buyer is told."""
MISSING, MISSED = "confirmation_missing", "milestone_missed"
_KINDS = (MISSING, MISSED)


class FollowUpSuppliers(Command):
    """Chase every confirmation that is overdue, count it, and alert where chasing or waiting did not help.

    A missed milestone puts off the day on which the order's open lines are expected. Customers' lines that a change
    of supply passed over are dated as confirmed supply gives it now.
    """


def to_follow_up(connection: Connection, today: date) -> bool:
    """Whether `FollowUpSuppliers` has anything to do; a case that somebody dismissed is nothing to do."""
    due = [one for one in due_steps(connection, today) if one.late_days]
    counted = _chases(connection, {one.po_id for one in due})
    if any(_to_chase(one, counted.get(one.po_id), today) for one in due) or to_redate(connection, today):
        return True
    ids = {one.po_id for one in due if one.step != CONFIRMATION}
    slipped = slips(connection, ids, today)
    stands = fetch_in(connection, _SLIPS, purchase_orders.c.id, ids)
    if any(slipped.get(row.id, 0) != row.slip_days for row in stands):
        return True
    alerts = [one for one in due if _alerts(one, counted.get(one.po_id))]
    rows = fetch_in(connection, _LATEST, po_lines.c.po_id, {one.po_id for one in alerts})
    latest = {row.po_id: row.expected_on for row in rows}
    found = [_case(one, counted.get(one.po_id), latest.get(one.po_id), today) for one in alerts]
    return would_change(connection, found, _open_keys(connection), datetime.combine(today, time.min, UTC))


_SLIPS = select(purchase_orders.c.id, purchase_orders.c.slip_days)
_LATEST = select(po_lines.c.po_id, func.max(po_lines.c.expected_on).label("expected_on")).group_by(
    po_lines.c.po_id
)


def follow_up_suppliers(
    tasks: Sequence[Task[FollowUpSuppliers]], tx: Transaction
) -> Sequence[Done | DomainError]:
    """Do it for each; the second of a batch finds nothing left to do."""
    return [_follow_up(task, tx) for task in tasks]


def _follow_up(task: Task[FollowUpSuppliers], tx: Transaction) -> Done:
    today, orders = task.occurred_on, PurchaseOrders.of(tx)
    orders.flush()
    due = [one for one in due_steps(tx.connection, today) if one.late_days]
    orders.load({one.po_id for one in due})
    counted = dict(_chases(tx.connection, {one.po_id for one in due}))
    events: list[Event] = []
    for one in due:
        if not _to_chase(one, counted.get(one.po_id), today):
            continue
        number = counted.get(one.po_id, (0, today))[0] + 1
        counted[one.po_id] = (number, today)
        events.append(_chase(orders, one, number, task))
    chased = len(events)
    slipped = slips(tx.connection, {one.po_id for one in due if one.step != CONFIRMATION}, today)
    put_off = [order for id_, days in slipped.items() if put_off_by(order := orders.get(id_), days)]
    for order in put_off:
        orders.changed(order, task.audit_id, order.lines.values())
    events += redate(tx, put_off, task.occurred_at, task.audit_id)
    redated, told = redate_left(tx, task.occurred_at, task.audit_id)
    events += told
    alerts = [one for one in due if _alerts(one, counted.get(one.po_id))]
    difference = raise_cases(
        tx,
        [_case(one, counted.get(one.po_id), _latest(orders.get(one.po_id)), today) for one in alerts],
        Noted("the supplier did not answer in time", task.occurred_at, task.audit_id),
        settled=_open_keys(tx.connection),
    )
    result = {
        "chased": chased,
        "put_off": len(put_off),
        "redated": redated,
        "alerts": len(difference.opened),
        "settled": len(difference.closed),
    }
    return Done(result, events=tuple(events))


def _chase(orders: PurchaseOrders, one: DueStep, number: int, task: Task[FollowUpSuppliers]) -> Event:
    order = orders.get(one.po_id)
    orders.insert(
        confirmation_chases,
        {
            "po_id": one.po_id,
            "chase_no": number,
            "chased_on": task.occurred_on,
            "due_on": one.due_on,
            "audit_id": task.audit_id,
        },
    )
    told = {"number": one.number, "chase": number, "due_on": one.due_on.isoformat()}
    event = Event("ConfirmationChased", "purchase_order", one.po_id, order.version + 1, told)
    orders.changed(order, task.audit_id)
    return event


Chases = tuple[int, date]
"""How many there were, and the day of the last."""


def _chases(connection: Connection, po_ids: Iterable[UUID]) -> Mapping[UUID, Chases]:
    table = confirmation_chases.c
    counted = select(table.po_id, func.count(), func.max(table.chased_on)).group_by(table.po_id)
    return {
        po_id: (int(count), last) for po_id, count, last in fetch_in(connection, counted, table.po_id, po_ids)
    }


def _to_chase(one: DueStep, chases: Chases | None, today: date) -> bool:
    return one.step == CONFIRMATION and (chases is None or chases[1] + CHASE_EVERY <= today)


def _alerts(one: DueStep, chases: Chases | None) -> bool:
    return one.step != CONFIRMATION or (chases is not None and chases[0] >= CHASES_BEFORE_A_CASE)


def _key(one: DueStep) -> CaseKey:
    return (MISSING, str(one.po_id)) if one.step == CONFIRMATION else (MISSED, f"{one.po_id}:{one.step}")


def _open_keys(connection: Connection) -> set[CaseKey]:
    statement = select(cases.c.kind, cases.c.subject_key).where(
        cases.c.kind.in_(_KINDS), cases.c.status.not_in(CLOSED)
    )
    return {(kind, key) for kind, key in connection.execute(statement)}


def _latest(order: PurchaseOrder) -> date | None:
    return max((line.expected_on for line in order.lines.values() if line.expected_on), default=None)


def _case(one: DueStep, chases: Chases | None, expected: date | None, today: date) -> CaseDraft:
    """What is late; what it costs is priced by the scan, where it makes somebody wait."""
    missing = one.step == CONFIRMATION
    what = "no confirmation" if missing else one.step.replace("_", " ")
    title = f"{one.number}: {what} from {one.supplier}" if missing else f"{one.number}: {what} is missed"
    facts = [fact("due", one.due_on.isoformat(), "day"), fact("late", one.late_days, "days")]
    if missing:
        facts.append(fact("chased", chases[0] if chases else 0, "times"))
    elif expected is not None:
        facts.append(fact("expected now", expected.isoformat(), "day"))
    kind, key = _key(one)
    return CaseDraft(
        kind=kind,
        subject_key=key,
        title=title,
        subjects=(("purchase_order", one.po_id), ("supplier", one.supplier_id)),
        probability=1.0,
        deadline=datetime.combine(today + timedelta(days=7), time.min, UTC),
        expected_loss=0,
        residual_loss=0,
        action_cost=0,
        evidence=tuple(facts),
        action={"kind": "call", "label": "call the supplier, or order from an alternate", "commands": []},
    )
