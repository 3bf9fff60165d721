"""Past returns that an import brings: closed, without stock moves and without a known disposition."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Connection

from erp_core.returns.model import return_lines, returns
from erp_core.storage.columnar import insert_columns
from erp_core.storage.derived import line_id


class PastReturnLine(NamedTuple):
    """What came back. `order_line_id` and `shipped_on` are None where the sale is not known."""

    line_no: int
    order_line_id: UUID | None
    item_id: UUID
    location_id: UUID
    shipped_on: date | None
    quantity: int
    refund: int
    reason: str
    condition: str | None = None
    disposition: str | None = None
    disposed_on: date | None = None


class PastReturn(NamedTuple):
    """A return that is history. Its id is a `derived_id`."""

    id: UUID
    number: str
    order_id: UUID | None
    channel_id: UUID
    customer_country: str
    returned_on: date
    known_on: date
    lines: Sequence[PastReturnLine]


def write_past_returns(
    connection: Connection, past: Sequence[PastReturn], *, import_id: UUID, audit_id: UUID
) -> None:
    """Write returns and their lines; money in ten-thousandths. Recovery and write-off stay unknown."""
    if not past:
        return
    insert_columns(
        connection,
        returns,
        {
            "id": [one.id for one in past],
            "number": [one.number for one in past],
            "order_id": [one.order_id for one in past],
            "channel_id": [one.channel_id for one in past],
            "customer_country": [one.customer_country for one in past],
            "status": "disposed",
            "returned_on": [one.returned_on for one in past],
            "known_on": [one.known_on for one in past],
            "version": 1,
            "import_id": import_id,
            "audit_id": audit_id,
        },
    )
    rows = [(one, line) for one in past for line in one.lines]
    insert_columns(
        connection,
        return_lines,
        {
            "id": [line_id(one.id, line.line_no) for one, line in rows],
            "return_id": [one.id for one, _ in rows],
            "channel_id": [one.channel_id for one, _ in rows],
            "customer_country": [one.customer_country for one, _ in rows],
            "returned_on": [one.returned_on for one, _ in rows],
            "import_id": import_id,
            **{name: [getattr(line, name) for _, line in rows] for name in PastReturnLine._fields},
        },
    )
