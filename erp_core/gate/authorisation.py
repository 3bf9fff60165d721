"""Whether a principal may ask for a plan at all: known commands, roles, and the right to back-date."""

from __future__ import annotations

from datetime import datetime, timedelta

from erp_core.gate.contract import Denied, Invalid, Outcome, Refused, Registry
from erp_core.gate.errors import BackdatingNotAllowed
from erp_core.gate.principals import Principal
from erp_core.gate.requirements import Wish
from erp_core.gate.roles import has_right, may_run, who_may

CLOCK_TOLERANCE = timedelta(minutes=5)


def authorise(wish: Wish, principal: Principal, registry: Registry, now: datetime) -> Outcome | None:
    """None when every command may be asked for, else what stops the first that may not. `now` is in business time."""
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
        if not may_run(principal.roles, command.command_name):
            roles = ", ".join(who_may(command.command_name)) or "nobody"
            return Denied(f"{principal.login} may not run {command.command_name}", f"it is for: {roles}")
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
        if abs(moment - now) > CLOCK_TOLERANCE and not has_right(principal.roles, "backdate"):
            return Refused(
                BackdatingNotAllowed(
                    "occurred_at lies too far from now",
                    field="occurred_at",
                    remedy="leave it out, or let someone with the right to back-date submit it",
                )
            )
    return None
