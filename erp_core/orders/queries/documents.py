"""Reads of customer invoices and credit notes, of the revenue they carry, and of parcels that left without one."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Select, func, select

from erp_core.master.queries.taxes import tax_rules_in_use
from erp_core.orders.model import order_lines, orders, shipment_lines, shipments
from erp_core.orders.model_documents import revenue_entries, sales_document_lines, sales_documents
from erp_core.orders.rules.documents import SuppliedLine
from erp_core.orders.taxation import Supply
from erp_core.storage.lookup import fetch_in


@dataclass(frozen=True, slots=True)
class SalesDocument:
    """An invoice to a customer, or a credit note, in company currency."""

    id: UUID
    kind: str
    number: str
    seller_id: UUID
    order_id: UUID
    shipment_id: UUID | None
    return_id: UUID | None
    credit_id: UUID | None
    issued_on: date
    supplied_on: date
    customer_country: str
    recognise_at: str
    net: int
    tax: int


@dataclass(frozen=True, slots=True)
class SalesDocumentLine:
    """A line with its tax, the rule it was taxed by, and why none was charged; of a credit note the line it gives back."""

    line_no: int
    order_line_id: UUID
    quantity: int
    net: int
    tax: int
    tax_class: str
    treatment: str
    rate: int
    reason: str | None
    rule_id: UUID
    rule_version: int
    invoice_id: UUID | None
    invoice_line_no: int | None
    return_line_id: UUID | None


@dataclass(frozen=True, slots=True)
class TaxSum:
    """What was charged and given back under one treatment and rate."""

    kind: str
    treatment: str
    rate: int
    net: int
    tax: int


@dataclass(frozen=True, slots=True)
class Revenue:
    """Revenue that counts in a period, and what is deferred at its end."""

    recognised: int
    deferred: int


_DOCUMENT, _LINE = sales_documents.c, sales_document_lines.c
_DOCUMENTS = select(*(_DOCUMENT[name] for name in SalesDocument.__dataclass_fields__))
_LINES = select(*(_LINE[name] for name in SalesDocumentLine.__dataclass_fields__)).order_by(_LINE.line_no)


def list_sales_documents(
    connection: Connection,
    *,
    order_id: UUID | None = None,
    kind: str | None = None,
    since: date | None = None,
    until: date | None = None,
    limit: int = 100,
    offset: int = 0,
) -> list[SalesDocument]:
    """Documents, the newest first; `since` and `until` are days of issue, both included."""
    statement = _DOCUMENTS.order_by(_DOCUMENT.issued_on.desc(), _DOCUMENT.sequence.desc(), _DOCUMENT.id)
    if order_id is not None:
        statement = statement.where(_DOCUMENT.order_id == order_id)
    if kind is not None:
        statement = statement.where(_DOCUMENT.kind == kind)
    statement = statement.where(_DOCUMENT.issued_on.between(since or date.min, until or date.max))
    return [SalesDocument(*row) for row in connection.execute(statement.limit(limit).offset(offset))]


def sales_document_lines_of(connection: Connection, document_id: UUID) -> list[SalesDocumentLine]:
    """The lines of a document; none for an id that is no document's."""
    rows = connection.execute(_LINES.where(_LINE.document_id == document_id))
    return [SalesDocumentLine(*row) for row in rows]


def tax_sums(connection: Connection, since: date, until: date) -> list[TaxSum]:
    """Net and tax of what was issued between two days, both included, by kind, treatment and rate."""
    rows = connection.execute(
        select(_DOCUMENT.kind, _LINE.treatment, _LINE.rate, func.sum(_LINE.net), func.sum(_LINE.tax))
        .join(sales_documents, _DOCUMENT.id == _LINE.document_id)
        .where(_DOCUMENT.issued_on.between(since, until))
        .group_by(_DOCUMENT.kind, _LINE.treatment, _LINE.rate)
        .order_by(_DOCUMENT.kind.desc(), _LINE.treatment, _LINE.rate)
    )
    return [TaxSum(kind, treatment, rate, int(net), int(tax)) for kind, treatment, rate, net, tax in rows]


def revenue(connection: Connection, since: date, until: date) -> Revenue:
    """Revenue that counts between two days, both included, and what is deferred at the end of the last."""
    entry = revenue_entries.c
    counted = select(func.coalesce(func.sum(entry.recognised), 0)).where(
        entry.booked_on.between(since, until)
    )
    waiting = select(func.coalesce(func.sum(entry.deferred), 0)).where(entry.booked_on <= until)
    return Revenue(int(connection.scalar(counted) or 0), int(connection.scalar(waiting) or 0))


def supplies_without_invoice(
    connection: Connection, shipment_ids: Collection[UUID] | None = None
) -> list[Supply]:
    """Parcels that left without an invoice since tax rules began, the first first. A company without a rule has none."""
    begins = min((one.valid_from for one in tax_rules_in_use(connection)), default=None)
    if begins is None:
        return []
    statement: Select[Any] = (
        select(
            shipments.c.id,
            shipments.c.order_id,
            shipments.c.location_id,
            shipments.c.shipped_on,
            orders.c.channel_id,
            orders.c.customer_id,
            orders.c.customer_country,
        )
        .join(orders, orders.c.id == shipments.c.order_id)
        .where(shipments.c.shipped_on >= begins, ~shipments.c.id.in_(_INVOICED))
        .order_by(shipments.c.shipped_on, shipments.c.id)
    )
    found = (
        connection.execute(statement).all()
        if shipment_ids is None
        else fetch_in(connection, statement, shipments.c.id, shipment_ids)
    )
    lines: dict[UUID, list[SuppliedLine]] = {}
    for row in fetch_in(connection, _SUPPLIED, shipment_lines.c.shipment_id, [row.id for row in found]):
        lines.setdefault(row[0], []).append(SuppliedLine(*row[1:]))
    return [
        Supply(
            row.order_id,
            row.id,
            row.channel_id,
            row.location_id,
            row.customer_id,
            row.customer_country,
            row.shipped_on,
            tuple(lines[row.id]),
        )
        for row in found
    ]


_INVOICED = select(sales_documents.c.shipment_id).where(sales_documents.c.shipment_id.is_not(None))
_SUPPLIED = (
    select(
        shipment_lines.c.shipment_id,
        order_lines.c.id,
        order_lines.c.item_id,
        shipment_lines.c.quantity,
        order_lines.c.unit_price,
    )
    .join(order_lines, order_lines.c.id == shipment_lines.c.order_line_id)
    .order_by(order_lines.c.line_no)
)
