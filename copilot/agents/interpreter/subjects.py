"""What all readings of actions share: subjects, ties, titles, and a reading with one call."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from copilot.agents.answer import Option
from copilot.agents.interpreter.readings import Call, Reading, clarify
from copilot.agents.interpreter.spans import Annotated

_SUBJECTS = ("item", "supplier", "warehouse", "category", "channel", "brand")


def calling(intent: str, tool: str, args: dict[str, Any], text: str, then: str | None = None) -> Reading:
    """A reading that calls one tool; arguments that are None are left out."""
    given = {name: value for name, value in args.items() if value is not None}
    return Reading(intent, calls=(Call(tool, given),), then=then, text=f"I read this as: {text}.")


def subject(annotated: Annotated, *dims: str) -> dict[str, str]:
    """The members named, one a dimension, as tool arguments."""
    found: dict[str, str] = {}
    for dim in dims or _SUBJECTS:
        members = annotated.members(dim)
        tied = [span for span in annotated.of("member") if len({m.code for m in span.members}) > 1]
        if members and not any(members[0] in span.members for span in tied):
            found[dim] = members[0].code
    return found


def tie(annotated: Annotated, text: str, dim: str) -> Reading | None:
    """A question back where the words fit several members of the dimension."""
    for span in annotated.of("member"):
        members = [member for member in span.members if member.dim == dim]
        if len(members) > 1:
            options = tuple(
                Option(label=m.title, question=re.sub(re.escape(span.text), m.code, text, count=1), slot=dim)
                for m in members[:6]
            )
            names = ", ".join(option.label for option in options)
            return clarify(
                f"“{span.text}” can mean more than one {dim}: {names}. Which one?",
                "ambiguous",
                options,
                slot=dim,
                word=span.text,
            )
    return None


def unsettled(annotated: Annotated, text: str, dims: Sequence[str]) -> Reading | None:
    """A question back where a list could be narrowed to several members of one dimension."""
    for dim in dims:
        if tied := tie(annotated, text, dim):
            return tied
        spans = [span for span in annotated.of("member") if [m.dim for m in span.members] == [dim]]
        if len({span.members[0].code for span in spans}) > 1:
            places = [annotated.tokens[span.first].start for span in spans]
            ends = [annotated.tokens[span.last].end for span in spans]
            before, after = text[: places[0]], text[ends[-1] :]
            options = tuple(
                Option(label=span.members[0].title, question=before + span.members[0].code + after, slot=dim)
                for span in spans
            )
            return clarify(
                f"This list can be narrowed to one {dim.replace('_', ' ')} at a time. Which one?",
                "ambiguous",
                options,
                slot=dim,
                word=spans[0].text,
            )
    return None


def titles(annotated: Annotated, *dims: str) -> str:
    """The members named (of these dimensions, where any are given), for saying what was understood."""
    alone = [span.members[0] for span in annotated.of("member") if len(span.members) == 1]
    names = [one.title for one in alone if not dims or one.dim in dims]
    return f" for {', '.join(dict.fromkeys(names))}" if names else ""
