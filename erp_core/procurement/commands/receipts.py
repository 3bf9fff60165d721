"""Receipt of goods against a purchase order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from erp_core.exceptions.book import Noted, raise_cases
from erp_core.finance.costs import Costs
from erp_core.gate.contract import DomainError, Done, Event, Task, Transaction
from erp_core.inventory.ledger import Bucket, Ledger, Move
from erp_core.inventory.rules import VIRTUAL
from erp_core.master.virtual import SUPPLIER
from erp_core.procurement.books.valuing import require_rate, take_in
from erp_core.procurement.commands.arriving import ArrivingLots, Part, ReceivedLine, ReceiveGoods
from erp_core.procurement.commands.held_goods import read_receipt_tolerances
from erp_core.procurement.commands.inspection import inspected_first, read_inspection_rules
from erp_core.procurement.commands.shortfalls import read_announced, shortfalls
from erp_core.procurement.commands.unordered import check_unordered, note_unordered
from erp_core.procurement.errors import NotReceivable, ReceiptExists
from erp_core.procurement.model import receipt_lines, receipts
from erp_core.procurement.model.receiving import unordered_goods
from erp_core.procurement.ordering.differences import differing, over
from erp_core.procurement.ordering.in_units import in_base_units, ordered_item
from erp_core.procurement.ordering.purchase_orders import Line, PurchaseOrder, PurchaseOrders
from erp_core.procurement.receiving.packed import packaging_cases
from erp_core.procurement.receiving.rules import still_tolerated, tolerance_of, variance_case
from erp_core.procurement.receiving.short import Announced, as_announced
from erp_core.procurement.receiving.substitutes import announced_key
from erp_core.procurement.rules import RECEIVABLE, Receipt, in_time, split_receipt
from erp_core.storage.lookup import there


def receive_goods(tasks: Sequence[Task[ReceiveGoods]], tx: Transaction) -> Sequence[Done | DomainError]:
    """Post receipts, and let what waits for the goods have them."""
    outcomes = post_receipts(tasks, tx, read_inspection_rules(tx.connection))
    Ledger.of(tx).announce()
    return outcomes


def post_receipts(
    tasks: Sequence[Task[ReceiveGoods]], tx: Transaction, inspections: Mapping[str, bool] | None = None
) -> Sequence[Done | DomainError]:
    """Post receipts: stock, cost, the lines' quantities and the order's status together. Announces nothing.

    `inspections` are the rules of what is held to be inspected first; none where the goods are gone already.
    """
    orders, ledger, costs = PurchaseOrders.of(tx), Ledger.of(tx), Costs.of(tx)
    orders.load(task.command.po_id for task in tasks)
    buckets = _buckets(tasks, orders)
    ledger.load(buckets)
    costs.load({bucket.item_id for bucket in buckets})
    taken = _ids_there(tx.connection, tasks)
    arriving = ArrivingLots(tx, tasks, orders)
    announced = read_announced(
        tx.connection, {line.po_line_id for task in tasks for line in task.command.lines}
    )
    item_of = ordered_item(orders.find(task.command.po_id) for task in tasks)
    counted = in_base_units(tx.connection, [task.command for task in tasks], item_of)
    outcomes: list[Done | DomainError] = []
    for asked, command in zip(tasks, counted, strict=True):
        try:
            if isinstance(command, DomainError):
                raise command
            task = replace(asked, command=command)
            outcomes.append(_receive(task, tx, orders, ledger, taken, arriving, inspections or {}, announced))
        except DomainError as error:
            outcomes.append(error)
    return outcomes


def _receive(
    task: Task[ReceiveGoods],
    tx: Transaction,
    orders: PurchaseOrders,
    ledger: Ledger,
    taken: set[UUID],
    arriving: ArrivingLots,
    inspections: Mapping[str, bool],
    announced: Mapping[UUID, Announced],
) -> Done:
    command = task.command
    ids = [command.receipt_id, *(line.receipt_line_id for line in command.lines)]
    ids += [line.unordered_id for line in command.unordered]
    if len(set(ids)) < len(ids) or not taken.isdisjoint(ids):
        raise ReceiptExists(
            "this receipt, or a line of it, is posted already",
            field="receipt_id",
            remedy="use new ids for another delivery",
        )
    order = orders.get(command.po_id)
    if order.status not in RECEIVABLE:
        raise NotReceivable(
            f"purchase order {order.number} is {order.status.replace('_', ' ')}",
            field="po_id",
            remedy="only an order that was sent and is not closed can be received",
        )
    require_rate(tx, order, task.occurred_on)
    check_unordered(order, command.unordered)
    parts = _split(order, command.lines, inspections)
    extended = _tolerated(tx, order, parts) if any(part.beyond for _, part, _ in parts) else {}
    if extended:
        parts = _split(order, command.lines, inspections, extended)
    ledger.post(
        [
            Move(
                "receipt",
                Bucket.of(target.item_id, SUPPLIER, VIRTUAL, target.lot_id),
                target,
                units,
                "purchase_order",
                order.id,
                task.occurred_at,
                task.audit_id,
            )
            for target, units in arriving.buckets(task, order, parts)
        ]
    )
    taken.update(ids)
    before = order.status
    for line_id, units in extended.items():
        order.lines[line_id].quantity += units
        order.lines[line_id].tolerated_quantity += units
        order.total += units * order.lines[line_id].unit_price
    orders.insert(
        receipts,
        {
            "id": command.receipt_id,
            "po_id": order.id,
            "location_id": order.location_id,
            "received_on": task.occurred_on,
            "known_on": task.occurred_on,
            "import_id": None,
            "audit_id": task.audit_id,
        },
    )
    came_now: dict[UUID, int] = {}
    for line, part, received in parts:
        _take_in(line, part, task)
        came_now[line.id] = came_now.get(line.id, 0) + received.quantity
        exact = _exact(line, part, announced.get(line.id), came_now[line.id])
        orders.insert(receipt_lines, _receipt_line_row(command.receipt_id, received, line, part, exact))
        if part.accepted:
            take_in(tx, order, line, part.accepted, task.occurred_on, task.audit_id)
    strange = note_unordered(tx, task, order) if command.unordered else []
    order.follow_lines()
    came = {line.id: line for line, _, _ in parts}.values()
    orders.changed(order, task.audit_id, came)
    orders.purchasing_on(task.occurred_on)
    drafts = [variance_case(order, line, task.occurred_at) for line, part, _ in parts if part.held]
    noted = Noted("goods came", task.occurred_at, task.audit_id)
    ended = over(differing(line for line, _, _ in parts))
    came_instead = {one.instead_of_line_id for one in command.unordered if one.instead_of_line_id is not None}
    packed, as_known = packaging_cases(
        tx, order, ((line, received.packaging) for line, _, received in parts), task.occurred_at
    )
    short, whole = shortfalls(
        tx, order, ((line, one.quantity) for line, _, one in parts), announced, task.occurred_at
    )
    raise_cases(
        tx,
        [*(draft for draft in drafts if draft is not None), *strange, *packed, *short],
        noted,
        settled=[*ended, *as_known, *whole, *(announced_key(id_) for id_ in came_instead)],
    )
    counts = {
        "accepted": sum(part.accepted for _, part, _ in parts),
        "held": sum(part.held for _, part, _ in parts),
        "rejected": sum(part.rejected for _, part, _ in parts),
    }
    waiting = {
        "inspection": sum(part.inspection for _, part, _ in parts),
        "quarantined": sum(part.quarantined for _, part, _ in parts),
        "unordered": sum(line.quantity for line in command.unordered),
    }
    counts |= {name: units for name, units in waiting.items() if units}
    result = {"receipt_id": str(command.receipt_id), "status": order.status} | counts
    event = Event("GoodsReceived", "purchase_order", order.id, order.version, result)
    after = {"status": order.status} | ({"total": order.total} if extended else {}) | counts
    return Done(result=result, events=(event,), before={"status": before}, after=after)


def _split(
    order: PurchaseOrder,
    received: Sequence[ReceivedLine],
    inspections: Mapping[str, bool],
    extended: Mapping[UUID, int] | None = None,
) -> list[Part]:
    """What becomes of each part; parts of the same line share what is open on it, `extended` by what is tolerated."""
    open_units: dict[UUID, int] = {}
    parts: list[Part] = []
    for one in received:
        line = order.line(one.po_line_id, "lines.po_line_id")
        awaited = line.open_quantity - line.inspection_quantity + (extended or {}).get(line.id, 0)
        still_open = open_units.get(line.id, awaited)
        inspect = inspected_first(inspections, order.supplier_id, line.item_id)
        part = split_receipt(
            still_open, one.quantity, one.rejected_quantity, one.quarantined_quantity, inspect=inspect
        )
        open_units[line.id] = still_open - part.accepted - part.inspection
        parts.append((line, part, one))
    return parts


def _tolerated(tx: Transaction, order: PurchaseOrder, parts: Sequence[Part]) -> dict[UUID, int]:
    """How many of the units that would be held pass: by line, where a tolerance takes all that came too much.

    What goes beyond the tolerance is held as a whole, for a person to decide about.
    """
    tolerances = read_receipt_tolerances(tx.connection)
    if not tolerances:
        return {}
    held: dict[UUID, int] = {}
    for line, part, _ in parts:
        held[line.id] = held.get(line.id, 0) + part.beyond
    found = {}
    for line_id, units in held.items():
        line = order.lines[line_id]
        over = tolerance_of(tolerances, order.supplier_id, line.item_id)
        if 0 < units <= still_tolerated(line, line.quantity - line.tolerated_quantity, over):
            found[line_id] = units
    return found


def _take_in(line: Line, part: Receipt, task: Task[ReceiveGoods]) -> None:
    line.accepted_quantity += part.accepted
    line.held_quantity += part.held
    line.inspection_quantity += part.inspection
    line.quarantined_quantity += part.quarantined
    line.rejected_quantity += part.rejected
    if in_time(task.occurred_on, line.first_promised_on):
        line.accepted_by_promise += part.accepted
    if part.accepted and line.open_quantity == 0:
        line.completed_on = task.occurred_on


def _exact(line: Line, part: Receipt, announced: Announced | None, came_now: int) -> bool:
    """Whether this part brought all that the line still waited for, or what was announced, and nothing else."""
    if part.rejected or part.held != part.inspection:
        return False
    if line.open_quantity == line.inspection_quantity:
        return True
    return announced is not None and as_announced(announced.deliveries, announced.arrived + came_now)


def _receipt_line_row(
    receipt_id: UUID, received: ReceivedLine, line: Line, part: Receipt, exact: bool
) -> dict[str, Any]:
    return {
        "id": received.receipt_line_id,
        "receipt_id": receipt_id,
        "po_line_id": line.id,
        "accepted_quantity": part.accepted,
        "held_quantity": part.held,
        "inspection_quantity": part.inspection,
        "quarantined_quantity": part.quarantined,
        "rejected_quantity": part.rejected,
        "exact": int(exact),
    }


def _buckets(tasks: Sequence[Task[ReceiveGoods]], orders: PurchaseOrders) -> set[Bucket]:
    found = (orders.find(task.command.po_id) for task in tasks)
    return {
        Bucket.of(line.item_id, order.location_id, state)
        for order in found
        if order is not None
        for line in order.lines.values()
        for state in ("available", "received_held")
    }


def _ids_there(connection: Connection, tasks: Sequence[Task[ReceiveGoods]]) -> set[UUID]:
    commands = [task.command for task in tasks]
    parts = [line.receipt_line_id for command in commands for line in command.lines]
    strange = [line.unordered_id for command in commands for line in command.unordered]
    return (
        there(connection, receipts.c.id, (command.receipt_id for command in commands))
        | there(connection, receipt_lines.c.id, parts)
        | there(connection, unordered_goods.c.id, strange)
    )
