"""Whether a principal may ask for a plan at all: known commands, roles, and the right to back-date."""

from __future__ import annotations

from datetime import datetime, timedelta

from erp_core.gate.contract import Denied, Invalid, Outcome, Refused, Registry
from erp_core.gate.errors import BackdatingNotAllowed, ReasonMissing
from erp_core.gate.principals import Principal
from erp_core.gate.requirements import Wish
from erp_core.gate.roles import NEVER_BY_AGENTS, NEVER_BY_KEYS, may_run, who_may
from erp_core.gate.separation import REPLAYING

CLOCK_TOLERANCE = timedelta(minutes=5)
REASON_LENGTH = 10


def authorise(wish: Wish, principal: Principal, registry: Registry, now: datetime) -> Outcome | None:
    """None when every command may be asked for, else what stops the first that may not. `now` is in business time."""
    if (stop := _manner(wish, principal)) is not None:
        return stop
    for command in wish.commands:
        if registry.get(command.command_name) is None:
            return Invalid(
                [
                    {
                        "field": "command",
                        "reason": f"{command.command_name} is unknown",
                        "remedy": "see the catalogue",
                    }
                ]
            )
        if (remedy := why_not(principal, command.command_name)) is not None:
            return Denied(f"{principal.login} may not run {command.command_name}", remedy)
        moment = command.occurred_at
        if moment is None:
            continue
        if moment.tzinfo is None:
            return Invalid(
                [
                    {
                        "field": "occurred_at",
                        "reason": "has no time zone",
                        "remedy": "give it in UTC, as ...Z",
                    }
                ]
            )
        if abs(moment - now) <= CLOCK_TOLERANCE:
            continue
        if not principal.has_right("backdate"):
            return Refused(
                BackdatingNotAllowed(
                    "occurred_at lies too far from now",
                    field="occurred_at",
                    remedy="leave it out, or let someone with the right to back-date submit it",
                )
            )
        if registry.require(command.command_name).governed and REPLAYING not in principal.roles:
            return Refused(
                BackdatingNotAllowed(
                    f"policy decides about {command.command_name} by what went before it",
                    field="occurred_at",
                    remedy="leave it out: what needs an approval policy happens when it is asked for",
                )
            )
    return None


def why_not(principal: Principal, command: str) -> str | None:
    """What a principal can do about a command that it may not run; None when it may."""
    if principal.may_run(command):
        return None
    if not may_run(principal.roles, command):
        return f"it is for: {', '.join(who_may(command)) or 'nobody'}"
    if principal.is_agent and command in NEVER_BY_AGENTS:
        return "log in yourself: no agent changes users, passwords or keys"
    if command in NEVER_BY_KEYS:
        return "log in yourself: no API key decides or changes users, passwords or keys"
    return "use a key whose scope has this command, or log in"


def _manner(wish: Wish, principal: Principal) -> Outcome | None:
    """What stops a wish because of how it is asked for, whatever it is about."""
    if any(command.by_people for command in wish.commands) and not _is_person(principal):
        return Denied(f"{principal.login} is no person here", "a person must do this in their own session")
    if wish.breaks_glass and (principal.kind != "person" or not principal.has_right("break_glass")):
        return Denied(
            f"{principal.login} may not break the glass", "it is for a person with the role emergency"
        )
    if (wish.urgent or wish.breaks_glass) and len(wish.reason.strip()) < REASON_LENGTH:
        return Refused(
            ReasonMissing(
                f"what cannot wait needs a reason of {REASON_LENGTH} characters or more",
                field="reason",
                remedy="say why it cannot wait for the usual approvals; it will be looked at later",
            )
        )
    return None


def _is_person(principal: Principal) -> bool:
    """Whether a person acts, or history is replayed in which persons did."""
    return principal.kind == "person" or (principal.kind == "service" and REPLAYING in principal.roles)
