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
from erp_core.master.queries.prices import list_supplier_items, price_records
from erp_core.master.queries.records import Names
from erp_core.master.rules import relative_change
from erp_core.master.rules.prices import Period, in_force


class PriceFacts:
    """What policy is told of a price: how far it moves and whose data it is; `today` gives the business date."""

    def __init__(self, today: Today) -> None:
        self._today = today

    def of_items(self, asked: Sequence[Asked[Any]], connection: Connection) -> Sequence[Facts]:
        """`price_change` against the price in force in 1/100 %, unknown where there is none."""
        days = [day_of(one, self._today) for one in asked]
        return self._facts([one.command for one in asked], days, [False] * len(asked), connection)

    def of_prices(self, asked: Sequence[Asked[SetSupplierPrice]], connection: Connection) -> Sequence[Facts]:
        """The same for the first day of the price, with `back_dated` where that lies in the past.

        The change counts in either direction: a price that falls much is as odd as one that rises.
        """
        days = [one.command.valid_from for one in asked]
        past = [one.command.valid_from < day_of(one, self._today) for one in asked]
        facts = self._facts([one.command for one in asked], days, past, connection)
        return [
            {**one, "price_change": None if one["price_change"] is None else abs(one["price_change"])}
            for one in facts
        ]

    def _facts(
        self,
        commands: Sequence[Any],
        days: Sequence[date],
        past: Sequence[bool],
        connection: Connection,
    ) -> list[dict[str, Any]]:
        known = price_records(connection, [command.pair for command in commands])
        owners = owner_logins(connection, "prices", {command.supplier_id for command in commands})
        found = []
        for command, day, back_dated in zip(commands, days, past, strict=True):
            periods = {Period(one.valid_from, one.valid_to): one.price for one in known[command.pair]}
            period = in_force(periods, day)
            old = None if period is None else periods[period]
            found.append(
                {
                    "price_change": relative_change(old, command.price),
                    "back_dated": back_dated,
                    "domain_owner": owners[command.supplier_id],
                }
            )
        return found

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
