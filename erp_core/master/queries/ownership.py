"""Reads of who owns planning rules."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select

from erp_core.master.model import items, locations, planning_policies, rule_owners, rule_precedence
from erp_core.master.rules.ownership import Ownership, RuleKind


def ownership_of(connection: Connection, rule: RuleKind) -> Ownership:
    """Owners and precedence of one kind of rule."""
    owners = connection.execute(
        select(rule_owners.c.item_id, rule_owners.c.location_id, rule_owners.c.source).where(
            rule_owners.c.rule == rule
        )
    )
    pairs = connection.execute(
        select(rule_precedence.c.winner, rule_precedence.c.loser).where(
            rule_precedence.c.rule == rule, rule_precedence.c.active
        )
    )
    return Ownership(
        rule, {(row[0], row[1]): row[2] for row in owners}, frozenset((row[0], row[1]) for row in pairs)
    )


@dataclass(frozen=True, slots=True)
class RuleSource:
    """A planning rule with the source that set it, and why that one won."""

    rule: str
    item: str
    location: str
    source: str
    why: str


def policy_sources(connection: Connection) -> list[RuleSource]:
    """Who set each planning policy, and why it was theirs to set."""
    table = planning_policies
    rows = connection.execute(
        select(items.c.sku, locations.c.code, table.c.source, table.c.source_reason)
        .join(items, items.c.id == table.c.item_id)
        .join(locations, locations.c.id == table.c.location_id)
        .order_by(items.c.sku, locations.c.code)
    )
    return [RuleSource("planning_policy", *row) for row in rows]
