"""The company's own thresholds and deductions over those it started with."""

from __future__ import annotations

from sqlalchemy import Connection, select

from erp_core.master.model import master_parameters
from erp_core.master.rules.parameters import PARAMETERS


def parameters(connection: Connection) -> dict[str, int]:
    """The value in force of every parameter, by name."""
    own = connection.execute(select(master_parameters.c.name, master_parameters.c.value))
    return {name: one.value for name, one in PARAMETERS.items()} | {name: value for name, value in own}
