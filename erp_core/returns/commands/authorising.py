"""Authorising returns: within the terms, never more than was shipped, never more money than was paid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import Connection

from erp_core.gate.contract import Asked, DomainError, Done, Event, Facts, NotFound, Task, Transaction
from erp_core.master.queries import list_locations
from erp_core.master.queries.reasons import Reasons
from erp_core.orders.queries import OrderLine
from erp_core.returns.book import Line, Return, ReturnBook
from erp_core.returns.commands.wishes import AuthorisedLine, AuthoriseReturn
from erp_core.returns.customers import Customers
from erp_core.returns.errors import (
    OutsideWindow,
    ReasonNotAccepted,
    RefundExceedsPaid,
    ReturnExceedsShipped,
    ReturnExists,
)
from erp_core.returns.model import return_lines, returns
from erp_core.returns.refundable import Refundable
from erp_core.returns.rules import Behaviour, Risk, judge_risk, returnable, share_of
from erp_core.returns.rules.terms import ReturnTerms, Window
from erp_core.returns.terms import Terms
from erp_core.storage.ids import short_number
from erp_core.storage.lookup import there
from erp_core.storage.types import money_text

OVERRIDE = "return_override"


class _Shelf:
    """What a batch of authorisations looks at: lines sold, what came back, terms, places, customers, ids in use."""

    def __init__(self, connection: Connection, commands: Sequence[AuthoriseReturn]) -> None:
        self.refundable = Refundable(connection, (command.order_id for command in commands))
        self.sold: Mapping[UUID, OrderLine] = self.refundable.lines
        self.terms = Terms(connection, (line.item_id for line in self.sold.values()))
        self.customers = Customers(connection, (command.order_id for command in commands))
        self.places = {location.id for location in list_locations(connection)}
        self.taken = _taken(connection, commands)

    def terms_of(self, sold: OrderLine) -> ReturnTerms:
        """The terms that hold for an order line."""
        return self.terms.of(sold.channel_id, sold.item_id)


def authorisation_facts(
    asked: Sequence[Asked[AuthoriseReturn]], connection: Connection
) -> Sequence[Facts | DomainError]:
    """`override` says that it goes against the terms or what was shipped."""
    return [{"override": one.command.override_reason is not None} for one in asked]


def authorise_returns(
    tasks: Sequence[Task[AuthoriseReturn]], tx: Transaction
) -> Sequence[Done | DomainError]:
    """Open returns; nothing moves yet."""
    tx.flush()
    book = ReturnBook.of(tx)
    shelf = _Shelf(tx.connection, [task.command for task in tasks])
    outcomes: list[Done | DomainError] = []
    for task in tasks:
        try:
            _check_reasons(task.command, tx)
            new = _authorise(task, shelf)
        except DomainError as error:
            outcomes.append(error)
            continue
        book.add(new)
        book.returns_on(task.occurred_on)
        shelf.taken.update((new.id, new.number, *new.lines))
        units = sum(line.quantity for line in new.lines.values())
        result = {
            "return_id": str(new.id),
            "number": new.number,
            "units": units,
            "risk_score": new.risk_score,
            "risk_reasons": [one["text"] for one in new.risk_reasons or ()],
        }
        told = {name: result[name] for name in ("return_id", "number", "units")}
        event = Event("ReturnAuthorised", "return", new.id, new.version, told)
        after = {"status": new.status, "units": units, "override_reason": new.override_reason}
        outcomes.append(Done(result=result, events=(event,), after=after))
    return outcomes


def _check_reasons(command: AuthoriseReturn, tx: Transaction) -> None:
    reasons = Reasons.of(tx)
    for line in command.lines:
        reasons.require("return", line.reason_code, field="lines.reason_code")
    if command.override_reason is not None:
        reasons.require(OVERRIDE, command.override_reason, field="override_reason")


def _authorise(task: Task[AuthoriseReturn], shelf: _Shelf) -> Return:
    command = task.command
    number = command.number or short_number("RMA", command.return_id)
    ids = [line.return_line_id for line in command.lines]
    if not shelf.taken.isdisjoint((command.return_id, number, *ids)) or len(set(ids)) < len(ids):
        raise ReturnExists(
            f"return {number}, or a line of it, is there already",
            field="return_id",
            remedy="use new ids and number",
        )
    if command.location_id is not None and command.location_id not in shelf.places:
        raise NotFound(
            "there is no such location", field="location_id", remedy="choose a place that holds stock"
        )
    beyond = _check_quantities(command, shelf)
    windows = _check_terms(task, shelf)
    refunds = _refunds(command, shelf)
    risk = _risk(task, shelf, windows, beyond, sum(refunds))
    for wanted, refund in zip(command.lines, refunds, strict=True):
        given = shelf.refundable.given(wanted.order_line_id)
        given.units += wanted.quantity
        given.refunded += refund
    first = shelf.sold[command.lines[0].order_line_id]
    return Return(
        id=command.return_id,
        number=number,
        order_id=command.order_id,
        channel_id=first.channel_id,
        customer_country=first.customer_country,
        status="authorised",
        returned_on=task.occurred_on,
        known_on=task.occurred_on,
        version=1,
        import_id=None,
        audit_id=task.audit_id,
        override_reason=command.override_reason,
        risk_score=risk.score,
        risk_reasons=[{"code": one.code, "points": one.points, "text": one.text} for one in risk.reasons],
        lines={
            wanted.return_line_id: _line(task, position, wanted, shelf.sold[wanted.order_line_id], refund)
            for position, (wanted, refund) in enumerate(zip(command.lines, refunds, strict=True), start=1)
        },
    )


def _check_quantities(command: AuthoriseReturn, shelf: _Shelf) -> int:
    """Check all lines against what was shipped, lines of the same order line together. Gives the units beyond."""
    wanted: dict[UUID, int] = {}
    for line in command.lines:
        wanted[line.order_line_id] = wanted.get(line.order_line_id, 0) + line.quantity
    beyond = 0
    for order_line_id, quantity in wanted.items():
        sold = shelf.sold.get(order_line_id)
        if sold is None or sold.order_id != command.order_id:
            raise NotFound(
                "the order has no such line", field="lines.order_line_id", remedy="use a line of this order"
            )
        still = returnable(sold.shipped_quantity, shelf.refundable.given(order_line_id).units)
        beyond += max(quantity - still, 0)
        if quantity > still and command.override_reason is None:
            raise ReturnExceedsShipped(
                f"{quantity} units would come back of a line of which {still} still may",
                field="lines.quantity",
                remedy=f"authorise {still} or less, or give an override reason"
                if still
                else "nothing of this line can come back without an override reason",
                shipped=sold.shipped_quantity,
                returnable=still,
            )
    return beyond


def _check_terms(task: Task[AuthoriseReturn], shelf: _Shelf) -> list[Window]:
    """Check window and reason of each line. Gives the windows, in the order of the lines."""
    windows = []
    for line in task.command.lines:
        sold = shelf.sold[line.order_line_id]
        terms = shelf.terms_of(sold)
        window = terms.window(sold.shipped_on, line.reason_code)
        windows.append(window)
        if task.command.override_reason is not None:
            continue
        if not terms.accept(line.reason_code):
            accepted = sorted(terms.reasons or ())
            raise ReasonNotAccepted(
                f"goods like these do not come back for {line.reason_code.replace('_', ' ')}",
                field="lines.reason_code",
                remedy=f"accepted are faults and {', '.join(accepted) or 'nothing else'}; or give an override reason",
                accepted=accepted,
            )
        if not window.holds(task.occurred_on):
            raise OutsideWindow(
                f"goods may come back for {window.days} days, these until {window.last_on or 'nobody knows when'}",
                field="lines.order_line_id",
                remedy="give an override reason to let it be decided on",
                window_days=window.days,
                shipped_on=sold.shipped_on,
                last_on=window.last_on,
            )
    return windows


def _refunds(command: AuthoriseReturn, shelf: _Shelf) -> list[int]:
    """What each line gives back. Units that were not shipped were not paid either.

    Raises `RefundExceedsPaid` where more is asked for than is left of what was paid for the order line.
    """
    left: dict[UUID, int] = {}
    refunds = []
    for line in command.lines:
        sold = shelf.sold[line.order_line_id]
        still = left.setdefault(sold.id, shelf.refundable.left(sold.id))
        refund = min(line.quantity * sold.unit_price, still) if line.refund is None else line.refund
        if refund > still:
            raise RefundExceedsPaid(
                f"{money_text(refund)} would be paid back of a line of which {money_text(still)} still may",
                field="lines.refund",
                remedy=f"give {money_text(still)} or less",
                paid=shelf.refundable.paid(sold.id),
                refundable=still,
            )
        left[sold.id] = still - refund
        refunds.append(refund)
    return refunds


def _risk(
    task: Task[AuthoriseReturn], shelf: _Shelf, windows: Sequence[Window], beyond: int, refund: int
) -> Risk:
    on = task.occurred_on
    habits = shelf.customers.of(task.command.order_id)
    closing = [((window.last_on - on).days, window.days) for window in windows if window.last_on is not None]
    days_left, window_days = min(closing, default=(None, 0))
    return judge_risk(
        Behaviour(
            units_bought=None if habits is None else habits.units_bought(on),
            units_returned=None if habits is None else habits.units_returned(on),
            returns_lately=None if habits is None else habits.returns_lately(on),
            worse_than_said=None if habits is None else habits.worse_than_said(on),
            days_left=days_left,
            window_days=window_days,
            beyond_shipped=beyond,
            refund=refund,
            usual_order=None if habits is None else habits.usual_order(on),
        )
    )


def _line(
    task: Task[AuthoriseReturn], line_no: int, wanted: AuthorisedLine, sold: OrderLine, refund: int
) -> Line:
    command = task.command
    return Line(
        id=wanted.return_line_id,
        return_id=command.return_id,
        line_no=line_no,
        order_line_id=sold.id,
        item_id=sold.item_id,
        location_id=command.location_id or sold.location_id,
        channel_id=sold.channel_id,
        customer_country=sold.customer_country,
        returned_on=task.occurred_on,
        shipped_on=sold.shipped_on,
        quantity=wanted.quantity,
        reason=wanted.reason_code,
        refund=refund,
        cost=share_of(sold.cost, wanted.quantity, sold.shipped_quantity),
        comment=command.comment,
    )


def _taken(connection: Connection, commands: Sequence[AuthoriseReturn]) -> set[UUID | str]:
    names = [command.number or short_number("RMA", command.return_id) for command in commands]
    parts = [line.return_line_id for command in commands for line in command.lines]
    return (
        there(connection, returns.c.id, (command.return_id for command in commands))
        | there(connection, returns.c.number, names)
        | there(connection, return_lines.c.id, parts)
    )
