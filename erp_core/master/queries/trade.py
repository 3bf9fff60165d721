"""Reads of trade: rules, documents, and what is known of items."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from datetime import date
from uuid import UUID

from sqlalchemy import Connection, and_, func, select

from erp_core.master.model import items
from erp_core.master.model_trade import item_trade, trade_documents, trade_rules
from erp_core.master.rules.trade import Goods, Subject, TradeDocument, TradeRule
from erp_core.storage.lookup import fetch_in

_NEWEST = (
    select(trade_rules.c.id, func.max(trade_rules.c.version).label("version"))
    .group_by(trade_rules.c.id)
    .subquery()
)
_RULES = (
    select(*(trade_rules.c[part.name] for part in fields(TradeRule)))
    .join(_NEWEST, and_(_NEWEST.c.id == trade_rules.c.id, _NEWEST.c.version == trade_rules.c.version))
    .where(trade_rules.c.active)
    .order_by(trade_rules.c.name, trade_rules.c.id)
)
ANY_RULE = select(trade_rules.c.id).exists()
"""Whether the company has a rule at all, as part of another statement."""
_GOODS = select(
    items.c.id, items.c.sku, item_trade.c.hs_code, item_trade.c.origin_country, item_trade.c.trade_classes
).join(item_trade, item_trade.c.item_id == items.c.id)
_DOCUMENTS = select(*(trade_documents.c[part.name] for part in fields(TradeDocument))).order_by(
    trade_documents.c.kind, trade_documents.c.valid_from, trade_documents.c.id
)


def trade_rules_in_use(connection: Connection) -> list[TradeRule]:
    """The newest version of every rule that was not lifted, whatever its days."""
    return [
        TradeRule(**dict(row._mapping) | {"document_kinds": tuple(row.document_kinds)})
        for row in connection.execute(_RULES)
    ]


def traded_goods(connection: Connection, item_ids: Iterable[UUID]) -> dict[UUID, Goods]:
    """What rules look at, of those of the items of which anything is known."""
    rows = fetch_in(connection, _GOODS, items.c.id, set(item_ids))
    return {row.id: Goods(row.sku, row.hs_code, row.origin_country, tuple(row.trade_classes)) for row in rows}


def documents_on(connection: Connection, subject_ids: Iterable[UUID]) -> dict[Subject, list[TradeDocument]]:
    """Every document that is kept on these records, by what it is kept on."""
    found: dict[Subject, list[TradeDocument]] = {}
    for row in fetch_in(connection, _DOCUMENTS, trade_documents.c.subject_id, set(subject_ids)):
        found.setdefault((row.subject_kind, row.subject_id), []).append(TradeDocument(*row))
    return found


def list_trade_documents(
    connection: Connection,
    *,
    subject_id: UUID | None = None,
    ends_before: date | None = None,
    limit: int = 100,
    offset: int = 0,
) -> list[TradeDocument]:
    """Documents by kind; of one record, or those that run out before a day and were not withdrawn."""
    statement = _DOCUMENTS
    if subject_id is not None:
        statement = statement.where(trade_documents.c.subject_id == subject_id)
    if ends_before is not None:
        statement = statement.where(
            trade_documents.c.valid_to <= ends_before, trade_documents.c.withdrawn_on.is_(None)
        )
    return [TradeDocument(*row) for row in connection.execute(statement.limit(limit).offset(offset))]
