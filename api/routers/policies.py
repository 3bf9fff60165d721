"""Approval policies and rules of separation: which there are, which applies and why, whom a change touches."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field, ValidationError

from api.auth import Actor, OfCompany, Reader
from api.company import Company
from api.problems import Problem, from_validation, not_found, refused
from api.proposals import without_amounts
from erp_core.gate.authorisation import why_not
from erp_core.gate.contract import Command, DomainError, NotFound
from erp_core.gate.policies.commands import SaveApprovalPolicy
from erp_core.gate.policies.explain import Explanation, in_words, run_cases, wanted
from erp_core.gate.policies.facts import FACTS
from erp_core.gate.policies.rules import Policy
from erp_core.gate.policies.store import active_policies, policy_versions
from erp_core.gate.separation import separation_rules_in_force
from erp_core.storage.engine import reading

router = APIRouter(prefix="/policies", tags=["policies"])


class PolicyBody(BaseModel):
    """An approval policy in force, in words."""

    id: UUID
    version: int
    name: str
    command: str
    when: list[str]
    asks: str


class Asking(BaseModel):
    """A command that might be submitted."""

    command: str
    payload: dict[str, Any]
    urgent: bool = False
    tainted: bool = False


class Cases(BaseModel):
    """Cases of a policy test, as TOML."""

    cases: Annotated[str, Field(min_length=1, max_length=200_000)]


@router.get("")
def list_(
    actor: Reader, company: OfCompany, command: Annotated[str | None, Query(max_length=60)] = None
) -> list[PolicyBody]:
    """The policies in force, for all commands or one."""
    with reading(company.engine) as connection:
        found = active_policies(connection)
    return [body_of(one) for one in found if command is None or one.command in (command, "*")]


def body_of(policy: Policy) -> PolicyBody:
    """A policy in words."""
    return PolicyBody(
        id=policy.id,
        version=policy.version,
        name=policy.name,
        command=policy.command,
        when=[f"{FACTS[one.fact].label}: {wanted(one)}" for one in policy.conditions],
        asks=in_words(policy),
    )


@router.get("/separation")
def separation(actor: Reader, company: OfCompany) -> list[dict[str, Any]]:
    """The rules of separation in force: two duties in one document that no single person may have."""
    with reading(company.engine) as connection:
        return [dict(one) for one in separation_rules_in_force(connection)]


@router.get("/{policy_id}")
def versions(policy_id: UUID, actor: Reader, company: OfCompany) -> list[dict[str, Any]]:
    """Every version of a policy, the newest first."""
    with reading(company.engine) as connection:
        found = policy_versions(connection, policy_id)
    if not found:
        raise not_found("policy")
    return found


@router.post("/explain")
def explain(asking: Asking, actor: Actor, company: OfCompany) -> list[dict[str, Any]]:
    """Which policy would decide if one submitted this now, and why the others do not. Nothing is submitted.

    For a command that one may run; who may not see costs gets no amounts.
    """
    command = _command(asking.command, asking.payload, company)
    if (remedy := why_not(actor, command.command_name)) is not None:
        raise Problem(403, "denied", f"{actor.login} may not run {command.command_name}", remedy=remedy)
    with reading(company.engine) as connection:
        try:
            found = company.gate.advice.explain(
                [command], actor, connection, urgent=asking.urgent, tainted=asking.tainted or actor.is_agent
            )
        except DomainError as error:
            raise refused(error, 404 if isinstance(error, NotFound) else 409) from error
    return [_explained(one, sees_cost=actor.has_right("see_cost")) for one in found]


def _explained(one: Explanation, *, sees_cost: bool) -> dict[str, Any]:
    told: dict[str, Any] = {
        "command": one.command,
        "facts": dict(one.facts),
        "decides": one.decides,
        "error": one.error.as_dict() if one.error else None,
        "policies": [asdict(policy) for policy in one.policies],
    }
    if sees_cost:
        return told
    facts = without_amounts(one.facts)
    for condition in (each for policy in told["policies"] for each in policy["conditions"]):
        if condition["fact"] in one.facts.keys() - facts.keys():
            condition["value"] = "not shown"
    error = told["error"] and {**told["error"], "details": {}}
    return told | {"facts": facts, "error": error}


@router.post("/test")
def run_test(body: Cases, actor: Reader, company: OfCompany) -> list[dict[str, Any]]:
    """Run cases against the policies in force: for each what was expected, what came, and whether they agree."""
    with reading(company.engine) as connection:
        policies = active_policies(connection)
    try:
        return [asdict(one) for one in run_cases(body.cases, policies)]
    except (DomainError, ValueError) as error:
        raise refused(
            error if isinstance(error, DomainError) else DomainError(str(error), field="facts"), 422
        ) from error


@router.post("/preview")
def preview(policy: SaveApprovalPolicy, actor: Reader, company: OfCompany) -> list[dict[str, Any]]:
    """The waiting proposals that would go under another rule if this policy were saved. Nothing is saved."""
    with reading(company.engine) as connection:
        try:
            return [asdict(one) for one in company.gate.advice.touched_by(policy, connection)]
        except DomainError as error:
            raise refused(error, 422) from error


def _command(name: str, payload: dict[str, Any], company: Company) -> Command:
    try:
        registration = company.gate.registry.require(name)
    except DomainError as error:
        raise refused(error, 404) from error
    try:
        return registration.command.model_validate(payload)
    except ValidationError as error:
        raise from_validation(error, within="payload") from error
