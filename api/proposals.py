"""A proposal as its approver needs it: how it stands, what changed since, and whether one may decide."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime
from json import loads
from typing import Any
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import Connection

from api.cases import PoorData, poor_data
from api.plans import (
    COSTS,
    PlannedCommand,
    PlannedField,
    commands_of,
    describe,
    in_words,
    known_fact,
    without_prices,
)
from erp_core.analytics.names import record_names
from erp_core.exceptions.draft import evidence_for
from erp_core.gate.authority import escalated_to
from erp_core.gate.contract import DomainError, Registry
from erp_core.gate.policies.commands import SaveApprovalPolicy
from erp_core.gate.policies.facts import FACTS
from erp_core.gate.principals import Principal
from erp_core.gate.queries import ProposalView, list_proposals
from erp_core.gate.read_sets import changes_since
from erp_core.gate.rules import REVISABLE, runs_out_soon
from erp_core.gate.seats import Seating
from erp_core.gate.submission import Gate

_AMOUNTS = frozenset(name for name, fact in FACTS.items() if fact.kind == "money") | {"price_change"}


class Change(BaseModel):
    """Something the plan rests on that moved beyond its tolerance. Prices in ten-thousandths."""

    fact: str
    then: Any
    now: Any

    @property
    def before(self) -> PlannedField:
        """What it was, as it is shown."""
        return known_fact(self.fact, self.then)

    @property
    def after(self) -> PlannedField:
        """What it is, as it is shown."""
        return known_fact(self.fact, self.now)


class Deciding(BaseModel):
    """Whether the person looking may decide, and why not; `acting_as` the role they would use, `lent` by another."""

    may_decide: bool
    why_not: str | None = None
    missing: dict[str, int] = {}
    own: bool = False
    acting_as: str | None = None
    lent: bool = False


class Decision(BaseModel):
    """Who decided what: for `role`, acting in `acting_as` where that is another after an escalation."""

    person: str
    role: str
    acting_as: str
    decision: str
    comment: str
    decided_at: datetime


class Attempt(BaseModel):
    """An approval that was complete, but whose plan a domain rule refused."""

    error: dict[str, Any]
    attempted_at: datetime


class Standing(BaseModel):
    """How a proposal that waits stands now. An approval of a `stale` one executes nothing.

    `hours_left` until it ends are hours of business time, 0 when its time is over; `runs_out_soon` as
    `erp_core.gate.rules.runs_out_soon` says.
    """

    stale: bool
    hours_left: float
    runs_out_soon: bool


class ProposalBody(BaseModel):
    """A proposal. `amount` in ten-thousandths; a decision must quote `payload_hash`.

    `standing` is there while it waits. Moments are in business time.
    """

    id: UUID
    chain_id: UUID
    version: int
    title: str
    reason: str
    status: str
    note: str | None
    payload: list[dict[str, Any]]
    payload_hash: str
    read_set: list[dict[str, Any]]
    evidence: list[dict[str, Any]]
    facts: dict[str, Any]
    policies: list[dict[str, Any]]
    policy_name: str
    approvers: list[dict[str, Any]]
    in_order: bool
    escalation: dict[str, Any] | None
    escalates_at: datetime | None
    review: dict[str, Any] | None
    compensation: list[dict[str, Any]]
    amount: int | None
    urgent: bool
    requested_by: UUID
    requester: str
    via: str
    tainted: bool
    created_at: datetime
    expires_at: datetime
    decisions: list[Decision]
    attempts: list[Attempt]
    results: list[dict[str, Any]] | None
    standing: Standing | None
    deciding: Deciding


class Version(BaseModel):
    """One version of the plan; the newest alone can be decided."""

    id: UUID
    version: int
    status: str
    note: str | None
    requester: str
    created_at: datetime


class Touched(BaseModel):
    """A waiting proposal to which another rule would apply once this change of policy is saved."""

    proposal_id: UUID
    title: str
    asks_now: str
    would_ask: str


class ProposalDetail(ProposalBody):
    """A proposal with its plan in words, what changed since it was made, its versions, and whom it touches.

    `escalated_to` is the role that may stand in now; `revisable` says that a new version may follow. `quality` are
    the items and suppliers it rests on whose data are too poor for automation.
    """

    plan: list[PlannedCommand]
    quality: list[PoorData]
    changes: list[Change]
    versions: list[Version]
    touches: list[Touched]
    escalated_to: str | None
    revisable: bool


def bodies_of(
    views: Sequence[ProposalView], actor: Principal, gate: Gate, connection: Connection
) -> list[ProposalBody]:
    """The proposals as this person sees them; without the right to see cost, without money.

    What all of them rest on is read at once, in a number of statements that does not grow with theirs.
    """
    return _bodies(views, changes_of(views, gate.registry, connection), actor, gate, connection)


def _records_of(plan: Sequence[PlannedCommand]) -> Iterator[tuple[str, UUID]]:
    """The items and suppliers that a plan names."""
    for step in plan:
        for one in (*step.fields, *(cell for row in step.lines for cell in row)):
            if one.kind == "record" and one.name in ("item", "supplier"):
                yield one.name, UUID(str(one.value))


def detail_of(view: ProposalView, actor: Principal, gate: Gate, connection: Connection) -> ProposalDetail:
    """The proposal in full."""
    found = changes_of([view], gate.registry, connection)
    (body,) = _bodies([view], found, actor, gate, connection)
    plan = describe(view.payload, gate.registry, connection, view.read_set, today=gate.clock.today())
    changes = [Change.model_validate(one) for one in found[view.id]]
    if not actor.has_right("see_cost"):
        plan = [without_prices(step) for step in plan]
        changes = [one for one in changes if one.before.kind != "money"]
    versions, _ = list_proposals(connection, status=None, chain_id=view.chain_id)
    newest = max(one.version for one in versions)
    return ProposalDetail(
        **dict(body),
        plan=plan,
        quality=poor_data(_records_of(plan), connection),
        changes=changes,
        versions=[
            Version.model_validate(
                {name: getattr(one, name) for name in Version.model_fields} | {"note": _said(one)}
            )
            for one in versions
        ],
        touches=_touches(view, gate, connection),
        escalated_to=escalated_to(connection, [view.id]).get(view.id),
        revisable=view.version == newest and view.status in REVISABLE,
    )


def _touches(view: ProposalView, gate: Gate, connection: Connection) -> list[Touched]:
    if view.status != "pending":
        return []
    found: list[Touched] = []
    for command in commands_of(view.payload, gate.registry):
        if isinstance(command, SaveApprovalPolicy):
            with suppress(DomainError):  # it can't be saved any more, so it touches nothing
                found += [Touched(**asdict(one)) for one in gate.advice.touched_by(command, connection)]
    return found


def changes_of(
    views: Sequence[ProposalView], registry: Registry, connection: Connection
) -> dict[UUID, list[dict[str, Any]]]:
    """By proposal: what it rests on that moved beyond its tolerance, and of what is stale, what had moved.

    What ended otherwise is not looked at.
    """
    waiting = [view for view in views if view.status == "pending"]
    plans = [(view.read_set, commands_of(view.payload, registry)) for view in waiting]
    found = changes_since(plans, registry, connection)
    ended = {view.id: loads(view.note or "[]") if view.status == "stale" else [] for view in views}
    return ended | {view.id: changes for view, changes in zip(waiting, found, strict=True)}


def _said(view: ProposalView) -> str | None:
    """What somebody said when they turned it down; what made it stale is told by its changes."""
    return view.note if view.status in ("rejected", "sent_back") else None


def _bodies(
    views: Sequence[ProposalView],
    changes: Mapping[UUID, Sequence[Any]],
    actor: Principal,
    gate: Gate,
    connection: Connection,
) -> list[ProposalBody]:
    subjects = {view.id: _subject(view, gate.registry) for view in views if _is_nameless(view)}
    names = record_names(connection, (one for one in subjects.values() if one is not None))
    sees_cost, now = actor.has_right("see_cost"), gate.clock.business_now()
    bodies = []
    for view, decision in zip(views, deciding(views, actor, gate, connection), strict=True):
        fields = _fields(view, _title(view, subjects.get(view.id), names))
        bodies.append(
            ProposalBody(
                **(fields if sees_cost else _without_money(fields)),
                standing=_standing(view, bool(changes[view.id]), now),
                deciding=decision,
            )
        )
    return bodies


def _standing(view: ProposalView, stale: bool, now: datetime) -> Standing | None:
    if view.status != "pending":
        return None
    hours = max((view.expires_at - now).total_seconds() / 3_600, 0.0)
    return Standing(
        stale=stale,
        hours_left=round(hours, 1),
        runs_out_soon=runs_out_soon(view.created_at, view.expires_at, now),
    )


def _without_money(fields: dict[str, Any]) -> dict[str, Any]:
    return fields | {
        "amount": None,
        "payload": _stripped(fields["payload"]),
        "facts": without_amounts(fields["facts"]),
        "results": _stripped(fields["results"]),
        "read_set": [one for one in fields["read_set"] if not str(one["fact"]).startswith("price of ")],
        "evidence": evidence_for(fields["evidence"], ()),
    }


def without_amounts(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The facts that tell no money, for who may not see costs."""
    return {name: value for name, value in _stripped(facts).items() if name not in _AMOUNTS}


