"""Goods come back."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from erp_core.finance.costs import Costs, CostSource
from erp_core.gate.contract import DomainError, Done, Event, Task, Transaction
from erp_core.inventory.ledger import Bucket, Ledger, Move
from erp_core.inventory.rules import NO_LOT, VIRTUAL
from erp_core.master.virtual import CUSTOMER
from erp_core.returns.book import Line, ReturnBook
from erp_core.returns.commands.wishes import ReceiveReturn
from erp_core.returns.errors import MoreThanAuthorised
from erp_core.returns.following import OrdersOfReturns
from erp_core.returns.lots import LotsThatCameBack
from erp_core.returns.rules import share_of


def receive_returns(tasks: Sequence[Task[ReceiveReturn]], tx: Transaction) -> Sequence[Done | DomainError]:
    """Take goods back to return-pending, at the cost they were shipped with."""
    book, ledger, costs = ReturnBook.of(tx), Ledger.of(tx), Costs.of(tx)
    book.load(task.command.return_id for task in tasks)
    found = [one for task in tasks if (one := book.find(task.command.return_id)) is not None]
    following = OrdersOfReturns(tx, found)
    lines = [line for one in found for line in one.lines.values()]
    came = LotsThatCameBack(tx, found)
    ledger.load({pending(line) for line in lines if not came.tracked(line)})
    costs.load({line.item_id for line in lines})
    outcomes: list[Done | DomainError] = []
    for task in tasks:
        try:
            outcomes.append(_receive(task, book, ledger, costs, following, came))
        except DomainError as error:
            outcomes.append(error)
    return outcomes


def pending(line: Line, lot_id: UUID = NO_LOT) -> Bucket:
    """Where a line's units wait for a decision."""
    return Bucket.of(line.item_id, line.location_id, "return_pending", lot_id)


def _receive(
    task: Task[ReceiveReturn],
    book: ReturnBook,
    ledger: Ledger,
    costs: Costs,
    following: OrdersOfReturns,
    came: LotsThatCameBack,
) -> Done:
    one = book.get(task.command.return_id)
    arrived = {line.id: line.quantity for line in one.lines.values()}
    for part in task.command.lines:
        line = one.line(part.return_line_id)
        if part.quantity > line.quantity:
            raise MoreThanAuthorised(
                f"{part.quantity} units arrived of a line authorised for {line.quantity}",
                field="lines.quantity",
                remedy="authorise a second return for what is beyond",
            )
        arrived[line.id] = part.quantity
    lots = came.lots(one, task.command, arrived)
    before = one.status
    one.step_to("received")
    for line in one.lines.values():
        line.lots = lots.get(line.id)
    ledger.post(
        [
            Move(
                "return",
                Bucket.of(line.item_id, CUSTOMER, VIRTUAL, lot_id),
                pending(line, lot_id),
                units,
                "return",
                one.id,
                task.occurred_at,
                task.audit_id,
                reason=line.reason,
            )
            for line in one.lines.values()
            for lot_id, units in (line.parts if line.lots is not None else [(NO_LOT, arrived[line.id])])
        ]
    )
    one.returned_on = task.occurred_on
    for line in one.lines.values():
        _take_back(line, arrived[line.id], task, costs)
    book.changed(one, task.audit_id)
    book.returns_on(task.occurred_on)
    result = {"number": one.number, "status": one.status, "units": sum(arrived.values())}
    event = Event("ReturnReceived", "return", one.id, one.version, result)
    steps = following.follow(one, task.occurred_at)
    return Done(result=result, events=(event, *steps), before={"status": before}, after=result)


def _take_back(line: Line, arrived: int, task: Task[ReceiveReturn], costs: Costs) -> None:
    line.authorised = {"quantity": line.quantity, "refund": line.refund, "cost": line.cost}
    cost = share_of(line.cost, arrived, line.quantity)
    line.refund = share_of(line.refund, arrived, line.quantity) or 0
    line.quantity = arrived
    line.returned_on = task.occurred_on
    source = CostSource("return", "return", line.return_id, task.occurred_on, task.audit_id, line.id)
    line.cost = costs.receive(line.item_id, arrived, cost, source)
