"""What purchases may yet cost before they are billed: price variance so far, and landed cost that is not booked yet.

Of every live line of which something is open, or received and not invoiced. Landed cost is expected as it was lately: the
share of the value received in the last year that each component of the master data was charged at, of the supplier where
it ever was, else of the company. A component that was never charged has no expectation, not 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Connection, func, select

from erp_core.analytics.facts.purchasing import COMMITTED
from erp_core.finance.queries import rates_on
from erp_core.finance.rules import RATE_SCALE
from erp_core.master.model import items, suppliers
from erp_core.master.queries.landed_costs import list_components
from erp_core.procurement.books.accruals import PriceVariance, accruals, price_variances
from erp_core.procurement.model import po_lines, purchase_orders, receipt_lines, receipts
from erp_core.procurement.model.landed import landed_charges, landed_reversals, landed_shares
from erp_core.procurement.receiving.reversing import stands
from erp_core.storage.lookup import fetch_in

MEASURED_DAYS = 365
Group = Literal["supplier", "category", "month"]


@dataclass(frozen=True, slots=True)
class LineExposure:
    """A line that will still cost money. Money in ten-thousandths of the company's currency.

    None: a stage is not reached, or a component or the currency's rate is not known. `landed` holds, by component, what
    is expected and not booked. `month` is that of the day it is expected on, as 2026-07.
    """

    po_line_id: UUID
    po_id: UUID
    number: str
    line_no: int
    supplier: str
    sku: str
    category: str
    month: str | None
    open_units: int
    uninvoiced_units: int
    value: int | None
    variance_at_order: int | None
    variance_at_confirmation: int | None
    variance_at_receipt: int | None
    landed: Mapping[str, int | None]

    @property
    def variance(self) -> int | None:
        """The price variance of the last stage that was reached: what the supplier confirmed, else what was ordered."""
        confirmed = self.variance_at_confirmation
        return self.variance_at_order if confirmed is None else confirmed


@dataclass(frozen=True, slots=True)
class Exposure:
    """Lines added up: the sums of what is known, and how many lines have an unknown part."""

    name: str | None
    lines: int
    unknown: int
    value: int
    variance: int
    landed: Mapping[str, int | None]


@dataclass(frozen=True, slots=True)
class CostExposure:
    """All lines, the dearest first, with the whole. `shares` are the company's, by component, in millionths of the value."""

    lines: tuple[LineExposure, ...]
    whole: Exposure
    shares: Mapping[str, int | None]


def cost_exposure(connection: Connection, today: date) -> CostExposure:
    """What open and uninvoiced purchases may yet cost."""
    uninvoiced = {one.po_line_id: one.units for one in accruals(connection, today) if one.units > 0}
    rows = _lines(connection, uninvoiced)
    variances = {one.po_line_id: one for one in price_variances(connection, [row.id for row in rows])}
    rates = rates_on(connection, {row.currency for row in rows}, today)
    shares, booked = _Shares.read(connection, today), _booked(connection, [row.id for row in rows])
    found = [
        _line(row, uninvoiced.get(row.id, 0), variances[row.id], rates.get(row.currency), shares, booked)
        for row in rows
    ]
    found.sort(key=lambda one: (-_weight(one), one.number, one.line_no))
    components = list(shares.components)
    return CostExposure(
        tuple(found),
        _added(None, found, components),
        {component: shares.of(None, component) for component in components},
    )


def grouped(exposure: CostExposure, by: Group) -> list[Exposure]:
    """The lines added up by supplier, category or month; the groups are the whole."""
    groups: dict[str | None, list[LineExposure]] = {}
    for line in exposure.lines:
        name: str | None = getattr(line, by)
        groups.setdefault(name, []).append(line)
    names = sorted(groups, key=lambda name: (name is None, name or ""))
    return [_added(name, groups[name], list(exposure.shares)) for name in names]


def _weight(line: LineExposure) -> int:
    return (line.variance or 0) + sum(amount or 0 for amount in line.landed.values())


def _added(name: str | None, lines: list[LineExposure], components: list[str]) -> Exposure:
    landed = {
        component: sum(amount for line in lines if (amount := line.landed[component]) is not None)
        if any(line.landed[component] is not None for line in lines)
        else None
        for component in components
    }
    unknown = sum(line.variance is None or None in line.landed.values() for line in lines)
    value = sum(line.value or 0 for line in lines)
    return Exposure(name, len(lines), unknown, value, sum(line.variance or 0 for line in lines), landed)


