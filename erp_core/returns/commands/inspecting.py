"""Inspection: what was found of each line, and where the rule sends it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from erp_core.gate.contract import DomainError, Done, Event, Task, Transaction
from erp_core.inventory.lots.book import LotBook
from erp_core.inventory.lots.rules import HELD, RECALLED
from erp_core.inventory.rules import NO_LOT
from erp_core.returns.book import Line, ReturnBook
from erp_core.returns.commands.wishes import InspectedLine, InspectReturn
from erp_core.returns.errors import LineNotInspected
from erp_core.returns.following import OrdersOfReturns
from erp_core.returns.rules.disposition import Found, LotState, disposition_for
from erp_core.returns.terms import Terms


def inspect_returns(tasks: Sequence[Task[InspectReturn]], tx: Transaction) -> Sequence[Done | DomainError]:
    """Record what was found and the rule's disposition; nothing moves."""
    book, lots = ReturnBook.of(tx), LotBook.of(tx)
    book.load(task.command.return_id for task in tasks)
    found = [one for task in tasks if (one := book.find(task.command.return_id)) is not None]
    following = OrdersOfReturns(tx, found)
    lines = [line for one in found for line in one.lines.values()]
    lots.read({lot_id for line in lines for lot_id, _ in line.parts})
    terms = Terms(tx.connection, (line.item_id for line in lines))
    outcomes: list[Done | DomainError] = []
    for task in tasks:
        try:
            outcomes.append(_inspect(task, book, lots, terms, following))
        except DomainError as error:
            outcomes.append(error)
    return outcomes


def _inspect(
    task: Task[InspectReturn], book: ReturnBook, lots: LotBook, terms: Terms, following: OrdersOfReturns
) -> Done:
    one = book.get(task.command.return_id)
    findings = {one.line(part.return_line_id).id: part for part in task.command.lines}
    missing = [line.line_no for line in one.lines.values() if line.id not in findings]
    if missing:
        raise LineNotInspected(
            f"lines {', '.join(map(str, missing))} of return {one.number} have no condition",
            field="lines",
            remedy="inspect all lines of a return together",
        )
    before = one.status
    one.step_to("inspected")
    for line_id, part in findings.items():
        line = one.lines[line_id]
        _judge(line, part, terms, worst_lot(lots, line, task.occurred_on))
    book.changed(one, task.audit_id)
    lines = one.lines.values()
    result = {
        "number": one.number,
        "status": one.status,
        "conditions": {str(line.line_no): line.condition for line in lines},
        "rules": {str(line.line_no): line.rule for line in lines},
        "because": {str(line.line_no): line.rule_because for line in lines},
    }
    event = Event("ReturnInspected", "return", one.id, one.version, result)
    steps = following.follow(one, task.occurred_at)
    return Done(result=result, events=(event, *steps), before={"status": before}, after=result)


def worst_lot(lots: LotBook, line: Line, on: date) -> LotState:
    """The worst of what may not be sold of a line's lots, on a day."""
    found = [lots.get(lot_id) for lot_id, _ in line.parts if lot_id != NO_LOT]
    if any(lot.status == RECALLED or (lot.status == HELD and not lot.expired(on)) for lot in found):
        return "held"
    return "good" if all(lot.promisable(on) for lot in found) else "expired"


def _judge(line: Line, part: InspectedLine, terms: Terms, lot: LotState) -> None:
    found = Found(
        part.condition,
        part.packaging,
        part.resale_eligible,
        terms.of(line.channel_id, line.item_id).resale,
        lot,
    )
    verdict = disposition_for(found)
    line.condition, line.packaging, line.resale_eligible = part.condition, found.wrapping, found.resalable
    line.rule, line.rule_because = verdict.disposition, verdict.because
