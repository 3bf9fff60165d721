"""Posting in large batches has the same outcome as posting event by event."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from hypothesis import given, settings
from hypothesis import strategies as st

from evals.worlds.engine import Story, simulate
from evals.worlds.events import DAY, Event
from evals.worlds.parameters import TINY
from evals.worlds.schedule import RANKS, batches
from tests.evals.worlds.replay import Replay


def _replayed(story: Story, order: list[list]) -> Replay:
    replay = Replay(story)
    for batch in order:
        replay.batch(batch)
    return replay


def _in_windows(events: Iterable[Event], days: int) -> list[list[Event]]:
    windows = groupby(events, key=lambda event: event.moment // (days * DAY))
    return [batch for _, window in windows for batch in batches(window)]


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 2**31), window=st.sampled_from((3, 14, 40)))
def test_batches_of_any_window_end_as_the_events_one_by_one(seed: int, window: int) -> None:
    story = simulate(TINY, seed)
    one_by_one = _replayed(story, [[event] for event in story.events])
    in_batches = _replayed(story, _in_windows(story.events, window))
    assert one_by_one.wrong == [] and in_batches.wrong == []
    assert one_by_one.available == in_batches.available == list(story.final_stock)
    assert one_by_one.invoices == in_batches.invoices


def test_a_batch_holds_one_kind_and_all_events_are_posted_once() -> None:
    story = simulate(TINY, 7)
    order = _in_windows(story.events, 21)
    assert all(len({event.kind for event in batch}) == 1 for batch in order)
    assert sorted(map(id, (event for batch in order for event in batch))) == sorted(map(id, story.events))


def test_posting_by_kind_alone_would_sell_what_has_not_come_back_yet() -> None:
    story = simulate(TINY, 7)
    by_kind = sorted(story.events, key=lambda event: RANKS[event.kind])
    replay = _replayed(story, [[event] for event in by_kind])
    assert replay.wrong
