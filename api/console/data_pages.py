"""Data: which records are too poor to rest on, who owns what, and which records are probably one."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, Response

from api.auth import OfCompany
from api.console.view import page, seeing
from erp_core.gate.principals import Principal
from erp_core.master.queries.duplicates import duplicates
from erp_core.master.queries.owners import list_domains
from erp_core.master.queries.quality import in_words, list_quality, quality_threshold
from erp_core.storage.engine import reading

router = APIRouter(include_in_schema=False, prefix="/governance/data")
Auditor = Annotated[Principal, Depends(seeing("read_audit"))]
WORST, TWINS = 40, 60


@router.get("", response_class=HTMLResponse)
def data(
    request: Request, viewer: Auditor, company: OfCompany, twins: Literal["", "item", "supplier"] = ""
) -> Response:
    """The worst records, owners by domain; with `twins` the whole catalogue is compared with itself."""
    with reading(company.engine) as connection:
        threshold = quality_threshold(connection)
        poor = {kind: list_quality(connection, kind, below=threshold) for kind in ("item", "supplier")}
        owners = list_domains(connection)
        pairs = duplicates(connection, twins) if twins else []
    return page(
        request,
        company,
        viewer,
        "data.html",
        "governance",
        tab="data",
        threshold=threshold,
        poor=[
            (label, len(poor[kind]), poor[kind][:WORST])
            for kind, label in (("item", "Items"), ("supplier", "Suppliers"))
        ],
        told=in_words,
        owners=owners,
        twins=twins,
        pairs=pairs[:TWINS],
        found=len(pairs),
    )
