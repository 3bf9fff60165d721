"""Attacks with real processes: many at once, and killed in the middle."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.context import ForkContext
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import event

from erp_core.clock import Clock
from erp_core.gate.contract import Executed, Outcome, Proposed, Refused
from erp_core.gate.credentials import load_principal
from erp_core.gate.decisions import ApproveProposal
from erp_core.gate.principals import Principal
from erp_core.gate.submission import Gate
from erp_core.inventory.commands import AdjustStock
from erp_core.procurement.commands import SubmitPurchaseOrder
from erp_core.storage.engine import open_engine, reading
from evals.attacks.attack import attack
from evals.attacks.company import LAMP, TODAY, WAREHOUSE, AttackedCompany
from evals.attacks.product import MakeGate

RIVALS = 4


@dataclass(frozen=True, slots=True)
class Opening:
    """What another process needs to open the company."""

    make_gate: MakeGate
    url: str
    secret: str | None
    home: Path

    @classmethod
    def of(cls, company: AttackedCompany) -> Opening:
        """The company of an attack."""
        url = company.engine.url.render_as_string(hide_password=False)
        return cls(company.product.make_gate, url, company.secret, company.home)

    def gate(self) -> Gate:
        """A gate of this process's own."""
        engine = open_engine(self.url, gate_secret=lambda: self.secret)
        return self.make_gate(engine, Clock(fixed_business_date=TODAY), home=self.home)


def _context(company: AttackedCompany) -> ForkContext:
    """Processes that start as copies of this one, which by then has no connection open."""
    company.engine.dispose()
    return multiprocessing.get_context("fork")


def _race(opening: Opening, work: Callable[[Gate, int], Outcome], number: int, start: Any, told: Any) -> None:
    gate = opening.gate()
    start.wait(60)
    told.put(_word(work(gate, number)))


def _word(outcome: Outcome) -> str:
    if isinstance(outcome, Executed):
        return str(outcome.result.get("status", "executed"))
    if isinstance(outcome, Refused):
        return outcome.error.code
    return type(outcome).__name__.lower()


