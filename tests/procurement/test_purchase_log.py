"""The published purchase-to-pay log against our rules, beside oracles of a few lines that share no code with the replay."""

from __future__ import annotations

import csv
import gzip
from collections import defaultdict
from pathlib import Path

import pytest

from benchmarks.purchase_log import LOG, read_log, replay

pytestmark = pytest.mark.shared_data


def test_the_log_is_replayed_line_by_line_and_every_figure_has_an_oracle(shared_data: Path) -> None:
    found = replay(read_log(shared_data / LOG))
    lines: dict[str, list[tuple[str, str]]] = defaultdict(list)
    with gzip.open(shared_data / LOG, "rt", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            lines[row["case_id"]].append((row["activity"], row["user"]))
    assert (found.lines, found.events) == (11_385, 256_555)
    assert found.blocked == {
        line
        for line, events in lines.items()
        if any(activity.endswith("Payment Block") for activity, _ in events)
    }
    for duty, other, first, second in (
        ("order_requester", "receiver", "Create Purchase Order Item", "Record Goods Receipt"),
        ("receiver", "matcher", "Record Goods Receipt", "Record Invoice Receipt"),
        ("receiver", "payer", "Record Goods Receipt", "Clear Invoice"),
        ("matcher", "payer", "Record Invoice Receipt", "Clear Invoice"),
    ):
        same = set()
        for line, events in lines.items():
            who = [
                {user for act, user in events if act == one and user[:5] == "user_"}
                for one in (first, second)
            ]
            if who[0] & who[1]:
                same.add(line)
        assert found.same_person.get((duty, other), set()) == same
    assert len(found.uninvoiced_days) > 1_000
    never_billed = [
        line
        for line, events in lines.items()
        if {"Record Goods Receipt"} <= {act for act, _ in events}
        and not {"Record Invoice Receipt", "Cancel Goods Receipt"} & {act for act, _ in events}
    ]
    assert len(found.uninvoiced_days) >= len(never_billed)
    for line, events in lines.items():
        billing = [act for act, _ in events if act in ("Record Invoice Receipt", "Cancel Invoice Receipt")]
        deleted = "Delete Purchase Order Item" in {act for act, _ in events}
        if billing == ["Record Invoice Receipt"] and line in found.held and not deleted:
            before = events[: [act for act, _ in events].index("Record Invoice Receipt")]
            came = [act for act, _ in before]
            assert came.count("Record Goods Receipt") <= came.count("Cancel Goods Receipt")
        if billing[:2] == ["Record Invoice Receipt"] * 2:
            assert line in found.held
