"""A made-up context for tests of the gate: spending money on a matter, with facts, a read-set and duties."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection, func, select

from erp_core.clock import Clock
from erp_core.gate.contract import (
    Asked,
    Command,
    DomainError,
    Done,
    Duty,
    Executed,
    Outcome,
    Proposed,
    Refused,
    Registration,
    Registry,
    Task,
    Transaction,
    each,
)
from erp_core.gate.decisions import ApproveProposal
from erp_core.gate.model import company
from erp_core.gate.policies.commands import (
    PolicyApprover,
    PolicyCondition,
    PolicyEscalation,
    PolicyReview,
    SaveApprovalPolicy,
)
from erp_core.gate.principals import Principal
from erp_core.gate.queries import ProposalView, get_proposal
from erp_core.gate.roles import COMMANDS
from erp_core.gate.submission import Gate
from erp_core.storage.bulk import upsert_replace
from erp_core.storage.engine import reading


class Spend(Command):
    """Spend money on a matter. A test may let it fail."""

    matter: UUID
    amount: int
    fails: bool = False

    @property
    def subject(self) -> tuple[str, UUID]:
        return ("matter", self.matter)


class Receive(Command):
    """Take what was bought for a matter in."""

    matter: UUID

    @property
    def subject(self) -> tuple[str, UUID]:
        return ("matter", self.matter)


class NoMoney(DomainError):
    """The till is empty."""

    code = "no_money"


def _spend(task: Task[Spend], tx: Transaction) -> Done:
    if task.command.fails and not _open(tx.connection):
        raise NoMoney("the till is empty", remedy="fill it")
    row = {
        "key": f"spent:{task.command.matter.hex[:20]}:{uuid4().hex[:8]}"[:40],
        "value": str(task.command.amount),
    }
    upsert_replace(tx.connection, company, [row], ["value"])
    return Done(result={"spent": task.command.amount}, after={"spent": task.command.amount})


def _receive(task: Task[Receive], tx: Transaction) -> Done:
    return Done(after={"received": True})


def _open(connection: Connection) -> bool:
    return bool(connection.scalar(select(company.c.value).where(company.c.key == "till")))


def _facts(asked: Sequence[Asked[Spend]], connection: Connection) -> Sequence[dict[str, Any]]:
    return [{"amount": one.command.amount} for one in asked]


def _read_sets(asked: Sequence[Asked[Any]], connection: Connection) -> Sequence[list[dict[str, Any]]]:
    price = connection.scalar(select(company.c.value).where(company.c.key == "price"))
    return [[{"fact": "price", "value": int(price or 100), "tolerance": 5}] for _ in asked]


def open_office(engine: Any, clock: Clock, home: Any) -> Gate:
    """A gate that knows the made-up commands, which everybody in the office may ask for."""
    registry = Registry()
    gate = Gate(engine, registry, clock, home=home)
    registry.register(
        Registration(
            Spend,
            each(_spend),
            governed=True,
            facts=_facts,
            read_sets=_read_sets,
            duties=lambda command: [Duty("matter", command.matter, "order_requester")],
            approver_duties=lambda command: [Duty("matter", command.matter, "order_approver")],
            compensation="Receive the money back",
        )
    )
    registry.register(
        Registration(
            Receive, each(_receive), duties=lambda command: [Duty("matter", command.matter, "receiver")]
        )
    )
    gate.install_policies()
    return gate


OFFICE_ROLES = ("planner", "buyer", "manager", "finance", "warehouse", "admin", "emergency", "executive")


def let_everybody_spend(monkeypatch: Any) -> None:
    """Let the office's roles run the made-up commands, for the time of a test."""
    for role in OFFICE_ROLES:
        monkeypatch.setitem(COMMANDS, role, COMMANDS[role] | {"Spend", "Receive"})


@dataclass
class Office:
    """People, and what they do."""

    gate: Gate
    people: dict[str, Principal] = field(default_factory=dict)

    def person(self, name: str, *roles: str) -> Principal:
        """Somebody of this name, with these roles (default: the role of the name)."""
        if name not in self.people:
            self.people[name] = self.gate.bootstrap_user(name, roles or (name,))
        return self.people[name]

    def policy(
        self,
        *approvers: tuple[str, int],
        low: int | None = None,
        high: int | None = None,
        name: str = "",
        policy_id: UUID | None = None,
        among: dict[str, tuple[Any, ...]] | None = None,
        escalation: tuple[int, str] | None = None,
        review: tuple[str, int] | None = None,
        in_order: bool = False,
        hours: int = 72,
        active: bool = True,
    ) -> SaveApprovalPolicy:
        """A policy about `Spend`."""
        conditions = (
            [PolicyCondition(fact="amount", low=low, high=high)] if (low, high) != (None, None) else []
        )
        conditions += [PolicyCondition(fact=fact, among=values) for fact, values in (among or {}).items()]
        return SaveApprovalPolicy(
            policy_id=policy_id or uuid4(),
            policy_name=name or f"spend {low} {high} {among}"[:80],
            command="Spend",
            conditions=tuple(conditions),
            approvers=tuple(PolicyApprover(role=role, people=people) for role, people in approvers),
            escalation=PolicyEscalation(after_hours=escalation[0], role=escalation[1])
            if escalation
            else None,
            review=PolicyReview(role=review[0], within_hours=review[1]) if review else None,
            in_order=in_order,
            deadline_hours=hours,
            active=active,
        )

    def save(self, *policies: SaveApprovalPolicy) -> None:
        """Put policies in force, with the approvals that takes."""
        for policy in policies:
            proposed = self.gate.submit(policy, self.person("admin"), key=uuid4().hex)
            assert isinstance(proposed, Proposed), proposed
            for name in ("manager", "finance"):
                done = self.approve(proposed, self.person(name))
            assert isinstance(done, Executed) and done.result["status"] == "executed", done

    def spend(self, amount: int, by: Principal, *, matter: UUID | None = None, **how: Any) -> Outcome:
        """Ask to spend."""
        command = Spend(matter=matter or uuid4(), amount=amount, fails=how.pop("fails", False))
        given: dict[str, Any] = {"title": "Spend", "reason": "because it has to be", "key": uuid4().hex}
        return self.gate.submit_plan([command], by, **{**given, **how})

    def proposed(self, amount: int, by: Principal, **how: Any) -> Proposed:
        """Ask to spend, and expect that it waits."""
        outcome = self.spend(amount, by, **how)
        assert isinstance(outcome, Proposed), outcome
        return outcome

    def approve(self, proposal: Proposed, by: Principal, *, shown: str | None = None) -> Outcome:
        """Say yes to what was shown."""
        yes = ApproveProposal(proposal_id=proposal.proposal_id, payload_hash=shown or proposal.payload_hash)
        return self.gate.submit(yes, by, key=uuid4().hex)

    def refusal(self, outcome: Outcome) -> str:
        """The code of a refusal."""
        assert isinstance(outcome, Refused), outcome
        return outcome.error.code

    def status(self, proposal: Proposed) -> str:
        """How a proposal stands."""
        return self.view(proposal.proposal_id).status

    def view(self, proposal_id: UUID) -> ProposalView:
        """A proposal."""
        with reading(self.gate.engine) as connection:
            view = get_proposal(connection, proposal_id)
        assert view is not None
        return view

    def spent(self) -> int:
        """How often money was spent."""
        with reading(self.gate.engine) as connection:
            query = select(func.count()).select_from(company).where(company.c.key.like("spent:%"))
            return connection.scalar(query) or 0

    def read(self, query: Any) -> Any:
        """What a function reads."""
        with reading(self.gate.engine) as connection:
            return query(connection)
