"""The words that the interpreter knows: metrics and dimensions of the catalogue, members of the company, cues.

Built once from plain descriptions, so that it needs no database; looked up by phrase (longest first),
by code or alias, by the words of a name, and last by spelling.
"""

from __future__ import annotations

import tomllib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from typing import Any

from copilot.agents.interpreter.idioms import idiom_words
from copilot.agents.interpreter.names import ordinary_words
from copilot.agents.interpreter.numbers import ORDINALS, WORDS
from copilot.agents.interpreter.tokenize import Token, roots, stem, stems

Phrase = tuple[str, ...]
_BETWEEN = frozenset({"the", "of", "our", "is", "are", "was", "were", "still", "currently", "now", "its"})
_BINDING = frozenset({"in", "by", "on", "to", "for", "from", "and", "at", "per", "with"})
_JOINING = frozenset({"and", "the", "of"})
TIME_DIMENSIONS = ("day", "week", "month", "quarter", "year")


@dataclass(frozen=True, slots=True)
class MetricWord:
    """What the interpreter knows of a metric. `dimensions` None means: not known, so all."""

    name: str
    label: str
    definition: str = ""
    unit: str = "count"
    direction: str = "neutral"
    synonyms: tuple[str, ...] = ()
    position: bool = False
    dimensions: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class DimensionWord:
    """What the interpreter knows of a dimension."""

    name: str
    label: str
    synonyms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MemberWord:
    """A member of a dimension: an item, supplier, category, channel and so on. `code` is what filters carry."""

    dim: str
    code: str
    name: str
    aliases: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """Name and code for people; the code alone where they are the same."""
        return self.name if self.name == self.code else f"{self.name} ({self.code})"


@dataclass(frozen=True, slots=True)
class Sense:
    """One meaning of a phrase: a metric, dimension, cue or stop word by `name`, or a member."""

    kind: str
    name: str
    member: MemberWord | None = None


@dataclass(frozen=True)
class Lexicon:
    """All phrases with their senses."""

    metrics: Mapping[str, MetricWord]
    dimensions: Mapping[str, DimensionWord]
    members: tuple[MemberWord, ...]
    phrases: Mapping[Phrase, tuple[Sense, ...]]
    longest: int
    by_word: Mapping[str, frozenset[int]]
    by_name: Mapping[frozenset[str], tuple[int, ...]]
    by_bag: Mapping[frozenset[str], tuple[Sense, ...]]
    vocabulary: tuple[str, ...]
    known: frozenset[str]
    _corrections: dict[str, str | None] = field(default_factory=dict)

    def senses(self, phrase: Phrase) -> tuple[Sense, ...]:
        """What the phrase can mean; nothing where it is unknown."""
        return self.phrases.get(phrase, ())

    def is_inert(self, word: str) -> bool:
        """Whether the word alone tells nothing of a measure: it carries no meaning, or names a group or an order."""
        senses = self.senses((stem(word),))
        return bool(senses) and all(sense.kind in ("stop", "dim", "cue") for sense in senses)

    def with_words(self, words: Iterable[str]) -> tuple[MemberWord, ...]:
        """Members whose name has all of these words."""
        sets = [self.by_word.get(word, frozenset()) for word in words]
        if not sets or not all(sets):
            return ()
        return tuple(self.members[index] for index in sorted(frozenset.intersection(*sets)))

    def named(self, words: Sequence[str]) -> tuple[MemberWord, ...]:
        """Members of whose name these are all the words, in any order."""
        content = [word for word in words if word not in _JOINING]
        if len(content) < 2 or words[0] in _JOINING or words[-1] in _JOINING:
            return ()
        return tuple(self.members[index] for index in self.by_name.get(frozenset(content), ()))

    def measured(self, words: Sequence[str]) -> tuple[Sense, ...]:
        """Measures of whose name these are all the telling words, in any order ("value of POs still open")."""
        if words[0] in _BETWEEN or words[-1] in _BETWEEN:
            return ()
        return self.by_bag.get(frozenset(word for word in words if word not in _BETWEEN), ())

    def root(self, token: Token) -> str | None:
        """The known measure, dimension or cue of which the word is another form; None where it is known itself."""
        if self.senses((token.stem,)) or token.stem in self.by_word or token.stem in ordinary_words():
            return None
        for root in roots(token.text):
            if any(sense.kind in ("metric", "dim", "cue") for sense in self.senses((root,))):
                return root
        return None

    def correction(self, token: Token) -> str | None:
        """The known word that a misspelt one most resembles, or None where it is known or none is near."""
        if token.stem in self.known or len(token.text) < 4:
            return None
        if token.stem not in self._corrections:
            if len(self._corrections) > 10_000:
                self._corrections.clear()
            written = token.text.casefold()
            self._corrections[token.stem] = self._correct(written) or self._correct(token.stem)
        return self._corrections[token.stem]

    def _correct(self, word: str) -> str | None:
        if any(letter.isdigit() for letter in word):
            return None
        from rapidfuzz import process
        from rapidfuzz.distance import DamerauLevenshtein

        limit = 1 if len(word) < 7 else 2
        candidates = [
            other for other in self.vocabulary if abs(len(other) - len(word)) <= limit and other[0] == word[0]
        ]
        found = process.extract(word, candidates, scorer=DamerauLevenshtein.distance, score_cutoff=limit)
        found = [one for one in found if one[1] < 2 or one[0] not in ordinary_words()]
        nearest = sorted(found, key=lambda one: (one[1], sorted(one[0]) != sorted(word)))
        return nearest[0][0] if nearest else None

    def title(self, dim: str, code: str) -> str:
        """Name and code of a member; the code alone where it is not known."""
        found = (one.member for one in self.senses(stems(code)) if one.member)
        return next((one.title for one in found if (one.dim, one.code) == (dim, code)), code)

    def nearest(self, text: str, count: int = 4) -> list[tuple[str, str, str]]:
        """(kind, name, label) of metrics, dimensions and members of which a word looks most like `text`."""
        from rapidfuzz import fuzz, process

        named: dict[str, dict[tuple[str, str, str], None]] = defaultdict(dict)
        entries = [(("metric", one.name, one.label), one.label) for one in self.metrics.values()]
        entries += [(("dimension", one.name, one.label), one.label) for one in self.dimensions.values()]
        for entry, name in entries:
            for word in (name.casefold(), *stems(name)):
                named[word].setdefault(entry)
        words = [*named, *(word for word in self.by_word if word not in named)]
        found = process.extract(text.casefold(), words, scorer=fuzz.ratio, limit=count * 2, score_cutoff=60)
        nearest: dict[tuple[str, str, str], None] = {}
        for word, _, _ in found:
            nearest.update(named.get(word, {}))
            for index in sorted(self.by_word.get(word, ()))[:count]:
                member = self.members[index]
                nearest.setdefault((member.dim, member.code, member.title))
        return list(nearest)[:count]


