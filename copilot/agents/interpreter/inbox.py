"""Questions about the list of exceptions: listing it, explaining a case."""

from __future__ import annotations

import re
from typing import Any

from copilot.agents.answer import Option
from copilot.agents.interpreter import asking, intents
from copilot.agents.interpreter.lexicon import Lexicon
from copilot.agents.interpreter.numbers import ORDINALS
from copilot.agents.interpreter.readings import Call, Reading, clarify
from copilot.agents.interpreter.spans import Annotated
from copilot.agents.interpreter.subjects import calling, subject, tie, titles


def position_in(text: str) -> int | None:
    lowered = text.casefold()
    for word, value in ORDINALS.items():
        if re.search(rf"\b{word}\b", lowered):
            return value
    if match := re.search(r"(?:#|number |no\.? ?|exception |case )(\d{1,3})\b", lowered):
        return int(match[1])
    if re.search(r"\b(?:top|biggest|most (?:urgent|expensive|important)|worst)\b", lowered):
        return 1
    return None


_BARE_WHY = re.compile(
    r"\W*(?:but |and )?(?:why|why is that|why so|how come|explain|reason|why not"
    r"|why (?:is )?(?:that|this|it)(?: one)?(?: on (?:the|my) list| there| here)?|explain (?:that|this|it)(?: one)?)\W*",
    re.IGNORECASE,
)
_ONE_OF_THE_LIST = re.compile(
    r"\W*(?:(?:and|but|ok|please|now|then|why|explain|show|open|tell|me|more|about|what|what's|is|take|give|details|on|of|for)\W+)*"
    rf"(?:the |that |number |no\.? ?|# ?|case |exception )*(?P<n>{'|'.join(ORDINALS)}|last|\d{{1,2}})"
    r"(?: (?:one|exception|case|entry|row|of (?:them|these|those)|on (?:the|my) list|there|please))*\W*",
    re.IGNORECASE,
)


def _picked(text: str, last: Call | None) -> Reading | None:
    """The exception that an answer to the list picks by its place ("the second one")."""
    if last is None or last.tool not in ("list_exceptions", "explain_exception"):
        return None
    match = _ONE_OF_THE_LIST.fullmatch(text)
    if match is None:
        return None
    said = match["n"].casefold()
    place = ORDINALS.get(said) or (int(said) if said.isdigit() else int(last.args.get("limit", 10)))
    kept = {name: value for name, value in last.args.items() if name in _LISTED_BY}
    return calling(
        "explain_exception",
        "explain_exception",
        {**kept, "position": place},
        f"why exception {place} of the list is on it",
    )


_LISTED_BY = ("kind", "item", "supplier", "warehouse", "category")


def _about_a_record(text: str, annotated: Annotated) -> bool:
    """Whether this asks why one item is on the list: "why is it red", or "why" with no figure named."""
    if not subject(annotated, "item"):
        return False
    figure = annotated.of("metric") or (annotated.idiom and annotated.idiom.metric)
    return bool(intents.ABOUT_A_RECORD.search(text) or (intents.WHY.match(text) and not figure))


_FIGURE = re.compile(r"\b(?:rates?|days|units|value|trend|margin|sales)\b", re.IGNORECASE)


def _reasons_for_a_case(text: str, annotated: Annotated) -> bool:
    """Whether the reasons of an alert or of a kind of exception on something named are asked for."""
    if not intents.REASONS.search(text) or not (subject(annotated) or annotated.documents):
        return False
    kind = intents.kind_of_exception(text) is not None and not _FIGURE.search(text)
    return kind or bool(intents.EXCEPTION.search(text))


_SO_HIGH = re.compile(
    r"\b(?:so|that|this|too) (?:high|low|much|many|few|little|big|large|small|bad|good|slow|long|late|often)\b"
    r"|\b(?:up|down|higher|lower|worse|better|dropp\w*|fall\w*|fell|ris\w*|rose|gr[eo]w\w*|increas\w*|declin\w*|chang\w*)\b",
    re.IGNORECASE,
)


def _why_a_figure(text: str, annotated: Annotated, lexicon: Lexicon, last: Call | None) -> Reading | None:
    """Why a figure is what it is nobody has recorded: it can be broken down instead."""
    if last is None or last.tool != "query_metrics" or not intents.WHY.search(text):
        return None
    if intents.EXCEPTION.search(text) or annotated.documents or not _SO_HIGH.search(text):
        return None
    if re.search(r"\bdemand\b", text, re.IGNORECASE) or (annotated.idiom and annotated.idiom.metric):
        return None
    return asking.no_cause(last.args["metrics"][0], last.args.get("by", ()), lexicon)


