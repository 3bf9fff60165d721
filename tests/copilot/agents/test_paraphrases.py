"""Every measure by the ways people say it: each way is read as its own measure and no other."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from copilot.agents.interpreter.reading import read
from erp_core.analytics.metrics import catalogue
from tests.copilot.agents.company import TODAY, lexicon

SAID: dict[str, list[str]] = {
    row["metric"]: row["said"]
    for row in map(
        json.loads,
        (Path(__file__).parent / "questions" / "paraphrases.jsonl").read_text("utf-8").splitlines(),
    )
}
LEAST = 5
NAMED_ONLY = {"reporting_latency_seconds"}


@pytest.mark.capability("S231")
@pytest.mark.parametrize(("metric", "said"), SAID.items(), ids=SAID)
def test_whatever_people_call_a_measure_it_is_read_as_that_one(metric: str, said: list[str]) -> None:
    read_as = {}
    for words in said:
        reading = read(words, lexicon(), TODAY)
        calls = [call.args.get("metrics", [call.tool]) for call in reading.calls]
        read_as[words] = (calls, reading.unread)
    assert {words: found for words, found in read_as.items() if found != ([[metric]], ())} == {}


def test_every_measure_of_the_catalogue_has_its_ways_of_being_said() -> None:
    known = set(catalogue().metrics) - NAMED_ONLY
    assert known - SAID.keys() == set()
    assert {name for name in known if len(SAID[name]) < LEAST} == set()
