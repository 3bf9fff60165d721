"""The six standing questions of operations: which of them is asked (`standing.toml`), and about what."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

from copilot.agents.interpreter.bounds import bounds_in
from copilot.agents.interpreter.filters import read_filters
from copilot.agents.interpreter.idioms import pattern_of
from copilot.agents.interpreter.lexicon import Lexicon
from copilot.agents.interpreter.parts import Parts
from copilot.agents.interpreter.readings import Reading
from copilot.agents.interpreter.spans import Annotated
from copilot.agents.interpreter.subjects import calling, subject, tie, titles
from copilot.agents.interpreter.wording import listing

_MEANING = {
    "stockout_risk": "which items are at immediate stockout risk, by channel and warehouse",
    "delayed_inbound": "what inbound is delayed, and which customer orders are exposed",
    "excess": "where excess stock builds up, and what capital it ties up",
    "supplier_reliability": "which suppliers miss lead times or ship incomplete",
    "forecast_accuracy": "how accurate the forecasts are by category, and where a planner is needed",
    "margin_effects": "what freight, returns, markdowns and purchase price variance do to margin",
}
OVER_TIME = ("supplier_reliability", "forecast_accuracy", "margin_effects")
_NARROWED_BY = ("warehouse", "channel", "category", "supplier", "item")


@dataclass(frozen=True, slots=True)
class _Way:
    """One way of asking: what must be found, and what must not."""

    question: str
    all: tuple[re.Pattern[str], ...]
    unless: re.Pattern[str] | None


@lru_cache(maxsize=1)
def _ways() -> tuple[_Way, ...]:
    table = tomllib.loads(files(__package__).joinpath("standing.toml").read_text("utf-8"))
    return tuple(
        _Way(
            one["name"],
            tuple(pattern_of(text, table["words"]) for text in way["all"]),
            pattern_of(way["unless"], table["words"]) if "unless" in way else None,
        )
        for one in table["question"]
        for way in one["ways"]
    )


@lru_cache(maxsize=1)
def _known() -> tuple[re.Pattern[str], ...]:
    table = tomllib.loads(files(__package__).joinpath("standing.toml").read_text("utf-8"))
    return tuple(pattern_of(group, {}) for group in table["words"].values())


def knows(word: str) -> bool:
    """Whether the word belongs to the ways of asking a standing question."""
    return any(pattern.search(word.casefold()) for pattern in _known())


def name_of(text: str) -> str | None:
    """Which of the six questions this is, or None."""
    lowered = text.casefold()
    for way in _ways():
        if way.unless is None or not way.unless.search(lowered):
            if all(pattern.search(lowered) for pattern in way.all):
                return way.question
    return None


def read(text: str, annotated: Annotated, lexicon: Lexicon) -> Reading | None:
    """The reading as a standing question, narrowed to what is named and without what is left out."""
    name = name_of(text)
    if name is None or (annotated.idiom and annotated.idiom.complement) or bounds_in(annotated.spans):
        return None
    if name == "forecast_accuracy" and {span.name for span in annotated.of("dim")} - {"category"}:
        return None
    for dim in _NARROWED_BY:
        if tied := tie(annotated, text, dim):
            return tied
    parts = Parts()
    read_filters(annotated.spans, parts, lexicon)
    left_out = [member for dim, excluded, member in parts.filters if excluded and dim in _NARROWED_BY]
    exclude: dict[str, list[str]] = {}
    for member in left_out:
        exclude.setdefault(member.dim, []).append(member.code)
    named = {dim: code for dim, code in subject(annotated, *_NARROWED_BY).items() if dim not in exclude}
    args: dict[str, Any] = {
        "name": name,
        **named,
        "exclude": exclude or None,
        "period": annotated.period.value if annotated.period and name in OVER_TIME else None,
    }
    without = f", without {listing(member.title for member in left_out)}" if left_out else ""
    kept = "" if left_out and not named else titles(annotated)
    return calling("standard_question", "standard_question", args, _MEANING[name] + kept + without)
