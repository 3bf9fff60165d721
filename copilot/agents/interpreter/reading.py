"""Reads one question: which kind it is, and what is to be called for it.

The order matters: what must be refused comes first, then what is named outright (a document, an order),
then explanations and lists, and last the metric query, alone or as a change to the question before.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import pairwise
from typing import Any

from copilot.agents.interpreter import (
    actions,
    asking,
    build,
    buying,
    horizons,
    intents,
    leftover,
    references,
    unmeasured,
)
from copilot.agents.interpreter.choices import pick
from copilot.agents.interpreter.clauses import collect, settled
from copilot.agents.interpreter.dates import When
from copilot.agents.interpreter.due import find_due
from copilot.agents.interpreter.lexicon import Lexicon, vocabulary
from copilot.agents.interpreter.parts import Parts
from copilot.agents.interpreter.phrasing import prepare
from copilot.agents.interpreter.readings import Call, Reading, clarify, refused
from copilot.agents.interpreter.references import Shown
from copilot.agents.interpreter.span import Span
from copilot.agents.interpreter.spans import Annotated, Taken, annotate
from copilot.agents.interpreter.units import in_unit, unit_asked, unit_of
from copilot.agents.interpreter.wording import query_text

_REFUSALS = {
    "instructions": "I keep to the rules whatever a message says. I read and propose; people decide, and every step is audited.",
    "approval_not_mine": "Approving and rejecting is for people: a manager decides on the Approvals page. I can show what waits there.",
    "personal_data": "I don't give out personal data of customers or colleagues. I can answer by country, channel or order number.",
    "forbidden_action": "I can't do that: I read and propose purchase orders, and change nothing myself. A person with the right role does it in the core.",
}
_NO_ADVICE = (
    "That is yours to decide, and I have no figure for it. I can show what bears on it: margin, stock, excess, days of"
    " supply, returns and open exceptions; and I recommend what to reorder."
)
_NO_SIMULATION = (
    "I can't work out what would happen: I have no simulation. I can show what is: exposed customer orders, stockout"
    " risks, lead times and how far stock will last."
)


@dataclass(frozen=True, slots=True)
class Memory:
    """What the conversation left: the last calls, the question they answered, what was shown, and a
    later question without calls."""

    calls: tuple[Call, ...] = ()
    question: str = ""
    unanswered: str = ""
    shown: Shown = field(default_factory=Shown)

    @property
    def query(self) -> Mapping[str, Any] | None:
        """The last metric query, or one for the measure that was explained."""
        if self.last is not None and self.last.tool == "describe_vocabulary" and self.last.args.get("term"):
            return {"metrics": [self.last.args["term"]]}
        return next((call.args for call in reversed(self.calls) if call.tool == "query_metrics"), None)

    @property
    def last(self) -> Call | None:
        """The last call."""
        return self.calls[-1] if self.calls else None


def read(question: str, lexicon: Lexicon, today: date, memory: Memory | None = None) -> Reading:
    """Understand one question. Never raises: what isn't understood becomes a question back."""
    memory = memory or Memory()
    text = question.strip()
    if not text or not re.search(r"\w", text):
        return clarify("What would you like to know?", "empty")
    if stopped := _refusal(text):
        return stopped
    text = prepare(text, lexicon.known.__contains__)
    ahead = bool(intents.FORECAST.search(text)) and not intents.NOT_FORECAST.search(text)
    ahead = ahead and not re.search(r"\b(?:was|were|did|had)\b", text, re.IGNORECASE)
    forecasting = ahead or (memory.last is not None and memory.last.tool == "forecast_demand")
    horizon = horizons.find_horizon(text) if forecasting else None
    if chosen := _choice(text, lexicon, today, memory):
        return chosen
    text = references.resolved(text, memory.last, memory.shown)
    if ordered := _order(text, lexicon, today, memory.last):
        return ordered
    used = (Taken(*horizon[1:], "stop"),) if horizon else ()
    annotated = annotate(text, lexicon, When(today, ahead), used=used)
    reading = (
        _general(text, annotated)
        or actions.read(text, annotated, lexicon, memory.last, horizon)
        or _query(
            text,
            annotate(text, lexicon, When(today, ahead)) if horizon else annotated,
            lexicon,
            today,
            memory,
        )
    )
    if reading.reason == "ambiguous" and (strange := _before_a_name(annotated)):
        return asking.unknown(strange, annotated, lexicon)
    if annotated.corrected and reading.status == "call" and reading.intent == "metrics":
        reading = replace(reading, details={**reading.details, "corrected": dict(annotated.corrected)})
    return reading


