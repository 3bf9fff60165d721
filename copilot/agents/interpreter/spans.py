"""Which words of a question mean what: spans of words with their senses.

Order of linking: document numbers, then the longest known phrase (codes and aliases are phrases), then
the words of a name, then spelling. What remains is unknown, and is said so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from copilot.agents.interpreter import comparisons, numbers, period_grammar
from copilot.agents.interpreter.dates import When
from copilot.agents.interpreter.documents import find_documents
from copilot.agents.interpreter.idioms import FoundIdiom, Idiom, find_idiom
from copilot.agents.interpreter.item_classes import find_classes
from copilot.agents.interpreter.lexicon import Lexicon, MemberWord, Sense, vocabulary
from copilot.agents.interpreter.names import is_ordinary
from copilot.agents.interpreter.periods import bounds
from copilot.agents.interpreter.tokenize import Token, stems, tokenize

_RANK = {"metric": 0, "dim": 1, "cue": 2, "member": 3, "stop": 4}
STATES = frozenset({"return_reason", "disposition", "stock_state", "order_status", "po_status"})
_COUNTED = frozenset(vocabulary()["words"]["counted"])
_THINGS = frozenset(vocabulary()["words"]["things"])
_VERBS = frozenset(vocabulary()["words"]["ordinary"])


@dataclass(frozen=True, slots=True)
class Taken:
    """Characters whose meaning was found before the words were linked."""

    start: int
    end: int
    kind: str
    senses: tuple[Sense, ...] = ()


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


@dataclass(frozen=True, slots=True)
class Annotated:
    """A question with its spans in order, its period and comparison, and spellings that were corrected.

    `future`: its period begins after today.
    """

    text: str
    tokens: tuple[Token, ...]
    spans: tuple[Span, ...]
    period: period_grammar.Found | None = None
    comparison: comparisons.Comparison | None = None
    documents: tuple[tuple[str, str], ...] = ()
    idiom: Idiom | None = None
    future: bool = False
    corrected: dict[str, str] = field(default_factory=dict)

    def of(self, kind: str) -> list[Span]:
        """The spans of one kind."""
        return [span for span in self.spans if span.kind == kind]

    def without_names(self) -> str:
        """The question without the members it names and the words that leave some out."""
        return " ".join(
            span.text for span in self.spans if span.kind != "member" and "exclude" not in span.names("cue")
        )

    def cues(self) -> set[str]:
        """The cues that stand in it."""
        return {name for span in self.spans for name in span.names("cue")}

    def members(self, dim: str) -> list[MemberWord]:
        """Members of one dimension that are meant without a tie between dimensions."""
        return [member for span in self.of("member") for member in span.members if member.dim == dim]


def annotate(
    text: str, lexicon: Lexicon, when: When, *, used: tuple[Taken, ...] = (), dated: bool = True
) -> Annotated:
    """Link every word of the question.

    `used` are characters already understood, such as a day to deliver by. Without `dated` no periods are
    looked for: the numbers of an order are no years.
    """
    taken = list(used)
    documents = find_documents(text)
    taken += [Taken(one.start, one.end, "document") for one in documents]
    for mention in find_classes(text):
        for letter, at in mention.letters:
            member = MemberWord("abc_class", letter, letter)
            taken.append(Taken(at, at + 1, "member", (Sense("member", letter, member),)))
        taken += [Taken(start, end, "stop") for start, end in mention.filler]
    remaining = hide_names(_blank(text, taken), lexicon)
    comparison = comparisons.find_comparison(remaining, when) if dated else None
    if comparison:
        taken.append(Taken(comparison.start, comparison.end, "comparison"))
        remaining = _blank(remaining, taken)
    period = period_grammar.find(remaining, when) if dated else None
    if period:
        taken.append(Taken(period.start, period.end, "period"))
        remaining = _blank(remaining, taken)
        if second := period_grammar.find(remaining, when):
            taken.append(Taken(second.start, second.end, "unused"))
            remaining = _blank(remaining, taken)
    tokens = tokenize(text)
    spans, corrected, found = _link(tokens, remaining, lexicon, taken)
    spans = _changes_known(spans, tokens, text)
    idiom = found.idiom if found else None
    span = bounds(period.value, when.today) if period else None
    return Annotated(
        text,
        tuple(tokens),
        tuple(spans),
        period,
        comparison,
        tuple((one.kind, one.number) for one in documents),
        idiom,
        bool(span and span[0] > when.today),
        corrected,
    )


def _blank(text: str, used: Iterable[Taken]) -> str:
    characters = list(text)
    for one in used:
        characters[one.start : one.end] = " " * (one.end - one.start)
    return "".join(characters)


def hide_names(text: str, lexicon: Lexicon) -> str:
    """Blank codes and names of members that hold digits, so that they are not read as dates or figures."""
    tokens = tokenize(text)
    hidden = []
    for start in range(len(tokens)):
        for length in range(min(lexicon.longest, len(tokens) - start), 0, -1):
            part = tokens[start : start + length]
            if any(c.isdigit() for token in part for c in token.text):
                senses = lexicon.senses(tuple(token.stem for token in part))
                if any(sense.kind == "member" for sense in senses):
                    hidden.append(Taken(part[0].start, part[-1].end, ""))
                    break
    return _blank(text, hidden)


def _link(
    tokens: list[Token], remaining: str, lexicon: Lexicon, used: list[Taken]
) -> tuple[list[Span], dict[str, str], FoundIdiom | None]:
    taken: list[Taken | None] = [
        next((one for one in used if token.start < one.end and token.end > one.start), None)
        for token in tokens
    ]
    corrected: dict[str, str] = {}
    words = []
    for index, token in enumerate(tokens):
        fixed = None if taken[index] else lexicon.correction(token)
        if fixed:
            corrected[token.text] = fixed
        words.append(fixed or ("and" if token.stem == "&" else token.stem))
    spans: list[Span] = []
    at = 0
    while at < len(tokens):
        if by := taken[at]:
            last = at
            while last + 1 < len(tokens) and taken[last + 1] is by:
                last += 1
            spans.append(Span(by.kind, at, last, _text(tokens, at, last), by.senses))
        else:
            spans.append(_longest(tokens, words, taken, at, lexicon))
        at = spans[-1].last + 1
    dims = {
        member.dim
        for span in _by_words(spans, words, lexicon)
        for member in span.members
        if span.kind == "member"
    }
    spans, idiom = _idiomatic(spans, tokens, remaining, dims)
    return _by_words(spans, words, lexicon), corrected, idiom


def _changes_known(spans: list[Span], tokens: list[Token], text: str) -> list[Span]:
    """Words of change ("worse", "dropped") are known; what they compare is settled with the period."""
    places = [match.span() for match in comparisons.CHANGE.finditer(text.casefold())]
    return [
        Span("stop", one.first, one.last, one.text)
        if one.kind == "unknown"
        and any(tokens[one.first].start >= first and tokens[one.last].end <= last for first, last in places)
        else one
        for one in spans
    ]


def _idiomatic(
    spans: list[Span], tokens: list[Token], text: str, dims: set[str]
) -> tuple[list[Span], FoundIdiom | None]:
    """The spans with an idiom's words marked. A measure that is named outright outside them wins."""
    found = find_idiom(text, dims | {span.name for span in spans if span.kind == "dim"})
    if found is None:
        return spans, None

    def inside(span: Span) -> bool:
        start, end = tokens[span.first].start, tokens[span.last].end
        return any(start >= first and end <= last for first, last in found.places)

    outright = [span for span in spans if span.kind == "metric" and not span.yields and not inside(span)]
    if found.idiom.metric and outright:
        return spans, None

    def used(span: Span) -> bool:
        kinds = ("unknown", "stop", "cue", "dim", "metric", "number")
        state = bool(span.members) and all(member.dim in STATES for member in span.members)
        return inside(span) and (span.kind in kinds or state)

    marked = [Span("idiom", one.first, one.last, one.text) if used(one) else one for one in spans]
    return marked, found


