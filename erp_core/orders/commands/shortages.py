"""Rules for stock that is short: what may stand in for what, and what is done in which order."""

from __future__ import annotations

from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field, model_validator
from sqlalchemy import delete, select

from erp_core.gate.contract import Command, Done, Registration, Registry, Task, Transaction, each
from erp_core.master.commands.records import existing, unknown
from erp_core.master.model import channels, items
from erp_core.orders.model_service import shortage_rules, substitution_rules
from erp_core.orders.rules.shortages import EVERY_CHANNEL
from erp_core.storage.bulk import insert_rows, upsert_replace


class SetSubstitution(Command):
    """Let one item stand in for another, unit for unit at the agreed price, in a channel or in all. Governed.

    A lower `rank` is tried first; `active` False ends it.
    """

    item_id: UUID
    substitute_id: UUID
    channel_id: UUID | None = None
    rank: Annotated[int, Field(ge=1, le=99)] = 1
    active: bool = True

    @property
    def subject(self) -> tuple[str, UUID]:
        """The item."""
        return ("item", self.item_id)

    @model_validator(mode="after")
    def _another_item(self) -> Self:
        if self.item_id == self.substitute_id:
            raise ValueError("an item does not stand in for itself: give another substitute_id")
        return self


class SetShortageRule(Command):
    """What is done, in this order, when stock is short for orders of a channel, or of all. No actions: they wait.

    `substitute` sends what may stand in, `reallocate` takes from less important channels, `partial` lets what is
    there go ahead, `procure` asks the buyers, `wait` ends the list.
    """

    channel_id: UUID | None = None
    actions: tuple[Literal["substitute", "reallocate", "partial", "procure", "wait"], ...] = Field(
        max_length=5
    )

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        if len(set(self.actions)) < len(self.actions):
            raise ValueError("an action stands once in the list")
        return self


def set_substitution(task: Task[SetSubstitution], tx: Transaction) -> Done:
    """Write it."""
    command = task.command
    _require_channel(tx, command.channel_id)
    known = existing(tx, items, [command.item_id, command.substitute_id])
    for field in ("item_id", "substitute_id"):
        if getattr(command, field) not in known:
            raise unknown("item", getattr(command, field), field)
    key = {
        "item_id": command.item_id,
        "substitute_id": command.substitute_id,
        "channel_id": command.channel_id or EVERY_CHANNEL,
    }
    rule = substitution_rules.c
    before = tx.connection.execute(
        select(rule.rank, rule.active).where(*(rule[name] == value for name, value in key.items()))
    ).one_or_none()
    after = {"rank": command.rank, "active": command.active}
    upsert_replace(
        tx.connection,
        substitution_rules,
        [key | after | {"audit_id": task.audit_id}],
        [*after, "audit_id"],
    )
    return Done(
        before=before and {"rank": before.rank, "active": before.active},
        after={name: str(id_) for name, id_ in key.items()} | after,
    )


def set_shortage_rule(task: Task[SetShortageRule], tx: Transaction) -> Done:
    """Write the list anew."""
    command = task.command
    _require_channel(tx, command.channel_id)
    channel_id, rule = command.channel_id or EVERY_CHANNEL, shortage_rules.c
    own = rule.channel_id == channel_id
    before = tx.connection.scalars(select(rule.action).where(own).order_by(rule.step)).all()
    tx.connection.execute(delete(shortage_rules).where(own))
    insert_rows(
        tx.connection,
        shortage_rules,
        [
            {"channel_id": channel_id, "step": step, "action": action, "audit_id": task.audit_id}
            for step, action in enumerate(command.actions, 1)
        ],
    )
    return Done(before={"actions": list(before)}, after={"actions": list(command.actions)})


def _require_channel(tx: Transaction, channel_id: UUID | None) -> None:
    if channel_id is not None and not existing(tx, channels, [channel_id]):
        raise unknown("channel", channel_id)


def register(registry: Registry) -> None:
    """Add the commands."""
    registry.register(Registration(SetSubstitution, each(set_substitution), governed=True))
    registry.register(Registration(SetShortageRule, each(set_shortage_rule)))
