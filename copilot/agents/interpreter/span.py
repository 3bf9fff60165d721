"""A span: words of a question with what they mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from copilot.agents.interpreter.lexicon import MemberWord, Sense, vocabulary

STATES = frozenset({"return_reason", "disposition", "stock_state", "order_status", "po_status"})
_COUNTED = frozenset(vocabulary()["words"]["counted"])
_THINGS = frozenset(vocabulary()["words"]["things"])


@dataclass(frozen=True, slots=True)
class Span:
    """Words `first` to `last` (inclusive) with what they mean.

    Kinds: metric, dim, cue, member, number, period, comparison, document, idiom, stop, unknown, and unused
    for what was understood but has no place in the answer. A member span may have several `senses`: then
    it is a tie. A dim span may hold members of the same name ("shop").
    """

    kind: str
    first: int
    last: int
    text: str
    senses: tuple[Sense, ...] = ()
    number: Decimal | None = None
    percent: bool = False

    @property
    def name(self) -> str:
        """The name of its first sense."""
        return self.senses[0].name if self.senses else ""

    def names(self, kind: str) -> tuple[str, ...]:
        """Names of all its senses of one kind."""
        return tuple(sense.name for sense in self.senses if sense.kind == kind)

    @property
    def yields(self) -> bool:
        """Whether a metric's word gives way to an idiom: it is weak, or names the things that are spoken of."""
        return self.is_weak or self.text.casefold() in _THINGS

    @property
    def is_weak(self) -> bool:
        """Whether a metric's word may as well only say what is counted, as "units" and "orders" do."""
        return bool(self.names("cue")) or self.text.casefold() in _COUNTED

    @property
    def members(self) -> tuple[MemberWord, ...]:
        """The members it may mean."""
        return tuple(sense.member for sense in self.senses if sense.member is not None)


def next_span(spans: Sequence[Span], index: int, step: int = 1, *, words: bool = False) -> int | None:
    """The next span that carries meaning; with `words` also a word that usually carries none."""
    index += step
    while 0 <= index < len(spans):
        if words or spans[index].kind not in ("stop", "idiom"):
            return index
        index += step
    return None
