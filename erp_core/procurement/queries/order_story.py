"""What happened to a purchase order beside its lines: changes, milestones, shipping notices, invoices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, or_, select

from erp_core.procurement.model import po_lines, po_milestones, po_revisions, shipping_notices
from erp_core.procurement.model.invoices import (
    supplier_invoice_charges,
    supplier_invoice_lines,
    supplier_invoices,
)
from erp_core.procurement.queries.reading import columns_of, records


@dataclass(frozen=True, slots=True)
class Revision:
    """A change after approval: `changes` has each field before and after by line number; `order` is the order's own."""

    revision: int
    changed_on: date
    author_id: UUID
    reason_code: str
    comment: str | None
    changes: Mapping[str, Mapping[str, Sequence[Any]]]
    total_before: int
    total_after: int
    proposal_id: UUID | None


@dataclass(frozen=True, slots=True)
class Milestone:
    """A milestone that the order reached."""

    milestone: str
    reached_on: date


@dataclass(frozen=True, slots=True)
class Notice:
    """A shipping notice of the supplier."""

    reference: str
    shipped_on: date
    expected_on: date
    cartons: int


@dataclass(frozen=True, slots=True)
class OrderInvoice:
    """An invoice or credit note that bills the order, as a whole or in part."""

    id: UUID
    number: str
    kind: str
    status: str
    currency: str
    total: int
    invoiced_on: date


@dataclass(frozen=True, slots=True)
class OrderStory:
    """All of it, the oldest first."""

    revisions: Sequence[Revision]
    milestones: Sequence[Milestone]
    notices: Sequence[Notice]
    invoices: Sequence[OrderInvoice]


def order_story(connection: Connection, po_id: UUID) -> OrderStory:
    """What happened to the order; empty where nothing did."""
    revision, reached, notice = po_revisions.c, po_milestones.c, shipping_notices.c
    invoice, line, charge = supplier_invoices.c, supplier_invoice_lines.c, supplier_invoice_charges.c
    billed = select(line.invoice_id).join(po_lines, po_lines.c.id == line.po_line_id)
    charged = select(charge.invoice_id).where(charge.po_id == po_id)
    return OrderStory(
        records(
            Revision,
            connection.execute(
                select(*columns_of(Revision, po_revisions))
                .where(revision.po_id == po_id)
                .order_by(revision.revision)
            ),
        ),
        records(
            Milestone,
            connection.execute(
                select(*columns_of(Milestone, po_milestones))
                .where(reached.po_id == po_id)
                .order_by(reached.reached_on, reached.milestone)
            ),
        ),
        records(
            Notice,
            connection.execute(
                select(*columns_of(Notice, shipping_notices))
                .where(notice.po_id == po_id)
                .order_by(notice.shipped_on, notice.reference)
            ),
        ),
        records(
            OrderInvoice,
            connection.execute(
                select(*columns_of(OrderInvoice, supplier_invoices))
                .where(or_(invoice.id.in_(billed.where(po_lines.c.po_id == po_id)), invoice.id.in_(charged)))
                .order_by(invoice.invoiced_on, invoice.number)
            ),
        ),
    )
