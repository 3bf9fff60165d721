"""What is owed to suppliers and what stock is worth, on any day: invoices with what holds them, accruals, cost layers."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from api.auth import OfCompany, Reader, holding
from api.labels import Label, labels_for
from api.paging import Limit, Offset
from api.problems import not_found, require_known
from erp_core.finance.layers import Layer, Method, cost_layers
from erp_core.procurement.books.accruals import Accrual, PriceVariance, accruals, price_variances
from erp_core.procurement.invoices.queries import (
    SupplierInvoice,
    SupplierInvoiceDetail,
    list_supplier_invoices,
    supplier_invoice,
)
from erp_core.procurement.invoices.rules import INVOICE_STEPS
from erp_core.procurement.queries import purchase_order
from erp_core.storage.engine import reading

router = APIRouter(tags=["payables"], dependencies=[Depends(holding("see_cost"))])


class Invoices(BaseModel):
    """A page of suppliers' invoices, those that wait longest first."""

    rows: list[SupplierInvoice]
    total: int
    limit: int
    offset: int
    labels: dict[UUID, Label]


class AccrualBody(BaseModel):
    """A line received and not wholly invoiced, with its units and their value at the order's price."""

    accrual: Accrual
    units: int
    value: int


class Accruals(BaseModel):
    """What is received and not invoiced at the end of a day; `totals` by currency."""

    as_of: date
    rows: list[AccrualBody]
    totals: dict[str, int]
    labels: dict[UUID, Label]


@router.get("/supplier-invoices")
def invoices(
    _actor: Reader,
    company: OfCompany,
    status: Annotated[list[str] | None, Query(description="left out: every status")] = None,
    supplier_id: UUID | None = None,
    owner_id: UUID | None = None,
    limit: Limit = 50,
    offset: Offset = 0,
) -> Invoices:
    """Suppliers' invoices; what is held or disputed has an owner and an age."""
    require_known("status", status, INVOICE_STEPS)
    with reading(company.engine) as connection:
        rows, total = list_supplier_invoices(
            connection,
            company.clock.today(),
            statuses=status,
            supplier_id=supplier_id,
            owner_id=owner_id,
            limit=limit,
            offset=offset,
        )
        labels = labels_for(connection, rows)
    return Invoices(rows=rows, total=total, limit=limit, offset=offset, labels=labels)


@router.get("/supplier-invoices/{invoice_id}")
def invoice(invoice_id: UUID, _actor: Reader, company: OfCompany) -> SupplierInvoiceDetail:
    """One invoice with the reasons that hold it, each with what is proposed and why, and the steps it took."""
    with reading(company.engine) as connection:
        found = supplier_invoice(connection, invoice_id, company.clock.today())
    if found is None:
        raise not_found("supplier invoice", "list the supplier invoices first")
    return found


@router.get("/accruals")
def received_not_invoiced(_actor: Reader, company: OfCompany, as_of: date | None = None) -> Accruals:
    """Goods received and not invoiced at the end of a day, line by line; left out, today."""
    day = as_of or company.clock.today()
    with reading(company.engine) as connection:
        rows = accruals(connection, day)
        labels = labels_for(connection, rows)
    totals: dict[str, int] = {}
    for one in rows:
        totals[one.currency] = totals.get(one.currency, 0) + one.value
    bodies = [AccrualBody(accrual=one, units=one.units, value=one.value) for one in rows]
    return Accruals(as_of=day, rows=bodies, totals=totals, labels=labels)


@router.get("/purchase-orders/{po_id}/price-variance")
def variance(po_id: UUID, _actor: Reader, company: OfCompany) -> list[PriceVariance]:
    """What each line costs more than the price in force when it was ordered: ordered, confirmed, received, invoiced."""
    with reading(company.engine) as connection:
        found = purchase_order(connection, po_id)
        if found is None:
            raise not_found("purchase order", "list the purchase orders first")
        return price_variances(connection, [line.id for line in found.lines])


@router.get("/items/{item_id}/cost-layers")
def layers(
    item_id: UUID, _actor: Reader, company: OfCompany, method: Method | None = None, as_of: date | None = None
) -> list[Layer]:
    """What an item's stock consists of at the end of a day: one layer at the average, or the oldest first by FIFO.

    Without a `method` that of the books, and its layers as they are posted; the other one is told for comparison.
    """
    with reading(company.engine) as connection:
        return cost_layers(connection, [item_id], method, as_of)
