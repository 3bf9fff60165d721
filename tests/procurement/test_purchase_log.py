"""The published purchase-to-pay log against our rules, beside oracles of a few lines that share no code with the replay."""

from __future__ import annotations

import csv
import gzip
import re
from collections import Counter, defaultdict
from pathlib import Path
from statistics import median

import pytest

from benchmarks.purchase_log import LOG, read_log, replay
from tests.conftest import ROOT

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


def test_what_is_written_about_the_log_is_what_the_replay_finds(shared_data: Path) -> None:
    found = replay(read_log(shared_data / LOG))
    _, _, section = (ROOT / "docs" / "real-data.md").read_text().partition("## BPI Challenge 2019")
    told = " ".join(section.partition("\n## ")[0].split())
    both, days = len(found.held & found.blocked), found.uninvoiced_days
    until = Counter("older" if age >= 180 else f"under {120 + max(age - 90, 0) // 30 * 30}" for age in days)
    for sentence in (
        f"Events refused, in {len(found.refused_lines):,} lines of {found.lines:,}:",
        f"Lines our match holds: {len(found.held):,}.",
        f"payment block set or removed in the log: {len(found.blocked):,}.",
        f"Both: {both}, a precision of {found.precision:.3f} and a recall of {found.recall:.3f}.",
        f"(31 January 2019): {len(days):,} lines, the median {median(days):.0f} days after their first receipt",
        f"{until['under 120']} under 120 days, {until['under 150']} under 150, {until['under 180']} under 180,",
        f"{until['older']:,} older.",
        f"matcher and payer {len(found.same_person['matcher', 'payer'])} lines,",
        f"who orders and who approves {len(found.same_person['order_requester', 'order_approver'])},",
        f"who orders and who receives {len(found.same_person['order_requester', 'receiver']):,};",
    ):
        assert sentence in told, sentence
    assert sum(bool(lines) for lines in found.same_person.values()) == 3
    rows = re.findall(r"\| ([A-Z][^|]+) \| ([^|]+) \| ([\d,]+) \|", section.partition("\n## ")[0])
    by_row = {(event, status): int(times.replace(",", "")) for event, status, times in rows}
    refused = Counter(found.refused)
    nowhere = ("nothing received", "no invoice", "no order")
    nothing_there = sum(times for (_, status), times in refused.items() if status in nowhere)
    after = refused["Record Goods Receipt", "cancelled"] + refused["Delete Purchase Order Item", "cancelled"]
    assert by_row == {
        ("Clear Invoice", "held"): refused["Clear Invoice", "held"],
        ("Clear Invoice", "rejected"): refused["Clear Invoice", "rejected"],
        ("Cancel Invoice Receipt", "paid"): refused["Cancel Invoice Receipt", "paid"],
        ("Clear Invoice", "paid"): refused["Clear Invoice", "paid"],
        ("Cancel Goods Receipt, Cancel Invoice Receipt, Clear Invoice", "nothing there"): nothing_there,
        ("Reactivate Purchase Order Item", "cancelled"): refused[
            "Reactivate Purchase Order Item", "cancelled"
        ],
        ("Record Goods Receipt, a second deletion", "cancelled"): after,
        ("Cancel Invoice Receipt", "rejected"): refused["Cancel Invoice Receipt", "rejected"],
    }
    assert sum(by_row.values()) == refused.total(), "no event is refused that is not in the table"
