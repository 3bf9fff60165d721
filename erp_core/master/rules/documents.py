"""Compliance documents of suppliers: which kinds are required, and what stands in the way on a day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

SEGMENTS = ("strategic", "long_tail", "imported", "domestic")

GapState = Literal["missing", "expired", "not_yet_valid", "expiring"]


@dataclass(frozen=True, slots=True)
class DocumentKind:
    """A kind of compliance document: for which supplier segments it is required, whether an order is refused
    without a valid one, and how many days before its end it is listed.
    """

    kind: str
    label: str
    required_for: tuple[str, ...]
    blocks_orders: bool = True
    warn_days: int = 30


DOCUMENT_KINDS: Mapping[str, DocumentKind] = {
    one.kind: one
    for one in (
        DocumentKind("business_registration", "Business registration", SEGMENTS),
        DocumentKind("product_conformity", "Declaration of product conformity", ("imported",)),
        DocumentKind("liability_insurance", "Liability insurance", (), blocks_orders=False),
        DocumentKind("code_of_conduct", "Signed code of conduct", (), blocks_orders=False),
    )
}
"""What a company starts with; `SetDocumentKind` replaces or adds kinds."""


@dataclass(frozen=True, slots=True)
class Validity:
    """A document's kind and the days on which it is valid: `valid_from <= day < valid_to`, without end as None."""

    kind: str
    valid_from: date
    valid_to: date | None

    def on(self, day: date) -> bool:
        """Whether it is valid on the day."""
        return self.valid_from <= day and (self.valid_to is None or day < self.valid_to)


@dataclass(frozen=True, slots=True)
class DocumentGap:
    """A required kind that is not there, not valid, or about to run out; `ends_on` is the first day without it."""

    kind: str
    label: str
    state: GapState
    ends_on: date | None
    blocks_orders: bool


def document_gaps(
    kinds: Iterable[DocumentKind], segment: str, documents: Iterable[Validity], day: date
) -> list[DocumentGap]:
    """What is wrong on the day with the documents that a supplier of this segment must have, by kind.

    A document that follows without a break counts as one with that before it.
    """
    held = list(documents)
    gaps = []
    for kind in kinds:
        if segment not in kind.required_for:
            continue
        state, ends_on = _state(kind, [one for one in held if one.kind == kind.kind], day)
        if state is not None:
            gaps.append(DocumentGap(kind.kind, kind.label, state, ends_on, kind.blocks_orders))
    return gaps


def invalid(gaps: Iterable[DocumentGap]) -> list[DocumentGap]:
    """The gaps that stand in the way now: all but what is only about to run out."""
    return [gap for gap in gaps if gap.state != "expiring"]


def _state(kind: DocumentKind, held: list[Validity], day: date) -> tuple[GapState | None, date | None]:
    if not held:
        return "missing", None
    if not any(one.on(day) for one in held):
        ended = [one.valid_to for one in held if one.valid_to is not None and one.valid_to <= day]
        return ("expired", max(ended)) if ended else ("not_yet_valid", None)
    end: date | None = day
    while end is not None:
        covering = [one for one in held if one.on(end)]
        if not covering:
            break
        end = (
            None
            if any(one.valid_to is None for one in covering)
            else max(one.valid_to for one in covering if one.valid_to is not None)
        )
    if end is None or end > day + timedelta(days=kind.warn_days):
        return None, None
    return "expiring", end
