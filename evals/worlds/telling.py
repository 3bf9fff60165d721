"""A story told chapter by chapter, so that the first can be posted while the rest is still made up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from queue import Empty
from typing import Any, NamedTuple

from evals.worlds.engine import Premise, Story, unfold
from evals.worlds.events import Event
from evals.worlds.parameters import WorldParameters
from evals.worlds.schedule import batches
from evals.worlds.truth import truth

Document = tuple[int, int]
_PATIENCE = 1.0


class Chapter(NamedTuple):
    """What happens within some weeks: batches of one kind in posting order, up to day `until`.

    `approvals` are the decisions on purchase orders that are submitted here, by document; those in
    `undecided` still wait when the story ends.
    """

    until: int
    batches: list[list[Event]]
    approvals: Mapping[Document, Event]
    undecided: frozenset[Document]


@dataclass(frozen=True, slots=True)
class Ending:
    """What is known of a story when it is over: counts by kind of event, and the truth for scorers."""

    counts: Mapping[str, int]
    lines: Mapping[str, int]
    late_lines: int
    anomalies: int
    truth: Mapping[str, Any]


Telling = Generator[Premise | Chapter, None, Ending]
"""First the premise, then the chapters; returns the ending."""


def chapters(world: WorldParameters, seed: int) -> Telling:
    """The story of a world in chapters of `posting_days`. The same world and seed give the same chapters."""
    days = unfold(world, seed)
    premise = next(days)
    assert isinstance(premise, Premise)
    yield premise
    day, story = 0, None
    before: list[Event] = []
    while story is None:
        events, story = _some(days, world.posting_days)
        if before:
            yield _chapter(day, before, events)
        day, before = min(day + world.posting_days, world.days), events
    if before:
        yield _chapter(day, before, ())
    return _ending(story)


def chapters_aside(world: WorldParameters, seed: int) -> Telling:
    """The same, from a process of its own that starts at once and runs ahead.

    Raises `RuntimeError` where that process is lost.
    """
    context = get_context("spawn")
    told = context.Queue()
    process = context.Process(target=_tell, args=(world, seed, told), daemon=True)
    process.start()
    return _overheard(told, process)


def _overheard(told: Any, process: BaseProcess) -> Telling:
    try:
        while not isinstance(part := _next(told, process), Ending):
            yield part
        return part
    finally:
        process.terminate()
        process.join()


def _tell(world: WorldParameters, seed: int, told: Any) -> None:
    def all_of() -> Iterator[Premise | Chapter | Ending]:
        ending = yield from chapters(world, seed)
        yield ending

    for part in all_of():
        told.put(part)


def _next(told: Any, process: BaseProcess) -> Any:
    while True:
        alive = process.is_alive()
        try:
            return told.get(timeout=_PATIENCE)
        except Empty:
            if not alive:
                raise RuntimeError("the process that simulates the world ended early") from None


def _some(days: Iterator[Any], count: int) -> tuple[list[Event], Story | None]:
    events: list[Event] = []
    for _ in range(count):
        try:
            events.extend(next(days))
        except StopIteration as end:
            return events, end.value
    return events, None


def _chapter(until: int, events: Sequence[Event], following: Sequence[Event]) -> Chapter:
    submitted = {event.document for event in events if event.kind == "SubmitPurchaseOrder"}
    later = [event for event in chain(events, following) if event.document in submitted]
    approvals = {event.document: event for event in later if event.kind == "ApproveProposal"}
    sent = {event.document for event in later if event.kind == "SendPurchaseOrder"}
    posted = batches(event for event in events if event.kind != "ApproveProposal")
    return Chapter(until, list(posted), approvals, frozenset(submitted - sent - approvals.keys()))


def _ending(story: Story) -> Ending:
    lines: Counter[str] = Counter()
    for event in story.events:
        if event.kind in ("PlaceOrder", "CreatePurchaseOrder", "AwardQuotation", "AuthoriseReturn"):
            lines[event.kind] += len(event.data.lines)
    return Ending(
        counts=dict(sorted(Counter(event.kind for event in story.events).items())),
        lines=lines,
        late_lines=len(story.delays),
        anomalies=len(story.anomalies),
        truth=truth(story),
    )
