"""Pure rules of the inbox: the life of a case, and what a new scan changes.

Cases are matched by key, (kind, subject_key). A scan never undoes what people did: owner, snooze and
proposal stay; a case that a person dismissed stays closed until it vanishes or its loss grows.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from erp_core.gate.statuses import StatusGraph

CASE_STEPS: StatusGraph = {
    "open": frozenset({"assigned", "proposed", "snoozed", "resolved", "expired"}),
    "assigned": frozenset({"proposed", "snoozed", "resolved", "expired"}),
    "proposed": frozenset({"open", "assigned", "resolved", "expired"}),
    "snoozed": frozenset({"open", "assigned", "proposed", "resolved", "expired"}),
    "resolved": frozenset(),
    "expired": frozenset(),
}
CLOSED = frozenset(status for status, steps in CASE_STEPS.items() if not steps)

ACTED_ON = "acted_on"
NO_LONGER_DETECTED = "no_longer_detected"
DEADLINE_PASSED = "deadline_passed"

CaseKey = tuple[str, str]


class Finding(NamedTuple):
    """What a scan says about one case; equal findings mean that nothing changed. JSON as canonical text."""

    title: str
    probability: float
    deadline: datetime
    expected_loss: int
    residual_loss: int
    action_cost: int
    evidence: str
    action: str | None
    caused_by: CaseKey | None

    @property
    def net_benefit(self) -> int:
        """The rank: expected loss less what remains after the best action and what that costs."""
        return self.expected_loss - self.residual_loss - self.action_cost


@dataclass(frozen=True, slots=True)
class KnownCase:
    """A case as the inbox holds it before the scan."""

    id: UUID
    status: str
    finding: Finding
    version: int
    owner_id: UUID | None
    snoozed_until: datetime | None
    dismissed: bool


@dataclass(frozen=True, slots=True)
class Closing:
    """How a vanished case ends."""

    case: KnownCase
    status: str
    resolution: str


@dataclass(slots=True)
class ScanDifference:
    """What a scan changes: keys to open, cases to update, wake, close or forget; and how many stay as they are."""

    opened: list[CaseKey] = field(default_factory=list)
    updated: list[tuple[KnownCase, Finding]] = field(default_factory=list)
    woken: list[KnownCase] = field(default_factory=list)
    closed: list[Closing] = field(default_factory=list)
    forgotten: list[KnownCase] = field(default_factory=list)
    unchanged: int = 0
    dismissed: int = 0


def awake_status(owner_id: UUID | None) -> str:
    """The status of a case that nobody has put aside and no proposal holds."""
    return "open" if owner_id is None else "assigned"


def opens_again(dismissed: Finding, found: Finding) -> bool:
    """Whether a dismissed case deserves a new look: its loss grew by more than a quarter."""
    return found.expected_loss * 4 > dismissed.expected_loss * 5


def scan_difference(
    known: Mapping[CaseKey, KnownCase],
    found: Mapping[CaseKey, Finding],
    kinds: Collection[str],
    now: datetime,
) -> ScanDifference:
    """Compare the inbox with a scan. Only cases of the judged `kinds` can vanish.

    `known` holds the cases that are not closed, and the dismissed ones.
    """
    difference = ScanDifference()
    for key, finding in found.items():
        case = known.get(key)
        if case is None:
            difference.opened.append(key)
        elif case.dismissed:
            if opens_again(case.finding, finding):
                difference.forgotten.append(case)
                difference.opened.append(key)
            else:
                difference.dismissed += 1
        else:
            woken = case.status == "snoozed" and case.snoozed_until is not None and case.snoozed_until <= now
            if woken:
                difference.woken.append(case)
            if case.finding != finding:
                difference.updated.append((case, finding))
            elif not woken:
                difference.unchanged += 1
    for key, case in known.items():
        if key in found or key[0] not in kinds:
            continue
        if case.dismissed:
            difference.forgotten.append(case)
        elif case.finding.deadline <= now:
            difference.closed.append(Closing(case, "expired", DEADLINE_PASSED))
        else:
            difference.closed.append(Closing(case, "resolved", NO_LONGER_DETECTED))
    return difference
