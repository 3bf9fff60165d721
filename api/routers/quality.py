"""Governance of the master data: quality, duplicates, owners, documents, prices, and the catalogue of codes."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel

from api.auth import OfCompany, Reader
from api.catalogue import Catalogue, catalogue
from api.fields import public_in, reveal
from api.paging import Limit
from api.problems import not_found, require_known
from erp_core.master.queries import PriceRecord, price_records
from erp_core.master.queries.documents import (
    DocumentsDue,
    SupplierDocument,
    documents_due,
    kinds_of_document,
    list_documents,
)
from erp_core.master.queries.duplicates import duplicates
from erp_core.master.queries.owners import (
    DOMAINS,
    DomainOwner,
    Unowned,
    list_domains,
    records_without_owner,
)
from erp_core.master.queries.parameters import parameters
from erp_core.master.queries.quality import (
    Quality,
    QualityKind,
    in_words,
    list_quality,
    quality_of,
    quality_threshold,
)
from erp_core.master.rules.documents import DocumentKind
from erp_core.master.rules.parameters import PARAMETERS
from erp_core.storage.engine import reading

router = APIRouter(tags=["master data"])


class ProblemBody(BaseModel):
    """A named deduction, with what it says."""

    name: str
    points: int
    text: str


class QualityBody(BaseModel):
    """A record's score of 100 with its deductions; below the threshold automation may not rest on it."""

    kind: QualityKind
    record_id: UUID
    code: str
    score: int
    automation: bool
    problems: list[ProblemBody]
    scored_on: str


class Twin(BaseModel):
    """One of two records that are probably one."""

    id: UUID
    code: str
    name: str


class DuplicateBody(BaseModel):
    """Two records that are probably one; a score of 100 is the same identifier or name."""

    first: Twin
    second: Twin
    score: int
    because: str


class ParameterBody(BaseModel):
    """A threshold or deduction in force, with its bounds."""

    name: str
    label: str
    value: int
    low: int
    high: int


def _body(one: Quality, threshold: int) -> QualityBody:
    return QualityBody(
        kind=one.kind,
        record_id=one.record_id,
        code=one.code,
        score=one.score,
        automation=one.score >= threshold,
        problems=[ProblemBody(name=p.name, points=p.points, text=in_words(p)) for p in one.problems],
        scored_on=one.scored_on.isoformat(),
    )


@router.get("/quality/{kind}")
def quality(
    kind: QualityKind,
    _actor: Reader,
    company: OfCompany,
    below: Annotated[int | None, Query(ge=0, le=101)] = None,
    limit: Limit = 100,
) -> list[QualityBody]:
    """Scored items or suppliers, the worst first."""
    with reading(company.engine) as connection:
        threshold = quality_threshold(connection)
        return [_body(one, threshold) for one in list_quality(connection, kind, below=below, limit=limit)]


@router.get("/quality/{kind}/{record_id}")
def quality_of_record(kind: QualityKind, record_id: UUID, _actor: Reader, company: OfCompany) -> QualityBody:
    """The score of one record."""
    with reading(company.engine) as connection:
        found = quality_of(connection, kind, [record_id]).get(record_id)
        if found is None:
            raise not_found("score", "let the data be scored first, with POST /api/v1/jobs")
        return _body(found, quality_threshold(connection))


@router.get("/duplicates/{kind}")
def probable_duplicates(
    kind: QualityKind, _actor: Reader, company: OfCompany, limit: Limit = 100
) -> list[DuplicateBody]:
    """Pairs of items or suppliers that are probably one, the surest first."""
    with reading(company.engine) as connection:
        found = duplicates(connection, kind)[:limit]
    return [
        DuplicateBody(
            first=Twin(id=one.first.id, code=one.first.code, name=one.first.name),
            second=Twin(id=one.second.id, code=one.second.code, name=one.second.name),
            score=one.score,
            because=one.because,
        )
        for one in found
    ]


@router.get("/data-owners")
def data_owners(_actor: Reader, company: OfCompany) -> list[DomainOwner]:
    """Every domain of master data with its owner, and how many of its records nobody owns."""
    with reading(company.engine) as connection:
        return list_domains(connection)


@router.get("/data-owners/{domain}/unowned")
def unowned(domain: str, _actor: Reader, company: OfCompany, limit: Limit = 100) -> list[Unowned]:
    """Records of a domain that nobody owns."""
    require_known("domain", [domain], DOMAINS)
    with reading(company.engine) as connection:
        return records_without_owner(connection, domain, limit=limit)


@router.get("/supplier-documents/due")
def due_documents(_actor: Reader, company: OfCompany) -> list[DocumentsDue]:
    """Required documents of suppliers that are missing, not valid, or about to run out."""
    with reading(company.engine) as connection:
        return documents_due(connection, company.clock.today())


@router.get("/supplier-documents/kinds")
def document_kinds(_actor: Reader, company: OfCompany) -> list[DocumentKind]:
    """The kinds of document there are, and of which suppliers they are required."""
    with reading(company.engine) as connection:
        return list(kinds_of_document(connection).values())


@router.get("/suppliers/{supplier_id}/documents")
def supplier_documents(supplier_id: UUID, _actor: Reader, company: OfCompany) -> list[SupplierDocument]:
    """A supplier's documents, the newest first."""
    with reading(company.engine) as connection:
        return list_documents(connection, supplier_id)


@router.get("/suppliers/{supplier_id}/prices/{item_id}", response_model=public_in(list, PriceRecord))
def prices(
    supplier_id: UUID, item_id: UUID, actor: Reader, company: OfCompany, corrected: bool = False
) -> Any:
    """What a supplier asks for an item by day; with `corrected` also the records that were corrected."""
    pair = (supplier_id, item_id)
    with reading(company.engine) as connection:
        found = price_records(connection, [pair], corrected=corrected)[pair]
    return [reveal(one, actor.rights) for one in found]


@router.get("/catalogue")
def codes(_actor: Reader, company: OfCompany) -> Catalogue:
    """All statuses with their steps, the kinds of exception, and all reason codes."""
    with reading(company.engine) as connection:
        return catalogue(connection)


@router.get("/master-parameters")
def master_parameters(_actor: Reader, company: OfCompany) -> list[ParameterBody]:
    """Thresholds and deductions of master-data governance in force."""
    with reading(company.engine) as connection:
        values = parameters(connection)
    return [
        ParameterBody(name=name, label=one.label, value=values[name], low=one.low, high=one.high)
        for name, one in PARAMETERS.items()
    ]
