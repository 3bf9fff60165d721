"""A proposal as its approver needs it: the plan in words, what changed since, and whether one may decide."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import Connection

from erp_core.gate.contract import Command, Registry
from erp_core.gate.principals import Principal
from erp_core.gate.queries import ProposalView
from erp_core.gate.roles import may_run
from erp_core.gate.rules import missing_approvals, read_set_changes
from erp_core.master.queries import Names

_KINDS = {
    "item_id": "items",
    "supplier_id": "suppliers",
    "location_id": "locations",
    "channel_id": "channels",
}
_KINDS |= {"from_location_id": "locations", "to_location_id": "locations"}
MONEY_FIELDS = frozenset(
    {
        "unit_price",
        "freight_cost",
        "expedite_cost",
        "unit_cost",
        "refund",
        "amount",
        "list_price",
        "standard_cost",
        "price",
    }
)
_HIDDEN = frozenset({"line_id", "po_id", "occurred_at"})


class PlannedField(BaseModel):
    """One field of a command in words. `kind` says how to show it: money, text or record."""

    name: str
    value: Any
    label: str | None = None
    kind: str = "text"


class PlannedCommand(BaseModel):
    """A command of a plan, with its lines as rows."""

    command: str
    about: str
    fields: list[PlannedField]
    lines: list[list[PlannedField]]


class Change(BaseModel):
    """Something the plan rests on that moved beyond its tolerance."""

    fact: str
    then: Any
    now: Any


class Deciding(BaseModel):
    """Whether the person looking may decide, and why not."""

    may_decide: bool
    why_not: str | None = None
    missing: dict[str, int] = {}
    own: bool = False


class Decision(BaseModel):
    """Who decided what."""

    person: str
    role: str
    decision: str
    comment: str
    decided_at: datetime


class Attempt(BaseModel):
    """An approval that was complete, but whose plan a domain rule refused."""

    error: dict[str, Any]
    attempted_at: datetime


class ProposalBody(BaseModel):
    """A proposal. `amount` in ten-thousandths; a decision must quote `payload_hash`."""

    id: UUID
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
    policy_name: str
    approvers: list[dict[str, Any]]
    amount: int | None
    requested_by: UUID
    requester: str
    via: str
    tainted: bool
    created_at: datetime
    expires_at: datetime
    decisions: list[Decision]
    attempts: list[Attempt]
    results: list[dict[str, Any]] | None
    deciding: Deciding


class ProposalDetail(ProposalBody):
    """A proposal with its plan in words and what changed since it was made."""

    plan: list[PlannedCommand]
    changes: list[Change]


def body_of(view: ProposalView, actor: Principal) -> ProposalBody:
    """The proposal as this person sees it."""
    return ProposalBody(**_fields(view), deciding=deciding(view, actor))


def detail_of(
    view: ProposalView, actor: Principal, registry: Registry, connection: Connection
) -> ProposalDetail:
    """The proposal in full."""
    return ProposalDetail(
        **_fields(view),
        deciding=deciding(view, actor),
        plan=describe(view.payload, registry, connection),
        changes=[Change.model_validate(one) for one in changes_since(view, registry, connection)],
    )


def _fields(view: ProposalView) -> dict[str, Any]:
    own = {name: getattr(view, name) for name in view.__slots__ if name not in ("decisions", "attempts")}
    return own | {
        "decisions": [
            Decision.model_validate({k: one[k] for k in Decision.model_fields}) for one in view.decisions
        ],
        "attempts": [Attempt.model_validate(dict(one)) for one in view.attempts],
    }


def deciding(view: ProposalView, actor: Principal) -> Deciding:
    """What the gate would say to this person's decision, as far as it can be known before."""
    approvers = [(one["role"], one["people"]) for one in view.approvers]
    given = [(one["user_id"], one["role"]) for one in view.decisions if one["decision"] == "approve"]
    missing = missing_approvals(approvers, given)
    own = view.requested_by == actor.user_id
    reason = _why_not(view, actor, missing, own)
    return Deciding(may_decide=reason is None, why_not=reason, missing=missing, own=own)