def _text(tokens: list[Token], first: int, last: int) -> str:
    return " ".join(token.text for token in tokens[first : last + 1])


def _longest(
    tokens: list[Token], words: list[str], taken: list[Taken | None], at: int, lexicon: Lexicon
) -> Span:
    for length in range(min(lexicon.longest, len(tokens) - at), 0, -1):
        if any(taken[at : at + length]):
            continue
        senses = lexicon.senses(tuple(words[at : at + length])) or _turned_round(words, at, length, lexicon)
        if not senses:
            continue
        if length > 1 and _reaches_further(words, taken, at, length, lexicon):
            continue
        best = min(senses, key=lambda sense: _RANK[sense.kind]).kind
        if best == "cue" and any(sense.kind == "member" for sense in senses) and length > 1:
            best = "member"
        if best == "stop" and length == 1 and numbers.parse(tokens[at].text):
            break
        beside = {"metric": "cue", "dim": "member"}.get(best)
        kept = tuple(s for s in senses if s.kind == best) + tuple(s for s in senses if s.kind == beside)
        return Span(best, at, at + length - 1, _text(tokens, at, at + length - 1), kept)
    value = numbers.parse(tokens[at].text)
    if value is not None:
        return _number_span(tokens, words, at, *value)
    return Span("unknown", at, at, tokens[at].text)


