"""`ReceiveInterchange`: a supplier's interchange, taken once and as a whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from hashlib import sha256
from typing import Any, ClassVar, Protocol, TypeVar
from uuid import UUID

from pydantic import Field, ValidationError
from sqlalchemy import Connection, select

from erp_core.gate.contract import (
    Command,
    DomainError,
    Done,
    Event,
    Registration,
    Registry,
    Task,
    Transaction,
    each,
)
from erp_core.gate.supplier_logins import require_own_supplier
from erp_core.integration.edifact.documents import (
    LineRef,
    read_despatch,
    read_invoice,
    read_response,
    texts,
)
from erp_core.integration.edifact.partners import check_sender
from erp_core.integration.edifact.partners import register as register_partners
from erp_core.integration.edifact.segments import InterchangeRefused, Message, Segment, read_interchange
from erp_core.integration.model import edi_interchanges
from erp_core.master.model import items, supplier_items
from erp_core.procurement.invoices.queries import find_supplier_invoice
from erp_core.procurement.ordering.purchase_orders import Line, PurchaseOrder, PurchaseOrders
from erp_core.procurement.queries import find_purchase_order
from erp_core.storage.bulk import insert_rows
from erp_core.storage.locks import lock_names
from erp_core.storage.lookup import fetch_in

Payload = tuple[str, dict[str, Any]]
LARGEST = 1_000_000


class ReceiveInterchange(Command):
    """A supplier's EDIFACT interchange of order responses (ORDRSP), despatch advices (DESADV), invoices and credit notes
    (INVOIC), from the identification that is registered for the supplier.

    It is taken as a whole, or refused with the segment that is wrong; the same interchange again does nothing.
    """

    untrusted: ClassVar[frozenset[str]] = frozenset({"content"})

    interchange_id: UUID
    supplier_id: UUID
    content: str = Field(min_length=1, max_length=LARGEST)

    @property
    def subject(self) -> tuple[str, UUID]:
        """The interchange."""
        return ("edi_interchange", self.interchange_id)


def receive_interchange(registry: Registry, task: Task[ReceiveInterchange], tx: Transaction) -> Done:
    """Turn each message into the command that says the same, and run it with the rights of who sent it."""
    command = task.command
    require_own_supplier(task.principal, command.command_name, command.supplier_id)
    interchange = read_interchange(command.content)
    check_sender(tx.connection, command.supplier_id, interchange)
    digest = sha256(command.content.encode()).hexdigest()
    lock_names(tx.connection, [f"interchange {command.supplier_id} {interchange.reference}"])
    known = _known(tx.connection, command.supplier_id, interchange.reference)
    if known is not None:
        if known.sha256 != digest:
            raise InterchangeRefused(
                f"the reference {interchange.reference} was used for another interchange",
                field="content",
                remedy="give each interchange a reference of its own",
            )
        return Done({**known.result, "duplicate": True})
    told: list[dict[str, Any]] = []
    events: list[Event] = []
    for message in interchange.messages:
        for done, name in _run_message(registry, message, task, tx):
            events += done.events
            told.append(
                {"type": message.kind, "reference": message.reference, "command": name, **done.result}
            )
    result = {"reference": interchange.reference, "messages": told, "duplicate": False}
    insert_rows(
        tx.connection,
        edi_interchanges,
        [
            {
                "id": command.interchange_id,
                "supplier_id": command.supplier_id,
                "reference": interchange.reference,
                "sha256": digest,
                "received_at": task.occurred_at,
                "result": result,
                "audit_id": task.audit_id,
            }
        ],
    )
    return Done(result, events=tuple(events), after=result)


def _known(connection: Connection, supplier_id: UUID, reference: str) -> Any:
    table = edi_interchanges.c
    return connection.execute(
        select(table.sha256, table.result).where(
            table.supplier_id == supplier_id, table.reference == reference
        )
    ).one_or_none()


def _run_message(
    registry: Registry, message: Message, task: Task[ReceiveInterchange], tx: Transaction
) -> Sequence[tuple[Done, str]]:
    """Run what the message says, one command for each order where it is about several."""
    build = _BUILDERS.get(message.kind)
    if build is None:
        message.head.refuse(f"a message {message.kind} is not taken", f"send {', '.join(sorted(_BUILDERS))}")
    found = [
        (_run(registry, message, name, payload, task, tx), name, payload.get("po_id"))
        for name, payload in build(message, task, tx)
    ]
    about = {po_id for _, _, po_id in found}
    for text in texts(message):
        kept = {
            "message_id": tx.new_id(),
            "supplier_id": task.command.supplier_id,
            "po_id": next(iter(about)) if len(about) == 1 else None,
            "body": text,
        }
        _run(registry, message, "RecordSupplierMessage", kept, task, tx)
    return [(done, name) for done, name, _ in found]


def _run(
    registry: Registry,
    message: Message,
    name: str,
    payload: Mapping[str, Any],
    task: Task[ReceiveInterchange],
    tx: Transaction,
) -> Done:
    """Run the command that the message stands for, where its sender may run it."""
    registration = registry.require(name)
    if not task.principal.may_run(name):
        message.head.refuse(f"your role may not {name}", "ask the company for the right to send this message")
    try:
        command = registration.command.model_validate(payload)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        message.head.refuse(f"{'.'.join(map(str, first['loc']))}: {first['msg']}", "correct the message")
    at: datetime = command.occurred_at or task.occurred_at
    outcome = registration.handler([Task(command, task.principal, at, task.audit_id)], tx)[0]
    if isinstance(outcome, DomainError):
        raise InterchangeRefused(
            f"message {message.reference} {message.kind}: {outcome.message}",
            field="content",
            remedy=outcome.remedy,
            segment=message.head.number,
            tag=message.kind,
            cause=outcome.code,
        )
    return outcome


def _confirmation(message: Message, task: Task[ReceiveInterchange], tx: Transaction) -> Iterator[Payload]:
    response = read_response(message)
    if not response.lines:
        named = response.order or message.need("RFF", "ON", remedy="name the purchase order: RFF+ON")
        order = _order(named, task, tx)
        answer = {"quantity": 0} if response.refused else {"promised_on": response.promised_on}
        lines = [{"po_line_id": line.id, **answer} for line in order.lines.values() if not line.is_confirmed]
        yield "ConfirmPurchaseOrder", {"po_id": order.id, "lines": lines}
    for order, find, parts in _by_order(response.lines, task, tx):
        yield (
            "ConfirmPurchaseOrder",
            {
                "po_id": order.id,
                "lines": [
                    {
                        "po_line_id": find.line(one.line).id,
                        "promised_on": one.promised_on,
                        "quantity": one.quantity,
                        "unit_price": one.unit_price,
                    }
                    for one in parts
                ],
            },
        )


def _notice(message: Message, task: Task[ReceiveInterchange], tx: Transaction) -> Iterator[Payload]:
    despatch = read_despatch(message)
    for order, find, parts in _by_order(despatch.packed, task, tx):
        yield (
            "SendShippingNotice",
            {
                "notice_id": tx.new_id(),
                "po_id": order.id,
                "reference": despatch.reference,
                "expected_on": despatch.expected_on,
                "lines": [
                    {"po_line_id": find.line(one.line).id, "carton": one.carton, "quantity": one.quantity}
                    for one in parts
                ],
            },
        )


def _invoice(message: Message, task: Task[ReceiveInterchange], tx: Transaction) -> Iterator[Payload]:
    billed = read_invoice(message)
    lines, charges = [], []
    for order, find, parts in _by_order(billed.lines, task, tx):
        lines += [
            {
                "po_id": order.id,
                "po_line_id": find.line(one.line).id,
                "quantity": one.quantity,
                "unit_price": one.unit_price,
                "price_only": one.price_only,
            }
            for one in parts
        ]
        if billed.freight:
            charges.append({"po_id": order.id, "kind": "freight", "amount": billed.freight})
    if len(charges) > 1:
        message.head.refuse(
            "its freight is for several purchase orders",
            "bill the freight of each order in an invoice of its own",
        )
    if not lines:
        message.head.refuse("no line tells what is billed", "give LIN with QTY+47 and PRI+AAA for each line")
    credited = {} if billed.credits is None else _credited(billed.credits, task, tx)
    yield (
        "RecordSupplierInvoice",
        {
            "invoice_id": tx.new_id(),
            "supplier_id": task.command.supplier_id,
            "number": billed.number,
            "currency": billed.currency,
            "invoiced_on": billed.invoiced_on,
            "due_on": billed.due_on,
            "lines": lines,
            "charges": charges,
            "tax": billed.tax,
            "total": billed.total,
            **credited,
        },
    )


def _credited(named: Segment, task: Task[ReceiveInterchange], tx: Transaction) -> dict[str, Any]:
    """That it is a credit note for this invoice of the sender; another's is as unknown as one that is not there."""
    tx.flush()
    found = find_supplier_invoice(tx.connection, task.command.supplier_id, named.part(0, 1))
    if found is None:
        named.refuse(
            f"you have sent no invoice {named.part(0, 1)}", "name the invoice that it credits in RFF+IV"
        )
    return {"kind": "credit_note", "credits": found}


