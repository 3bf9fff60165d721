"""Asking suppliers for quotations, taking their answers, and giving up a request."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Annotated, Any, ClassVar, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from erp_core.gate.contract import (
    Command,
    DomainError,
    Done,
    Event,
    NotFound,
    Registration,
    Registry,
    Task,
    Transaction,
    each,
)
from erp_core.gate.statuses import require_step
from erp_core.inventory.locks import lock_documents
from erp_core.master.queries import list_items, list_locations, list_suppliers
from erp_core.master.queries.reasons import Reasons
from erp_core.master.values import Amount, Currency, ReasonCode, Units
from erp_core.procurement.commands.buyable import require_buyable
from erp_core.procurement.commands.requisitions import load_requisitions
from erp_core.procurement.errors import InactiveSupplier
from erp_core.procurement.model.quotations import (
    quotation_invitations,
    quotation_request_lines,
    quotation_requests,
)
from erp_core.procurement.quotations.reading import Asked, read_requests
from erp_core.procurement.quotations.rules import QUOTATION_STEPS
from erp_core.procurement.rules import REQUISITION_STEPS
from erp_core.storage.bulk import insert_rows, update_rows
from erp_core.storage.ids import short_number
from erp_core.storage.lookup import there

Reference = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]


class QuotationExists(DomainError):
    """A request or quotation with this id is there already."""

    code = "quotation_exists"


class QuotationClosed(DomainError):
    """The request takes no quotations any more: it is over, or its deadline has passed."""

    code = "quotation_closed"


class QuotationNotPossible(DomainError):
    """What is asked for or quoted does not fit the request."""

    code = "quotation_not_possible"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class QuotationWish(_Part):
    """Units of an item that suppliers are to quote."""

    line_id: UUID
    item_id: UUID
    quantity: Units
    need_by: date | None = None


class QuotedLine(_Part):
    """What the supplier asks for a line: price per base unit, with `breaks` (from quantity, price), and its terms."""

    line_id: UUID
    unit_price: Amount
    breaks: Annotated[tuple[tuple[Units, Amount], ...], Field(max_length=20)] = ()
    minimum_quantity: Units = 1
    order_multiple: Units = 1
    lead_time_days: Annotated[int, Field(ge=0, le=730)] | None = None

    @model_validator(mode="after")
    def _breaks_rise(self) -> Self:
        starts = [start for start, _ in self.breaks]
        if starts != sorted(set(starts)):
            raise ValueError("breaks: give each quantity once, the smallest first")
        return self


class _OnRequest(Command):
    request_id: UUID

    @property
    def subject(self) -> tuple[str, UUID]:
        return ("quotation_request", self.request_id)


class RequestQuotation(_OnRequest):
    """Ask several suppliers what they want for items, or for approved requisitions, until a day.

    Requisitions of the same item become one line, needed by the earliest day. It commits nothing.
    """

    location_id: UUID
    supplier_ids: tuple[UUID, ...] = Field(min_length=1, max_length=50)
    deadline_on: date
    lines: tuple[QuotationWish, ...] = Field(default=(), max_length=200)
    requisition_ids: tuple[UUID, ...] = Field(default=(), max_length=200)

    @model_validator(mode="after")
    def _asks_for_something_once(self) -> Self:
        if not self.lines and not self.requisition_ids:
            raise ValueError("give lines, requisition_ids or both")
        for name, ids in (
            ("supplier_ids", self.supplier_ids),
            ("requisition_ids", self.requisition_ids),
            ("lines.line_id", [one.line_id for one in self.lines]),
            ("lines.item_id", [one.item_id for one in self.lines]),
        ):
            if len(set(ids)) < len(ids):
                raise ValueError(f"{name}: give each once")
        return self


class RecordQuotation(_OnRequest):
    """A supplier's answer, by its own login or by a buyer who has it on paper; its last one counts.

    No lines at all means that it does not quote. What it writes beside is untrusted text.
    """

    untrusted: ClassVar[frozenset[str]] = frozenset({"note"})

    quotation_id: UUID
    supplier_id: UUID
    lines: tuple[QuotedLine, ...] = Field(default=(), max_length=200)
    valid_until: date | None = None
    currency: Currency | None = None
    reference: Reference | None = None
    note: str | None = Field(default=None, min_length=1, max_length=5_000)

    @model_validator(mode="after")
    def _quotes_until_a_day(self) -> Self:
        if bool(self.lines) != (self.valid_until is not None):
            raise ValueError("give valid_until with the lines; without lines the supplier declines")
        if len({one.line_id for one in self.lines}) < len(self.lines):
            raise ValueError("lines: a line is quoted twice")
        return self


class ExtendQuotationDeadline(_OnRequest):
    """Give the suppliers that were asked longer, up to and with a later day; also after the deadline passed.

    Never an earlier day, and not once anything of it is awarded.
    """

    deadline_on: date


class CancelQuotationRequest(_OnRequest):
    """Nothing, or nothing more, is bought from what was quoted."""

    reason_code: ReasonCode


def request_quotation(task: Task[RequestQuotation], tx: Transaction) -> Done:
    """Write the request with its lines and who is asked."""
    command, connection = task.command, tx.connection
    if there(connection, quotation_requests.c.id, [command.request_id]) or there(
        connection, quotation_request_lines.c.id, (one.line_id for one in command.lines)
    ):
        raise QuotationExists(
            "the request, or a line of it, is there already", field="request_id", remedy="use new ids"
        )
    if command.deadline_on < task.occurred_on:
        raise QuotationNotPossible(
            f"the deadline {command.deadline_on} lies in the past",
            field="deadline_on",
            remedy=f"give a day from {task.occurred_on} on",
        )
    if command.location_id not in {place.id for place in list_locations(connection)}:
        raise NotFound(
            "there is no such location", field="location_id", remedy="choose a place that holds stock"
        )
    wishes = [*command.lines, *_from_requisitions(command, tx)]
    _check_items(wishes, tx)
    _check_suppliers(command.supplier_ids, tx)
    number = short_number("QR", command.request_id)
    insert_rows(
        connection,
        quotation_requests,
        [
            {
                "id": command.request_id,
                "number": number,
                "location_id": command.location_id,
                "deadline_on": command.deadline_on,
                "status": "open",
                "requisition_ids": [str(id_) for id_ in command.requisition_ids],
                "requested_by": task.principal.user_id,
                "requested_on": task.occurred_on,
                "version": 1,
                "audit_id": task.audit_id,
            }
        ],
    )
    insert_rows(
        connection,
        quotation_request_lines,
        [
            {"id": one.line_id, "request_id": command.request_id, "line_no": line_no}
            | one.model_dump(include={"item_id", "quantity", "need_by"})
            for line_no, one in enumerate(wishes, start=1)
        ],
    )
    insert_rows(
        connection,
        quotation_invitations,
        [
            {"request_id": command.request_id, "supplier_id": id_, "audit_id": task.audit_id}
            for id_ in command.supplier_ids
        ],
    )
    told = {"number": number, "status": "open", "lines": len(wishes), "suppliers": len(command.supplier_ids)}
    event = Event("QuotationRequested", "quotation_request", command.request_id, 1, told)
    return Done(told, events=(event,), after=told)


def _from_requisitions(command: RequestQuotation, tx: Transaction) -> list[QuotationWish]:
    """A line for each item of the requisitions. Raises where one is for another place, or is not to be ordered."""
    if not command.requisition_ids:
        return []
    rows = load_requisitions(command.requisition_ids, tx.connection)
    named = {one.item_id for one in command.lines}
    wanted: dict[UUID, list[Any]] = {}
    for row in rows:
        require_step(REQUISITION_STEPS, row.status, "ordered", f"requisition {row.number}")
        if row.location_id != command.location_id or row.item_id in named:
            raise QuotationNotPossible(
                f"requisition {row.number} is for another place, or its item is named in lines as well",
                field="requisition_ids",
                remedy="ask for one place at a time, and for each item once",
            )
        wanted.setdefault(row.item_id, []).append(row)
    return [
        QuotationWish(
            line_id=tx.new_id(),
            item_id=item_id,
            quantity=sum(row.quantity for row in asked),
            need_by=min((row.need_by for row in asked if row.need_by is not None), default=None),
        )
        for item_id, asked in wanted.items()
    ]


def _check_items(wishes: Sequence[QuotationWish], tx: Transaction) -> None:
    known = {item.id: item for item in list_items(tx.connection, ids={one.item_id for one in wishes})}
    for one in wishes:
        require_buyable(known.get(one.item_id))


def _check_suppliers(supplier_ids: Sequence[UUID], tx: Transaction) -> None:
    known = {one.id: one for one in list_suppliers(tx.connection, ids=set(supplier_ids))}
    for id_ in supplier_ids:
        supplier = known.get(id_)
        if supplier is None:
            raise NotFound("there is no such supplier", field="supplier_ids", remedy="look it up by its code")
        if supplier.status == "blocked":
            raise InactiveSupplier(
                f"supplier {supplier.code} is blocked",
                field="supplier_ids",
                remedy="have it activated again first, or ask others",
                supplier=supplier.code,
            )


def load_requests(ids: Sequence[UUID], tx: Transaction) -> dict[UUID, Asked]:
    """The requests in full, their rows locked."""
    statement = quotation_requests.select().with_only_columns(quotation_requests.c.id)
    locked = lock_documents(tx.connection, statement, quotation_requests.c.id, ids)
    return read_requests(tx.connection, [row.id for row in locked])


def cancel_quotation_request(task: Task[CancelQuotationRequest], tx: Transaction) -> Done:
    """End the request; what was awarded of it stays."""
    command = task.command
    Reasons.of(tx).require("purchase_order_cancellation", command.reason_code, field="reason_code")
    asked = load_requests([command.request_id], tx).get(command.request_id)
    if asked is None:
        raise no_request()
    require_step(
        QUOTATION_STEPS, asked.request.status, "cancelled", f"quotation request {asked.request.number}"
    )
    write_request(tx, asked, "cancelled", task.audit_id)
    told = {"number": asked.request.number, "status": "cancelled", "reason": command.reason_code}
    version = asked.request.version + 1
    event = Event("QuotationRequestCancelled", "quotation_request", command.request_id, version, told)
    return Done(told, events=(event,), before={"status": asked.request.status}, after=told)


def extend_quotation_deadline(task: Task[ExtendQuotationDeadline], tx: Transaction) -> Done:
    """Set the later day."""
    command = task.command
    asked = load_requests([command.request_id], tx).get(command.request_id)
    if asked is None:
        raise no_request()
    request = asked.request
    if request.status != "open":
        raise QuotationClosed(
            f"{request.number} is {request.status.replace('_', ' ')}",
            field="request_id",
            remedy="ask for quotations anew for what is still wanted",
        )
    earliest = max(request.deadline_on + timedelta(days=1), task.occurred_on)
    if command.deadline_on < earliest:
        raise QuotationNotPossible(
            f"{request.number} takes quotations until {request.deadline_on} already"
            if command.deadline_on <= request.deadline_on
            else f"the deadline {command.deadline_on} lies in the past",
            field="deadline_on",
            remedy=f"give a day from {earliest} on",
        )
    write_request(tx, asked, request.status, task.audit_id, deadline_on=command.deadline_on)
    before = {"deadline_on": request.deadline_on.isoformat()}
    after = {"deadline_on": command.deadline_on.isoformat()}
    told = {"number": request.number, "status": request.status} | after
    event = Event("QuotationDeadlineExtended", "quotation_request", request.id, request.version + 1, told)
    return Done(told, events=(event,), before=before, after=after)


def write_request(
    tx: Transaction, asked: Asked, status: str, audit_id: UUID, *, deadline_on: date | None = None
) -> None:
    """Give the request its next version and this status, and another deadline where one is given."""
    change: dict[str, Any] = {"status": status, "version": asked.request.version + 1, "audit_id": audit_id}
    if deadline_on is not None:
        change["deadline_on"] = deadline_on
    update_rows(tx.connection, quotation_requests, [{"id": asked.request.id} | change])


def no_request() -> NotFound:
    """The error for a request that is not there."""
    return NotFound("there is no such request", field="request_id", remedy="list the requests for quotation")


def register(registry: Registry) -> None:
    """Add the commands."""
    registry.register(
        Registration(
            RequestQuotation,
            each(request_quotation),
            compensation="CancelQuotationRequest, while nothing is awarded",
        )
    )
    registry.register(Registration(ExtendQuotationDeadline, each(extend_quotation_deadline)))
    registry.register(Registration(CancelQuotationRequest, each(cancel_quotation_request)))
