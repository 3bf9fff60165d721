"""Reads of quotations: requests, answers, and what they come to side by side."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import Connection, func, select

from erp_core.master.queries import SupplierItem
from erp_core.procurement.model.quotations import (
    quotation_awards,
    quotation_invitations,
    quotation_lines,
    quotation_request_lines,
    quotation_requests,
    quotations,
)
from erp_core.procurement.ordering.sourcing import SourceOffer, Wanted, compare_offers
from erp_core.procurement.quotations.rules import Answer, Quotation, QuotedTerms, answer_of, latest
from erp_core.storage.lookup import fetch_in


@dataclass(frozen=True, slots=True)
class QuotationRequest:
    """What several suppliers were asked to quote, and until when."""

    id: UUID
    number: str
    location_id: UUID
    deadline_on: date
    status: str
    requested_by: UUID
    requested_on: date
    version: int


@dataclass(frozen=True, slots=True)
class RequestLine:
    """Units of an item that are asked for; `quotation_id` and `po_id` once it was awarded."""

    id: UUID
    line_no: int
    item_id: UUID
    quantity: int
    need_by: date | None
    quotation_id: UUID | None
    po_id: UUID | None


@dataclass(frozen=True, slots=True)
class Invited:
    """A supplier that was asked, and what it answered last."""

    supplier_id: UUID
    answer: Answer
    quotation: Quotation | None


@dataclass(frozen=True, slots=True)
class LineComparison:
    """What a line comes to with each supplier that quotes it and whose quotation holds, the recommended one first."""

    line: RequestLine
    offers: Sequence[SourceOffer]

    @property
    def recommended_id(self) -> UUID | None:
        """The supplier that the comparison recommends; None where nobody's quotation holds."""
        return self.offers[0].supplier_id if self.offers else None


@dataclass(frozen=True, slots=True)
class Asked:
    """A request with its lines and who was asked."""

    request: QuotationRequest
    lines: Sequence[RequestLine]
    invited: Sequence[Invited]

    @property
    def waiting(self) -> bool:
        """Whether somebody who was asked has not answered."""
        return any(one.answer == "waiting" for one in self.invited)

    def line(self, line_id: UUID) -> RequestLine | None:
        """One of its lines, or None."""
        return next((one for one in self.lines if one.id == line_id), None)

    def invitation(self, supplier_id: UUID) -> Invited | None:
        """Who was asked, with the answer; None where the supplier was not."""
        return next((one for one in self.invited if one.supplier_id == supplier_id), None)


_REQUEST = quotation_requests.c
_HEADER = select(
    _REQUEST.id,
    _REQUEST.number,
    _REQUEST.location_id,
    _REQUEST.deadline_on,
    _REQUEST.status,
    _REQUEST.requested_by,
    _REQUEST.requested_on,
    _REQUEST.version,
)


def list_quotation_requests(
    connection: Connection, *, statuses: Collection[str] | None = None, limit: int = 200
) -> list[QuotationRequest]:
    """Requests for quotation, the latest first."""
    statement = _HEADER.order_by(_REQUEST.requested_on.desc(), _REQUEST.id.desc()).limit(limit)
    if statuses is not None:
        statement = statement.where(_REQUEST.status.in_(list(statuses)))
    return [QuotationRequest(*row) for row in connection.execute(statement)]


def read_requests(connection: Connection, ids: Iterable[UUID]) -> dict[UUID, Asked]:
    """These requests in full; those that are not there are left out."""
    headers = {row.id: QuotationRequest(*row) for row in fetch_in(connection, _HEADER, _REQUEST.id, ids)}
    line, award = quotation_request_lines.c, quotation_awards.c
    statement = (
        select(
            line.request_id,
            line.id,
            line.line_no,
            line.item_id,
            line.quantity,
            line.need_by,
            award.quotation_id,
            award.po_id,
        )
        .outerjoin(quotation_awards, award.line_id == line.id)
        .order_by(line.line_no)
    )
    lines: dict[UUID, list[RequestLine]] = {id_: [] for id_ in headers}
    for request_id, *values in fetch_in(connection, statement, line.request_id, headers):
        lines[request_id].append(RequestLine(*values))
    counted = latest_by_request(connection, headers)
    asked = quotation_invitations.c
    invitations = select(asked.request_id, asked.supplier_id).order_by(asked.supplier_id)
    invited: dict[UUID, list[Invited]] = {id_: [] for id_ in headers}
    for request_id, supplier_id in fetch_in(connection, invitations, asked.request_id, headers):
        quotation = counted[request_id].get(supplier_id)
        invited[request_id].append(Invited(supplier_id, answer_of(quotation), quotation))
    return {id_: Asked(headers[id_], lines[id_], invited[id_]) for id_ in headers}


