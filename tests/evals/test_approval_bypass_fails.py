"""The suite can fail: with a guard taken off, the judge says what was then done without approval."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from api.attacked import PRODUCT
from erp_core.gate import deciding, proposals, seats, submission
from erp_core.gate.audit import accounts
from erp_core.gate.authority import Approval
from erp_core.gate.contract import Denied
from erp_core.gate.credentials import load_principal
from erp_core.gate.policies.rules import Approvers
from erp_core.gate.principals import Principal
from erp_core.inventory.commands import stock
from erp_core.master.commands import supplier_risk
from erp_core.procurement.commands import money
from evals.attacks.attack import Breach, Missed, all_attacks
from evals.attacks.company import AttackedCompany
from evals.attacks.database import triggers_off
from evals.attacks.places import SqlitePlace
from evals.attacks.run import run_attack
from evals.attacks.summary import told

ATTACKS = all_attacks()
Off = Callable[[pytest.MonkeyPatch], None]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqlitePlace]:
    found = SqlitePlace(PRODUCT, tmp_path_factory.mktemp("attacked"))
    yield found
    found.close()


def own_proposals(patch: pytest.MonkeyPatch) -> None:
    """Nobody is kept away from a proposal, and no duty from another."""
    seating = seats._seating

    def any_seat(one: Any, person: Any, held: Any, askers: Any, away: Any, approvals: Any, up: Any) -> Any:
        return seating(one, person, held, set(), {}, (), up)

    patch.setattr(seats, "_seating", any_seat)
    patch.setattr(proposals, "require_duties", lambda *args: None)


def quorum(patch: pytest.MonkeyPatch) -> None:
    """The first approval is enough."""

    def nothing(_approvers: Approvers, _given: Any) -> dict[str, int]:
        return {}

    patch.setattr(deciding, "missing_approvals", nothing)


def standing(patch: pytest.MonkeyPatch) -> None:
    """An approval counts whatever became of who gave it."""
    known = deciding.standing_approvals

    def all_stand(*args: Any) -> Any:
        return {id_: [Approval(one.given, True) for one in found] for id_, found in known(*args).items()}

    patch.setattr(deciding, "standing_approvals", all_stand)


def quoted_hash(patch: pytest.MonkeyPatch) -> None:
    """The hash that an approval quotes is not compared."""
    pending = deciding.Deciding._pending

    def any_hash(self: Any, task: Any, tx: Any) -> Any:
        row = self._book.load(task.command.proposal_id, tx)
        shown = task.command.model_copy(update={"payload_hash": row.payload_hash})
        return pending(self, type(task)(shown, task.principal, task.occurred_at, task.audit_id), tx)

    patch.setattr(deciding.Deciding, "_pending", any_hash)


def expiry(patch: pytest.MonkeyPatch) -> None:
    """A proposal waits for ever."""

    def load(self: Any, task: Any, tx: Any) -> Any:
        return self._book.load(task.command.proposal_id, tx)

    patch.setattr(deciding.Deciding, "_pending", load)


def requester(patch: pytest.MonkeyPatch) -> None:
    """Whether who asked still has the right is not looked at."""
    patch.setattr(
        deciding.Deciding,
        "_owner",
        staticmethod(lambda row, wish, tx: load_principal(tx.connection, row.requested_by)),
    )


def rights(patch: pytest.MonkeyPatch) -> None:
    """Everybody may ask for everything."""
    patch.setattr(submission, "authorise", lambda *args: None)


def agents(patch: pytest.MonkeyPatch) -> None:
    """An agent's wish runs like its user's."""
    patch.setattr(Principal, "is_agent", property(lambda self: False))


def cumulation(patch: pytest.MonkeyPatch) -> None:
    """What was bought before does not count."""
    patch.setattr(money, "unasked_purchases", lambda *args: [])


def cumulated_units(patch: pytest.MonkeyPatch) -> None:
    """What was adjusted before does not count."""
    patch.setattr(stock, "unasked_adjustments", lambda *args: [])


def lowered_risk(patch: pytest.MonkeyPatch) -> None:
    """Every other risk class counts as a higher one."""
    patch.setattr(supplier_risk, "lowers", lambda before, after: False)


GUARDS: tuple[tuple[str, Off], ...] = (
    ("approve-the-version-a-colleague-revised", own_proposals),
    ("count-an-approval-of-somebody-who-lost-the-role", standing),
    ("count-an-approval-whose-right-was-taken-back", standing),
    ("approve-an-expired-proposal", expiry),
    ("run-the-wish-of-somebody-who-left", requester),
    ("break-the-glass-without-the-role", rights),
    ("approve-by-a-service", rights),
    ("run-every-command-with-an-agents-token", agents),
    ("split-an-order-over-the-day", cumulation),
    ("split-an-order-between-two-buyers", cumulation),
    ("split-a-write-off", cumulated_units),
    ("lower-a-suppliers-risk-first", lowered_risk),
)

BEHIND: tuple[tuple[str, Off], ...] = (
    ("approve-ones-own-wish", own_proposals),
    ("approve-by-a-second-account", own_proposals),
    ("approve-what-ones-own-agent-proposed", own_proposals),
    ("choose-the-cost-method-alone", own_proposals),
    ("approve-in-two-roles", quorum),
    ("split-an-order-below-two-signatures", quorum),
    ("approve-an-old-hash", quoted_hash),
)
"""What the database refuses by itself, should the gate's own check ever fail."""


