"""How what is sold is taxed: what decides about it, read for a batch, and the invoice of a parcel that follows.

A company without a tax rule, or before the first day of one, invoices elsewhere: then there is no invoice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import select

from erp_core.gate.contract import Transaction
from erp_core.master.queries.taxes import (
    Seller,
    dispatch_countries,
    revenue_rules_in_use,
    sellers,
    tax_classes,
    tax_rules_in_use,
)
from erp_core.master.rules.countries import country_code
from erp_core.master.rules.taxes import (
    RevenueRule,
    TaxedSale,
    TaxRule,
    TaxUndetermined,
    recognised_at,
    tax_rule_for,
)
from erp_core.orders.model import customers
from erp_core.orders.model_documents import gross_prices
from erp_core.orders.rules.documents import SuppliedLine, TaxedLine, taxed_lines
from erp_core.storage.lookup import fetch_in

_GROSS = select(gross_prices.c.order_line_id, gross_prices.c.unit_price)
_TAX_IDS = select(customers.c.id, customers.c.tax_id).where(customers.c.tax_id.is_not(None))


@dataclass(frozen=True, slots=True)
class Supply:
    """A parcel that leaves: what its invoice is about."""

    order_id: UUID
    shipment_id: UUID
    channel_id: UUID
    location_id: UUID
    customer_id: UUID | None
    customer_country: str
    supplied_on: date
    lines: tuple[SuppliedLine, ...]


@dataclass(frozen=True, slots=True)
class Invoice:
    """An invoice that can be written."""

    supply: Supply
    seller: Seller
    tax_id: str | None
    recognise_at: str
    lines: tuple[TaxedLine, ...]


class Taxation:
    """What decides about the tax of a batch of sales. A company without a rule pays one read for it."""

    def __init__(
        self,
        tx: Transaction,
        *,
        items: Iterable[UUID],
        order_lines: Iterable[UUID] = (),
        customer_ids: Iterable[UUID | None] = (),
    ) -> None:
        connection = tx.connection
        self._rules: list[TaxRule] = tax_rules_in_use(connection)
        self._begins = min((one.valid_from for one in self._rules), default=date.max)
        self._revenue: list[RevenueRule] = []
        self._sellers: Mapping[UUID, Seller] = {}
        self._places: Mapping[UUID, str | None] = {}
        self._classes: Mapping[UUID, str] = {}
        self._tax_ids: Mapping[UUID, str] = {}
        self.gross: Mapping[UUID, int] = {}
        self._found: dict[tuple[TaxedSale, date], TaxRule | None] = {}
        if not self._rules:
            return
        self._revenue = revenue_rules_in_use(connection)
        self._sellers, self._places = sellers(connection), dispatch_countries(connection)
        self._classes = tax_classes(connection, items)
        rows = fetch_in(connection, _GROSS, gross_prices.c.order_line_id, set(order_lines))
        self.gross = {row.order_line_id: row.unit_price for row in rows}
        if any(one.business is not None for one in self._rules):
            wanted = {id_ for id_ in customer_ids if id_ is not None}
            rows = fetch_in(connection, _TAX_IDS, customers.c.id, wanted)
            self._tax_ids = {row.id: row.tax_id for row in rows}

    def begun(self, day: date) -> bool:
        """Whether the company has tax rules that day."""
        return day >= self._begins

    def rule(
        self,
        channel_id: UUID,
        place: UUID | None,
        country: str,
        customer_id: UUID | None,
        item_id: UUID,
        day: date,
    ) -> tuple[str, TaxRule]:
        """The item's tax class and the rule that taxes its sale. Raises `TaxUndetermined`.

        The seller is where its legal entity is, without one where the goods ship from.
        """
        seller = self._sellers[channel_id]
        sale = TaxedSale(
            channel_id,
            seller.country or (None if place is None else self._places.get(place)),
            country_code(country),
            customer_id in self._tax_ids,
            self._classes[item_id],
        )
        if (sale, day) not in self._found:
            self._found[sale, day] = tax_rule_for(self._rules, sale, day)
        rule = self._found[sale, day]
        if rule is None:
            raise _undetermined(sale, country, day)
        return sale.tax_class, rule

    def assess(self, supply: Supply) -> Invoice | None:
        """The parcel's invoice; None for a company that has no tax rule on that day. Raises `TaxUndetermined`."""
        day = supply.supplied_on
        if not self.begun(day):
            return None
        where = supply.channel_id, supply.location_id, supply.customer_country, supply.customer_id
        rules: dict[str, TaxRule] = {}
        for line in supply.lines:
            if self._classes[line.item_id] not in rules:
                tax_class, rule = self.rule(*where, line.item_id, day)
                rules[tax_class] = rule
        classes = ((line, self._classes[line.item_id]) for line in supply.lines)
        lines = [(line, tax_class, rules[tax_class]) for line, tax_class in classes]
        reverse = any(rule.treatment == "reverse_charge" for rule in rules.values())
        tax_id = None if supply.customer_id is None else self._tax_ids.get(supply.customer_id)
        country = country_code(supply.customer_country)
        return Invoice(
            supply,
            self._sellers[supply.channel_id],
            tax_id if reverse else None,
            recognised_at(self._revenue, supply.channel_id, country, day),
            tuple(taxed_lines(lines)),
        )


def _undetermined(sale: TaxedSale, country: str, day: date) -> TaxUndetermined:
    return TaxUndetermined(
        f"no tax rule holds on {day} for goods of class {sale.tax_class}, sold from"
        f" {sale.seller_country or 'an unknown country'} to {country}",
        field="lines",
        remedy="let finance save a rule that covers it (SetTaxRule), then ship again",
        tax_class=sale.tax_class,
        seller_country=sale.seller_country,
        customer_country=sale.customer_country,
        business=sale.business,
    )