def _refusal(text: str) -> Reading | None:
    for reason, pattern in (
        ("instructions", intents.INJECTION),
        ("approval_not_mine", intents.APPROVE),
        ("personal_data", intents.PERSONAL),
        ("forbidden_action", intents.FORBIDDEN),
    ):
        if pattern.search(text):
            if reason == "personal_data" and intents.KNOWLEDGE.search(text):
                continue
            if reason == "approval_not_mine" and intents.HOW_LONG.match(text):
                continue
            return refused(reason, _REFUSALS[reason])
    return None


def _choice(text: str, lexicon: Lexicon, today: date, memory: Memory) -> Reading | None:
    """The reading of the question before with the option that this answer picks; None where it picks none."""
    if not memory.unanswered:
        return None
    before = replace(memory, unanswered="")
    asked = read(memory.unanswered, lexicon, today, before)
    if asked.status != "clarify":
        return None
    if picked := pick(text, asked.options):
        return read(picked.question, lexicon, today, before)
    return _completed(text, asked, lexicon, today, memory)


_MEANT = re.compile(
    r"^\W*(?:no,? |sorry,? |i (?:mean|meant|was asking for)|make (?:it|that)|rather)\b[ ,]*", re.IGNORECASE
)


def _completed(text: str, asked: Reading, lexicon: Lexicon, today: date, memory: Memory) -> Reading | None:
    """The question before with a fragment for the word that was not understood, or with the measure it lacked."""
    before = replace(memory, unanswered="")
    fragment = _MEANT.sub("", text)
    parts = collect(settled(annotate(fragment, lexicon, When(today)), lexicon), lexicon)
    whole = bool(parts.metrics) and (parts.by or parts.filters)
    if whole or parts.unread or not (parts.metrics or parts.by or parts.filters):
        return None
    word = str(asked.details.get("word") or "")
    if parts.metrics and asked.reason == "missing_metric":
        question = f"{fragment.rstrip(' ?.!')} {asking.tail(memory.unanswered)}"
    elif word and not parts.metrics:
        lead = r"(?:\b(?:by|per|in|for|of|from|at) (?:the )?)?" if _BOUND.match(fragment) else ""
        question = re.sub(rf"{lead}\b{re.escape(word)}\b", lambda _: fragment, memory.unanswered, count=1)
    else:
        return None
    made = read(question, lexicon, today, before)
    return made if made.status == "call" else None


_BOUND = re.compile(r"\W*(?:by|per|in|for|of|from|at)\b", re.IGNORECASE)


def _packs(text: str) -> tuple[Taken, ...]:
    """Words of packing after a number ("3 boxes"), which may stand in names of items too."""
    words = "|".join(vocabulary()["packs"])
    found = re.finditer(rf"(?<=\d )(?:{words})\b", text, re.IGNORECASE)
    return tuple(Taken(match.start(), match.end(), "stop") for match in found)


def _order(text: str, lexicon: Lexicon, today: date, last: Call | None) -> Reading | None:
    """The reading as an order or a change to one: days that it names are days to deliver by."""
    changes = last is not None and last.tool == "propose_purchase_order"
    if not (changes or buying.asks_to_order(text)):
        return None
    due = find_due(text, today)
    used = (*((Taken(due.start, due.end, "stop"),) if due else ()), *_packs(text))
    annotated = annotate(text, lexicon, When(today, ahead=True), used=used, dated=False)
    proposed = buying.propose(text, annotated, lexicon, last, due, today)
    return proposed or buying.changed_order(text, annotated, last, due)


def _general(text: str, annotated: Annotated) -> Reading | None:
    if intents.GREETING.search(text):
        return Reading("greeting", "cannot_answer", text=asking.CAN_DO, reason="no_question")
    for words, instead in vocabulary()["unmeasured"].items():
        if match := re.search(rf"\b(?:{words})\b", text, re.IGNORECASE):
            return Reading(
                "unmeasured",
                "cannot_answer",
                text=f"I have no figure for “{match.group()}”. {instead}",
                reason="unsupported",
            )
    if absent := unmeasured.absent_group(text, annotated):
        return absent
    if intents.ADVICE.search(text):
        return Reading("unmeasured", "cannot_answer", text=_NO_ADVICE, reason="unsupported")
    if intents.WHAT_IF.search(text):
        return Reading("unmeasured", "cannot_answer", text=_NO_SIMULATION, reason="unsupported")
    if intents.HELP.search(text):
        return Reading(
            "vocabulary", calls=(Call("describe_vocabulary", {}),), text="I read this as: what I can answer."
        )
    if intents.ALWAYS_OUT_OF_SCOPE.search(text):
        return asking.out_of_scope()
    named = annotated.of("metric") or annotated.of("member") or annotated.documents
    if intents.OUT_OF_SCOPE.search(text) and not named:
        return asking.out_of_scope()
    return None


