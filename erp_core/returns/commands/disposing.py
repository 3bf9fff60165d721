"""Disposition: the decision is the stock move, the cost and the refund."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from uuid import UUID

from sqlalchemy import Connection, select

from erp_core.finance.costs import CostEvent, Costs, CostSource
from erp_core.gate.contract import Asked, DomainError, Done, Event, Facts, NotFound, Task, Transaction
from erp_core.gate.statuses import require_step
from erp_core.inventory.ledger import Bucket, Ledger, Move
from erp_core.inventory.lots.book import LotBook
from erp_core.inventory.rules import VIRTUAL, State
from erp_core.master.queries.reasons import Reasons
from erp_core.master.virtual import LOSS, SUPPLIER
from erp_core.returns.book import Line, Return, ReturnBook
from erp_core.returns.commands.wishes import DisposedLine, DisposeReturn
from erp_core.returns.errors import LineNotInspected, OverrideNeedsReason
from erp_core.returns.following import OrdersOfReturns
from erp_core.returns.model import return_lines
from erp_core.returns.rules import DISPOSITION_BY_CONDITION, DISPOSITION_STEPS, UNDECIDED
from erp_core.storage.lookup import AnyRow, fetch_in

_STATES: Mapping[str, State] = {
    UNDECIDED: "return_pending",
    "refurbish": "refurbishing",
    "quarantine": "quarantined",
    "restock": "available",
}
_OUTSIDE: Mapping[str, UUID] = {"vendor_return": SUPPLIER, "write_off": LOSS}

_DECIDABLE = select(
    return_lines.c.return_id,
    return_lines.c.id,
    return_lines.c.condition,
    return_lines.c.disposition,
    return_lines.c.refund,
    return_lines.c.cost,
)


def choose(condition: str | None, current: str | None, wanted: DisposedLine | None) -> str:
    """The disposition of a line: the rule's for its condition, or another one with a reason.

    Raises `LineNotInspected`, `OverrideNeedsReason` or `IllegalTransition`.
    """
    if condition is None:
        raise LineNotInspected("the line was not inspected", field="lines", remedy="inspect the return first")
    rule = DISPOSITION_BY_CONDITION[condition]
    chosen = rule if wanted is None or wanted.disposition is None else wanted.disposition
    require_step(DISPOSITION_STEPS, current or UNDECIDED, chosen, "the line")
    if current is None and chosen != rule and (wanted is None or wanted.reason_code is None):
        raise OverrideNeedsReason(
            f"goods that are {condition.replace('_', ' ')} go to {rule.replace('_', ' ')}",
            field="lines.reason_code",
            remedy=f"give a reason for {chosen.replace('_', ' ')}, or leave the disposition out",
        )
    return chosen


def disposition_facts(
    asked: Sequence[Asked[DisposeReturn]], connection: Connection
) -> Sequence[Facts | DomainError]:
    """`amount` is what is refunded and written off; `disposition` lists what is decided.

    Goods of unknown cost count with their refund, so that nothing escapes its limit.
    """
    ids = [one.command.return_id for one in asked]
    rows: dict[UUID, list[AnyRow]] = {id_: [] for id_ in ids}
    for row in fetch_in(connection, _DECIDABLE, return_lines.c.return_id, ids):
        rows[row.return_id].append(row)
    found: list[Facts | DomainError] = []
    for one in asked:
        try:
            found.append(_facts(one.command, rows[one.command.return_id]))
        except DomainError as error:
            found.append(error)
    return found


def _facts(command: DisposeReturn, rows: Sequence[AnyRow]) -> Facts:
    if not rows:
        raise NotFound("there is no such return", field="return_id", remedy="look it up by its number")
    named = {part.return_line_id: part for part in command.lines}
    refund, written_off, dispositions = 0, 0, set()
    for row in rows:
        if row.disposition is not None and row.id not in named:
            continue
        chosen = choose(row.condition, row.disposition, named.get(row.id))
        dispositions.add(chosen)
        refund += row.refund if row.disposition is None else 0
        if chosen == "write_off":
            written_off += row.refund if row.cost is None else row.cost
    return {
        "amount": refund + written_off,
        "refund": refund,
        "written_off": written_off,
        "disposition": sorted(dispositions),
    }


def dispose_returns(tasks: Sequence[Task[DisposeReturn]], tx: Transaction) -> Sequence[Done | DomainError]:
    """Move the goods and their cost to where the decision sends them."""
    book, ledger, costs = ReturnBook.of(tx), Ledger.of(tx), Costs.of(tx)
    book.load(task.command.return_id for task in tasks)
    found = [one for task in tasks if (one := book.find(task.command.return_id)) is not None]
    following = OrdersOfReturns(tx, found)
    lines = [line for one in found for line in one.lines.values()]
    ledger.load(
        {
            _bucket(line, at, lot_id)
            for line in lines
            for at in (line.disposition or UNDECIDED, "restock")
            for lot_id, _ in line.parts
        }
    )
    lots = LotBook.of(tx)
    lots.read({lot_id for line in lines for lot_id, _ in line.parts})
    costs.load({line.item_id for line in lines})
    outcomes: list[Done | DomainError] = []
    for task in tasks:
        try:
            for part in task.command.lines:
                if part.reason_code is not None:
                    Reasons.of(tx).require(
                        "disposition_override", part.reason_code, field="lines.reason_code"
                    )
            outcomes.append(_dispose(task, book, ledger, costs, lots, following))
        except DomainError as error:
            outcomes.append(error)
    ledger.announce()
    return outcomes


def _dispose(
    task: Task[DisposeReturn],
    book: ReturnBook,
    ledger: Ledger,
    costs: Costs,
    lots: LotBook,
    following: OrdersOfReturns,
) -> Done:
    one = book.get(task.command.return_id)
    before = one.status
    if before in ("authorised", "received"):
        one.step_to("disposed")
    chosen = _decisions(one, task.command)
    leaving: dict[UUID, int] = {}
    for line, disposition in chosen:
        if disposition in _OUTSIDE:
            leaving[line.item_id] = leaving.get(line.item_id, 0) + line.quantity
    sold_again = {
        lot_id for line, disposition in chosen if disposition == "restock" for lot_id, _ in line.parts
    }
    lots.require_good(sold_again, task.occurred_on)
    costs.require(leaving)
    ledger.post([move for line, disposition in chosen for move in _moves(line, disposition, task)])
    refund = sum(line.refund for line, _ in chosen if line.disposition is None)
    for line, disposition in chosen:
        _settle(line, disposition, task, costs)
    if before == "inspected":
        one.step_to("disposed")
    book.changed(one, task.audit_id)
    book.returns_on(task.occurred_on)
    decided = {str(line.line_no): disposition for line, disposition in chosen}
    result = {"number": one.number, "status": one.status, "dispositions": decided, "refund": refund}
    event = Event("ReturnDisposed", "return", one.id, one.version, result)
    steps = following.follow(one, task.occurred_at)
    return Done(result=result, events=(event, *steps), before={"status": before}, after=result)


def _decisions(one: Return, command: DisposeReturn) -> list[tuple[Line, str]]:
    named = {one.line(part.return_line_id).id: part for part in command.lines}
    chosen = [
        (line, choose(line.condition, line.disposition, named.get(line.id)))
        for line in one.lines.values()
        if line.disposition is None or line.id in named
    ]
    if not chosen:
        one.step_to("disposed")
    return chosen


def _bucket(line: Line, disposition: str, lot_id: UUID) -> Bucket:
    if disposition in _OUTSIDE:
        return Bucket.of(line.item_id, _OUTSIDE[disposition], VIRTUAL, lot_id)
    return Bucket.of(line.item_id, line.location_id, _STATES[disposition], lot_id)


def _moves(line: Line, disposition: str, task: Task[DisposeReturn]) -> Iterator[Move]:
    for lot_id, units in line.parts:
        yield Move(
            "disposition",
            _bucket(line, line.disposition or UNDECIDED, lot_id),
            _bucket(line, disposition, lot_id),
            units,
            "return",
            line.return_id,
            task.occurred_at,
            task.audit_id,
            reason=disposition,
        )


def _settle(line: Line, disposition: str, task: Task[DisposeReturn], costs: Costs) -> None:
    """Follow the goods with their value. What is still being worked on has regained nothing yet."""
    line.disposition, line.disposed_on = disposition, task.occurred_on
    if disposition in _OUTSIDE:
        kind: CostEvent = "write_off" if disposition == "write_off" else "adjustment"
        source = CostSource(kind, "return", line.return_id, task.occurred_on, task.audit_id, line.id)
        value = costs.issue(line.item_id, line.quantity, source)
        line.recovered, line.written_off = (0, value) if disposition == "write_off" else (value, 0)
    elif disposition == "restock":
        line.recovered, line.written_off = line.cost, 0
