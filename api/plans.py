"""A proposal as its approver needs it: the plan in words, what changed since, and whether one may decide."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import Connection

from erp_core.analytics.names import record_names
from erp_core.gate.contract import Command, Registry
from erp_core.gate.principals import Principal
from erp_core.gate.queries import ProposalView
from erp_core.gate.roles import has_right, may_run
from erp_core.gate.rules import missing_approvals, read_set_changes
from erp_core.master.queries import Names, list_supplier_items

_KINDS = {
    "item_id": "item",
    "supplier_id": "supplier",
    "location_id": "location",
    "from_location_id": "location",
    "to_location_id": "location",
    "channel_id": "channel",
    "po_id": "purchase_order",
    "order_id": "order",
    "return_id": "return",
    "return_line_id": "return_line",
}
_LABELS = {"po_id": "purchase_order"}
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
_COSTS = MONEY_FIELDS | {"total", "written_off", "minimum_order"}
_DAYS = frozenset({"need_by", "promised_on", "starts_on", "ends_on"})
_CODE = re.compile(r"[a-z]+(_[a-z]+)*")
_HIDDEN = frozenset({"line_id", "occurred_at"})


class PlannedField(BaseModel):
    """One field of a command in words. `kind` says how to show it: money, day, code, record or text."""

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


def known_fact(fact: str, value: Any) -> PlannedField:
    """A fact that a plan rests on, as it is shown: prices are money, codes are words."""
    if fact.startswith("price of ") and isinstance(value, int):
        return PlannedField(name=fact, value=value, kind="money")
    return PlannedField(name=fact, value=value, kind="code" if fact.startswith("status of ") else "text")


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


def bodies_of(
    views: Sequence[ProposalView], actor: Principal, registry: Registry, connection: Connection
) -> list[ProposalBody]:
    """The proposals as this person sees them; without the right to see cost, without money."""
    subjects = {view.id: _subject(view, registry) for view in views if _is_nameless(view)}
    names = record_names(connection, (one for one in subjects.values() if one is not None))
    sees_cost = has_right(actor.roles, "see_cost")
    bodies = []
    for view in views:
        fields = _fields(view, _title(view, subjects.get(view.id), names))
        shown = fields if sees_cost else _without_money(fields)
        bodies.append(ProposalBody(**shown, deciding=deciding(view, actor)))
    return bodies


def detail_of(
    view: ProposalView, actor: Principal, registry: Registry, connection: Connection
) -> ProposalDetail:
    """The proposal in full."""
    (body,) = bodies_of([view], actor, registry, connection)
    plan = describe(view.payload, registry, connection, view.read_set)
    changes = [Change.model_validate(one) for one in changes_since(view, registry, connection)]
    if not has_right(actor.roles, "see_cost"):
        plan = [without_prices(step) for step in plan]
        changes = [one for one in changes if one.before.kind != "money"]
    return ProposalDetail(**dict(body), plan=plan, changes=changes)


def without_prices(step: PlannedCommand) -> PlannedCommand:
    """The command for eyes that may not see cost."""
    lines = [[field for field in line if field.kind != "money"] for line in step.lines]
    fields = [field for field in step.fields if field.kind != "money"]
    return step.model_copy(update={"lines": lines, "fields": fields})


def _without_money(fields: dict[str, Any]) -> dict[str, Any]:
    return fields | {
        "amount": None,
        "payload": _stripped(fields["payload"]),
        "facts": _stripped(fields["facts"]),
        "results": _stripped(fields["results"]),
        "read_set": [one for one in fields["read_set"] if not str(one["fact"]).startswith("price of ")],
        "evidence": [one for one in fields["evidence"] if one.get("unit") != "currency"],
    }


def _stripped(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _stripped(part) for name, part in value.items() if name not in _COSTS}
    return [_stripped(part) for part in value] if isinstance(value, list | tuple) else value


def in_words(command: str) -> str:
    """A command's name as words: `CreatePurchaseOrder` is "Create purchase order"."""
    first, *rest = re.findall(r"[A-Z][a-z0-9]*|[a-z0-9_]+", command) or [command]
    return " ".join([first, *(part.lower() for part in rest)])


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
    payload: Sequence[Mapping[str, Any]],
    registry: Registry,
    connection: Connection,
    read_set: Sequence[Mapping[str, Any]] = (),
) -> list[PlannedCommand]:
    """The commands with codes and names instead of ids.

    What is bought stands with the prices that the proposal rests on (`read_set`), else with those in force.
    """
    payload = _priced(payload, connection, {str(one["fact"]): one["value"] for one in read_set})
    named = _walk([one["payload"] for one in payload])
    names = record_names(
        connection, ((_KINDS[name], UUID(str(value))) for name, value in named if name in _KINDS)
    )
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


def _priced(
    payload: Sequence[Mapping[str, Any]], connection: Connection, known: Mapping[str, Any]
) -> list[Mapping[str, Any]]:
    """Lines to buy that carry no price of their own, with the supplier's price and what they come to."""
    priced: list[Mapping[str, Any]] = []
    for one in payload:
        order = one["payload"]
        if one["command"] == "CreatePurchaseOrder":
            supplier = UUID(str(order["supplier_id"]))
            items = [UUID(str(line["item_id"])) for line in order["lines"]]
            offers = list_supplier_items(connection, item_ids=items, supplier_ids=[supplier])
            names = Names.read(connection, items=items, suppliers=[supplier])
            prices = {
                str(offer.item_id): known.get(
                    f"price of {names.code(offer.item_id)} from {names.code(supplier)}", offer.price
                )
                for offer in offers
            }
            lines = [_with_price(line, prices.get(str(line["item_id"]))) for line in order["lines"]]
            one = {"command": one["command"], "payload": {**order, "lines": lines}}
        priced.append(one)
    return priced


def _with_price(line: Mapping[str, Any], asked: int | None) -> Mapping[str, Any]:
    price = line.get("unit_price") or asked
    return line if price is None else {**line, "unit_price": price, "amount": price * line["quantity"]}


def first_sentence(command: type[Command]) -> str:
    """What a command does, from the first sentence of its description."""
    return (command.__doc__ or "").strip().partition("\n")[0].partition(". ")[0].rstrip(".").replace(
        "`", ""
    ) + "."


def _planned(values: Mapping[str, Any], names: Mapping[UUID, str]) -> list[PlannedField]:
    planned = []
    for name, value in values.items():
        if name in _KINDS:
            label = names.get(UUID(str(value)))
            if label is not None:
                shown = _LABELS.get(name, name.removesuffix("_id"))
                planned.append(PlannedField(name=shown, value=value, label=label, kind="record"))
        elif name in MONEY_FIELDS and isinstance(value, int):
            if value:
                planned.append(PlannedField(name=name, value=value, kind="money"))
        elif name not in _HIDDEN and not (name.endswith("_id") and isinstance(value, str)):
            planned.append(PlannedField(name=name, value=value, kind=_kind(name, value)))
    return sorted(planned, key=lambda field: field.kind != "record")


def _kind(name: str, value: Any) -> str:
    if name in _DAYS and value:
        return "day"
    return "code" if isinstance(value, str) and _CODE.fullmatch(value) else "text"


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
