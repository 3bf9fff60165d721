"""Changing an approval policy: its bounds and approvers, previewed with whom it touches, then proposed."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, Response
from pydantic import ValidationError

from api.auth import OfCompany
from api.company import Company
from api.console.fact_fields import fact_text, fact_value
from api.console.forms import texts_of
from api.console.policy_words import command_in_words, label_of, policy_changes, wanted_in_words
from api.console.view import back, page, seeing
from api.problems import Problem, accepted, from_validation, invalid, not_found, refused
from erp_core.gate.contract import DomainError, Executed
from erp_core.gate.policies.commands import SaveApprovalPolicy
from erp_core.gate.policies.explain import Affected
from erp_core.gate.policies.facts import FACTS
from erp_core.gate.policies.store import condition_from, policy_versions
from erp_core.gate.principals import Principal
from erp_core.gate.queries import company_facts
from erp_core.gate.roles import ROLES, SYSTEM_ROLES
from erp_core.storage.engine import reading

router = APIRouter(include_in_schema=False, prefix="/governance/policies")
Auditor = Annotated[Principal, Depends(seeing("read_audit"))]
APPROVER_ROWS = 3
DECIDING_ROLES = tuple(
    role for role in ROLES if role not in SYSTEM_ROLES and role not in ("evaluator", "supplier")
)


@router.get("/{policy_id}/edit", response_class=HTMLResponse)
def edit(policy_id: UUID, request: Request, viewer: Auditor, company: OfCompany) -> Response:
    """The form of a policy, with its newest version in it."""
    stored = _stored(policy_id, company)
    return _form(stored, _texts(stored), request, viewer, company)


@router.post("/{policy_id}/edit", response_class=HTMLResponse)
async def preview(policy_id: UUID, request: Request, viewer: Auditor, company: OfCompany) -> Response:
    """The form with what the change would do; nothing is saved."""
    typed = await texts_of(request)
    return await run_in_threadpool(_preview, policy_id, typed, request, viewer, company)


def _preview(
    policy_id: UUID, typed: dict[str, str], request: Request, viewer: Principal, company: Company
) -> Response:
    stored = _stored(policy_id, company)
    try:
        change = _change(stored, typed)
        _require_reason(typed)
        with reading(company.engine) as connection:
            touched = company.gate.advice.touched_by(change, connection)
    except DomainError as error:
        return _form(stored, typed, request, viewer, company, problem=refused(error, 422))
    except Problem as problem:
        return _form(stored, typed, request, viewer, company, problem=problem)
    return _form(stored, typed, request, viewer, company, change=change, touched=touched)


@router.post("/{policy_id}/propose")
async def propose(policy_id: UUID, request: Request, viewer: Auditor, company: OfCompany) -> Response:
    """Submit the change that was previewed."""
    typed = await texts_of(request)
    return await run_in_threadpool(_propose, policy_id, typed, request, viewer, company)


def _propose(
    policy_id: UUID, typed: dict[str, str], request: Request, viewer: Principal, company: Company
) -> Response:
    stored = _stored(policy_id, company)
    try:
        change = _change(stored, typed)
        _require_reason(typed)
        outcome = accepted(
            company.gate.submit_plan(
                [change],
                viewer,
                key=typed.get("key", ""),
                title=f"Change the rule “{stored['name']}”",
                reason=typed["reason"].strip(),
            )
        )
    except Problem as problem:
        return _form(stored, typed, request, viewer, company, problem=problem)
    if isinstance(outcome, Executed):
        return back(f"/governance/policies/{policy_id}", "done")
    return back(f"/approvals/{outcome.proposal_id}", "proposed")


def _stored(policy_id: UUID, company: Company) -> dict[str, Any]:
    with reading(company.engine) as connection:
        versions = policy_versions(connection, policy_id)
    if not versions:
        raise not_found("policy")
    return versions[0]


def _texts(stored: dict[str, Any]) -> dict[str, str]:
    """The stored version as it stands in the form."""
    texts = {
        "deadline_hours": str(stored["deadline_hours"]),
        "in_order": "yes" if stored["in_order"] else "",
        "active": "yes" if stored["active"] else "",
        "reason": "",
    }
    for place, one in enumerate(stored["conditions"]):
        texts |= {f"{end}.{place}": fact_text(one["fact"], one.get(end)) for end in ("low", "high")}
    for place, one in enumerate(stored["approvers"]):
        texts |= {f"role.{place}": one["role"], f"people.{place}": str(one["people"])}
    for part, hours in (("escalation", "after_hours"), ("review", "within_hours")):
        if stored[part]:
            texts |= {f"{part}.role": stored[part]["role"], f"{part}.hours": str(stored[part][hours])}
    return texts


def _change(stored: dict[str, Any], typed: dict[str, str]) -> SaveApprovalPolicy:
    """The next version as typed. Raises 422 naming each field."""
    wrong: list[dict[str, str]] = []
    conditions = [_condition(place, one, typed, wrong) for place, one in enumerate(stored["conditions"])]
    rows = range(max(APPROVER_ROWS, len(stored["approvers"])))
    approvers = [
        {"role": role, "people": _whole(typed, f"people.{row}", f"People of {role}", wrong)}
        for row in rows
        if (role := typed.get(f"role.{row}", ""))
    ]
    parts: dict[str, Any] = {}
    for part, hours in (("escalation", "after_hours"), ("review", "within_hours")):
        role = typed.get(f"{part}.role", "")
        if role:
            told = "Escalation after hours" if part == "escalation" else "Review within hours"
            parts[part] = {"role": role, hours: _whole(typed, f"{part}.hours", told, wrong)}
    deadline = _whole(typed, "deadline_hours", "Time to decide", wrong)
    if wrong:
        raise invalid(wrong)
    try:
        return SaveApprovalPolicy.model_validate(
            {
                "policy_id": stored["id"],
                "policy_name": stored["name"],
                "command": stored["command"],
                "conditions": conditions,
                "approvers": approvers,
                "in_order": bool(typed.get("in_order")),
                "deadline_hours": deadline,
                "active": bool(typed.get("active")),
                **parts,
            }
        )
    except ValidationError as error:
        raise from_validation(error) from error


def _condition(
    place: int, stored: dict[str, Any], typed: dict[str, str], wrong: list[dict[str, str]]
) -> dict[str, Any]:
    fact = stored["fact"]
    if not FACTS[fact].ordered:
        return stored
    bounds: dict[str, Any] = {}
    for end, told in (("low", "from"), ("high", "under")):
        text = typed.get(f"{end}.{place}", "").strip()
        if text:
            bounds[end] = fact_value(fact, text)
            if bounds[end] is None:
                reason, remedy = f"{text[:20]!r} is no number", "give one, such as 2,500, or leave it empty"
                wrong.append(_wrong(f"{label_of(fact)}, {told}", reason, remedy))
    low, high = bounds.get("low"), bounds.get("high")
    if not bounds:
        wrong.append(_wrong(label_of(fact), "has no bound", "give at least one end"))
    elif low is not None and high is not None and low >= high:
        wrong.append(_wrong(label_of(fact), "the lower end lies above the upper", "exchange them"))
    return {"fact": fact, **bounds}


def _whole(typed: dict[str, str], name: str, label: str, wrong: list[dict[str, str]]) -> int:
    text = typed.get(name, "").strip()
    if text.isascii() and text.isdigit() and len(text) < 6:
        return int(text)
    reason = f"{text[:20]!r} is no whole number" if text else "is missing"
    wrong.append(_wrong(label, reason, "give a whole number"))
    return 0


def _wrong(field: str, reason: str, remedy: str) -> dict[str, str]:
    return {"field": field[:1].upper() + field[1:], "reason": reason, "remedy": remedy}


def _require_reason(typed: dict[str, str]) -> None:
    if not typed.get("reason", "").strip():
        raise invalid([_wrong("Why", "is missing", "say it in a sentence for who decides")])


def _form(
    stored: dict[str, Any],
    typed: dict[str, str],
    request: Request,
    viewer: Principal,
    company: Company,
    *,
    change: SaveApprovalPolicy | None = None,
    touched: list[Affected] | None = None,
    problem: Problem | None = None,
) -> HTMLResponse:
    with reading(company.engine) as connection:
        currency = company_facts(connection).get("currency", "")
        changes = policy_changes([change], connection, currency) if change else []
    conditions = [
        {
            "place": place,
            "label": label_of(one["fact"]),
            "ordered": FACTS[one["fact"]].ordered,
            "money": FACTS[one["fact"]].kind == "money",
            "wants": wanted_in_words(condition_from(one), currency),
        }
        for place, one in enumerate(stored["conditions"])
    ]
    return page(
        request,
        company,
        viewer,
        "edit_policy.html",
        "governance",
        status=problem.status if problem else 200,
        problem=problem.body if problem else None,
        tab="policies",
        stored=stored,
        command=command_in_words(stored["command"]),
        conditions=conditions,
        typed=typed,
        rows=range(max(APPROVER_ROWS, len(stored["approvers"]))),
        roles=DECIDING_ROLES,
        changes=changes,
        touched_rows=touched,
        may_edit=viewer.may_run("SaveApprovalPolicy"),
    )
