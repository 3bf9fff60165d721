"""What the gate would ask of a wish, and whom a change of policy would touch. Reads only; decides nothing."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from erp_core.gate.contract import DomainError
from erp_core.gate.credentials import load_principal
from erp_core.gate.policies.commands import SaveApprovalPolicy
from erp_core.gate.policies.explain import Affected, Explanation, affected, explain
from erp_core.gate.policies.store import active_policies
from erp_core.gate.principals import Principal
from erp_core.gate.proposals import ProposalBook, pending_proposals
from erp_core.gate.requirements import Requirements, Wish, origin_of


def explain_wish(
    wish: Wish, principal: Principal, requirements: Requirements, connection: Connection, now: datetime
) -> list[Explanation]:
    """For each command of the wish that a policy decides about: which one, and why the others do not.

    Raises why facts cannot be read, such as a document that is not there.
    """
    origin, policies = origin_of(wish, principal), active_policies(connection)
    (known,) = requirements.facts_of([wish], connection, now)
    found = []
    for command, facts in known:
        if isinstance(facts, DomainError):
            raise facts
        found.append(explain(policies, command, {**facts, **origin}))
    if not found and principal.is_agent:
        found = [explain(policies, command.command_name, origin) for command in wish.commands]
    return found


def touched_by(
    change: SaveApprovalPolicy,
    book: ProposalBook,
    requirements: Requirements,
    connection: Connection,
    now: datetime,
) -> list[Affected]:
    """The proposals that wait now and would go under another rule if the policy were saved."""
    before = active_policies(connection)
    after = [one for one in before if one.id != change.policy_id]
    if change.active:
        after.append(change.as_policy())
    rows = pending_proposals(connection)
    wishes = [
        Wish(book.commands(row), tainted=row.tainted, urgent=row.urgent, imported=row.via == "import")
        for row in rows
    ]
    known = requirements.facts_of(wishes, connection, now)
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