@lru_cache(maxsize=1)
def vocabulary() -> Mapping[str, Any]:
    """The interpreter's own phrases (`vocabulary.toml`)."""
    return tomllib.loads(files(__package__).joinpath("vocabulary.toml").read_text("utf-8"))


def build(
    metrics: Iterable[MetricWord], dimensions: Iterable[DimensionWord], members: Iterable[MemberWord]
) -> Lexicon:
    """A lexicon for one company. The order of members decides nothing."""
    own = vocabulary()
    phrases: dict[Phrase, dict[Sense, None]] = defaultdict(dict)
    metric_words = {metric.name: metric for metric in metrics}
    dimension_words = {dimension.name: dimension for dimension in dimensions}
    member_words = tuple(members)

    def add(text: str, sense: Sense) -> None:
        phrase = stems(text)
        if sense.kind == "metric" and phrase[:1] == ("how",) and len(phrase) == 3:
            phrase = phrase[2:]
        if phrase:
            phrases[phrase].setdefault(sense)

    for metric in metric_words.values():
        said = own["metrics"].get(metric.name, ())
        for text in (metric.name.replace("_", " "), metric.name, metric.label, *said, *metric.synonyms):
            add(text, Sense("metric", metric.name))
    for dimension in dimension_words.values():
        said = own["dimensions"].get(dimension.name, ())
        for text in (
            dimension.name.replace("_", " "),
            dimension.name,
            dimension.label,
            *said,
            *dimension.synonyms,
        ):
            if text.casefold() not in own["words"]["verbs"]:
                add(text, Sense("dim", dimension.name))
    for cue, said in own["cues"].items():
        for text in said:
            add(text, Sense("cue", cue))
    for word in own["words"]["stop"].split():
        phrases[(stem(word),)].setdefault(Sense("stop", word))
    spoken = frozenset(word for phrase in phrases for word in phrase)
    by_word = _index_members(member_words, add)
    vocabulary_words = tuple(
        sorted(
            {word for word in (*spoken, *by_word) if len(word) >= 4 and not any(c.isdigit() for c in word)}
        )
    )
    known = frozenset((*spoken, *by_word, *WORDS, *ORDINALS, *idiom_words(), *ordinary_words()))
    return Lexicon(
        metrics=metric_words,
        dimensions=dimension_words,
        members=member_words,
        phrases={phrase: tuple(senses) for phrase, senses in phrases.items()},
        longest=max((len(phrase) for phrase in phrases), default=1),
        by_word=by_word,
        by_name=_index_names(member_words),
        by_bag=_index_measures(phrases),
        vocabulary=vocabulary_words,
        known=known,
    )


def _index_members(members: tuple[MemberWord, ...], add: Any) -> dict[str, frozenset[int]]:
    words: dict[str, set[int]] = defaultdict(set)
    for index, member in enumerate(members):
        sense = Sense("member", member.code, member)
        for text in dict.fromkeys((member.code, member.name, *member.aliases)):
            add(text, sense)
        for word in stems(member.name):
            words[word].add(index)
    return {word: frozenset(found) for word, found in words.items()}


def _index_names(members: tuple[MemberWord, ...]) -> dict[frozenset[str], tuple[int, ...]]:
    names: dict[frozenset[str], dict[int, None]] = defaultdict(dict)
    for index, member in enumerate(members):
        for text in (member.name, *member.aliases):
            words = frozenset(stems(text)) - _JOINING
            if len(words) > 1:
                names[words].setdefault(index)
    return {words: tuple(found) for words, found in names.items()}


def _index_measures(
    phrases: Mapping[Phrase, Mapping[Sense, None]],
) -> dict[frozenset[str], tuple[Sense, ...]]:
    bags: dict[frozenset[str], dict[Sense, None]] = defaultdict(dict)
    for phrase, senses in phrases.items():
        words = frozenset(word for word in phrase if word not in _BETWEEN)
        if len(words) > 1 and not words & _BINDING:
            for sense in senses:
                if sense.kind == "metric":
                    bags[words].setdefault(sense)
    return {words: tuple(senses) for words, senses in bags.items()}
