"""Which words of a question mean what: spans of words with their senses.

Order of linking: document numbers, then the longest known phrase (codes and aliases are phrases), then
the words of a name, then spelling. What remains is unknown, and is said so.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from copilot.agents.interpreter import comparisons, numbers, period_grammar, states
from copilot.agents.interpreter.dates import When
from copilot.agents.interpreter.documents import find_documents
from copilot.agents.interpreter.idioms import FoundIdiom, Idiom, find_idiom
from copilot.agents.interpreter.item_classes import find_classes
from copilot.agents.interpreter.lexicon import Lexicon, MemberWord, Sense
from copilot.agents.interpreter.naming import by_words
from copilot.agents.interpreter.periods import bounds
from copilot.agents.interpreter.span import STATES, Span
from copilot.agents.interpreter.tokenize import Token, tokenize

_RANK = {"metric": 0, "dim": 1, "cue": 2, "member": 3, "stop": 4}


_REACH = 7


@dataclass(frozen=True, slots=True)
class Taken:
    """Characters whose meaning was found before the words were linked."""

    start: int
    end: int
    kind: str
    senses: tuple[Sense, ...] = ()


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
        elif not taken[index]:
            fixed = lexicon.root(token)
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
            phrase = _longest(tokens, words, taken, at, lexicon)
            spans.append(
                _whole_name(tokens, words, taken, at, lexicon, phrase.last)
                or _whole_measure(tokens, words, taken, at, lexicon, phrase)
                or phrase
            )
        at = spans[-1].last + 1
    spans = states.beside_their_thing(spans, lexicon)
    dims = {
        member.dim
        for span in by_words(spans, words, lexicon)
        for member in span.members
        if span.kind == "member"
    }
    spans, idiom = _idiomatic(spans, tokens, remaining, dims, lexicon)
    return by_words(spans, words, lexicon), corrected, idiom


def _changes_known(spans: list[Span], tokens: list[Token], text: str) -> list[Span]:
    """Words of change ("worse", "dropped") are known; what they compare is settled with the period."""
    patterns = (comparisons.CHANGE, comparisons.COMPARATIVE)
    places = [match.span() for one in patterns for match in one.finditer(text.casefold())]
    return [
        Span("stop", one.first, one.last, one.text)
        if one.kind == "unknown"
        and any(tokens[one.first].start >= first and tokens[one.last].end <= last for first, last in places)
        else one
        for one in spans
    ]


def _idiomatic(
    spans: list[Span], tokens: list[Token], text: str, dims: set[str], lexicon: Lexicon
) -> tuple[list[Span], FoundIdiom | None]:
    """The spans with an idiom's words marked. A measure that is named outright outside them wins."""
    outright = [span for span in spans if span.kind == "metric" and not span.yields]
    named = [(tokens[span.first].start, tokens[span.last].end) for span in outright]
    spoken = dims | {span.name for span in spans if span.kind == "dim"}
    found = find_idiom(text, spoken, lexicon.is_inert, named[0] if len(named) == 1 else None)
    if found is None:
        return spans, None

    def inside(span: Span) -> bool:
        words = tokens[span.first : span.last + 1]
        covered = [
            any(word.start >= first and word.end <= last for first, last in found.places) for word in words
        ]
        telling = [at for at, word in enumerate(words) if not lexicon.is_inert(word.text)]
        if span.kind != "metric" or span.names("cue") or not telling:
            return all(covered)
        return all(covered[at] for at in telling)

    if found.idiom.metric and not all(map(inside, outright)):
        return spans, None

    def used(span: Span) -> bool:
        kinds = ("unknown", "stop", "cue", "dim", "metric", "number")
        state = bool(span.members) and all(member.dim in STATES for member in span.members)
        pace = bool({"slow", "fast"} & set(span.names("cue")))
        return inside(span) and not pace and (span.kind in kinds or state)

    kept = _groups_and_orders(spans) if found.idiom.is_paraphrase else set()
    marked = [
        Span("idiom", one.first, one.last, one.text) if used(one) and at not in kept else one
        for at, one in enumerate(spans)
    ]
    return marked, found


def _groups_and_orders(spans: list[Span]) -> set[int]:
    """Spans that say by what and in which order to answer: "per supplier", "most"."""
    by = {at + 1 for at, one in enumerate(spans) if "by" in one.names("cue")}
    groups = {at for at in by if at < len(spans) and spans[at].kind == "dim"}
    orders = {
        at for at, one in enumerate(spans) if {"most", "least", "best", "worst"} & set(one.names("cue"))
    }
    return groups | {at - 1 for at in groups} | orders


def _text(tokens: list[Token], first: int, last: int) -> str:
    return " ".join(token.text for token in tokens[first : last + 1])


def _whole_name(
    tokens: list[Token], words: list[str], taken: list[Taken | None], at: int, lexicon: Lexicon, reached: int
) -> Span | None:
    """A name with its words in another order ("UK and Ireland web shop"), longer than the phrase found there."""
    for last in range(min(len(words), at + lexicon.longest) - 1, reached, -1):
        if not any(taken[at : last + 1]) and (found := lexicon.named(words[at : last + 1])):
            senses = tuple(Sense("member", one.code, one) for one in found)
            return Span("member", at, last, _text(tokens, at, last), senses)
    return None


def _whole_measure(
    tokens: list[Token], words: list[str], taken: list[Taken | None], at: int, lexicon: Lexicon, phrase: Span
) -> Span | None:
    """A measure's words in another order or apart, where more of them stand there than in the phrase found."""
    for last in range(min(len(words), at + _REACH) - 1, phrase.last, -1):
        window = words[at : last + 1]
        if not any(taken[at : last + 1]) and (senses := lexicon.measured(window)):
            if phrase.kind in ("metric", "cue", "unknown", "stop"):
                return Span("metric", at, last, _text(tokens, at, last), senses)
    return None


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
        if best == "dim" and any(
            s.member and s.member.code == _text(tokens, at, at + length - 1) for s in senses
        ):
            best = "member" if not tokens[at].text.islower() else best
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