def _query(text: str, annotated: Annotated, lexicon: Lexicon, today: date, memory: Memory) -> Reading:
    before = memory.query
    if before is not None and not set(before["metrics"]) <= lexicon.metrics.keys():
        before = None
    metrics = before["metrics"] if before else ()
    annotated = settled(annotated, lexicon, metrics)
    parts = collect(annotated, lexicon, metrics)
    unit = unit_asked(text)
    if before is not None and unit and _only_a_unit(annotated, before, unit, lexicon):
        parts.metrics = []
    if parts.ties:
        return asking.which(parts.ties[0], text, lexicon)
    unread = leftover.unexplained(_unread(parts, annotated), parts.metrics, lexicon, unit)
    if asking.blocking(unread, annotated, parts):
        return asking.unknown(
            [span for span in unread if span.kind in ("unknown", "stop")] or unread, annotated, lexicon
        )
    if (qualified := unmeasured.qualified(unread, annotated)) and parts.metrics:
        return unmeasured.other_figure(qualified, annotated, lexicon)
    if parts.metrics and (telling := leftover.telling(unread, annotated, lexicon)):
        return leftover.ask_back(telling, parts.metrics, annotated, lexicon)
    follows = before is not None and _follows(text, parts, annotated)
    if follows and before is not None:
        made = build.changed(before, parts, annotated, lexicon, today)
        if made is not None:
            return _call(made, lexicon, today, unread)
        if annotated.cues() & {"chart", "same"}:
            return _call(dict(before), lexicon, today, unread)
    if not parts.metrics:
        return asking.nothing_found(text, annotated, parts, unread, lexicon)
    made = build.query(parts, annotated, lexicon, today)
    if _WHY.match(text) and "return_reason" not in made.get("by", ()):
        return asking.no_cause(made["metrics"][0], made.get("by", ()), lexicon)
    if "share" in made.get("show", ()) and not made.get("by"):
        filtered = [one["dim"] for one in made.get("where", ())]
        if len(filtered) != 1:
            return asking.share_of_what(text, made["metrics"][0], lexicon)
        made |= {"by": filtered, "where": []}  # a part of the whole stands beside the other parts
    return _call(made, lexicon, today, unread)


_WHY = re.compile(r"\W*(?:but |and |so )?(?:why|how come)\b", re.IGNORECASE)
_OF_THOSE = re.compile(
    r"\b(?:of|for|with) (?:those|these|them|that|it)\b(?! \w+ (?:month|week|year|quarter))|\b(?:the same (?:ones?|items|suppliers|period|time)|they|those ones)\b",
    re.IGNORECASE,
)


def _before_a_name(annotated: Annotated) -> list[Span]:
    """Words nobody knows right before a name that several records bear ("flamingo lamps")."""
    return [
        word
        for word, name in pairwise(annotated.spans)
        if word.kind == "unknown" and name.kind == "member" and len(name.senses) > 1
    ]


def _only_a_unit(annotated: Annotated, before: Mapping[str, Any], unit: str, lexicon: Lexicon) -> bool:
    """Whether "in units" asks for the measure before in another unit, and for no measure of its own."""
    named = annotated.of("metric")
    known = [in_unit(name, unit, "", lexicon) != name for name in before["metrics"]]
    return bool(named) and all(unit_of(span.text) for span in named) and any(known)


def _follows(text: str, parts: Parts, annotated: Annotated) -> bool:
    if not parts.metrics:
        return True
    lone_metric = not parts.by and not parts.filters and annotated.period is None and not parts.limit
    marked = bool(
        re.match(
            r"^\W*(?:and|now|what about|how about|same|the same|also|but|or|instead|then)\b|.*\binstead\b",
            text,
            re.IGNORECASE,
        )
    )
    if marked or _OF_THOSE.search(text) or all(span.kind in ("metric", "stop") for span in annotated.spans):
        return True
    return (
        bool(re.match(r"^\W*(?:only|just|show (?:it|that|them)|make it|do)\b", text, re.IGNORECASE))
        and lone_metric
    )


def _unread(parts: Parts, annotated: Annotated) -> list[Span]:
    return [span for span in parts.unread if len(span.text) > 1 or span.text.isdigit()]


def _call(made: Mapping[str, Any], lexicon: Lexicon, today: date, unread: Sequence[Span]) -> Reading:
    return Reading(
        "metrics",
        calls=(Call("query_metrics", dict(made)),),
        text=query_text(made, lexicon, today),
        unread=tuple(span.text for span in unread if span.kind in ("unknown", "stop")),
        unused=tuple(span.text for span in unread if span.kind not in ("unknown", "stop")),
    )
