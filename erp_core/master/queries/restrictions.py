"""Reads of restricted products."""

from __future__ import annotations

from dataclasses import fields

from sqlalchemy import Connection, select

from erp_core.master.model import sale_restrictions
from erp_core.master.rules.restrictions import Restriction

_ACTIVE = (
    select(*(sale_restrictions.c[part.name] for part in fields(Restriction)))
    .where(sale_restrictions.c.active)
    .order_by(sale_restrictions.c.name, sale_restrictions.c.id)
)


def active_restrictions(connection: Connection) -> list[Restriction]:
    """The restrictions in force, by name."""
    return [Restriction(*row) for row in connection.execute(_ACTIVE)]
