"""Words that are parts of members' names: runs of unknown words, names in another order, ties between names."""

from __future__ import annotations

from copilot.agents.interpreter.lexicon import Lexicon, Sense, vocabulary
from copilot.agents.interpreter.names import is_ordinary
from copilot.agents.interpreter.span import STATES, Span
from copilot.agents.interpreter.tokenize import stems

_VERBS = frozenset(vocabulary()["words"]["ordinary"])


def by_words(spans: list[Span], words: list[str], lexicon: Lexicon) -> list[Span]:
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
        kept = kept or _named_twice(span, settled) or _named_further(span, settled, words)
        if kept and len(kept) < len(span.senses):
            settled[index] = Span("member", span.first, span.last, span.text, kept)
    return settled


def _named_twice(span: Span, spans: list[Span]) -> tuple[Sense, ...]:
    """Those that another part of the question names as well: "the Compost Caddy in Cream"."""
    for one in spans:
        if one is not span and one.kind == "member":
            codes = {(member.dim, member.code) for member in one.members}
            both = tuple(s for s in span.senses if s.member and (s.member.dim, s.member.code) in codes)
            if both and {s.member.dim for s in both if s.member} == {"item"}:
                return both
    return ()


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
