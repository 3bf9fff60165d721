"""Proposals: opened by the gate, decided by people, executed exactly once with the last approval.

A proposal's content is written once. What changes is its state row; decisions, attempts and the
execution are rows of their own. All their moments are in business time; the wall's are in the audit log. Its time
runs from `Transaction.business_now` and never from a command's `occurred_at`, so that back-dating neither ends a
proposal early nor revives one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select, update

from erp_core.gate.contract import (
    Command,
    DomainError,
    Done,
    NotFound,
    Registration,
    Registry,
    Task,
    Transaction,
    each,
)
from erp_core.gate.credentials import load_principal
from erp_core.gate.decisions import (
    ApproveProposal,
    ExpireProposals,
    RejectProposal,
    SendBackProposal,
    WithdrawProposal,
)
from erp_core.gate.errors import (
    HashMismatch,
    NotAnApprover,
    OwnProposal,
    PersonalDataInProposal,
    PolicyChanged,
    ProposalNotPending,
)
from erp_core.gate.events import ProposalClosed, ProposalOpened
from erp_core.gate.model import execution_attempts, executions, proposal_decisions, proposal_states, proposals
from erp_core.gate.policies import active_policies
from erp_core.gate.principals import Principal
from erp_core.gate.read_sets import changes_since, read_sets
from erp_core.gate.requirements import Requirement, Requirements, Wish
from erp_core.gate.rules import (
    PROPOSAL_STEPS,
    missing_approvals,
    payload_hash,
)
from erp_core.gate.trail import Trail
from erp_core.storage.bulk import insert_rows
from erp_core.storage.types import CanonicalText, canonical_json


class Proposals:
    """Opens, decides and executes proposals over a registry of commands."""

    def __init__(self, registry: Registry, requirements: Requirements) -> None:
        self._registry, self._requirements = registry, requirements
        registry.register(Registration(ApproveProposal, each(self._approve)))
        registry.register(Registration(RejectProposal, each(self._reject)))
        registry.register(Registration(SendBackProposal, each(self._send_back)))
        registry.register(Registration(WithdrawProposal, each(self._withdraw)))
        registry.register(Registration(ExpireProposals, each(self._expire)))

    def open(
        self, wish: Wish, requirement: Requirement, principal: Principal, audit_id: UUID, tx: Transaction
    ) -> Row[Any]:
        """Write the proposal and let the contexts show that it holds their documents."""
        for command in wish.commands:
            if command.unrecorded():
                raise PersonalDataInProposal(
                    f"{command.command_name} carries personal data or text from outside: "
                    f"{', '.join(sorted(command.unrecorded()))}",
                    remedy="register the person or record the text first, and quote its id",
                )
        payload = [
            {"command": command.command_name, "payload": command.recorded()} for command in wish.commands
        ]
        (read_set,) = read_sets([wish.commands], self._registry, tx.connection)
        if isinstance(read_set, DomainError):
            raise read_set
        proposal_id = tx.new_id()
        policy = requirement.policies[0]
        hours = min(one.deadline_hours for one in requirement.policies)
        insert_rows(
            tx.connection,
            proposals,
            [
                {
                    "id": proposal_id,
                    "chain_id": proposal_id,
                    "version": 1,
                    "title": wish.title or ", ".join(command.command_name for command in wish.commands),
                    "reason": wish.reason,
                    "payload": payload,
                    "payload_hash": payload_hash(payload),
                    "read_set": read_set,
                    "evidence": list(wish.evidence),
                    "facts": dict(requirement.facts),
                    "policy_id": policy.id,
                    "policy_version": policy.version,
                    "policy_name": requirement.name[:80],
                    "approvers": [{"role": role, "people": people} for role, people in requirement.approvers],
                    "amount": requirement.facts.get("amount"),
                    "requested_by": principal.user_id,
                    "via": principal.kind,
                    "run_id": principal.run_id,
                    "tainted": wish.tainted,
                    "created_at": wish.commands[-1].occurred_at or tx.business_now,
                    "expires_at": tx.business_now + timedelta(hours=hours),
                }
            ],
        )
        insert_rows(
            tx.connection,
            proposal_states,
            [{"proposal_id": proposal_id, "status": "pending", "note": None, "changed_at": tx.business_now}],
        )
        for command in wish.commands:
            hook = self._registry.require(command.command_name).on_held
            if hook is not None:
                hook(command, proposal_id, tx)
        tx.publish(ProposalOpened(proposal_id, wish.evidence, audit_id))
        return tx.connection.execute(select(proposals).where(proposals.c.id == proposal_id)).one()

    def run(
        self,
        commands: Sequence[Command],
        principal: Principal,
        rule: str,
        proposal_id: UUID | None,
        tx: Transaction,
        *,
        approved_at: datetime | None = None,
    ) -> list[tuple[UUID, Done]]:
        """Run a plan in order. Raises the first refusal; the caller holds the savepoint."""
        results = []
        for command in commands:
            occurred_at = command.occurred_at or tx.business_now
            task = Task(command, principal, occurred_at, tx.new_id(), proposal_id, approved_at)
            (outcome,) = self._registry.require(command.command_name).handler([task], tx)
            if isinstance(outcome, DomainError):
                raise outcome
            Trail.of(tx).executed(task, outcome, rule, CanonicalText(canonical_json(command.recorded())))
            results.append((task.audit_id, outcome))
        return results

    def _approve(self, task: Task[ApproveProposal], tx: Transaction) -> Done:
        row = self._pending(task, tx)
        role = self._role_to_decide(task, row, tx)
        wish = Wish(self._commands(row), row.title, row.reason, tuple(row.evidence), row.tainted)
        (changes,) = changes_since([(row.read_set, wish.commands)], self._registry, tx.connection)
        if changes:
            self._close(row, "stale", canonical_json(changes), task.audit_id, tx)
            return Done(result={"status": "stale", "changes": changes})
        try:
            with tx.savepoint():
                return self._approve_in_savepoint(task, row, role, wish, tx)
        except DomainError as error:
            if isinstance(error, NotAnApprover):
                raise
            insert_rows(
                tx.connection,
                execution_attempts,
                [
                    {
                        "id": tx.new_id(),
                        "proposal_id": row.id,
                        "user_id": task.principal.user_id,
                        "error": error.as_dict(),
                        "attempted_at": tx.business_now,
                    }
                ],
            )
            return Done(result={"status": "pending", "failed": error.as_dict()})

    def _approve_in_savepoint(
        self, task: Task[ApproveProposal], row: Row[Any], role: str, wish: Wish, tx: Transaction
    ) -> Done:
        self._record_decision(task, row, "approve", role, tx)
        decided = tx.connection.execute(
            select(proposal_decisions.c.user_id, proposal_decisions.c.role).where(
                proposal_decisions.c.proposal_id == row.id, proposal_decisions.c.decision == "approve"
            )
        )
        given = [(decision.user_id, decision.role) for decision in decided]
        missing = missing_approvals(_pairs(row.approvers), given)
        if missing:
            return Done(result={"status": "pending", "missing": missing})
        owner = load_principal(tx.connection, row.requested_by)
        requester = Principal(row.via, owner.user_id, owner.login, owner.roles, row.run_id, owner.person_id)
        policies = active_policies(tx.connection)
        (now,) = self._requirements.of([wish], requester, policies, tx.connection)
        if isinstance(now, DomainError):
            raise now
        if missing_approvals(now.approvers, given):
            raise PolicyChanged(
                f"{now.name} now asks for more approvals",
                remedy="withdraw the proposal and submit it again under the policy in force",
                approvers=[{"role": role, "people": people} for role, people in now.approvers],
            )
        rule = f"approved: {row.policy_name}"[:120]
        results = self.run(wish.commands, owner, rule, row.id, tx, approved_at=task.occurred_at)
        plain = [dict(done.result) for _, done in results]
        insert_rows(
            tx.connection,
            executions,
            [
                {
                    "proposal_id": row.id,
                    "audit_id": results[-1][0],
                    "results": plain,
                    "executed_at": tx.business_now,
                }
            ],
        )
        self._close(row, "executed", None, task.audit_id, tx)
        return Done(result={"status": "executed", "results": plain})

    def _reject(self, task: Task[RejectProposal], tx: Transaction) -> Done:
        return self._turn_down(task, "reject", "rejected", tx)

    def _send_back(self, task: Task[SendBackProposal], tx: Transaction) -> Done:
        return self._turn_down(task, "send_back", "sent_back", tx)

    def _turn_down(self, task: Task[Any], decision: str, status: str, tx: Transaction) -> Done:
        row = self._pending(task, tx)
        role = self._role_to_decide(task, row, tx)
        self._record_decision(task, row, decision, role, tx)
        self._close(row, status, task.command.comment, task.audit_id, tx)
        return Done(result={"status": status})

    def _withdraw(self, task: Task[WithdrawProposal], tx: Transaction) -> Done:
        row = self._load(task.command.proposal_id, tx)
        if row.requested_by != task.principal.user_id:
            raise NotAnApprover("only who proposed it can withdraw it", remedy="reject it instead")
        _check_step(row, "withdrawn")
        self._close(row, "withdrawn", None, task.audit_id, tx)
        return Done(result={"status": "withdrawn"})

    def _expire(self, task: Task[ExpireProposals], tx: Transaction) -> Done:
        due = tx.connection.execute(
            self._select()
            .where(proposal_states.c.status == "pending", proposals.c.expires_at <= tx.business_now)
            .order_by(proposals.c.id)
        ).all()
        for row in due:
            self._close(row, "expired", None, task.audit_id, tx)
        return Done(result={"expired": len(due)})

    def _pending(self, task: Task[Any], tx: Transaction) -> Row[Any]:
        row = self._load(task.command.proposal_id, tx)
        _check_step(row, "executed")
        if row.expires_at <= tx.business_now:
            raise ProposalNotPending("its time is over", remedy="ask for a new proposal", status="expired")
        if row.payload_hash != task.command.payload_hash:
            raise HashMismatch(
                "the hash is not this proposal's",
                field="payload_hash",
                remedy="open the proposal again and decide on what it shows",
            )
        return row

    def _role_to_decide(self, task: Task[Any], row: Row[Any], tx: Transaction) -> str:
        person = task.principal
        if person.user_id == row.requested_by:
            raise OwnProposal("who asked may not decide", remedy="another person must decide")
        if str(person.user_id) in row.facts.get("excluded_approvers", ()):
            raise OwnProposal(
                "whoever set this up may not approve it", remedy="another person with the role must decide"
            )
        decisions = tx.connection.execute(
            select(proposal_decisions.c.user_id, proposal_decisions.c.role).where(
                proposal_decisions.c.proposal_id == row.id
            )
        ).all()
        if any(decision.user_id == person.user_id for decision in decisions):
            raise NotAnApprover("you decided on this already", remedy="another person must decide")
        missing = missing_approvals(_pairs(row.approvers), [(one.user_id, one.role) for one in decisions])
        for role in sorted(missing):
            if role in person.roles:
                return role
        wanted = " and ".join(f"{count} {role}" for role, count in sorted(missing.items()))
        raise NotAnApprover(
            f"the policy asks for {wanted}", remedy=f"a person with the role must decide: {wanted}"
        )

    def _record_decision(
        self, task: Task[Any], row: Row[Any], decision: str, role: str, tx: Transaction
    ) -> None:
        insert_rows(
            tx.connection,
            proposal_decisions,
            [
                {
                    "id": tx.new_id(),
                    "proposal_id": row.id,
                    "user_id": task.principal.user_id,
                    "decision": decision,
                    "role": role,
                    "quoted_hash": task.command.payload_hash,
                    "comment": task.command.comment,
                    "decided_at": task.occurred_at,
                }
            ],
        )

    def _close(self, row: Row[Any], status: str, note: str | None, audit_id: UUID, tx: Transaction) -> None:
        tx.connection.execute(
            update(proposal_states)
            .where(proposal_states.c.proposal_id == row.id)
            .values(status=status, note=note, changed_at=tx.business_now)
        )
        if status != "executed":
            for command in self._commands(row):
                hook = self._registry.require(command.command_name).on_released
                if hook is not None:
                    hook(command, row.id, tx)
        tx.publish(ProposalClosed(row.id, status, tuple(row.evidence), audit_id))

    def _load(self, proposal_id: UUID, tx: Transaction) -> Row[Any]:
        query = self._select().where(proposals.c.id == proposal_id).with_for_update(of=proposal_states)
        row = tx.connection.execute(query).one_or_none()
        if row is None:
            raise NotFound(
                "there is no such proposal", field="proposal_id", remedy="list the proposals first"
            )
        return row

    @staticmethod
    def _select() -> Any:
        return select(proposals, proposal_states.c.status).join(
            proposal_states, proposal_states.c.proposal_id == proposals.c.id
        )

    def _commands(self, row: Row[Any]) -> tuple[Command, ...]:
        return tuple(
            self._registry.require(entry["command"]).command.model_validate(entry["payload"])
            for entry in row.payload
        )


def _pairs(approvers: Sequence[Mapping[str, Any]]) -> list[tuple[str, int]]:
    return [(entry["role"], entry["people"]) for entry in approvers]


def _check_step(row: Row[Any], target: str) -> None:
    if target not in PROPOSAL_STEPS[row.status]:
        raise ProposalNotPending(
            f"it is {row.status.replace('_', ' ')}",
            remedy="only a pending proposal can be decided",
            status=row.status,
        )