def requests_of_quotations(connection: Connection, quotation_ids: Iterable[UUID]) -> dict[UUID, UUID]:
    """The request that each of these quotations answers."""
    statement = select(quotations.c.id, quotations.c.request_id)
    return dict(
        (row.id, row.request_id) for row in fetch_in(connection, statement, quotations.c.id, quotation_ids)
    )


def latest_by_request(
    connection: Connection, request_ids: Iterable[UUID]
) -> Mapping[UUID, Mapping[UUID, Quotation]]:
    """The quotation that counts of each supplier, by request."""
    table, line = quotations.c, quotation_lines.c
    wanted = list(request_ids)
    header = select(
        table.id,
        table.request_id,
        table.supplier_id,
        table.revision,
        table.reference,
        table.currency,
        table.valid_until,
        table.note,
        table.received_on,
    )
    rows = fetch_in(connection, header, table.request_id, wanted)
    terms: dict[UUID, list[QuotedTerms]] = {}
    columns = select(
        line.quotation_id,
        line.line_id,
        line.unit_price,
        line.breaks,
        line.minimum_quantity,
        line.order_multiple,
        line.lead_time_days,
    )
    for quotation_id, line_id, price, breaks, *values in fetch_in(
        connection, columns, line.quotation_id, [row.id for row in rows]
    ):
        pairs = tuple((start, reduced) for start, reduced in breaks)
        terms.setdefault(quotation_id, []).append(QuotedTerms(line_id, price, pairs, *values))
    found: dict[UUID, list[Quotation]] = {id_: [] for id_ in wanted}
    for row in rows:
        found[row.request_id].append(Quotation(**row._mapping, lines=tuple(terms.get(row.id, ()))))
    return {id_: latest(answers) for id_, answers in found.items()}


def compare_quotations(connection: Connection, asked: Asked, on: date) -> list[LineComparison]:
    """Each line with what the quotations that hold on the day come to: landed cost, lead time, risk; best first."""
    wanted = [
        Wanted(line.item_id, line.quantity, line.need_by, list(_offers(asked, line, on)), quoted=True)
        for line in asked.lines
    ]
    compared = compare_offers(connection, wanted, on)
    return [LineComparison(line, offers) for line, offers in zip(asked.lines, compared, strict=True)]


def _offers(asked: Asked, line: RequestLine, on: date) -> Iterable[SupplierItem]:
    for one in asked.invited:
        quotation = one.quotation
        terms = quotation.line(line.id) if quotation is not None and quotation.valid_on(on) else None
        if terms is not None:
            yield SupplierItem(
                one.supplier_id,
                line.item_id,
                None,
                terms.unit_price,
                terms.minimum_quantity,
                terms.order_multiple,
                terms.lead_time_days,
                1,
                terms.breaks,
            )


def awards_of(connection: Connection, request_id: UUID) -> dict[UUID, str | None]:
    """Why each awarded line went to another than the recommended supplier, or early; None where it did not."""
    line, award = quotation_request_lines.c, quotation_awards.c
    statement = (
        select(award.line_id, award.reason_code)
        .join(quotation_request_lines, line.id == award.line_id)
        .where(line.request_id == request_id)
    )
    return {line_id: reason for line_id, reason in connection.execute(statement)}


def last_revision(connection: Connection, request_id: UUID, supplier_id: UUID) -> int:
    """The number of the supplier's last quotation for a request; 0 where there is none."""
    table = quotations.c
    statement = select(func.max(table.revision)).where(
        table.request_id == request_id, table.supplier_id == supplier_id
    )
    return int(connection.scalar(statement) or 0)
