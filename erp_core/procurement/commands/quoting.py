"""Taking what suppliers quote: each answer is the supplier's next revision, and its last one counts."""

from __future__ import annotations

from datetime import date

from erp_core.gate.contract import Done, Event, NotFound, Registration, Registry, Task, Transaction, each
from erp_core.gate.supplier_logins import require_own_supplier
from erp_core.master.commands.prices import WrongCurrency
from erp_core.master.queries import list_suppliers
from erp_core.procurement.commands.quotations import (
    QuotationClosed,
    QuotationExists,
    QuotationNotPossible,
    RecordQuotation,
    load_requests,
    write_request,
)
from erp_core.procurement.model.quotations import quotation_lines, quotations
from erp_core.procurement.quotations.reading import Asked, last_revision
from erp_core.procurement.quotations.rules import OPEN
from erp_core.storage.bulk import insert_rows
from erp_core.storage.lookup import there


def record_quotation(task: Task[RecordQuotation], tx: Transaction) -> Done:
    """Take the answer as the supplier's next revision."""
    command = task.command
    require_own_supplier(task.principal, command.command_name, command.supplier_id)
    asked = load_requests([command.request_id], tx).get(command.request_id)
    if asked is None or asked.invitation(command.supplier_id) is None:
        raise NotFound(
            "the supplier was not asked by such a request",
            field="request_id",
            remedy="list the requests that wait for an answer",
        )
    if there(tx.connection, quotations.c.id, [command.quotation_id]):
        raise QuotationExists(
            "this quotation is there already", field="quotation_id", remedy="use a new id for a new answer"
        )
    _check_taken(asked, task.occurred_on)
    (supplier,) = list_suppliers(tx.connection, ids=[command.supplier_id])
    _check_quoted(asked, command, task.occurred_on)
    currency = command.currency or supplier.currency
    if currency != supplier.currency:
        raise WrongCurrency(
            f"supplier {supplier.code} is paid in {supplier.currency}, not {currency}",
            field="currency",
            remedy=f"quote in {supplier.currency}",
        )
    revision = last_revision(tx.connection, command.request_id, command.supplier_id) + 1
    insert_rows(
        tx.connection,
        quotations,
        [
            {
                "id": command.quotation_id,
                "request_id": command.request_id,
                "supplier_id": command.supplier_id,
                "revision": revision,
                "reference": command.reference,
                "currency": currency,
                "valid_until": command.valid_until,
                "note": command.note,
                "received_on": task.occurred_on,
                "recorded_by": task.principal.user_id,
                "audit_id": task.audit_id,
            }
        ],
    )
    insert_rows(
        tx.connection,
        quotation_lines,
        [
            one.model_dump() | {"quotation_id": command.quotation_id, "breaks": [list(b) for b in one.breaks]}
            for one in command.lines
        ],
    )
    write_request(tx, asked, asked.request.status, task.audit_id)
    told = {
        "number": asked.request.number,
        "supplier": supplier.code,
        "revision": revision,
        "answer": "quoted" if command.lines else "declined",
    }
    version = asked.request.version + 1
    event = Event("QuotationRecorded", "quotation_request", command.request_id, version, told)
    return Done(told, events=(event,), after=told)


def _check_taken(asked: Asked, day: date) -> None:
    request = asked.request
    if request.status not in OPEN or day > request.deadline_on:
        over = request.status not in OPEN
        raise QuotationClosed(
            f"{request.number} is {request.status}"
            if over
            else f"{request.number} took quotations until {request.deadline_on}",
            field="request_id",
            remedy="ask for quotations anew, with a later deadline",
        )


def _check_quoted(asked: Asked, command: RecordQuotation, day: date) -> None:
    if command.valid_until is not None and command.valid_until < day:
        raise QuotationNotPossible(
            f"the quotation was valid until {command.valid_until}",
            field="valid_until",
            remedy=f"give the last day on which it holds, from {day} on",
        )
    for one in command.lines:
        line = asked.line(one.line_id)
        if line is None or line.quotation_id is not None:
            raise QuotationNotPossible(
                f"{asked.request.number} has no such line"
                if line is None
                else f"line {line.line_no} of {asked.request.number} is awarded already",
                field="lines.line_id",
                remedy="quote the lines of the request that are open",
            )


def register(registry: Registry) -> None:
    """Add the command."""
    registry.register(Registration(RecordQuotation, each(record_quotation)))
