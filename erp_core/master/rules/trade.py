"""Pure rules of trade: which goods may go or come where, and the documents that they need."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal
from uuid import UUID

from erp_core.gate.contract import DomainError
from erp_core.master.rules.periods import Period

Direction = Literal["sale", "import"]
SUBJECTS = ("item", "order", "shipment", "purchase_order", "shipping_notice")
"""What a document can be kept on."""
Subject = tuple[str, UUID]


class TradeForbidden(DomainError):
    """Goods of this kind may not be sold there, or not come from there."""

    code = "trade_forbidden"


class TradeDocumentMissing(DomainError):
    """Goods may not go on without a document that is valid that day."""

    code = "trade_document_missing"


@dataclass(frozen=True, slots=True)
class Goods:
    """What rules look at of an item."""

    sku: str
    hs_code: str | None
    origin_country: str | None
    trade_classes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TradeRule:
    """One version of a rule: goods of a class or HS code to or from a country need every one of these documents.

    What it leaves open (None) it holds for all of. Without a kind of document the trade is forbidden.
    """

    id: UUID
    version: int
    name: str
    direction: str
    trade_class: str | None
    hs_prefix: str | None
    country: str | None
    channel_id: UUID | None
    document_kinds: tuple[str, ...]
    valid_from: date
    valid_to: date | None

    def holds_for(self, goods: Goods, country: str | None, channel_id: UUID | None, day: date) -> bool:
        """Whether it covers these goods that day; a country that nobody knows falls under every country's rule."""
        return (
            Period(self.valid_from, self.valid_to).covers(day)
            and (self.trade_class is None or self.trade_class in goods.trade_classes)
            and (self.hs_prefix is None or (goods.hs_code or "").startswith(self.hs_prefix))
            and (self.country is None or country is None or self.country == country)
            and self.channel_id in (None, channel_id)
        )


@dataclass(frozen=True, slots=True)
class TradeDocument:
    """A document, valid from a day and up to, not on, another; from `withdrawn_on` it counts no more."""

    id: UUID
    kind: str
    number: str
    issuer: str
    valid_from: date
    valid_to: date | None
    file_sha256: str
    subject_kind: str
    subject_id: UUID
    withdrawn_on: date | None
    withdrawn_because: str | None

    def valid_on(self, day: date) -> bool:
        """Whether it counts that day."""
        withdrawn = self.withdrawn_on is not None and self.withdrawn_on <= day
        return not withdrawn and Period(self.valid_from, self.valid_to).covers(day)


def needed(
    rules: Iterable[TradeRule],
    direction: Direction,
    goods: Goods,
    country: str | None,
    channel_id: UUID | None,
    day: date,
) -> Iterator[tuple[TradeRule, str]]:
    """The documents that the goods need, each with the rule that asks for it. Raises `TradeForbidden`."""
    for rule in rules:
        if rule.direction != direction or not rule.holds_for(goods, country, channel_id, day):
            continue
        if not rule.document_kinds:
            way = "sold to" if direction == "sale" else "bought from"
            raise TradeForbidden(
                f"{rule.name}: {goods.sku} may not be {way} {country or 'an unknown country'}",
                field="lines",
                remedy="take the item off, or let the rule be changed",
                rule=rule.name,
                item=goods.sku,
            )
        for kind in rule.document_kinds:
            yield rule, kind


def missing(
    wanted: Iterable[tuple[TradeRule, str]],
    documents: Mapping[Subject, Collection[TradeDocument]],
    subjects: Collection[Subject],
    day: date,
) -> list[tuple[TradeRule, str]]:
    """Those of the documents of which none is valid that day on any of the subjects."""
    there = {one.kind for subject in subjects for one in documents.get(subject, ()) if one.valid_on(day)}
    return [(rule, kind) for rule, kind in wanted if kind not in there]


def document_missing(goods: Goods, rule: TradeRule, kind: str, day: date) -> TradeDocumentMissing:
    """The refusal that names the document."""
    return TradeDocumentMissing(
        f"{rule.name}: {goods.sku} needs a {kind.replace('_', ' ')} that is valid on {day}",
        field="lines",
        remedy="add the document (AddTradeDocument) to the item, the order or the delivery, then try again",
        rule=rule.name,
        item=goods.sku,
        document_kind=kind,
    )
