"""Returns that end unused, and receipts of returns that are taken back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import Connection, select

from erp_core.finance.costs import Costs, CostSource
from erp_core.gate.contract import DomainError, Done, Event, Task, Transaction
from erp_core.inventory.ledger import Bucket, Ledger, Move
from erp_core.inventory.rules import VIRTUAL
from erp_core.inventory.standing import StandingMoves
from erp_core.master.queries.parameters import parameters
from erp_core.master.queries.reasons import Reasons
from erp_core.master.virtual import CUSTOMER
from erp_core.returns.book import Line, Return, ReturnBook
from erp_core.returns.commands.arriving import pending
from erp_core.returns.commands.wishes import CancelReturn, EndUnusedReturns, ReverseReturnReceipt
from erp_core.returns.following import OrdersOfReturns
from erp_core.returns.model import returns
from erp_core.returns.refundable import Refundable

REASONS = "return_ended"


def cancel_returns(tasks: Sequence[Task[CancelReturn]], tx: Transaction) -> Sequence[Done | DomainError]:
    """End authorisations by hand; nothing moves."""
    book = ReturnBook.of(tx)
    book.load(task.command.return_id for task in tasks)
    outcomes: list[Done | DomainError] = []
    for task in tasks:
        try:
            Reasons.of(tx).require(REASONS, task.command.reason_code)
            one = book.get(task.command.return_id)
            one.step_to("cancelled")
        except DomainError as error:
            outcomes.append(error)
            continue
        book.changed(one, task.audit_id)
        told = {"number": one.number, "status": one.status, "reason": task.command.reason_code}
        event = Event("ReturnCancelled", "return", one.id, one.version, told)
        outcomes.append(Done(told, (event,), before={"status": "authorised"}, after=told))
    return outcomes


def unused_returns(connection: Connection, today: date, limit: int | None = None) -> list[UUID]:
    """Returns that were authorised longer ago than the company waits for goods, the oldest first."""
    last = today - timedelta(days=parameters(connection)["return_authorisation_days"])
    statement = (
        select(returns.c.id)
        .where(returns.c.status == "authorised", returns.c.import_id.is_(None), returns.c.returned_on < last)
        .order_by(returns.c.returned_on, returns.c.id)
        .limit(limit)
    )
    return list(connection.scalars(statement))


def end_unused_returns(task: Task[EndUnusedReturns], tx: Transaction) -> Done:
    """Let what nobody used expire."""
    book = ReturnBook.of(tx)
    tx.flush()
    ids = unused_returns(tx.connection, task.occurred_on, task.command.limit)
    book.load(ids)
    events = []
    for one in (book.get(id_) for id_ in ids):
        if one.status != "authorised":
            continue
        one.step_to("expired")
        book.changed(one, task.audit_id)
        told = {"number": one.number, "status": one.status}
        events.append(Event("ReturnExpired", "return", one.id, one.version, told))
    return Done({"expired": len(events)}, tuple(events))


def reverse_return_receipts(
    tasks: Sequence[Task[ReverseReturnReceipt]], tx: Transaction
) -> Sequence[Done | DomainError]:
    """Let the goods leave again, with their value, and wait for them as authorised."""
    book, ledger, costs = ReturnBook.of(tx), Ledger.of(tx), Costs.of(tx)
    book.load(task.command.return_id for task in tasks)
    found = [one for task in tasks if (one := book.find(task.command.return_id)) is not None]
    tx.flush()
    refundable = Refundable(tx.connection, (one.order_id for one in found if one.order_id is not None))
    OrdersOfReturns(tx, found)
    came = StandingMoves(tx.connection, "return", (one.id for one in found))
    lines = [line for one in found for line in one.lines.values()]
    ledger.load(pending(line, lot_id) for line in lines for lot_id, _ in line.parts)
    costs.load({line.item_id for line in lines})
    outcomes: list[Done | DomainError] = []
    for task in tasks:
        try:
            outcomes.append(_reverse(task, tx, book, ledger, costs, refundable, came))
        except DomainError as error:
            outcomes.append(error)
    return outcomes


def _reverse(
    task: Task[ReverseReturnReceipt],
    tx: Transaction,
    book: ReturnBook,
    ledger: Ledger,
    costs: Costs,
    refundable: Refundable,
    came: StandingMoves,
) -> Done:
    Reasons.of(tx).require(REASONS, task.command.reason_code)
    one = book.get(task.command.return_id)
    before = one.status
    one.step_to("authorised")
    costs.require(_leaving(one.lines.values()))
    ledger.post(list(_moves(task, one, came)))
    units = 0
    for line in one.lines.values():
        units += line.quantity
        source = CostSource("reversal", "return", one.id, task.occurred_on, task.audit_id, line.id)
        costs.issue(line.item_id, line.quantity, source)
        _as_authorised(line, refundable)
    book.changed(one, task.audit_id)
    book.returns_on(task.occurred_on)
    told = {"number": one.number, "status": one.status, "units": units, "reason": task.command.reason_code}
    event = Event("ReturnReceiptReversed", "return", one.id, one.version, told)
    return Done(told, (event,), before={"status": before}, after=told)


def _leaving(lines: Iterable[Line]) -> dict[UUID, int]:
    leaving: dict[UUID, int] = {}
    for line in lines:
        leaving[line.item_id] = leaving.get(line.item_id, 0) + line.quantity
    return leaving


def _moves(task: Task[ReverseReturnReceipt], one: Return, came: StandingMoves) -> Iterable[Move]:
    for line in one.lines.values():
        for lot_id, units in line.parts:
            yield Move(
                "reversal",
                pending(line, lot_id),
                Bucket.of(line.item_id, CUSTOMER, VIRTUAL, lot_id),
                units,
                "return",
                one.id,
                task.occurred_at,
                task.audit_id,
                task.command.reason_code,
                came.take(one.id, line.item_id, lot_id, units),
            )


def _as_authorised(line: Line, refundable: Refundable) -> None:
    """What was authorised holds again; of the refund, what nobody was given meanwhile."""
    was = line.authorised or {}
    line.quantity = was.get("quantity") or line.quantity
    refund = was.get("refund") or 0
    if line.order_line_id in refundable.lines:
        given = refundable.given(line.order_line_id)
        given.refunded -= line.refund
        refund = min(refund, refundable.left(line.order_line_id))
        given.refunded += refund
    line.refund = refund
    line.cost = was.get("cost")
    line.condition = line.packaging = line.resale_eligible = line.rule = line.rule_because = None
    line.lots = line.authorised = None
