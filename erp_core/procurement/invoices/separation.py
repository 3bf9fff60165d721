"""Who received goods neither matches nor pays what is billed for them: the duties that an invoice's orders give."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from erp_core.gate.contract import Duty, Task, Transaction
from erp_core.gate.separation import DutyBook, require_duties


def take_duty(task: Task[Any], tx: Transaction, po_ids: Iterable[UUID], name: str) -> None:
    """Let who runs the task have the part in each order. Raises `DutiesConflict`."""
    wanted = [Duty("purchase_order", po_id, name) for po_id in po_ids]
    duties = tx.unit(DutyBook, DutyBook)
    duties.flush()
    require_duties(wanted, task.principal, tx.connection)
    duties.add(wanted, task.principal, task.audit_id)
