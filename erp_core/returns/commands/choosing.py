"""Which way a line goes: the rule's, or another one with a reason."""

from __future__ import annotations

from erp_core.gate.statuses import require_step
from erp_core.returns.commands.wishes import DisposedLine
from erp_core.returns.errors import LineNotInspected, NotForResale, OverrideNeedsReason
from erp_core.returns.rules import DISPOSITION_STEPS, UNDECIDED


def choose(rule: str | None, eligible: bool | None, current: str | None, wanted: DisposedLine | None) -> str:
    """The disposition of a line: the rule's, or another one with a reason.

    Raises `LineNotInspected`, `OverrideNeedsReason`, `NotForResale` or `IllegalTransition`.
    """
    if rule is None:
        raise LineNotInspected("the line was not inspected", field="lines", remedy="inspect the return first")
    chosen = rule if wanted is None or wanted.disposition is None else wanted.disposition
    require_step(DISPOSITION_STEPS, current or UNDECIDED, chosen, "the line")
    if current is None and chosen != rule and (wanted is None or wanted.reason_code is None):
        raise OverrideNeedsReason(
            f"the rule sends what was found to {rule.replace('_', ' ')}",
            field="lines.reason_code",
            remedy=f"give a reason for {chosen.replace('_', ' ')}, or leave the disposition out",
        )
    if chosen == "restock" and not eligible:
        raise NotForResale(
            "these goods may not be sold again",
            field="lines.disposition",
            remedy="write them off, refurbish them for another use, or send them to the supplier",
        )
    return chosen
