"""Every attack of the approval-bypass suite on both databases: none gets anything done, decided or changed unseen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from api.attacked import PRODUCT
from evals.attacks.attack import Attack, CannotRun, Detected, Held, Skipped, all_attacks
from evals.attacks.places import Place, PostgresPlace, SqlitePlace
from evals.attacks.run import run_attack
from evals.attacks.summary import attack_product, told
from evals.attacks.table import page
from evals.report import junit
from tests.conftest import ROOT, size

ATTACKS = all_attacks()
ON_POSTGRESQL = {
    name
    for number, (name, one) in enumerate(ATTACKS.items())
    if one.kind in ("database", "processes") or number % size(6, 1) == 0
}
"""In `make test` those that meet the database itself, and every sixth of the others; all of them in `make prove`."""


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("attacked")
    if request.param == "sqlite":
        yield SqlitePlace(PRODUCT, folder)
        return
    try:
        found = PostgresPlace(PRODUCT, folder, request.getfixturevalue("postgres_server"))
    except CannotRun as why:
        pytest.skip(str(why))
    yield found
    found.close()


@pytest.mark.capability("S205", "S206", "S208", "S209", "S238")
@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS.keys())
def test_an_attack_gets_nothing_that_policy_does_not_allow(
    attack: Attack, place: Place, tmp_path: Path
) -> None:
    if place.name == "postgresql" and attack.name not in ON_POSTGRESQL:
        pytest.skip("on PostgreSQL in `make prove`: what it attacks does not depend on the database")
    result = run_attack(attack, place, tmp_path / "home")
    if isinstance(result, Skipped):
        pytest.skip(result.why)
    assert isinstance(result, Held if attack.ends == "held" else Detected), told(result)


@pytest.mark.capability("S241")
def test_the_suite_has_every_kind_of_attack_and_each_says_what_the_attacker_does() -> None:
    assert len(ATTACKS) >= 60
    assert all(one.story.endswith(".") and one.guard.endswith(".") for one in ATTACKS.values())
    assert all(len(one.stopped_by) >= 1 for one in ATTACKS.values() if one.ends == "held")


@pytest.mark.capability("S241")
def test_the_page_of_attacks_is_the_one_that_the_attacks_make() -> None:
    written = (ROOT / "docs" / "approval-bypass.md").read_text(encoding="utf-8")
    assert written == page(), "run: python -m evals.attacks.table > docs/approval-bypass.md"


@pytest.mark.capability("S241")
def test_a_run_is_reported_like_any_suite() -> None:
    names = ("approve-ones-own-wish", "make-a-manager-as-the-owner")
    summary = attack_product(PRODUCT, only=names)
    assert [one.case for one in summary.samples] == list(names)
    assert summary.overall["pass^1"].value == 1
    assert [one.answers[0]["status"].split(":")[0] for one in summary.samples] == ["held", "detected"]
    told_to_ci = junit([summary])
    assert 'tests="2" failures="0" skipped="0"' in told_to_ci
