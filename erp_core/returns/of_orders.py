"""Reads of what came back of an order."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import Connection, select

from erp_core.master.queries import visible
from erp_core.orders.model import order_lines
from erp_core.procurement.queries.reading import columns_of, records
from erp_core.returns.model import return_lines, returns
from erp_core.returns.queries import ReturnDetail, ReturnHeader, ReturnLine
from erp_core.storage.lookup import fetch_in


def returns_of(connection: Connection, order_id: UUID) -> tuple[ReturnDetail, ...]:
    """The returns of goods of an order, with their lines, the oldest first."""
    line = return_lines.c
    mine = select(order_lines.c.id).where(order_lines.c.order_id == order_id)
    found = select(line.return_id).where(line.order_line_id.in_(mine))
    headers = records(
        ReturnHeader,
        connection.execute(
            select(*columns_of(ReturnHeader, returns))
            .where(returns.c.id.in_(found), visible(returns.c.import_id))
            .order_by(returns.c.returned_on, returns.c.number)
        ),
    )
    lines: dict[UUID, list[ReturnLine]] = {one.id: [] for one in headers}
    statement = select(line.return_id, *columns_of(ReturnLine, return_lines)).order_by(line.line_no)
    for return_id, *values in fetch_in(connection, statement, line.return_id, lines):
        lines[return_id].append(ReturnLine(*values))
    return tuple(ReturnDetail(one, tuple(lines[one.id])) for one in headers)
