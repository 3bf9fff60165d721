"""Scans bring the inbox up to date."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from pydantic import ValidationError

from erp_core.exceptions.commands import AssignCase, RecordScan, ResolveCase, SnoozeCase, Withheld
from erp_core.exceptions.draft import SCANNED, CaseDraft
from erp_core.exceptions.queries import (
    CaseFilter,
    case_detail,
    ranked_cases,
    summary_by_kind,
    withheld_detections,
)
from erp_core.storage.types import money

Inbox = Any
Draft = Callable[..., CaseDraft]


@pytest.mark.capability("S153")
def test_cases_are_ranked_by_what_acting_is_worth(inbox: Inbox, make_draft: Draft) -> None:
    assert inbox.scan(make_draft("a", loss=50), make_draft("b", loss=900), make_draft("c", loss=300)) == {
        "opened": 3
    }
    page = inbox.read(lambda c: ranked_cases(c, limit=2))
    assert [case.subject_key for case in page.cases] == ["b", "c"]
    assert (page.total, page.cut) == (3, True)
    assert page.cases[0].net_benefit == money(900 - 7 - 3)
    (rest,) = inbox.read(lambda c: ranked_cases(c, limit=2, offset=2)).cases
    assert rest.subject_key == "a"
    (row,) = inbox.read(summary_by_kind)
    assert (row.kind, row.cases, row.expected_loss) == ("stockout_risk", 3, money(1250))


def test_the_same_scan_again_changes_nothing(inbox: Inbox, make_draft: Draft) -> None:
    drafts = [make_draft("a"), make_draft("b", kind="overstock")]
    held_back = (Withheld("overstock", "no cost feed", 12),)
    assert inbox.scan(*drafts, withheld=held_back) == {"opened": 2}
    before = inbox.cases(), inbox.read(withheld_detections)
    assert inbox.scan(*drafts, withheld=held_back) == {"unchanged": 2}
    assert (inbox.cases(), inbox.read(withheld_detections)) == before


def test_a_changed_amount_is_updated_and_a_vanished_case_closed(inbox: Inbox, make_draft: Draft) -> None:
    item = (("item", uuid4()),)
    inbox.scan(make_draft("a", subjects=item), make_draft("b"))
    assert inbox.scan(make_draft("a", loss=130, subjects=item)) == {"updated": 1, "closed": 1}
    changed, gone = inbox.case("a"), inbox.case("b")
    assert (changed.expected_loss, changed.net_benefit, changed.version) == (money(130), money(120), 2)
    assert (gone.status, gone.resolution) == ("resolved", "no_longer_detected")
    assert inbox.scan(make_draft("a", loss=130, subjects=item), make_draft("b")) == {
        "opened": 1,
        "unchanged": 1,
    }
    history = [step.status for step in inbox.read(lambda c: case_detail(c, gone.id)).history]
    assert history == ["open", "resolved"]


def test_a_case_whose_deadline_passed_expires(sqlite_inbox: Inbox, make_draft: Draft) -> None:
    past = datetime(2026, 6, 29, tzinfo=UTC)
    sqlite_inbox.scan(make_draft("a", deadline=past))
    assert sqlite_inbox.scan() == {"closed": 1}
    assert (sqlite_inbox.case("a").status, sqlite_inbox.case("a").resolution) == (
        "expired",
        "deadline_passed",
    )


@pytest.mark.capability("S235")
def test_a_kind_that_could_not_be_judged_keeps_its_cases(sqlite_inbox: Inbox, make_draft: Draft) -> None:
    sqlite_inbox.scan(make_draft("a", kind="overstock"), make_draft("b"))
    judged = tuple(kind for kind in SCANNED if kind != "overstock")
    reason = (Withheld("overstock", "no cost feed", 1),)
    assert sqlite_inbox.scan(make_draft("b"), kinds=judged, withheld=reason) == {"unchanged": 1}
    assert sqlite_inbox.case("a").status == "open"
    assert [(one.kind, one.reason) for one in sqlite_inbox.read(withheld_detections)] == [
        ("overstock", "no cost feed")
    ]


def test_what_people_did_is_kept_through_scans(inbox: Inbox, make_draft: Draft) -> None:
    inbox.scan(make_draft("a"), make_draft("b"))
    owner = inbox.people["planner"].user_id
    inbox.do(AssignCase(case_id=inbox.case("a").id, owner_id=owner))
    until = datetime(2026, 7, 30, tzinfo=UTC)
    inbox.do(SnoozeCase(case_id=inbox.case("b").id, until=until))
    assert inbox.scan(make_draft("a", loss=200), make_draft("b", loss=200)) == {"updated": 2}
    assert (inbox.case("a").status, inbox.case("a").owner_id) == ("assigned", owner)
    assert (inbox.case("b").status, inbox.case("b").snoozed_until) == ("snoozed", until)
    assert [case.subject_key for case in inbox.cases(owner_id=owner)] == ["a"]


def test_a_snoozed_case_wakes_at_the_first_scan_after_its_time(
    sqlite_inbox: Inbox, make_draft: Draft
) -> None:
    sqlite_inbox.scan(make_draft("a"))
    case, now = sqlite_inbox.case("a"), sqlite_inbox.gate.clock.business_now()
    sqlite_inbox.do(SnoozeCase(case_id=case.id, until=now + timedelta(minutes=2)))
    assert sqlite_inbox.scan(make_draft("a")) == {"unchanged": 1}
    later = now + timedelta(minutes=4)
    assert sqlite_inbox.scan(make_draft("a"), occurred_at=later) == {"woken": 1}
    assert (sqlite_inbox.case("a").status, sqlite_inbox.case("a").snoozed_until) == ("open", None)


def test_a_dismissed_case_stays_closed_until_it_vanishes_or_grows(inbox: Inbox, make_draft: Draft) -> None:
    inbox.scan(make_draft("a"), make_draft("b"))
    for key in ("a", "b"):
        inbox.do(ResolveCase(case_id=inbox.case(key).id, resolution="accepted_risk"))
    assert inbox.scan(make_draft("a"), make_draft("b", loss=120)) == {"dismissed": 2}
    assert inbox.scan(make_draft("a"), make_draft("b", loss=200)) == {"opened": 1, "dismissed": 1}
    assert inbox.scan(make_draft("b", loss=200)) == {"unchanged": 1}
    assert inbox.scan(make_draft("a"), make_draft("b", loss=200)) == {"opened": 1, "unchanged": 1}


@pytest.mark.capability("S90")
def test_only_the_root_of_a_loss_carries_the_money(inbox: Inbox, make_draft: Draft) -> None:
    root = make_draft("po-1", kind="po_overdue", loss=500)
    effect = make_draft("lamp", loss=0, caused_by=("po_overdue", "po-1"))
    assert inbox.scan(effect, root) == {"opened": 2}
    assert inbox.scan(effect, root) == {"unchanged": 2}
    detail = inbox.read(lambda c: case_detail(c, inbox.case("lamp").id))
    assert detail.cause.subject_key == "po-1"
    assert [case.subject_key for case in inbox.read(lambda c: case_detail(c, detail.cause.id)).effects] == [
        "lamp"
    ]
    assert [case.subject_key for case in inbox.cases(roots_only=True)] == ["po-1"]
    assert inbox.scan(make_draft("lamp")) == {"updated": 1, "closed": 1}
    assert inbox.case("lamp").caused_by is None
    twice = make_draft("shade", loss=40, caused_by=("stockout_risk", "lamp"))
    scan = RecordScan(
        scan_id=uuid4(), as_of=root.deadline.date(), kinds=SCANNED, drafts=(make_draft("lamp"), twice)
    )
    assert inbox.refused(scan, "admin")["code"] == "malformed_scan"


def test_a_scan_that_contradicts_itself_changes_nothing(sqlite_inbox: Inbox, make_draft: Draft) -> None:
    def scan(*drafts: CaseDraft, kinds: tuple[str, ...] = SCANNED) -> RecordScan:
        return RecordScan(scan_id=uuid4(), as_of=drafts[0].deadline.date(), kinds=kinds, drafts=drafts)

    for bad in (
        scan(make_draft("a"), make_draft("a")),
        scan(make_draft("a"), kinds=("overstock",)),
        scan(make_draft("a"), kinds=(*SCANNED, "bad_luck")),
    ):
        assert sqlite_inbox.refused(bad, "admin")["code"] == "malformed_scan"
    assert sqlite_inbox.cases() == ()
    with pytest.raises(ValidationError, match="canonical JSON"):
        scan(make_draft("a", evidence=({"label": "mean", "value": {1, 2}},)))


def test_cases_are_filtered_by_what_they_are_about(sqlite_inbox: Inbox, make_draft: Draft) -> None:
    item, place, supplier = uuid4(), uuid4(), uuid4()

    def about(**subjects: UUID) -> tuple[tuple[str, UUID], ...]:
        return tuple(subjects.items())

    sqlite_inbox.scan(
        make_draft("a", subjects=about(item=item, location=place), loss=500),
        make_draft("b", subjects=about(item=item, supplier=supplier), kind="po_overdue"),
        make_draft("c"),
    )

    def found(**wanted: Any) -> list[str]:
        return [
            case.subject_key
            for case in sqlite_inbox.read(lambda c: ranked_cases(c, CaseFilter(**wanted))).cases
        ]

    assert found(item_id=item) == ["a", "b"]
    assert found(item_id=item, location_id=place) == ["a"]
    assert found(supplier_id=supplier) == ["b"]
    assert found(kinds=("po_overdue",)) == ["b"]
    assert found(minimum_amount=money(400)) == ["a"]
    assert set(sqlite_inbox.case("a").subjects) == {("item", item), ("location", place)}


def test_the_audit_log_keeps_counts_and_a_digest_instead_of_drafts(make_draft: Draft) -> None:
    drafts = (make_draft("a"), make_draft("b", kind="overstock"))
    scan = RecordScan(scan_id=uuid4(), as_of=drafts[0].deadline.date(), kinds=SCANNED, drafts=drafts)
    kept = scan.recorded()
    assert kept["drafts"] == {"overstock": 1, "stockout_risk": 1}
    other = scan.model_copy(update={"drafts": (drafts[0], make_draft("b", kind="overstock", loss=101))})
    assert (
        RecordScan(
            **{name: getattr(other, name) for name in ("scan_id", "as_of", "kinds", "drafts")}
        ).recorded()
        != kept
    )


def test_ten_thousand_drafts_are_one_command(sqlite_inbox: Inbox, make_draft: Draft) -> None:
    drafts = [make_draft(f"item-{n}", loss=100 + n) for n in range(10_000)]
    assert sqlite_inbox.scan(*drafts) == {"opened": 10_000}
    assert sqlite_inbox.scan(*drafts[100:]) == {"unchanged": 9_900, "closed": 100}
