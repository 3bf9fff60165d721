"""The gate's question to autonomy: may automation ask for this at all, and may it run without people?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from erp_core.gate.autonomy.rules import (
    Applied,
    AutomationStopped,
    AutonomyTooLow,
    NotAutomation,
    NotRuleMade,
    Scope,
    level_of,
    rank,
)
from erp_core.gate.autonomy.state import current_levels, current_switch, levels_by_scope
from erp_core.gate.principals import Principal

ROLE = "automation"
RULE_EVIDENCE = "rule"
ASK_A_MANAGER = (("manager", 1),)


def is_automation(principal: Principal) -> bool:
    """Whether the principal carries the role automation, alone or not."""
    return ROLE in principal.roles


def permit(
    facts: Mapping[str, Any],
    evidence: Sequence[Mapping[str, Any]],
    principal: Principal,
    connection: Connection,
) -> Applied | None:
    """The level at which automation may do this: propose or act. None for every other principal.

    Never lets anything pass that a language model or an outside text had a part in. Raises `NotAutomation`,
    `AutomationStopped`, `NotRuleMade` or `AutonomyTooLow`.
    """
    if not is_automation(principal):
        return None
    person = principal.kind != "service" or principal.owner_kind == "person"
    if person or principal.roles != frozenset({ROLE}):
        raise NotAutomation(
            f"{principal.login} has the role automation beside others, or is a person",
            remedy="give automation a service account of its own, without any other role",
        )
    switch = current_switch(connection)
    if switch.stopped:
        raise AutomationStopped(
            f"automation is stopped: {switch.reason}", remedy="resume it, or let a person do it"
        )
    foreign = sorted({str(one.get("kind")) for one in evidence} - {RULE_EVIDENCE})
    if facts.get("tainted") or foreign:
        raise NotRuleMade(
            "automation carries untrusted values" if facts.get("tainted") else f"evidence of {foreign[0]}",
            field="tainted" if facts.get("tainted") else "evidence",
            remedy="only what stored rules recommend may run by itself: let a person ask for it",
        )
    applied = level_of(levels_by_scope(current_levels(connection)), scopes_of(facts))
    if rank(applied.level) < rank("propose"):
        raise AutonomyTooLow(
            f"automation may not propose this: {applied.why}",
            remedy="raise the scope's level, or let a person ask for it",
            scope=list(applied.scope),
            level=applied.level,
        )
    return applied


def approvers_at(
    applied: Applied | None, approvers: tuple[tuple[str, int], ...]
) -> tuple[tuple[str, int], ...]:
    """Who must approve: what policy asks for, and below the level act always somebody."""
    if applied is None or applied.level == "act" or approvers:
        return approvers
    return ASK_A_MANAGER


def scopes_of(facts: Mapping[str, Any]) -> list[list[Scope]]:
    """The dimensions that the facts name, in groups as `level_of` takes them.

    Category, supplier and warehouse always stand in it: one that the facts do not name has no level of its own.
    """
    groups: list[list[Scope]] = [[("category", name)] for name in _several(facts.get("category")) or [""]]
    supplier: list[Scope] = [("supplier", name) for name in _several(facts.get("supplier")) or [""]]
    groups.append(supplier + [("supplier_group", name) for name in _several(facts.get("supplier_group"))])
    groups += [[("warehouse", name)] for name in _several(facts.get("warehouse")) or [""]]
    groups += [[("channel", name)] for name in _several(facts.get("channel"))]
    return groups


def _several(value: Any) -> list[str]:
    if value is None:
        return []
    return [str(one) for one in value] if isinstance(value, list | tuple) else [str(value)]
