"""Reads of supplier workflows."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import Connection, select

from erp_core.master.model import suppliers
from erp_core.master.model_selection import segment_workflows
from erp_core.master.rules.workflows import WORKFLOWS, Workflow
from erp_core.storage.lookup import fetch_in


def list_workflows(connection: Connection) -> dict[str, Workflow]:
    """The workflow of every segment: as set, else as a company starts with."""
    table = segment_workflows.c
    rows = connection.execute(
        select(table.segment, table.confirm_days, table.every_line, table.milestones, table.supplier_steps)
    )
    return dict(WORKFLOWS) | {
        segment: Workflow(
            segment,
            confirm_days,
            every_line,
            tuple((name, days) for name, days in milestones),
            frozenset(steps),
        )
        for segment, confirm_days, every_line, milestones, steps in rows
    }


def workflows_of(connection: Connection, supplier_ids: Iterable[UUID]) -> dict[UUID, Workflow]:
    """The workflow that each supplier's segment selects."""
    rows = fetch_in(
        connection, select(suppliers.c.id, suppliers.c.segment), suppliers.c.id, sorted(set(supplier_ids))
    )
    workflows = list_workflows(connection) if rows else {}
    return {supplier_id: workflows[segment] for supplier_id, segment in rows}
