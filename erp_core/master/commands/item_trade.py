"""What tax and customs ask of an item."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from pydantic import Field, StringConstraints
from sqlalchemy import select

from erp_core.gate.contract import Command, Done, Registration, Registry, Task, Transaction, each
from erp_core.master.commands.records import existing, plain, unknown
from erp_core.master.model import items
from erp_core.master.model_trade import item_trade
from erp_core.master.rules.countries import require_country
from erp_core.master.rules.taxes import STANDARD
from erp_core.master.values import Country, ReasonCode
from erp_core.storage.bulk import upsert_replace

HsCode = Annotated[str, StringConstraints(pattern=r"^\d{6}(\d{2}){0,2}$")]


class SetItemTrade(Command):
    """All that tax and customs ask of an item at once; what is left out is unknown. Governed.

    `hs_code` is its number in the Harmonized System, 6, 8 or 10 digits; `trade_classes` are the company's own words, such as
    dual_use or hazardous, which rules on documents ask for.
    """

    item_id: UUID
    tax_class: ReasonCode = STANDARD
    hs_code: HsCode | None = None
    origin_country: Country | None = None
    trade_classes: tuple[ReasonCode, ...] = Field(default=(), max_length=20)
    minimum_age: int | None = Field(default=None, ge=1, le=99)

    @property
    def subject(self) -> tuple[str, UUID]:
        """The item."""
        return ("item", self.item_id)


def set_item_trade(task: Task[SetItemTrade], tx: Transaction) -> Done:
    """Write it. Raises `NotFound`, `UnknownCountry`."""
    command = task.command
    if not existing(tx, items, [command.item_id]):
        raise unknown("item", command.item_id)
    origin = command.origin_country
    row: dict[str, Any] = command.model_dump(exclude={"occurred_at"}) | {
        "origin_country": None if origin is None else require_country(origin, "origin_country"),
        "trade_classes": sorted(set(command.trade_classes)),
    }
    names = [name for name in row if name != "item_id"]
    before = tx.connection.execute(
        select(*(item_trade.c[name] for name in names)).where(item_trade.c.item_id == command.item_id)
    ).one_or_none()
    upsert_replace(tx.connection, item_trade, [row | {"audit_id": task.audit_id}], [*names, "audit_id"])
    return Done(
        {"item_id": str(command.item_id)},
        before=None if before is None else dict(zip(names, before, strict=True)),
        after={name: plain(row[name]) for name in names},
    )


def register(registry: Registry) -> None:
    """Add the command."""
    registry.register(Registration(SetItemTrade, each(set_item_trade), governed=True))
