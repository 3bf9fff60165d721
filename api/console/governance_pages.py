"""Governance: the approval policies in words and by version, and what they would ask of a command."""

from __future__ import annotations

import json
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, Response
from pydantic import ValidationError
from sqlalchemy import Connection

from api.auth import OfCompany
from api.company import Company
from api.console.fact_fields import fact_fields, facts_from
from api.console.policy_words import (
    by_command,
    command_in_words,
    condition_shown,
    policy_shown,
    version_shown,
)
from api.console.view import page, seeing
from api.problems import Problem, from_validation, invalid, not_found, refused
from erp_core.gate.contract import Command, DomainError
from erp_core.gate.policies.explain import Explanation, explain
from erp_core.gate.policies.rules import Policy
from erp_core.gate.policies.store import active_policies, policy_versions
from erp_core.gate.principals import Principal
from erp_core.gate.queries import company_facts
from erp_core.storage.engine import reading

router = APIRouter(include_in_schema=False, prefix="/governance")
Auditor = Annotated[Principal, Depends(seeing("read_audit"))]


@router.get("", response_class=HTMLResponse)
def policies(request: Request, viewer: Auditor, company: OfCompany, command: str = "") -> Response:
    """The policies in force, by command and in words."""
    with reading(company.engine) as connection:
        found = active_policies(connection)
        currency = company_facts(connection).get("currency", "")
    groups = by_command((one for one in found if not command or one.command == command), currency)
    return page(
        request,
        company,
        viewer,
        "policies.html",
        "governance",
        tab="policies",
        groups=[(name, command_in_words(name), rules) for name, rules in groups],
        commands=sorted({(one.command == "*", one.command) for one in found}),
        named=command_in_words,
        chosen=command,
        may_edit=viewer.may_run("SaveApprovalPolicy"),
    )


@router.get("/policies/{policy_id}", response_class=HTMLResponse)
def policy(policy_id: UUID, request: Request, viewer: Auditor, company: OfCompany) -> Response:
    """Every version of a policy, the newest first."""
    with reading(company.engine) as connection:
        rows = policy_versions(connection, policy_id)
        currency = company_facts(connection).get("currency", "")
    if not rows:
        raise not_found("policy")
    return page(
        request,
        company,
        viewer,
        "policy.html",
        "governance",
        tab="policies",
        id=policy_id,
        name=rows[0]["name"],
        command=command_in_words(rows[0]["command"]),
        versions=[version_shown(one, currency) for one in rows],
        may_edit=viewer.may_run("SaveApprovalPolicy"),
    )


@router.get("/try", response_class=HTMLResponse)
def try_facts(request: Request, viewer: Auditor, company: OfCompany, command: str = "") -> Response:
    """Which policy would decide about a command under facts that one states. Nothing is submitted."""
    typed = dict(request.query_params)
    with reading(company.engine) as connection:
        found = active_policies(connection)
        told, problem = None, None
        if command and "asked" in typed:
            try:
                told = explain(found, command, facts_from(found, command, typed))
            except Problem as wrong:
                problem = wrong
        return _try(request, viewer, company, connection, found, command, typed, told, problem)


@router.post("/try", response_class=HTMLResponse)
def try_payload(
    request: Request,
    viewer: Auditor,
    company: OfCompany,
    command: Annotated[str, Form(max_length=60)] = "",
    payload: Annotated[str, Form(max_length=100_000)] = "",
    urgent: Annotated[bool, Form()] = False,
    tainted: Annotated[bool, Form()] = False,
) -> Response:
    """Which policy would decide if one submitted this oneself now. Nothing is submitted."""
    typed = {"payload": payload, "urgent": urgent, "tainted": tainted, "own": "yes"}
    with reading(company.engine) as connection:
        found, told, problem = active_policies(connection), None, None
        try:
            asked = _command(command, payload, company)
            explained = company.gate.advice.explain(
                [asked], viewer, connection, urgent=urgent, tainted=tainted
            )
            told = explained[0] if explained else None
            if told is None:
                raise Problem(
                    422,
                    "ungoverned",
                    "no policy decides about this command",
                    remedy="it runs at once for whose role may run it",
                )
        except DomainError as error:
            problem = refused(error)
        except Problem as wrong:
            problem = wrong
        return _try(request, viewer, company, connection, found, command, typed, told, problem)


def _command(name: str, payload: str, company: Company) -> Command:
    registration = company.gate.registry.get(name)
    if registration is None:
        raise invalid([{"field": "Command", "reason": "is not chosen", "remedy": "choose one"}])
    try:
        return registration.command.model_validate(json.loads(payload))
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise invalid(
            [{"field": "Payload", "reason": f"is not JSON ({where})", "remedy": "give one JSON object"}]
        ) from error
    except ValidationError as error:
        raise from_validation(error, within="payload") from error


def _try(
    request: Request,
    viewer: Principal,
    company: Company,
    connection: Connection,
    found: list[Policy],
    command: str,
    typed: dict[str, Any],
    told: Explanation | None,
    problem: Problem | None,
) -> HTMLResponse:
    currency = company_facts(connection).get("currency", "")
    named = sorted({one.command for one in found} - {"*"})
    return page(
        request,
        company,
        viewer,
        "try_policy.html",
        "governance",
        status=problem.status if problem else 200,
        problem=problem.body if problem else None,
        tab="try",
        command=command,
        commands=[(one, command_in_words(one)) for one in named],
        fields=fact_fields(found, command, typed) if command else [],
        typed={"payload": "", "urgent": False, "tainted": False, "own": ""} | typed,
        told=_told(told, found, currency) if told else None,
        error=told.error.message if told is not None and told.error is not None else None,
        decided=told.decides if told else None,
    )


def _told(explanation: Explanation, found: list[Policy], currency: str) -> list[dict[str, Any]]:
    """The policies that speak of the command, with each condition and whether it holds."""
    known = {one.id: one for one in found}
    return [
        {
            "shown": policy_shown(known[one.id], currency),
            "decides": one.decides,
            "holds": one.holds,
            "conditions": [
                condition_shown(each, explanation.facts, currency) for each in known[one.id].conditions
            ],
        }
        for one in explanation.policies
    ]