_BUILDERS = {"ORDRSP": _confirmation, "DESADV": _notice, "INVOIC": _invoice}


class _Referred(Protocol):
    @property
    def line(self) -> LineRef: ...


R = TypeVar("R", bound=_Referred)


def _by_order(
    parts: Sequence[R], task: Task[ReceiveInterchange], tx: Transaction
) -> Iterator[tuple[PurchaseOrder, _Lines, Sequence[R]]]:
    """The lines of a message by the order that they are about, in the order in which they name it."""
    groups: dict[str, list[R]] = {}
    for one in parts:
        groups.setdefault(one.line.order.part(0, 1), []).append(one)
    for group in groups.values():
        order = _order(group[0].line.order, task, tx)
        yield order, _Lines(order, [one.line for one in group], tx.connection), group


def _order(named: Segment, task: Task[ReceiveInterchange], tx: Transaction) -> PurchaseOrder:
    """The supplier's own order of this number; another's is as unknown as one that is not there."""
    orders = PurchaseOrders.of(tx)
    orders.flush()
    header = find_purchase_order(tx.connection, named.part(0, 1))
    if header is None or header.supplier_id != task.command.supplier_id or header.sent_on is None:
        named.refuse(f"you have no purchase order {named.part(0, 1)}", "name one of your orders in RFF+ON")
    orders.load([header.id])
    return orders.get(header.id)


