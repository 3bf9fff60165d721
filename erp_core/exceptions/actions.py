"""A case's best action made ready: its commands with the ids that the caller makes, and their submission."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID, uuid5

from pydantic import ValidationError

from erp_core.exceptions.commands.cases import ResolveCase
from erp_core.exceptions.queries import Case
from erp_core.gate.contract import DomainError, Executed, Invalid, Outcome, Refused
from erp_core.gate.principals import Principal
from erp_core.gate.submission import Gate


class NoAction(DomainError):
    """The case has nothing that can be proposed: a person decides it by hand."""

    code = "no_action"


def ready_commands(case: Case, key: str) -> list[dict[str, Any]]:
    """The commands of the case's best action, with the ids that the caller makes filled in.

    The same case and key give the same ids, so that a repeated request is the same wish. An id that
    several commands name (the order to create and to submit) is one.
    """
    found = []
    for one in (case.action or {}).get("commands") or ():
        payload = _with_ids(one["payload"], case.id, key)
        lines = payload.get("lines")
        if isinstance(lines, list):
            payload["lines"] = [
                _with_ids(line, case.id, f"{key}:{number}") for number, line in enumerate(lines)
            ]
        found.append({"command": one["command"], "payload": payload})
    return found


def _with_ids(payload: Mapping[str, Any], case_id: UUID, key: str) -> dict[str, Any]:
    return {
        name: str(uuid5(case_id, f"{key}:{name}")) if value is None and name.endswith("_id") else value
        for name, value in payload.items()
    }


def submit_best_action(
    gate: Gate,
    case: Case,
    principal: Principal,
    key: str,
    *,
    evidence: Sequence[Mapping[str, Any]] = (),
    tainted: bool = False,
) -> Outcome:
    """Submit the plan that the case carries, with the case and its figures as evidence.

    What policy lets run at once is done: the case is resolved as acted on, as it is when a proposal of it is executed.
    `Refused` with `NoAction` where the case has none; `Invalid` where the action names a command that is gone
    or has become another. `evidence` adds to the case's own; `tainted` as for `Gate.submit_plan`.
    """
    wanted = ready_commands(case, key)
    if not wanted or case.action is None:
        return Refused(
            NoAction(
                "this exception has no action that can be proposed",
                remedy="decide it by hand and resolve it",
            )
        )
    commands = []
    for one in wanted:
        registration = gate.registry.get(one["command"])
        if registration is None:
            return _outdated("command", f"{one['command']} is unknown")
        try:
            commands.append(registration.command.model_validate(one["payload"]))
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            return _outdated(".".join(map(str, first["loc"])) or "payload", first["msg"])
    outcome = gate.submit_plan(
        commands,
        principal,
        key=key,
        title=str(case.action["label"])[:200],
        reason=case.title,
        evidence=[
            {"kind": "case", "id": str(case.id), "label": case.title},
            *case.evidence,
            *evidence,
        ],
        tainted=tainted,
    )
    if isinstance(outcome, Executed):
        resolve = ResolveCase(case_id=case.id, resolution="acted_on")
        gate.submit(resolve, principal, key=str(uuid5(case.id, f"{key}:resolved")))
    return outcome


def _outdated(field: str, reason: str) -> Invalid:
    return Invalid([{"field": field, "reason": reason, "remedy": "scan again: the action is made anew"}])
