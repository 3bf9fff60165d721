"""Tax, customer invoices and revenue; documents that goods need; how long records are kept. Changes go through commands."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel

from api.auth import OfCompany, Reader
from api.paging import Limit, Offset
from api.problems import not_found, require_known
from erp_core.integration.disposal import Due, retention_due
from erp_core.master.queries.retention import read_retention
from erp_core.master.queries.taxes import revenue_rules_in_use, tax_rules_in_use
from erp_core.master.queries.trade import list_trade_documents, trade_rules_in_use, traded_goods
from erp_core.master.rules.retention import LegalHold, RetentionRule
from erp_core.master.rules.taxes import RevenueRule, TaxRule
from erp_core.master.rules.trade import Goods, TradeDocument, TradeRule
from erp_core.orders.model_documents import DOCUMENT_KINDS
from erp_core.orders.queries.documents import (
    Revenue,
    SalesDocument,
    SalesDocumentLine,
    TaxSum,
    list_sales_documents,
    revenue,
    sales_document_lines_of,
    supplies_without_invoice,
    tax_sums,
)
from erp_core.orders.taxation import Supply
from erp_core.storage.engine import reading

router = APIRouter(tags=["trade"])
Day = Annotated[date, Query(description="both days are included")]


class Kept(BaseModel):
    """How long records are kept: rules with all their versions, and the holds that are not released."""

    rules: list[RetentionRule]
    holds: list[LegalHold]


@router.get("/tax-rules")
def taxes(_actor: Reader, company: OfCompany) -> list[TaxRule]:
    """The newest version of every tax rule that was not lifted; rates in millionths."""
    with reading(company.engine) as connection:
        return tax_rules_in_use(connection)


@router.get("/revenue-rules")
def recognition(_actor: Reader, company: OfCompany) -> list[RevenueRule]:
    """When revenue of sales counts; where no rule holds, at shipment."""
    with reading(company.engine) as connection:
        return revenue_rules_in_use(connection)


@router.get("/sales-documents")
def documents(
    _actor: Reader,
    company: OfCompany,
    order_id: UUID | None = None,
    kind: str | None = None,
    since: date | None = None,
    until: date | None = None,
    limit: Limit = 100,
    offset: Offset = 0,
) -> list[SalesDocument]:
    """Invoices and credit notes to customers, the newest first."""
    require_known("kind", [kind] if kind else None, DOCUMENT_KINDS)
    with reading(company.engine) as connection:
        return list_sales_documents(
            connection, order_id=order_id, kind=kind, since=since, until=until, limit=limit, offset=offset
        )


@router.get("/sales-documents/{document_id}/lines")
def document_lines(document_id: UUID, _actor: Reader, company: OfCompany) -> list[SalesDocumentLine]:
    """The lines of a document, each with its tax, the rule it was taxed by, and why none was charged."""
    with reading(company.engine) as connection:
        found = sales_document_lines_of(connection, document_id)
    if not found:
        raise not_found("sales document", "list the sales documents first")
    return found


@router.get("/uninvoiced-shipments")
def uninvoiced(_actor: Reader, company: OfCompany) -> list[Supply]:
    """Parcels that left without an invoice since tax rules began."""
    with reading(company.engine) as connection:
        return supplies_without_invoice(connection)


@router.get("/tax-sums")
def sums(_actor: Reader, company: OfCompany, since: Day, until: Day) -> list[TaxSum]:
    """Net and tax of what was issued between two days, by kind, treatment and rate."""
    with reading(company.engine) as connection:
        return tax_sums(connection, since, until)


@router.get("/revenue")
def counted(_actor: Reader, company: OfCompany, since: Day, until: Day) -> Revenue:
    """Revenue that counts between two days, and what is deferred at the end of the last."""
    with reading(company.engine) as connection:
        return revenue(connection, since, until)


@router.get("/trade-rules")
def trade(_actor: Reader, company: OfCompany) -> list[TradeRule]:
    """Which goods may not go or come where, or need documents for it."""
    with reading(company.engine) as connection:
        return trade_rules_in_use(connection)


@router.get("/trade-documents")
def papers(
    _actor: Reader,
    company: OfCompany,
    subject_id: UUID | None = None,
    ends_before: date | None = None,
    limit: Limit = 100,
    offset: Offset = 0,
) -> list[TradeDocument]:
    """Documents of one record, or those that run out before a day."""
    with reading(company.engine) as connection:
        return list_trade_documents(
            connection, subject_id=subject_id, ends_before=ends_before, limit=limit, offset=offset
        )


@router.get("/items/{item_id}/trade")
def item_trade(item_id: UUID, _actor: Reader, company: OfCompany) -> Goods:
    """HS code, origin and classes of an item."""
    with reading(company.engine) as connection:
        found = traded_goods(connection, [item_id]).get(item_id)
    if found is None:
        raise not_found("customs data of the item", "set them first (SetItemTrade)")
    return found


@router.get("/retention")
def kept(_actor: Reader, company: OfCompany) -> Kept:
    """How long records are kept, by class, and what is on legal hold."""
    with reading(company.engine) as connection:
        found = read_retention(connection)
    return Kept(rules=list(found.rules), holds=list(found.holds))


@router.get("/retention/due")
def due(_actor: Reader, company: OfCompany) -> list[Due]:
    """What no rule keeps any more today, by class, beside what is kept, held, or under no rule at all."""
    with reading(company.engine) as connection:
        return retention_due(connection, company.clock.today())
