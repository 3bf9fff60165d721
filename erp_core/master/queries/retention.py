"""Reads of the rules on keeping records, and of legal holds."""

from __future__ import annotations

from dataclasses import fields

from sqlalchemy import Connection, select

from erp_core.master.model_trade import legal_hold_ends, legal_holds, record_retention
from erp_core.master.rules.retention import LegalHold, Retention, RetentionRule

_RULES = select(*(record_retention.c[part.name] for part in fields(RetentionRule))).order_by(
    record_retention.c.record_class, record_retention.c.valid_from, record_retention.c.version
)
_HOLDS = (
    select(*(legal_holds.c[part.name] for part in fields(LegalHold)))
    .where(~legal_holds.c.id.in_(select(legal_hold_ends.c.hold_id)))
    .order_by(legal_holds.c.held_on, legal_holds.c.id)
)


def read_retention(connection: Connection) -> Retention:
    """Every rule with its versions, and the holds that are not released."""
    return Retention(
        [RetentionRule(*row) for row in connection.execute(_RULES)],
        [LegalHold(*row) for row in connection.execute(_HOLDS)],
    )
