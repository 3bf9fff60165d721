"""Requests for quotation: who was asked for what, what each answered, and what it comes to side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from api.auth import OfCompany, Reader, holding
from api.paging import Limit
from api.problems import not_found, require_known
from erp_core.gate.principals import Principal
from erp_core.procurement.quotations.reading import (
    Asked,
    LineComparison,
    QuotationRequest,
    compare_quotations,
    list_quotation_requests,
    read_requests,
)
from erp_core.procurement.quotations.rules import QUOTATION_STEPS
from erp_core.storage.engine import reading

router = APIRouter(prefix="/quotation-requests", tags=["procurement"])
CostReader = Annotated[Principal, Depends(holding("see_cost"))]


@dataclass(frozen=True, slots=True)
class ComparedRequest:
    """A request with what each supplier answered, and each line's offers that hold today, the recommended one first."""

    asked: Asked
    comparison: Sequence[LineComparison]


@router.get("")
def requests(
    _reader: Reader,
    company: OfCompany,
    status: Annotated[list[str] | None, Query(description="left out: every status")] = None,
    limit: Limit = 200,
) -> list[QuotationRequest]:
    """Requests for quotation, the latest first."""
    require_known("status", status, QUOTATION_STEPS)
    with reading(company.engine) as connection:
        return list_quotation_requests(connection, statuses=status, limit=limit)


@router.get("/{request_id}")
def request(request_id: UUID, _reader: CostReader, company: OfCompany) -> ComparedRequest:
    """One request, compared by landed cost, lead time and risk."""
    with reading(company.engine) as connection:
        asked = read_requests(connection, [request_id]).get(request_id)
        if asked is None:
            raise not_found("quotation request", "list the requests first")
        return ComparedRequest(asked, compare_quotations(connection, asked, company.clock.today()))