def race(company: AttackedCompany, work: Callable[[Gate, int], Outcome], rivals: int = RIVALS) -> list[str]:
    """Let processes do the same at the same moment; how each ended. `work` must be picklable."""
    context, opening = _context(company), Opening.of(company)
    start, told = context.Barrier(rivals), context.SimpleQueue()
    processes = [
        context.Process(target=_race, args=(opening, work, number, start, told)) for number in range(rivals)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(90)
    return [told.get() for process in processes if process.exitcode == 0]


def _person(gate: Gate, user: UUID) -> Principal:
    with reading(gate.engine) as connection:
        return load_principal(connection, user)


@dataclass(frozen=True, slots=True)
class Approves:
    """Approve one proposal, each process by the next of some users, under a key of its own or a common one."""

    proposal_id: UUID
    payload_hash: str
    users: tuple[UUID, ...]
    key: str | None = None

    def __call__(self, gate: Gate, number: int) -> Outcome:
        who = _person(gate, self.users[number % len(self.users)])
        yes = ApproveProposal(proposal_id=self.proposal_id, payload_hash=self.payload_hash)
        return gate.submit(yes, who, key=self.key or uuid4().hex)


@dataclass(frozen=True, slots=True)
class Submits:
    """Submit orders, each process one of them."""

    orders: tuple[UUID, ...]
    user: UUID

    def __call__(self, gate: Gate, number: int) -> Outcome:
        who = _person(gate, self.user)
        return gate.submit(SubmitPurchaseOrder(po_id=self.orders[number]), who, key=uuid4().hex)


@dataclass(frozen=True, slots=True)
class WritesOff:
    """Write 20 units off, each process by itself."""

    user: UUID

    def __call__(self, gate: Gate, number: int) -> Outcome:
        who = _person(gate, self.user)
        lost = AdjustStock(
            adjustment_id=uuid4(), item_id=LAMP, location_id=WAREHOUSE, quantity=-20, reason_code="counted"
        )
        return gate.submit(lost, who, key=uuid4().hex)


def note(company: AttackedCompany, words: list[str], *harmless: str) -> None:
    """Note what stopped the losers of a race."""
    for word in words:
        if word not in harmless:
            company.stopped(word)


@attack(
    "approve-in-parallel",
    "proposal_not_pending not_an_approver",
    "The state row is locked while somebody decides; the second finds the proposal executed.",
)
def parallel(company: AttackedCompany) -> None:
    """Four processes approve the same order at the same moment, for two managers, to have it run more than once."""
    proposal = company.order(5_000)
    managers = (company.person("manager").user_id, company.person("deputy").user_id)
    words = race(company, Approves(proposal.proposal_id, proposal.payload_hash, managers))
    note(company, words, "executed")


@attack(
    "approve-in-parallel-under-one-key",
    "same_outcome",
    "A concurrent twin under one key waits and gets the outcome of the first.",
)
def parallel_key(company: AttackedCompany) -> None:
    """Four processes send the same approval under the same key at the same moment."""
    proposal = company.order(5_000)
    manager = (company.person("manager").user_id,)
    words = race(company, Approves(proposal.proposal_id, proposal.payload_hash, manager, "one-key"))
    if words == ["executed"] * RIVALS:
        company.stopped("same_outcome")
    note(company, words, "executed")


@attack(
    "approve-in-parallel-as-one-person",
    "not_an_approver pending proposal_not_pending",
    "One person fills one seat, however many of their sessions decide at once.",
)
def parallel_person(company: AttackedCompany) -> None:
    """One person's two accounts, manager and finance, approve an order of 30,000 at the same moment, four times."""
    proposal = company.order(30_000)
    accounts = (company.person("manager").user_id, company.person("manager-2").user_id)
    words = race(company, Approves(proposal.proposal_id, proposal.payload_hash, accounts))
    note(company, words)


@attack(
    "split-an-order-in-parallel",
    "proposed",
    "Orders to one supplier are judged one after the other, so that each sees those before it.",
)
def parallel_split(company: AttackedCompany) -> None:
    """Four processes submit orders of 1,500 to one supplier at the same moment, before any sees another's."""
    orders = tuple(company.draft(1_500) for _ in range(RIVALS))
    words = race(company, Submits(orders, company.person("buyer").user_id))
    note(company, words, "executed", "approved")


@attack(
    "split-a-write-off-in-parallel",
    "proposed",
    "Adjustments of one item are judged one after the other, so that each sees those before it.",
)
def parallel_write_off(company: AttackedCompany) -> None:
    """Four processes write 20 pieces of one item off at the same moment."""
    words = race(company, WritesOff(company.person("warehouse").user_id))
    note(company, words, "executed")


def kill(company: AttackedCompany, work: Callable[[Gate, int], Outcome], at: str) -> None:
    """Do the work in a process that is killed when it sends a statement with `at` in it."""
    process = _context(company).Process(target=_dies, args=(Opening.of(company), work, at))
    process.start()
    process.join(90)
    if process.exitcode == -signal.SIGKILL:
        company.stopped("killed")
    else:
        company.wrong.append(f"the process was not killed at {at}: it ended with {process.exitcode}")


def _dies(opening: Opening, work: Callable[[Gate, int], Outcome], at: str) -> None:
    gate = opening.gate()

    @event.listens_for(gate.engine, "before_cursor_execute")
    def _at_statement(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if at in statement.upper():
            os.kill(os.getpid(), signal.SIGKILL)

    @event.listens_for(gate.engine, "commit")
    def _at_commit(_connection: Any) -> None:
        if at == "COMMIT":
            os.kill(os.getpid(), signal.SIGKILL)

    work(gate, 0)


@attack(
    "kill-the-server-in-the-middle-of-an-execution",
    "killed",
    "Approval, execution, document and log are one transaction: what is killed never happened, and can be done again once.",
)
def killed(company: AttackedCompany) -> None:
    """The process that executes an approval is killed while it writes the decision, the order, the execution, the log."""
    proposal = company.order(5_000)
    manager = (company.person("manager").user_id,)
    work = Approves(proposal.proposal_id, proposal.payload_hash, manager)
    for at in (
        "INSERT INTO PROPOSAL_DECISIONS",
        "INSERT INTO EXECUTIONS",
        "INSERT INTO AUDIT_ENTRIES",
        "UPDATE PROPOSAL_STATES",
        "COMMIT",
    ):
        kill(company, work, at)
    _settle(company)
    _run_once(company, proposal)


def _settle(company: AttackedCompany) -> None:
    """Let the database notice that its client is gone."""
    if company.engine.dialect.name == "postgresql":
        time.sleep(0.2)


def _run_once(company: AttackedCompany, proposal: Proposed) -> None:
    done = company.approve(proposal, "manager")
    if not isinstance(done, Executed) or done.result.get("status") != "executed":
        company.wrong.append(f"after a crash the approval does not run: {done}")


@attack(
    "kill-the-server-between-two-approvals",
    "killed pending proposal_not_pending",
    "A decision that was committed stays and counts once; one that was not never was.",
)
def killed_between(company: AttackedCompany) -> None:
    """The server dies right after the first of two approvals was stored; clients that got no answer send theirs again."""
    proposal = company.order(30_000)
    for login in ("manager", "finance"):
        user = company.person(login).user_id
        work = Approves(proposal.proposal_id, proposal.payload_hash, (user,), login)
        kill(company, work, "INSERT INTO AUDIT_ENTRIES")
    _settle(company)
    company.tries(company.approve(proposal, "manager"))
    company.approve(proposal, "finance")
    company.tries(company.approve(proposal, "treasurer"))