def _stripped(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _stripped(part) for name, part in value.items() if name not in COSTS}
    return [_stripped(part) for part in value] if isinstance(value, list | tuple) else value


def _is_nameless(view: ProposalView) -> bool:
    """Whether it was submitted without a title, and is called by its commands."""
    return view.title == ", ".join(one["command"] for one in view.payload)


def _subject(view: ProposalView, registry: Registry) -> tuple[str, UUID] | None:
    commands = commands_of(view.payload[-1:], registry)
    return commands[0].subject if commands else None


def _title(view: ProposalView, subject: tuple[str, UUID] | None, names: Mapping[UUID, str]) -> str:
    if not _is_nameless(view):
        return view.title
    title = ", ".join(in_words(one["command"]) for one in view.payload)
    return f"{title} {names[subject[1]]}" if subject is not None and subject[1] in names else title


def _fields(view: ProposalView, title: str) -> dict[str, Any]:
    own = {name: getattr(view, name) for name in view.__slots__ if name not in ("decisions", "attempts")}
    return own | {
        "title": title,
        "note": _said(view),
        "decisions": [
            Decision.model_validate({k: one[k] for k in Decision.model_fields}) for one in view.decisions
        ],
        "attempts": [Attempt.model_validate(dict(one)) for one in view.attempts],
    }


