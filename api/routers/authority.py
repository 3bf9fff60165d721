"""Lent rights and later reviews: who decides for whom, and what still has to be looked at."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from api.auth import Actor, OfCompany, Reader
from erp_core.gate.authority import list_delegations
from erp_core.gate.reviews import list_reviews
from erp_core.storage.engine import reading

router = APIRouter(tags=["authority"])


@router.get("/delegations")
def delegations(actor: Actor, company: OfCompany) -> list[dict[str, Any]]:
    """Rights that one lent or borrowed; who may read the audit log sees everybody's.

    They are lent with `DelegateAuthority` and taken back with `EndDelegation`.
    """
    everybody = actor.has_right("read_audit")
    with reading(company.engine) as connection:
        return [dict(one) for one in list_delegations(connection, None if everybody else actor.user_id)]


@router.get("/reviews")
def reviews(actor: Reader, company: OfCompany, done: bool = False) -> list[dict[str, Any]]:
    """What ran with fewer approvals than usual and waits for a look, the one due first at the top.

    `done` gives those that were looked at as well. `CompleteReview` says whether it was justified.
    """
    now = company.clock.business_now()
    with reading(company.engine) as connection:
        found = list_reviews(connection, open_only=not done)
    return [{**one, "overdue": one["verdict"] is None and one["due_at"] < now} for one in found]
