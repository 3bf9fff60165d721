"""Which of the options offered an answer picks: by place ("the second"), by code, or by words of its label."""

from __future__ import annotations

import re
from collections.abc import Sequence

from copilot.agents.answer import Option
from copilot.agents.interpreter.numbers import ORDINALS
from copilot.agents.interpreter.tokenize import stems

_FILLER = frozenset(
    [
        "the",
        "a",
        "an",
        "one",
        "ones",
        "i",
        "mean",
        "meant",
        "want",
        "take",
        "use",
        "please",
        "of",
        "for",
        "in",
        "from",
        "that",
        "this",
        "it",
        "is",
        "with",
        "ok",
        "yes",
        "option",
        "number",
        "only",
        "to",
        "by",
        "as",
    ]
)


def pick(text: str, options: Sequence[Option]) -> Option | None:
    """The one option that the answer fits, or None where it fits none or several."""
    words = [word for word in stems(text) if word not in _FILLER]
    if len(words) > 8:
        return None
    if not words or (len(words) == 1 and (words[0] in ORDINALS or words[0].isdigit())):
        return _by_place(text, words, options)
    fitting = [option for option in options if set(words) <= set(stems(f"{option.label} {option.slot}"))]
    if len(fitting) > 1:
        exact = [option for option in fitting if stems(option.label)[: len(words)] == tuple(words)]
        fitting = exact if len(exact) == 1 else fitting
    return fitting[0] if len(fitting) == 1 else None


def _by_place(text: str, words: Sequence[str], options: Sequence[Option]) -> Option | None:
    if not words or not options:
        return None
    place = ORDINALS.get(words[0]) or (int(words[0]) if words[0].isdigit() else 0)
    if words[0] == "last" or re.search(r"\blast\b", text, re.IGNORECASE):
        place = len(options)
    return options[place - 1] if 1 <= place <= len(options) else None
