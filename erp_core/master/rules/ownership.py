"""Pure rules of ownership: one source owns each planning rule; another may write it only by precedence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from erp_core.gate.contract import DomainError

RuleKind = Literal["reorder_point", "planning_policy"]
EVERY = UUID(int=0)


class RuleOwnedElsewhere(DomainError):
    """Another system owns this planning rule, and no precedence lets this one write it."""

    code = "rule_owned_elsewhere"


@dataclass(frozen=True, slots=True)
class Ownership:
    """Who owns the rules of one kind: owners by (item, location), `EVERY` for all, and pairs (winner, loser)."""

    rule: RuleKind
    owners: Mapping[tuple[UUID, UUID], str]
    precedence: frozenset[tuple[str, str]]

    def owner_of(self, item_id: UUID, location_id: UUID, set_by: str | None) -> str | None:
        """The owner named for the pair, the item, the location or all, in this order; else who set the rule first."""
        for key in ((item_id, location_id), (item_id, EVERY), (EVERY, location_id), (EVERY, EVERY)):
            if key in self.owners:
                return self.owners[key]
        return set_by

    def why(self, source: str, owner: str | None) -> str | None:
        """Why the source may write the rule, in words; None where it may not."""
        if owner is None:
            return "first to set it"
        if source == owner:
            return "owner"
        return f"precedence over {owner}" if (source, owner) in self.precedence else None


def owned_elsewhere(rule: RuleKind, source: str, owner: str, what: str) -> RuleOwnedElsewhere:
    """The refusal that names the owner."""
    return RuleOwnedElsewhere(
        f"the {rule.replace('_', ' ')} of {what} is owned by {owner}, not by {source}",
        field="source",
        remedy=f"change it in {owner}, make {source} its owner, or set a precedence of {source} over {owner}",
        owner=owner,
        source=source,
    )