def _why_not(view: ProposalView, actor: Principal, missing: Mapping[str, int], own: bool) -> str | None:
    if view.status != "pending":
        return f"it is {view.status.replace('_', ' ')}"
    if actor.is_agent:
        return "agents do not decide"
    if own:
        return "you asked for it: somebody else must decide"
    if str(actor.user_id) in view.facts.get("excluded_approvers", ()):
        return "you set up what it rests on: somebody else must decide"
    if any(one["user_id"] == actor.user_id for one in view.decisions):
        return "you decided on it already"
    if not any(role in actor.roles for role in missing) or not may_run(actor.roles, "ApproveProposal"):
        wanted = " and ".join(f"{people} {role}" for role, people in sorted(missing.items()))
        return f"it waits for {wanted}"
    return None


def commands_of(payload: Sequence[Mapping[str, Any]], registry: Registry) -> list[Command]:
    """The plan's commands; one that the catalogue no longer has is left out."""
    found = []
    for one in payload:
        registration = registry.get(one["command"])
        if registration is not None:
            found.append(registration.command.model_validate(one["payload"]))
    return found


def changes_since(view: ProposalView, registry: Registry, connection: Connection) -> list[dict[str, Any]]:
    """The facts the plan rests on that moved beyond their tolerance; only asked while it is pending."""
    if view.status != "pending":
        return []
    commands = commands_of(view.payload, registry)
    now: list[dict[str, Any]] = []
    for position, command in enumerate(commands):
        registration = registry.get(command.command_name)
        if registration is not None and registration.read_set is not None:
            now.extend(registration.read_set(command, commands[:position], connection))
    return read_set_changes(view.read_set, now)


def describe(
    payload: Sequence[Mapping[str, Any]], registry: Registry, connection: Connection
) -> list[PlannedCommand]:
    """The commands with codes and names instead of ids."""
    wanted: dict[str, set[UUID]] = {kind: set() for kind in set(_KINDS.values())}
    for name, value in _walk([one["payload"] for one in payload]):
        if name in _KINDS:
            wanted[_KINDS[name]].add(UUID(str(value)))
    names = Names.read(connection, **wanted)
    described = []
    for one in payload:
        registration = registry.get(one["command"])
        about = first_sentence(registration.command) if registration else ""
        scalars = {name: value for name, value in one["payload"].items() if not isinstance(value, list)}
        rows = [row for row in one["payload"].get("lines", ()) if isinstance(row, Mapping)]
        described.append(
            PlannedCommand(
                command=one["command"],
                about=about,
                fields=_planned(scalars, names),
                lines=[_planned(row, names) for row in rows],
            )
        )
    return described


def first_sentence(command: type[Command]) -> str:
    """What a command does, from the first sentence of its description."""
    return (command.__doc__ or "").strip().partition("\n")[0].partition(". ")[0].rstrip(".").replace(
        "`", ""
    ) + "."


def _planned(values: Mapping[str, Any], names: Names) -> list[PlannedField]:
    planned = []
    for name, value in values.items():
        if name in _KINDS:
            id_ = UUID(str(value))
            label = f"{names.code(id_)} {names.name(id_)}"
            planned.append(
                PlannedField(name=name.removesuffix("_id"), value=value, label=label, kind="record")
            )
        elif name in MONEY_FIELDS and isinstance(value, int):
            if value:
                planned.append(PlannedField(name=name, value=value, kind="money"))
        elif name not in _HIDDEN:
            planned.append(PlannedField(name=name, value=value))
    return planned


def _walk(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for name, part in value.items():
            if isinstance(part, Mapping | list):
                yield from _walk(part)
            else:
                yield name, part
    elif isinstance(value, list):
        for part in value:
            yield from _walk(part)
