"""Limits of order stages, and alerts before and when they are passed."""

from __future__ import annotations

from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field, model_validator
from sqlalchemy import delete, select

from erp_core.gate.contract import Command, Done, Event, Registration, Registry, Task, Transaction, each
from erp_core.master.commands.records import existing, unknown
from erp_core.master.model import channels
from erp_core.orders.book import OrderBook
from erp_core.orders.model_service import stage_alerts, stage_limits
from erp_core.orders.queries.stages import EVERY_CHANNEL, unalerted_clocks
from erp_core.storage.bulk import insert_rows, upsert_replace

_Minutes = Annotated[int, Field(ge=0, le=366 * 24 * 60)]


class SetStageLimit(Command):
    """How long orders, of a channel or of all, may stay in a status, and how long before people are alerted.

    Without `minutes` the limit is lifted.
    """

    status: Literal[
        "on_hold",
        "payment_review",
        "reserved",
        "backordered",
        "pick_released",
        "picked",
        "packed",
        "partly_shipped",
    ]
    channel_id: UUID | None = None
    minutes: _Minutes | None = None
    warn_minutes: _Minutes = 0

    @model_validator(mode="after")
    def _warns_before_the_end(self) -> Self:
        if self.minutes is not None and not 0 < self.minutes >= self.warn_minutes:
            raise ValueError("a limit is at least one minute, and no shorter than its warning")
        return self


class RaiseStageAlerts(Command):
    """Alert every order whose stage is about to pass its limit or has: each stay once before and once after."""


def set_stage_limit(task: Task[SetStageLimit], tx: Transaction) -> Done:
    """Write or lift it."""
    command, channel_id = task.command, task.command.channel_id or EVERY_CHANNEL
    if command.channel_id is not None and not existing(tx, channels, [command.channel_id]):
        raise unknown("channel", command.channel_id)
    limit = stage_limits.c
    own = (limit.channel_id == channel_id, limit.status == command.status)
    row = tx.connection.execute(select(stage_limits).where(*own)).one_or_none()
    names = ("minutes", "warn_minutes")
    before = None if row is None else {name: row._mapping[name] for name in names}
    if command.minutes is None:
        tx.connection.execute(delete(stage_limits).where(*own))
        return Done(before=before)
    after = {name: getattr(command, name) for name in names}
    key = {"channel_id": channel_id, "status": command.status}
    upsert_replace(
        tx.connection, stage_limits, [key | after | {"audit_id": task.audit_id}], [*names, "audit_id"]
    )
    return Done(before=before, after={"status": command.status} | after)


def raise_stage_alerts(task: Task[RaiseStageAlerts], tx: Transaction) -> Done:
    """Write what is new, and tell it as events of the orders."""
    due = unalerted_clocks(tx.connection, task.occurred_at)
    book = OrderBook.of(tx)
    book.load((clock.order_id for clock in due), skip_busy=True)
    rows, events = [], []
    for clock in due:
        if not book.loaded(clock.order_id):
            continue
        order = book.get(clock.order_id)
        order.step_to(order.status, task.occurred_at)
        name = "OrderStageBreached" if clock.standing == "breached" else "OrderStageAtRisk"
        events.append(order.event(name, stage=clock.stage, due_at=clock.due_at.isoformat()))
        rows.append(
            {
                "order_id": clock.order_id,
                "status": clock.stage,
                "since": clock.since,
                "kind": clock.standing,
                "due_at": clock.due_at,
                "raised_at": task.occurred_at,
                "audit_id": task.audit_id,
            }
        )
    insert_rows(tx.connection, stage_alerts, rows)
    counts = {kind: sum(row["kind"] == kind for row in rows) for kind in ("at_risk", "breached")}
    return Done(counts, tuple[Event, ...](events), after=counts)


def register(registry: Registry) -> None:
    """Add the commands."""
    registry.register(Registration(SetStageLimit, each(set_stage_limit)))
    registry.register(Registration(RaiseStageAlerts, each(raise_stage_alerts)))
