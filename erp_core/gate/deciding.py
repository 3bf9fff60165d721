"""What people decide about proposals, and what the gate does about their time: approve, turn down, expire, escalate."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Row, select

from erp_core.gate.authority import standing_approvals
from erp_core.gate.contract import DomainError, Done, Event, Registration, Registry, Task, Transaction, each
from erp_core.gate.credentials import load_principal
from erp_core.gate.decisions import (
    ApproveProposal,
    EscalateProposals,
    ExpireProposals,
    RejectProposal,
    SendBackProposal,
    WithdrawProposal,
)
from erp_core.gate.errors import (
    HashMismatch,
    NotAnApprover,
    PolicyChanged,
    ProposalAltered,
    ProposalNotPending,
    RequesterLostRight,
)
from erp_core.gate.model import (
    execution_attempts,
    executions,
    proposal_decisions,
    proposal_escalations,
    users,
)
from erp_core.gate.policies.rules import (
    Authority,
    Review,
    missing_approvals,
)
from erp_core.gate.policies.store import active_policies
from erp_core.gate.principals import Principal
from erp_core.gate.proposals import ProposalBook, check_step, overdue_proposals, pending_proposals
from erp_core.gate.read_sets import changes_since
from erp_core.gate.requirements import Requirements, Wish
from erp_core.gate.reviews import open_review
from erp_core.gate.rules import content_hash
from erp_core.gate.seats import needed, seatings
from erp_core.gate.separation import DutyBook
from erp_core.storage.bulk import insert_rows
from erp_core.storage.types import canonical_json


class Deciding:
    """Decides proposals of a book; the last approval needed executes the plan in the same transaction."""

    def __init__(self, registry: Registry, requirements: Requirements, book: ProposalBook) -> None:
        self._registry, self._requirements, self._book = registry, requirements, book
        registry.register(Registration(ApproveProposal, each(self._approve)))
        registry.register(Registration(RejectProposal, each(self._reject)))
        registry.register(Registration(SendBackProposal, each(self._send_back)))
        registry.register(Registration(WithdrawProposal, each(self._withdraw)))
        registry.register(Registration(ExpireProposals, each(self._expire)))
        registry.register(Registration(EscalateProposals, each(self._escalate)))

    def _approve(self, task: Task[ApproveProposal], tx: Transaction) -> Done:
        row = self._pending(task, tx)
        role, authority = self._seat(task, row, tx)
        wish = Wish.stored(row, self._book.commands(row))
        (changes,) = changes_since([(row.read_set, wish.commands)], self._registry, tx.connection)
        if changes:
            self._book.close(row, "stale", canonical_json(changes), task.audit_id, tx)
            return Done(result={"status": "stale", "changes": changes})
        try:
            with tx.savepoint():
                return self._approve_in_savepoint(task, row, role, authority, wish, tx)
        except DomainError as error:
            attempt = {
                "id": tx.new_id(),
                "proposal_id": row.id,
                "user_id": task.principal.user_id,
                "error": error.as_dict(),
                "attempted_at": tx.business_now,
            }
            insert_rows(tx.connection, execution_attempts, [attempt])
            return Done(result={"status": "pending", "failed": error.as_dict()})

    def _approve_in_savepoint(
        self,
        task: Task[ApproveProposal],
        row: Row[Any],
        role: str,
        authority: Authority,
        wish: Wish,
        tx: Transaction,
    ) -> Done:
        self._record(task, row, "approve", role, authority, tx)
        approvals = standing_approvals(tx.connection, [row.id], tx.today).get(row.id, ())
        given = [one.given for one in approvals if one.stands]
        missing = missing_approvals(needed(row.approvers), given)
        if missing:
            return Done(result={"status": "pending", "missing": missing})
        owner = self._owner(row, wish, tx)
        requester = Principal(
            "agent" if row.via == "agent" else owner.kind,
            owner.user_id,
            owner.login,
            owner.roles,
            row.run_id,
            owner.person_id,
        )
        (now,) = self._requirements.of(
            [wish], requester, active_policies(tx.connection), tx.connection, tx.business_now
        )
        if isinstance(now, DomainError):
            raise now
        if missing_approvals(now.approvers, given):
            raise PolicyChanged(
                f"{now.name} now asks for more approvals",
                remedy="revise the proposal: its new version goes under the policy in force",
                approvers=[{"role": role, "people": people} for role, people in now.approvers],
            )
        book = tx.unit(DutyBook, DutyBook)
        for one in self._approvers(row, tx):
            book.add(now.approver_duties, one, task.audit_id)
        rule = f"approved: {row.policy_name}"[:120]
        results = self._book.run(wish.commands, owner, rule, row.id, tx, approved_at=task.occurred_at)
        plain = [dict(done.result) for _, done in results]
        execution = {
            "proposal_id": row.id,
            "audit_id": results[-1][0],
            "results": plain,
            "executed_at": tx.business_now,
        }
        insert_rows(tx.connection, executions, [execution])
        self._book.close(row, "executed", None, task.audit_id, tx)
        events = self._reviewed(row, owner, results[-1][0], tx)
        return Done(result={"status": "executed", "results": plain}, events=events)

    @staticmethod
    def _reviewed(row: Row[Any], owner: Principal, audit_id: UUID, tx: Transaction) -> tuple[Event, ...]:
        if row.review is None:
            return ()
        return (
            open_review(
                "urgent" if row.urgent else "override",
                Review(**row.review),
                title=row.title,
                reason=row.reason,
                made_by=owner,
                audit_id=audit_id,
                proposal_id=row.id,
                tx=tx,
            ),
        )

    @staticmethod
    def _owner(row: Row[Any], wish: Wish, tx: Transaction) -> Principal:
        """Who asked, who must still be there and still have the right."""
        active = tx.connection.scalar(select(users.c.active).where(users.c.id == row.requested_by))
        owner = load_principal(tx.connection, row.requested_by)
        lost = [one for one in wish.commands if not owner.may_run(one.command_name)]
        if not active or lost:
            what = "is no longer active" if not active else f"may no longer run {lost[0].command_name}"
            raise RequesterLostRight(
                f"{owner.login} {what}", remedy="somebody who may can revise the proposal in their own name"
            )
        return owner

    @staticmethod
    def _approvers(row: Row[Any], tx: Transaction) -> list[Principal]:
        decided = tx.connection.scalars(
            select(proposal_decisions.c.user_id).where(
                proposal_decisions.c.proposal_id == row.id, proposal_decisions.c.decision == "approve"
            )
        )
        return [load_principal(tx.connection, user_id) for user_id in decided.all()]

    def _reject(self, task: Task[RejectProposal], tx: Transaction) -> Done:
        return self._turn_down(task, "reject", "rejected", tx)

    def _send_back(self, task: Task[SendBackProposal], tx: Transaction) -> Done:
        return self._turn_down(task, "send_back", "sent_back", tx)

    def _turn_down(self, task: Task[Any], decision: str, status: str, tx: Transaction) -> Done:
        row = self._pending(task, tx)
        role, authority = self._seat(task, row, tx)
        self._record(task, row, decision, role, authority, tx)
        self._book.close(row, status, task.command.comment, task.audit_id, tx)
        return Done(result={"status": status})

    def _withdraw(self, task: Task[WithdrawProposal], tx: Transaction) -> Done:
        row = self._book.load(task.command.proposal_id, tx)
        if row.requested_by != task.principal.user_id:
            raise NotAnApprover("only who proposed it can withdraw it", remedy="reject it instead")
        self._book.close(row, "withdrawn", None, task.audit_id, tx)
        return Done(result={"status": "withdrawn"})

    def _expire(self, task: Task[ExpireProposals], tx: Transaction) -> Done:
        due = overdue_proposals(tx.connection, tx.business_now)
        for row in due:
            self._book.close(row, "expired", None, task.audit_id, tx)
        return Done(result={"expired": len(due)})

    def _escalate(self, task: Task[EscalateProposals], tx: Transaction) -> Done:
        known = set(tx.connection.scalars(select(proposal_escalations.c.proposal_id)))
        due = [
            row
            for row in pending_proposals(tx.connection)
            if row.escalates_at is not None and row.escalates_at <= tx.business_now and row.id not in known
        ]
        rows = [
            {
                "proposal_id": row.id,
                "role": row.escalation["role"],
                "escalated_at": tx.business_now,
                "audit_id": task.audit_id,
            }
            for row in due
        ]
        insert_rows(tx.connection, proposal_escalations, rows)
        events = tuple(
            Event("ProposalEscalated", "proposal", row["proposal_id"], 1, {"role": row["role"]})
            for row in rows
        )
        return Done(result={"escalated": len(due)}, events=events)

    def _pending(self, task: Task[Any], tx: Transaction) -> Row[Any]:
        row = self._book.load(task.command.proposal_id, tx)
        check_step(row, "executed")
        if row.expires_at <= tx.business_now:
            raise ProposalNotPending("its time is over", remedy="ask for a new version", status="expired")
        if row.payload_hash != task.command.payload_hash:
            raise HashMismatch(
                "the hash is not this proposal's",
                field="payload_hash",
                remedy="open the proposal again and decide on what it shows",
            )
        if content_hash(row._asdict()) != row.payload_hash:
            raise ProposalAltered(
                "what is stored is not what was proposed",
                remedy="keep the database as it is, verify the audit log and investigate",
            )
        return row

    def _seat(self, task: Task[Any], row: Row[Any], tx: Transaction) -> tuple[str, Authority]:
        """The role in which this person may decide, and the right used. Raises why there is none."""
        (found,) = seatings(
            [(row, self._book.readable(row))],
            task.principal,
            self._requirements.approver_duties,
            tx.connection,
            tx.today,
        )
        if found.why_not is not None:
            raise found.why_not
        assert found.role is not None and found.authority is not None
        return found.role, found.authority

    @staticmethod
    def _record(
        task: Task[Any], row: Row[Any], decision: str, role: str, authority: Authority, tx: Transaction
    ) -> None:
        decided = {
            "id": tx.new_id(),
            "proposal_id": row.id,
            "user_id": task.principal.user_id,
            "decision": decision,
            "person_id": task.principal.person,
            "authority_id": authority.person,
            "role": role,
            "acting_as": authority.role,
            "quoted_hash": task.command.payload_hash,
            "comment": task.command.comment,
            "decided_at": task.occurred_at,
        }
        insert_rows(tx.connection, proposal_decisions, [decided])