def _lines(connection: Connection, uninvoiced: Iterable[UUID]) -> list[Any]:
    wanted = po_lines.c.quantity - po_lines.c.cancelled_quantity
    columns = select(
        po_lines.c.id,
        po_lines.c.po_id,
        po_lines.c.line_no,
        purchase_orders.c.number,
        purchase_orders.c.supplier_id,
        purchase_orders.c.currency,
        suppliers.c.code.label("supplier"),
        items.c.sku,
        items.c.category,
        po_lines.c.unit_price,
        wanted.label("wanted"),
        (wanted - po_lines.c.accepted_quantity).label("open"),
        purchase_orders.c.status,
        func.coalesce(po_lines.c.expected_on, po_lines.c.promised_on, po_lines.c.need_by).label(
            "expected_on"
        ),
    )
    source = (
        columns.join(purchase_orders, purchase_orders.c.id == po_lines.c.po_id)
        .join(suppliers, suppliers.c.id == purchase_orders.c.supplier_id)
        .join(items, items.c.id == po_lines.c.item_id)
    )
    is_open = purchase_orders.c.status.in_(COMMITTED) & (wanted > po_lines.c.accepted_quantity)
    live = purchase_orders.c.import_id.is_(None)
    found = {row.id: row for row in connection.execute(source.where(is_open, live))}
    missing = [id_ for id_ in uninvoiced if id_ not in found]
    return [*found.values(), *fetch_in(connection, source.where(live), po_lines.c.id, missing)]


def _line(
    row: Any,
    uninvoiced: int,
    variance: PriceVariance,
    rate: int | None,
    shares: _Shares,
    booked: Mapping[tuple[UUID, str], int],
) -> LineExposure:
    def own(amount: int | None) -> int | None:
        return None if amount is None or rate is None else round(amount * rate / RATE_SCALE)

    value = own(row.wanted * row.unit_price)

    def expected(component: str) -> int | None:
        share = shares.of(row.supplier_id, component)
        if share is None or value is None:
            return None
        return max(value * share // 1_000_000 - booked.get((row.id, component), 0), 0)

    return LineExposure(
        row.id,
        row.po_id,
        row.number,
        row.line_no,
        row.supplier,
        row.sku,
        row.category,
        None if row.expected_on is None else f"{row.expected_on:%Y-%m}",
        row.open if row.status in COMMITTED else 0,
        uninvoiced,
        value,
        own(variance.ordered),
        own(variance.at_confirmation),
        own(variance.at_receipt),
        {component: expected(component) for component in shares.components},
    )


@dataclass(frozen=True, slots=True)
class _Shares:
    """What was charged and received lately: by supplier and component, by supplier, and by component of all."""

    components: tuple[str, ...]
    charged: Mapping[tuple[UUID, str], int]
    received: Mapping[UUID, int]

    @classmethod
    def read(cls, connection: Connection, today: date) -> _Shares:
        since = today - timedelta(days=MEASURED_DAYS)
        charged = (
            select(
                purchase_orders.c.supplier_id, landed_charges.c.component, func.sum(landed_charges.c.amount)
            )
            .join(purchase_orders, purchase_orders.c.id == landed_charges.c.po_id)
            .where(landed_charges.c.booked_on > since, landed_charges.c.booked_on <= today, _STANDS)
            .group_by(purchase_orders.c.supplier_id, landed_charges.c.component)
        )
        value = receipt_lines.c.accepted_quantity * po_lines.c.unit_price
        received = (
            select(purchase_orders.c.supplier_id, purchase_orders.c.currency, func.sum(value))
            .join(receipts, receipts.c.id == receipt_lines.c.receipt_id)
            .join(po_lines, po_lines.c.id == receipt_lines.c.po_line_id)
            .join(purchase_orders, purchase_orders.c.id == po_lines.c.po_id)
            .where(receipts.c.received_on > since, receipts.c.received_on <= today)
            .where(receipts.c.import_id.is_(None), stands())
            .group_by(purchase_orders.c.supplier_id, purchase_orders.c.currency)
        )
        rows = connection.execute(received).all()
        rates = rates_on(connection, {currency for _, currency, _ in rows}, today)
        worth: dict[UUID, int] = {}
        for supplier, currency, amount in rows:
            if currency in rates:
                worth[supplier] = worth.get(supplier, 0) + int(amount) * rates[currency] // RATE_SCALE
        return cls(
            tuple(code for code, one in list_components(connection).items() if one.active),
            {(supplier, code): int(amount) for supplier, code, amount in connection.execute(charged)},
            worth,
        )

    def of(self, supplier_id: UUID | None, component: str) -> int | None:
        """The share of the value, in millionths: the supplier's, else the company's; None where it was never charged."""
        if supplier_id is not None and (supplier_id, component) in self.charged:
            base = self.received.get(supplier_id, 0)
            return self.charged[supplier_id, component] * 1_000_000 // base if base else None
        charged = [amount for (_, code), amount in self.charged.items() if code == component]
        base = sum(self.received.values())
        return sum(charged) * 1_000_000 // base if charged and base else None


_STANDS = landed_charges.c.id.not_in(select(landed_reversals.c.charge_id))


def _booked(connection: Connection, po_line_ids: Iterable[UUID]) -> dict[tuple[UUID, str], int]:
    """Landed cost that lines carry already, by component; what was taken back does not count."""
    share = landed_shares.c
    amount = func.sum(share.to_stock + share.to_sold + share.to_other)
    statement = (
        select(share.po_line_id, landed_charges.c.component, amount.label("amount"))
        .join(landed_charges, landed_charges.c.id == share.charge_id)
        .where(_STANDS)
        .group_by(share.po_line_id, landed_charges.c.component)
    )
    rows = fetch_in(connection, statement, share.po_line_id, po_line_ids)
    return {(row.po_line_id, row.component): int(row.amount) for row in rows}
