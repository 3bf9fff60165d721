"""Pure rules of readiness: what a check needs to be green."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from erp_core.gate.contract import DomainError

Process = Literal["automation"]
CheckName = Literal["inventory_accuracy", "process_adherence", "pilot_cases"]

WINDOW_DAYS = 90
REVIEW_DAYS = 28
"""So long after its start a process is reviewed every day."""


class NotReady(DomainError):
    """A check is not green; `details` hold every figure."""

    code = "not_ready"


@dataclass(frozen=True, slots=True)
class Threshold:
    """At least so many percent, out of at least so many counts, documents or cases."""

    least: int
    least_number: int


DEFAULTS: Mapping[CheckName, Threshold] = {
    "inventory_accuracy": Threshold(95, 10),
    "process_adherence": Threshold(95, 20),
    "pilot_cases": Threshold(80, 5),
}
BASES: Mapping[CheckName, str] = {
    "inventory_accuracy": "counts",
    "process_adherence": "documents",
    "pilot_cases": "cases",
}


@dataclass(frozen=True, slots=True)
class Check:
    """A measured check. `percent` is None where there is nothing to measure."""

    name: CheckName
    percent: int | None
    number: int
    threshold: Threshold

    @property
    def green(self) -> bool:
        """Whether it holds; what cannot be measured does not."""
        enough = self.number >= self.threshold.least_number
        return enough and self.percent is not None and self.percent >= self.threshold.least

    @property
    def in_words(self) -> str:
        """Name, figure and what is needed."""
        share = "no value" if self.percent is None else f"{self.percent} %"
        return (
            f"{self.name.replace('_', ' ')} {share} of {self.number} {BASES[self.name]}"
            f" (needs {self.threshold.least} % of at least {self.threshold.least_number})"
        )


def percent_of(part: int, whole: int) -> int | None:
    """A share in whole percent, rounded down; None of nothing."""
    return None if whole <= 0 else max(part, 0) * 100 // whole


def require_green(process: str, site: str, checks: list[Check]) -> None:
    """Pass when every check is green. Raises `NotReady`, which names those that are not."""
    red = [check.in_words for check in checks if not check.green]
    if red:
        raise NotReady(
            f"{process} is not ready at {site}: {'; '.join(red)}",
            field="site",
            remedy="wait until the checks are green, or go live with a reason that policy lets people approve",
            checks={check.name: check.in_words for check in checks},
        )
