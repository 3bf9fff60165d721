"""The governed vocabulary, and the one way to ask for a number."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel

from api.auth import Analyst, OfCompany
from api.problems import not_found
from erp_core.analytics.dimensions import members
from erp_core.analytics.metrics import catalogue
from erp_core.analytics.query import MetricQuery, MetricResult
from erp_core.analytics.run import run
from erp_core.storage.engine import reading

router = APIRouter(prefix="/metrics", tags=["metrics"])


class MetricInfo(BaseModel):
    """One governed measure. `allowed`: whether one's own rights let one see it."""

    name: str
    label: str
    definition: str
    unit: str
    kind: str
    owner: str
    direction: str
    synonyms: list[str]
    feeds: list[str]
    allowed: bool


class DimensionInfo(BaseModel):
    """One way to cut figures."""

    name: str
    label: str
    kind: Literal["entity", "text", "time"]
    definition: str
    synonyms: list[str]


class Vocabulary(BaseModel):
    """All metrics by domain and all dimensions, with the version of the definitions."""

    version: str
    domains: dict[str, list[str]]
    metrics: list[MetricInfo]
    dimensions: list[DimensionInfo]


class MemberInfo(BaseModel):
    """A member of a dimension."""

    code: str
    name: str


@router.get("")
def vocabulary(actor: Analyst) -> Vocabulary:
    """The catalogue."""
    known, rights = catalogue(), actor.rights
    return Vocabulary(
        version=known.version,
        domains={domain: list(names) for domain, names in known.domains.items()},
        metrics=[
            MetricInfo(
                name=one.name,
                label=one.label,
                definition=one.definition,
                unit=one.unit,
                kind=one.kind,
                owner=one.owner,
                direction=one.direction,
                synonyms=list(one.synonyms),
                feeds=list(one.feeds),
                allowed=one.right is None or one.right in rights,
            )
            for one in known.metrics.values()
        ],
        dimensions=[
            DimensionInfo(
                name=one.name,
                label=one.label,
                kind=one.kind,
                definition=one.definition,
                synonyms=list(one.synonyms),
            )
            for one in known.dimensions.values()
        ],
    )


@router.post("/query")
def query(wanted: MetricQuery, actor: Analyst, company: OfCompany) -> MetricResult:
    """Answer a query; amounts are decimal text in the company's currency, a missing value is null."""
    with reading(company.engine) as connection:
        return run(
            connection,
            wanted,
            today=company.clock.today(),
            rights=actor.rights,
            computed_at=company.clock.now(),
        )


@router.get("/dimensions/{name}")
def dimension_members(name: str, _actor: Analyst, company: OfCompany) -> list[MemberInfo]:
    """The members of a dimension, by code."""
    wanted = catalogue().dimensions.get(name)
    if wanted is None:
        raise not_found("dimension", "GET /api/v1/metrics lists them")
    with reading(company.engine) as connection:
        return [MemberInfo(code=one.code, name=one.name) for one in members(connection, wanted)]