class _Lines:
    """The lines of an order by number and by the codes of their items."""

    def __init__(self, order: PurchaseOrder, refs: Sequence[LineRef], connection: Connection) -> None:
        self._order = order
        self._by_number = {str(line.line_no): line for line in order.lines.values()}
        self._by_code: dict[str, list[Line]] = {}
        if all(ref.number for ref in refs):
            return
        item_ids = {line.item_id for line in order.lines.values()}
        labels: dict[UUID, tuple[str | None, ...]] = {
            row.id: (row.sku, row.gtin)
            for row in fetch_in(
                connection, select(items.c.id, items.c.sku, items.c.gtin), items.c.id, item_ids
            )
        }
        theirs = select(supplier_items.c.item_id, supplier_items.c.supplier_sku).where(
            supplier_items.c.supplier_id == order.supplier_id
        )
        for item_id, code in fetch_in(connection, theirs, supplier_items.c.item_id, item_ids):
            labels[item_id] = (*labels[item_id], code)
        for line in order.lines.values():
            for code in {one for one in labels[line.item_id] if one}:
                self._by_code.setdefault(code.lower(), []).append(line)

    def line(self, ref: LineRef) -> Line:
        """The line that is meant. Refuses one that is not there, and one of which there are several."""
        if ref.number:
            if ref.number not in self._by_number:
                ref.segment.refuse(
                    f"{self._order.number} has no line {ref.number}",
                    "give the order's own line number in RFF+LI",
                )
            return self._by_number[ref.number]
        found = {line.id: line for code in ref.codes for line in self._by_code.get(code.lower(), ())}
        if len(found) != 1:
            named = ", ".join(ref.codes) or "nothing"
            ref.segment.refuse(
                f"{self._order.number} has {len(found) or 'no'} lines of {named}",
                "give the order's own line number in RFF+LI",
            )
        return next(iter(found.values()))


def register(registry: Registry) -> None:
    """Add the commands."""
    register_partners(registry)
    registry.register(Registration(ReceiveInterchange, each(partial(receive_interchange, registry))))
