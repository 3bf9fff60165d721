"""Which words of a question mean what: spans of words with their senses.

Order of linking: document numbers, then the longest known phrase (codes and aliases are phrases), then
the words of a name, then spelling. What remains is unknown, and is said so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal

from copilot.agents.interpreter import comparisons, numbers, period_grammar
from copilot.agents.interpreter.dates import When
from copilot.agents.interpreter.lexicon import Lexicon, MemberWord, Sense
from copilot.agents.interpreter.tokenize import Token, tokenize

_DOCUMENTS = (
    ("purchase_order", re.compile(r"\b(?:PO|P\.O\.)[- #]?\d[\w-]*\b", re.IGNORECASE)),
    (
        "order",
        re.compile(
            r"\b(?:SO|ORD|ORDER)[-#]\d[\w-]*\b|\b(?:order|invoice) (?:no\.? |number |nr\.? |#)[A-Z]?\d[\w-]*\b",
            re.IGNORECASE,
        ),
    ),
    ("return", re.compile(r"\b(?:RMA|RET|RT|RTN)[- #]?\d[\w-]*\b", re.IGNORECASE)),
)
_RANK = {"metric": 0, "dim": 1, "cue": 2, "member": 3, "stop": 4}
_EXPLAINED = ("metric", "dim", "cue", "member")


@dataclass(frozen=True, slots=True)
class Span:
    """Words `first` to `last` (inclusive) with what they mean.

    Kinds: metric, dim, cue, member, number, period, comparison, document, stop, unknown. A member span
    may have several `senses`: then it is a tie.
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
    def members(self) -> tuple[MemberWord, ...]:
        """The members it may mean."""
        return tuple(sense.member for sense in self.senses if sense.member is not None)


@dataclass(frozen=True, slots=True)
class Annotated:
    """A question with its spans in order, its period and comparison, and spellings that were corrected."""

    text: str
    tokens: tuple[Token, ...]
    spans: tuple[Span, ...]
    period: period_grammar.Found | None = None
    comparison: comparisons.Comparison | None = None
    documents: tuple[tuple[str, str], ...] = ()
    corrected: dict[str, str] = field(default_factory=dict)

    def of(self, kind: str) -> list[Span]:
        """The spans of one kind."""
        return [span for span in self.spans if span.kind == kind]

    def cues(self) -> set[str]:
        """The cues that stand in it."""
        return {name for span in self.spans for name in span.names("cue")}

    def members(self, dim: str) -> list[MemberWord]:
        """Members of one dimension that are meant without a tie between dimensions."""
        return [member for span in self.of("member") for member in span.members if member.dim == dim]


def annotate(text: str, lexicon: Lexicon, when: When, *, horizon: tuple[int, int] | None = None) -> Annotated:
    """Link every word of the question. `horizon` marks characters that a forecast horizon has used up."""
    used: list[tuple[int, int, str]] = []
    documents: list[tuple[str, str]] = []
    for kind, pattern in _DOCUMENTS:
        for match in pattern.finditer(text):
            documents.append((kind, _number(match.group())))
            used.append((match.start(), match.end(), "document"))
    if horizon:
        used.append((*horizon, "stop"))
    remaining = _blank(text, used)
    remaining = _hide_names(remaining, lexicon)
    comparison = comparisons.find_comparison(remaining, when)
    if comparison:
        used.append((comparison.start, comparison.end, "comparison"))
        remaining = _blank(remaining, used)
    period = period_grammar.find(remaining, when)
    if period:
        used.append((period.start, period.end, "period"))
    tokens = tokenize(text)
    spans, corrected = _link(tokens, lexicon, used)
    return Annotated(text, tuple(tokens), tuple(spans), period, comparison, tuple(documents), corrected)


def _number(text: str) -> str:
    return (
        re.sub(r"^(?:order|invoice) (?:no\.? |number |nr\.? |#)", "", text, flags=re.IGNORECASE)
        .replace(" ", "-")
        .upper()
    )


def _blank(text: str, used: list[tuple[int, int, str]]) -> str:
    characters = list(text)
    for start, end, _ in used:
        characters[start:end] = " " * (end - start)
    return "".join(characters)


def _hide_names(text: str, lexicon: Lexicon) -> str:
    """Blank codes and names of members that hold digits, so that they are not read as dates."""
    tokens = tokenize(text)
    hidden = []
    for start in range(len(tokens)):
        for length in range(min(lexicon.longest, len(tokens) - start), 0, -1):
            part = tokens[start : start + length]
            if any(c.isdigit() for token in part for c in token.text):
                senses = lexicon.senses(tuple(token.stem for token in part))
                if any(sense.kind == "member" for sense in senses):
                    hidden.append((part[0].start, part[-1].end, ""))
                    break
    return _blank(text, hidden)


