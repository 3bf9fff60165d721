"""Proposals: what is written when one is opened, how it ends, and how its plan runs.

A proposal's content is written once. What changes is its state row; decisions, attempts and the
execution are rows of their own. All their moments are in business time; the wall's are in the audit log. Its time
runs from `Transaction.business_now` and never from a command's `occurred_at`, so that back-dating neither ends a
proposal early nor revives one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy import Connection, Row, func, select, update

from erp_core.gate.contract import Command, DomainError, Done, DutiesOf, NotFound, Registry, Task, Transaction
from erp_core.gate.errors import NotRevisable, PersonalDataInProposal, ProposalNotPending, ProposalOutdated
from erp_core.gate.events import ProposalClosed, ProposalOpened
from erp_core.gate.model import proposal_states, proposals
from erp_core.gate.principals import Principal
from erp_core.gate.read_sets import read_sets
from erp_core.gate.requirements import Requirement, Stored, Wish, via_of
from erp_core.gate.rules import PROPOSAL_STEPS, REVISABLE, content_hash, payload_hash
from erp_core.gate.separation import DutyBook, require_duties
from erp_core.gate.trail import Trail
from erp_core.storage.bulk import insert_rows
from erp_core.storage.types import CanonicalText, canonical_json

_STATED = select(proposals, proposal_states.c.status).join(
    proposal_states, proposal_states.c.proposal_id == proposals.c.id
)


class ProposalBook:
    """Opens and closes proposals over a registry of commands, and runs their plans. Decides nothing."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def open(
        self, wish: Wish, requirement: Requirement, principal: Principal, audit_id: UUID, tx: Transaction
    ) -> Row[Any]:
        """Write the proposal and let the contexts show that it holds their documents.

        Where it takes the place of another, that one's chain goes on with the next version.
        """
        for command in wish.commands:
            if command.unrecorded():
                raise PersonalDataInProposal(
                    f"{command.command_name} carries personal data or text from outside: "
                    f"{', '.join(sorted(command.unrecorded()))}",
                    remedy="register the person or record the text first, and quote its id",
                )
        before = None if wish.revises is None else self.supersede(wish.revises, principal, audit_id, tx)
        (read_set,) = read_sets([wish.commands], self._registry, tx.connection)
        if isinstance(read_set, DomainError):
            raise read_set
        proposal_id = tx.new_id()
        escalation, review = requirement.escalation, requirement.review
        row: dict[str, Any] = {
            "id": proposal_id,
            "chain_id": before.chain_id if before else proposal_id,
            "version": before.version + 1 if before else 1,
            "title": wish.title or ", ".join(command.command_name for command in wish.commands),
            "reason": wish.reason,
            "payload": [
                {"command": command.command_name, "payload": command.recorded()} for command in wish.commands
            ],
            "read_set": read_set,
            "evidence": [with_hash(one) for one in wish.evidence],
            "facts": dict(requirement.facts),
            "policies": [
                {"id": str(one.id), "version": one.version, "name": one.name} for one in requirement.policies
            ],
            "policy_name": requirement.name[:80],
            "approvers": [{"role": role, "people": people} for role, people in requirement.approvers],
            "in_order": requirement.in_order,
            "escalation": asdict(escalation) if escalation else None,
            "escalates_at": tx.business_now + timedelta(hours=escalation.after_hours) if escalation else None,
            "review": asdict(review) if review else None,
            "compensation": [
                {
                    "command": command.command_name,
                    "by": self._registry.require(command.command_name).compensation,
                }
                for command in wish.commands
            ],
            "amount": requirement.facts.get("amount"),
            "urgent": wish.urgent,
            "requested_by": principal.user_id,
            "via": via_of(principal, imported=wish.imported),
            "run_id": principal.run_id,
            "tainted": wish.tainted,
            "created_at": wish.commands[-1].occurred_at or tx.business_now,
            "expires_at": tx.business_now + timedelta(hours=requirement.hours),
        }
        row["payload_hash"] = content_hash(row)
        insert_rows(tx.connection, proposals, [row])
        state = {
            "proposal_id": proposal_id,
            "status": "pending",
            "note": None,
            "changed_at": tx.business_now,
        }
        insert_rows(tx.connection, proposal_states, [state])
        for command in wish.commands:
            hook = self._registry.require(command.command_name).on_held
            if hook is not None:
                hook(command, proposal_id, tx)
        tx.publish(ProposalOpened(proposal_id, tuple(row["evidence"]), audit_id))
        return tx.connection.execute(select(proposals).where(proposals.c.id == proposal_id)).one()

    def supersede(
        self, proposal_id: UUID, principal: Principal, audit_id: UUID, tx: Transaction, *, ran: bool = False
    ) -> Row[Any]:
        """End a proposal because a new version takes its place; one that ended undecided stays as it is.

        Where the changed plan `ran` at once there is no version to point to, so that one reads superseded as well.

        Raises `NotRevisable`: for another's proposal where an agent or service asks, for any but the newest
        version, and where the plan was executed, rejected or withdrawn.
        """
        row = self.load(proposal_id, tx)
        if principal.kind != "person" and (row.requested_by, row.via) != (
            principal.user_id,
            via_of(principal),
        ):
            raise NotRevisable("this is somebody else's proposal", remedy="make one of your own")
        newest = tx.connection.scalar(
            select(func.max(proposals.c.version)).where(proposals.c.chain_id == row.chain_id)
        )
        if row.version != newest:
            raise NotRevisable(
                f"version {newest} took its place", remedy="revise the newest version", newest=newest
            )
        if row.status not in REVISABLE:
            raise NotRevisable(
                f"it is {row.status.replace('_', ' ')}", remedy="make a new proposal", status=row.status
            )
        if row.status == "pending":
            self.close(row, "superseded", None, audit_id, tx)
        elif ran:
            self._restate(row, tx, status="superseded")
        return row

    def run(
        self,
        commands: Sequence[Command],
        principal: Principal,
        rule: str,
        proposal_id: UUID | None,
        tx: Transaction,
        *,
        approved_at: datetime | None = None,
        glass_broken: bool = False,
    ) -> list[tuple[UUID, Done]]:
        """Run a plan in order, like commands that follow each other at once; the caller holds the savepoint.

        Raises the first refusal, or `DutiesConflict` before a command whose duty a rule keeps apart from another that the
        principal has in the document, also by an earlier command of the plan. With the glass broken the principal
        stands in for who would have approved: what keeps them from that stops them too.
        """
        results = []
        for name, like in groupby(commands, key=lambda command: command.command_name):
            registration = self._registry.require(name)
            tasks = [
                Task(
                    command,
                    principal,
                    command.occurred_at or tx.business_now,
                    tx.new_id(),
                    proposal_id,
                    approved_at,
                )
                for command in like
            ]
            asked = (registration.duties, registration.approver_duties if glass_broken else None)
            self._require_duties([of for of in asked if of is not None], tasks, principal, tx)
            for task, outcome in zip(tasks, registration.handler(tasks, tx), strict=True):
                if isinstance(outcome, DomainError):
                    raise outcome
                payload = CanonicalText(canonical_json(task.command.recorded()))
                Trail.of(tx).executed(task, outcome, rule, payload)
                if registration.duties is not None:
                    tx.unit(DutyBook, DutyBook).add(
                        registration.duties(task.command), principal, task.audit_id
                    )
                results.append((task.audit_id, outcome))
        return results

    @staticmethod
    def _require_duties(
        asked: Sequence[DutiesOf], tasks: Sequence[Task[Any]], principal: Principal, tx: Transaction
    ) -> None:
        if asked:
            tx.unit(DutyBook, DutyBook).flush()
            wanted = [duty for task in tasks for of in asked for duty in of(task.command)]
            require_duties(wanted, principal, tx.connection)

    def load(self, proposal_id: UUID, tx: Transaction) -> Row[Any]:
        """The proposal with its status, locked against others who decide. Raises `NotFound`."""
        query = _STATED.where(proposals.c.id == proposal_id).with_for_update(of=proposal_states)
        row = tx.connection.execute(query).one_or_none()
        if row is None:
            raise NotFound(
                "there is no such proposal", field="proposal_id", remedy="list the proposals first"
            )
        return row

    def commands(self, stored: Stored) -> tuple[Command, ...]:
        """The plan's commands. Raises `ProposalOutdated`."""
        try:
            return tuple(
                self._registry.require(entry["command"]).command.model_validate(entry["payload"])
                for entry in stored.payload
            )
        except (NotFound, ValidationError) as error:
            raise ProposalOutdated(
                "its commands are not those of this version any more", remedy="reject it, and propose it anew"
            ) from error

    def readable(self, stored: Stored) -> tuple[Command, ...]:
        """The plan's commands, none of a plan that is outdated: it can still be turned down."""
        try:
            return self.commands(stored)
        except ProposalOutdated:
            return ()

    def close(self, row: Row[Any], status: str, note: str | None, audit_id: UUID, tx: Transaction) -> None:
        """End a proposal; where it was not executed the contexts show that it holds their documents no more."""
        self._restate(row, tx, status=status, note=note)
        if status != "executed":
            for command in self.readable(row):
                hook = self._registry.require(command.command_name).on_released
                if hook is not None:
                    hook(command, row.id, tx)
        tx.publish(ProposalClosed(row.id, status, tuple(row.evidence), audit_id))

    @staticmethod
    def _restate(row: Row[Any], tx: Transaction, *, status: str, **note: str | None) -> None:
        check_step(row, status)
        tx.connection.execute(
            update(proposal_states)
            .where(proposal_states.c.proposal_id == row.id)
            .values(status=status, changed_at=tx.business_now, **note)
        )


_PENDING = _STATED.where(proposal_states.c.status == "pending").order_by(proposals.c.id)


def pending_proposals(connection: Connection) -> Sequence[Row[Any]]:
    """All that wait, the oldest first."""
    return connection.execute(_PENDING).all()


def overdue_proposals(connection: Connection, now: datetime) -> Sequence[Row[Any]]:
    """Those that wait although their time is over, the oldest first, locked against others who decide."""
    query = _PENDING.where(proposals.c.expires_at <= now).with_for_update(of=proposal_states)
    return connection.execute(query).all()


def with_hash(evidence: Mapping[str, Any]) -> dict[str, Any]:
    """The evidence with the SHA-256 of its canonical form, so that it can be told from another later."""
    told = {name: value for name, value in evidence.items() if name != "sha256"}
    return told | {"sha256": payload_hash(told)}


def check_step(row: Row[Any], target: str) -> None:
    """Pass when a proposal may come to this end. Raises `ProposalNotPending`."""
    if target not in PROPOSAL_STEPS[row.status]:
        raise ProposalNotPending(
            f"it is {row.status.replace('_', ' ')}",
            remedy="only a pending proposal can be decided",
            status=row.status,
        )