@pytest.mark.capability("S205", "S209")
@pytest.mark.parametrize(("name", "off"), BEHIND, ids=[f"{name} {off.__name__}" for name, off in BEHIND])
def test_behind_the_gates_own_check_the_database_refuses(
    name: str, off: Off, place: SqlitePlace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    off(monkeypatch)
    with pytest.raises(IntegrityError, match=r"nobody who may decide|without the approvals"):
        run_attack(ATTACKS[name], place, tmp_path / "home")


def without_triggers(company: AttackedCompany) -> None:
    """What guards quorum and decisions in the database is gone, as for its owner."""
    with company.database("owner") as connection:
        for table in ("proposal_decisions", "executions", "duties"):
            triggers_off(connection, table)


@pytest.mark.capability("S209", "S241")
@pytest.mark.parametrize(("name", "off"), BEHIND, ids=[f"{name} {off.__name__}" for name, off in BEHIND])
def test_without_its_guard_and_without_the_database_an_attack_is_a_breach(
    name: str, off: Off, place: SqlitePlace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    off(monkeypatch)
    attack = ATTACKS[name]

    def run(company: AttackedCompany) -> None:
        without_triggers(company)
        attack.run(company)

    result = run_attack(replace(attack, run=run), place, tmp_path / "home")
    assert isinstance(result, Breach), told(result)
    assert "triggers" not in told(result).split(";")[0]


@pytest.mark.capability("S209", "S241")
@pytest.mark.parametrize(("name", "off"), GUARDS, ids=[f"{name} {off.__name__}" for name, off in GUARDS])
def test_without_its_guard_an_attack_is_a_breach(
    name: str, off: Off, place: SqlitePlace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    off(monkeypatch)
    result = run_attack(ATTACKS[name], place, tmp_path / "home")
    assert isinstance(result, Breach), told(result)


@pytest.mark.capability("S207", "S241")
def test_an_entry_that_verification_does_not_name_is_a_breach(
    place: SqlitePlace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accounts, "unfounded", lambda _connection: iter(()))
    result = run_attack(ATTACKS["make-a-manager-as-the-owner"], place, tmp_path / "home")
    assert isinstance(result, Breach), told(result)


@pytest.mark.capability("S241")
def test_an_attack_that_something_else_stops_counts_as_failed(
    place: SqlitePlace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(submission, "authorise", lambda *args: Denied("nobody may", "ask"))
    result = run_attack(ATTACKS["approve-ones-own-wish"], place, tmp_path / "home")
    assert isinstance(result, Missed), told(result)
