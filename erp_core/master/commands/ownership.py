"""Which system owns a planning rule, and which may write over which."""

from __future__ import annotations

from typing import Annotated, Self
from uuid import NAMESPACE_URL, UUID, uuid5

from pydantic import StringConstraints, model_validator

from erp_core.gate.contract import Command, Done, Registration, Registry, Task, Transaction, each
from erp_core.master.commands.records import existing, unknown
from erp_core.master.model import items, locations, rule_owners, rule_precedence
from erp_core.master.rules.ownership import EVERY, RuleKind
from erp_core.storage.bulk import upsert_replace

RuleSource = Annotated[str, StringConstraints(pattern=r"^(manual|forecast|import:[a-z0-9_-]{1,30})$")]
"""A system that sets planning rules: people, the forecast, or an import by name."""
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=500)]


class SetRuleOwner(Command):
    """Let one source own the rules of a kind: of an item at a location, or of all where these are left out."""

    rule: RuleKind
    source: RuleSource
    item_id: UUID | None = None
    location_id: UUID | None = None
    reason: Reason

    @property
    def subject(self) -> tuple[str, UUID]:
        """The rule."""
        return ("planning_rule", self.item_id or uuid5(NAMESPACE_URL, f"quartermaster:rule:{self.rule}"))


class SetRulePrecedence(Command):
    """Let one source write over what another owns; `active` False takes it back."""

    rule: RuleKind
    winner: RuleSource
    loser: RuleSource
    active: bool = True
    reason: Reason

    @model_validator(mode="after")
    def _two_sides(self) -> Self:
        if self.winner == self.loser:
            raise ValueError("winner and loser are the same source: name two")
        return self


def set_rule_owner(task: Task[SetRuleOwner], tx: Transaction) -> Done:
    """Write the owner; the last word counts."""
    command = task.command
    if command.item_id is not None and not existing(tx, items, [command.item_id]):
        raise unknown("item", command.item_id)
    if command.location_id is not None and not existing(tx, locations, [command.location_id]):
        raise unknown("location", command.location_id)
    row = {
        "rule": command.rule,
        "item_id": command.item_id or EVERY,
        "location_id": command.location_id or EVERY,
        "source": command.source,
        "reason": command.reason,
        "audit_id": task.audit_id,
    }
    upsert_replace(tx.connection, rule_owners, [row], ["source", "reason", "audit_id"])
    return Done(after={"rule": command.rule, "source": command.source, "reason": command.reason})


def set_rule_precedence(task: Task[SetRulePrecedence], tx: Transaction) -> Done:
    """Write the precedence; of two sources only one can win, so the opposite ends."""
    command = task.command
    row = command.model_dump(exclude={"occurred_at"}) | {"audit_id": task.audit_id}
    opposite = row | {"winner": command.loser, "loser": command.winner, "active": False}
    upsert_replace(
        tx.connection,
        rule_precedence,
        [row, opposite] if command.active else [row],
        ["active", "reason", "audit_id"],
    )
    return Done(after=command.model_dump(include={"rule", "winner", "loser", "active"}))


def register(registry: Registry) -> None:
    """Add the commands."""
    registry.register(Registration(SetRuleOwner, each(set_rule_owner), governed=True))
    registry.register(Registration(SetRulePrecedence, each(set_rule_precedence), governed=True))
