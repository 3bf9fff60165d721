"""What the gate would ask, whose yes is missing, whom a change of policy would touch. Reads only; decides nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy import Connection

from erp_core.clock import Clock
from erp_core.gate.contract import Command, DomainError
from erp_core.gate.credentials import load_principal
from erp_core.gate.errors import ProposalOutdated
from erp_core.gate.policies.commands import PolicyCommands, SaveApprovalPolicy
from erp_core.gate.policies.explain import Affected, Explanation, affected, explain
from erp_core.gate.policies.store import active_policies
from erp_core.gate.principals import Principal
from erp_core.gate.proposals import ProposalBook, pending_proposals
from erp_core.gate.queries import ProposalView
from erp_core.gate.requirements import Requirements, Wish, origin_of
from erp_core.gate.seats import Seating, seatings


@dataclass(frozen=True, slots=True)
class Advice:
    """Answers about what the gate would do, from the same rules that it decides by; nothing is submitted."""

    _book: ProposalBook
    _requirements: Requirements
    _policies: PolicyCommands
    _clock: Clock

    def deciding(
        self, views: Sequence[ProposalView], person: Principal, connection: Connection
    ) -> list[Seating]:
        """For each proposal: what is still missing, and where this person fits in or why they do not."""
        plans: list[tuple[ProposalView, Sequence[Command]]] = []
        outdated: dict[UUID, ProposalOutdated] = {}
        for view in views:
            try:
                plans.append((view, self._book.commands(view)))
            except ProposalOutdated as error:
                plans.append((view, ()))
                outdated[view.id] = error
        found = seatings(plans, person, self._requirements.approver_duties, connection, self._clock.today())
        return [
            replace(seating, why_not=outdated[view.id]) if view.id in outdated else seating
            for (view, _), seating in zip(plans, found, strict=True)
        ]

    def explain(
        self,
        commands: Sequence[Command],
        principal: Principal,
        connection: Connection,
        *,
        urgent: bool = False,
        tainted: bool = False,
    ) -> list[Explanation]:
        """For each of these commands that a policy decides about: which one, and why the others do not.

        Raises why facts cannot be read, such as a document that is not there.
        """
        wish = Wish(tuple(commands), urgent=urgent, tainted=tainted)
        origin, policies = origin_of(wish, principal), active_policies(connection)
        (known,) = self._requirements.facts_of([wish], connection, self._clock.business_now())
        found = []
        for command, facts in known:
            if isinstance(facts, DomainError):
                raise facts
            found.append(explain(policies, command, {**facts, **origin}))
        if not found and principal.is_agent:
            found = [explain(policies, command.command_name, origin) for command in wish.commands]
        return found

    def touched_by(self, change: SaveApprovalPolicy, connection: Connection) -> list[Affected]:
        """The waiting proposals that would go under another rule if the policy were saved.

        Raises why the policy could not be saved.
        """
        before = active_policies(connection)
        self._policies.check(change, before)
        after = [one for one in before if one.id != change.policy_id]
        if change.active:
            after.append(change.as_policy())
        rows = pending_proposals(connection)
        wishes = [Wish.stored(row, self._book.readable(row)) for row in rows]
        known = self._requirements.facts_of(wishes, connection, self._clock.business_now())
        pending = []
        for row, wish, facts in zip(rows, wishes, known, strict=True):
            owner = load_principal(connection, row.requested_by)
            asker = Principal(
                "agent" if row.via == "agent" else owner.kind, owner.user_id, owner.login, owner.roles
            )
            origin = origin_of(wish, asker)
            readable = [(name, {**one, **origin}) for name, one in facts if not isinstance(one, DomainError)]
            if not facts:
                readable = [(command.command_name, origin) for command in wish.commands]
            pending.append((row.id, row.title, readable))
        return affected(pending, before, after)