def _turned_round(words: list[str], at: int, length: int, lexicon: Lexicon) -> tuple[Sense, ...]:
    """The measure "inventory turnover" for "turnover of our inventory"."""
    phrase = words[at : at + length]
    if "of" not in phrase[1:-1]:
        return ()
    middle = phrase.index("of")
    behind = [word for word in phrase[middle + 1 :] if word not in ("the", "our", "all")]
    if any(sense.kind == "dim" for sense in lexicon.senses(tuple(behind))):
        return ()
    return tuple(one for one in lexicon.senses((*behind, *phrase[:middle])) if one.kind == "metric")


def _reaches_further(
    words: list[str], taken: list[Taken | None], at: int, length: int, lexicon: Lexicon
) -> bool:
    """Whether a longer phrase begins at the second word, where the first carries nothing ("average order ...")."""
    alone = {sense.kind for sense in lexicon.senses((words[at],))}
    if not alone or not alone <= {"stop", "cue"}:
        return False
    longest = min(lexicon.longest, len(words) - at - 1)
    return any(
        lexicon.senses(tuple(words[at + 1 : at + 1 + size])) and not any(taken[at + 1 : at + 1 + size])
        for size in range(longest, length - 1, -1)
    )


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
            if _VERBS.intersection(stemmed) and len(stemmed) == 1:
                found = ()
            if len(run) == 1 and is_ordinary(words, run[0].first):
                result.append(Span("stop", run[0].first, run[0].last, run[0].text))
                at = end
                break
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
    """Settle ties between members: by the dimension named beside them, or by other words of one's name."""
    settled = list(spans)
    for index, span in enumerate(settled):
        if span.kind != "member" or len(span.senses) < 2:
            continue
        beside = {
            settled[at].name
            for at in (index + 1, index - 1)
            if 0 <= at < len(settled) and settled[at].kind == "dim"
        }
        kept = tuple(one for one in span.senses if one.member and one.member.dim in beside)
        kept = kept or _named_further(span, settled, words)
        if kept and len(kept) < len(span.senses):
            settled[index] = Span("member", span.first, span.last, span.text, kept)
    return settled


def _named_further(span: Span, spans: list[Span], words: list[str]) -> tuple[Sense, ...]:
    """The one record of whose name most other words stand in the question, where there is just one."""
    taken = {
        position
        for one in spans
        if one is span or (one.kind == "member" and len(one.senses) == 1 and one.members[0].dim not in STATES)
        for position in range(one.first, one.last + 1)
    }
    others = {word for position, word in enumerate(words) if position not in taken}
    counts = [len(others & set(stems(one.member.name))) if one.member else 0 for one in span.senses]
    best = max(counts)
    return (span.senses[counts.index(best)],) if best and counts.count(best) == 1 else ()


def next_span(spans: Sequence[Span], index: int, step: int = 1, *, words: bool = False) -> int | None:
    """The next span that carries meaning; with `words` also a word that usually carries none."""
    index += step
    while 0 <= index < len(spans):
        if words or spans[index].kind not in ("stop", "idiom"):
            return index
        index += step
    return None
