"""Reads of landed-cost components."""

from __future__ import annotations

from sqlalchemy import Connection, select

from erp_core.master.model_selection import landed_cost_components
from erp_core.master.rules.landed_costs import COMPONENTS, Component


def list_components(connection: Connection) -> dict[str, Component]:
    """Every component by code, those out of use too: as set, else as a company starts with."""
    table = landed_cost_components.c
    rows = connection.execute(select(table.code, table.name, table.basis, table.active))
    found = dict(COMPONENTS) | {row[0]: Component(*row) for row in rows}
    return dict(sorted(found.items()))
