"""Running what needs nobody's approval, or what an approval waived: in batches of like commands, or plan by plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from uuid import UUID

from erp_core.gate import reviews, separation
from erp_core.gate.contract import (
    DomainError,
    Duty,
    Event,
    Executed,
    Outcome,
    Refused,
    Registration,
    Registry,
    Task,
    Transaction,
)
from erp_core.gate.keys import Pending
from erp_core.gate.principals import Principal
from erp_core.gate.proposals import ProposalBook
from erp_core.gate.reviews import AFTER_BREAKING_GLASS
from erp_core.gate.separation import DutyBook
from erp_core.gate.trail import Trail


class Execution:
    """Runs wishes over a registry of commands; who may, and whether anybody must agree, was decided before."""

    def __init__(self, registry: Registry, book: ProposalBook) -> None:
        self._registry, self._book = registry, book

    def execute(
        self,
        direct: Sequence[Pending],
        principal: Principal,
        scope: UUID,
        outcomes: dict[int, Outcome],
        tx: Transaction,
    ) -> None:
        """Run the wishes in their order, like ones together, and put down how each ended."""
        for name, run in groupby(direct, key=_run_name):
            batch = list(run)
            if name is None:
                for one in batch:
                    outcomes[one.position] = self._execute_plan(one, principal, scope, tx)
            else:
                self._execute_batch(name, batch, principal, scope, outcomes, tx)

    def _execute_batch(
        self,
        name: str,
        batch: Sequence[Pending],
        principal: Principal,
        scope: UUID,
        outcomes: dict[int, Outcome],
        tx: Transaction,
    ) -> None:
        registration = self._registry.require(name)
        batch, had = self._with_duties(registration, batch, principal, outcomes, tx)
        tasks = [
            Task(command, principal, command.occurred_at or tx.business_now, tx.new_id())
            for command in (one.wish.commands[0] for one in batch)
        ]
        results = registration.handler(tasks, tx) if tasks else []
        if len(results) != len(tasks):
            raise RuntimeError(f"the handler of {name} answered {len(results)} of {len(tasks)} commands")
        rule = "role " + ", ".join(principal.roles_for(name))
        trail = Trail.of(tx)
        for one, task, result, own in zip(batch, tasks, results, had, strict=True):
            if isinstance(result, DomainError):
                outcomes[one.position] = Refused(result)
                continue
            if own:
                tx.unit(DutyBook, DutyBook).add(own, principal, task.audit_id)
            reviewed = self._reviewed(one, task.audit_id, principal, tx)
            if reviewed is not None:
                result = replace(result, events=(*result.events, reviewed))
            trail.executed(task, result, rule[:120], one.payloads[0])
            trail.remember(
                scope, one.key, one.digest, {"executed": str(task.audit_id), "result": dict(result.result)}
            )
            outcomes[one.position] = Executed(task.audit_id, result.result)

    @staticmethod
    def _with_duties(
        registration: Registration,
        batch: Sequence[Pending],
        principal: Principal,
        outcomes: dict[int, Outcome],
        tx: Transaction,
    ) -> tuple[Sequence[Pending], list[tuple[Duty, ...]]]:
        """Those of the batch whose duties this person may have, with these duties; the others are refused."""
        if registration.duties is None:
            return batch, [()] * len(batch)
        wanted = [tuple(registration.duties(one.wish.commands[0])) for one in batch]
        tx.unit(DutyBook, DutyBook).flush()
        found = separation.conflicts(wanted, principal, tx.connection)
        for one, conflict in zip(batch, found, strict=True):
            if conflict is not None:
                outcomes[one.position] = Refused(conflict)
        allowed = [place for place, conflict in enumerate(found) if conflict is None]
        return [batch[place] for place in allowed], [wanted[place] for place in allowed]

    @staticmethod
    def _reviewed(one: Pending, audit_id: UUID, principal: Principal, tx: Transaction) -> Event | None:
        """Open the review that breaking the glass or the policy asks for; None where nothing does."""
        review = AFTER_BREAKING_GLASS if one.wish.breaks_glass else one.requirement and one.requirement.review
        if not review:
            return None
        return reviews.open_review(
            "break_glass" if one.wish.breaks_glass else "urgent" if one.wish.urgent else "override",
            review,
            title=one.wish.title or one.wish.commands[-1].command_name,
            reason=one.wish.reason,
            made_by=principal,
            audit_id=audit_id,
            proposal_id=None,
            tx=tx,
        )

    def _execute_plan(self, one: Pending, principal: Principal, scope: UUID, tx: Transaction) -> Outcome:
        try:
            with tx.savepoint():
                if one.wish.revises is not None:
                    self._book.supersede(one.wish.revises, principal, tx.new_id(), tx, ran=True)
                glass = one.wish.breaks_glass
                if glass and one.requirement is not None:
                    separation.require_duties(one.requirement.approver_duties, principal, tx.connection)
                rule = "glass broken" if glass else "plan within role and policy"
                results = self._book.run(one.wish.commands, principal, rule, None, tx, glass_broken=glass)
                reviewed = self._reviewed(one, results[-1][0], principal, tx)
                if reviewed is not None:
                    Trail.of(tx).emit(reviewed, results[-1][0])
        except DomainError as error:
            return Refused(error)
        audit_id = results[-1][0]
        result = {"results": [dict(done.result) for _, done in results]}
        Trail.of(tx).remember(scope, one.key, one.digest, {"executed": str(audit_id), "result": result})
        return Executed(audit_id, result)


def _run_name(one: Pending) -> str | None:
    return None if one.wish.is_plan else one.wish.commands[0].command_name
