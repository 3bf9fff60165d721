"""Disposition: the decision is the stock move, the cost and the refund."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from erp_core.finance.costs import CostEvent, Costs, CostSource
from erp_core.gate.contract import DomainError, Done, Event, Task, Transaction
from erp_core.inventory.ledger import Bucket, Ledger, Move
from erp_core.inventory.lots.book import LotBook
from erp_core.inventory.rules import VIRTUAL, State
from erp_core.master.queries.reasons import Reasons
from erp_core.master.virtual import LOSS, SUPPLIER
from erp_core.orders.documents import SalesDocuments
from erp_core.orders.rules.documents import Refund, RefundLine
from erp_core.returns.book import Claim, Decision, Line, Return, ReturnBook
from erp_core.returns.commands.choosing import choose
from erp_core.returns.commands.claims import claim_opened
from erp_core.returns.commands.wishes import DisposeReturn
from erp_core.returns.following import OrdersOfReturns
from erp_core.returns.rules import UNDECIDED
from erp_core.returns.vendors import Vendor, vendors_of

_STATES: Mapping[str, State] = {
    UNDECIDED: "return_pending",
    "refurbish": "refurbishing",
    "quarantine": "quarantined",
    "restock": "available",
}
_OUTSIDE: Mapping[str, UUID] = {"vendor_return": SUPPLIER, "write_off": LOSS}


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
    documents = SalesDocuments.of(tx)
    documents.load_invoiced(
        {line.order_line_id for line in lines if line.order_line_id is not None and line.disposition is None}
    )
    outcomes: list[Done | DomainError] = []
    for task in tasks:
        try:
            for part in task.command.lines:
                if part.reason_code is not None:
                    Reasons.of(tx).require(
                        "disposition_override", part.reason_code, field="lines.reason_code"
                    )
            outcomes.append(_dispose(task, tx, book, ledger, costs, lots, following))
        except DomainError as error:
            outcomes.append(error)
    ledger.announce()
    return outcomes


def _dispose(
    task: Task[DisposeReturn],
    tx: Transaction,
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
    reasons = {part.return_line_id: part.reason_code for part in task.command.lines}
    tax = _credit(one, [line for line, _ in chosen if line.disposition is None], task, tx)
    refund = sum(line.refund for line, _ in chosen if line.disposition is None)
    against = [line.line_no for line, way in chosen if line.disposition is None and way != line.rule]
    going_back = [line for line, disposition in chosen if disposition == "vendor_return"]
    vendors = vendors_of(tx.connection, lots, going_back)
    claims = []
    for line, disposition in chosen:
        decision = _decision(line, disposition, reasons.get(line.id), one, task, tx.new_id())
        value = _settle(line, disposition, task, costs)
        book.decided(replace(decision, written_off=line.written_off or 0))
        if disposition == "vendor_return":
            claims.append(_claim(line, value, vendors[line.id], task, tx.new_id()))
            book.claimed(claims[-1])
    if before == "inspected":
        one.step_to("disposed")
    book.changed(one, task.audit_id)
    book.returns_on(task.occurred_on)
    decided = {str(line.line_no): disposition for line, disposition in chosen}
    result = {
        "number": one.number,
        "status": one.status,
        "dispositions": decided,
        "refund": refund,
        "refund_tax": tax,
        "claims": [str(claim.id) for claim in claims],
    }
    event = Event("ReturnDisposed", "return", one.id, one.version, result)
    steps = following.follow(one, task.occurred_at)
    after = {**result, "against_rule": against}
    events = (event, *(claim_opened(claim) for claim in claims), *steps)
    return Done(result=result, events=events, before={"status": before}, after=after)


def _credit(one: Return, lines: Sequence[Line], task: Task[DisposeReturn], tx: Transaction) -> int:
    """Give the customer a credit note for what was invoiced of them. Gives the tax that goes back beside the refund."""
    if one.order_id is None:
        return 0
    refunds = [
        RefundLine(line.id, line.order_line_id, line.quantity, line.refund)
        for line in lines
        if line.order_line_id is not None and line.refund
    ]
    refund = Refund(one.id, one.order_id, one.customer_country, refunds)
    return SalesDocuments.of(tx).credit(refund, task.occurred_on, task.audit_id)


def _decisions(one: Return, command: DisposeReturn) -> list[tuple[Line, str]]:
    named = {one.line(part.return_line_id).id: part for part in command.lines}
    chosen = [
        (line, choose(line.rule, line.resale_eligible, line.disposition, named.get(line.id)))
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


def _decision(
    line: Line, way: str, reason: str | None, one: Return, task: Task[DisposeReturn], id_: UUID
) -> Decision:
    first = line.disposition is None
    return Decision(
        id=id_,
        return_id=one.id,
        return_line_id=line.id,
        order_id=one.order_id,
        disposition=way,
        quantity=line.quantity,
        refund=line.refund if first else 0,
        written_off=0,
        against_rule=first and way != line.rule,
        reason=reason,
        occurred_at=task.occurred_at,
        audit_id=task.audit_id,
    )


def _claim(line: Line, expected: int | None, vendor: Vendor, task: Task[DisposeReturn], id_: UUID) -> Claim:
    return Claim(
        id_,
        vendor.supplier_id,
        line.item_id,
        line.quantity,
        expected,
        "open",
        task.occurred_on,
        1,
        task.audit_id,
        return_line_id=line.id,
        po_line_id=vendor.po_line_id,
    )


def _settle(line: Line, disposition: str, task: Task[DisposeReturn], costs: Costs) -> int | None:
    """Follow the goods with their value. Gives what left with them, None while their cost is unknown.

    What is still being worked on has regained nothing yet, nor has what the supplier has not credited.
    """
    line.disposition, line.disposed_on = disposition, task.occurred_on
    if disposition == "restock":
        line.recovered, line.written_off = line.cost, 0
    if disposition not in _OUTSIDE:
        return None
    kind: CostEvent = "write_off" if disposition == "write_off" else "adjustment"
    source = CostSource(
        kind,
        "return",
        line.return_id,
        task.occurred_on,
        task.audit_id,
        line.id,
        contra="claims_receivable" if disposition == "vendor_return" else None,
    )
    value = costs.issue(line.item_id, line.quantity, source)
    if disposition == "write_off":
        line.recovered, line.written_off = 0, value
    return value
