"""Claims on suppliers in the console: what is open, for how long, and settling one."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import pytest

from api.console.forms import amount_of
from api.problems import Problem
from tests.console.test_buying_pages import Who
from tests.console.test_governance_pages import Visitor, visitor, watcher, words

__all__ = ["visitor", "watcher"]
PAGE = "/buying/claims"


def open_claims(somebody: Visitor) -> list[dict[str, Any]]:
    """The open claims of which the cost is known, the oldest first."""
    found = somebody.send("/api/v1/returns/claims?status=open", None)
    return [one for one in found if one["expected"]]


def exactly(amount: int) -> str:
    return f"{amount / 10_000:,.2f}"


@pytest.mark.capability("S102", "S204")
def test_open_claims_come_first_with_what_is_owed_in_all_and_a_clerk_sees_no_money(watcher: Who) -> None:
    buyer, clerk = watcher("buyer"), watcher("warehouse")
    owed = buyer.send("/api/v1/returns/claims?status=open", None)
    oldest = open_claims(buyer)[0]
    whole = exactly(sum(one["expected"] or 0 for one in owed))
    text, seen = words(buyer.get(PAGE)), words(clerk.get(PAGE))
    assert f"Open claims {len(owed):,} " in text and f"Expected {whole} " in text
    assert f"Units {sum(one['quantity'] for one in owed):,} went back" in text
    assert exactly(oldest["expected"]) in text
    assert f"Open claims {len(owed):,} " in seen and whole not in seen and "Expected" not in seen
    one = f"{PAGE}/{oldest['id']}"
    assert exactly(oldest["expected"]) in words(buyer.get(one))
    assert exactly(oldest["expected"]) not in words(clerk.get(one))
    assert "Settle it" not in words(buyer.get(one)), "who buys does not settle"
    assert "No claim fits" in words(buyer.get(f"{PAGE}?status=withdrawn"))
    buyer.get(f"{PAGE}?status=lost", 422)
    buyer.get(f"{PAGE}/{uuid4()}", 404)
    assert f'href="{PAGE}" aria-current="page"' in buyer.get(PAGE)
    finance = watcher("finance")
    assert f'href="{PAGE}"' in finance.get("/books")
    assert 'href="/books" aria-current="page"' in finance.get(PAGE)


@pytest.mark.capability("S102")
def test_finance_settles_a_claim_at_what_the_credit_note_gives_and_another_that_was_refused(
    visitor: Who,
) -> None:
    finance = visitor("finance")
    first, second = open_claims(finance)[:2]
    page = f"{PAGE}/{first['id']}"
    missing = finance.post(f"{page}/settle", 422, credited="12.50")
    assert 'role="alert"' in missing and "the credit note" in words(missing)
    assert 'value="12.50"' in missing, "what was typed stays"
    unclear = words(finance.post(f"{page}/settle", 422, credited="12,50", credit_note="GS-1"))
    assert "“12,50” is no amount" in unclear and "Give a number, such as 1250.50" in unclear
    assert finance.post(f"{page}/settle", 303, credited="12.50", credit_note="GS-1") == f"{page}?done=done"
    told = words(finance.get(page))
    assert "Credited" in told and "12.50" in told and "GS-1" in told and "Settle it" not in told
    again = finance.post(f"{page}/settle", 409, credited="12.50", credit_note="GS-1")
    assert 'role="alert"' in again and "credited" in words(again)
    finance.post(f"{PAGE}/{second['id']}/settle", 303, credited="0")
    assert "Refused" in words(finance.get(f"{PAGE}/{second['id']}"))
    for status, claim in (("credited", first), ("refused", second)):
        listed = re.findall(rf'href="{PAGE}/([0-9a-f-]{{36}})"', finance.get(f"{PAGE}?status={status}"))
        assert listed == [claim["id"]]
    known = {one["id"]: one for one in finance.send("/api/v1/returns/claims", None)}
    assert (known[first["id"]]["credited"], known[first["id"]]["credit_note"]) == (125_000, "GS-1")
    assert known[second["id"]]["credited"] == 0


@pytest.mark.capability("S102", "S209")
def test_the_same_form_sent_twice_settles_once_and_others_are_turned_away(visitor: Who) -> None:
    finance, buyer = visitor("finance"), visitor("buyer")
    (claim, *_) = open_claims(finance)
    page, key = f"{PAGE}/{claim['id']}", f"console-{uuid4()}"
    denied = buyer.post(f"{page}/settle", 403, credited="1", credit_note="GS-2")
    assert 'role="alert"' in denied
    for _ in range(2):
        finance.post(f"{page}/settle", 303, key=key, credited="1,250.50", credit_note="GS-2")
    known = {one["id"]: one for one in finance.send("/api/v1/returns/claims", None)}
    assert known[claim["id"]]["credited"] == 12_505_000


@pytest.mark.parametrize(
    ("text", "amount"),
    [("0", 0), (" 12 ", 120_000), ("1,250.5", 12_505_000), ("1250.0001", 12_500_001)],
)
def test_an_amount_is_read_as_it_was_meant(text: str, amount: int) -> None:
    assert amount_of(text) == amount


@pytest.mark.parametrize(
    "text", ["", "12,50", "1.250,50", "-3", "1e3", "12.00001", "NaN", "1,2345", "9" * 13]
)
def test_an_amount_that_may_be_meant_otherwise_is_asked_for_again(text: str) -> None:
    with pytest.raises(Problem, match="is no amount"):
        amount_of(text)