def _link(
    tokens: list[Token], lexicon: Lexicon, used: list[tuple[int, int, str]]
) -> tuple[list[Span], dict[str, str]]:
    taken: list[str | None] = [None] * len(tokens)
    for index, token in enumerate(tokens):
        for start, end, kind in used:
            if token.start < end and token.end > start:
                taken[index] = kind
    corrected: dict[str, str] = {}
    words = []
    for index, token in enumerate(tokens):
        fixed = None if taken[index] or token.stem in lexicon.known else lexicon.correction(token.stem)
        if fixed:
            corrected[token.text] = fixed
        words.append(fixed or ("and" if token.stem == "&" else token.stem))
    spans: list[Span] = []
    at = 0
    while at < len(tokens):
        if by := taken[at]:
            last = at
            while last + 1 < len(tokens) and taken[last + 1] == by:
                last += 1
            spans.append(Span(by, at, last, _text(tokens, at, last)))
            at = last + 1
            continue
        span = _longest(tokens, words, taken, at, lexicon)
        spans.append(span)
        at = span.last + 1
    return _by_words(spans, words, lexicon), corrected


def _text(tokens: list[Token], first: int, last: int) -> str:
    return " ".join(token.text for token in tokens[first : last + 1])


def _longest(
    tokens: list[Token], words: list[str], taken: list[str | None], at: int, lexicon: Lexicon
) -> Span:
    for length in range(min(lexicon.longest, len(tokens) - at), 0, -1):
        if any(taken[at : at + length]):
            continue
        senses = lexicon.senses(tuple(words[at : at + length]))
        if not senses:
            continue
        best = min(senses, key=lambda sense: _RANK[sense.kind]).kind
        if best == "cue" and any(sense.kind == "member" for sense in senses) and length > 1:
            best = "member"
        if best == "stop" and length == 1 and numbers.parse(tokens[at].text):
            break
        kept = (
            tuple(s for s in senses if s.kind in (best, "cue"))
            if best == "metric"
            else tuple(s for s in senses if s.kind == best)
        )
        return Span(best, at, at + length - 1, _text(tokens, at, at + length - 1), kept)
    value = numbers.parse(tokens[at].text)
    if value is not None:
        return _number_span(tokens, words, at, *value)
    return Span("unknown", at, at, tokens[at].text)


def _number_span(tokens: list[Token], words: list[str], at: int, value: Decimal, percent: bool) -> Span:
    last = at
    if at + 1 < len(words) and words[at + 1] in numbers.SCALES:
        value, last = value * numbers.SCALES[words[at + 1]], at + 1
    if last + 1 < len(tokens) and tokens[last + 1].text.casefold() in ("%", "percent"):
        percent, last = True, last + 1
    return Span("number", at, last, _text(tokens, at, last), number=value, percent=percent)


def _by_words(spans: list[Span], words: list[str], lexicon: Lexicon) -> list[Span]:
    """Read runs of unknown words as parts of members' names, the longest run first."""
    result: list[Span] = []
    at = 0
    while at < len(spans):
        if spans[at].kind != "unknown" and not (spans[at].kind == "number" and at + 1 < len(spans)):
            result.append(spans[at])
            at += 1
            continue
        for end in range(min(len(spans), at + 6), at, -1):
            run = spans[at:end]
            if run[-1].kind not in ("unknown", "number", "cue", "dim") or any(
                span.kind not in ("unknown", "number", "cue", "dim", "stop") for span in run
            ):
                continue
            if not any(span.kind == "unknown" for span in run):
                continue
            stemmed = words[run[0].first : run[-1].last + 1]
            found = lexicon.with_words([word for word in stemmed if word != "and"])
            if found:
                senses = tuple(Sense("member", member.code, member) for member in found)
                text = " ".join(span.text for span in run)
                result.append(Span("member", run[0].first, run[-1].last, text, senses))
                at = end
                break
        else:
            result.append(spans[at])
            at += 1
    return _extended(result, words, lexicon)


def _extended(spans: list[Span], words: list[str], lexicon: Lexicon) -> list[Span]:
    """Settle a tie between members by a neighbouring word that only one of their names has."""
    settled = list(spans)
    for index, span in enumerate(settled):
        if span.kind != "member" or len(span.senses) < 2:
            continue
        for neighbour in (index + 1, index - 1):
            if not 0 <= neighbour < len(settled):
                continue
            other = settled[neighbour]
            if other.kind == "dim":
                kept = tuple(
                    sense for sense in span.senses if sense.member and sense.member.dim == other.name
                )
                if kept and len(kept) < len(span.senses):
                    settled[index] = span = Span("member", span.first, span.last, span.text, kept)
    return settled
