"""Reviews: what ran with fewer approvals than usual, because it was urgent or broke the glass, is looked at later."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Literal
from uuid import UUID

from pydantic import Field
from sqlalchemy import Connection, select

from erp_core.gate.contract import (
    Command,
    Done,
    Event,
    IllegalTransition,
    NotFound,
    Registration,
    Registry,
    Task,
    Transaction,
    each,
)
from erp_core.gate.errors import NotAnApprover, OwnReview
from erp_core.gate.model import review_results, reviews, users
from erp_core.gate.policies.rules import Review
from erp_core.gate.principals import Principal
from erp_core.storage.bulk import insert_rows

ReviewKind = Literal["urgent", "break_glass", "override"]
AFTER_BREAKING_GLASS = Review("manager", 24)


class CompleteReview(Command):
    """Say after the fact whether it was justified. Not for who did it, nor for an agent."""

    by_people = True

    review_id: UUID
    verdict: Literal["justified", "not_justified"]
    comment: str = Field(min_length=1, max_length=2_000)

    @property
    def subject(self) -> tuple[str, UUID]:
        return ("review", self.review_id)


def open_review(
    kind: ReviewKind,
    review: Review,
    *,
    title: str,
    reason: str,
    made_by: Principal,
    audit_id: UUID,
    proposal_id: UUID | None,
    tx: Transaction,
) -> Event:
    """Put something on the list of what is to be looked at; the event tells everybody who listens."""
    review_id, due_at = tx.new_id(), tx.business_now + timedelta(hours=review.within_hours)
    row: dict[str, Any] = {
        "id": review_id,
        "kind": kind,
        "audit_id": audit_id,
        "proposal_id": proposal_id,
        "title": title[:200],
        "reason": reason,
        "made_by": made_by.user_id,
        "role": review.role,
        "opened_at": tx.business_now,
        "due_at": due_at,
    }
    insert_rows(tx.connection, reviews, [row])
    told = {"kind": kind, "title": row["title"], "role": review.role, "due_at": due_at.isoformat()}
    return Event("ReviewOpened", "review", review_id, 1, told)


def list_reviews(connection: Connection, *, open_only: bool = True) -> list[Mapping[str, Any]]:
    """Reviews, the one due first at the top, with who did it and the result where there is one."""
    query = (
        select(
            reviews,
            users.c.name.label("person"),
            review_results.c.verdict,
            review_results.c.comment,
            review_results.c.reviewed_by,
            review_results.c.reviewed_at,
        )
        .join(users, users.c.id == reviews.c.made_by)
        .outerjoin(review_results, review_results.c.review_id == reviews.c.id)
        .order_by(reviews.c.due_at, reviews.c.id)
    )
    if open_only:
        query = query.where(review_results.c.review_id.is_(None))
    return [dict(row._mapping) for row in connection.execute(query)]


def _complete(task: Task[CompleteReview], tx: Transaction) -> Done:
    command, reviewer = task.command, task.principal
    found = tx.connection.execute(
        select(reviews, users.c.person_id, review_results.c.verdict)
        .join(users, users.c.id == reviews.c.made_by)
        .outerjoin(review_results, review_results.c.review_id == reviews.c.id)
        .where(reviews.c.id == command.review_id)
    ).one_or_none()
    if found is None:
        raise NotFound("there is no such review", field="review_id", remedy="list the reviews first")
    if found.verdict is not None:
        raise IllegalTransition("it was looked at already", remedy="nothing more can happen to it")
    if found.person_id == reviewer.person:
        raise OwnReview("you did this yourself", remedy="another person must look at it")
    if found.role not in reviewer.roles:
        raise NotAnApprover(f"it is for a {found.role} to look at", remedy=f"ask a {found.role}")
    row = {
        "review_id": found.id,
        "verdict": command.verdict,
        "comment": command.comment,
        "reviewed_by": reviewer.user_id,
        "reviewed_at": tx.business_now,
        "audit_id": task.audit_id,
    }
    insert_rows(tx.connection, review_results, [row])
    done = Event("ReviewCompleted", "review", found.id, 2, {"verdict": command.verdict})
    return Done(result={"verdict": command.verdict}, events=(done,), after={"verdict": command.verdict})


def register(registry: Registry) -> None:
    """Add the command that completes a review."""
    registry.register(Registration(CompleteReview, each(_complete)))