def deciding(
    views: Sequence[ProposalView], actor: Principal, gate: Gate, connection: Connection
) -> list[Deciding]:
    """What the gate would say to this person's decision on each proposal now, as far as it can be known before."""
    now = gate.clock.business_now()
    return [
        _deciding(view, seating, actor, now)
        for view, seating in zip(views, gate.advice.deciding(views, actor, connection), strict=True)
    ]


def _deciding(view: ProposalView, seating: Seating, actor: Principal, now: datetime) -> Deciding:
    own = view.requested_by == actor.user_id
    reason = _why_not(view, seating, actor, now)
    return Deciding(
        may_decide=reason is None,
        why_not=reason,
        missing=dict(seating.missing),
        own=own,
        acting_as=seating.authority.role if seating.authority and reason is None else None,
        lent=seating.authority is not None and seating.authority.lender is not None,
    )


def _why_not(view: ProposalView, seating: Seating, actor: Principal, now: datetime) -> str | None:
    if view.status != "pending":
        return f"it is {view.status.replace('_', ' ')}"
    if view.expires_at <= now:
        return "its time is over"
    if actor.kind != "person":
        return "only people decide"
    if seating.why_not is None:
        return None
    if view.requested_by == actor.user_id:
        return "you asked for it: somebody else must decide"
    return seating.why_not.message
