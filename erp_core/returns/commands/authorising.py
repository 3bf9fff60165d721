"""Authorising returns: never more than was shipped and has not come back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import Connection, func, select

from erp_core.gate.contract import DomainError, Done, Event, NotFound, Task, Transaction
from erp_core.inventory.locks import lock_names
from erp_core.master.queries import list_locations, visible
from erp_core.master.queries.reasons import Reasons
from erp_core.orders.queries import OrderLine, order_lines_by_id
from erp_core.returns.book import Line, Return, ReturnBook
from erp_core.returns.commands.wishes import AuthorisedLine, AuthoriseReturn
from erp_core.returns.errors import ReturnExceedsShipped, ReturnExists
from erp_core.returns.model import return_lines, returns
from erp_core.returns.rules import returnable, share_of
from erp_core.storage.ids import short_number
from erp_core.storage.lookup import fetch_in, there

_RETURNED = (
    select(return_lines.c.order_line_id, func.sum(return_lines.c.quantity))
    .where(visible(return_lines.c.import_id))
    .group_by(return_lines.c.order_line_id)
)


class _Shelf:
    """What a batch of authorisations looks at: lines sold, units returned, places, ids in use."""

    def __init__(self, connection: Connection, commands: Sequence[AuthoriseReturn]) -> None:
        sold = [line.order_line_id for command in commands for line in command.lines]
        lock_names(connection, (f"returns of {command.order_id}" for command in commands))
        self.sold: Mapping[UUID, OrderLine] = order_lines_by_id(connection, sold)
        self.returned = _returned(connection, sold)
        self.places = {location.id for location in list_locations(connection)}
        self.taken = _taken(connection, commands)


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
            for line in task.command.lines:
                Reasons.of(tx).require("return", line.reason_code, field="lines.reason_code")
            new = _authorise(task, shelf)
        except DomainError as error:
            outcomes.append(error)
            continue
        book.add(new)
        book.returns_on(task.occurred_on)
        shelf.taken.update((new.id, new.number, *new.lines))
        units = sum(line.quantity for line in new.lines.values())
        result = {"return_id": str(new.id), "number": new.number, "units": units}
        event = Event("ReturnAuthorised", "return", new.id, new.version, result)
        outcomes.append(Done(result=result, events=(event,), after={"status": new.status, "units": units}))
    return outcomes


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
    _check_quantities(command, shelf)
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
        lines={
            wanted.return_line_id: _line(task, position, wanted, shelf.sold[wanted.order_line_id])
            for position, wanted in enumerate(command.lines, start=1)
        },
    )


def _check_quantities(command: AuthoriseReturn, shelf: _Shelf) -> None:
    """Check all lines against what was shipped, lines of the same order line together; then count them."""
    wanted: dict[UUID, int] = {}
    for line in command.lines:
        wanted[line.order_line_id] = wanted.get(line.order_line_id, 0) + line.quantity
    for order_line_id, quantity in wanted.items():
        sold = shelf.sold.get(order_line_id)
        if sold is None or sold.order_id != command.order_id:
            raise NotFound(
                "the order has no such line", field="lines.order_line_id", remedy="use a line of this order"
            )
        still = returnable(sold.shipped_quantity, shelf.returned.get(order_line_id, 0))
        if quantity > still:
            raise ReturnExceedsShipped(
                f"{quantity} units would come back of a line of which {still} still may",
                field="lines.quantity",
                remedy=f"authorise {still} or less" if still else "nothing of this line can come back",
                shipped=sold.shipped_quantity,
                returnable=still,
            )
    for order_line_id, quantity in wanted.items():
        shelf.returned[order_line_id] = shelf.returned.get(order_line_id, 0) + quantity


def _line(task: Task[AuthoriseReturn], line_no: int, wanted: AuthorisedLine, sold: OrderLine) -> Line:
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
        refund=wanted.quantity * sold.unit_price if wanted.refund is None else wanted.refund,
        cost=share_of(sold.cost, wanted.quantity, sold.shipped_quantity),
        comment=command.comment,
    )


def _returned(connection: Connection, order_line_ids: Sequence[UUID]) -> dict[UUID, int]:
    rows = fetch_in(connection, _RETURNED, return_lines.c.order_line_id, order_line_ids)
    return {order_line_id: int(units) for order_line_id, units in map(tuple, rows)}


def _taken(connection: Connection, commands: Sequence[AuthoriseReturn]) -> set[UUID | str]:
    names = [command.number or short_number("RMA", command.return_id) for command in commands]
    parts = [line.return_line_id for command in commands for line in command.lines]
    return (
        there(connection, returns.c.id, (command.return_id for command in commands))
        | there(connection, returns.c.number, names)
        | there(connection, return_lines.c.id, parts)
    )