def explain(text: str, annotated: Annotated, lexicon: Lexicon, last: Call | None) -> Reading | None:
    if picked := _picked(text, last):
        return picked
    if unexplained := _why_a_figure(text, annotated, lexicon, last):
        return unexplained
    bare_why = _BARE_WHY.fullmatch(text)
    if bare_why and last is None:
        return clarify("Which exception or figure do you mean?", "missing_subject", slot="subject")
    if bare_why and last is not None:
        if last.tool in ("list_exceptions", "explain_exception"):
            asked = {k: v for k, v in last.args.items() if k not in ("limit", "channel", "brand")}
            return calling(
                "explain_exception",
                "explain_exception",
                asked or {"position": 1},
                "why this exception is on the list",
            )
        if last.tool == "query_metrics":
            metric = last.args["metrics"][0]
            return calling(
                "definition",
                "describe_vocabulary",
                {"term": metric},
                f"how {metric.replace('_', ' ')} is made up",
            )
        return None
    about = _about_a_record(text, annotated) or _reasons_for_a_case(text, annotated)
    if (not about and not intents.EXPLAIN_EXCEPTION.search(text)) or (
        intents.DEFINE.search(text) and annotated.of("metric") and not intents.EXCEPTION.search(text)
    ):
        return None
    if (
        not about
        and not intents.EXCEPTION.search(text)
        and not re.search(r"\b(?:here|there|at risk|urgent|flag\w*|listed|list)\b", text, re.IGNORECASE)
    ):
        return None
    args: dict[str, Any] = dict(subject(annotated, "item", "supplier", "warehouse"))
    if "item" not in args and (tied := tie(annotated, text, "item")):
        return tied
    if (kind := intents.kind_of_exception(text)) is not None:
        args["kind"] = kind
    if annotated.documents and annotated.documents[0][0] == "purchase_order":
        args["purchase_order"] = annotated.documents[0][1]
    position = position_in(text)
    if position and not args:
        args["position"] = position
    if not args and last is not None and last.tool in ("explain_exception", "list_exceptions"):
        args = {k: v for k, v in last.args.items() if k != "limit"}
    if not args and annotated.of("unknown"):
        word = annotated.of("unknown")[0].text
        options = tuple(
            Option(label=label, question=text.replace(word, name), slot=slot)
            for slot, name, label in lexicon.nearest(word)
        )
        return clarify(f"I don't know “{word}”.", "unknown_word", options, word=word)
    return calling(
        "explain_exception",
        "explain_exception",
        args or {"position": 1},
        "why this exception is on the list" + titles(annotated),
    )


def _of_documents(annotated: Annotated) -> bool:
    """Whether a figure of documents is named, and not the list of exceptions."""
    return any(not span.is_weak and span.name != "exceptions_open" for span in annotated.of("metric"))


def list_open(text: str, annotated: Annotated, last: Call | None) -> Reading | None:
    if re.match(r"\W*how (?:long|fast|quick\w*|soon)\b", text, re.IGNORECASE):
        return None
    moves = intents.demand_move(text)
    if (annotated.idiom and annotated.idiom.metric and not moves) or "exception of" in text.casefold():
        return None
    if not intents.LIST_EXCEPTIONS.search(text) or re.search(
        r"\b(?:how many|count|number of|resolution time|expected loss by|by (?:kind|type))\b",
        text,
        re.IGNORECASE,
    ):
        return None
    if (
        intents.KNOWLEDGE.search(text)
        and not annotated.of("member")
        and not re.search(r"\b(?:look at|work on|do first|worry)\b", text, re.IGNORECASE)
    ):
        return None
    if "by" in annotated.cues() and annotated.of("dim") and _of_documents(annotated):
        return None
    if any(
        "rate" in span.text.casefold() or "days" in span.text.casefold() for span in annotated.of("metric")
    ):
        return None
    if {"gt", "ge", "lt", "le", "between"} & annotated.cues() and annotated.of("number"):
        return None
    args: dict[str, Any] = dict(subject(annotated))
    kind = intents.kind_of_exception(text)
    if kind:
        args["kind"] = kind
    numbers = [
        int(span.number) for span in annotated.of("number") if span.number and span.number == int(span.number)
    ]
    if numbers and 1 <= numbers[0] <= 200:
        args["limit"] = numbers[0]
    what = (
        f"open exceptions of kind {kind.replace('_', ' ')}"
        if kind
        else "the open exceptions, the most money first"
    )
    return calling("exceptions", "list_exceptions", args, what + titles(annotated))
