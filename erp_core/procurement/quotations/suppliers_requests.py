"""What a supplier sees of requests for quotation: what it is asked itself and what it answered, nobody else's answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import Connection, select

from erp_core.master.model import items, locations
from erp_core.procurement.model.quotations import quotation_invitations, quotation_requests
from erp_core.procurement.quotations.reading import read_requests
from erp_core.procurement.quotations.rules import Answer, QuotedTerms
from erp_core.storage.lookup import fetch_in


@dataclass(frozen=True, slots=True)
class SuppliersRequestLine:
    """Units of an item that a supplier is asked to quote."""

    id: UUID
    line_no: int
    sku: str
    item_name: str
    quantity: int
    need_by: date | None


@dataclass(frozen=True, slots=True)
class SuppliersRequest:
    """A request as the supplier sees it; `quoted` is its own last answer."""

    id: UUID
    number: str
    status: str
    deadline_on: date
    deliver_to: str
    answer: Answer
    valid_until: date | None
    lines: Sequence[SuppliersRequestLine]
    quoted: Sequence[QuotedTerms]


def suppliers_requests(
    connection: Connection, supplier_id: UUID, *, limit: int = 100
) -> tuple[SuppliersRequest, ...]:
    """The requests that the supplier was asked to answer, the latest first."""
    request, asked = quotation_requests.c, quotation_invitations.c
    statement = (
        select(request.id, locations.c.name)
        .join(quotation_invitations, asked.request_id == request.id)
        .join(locations, locations.c.id == request.location_id)
        .where(asked.supplier_id == supplier_id)
        .order_by(request.requested_on.desc(), request.id.desc())
        .limit(limit)
    )
    places = {row.id: row.name for row in connection.execute(statement)}
    found = read_requests(connection, places)
    item_ids = {line.item_id for one in found.values() for line in one.lines}
    named = {
        row.id: row
        for row in fetch_in(connection, select(items.c.id, items.c.sku, items.c.name), items.c.id, item_ids)
    }
    shown = []
    for id_, place in places.items():
        one, invited = found[id_], found[id_].invitation(supplier_id)
        quotation = None if invited is None else invited.quotation
        shown.append(
            SuppliersRequest(
                id_,
                one.request.number,
                one.request.status,
                one.request.deadline_on,
                place,
                "waiting" if invited is None else invited.answer,
                None if quotation is None else quotation.valid_until,
                [
                    SuppliersRequestLine(
                        line.id,
                        line.line_no,
                        named[line.item_id].sku,
                        named[line.item_id].name,
                        line.quantity,
                        line.need_by,
                    )
                    for line in one.lines
                ],
                () if quotation is None else quotation.lines,
            )
        )
    return tuple(shown)
