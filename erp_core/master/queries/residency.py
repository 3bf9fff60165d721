"""Reads of the rules on personal data."""

from __future__ import annotations

from sqlalchemy import Connection, select

from erp_core.master.model import residency_rules, retention_rules
from erp_core.master.rules.residency import ResidencyRule


def list_residency_rules(connection: Connection) -> list[ResidencyRule]:
    """The rules in force on where personal data may go."""
    table = residency_rules
    rows = connection.execute(
        select(table.c.country, table.c.channel, table.c.destinations, table.c.reason)
        .where(table.c.active)
        .order_by(table.c.channel, table.c.country)
    )
    return [ResidencyRule(row[0], row[1], tuple(row[2]), row[3]) for row in rows]


def retention_days(connection: Connection) -> dict[str, int]:
    """Days by country for which personal data is kept after the last order; the empty name is every country."""
    table = retention_rules
    return {country: days for country, days in connection.execute(select(table.c.country, table.c.days))}
