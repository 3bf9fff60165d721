"""Rules of trade where orders are placed, released and shipped."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from uuid import UUID

from erp_core.gate.contract import Transaction
from erp_core.master.queries.trade import documents_on, trade_rules_in_use, traded_goods
from erp_core.master.rules.countries import country_code
from erp_core.master.rules.trade import document_missing, missing, needed


class SalesTrade:
    """The rules of trade over a batch of orders. A company without any pays one read, or none where `none` says so."""

    def __init__(self, tx: Transaction, item_ids: Iterable[UUID], *, none: bool = False) -> None:
        self._connection = tx.connection
        rules = [] if none else trade_rules_in_use(tx.connection)
        self._rules = [one for one in rules if one.direction == "sale"]
        self._goods = traded_goods(tx.connection, item_ids) if self._rules else {}

    def check_allowed(self, channel_id: UUID, country: str, item_ids: Iterable[UUID], day: date) -> None:
        """Pass when nothing of it is forbidden; documents may still come. Raises `TradeForbidden`."""
        for item_id in item_ids:
            if item_id in self._goods:
                goods = self._goods[item_id]
                list(needed(self._rules, "sale", goods, country_code(country), channel_id, day))

    def check_papers(
        self,
        order_id: UUID,
        shipment_id: UUID | None,
        channel_id: UUID,
        country: str,
        item_ids: Iterable[UUID],
        day: date,
    ) -> None:
        """Pass when the goods have every document that they need that day: their own, or the order's, or the parcel's.

        Raises `TradeForbidden`, `TradeDocumentMissing`.
        """
        ruled = [item_id for item_id in item_ids if item_id in self._goods]
        wanted = {
            item_id: list(
                needed(self._rules, "sale", self._goods[item_id], country_code(country), channel_id, day)
            )
            for item_id in ruled
        }
        if not any(wanted.values()):
            return
        own = [("order", order_id), *([("shipment", shipment_id)] if shipment_id is not None else [])]
        documents = documents_on(self._connection, [*ruled, *(id_ for _, id_ in own)])
        for item_id, kinds in wanted.items():
            for rule, kind in missing(kinds, documents, [("item", item_id), *own], day):
                raise document_missing(self._goods[item_id], rule, kind, day)
