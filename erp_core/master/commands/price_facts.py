"""What approval policy is told of prices, and what a proposal of one rests on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection

from erp_core.gate.contract import Asked, Facts, ReadSet
from erp_core.master.commands.prices import SetSupplierPrice
from erp_core.master.commands.records import Today, day_of
from erp_core.master.queries.owners import owner_logins
from erp_core.master.queries.prices import PriceRecord, list_supplier_items, price_records
from erp_core.master.queries.records import Names
from erp_core.master.rules import relative_change
from erp_core.master.rules.periods import Period
from erp_core.master.rules.prices import price_at

Breaks = Sequence[tuple[int, int]]
"""(from quantity, price)"""


class PriceFacts:
    """What policy is told of a price: how far it moves and whose data it is; `today` gives the business date."""

    def __init__(self, today: Today) -> None:
        self._today = today

    def of_items(self, asked: Sequence[Asked[Any]], connection: Connection) -> Sequence[Facts]:
        """`price_change`: the largest rise in 1/100 % at any quantity, unknown where there never was a price."""
        days = [day_of(one, self._today) for one in asked]
        found: list[Facts] = []
        for one, (before, owner) in zip(asked, self._before(asked, days, connection), strict=True):
            price = one.command.price
            breaks = before.breaks if before is not None and before.price == price else ()
            rise = max(price_changes(before, price, breaks), default=None)
            found.append({"price_change": rise, "back_dated": False, "domain_owner": owner})
        return found

    def of_prices(self, asked: Sequence[Asked[SetSupplierPrice]], connection: Connection) -> Sequence[Facts]:
        """The same for the first day of the price, with `back_dated` where that lies in the past.

        The change counts in either direction: a price that falls much is as odd as one that rises.
        """
        days = [one.command.valid_from for one in asked]
        found: list[Facts] = []
        for one, (before, owner) in zip(asked, self._before(asked, days, connection), strict=True):
            command = one.command
            changes = price_changes(before, command.price, command.breaks)
            back_dated = command.valid_from < day_of(one, self._today)
            furthest = max(map(abs, changes), default=None)
            found.append({"price_change": furthest, "back_dated": back_dated, "domain_owner": owner})
        return found

    def _before(
        self, asked: Sequence[Asked[Any]], days: Sequence[date], connection: Connection
    ) -> list[tuple[PriceRecord | None, str | None]]:
        """The price in force on each day, or the last one before it, with who owns the supplier's prices."""
        commands = [one.command for one in asked]
        known = price_records(connection, [command.pair for command in commands])
        owners = owner_logins(connection, "prices", {command.supplier_id for command in commands})
        return [
            (last_known(known[command.pair], day), owners[command.supplier_id])
            for command, day in zip(commands, days, strict=True)
        ]

    def read_sets(self, asked: Sequence[Asked[Any]], connection: Connection) -> Sequence[ReadSet]:
        """The price in force that is to change; nothing where there is none."""
        pairs = [one.command.pair for one in asked]
        supplier_ids, item_ids = {supplier for supplier, _ in pairs}, {item for _, item in pairs}
        names = Names.read(connection, items=item_ids, suppliers=supplier_ids)
        offers = list_supplier_items(
            connection, on=self._today(), item_ids=item_ids, supplier_ids=supplier_ids
        )
        prices = {(offer.supplier_id, offer.item_id): offer.price for offer in offers}
        return [
            [
                {
                    "fact": f"price of {names.code(item)} from {names.code(supplier)}",
                    "value": prices[supplier, item],
                    "tolerance": 0,
                }
            ]
            if (supplier, item) in prices
            else []
            for supplier, item in pairs
        ]


def last_known(records: Sequence[PriceRecord], day: date) -> PriceRecord | None:
    """The price in force on the day; where none is, the one that began last before it, ended or withdrawn as it is."""
    begun = [one for one in records if one.valid_from <= day]
    covering = [one for one in begun if Period(one.valid_from, one.valid_to).covers(day)]
    return max(covering or begun, key=lambda one: one.valid_from, default=None)


def price_changes(before: PriceRecord | None, price: int, breaks: Breaks) -> list[int]:
    """How far a price moves in 1/100 % at each quantity from which the old or the new one is another."""
    if before is None:
        return []
    starts = {1, *(start for start, _ in before.breaks), *(start for start, _ in breaks)}
    changes = (
        relative_change(price_at(before.price, before.breaks, start), price_at(price, breaks, start))
        for start in starts
    )
    return [change for change in changes if change is not None]
