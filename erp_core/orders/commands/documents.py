"""Invoices that could not be written when goods left, and deliveries, on which revenue may wait."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from uuid import UUID

from pydantic import Field
from sqlalchemy import select

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
from erp_core.inventory.locks import lock_documents
from erp_core.master.commands.records import AlreadyExists
from erp_core.master.rules.taxes import TaxUndetermined
from erp_core.orders.documents import SalesDocuments
from erp_core.orders.model import orders, shipments
from erp_core.orders.model_documents import deliveries, sales_documents
from erp_core.orders.queries.documents import supplies_without_invoice
from erp_core.orders.taxation import Supply, Taxation
from erp_core.storage.bulk import insert_rows
from erp_core.storage.locks import lock_names
from erp_core.storage.lookup import fetch_in, there

_DEFERRED = select(sales_documents.c.shipment_id, sales_documents.c.id).where(
    sales_documents.c.recognise_at == "delivery"
)
_ORDERS = select(orders.c.id)
_SHIPPED = select(shipments.c.id, shipments.c.shipped_on, shipments.c.order_id)


class IssueSalesInvoices(Command):
    """Write the invoices of parcels that left without one: of those given, or of all since the first tax rule began.

    Each is taxed as of the day the goods left. What still no rule covers stays, and is named in the result.
    """

    shipment_ids: tuple[UUID, ...] | None = Field(default=None, min_length=1, max_length=10_000)


class ConfirmDelivery(Command):
    """A parcel arrived, on the day this happens. Revenue that was deferred until then counts."""

    shipment_id: UUID

    @property
    def subject(self) -> tuple[str, UUID]:
        """The parcel."""
        return ("shipment", self.shipment_id)


class NotYetShipped(DomainError):
    """Goods cannot arrive before they left."""

    code = "not_yet_shipped"


def issue_sales_invoices(task: Task[IssueSalesInvoices], tx: Transaction) -> Done:
    """Write what rules cover now."""
    lock_names(tx.connection, ["invoices made up for"])
    documents = SalesDocuments.of(tx)
    waiting = supplies_without_invoice(tx.connection, task.command.shipment_ids)
    lock_documents(tx.connection, _ORDERS, orders.c.id, {one.order_id for one in waiting})
    taxation = Taxation(
        tx,
        items={line.item_id for one in waiting for line in one.lines},
        order_lines={line.order_line_id for one in waiting for line in one.lines},
        customer_ids={one.customer_id for one in waiting},
    )
    written, left = 0, []
    for one in waiting:
        try:
            invoice = taxation.assess(_with_gross(one, taxation))
        except TaxUndetermined as error:
            left.append({"shipment_id": str(one.shipment_id), "because": error.message})
            continue
        if invoice is not None:
            documents.issue(invoice, task.occurred_on, task.audit_id)
            written += 1
    return Done({"written": written, "undetermined": left}, after={"written": written})


def _with_gross(supply: Supply, taxation: Taxation) -> Supply:
    return replace(
        supply,
        lines=tuple(
            replace(line, gross_price=taxation.gross.get(line.order_line_id)) for line in supply.lines
        ),
    )


def confirm_deliveries(
    tasks: Sequence[Task[ConfirmDelivery]], tx: Transaction
) -> Sequence[Done | DomainError]:
    """Note deliveries, each once, and recognise what waited for them."""
    tx.flush()
    connection, ids = tx.connection, {task.command.shipment_id for task in tasks}
    lock_names(connection, (f"delivery {id_}" for id_ in ids))
    sent = {row.id: row for row in fetch_in(connection, _SHIPPED, shipments.c.id, ids)}
    taken = there(connection, deliveries.c.shipment_id, ids)
    invoices = dict(map(tuple, fetch_in(connection, _DEFERRED, sales_documents.c.shipment_id, ids)))
    documents = SalesDocuments.of(tx)
    documents.load_deferred(invoices.values())
    outcomes: list[Done | DomainError] = []
    rows = []
    for task in tasks:
        id_, day = task.command.shipment_id, task.occurred_on
        refusal = _refusal(id_, day, None if id_ not in sent else sent[id_].shipped_on, id_ in taken)
        if refusal is not None:
            outcomes.append(refusal)
            continue
        taken.add(id_)
        rows.append({"shipment_id": id_, "delivered_on": day, "audit_id": task.audit_id})
        recognised = documents.recognise(invoices[id_], day, task.audit_id) if id_ in invoices else 0
        told = {"shipment_id": str(id_), "recognised": recognised}
        event = Event("ParcelDelivered", "shipment", id_, 1, {"shipment_id": str(id_)})
        outcomes.append(Done(told, (event,), after=told))
    insert_rows(connection, deliveries, rows)
    return outcomes


def _refusal(id_: UUID, day: date, shipped_on: date | None, taken: bool) -> DomainError | None:
    if shipped_on is None:
        return NotFound(
            "there is no such parcel", field="shipment_id", remedy="look up the parcels of the order"
        )
    if taken:
        return AlreadyExists(
            "the delivery of this parcel is noted already",
            field="shipment_id",
            remedy="nothing is left to do",
        )
    if day < shipped_on:
        return NotYetShipped(
            f"the parcel left on {shipped_on}",
            field="occurred_at",
            remedy="give a day on which it can have arrived",
        )
    return None


def register(registry: Registry) -> None:
    """Add the commands."""
    registry.register(Registration(IssueSalesInvoices, each(issue_sales_invoices)))
    registry.register(Registration(ConfirmDelivery, confirm_deliveries))
