"""Whom to buy from: what each source costs landed, how long it takes and how sure it is; who depends on one source."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Subquery, and_, case, func, select

from erp_core.finance.queries import rates_on
from erp_core.finance.rules import converted
from erp_core.master.model import items, supplier_items, suppliers
from erp_core.master.queries import SupplierItem, list_supplier_items, list_suppliers, visible
from erp_core.master.queries.calendars import calendars_of
from erp_core.master.rules.calendars import open_from
from erp_core.master.rules.prices import price_at
from erp_core.procurement.model import po_lines, purchase_orders, receipt_lines, receipts
from erp_core.procurement.ordering.thresholds import NextBreak, explain_short, next_break, short_of_minimum
from erp_core.procurement.receiving.reversing import stands
from erp_core.procurement.rules import INBOUND, Terms
from erp_core.storage.lookup import fetch_in

LOOK_BACK = timedelta(days=365)
PLACED = (*INBOUND, "received", "closed")


@dataclass(frozen=True, slots=True)
class SourceOffer:
    """What a supplier would deliver, at which landed cost and when. `landed_cost` of a unit is in company currency.

    `landed_cost` is the price with the supplier's freight and expedite of the last year as a share of its goods; None
    where its currency has no rate. `lead_days` is what it took in the last year, weighted by units, else what was agreed.
    `on_time` is the share of its lines that were due and came by the first confirmed day, in 1/100 %. None: no data.
    In the supplier's currency are `unit_price`, `next_break` (a lower price that few more units reach, see `next_break`)
    and `minimum_missing`, what the units alone lack of its minimum order; `terms_why` says both in words.
    """

    supplier_id: UUID
    code: str
    risk_class: str
    quantity: int
    quantity_why: str
    unit_price: int
    landed_cost: int | None
    lead_days: int | None
    lead_measured: bool
    on_time: int | None
    arrives_on: date | None
    recommended: bool = False
    why: str = ""
    next_break: NextBreak | None = None
    minimum_missing: int = 0
    terms_why: str = ""


@dataclass(frozen=True, slots=True)
class SingleSource:
    """An item with fewer than two active suppliers, and what was spent on it."""

    item_id: UUID
    sku: str
    supplier: str | None
    spend: int


def compare_sources(
    connection: Connection,
    item_id: UUID,
    quantity: int,
    on: date,
    *,
    need_by: date | None = None,
    without: Collection[UUID] = (),
) -> Sequence[SourceOffer]:
    """What each active supplier of the item offers for the quantity on a day, the recommended one first.

    Recommended is the cheapest landed among those that arrive by `need_by` and are no high risk; where none does, the
    one that arrives first. `without` leaves suppliers out, such as the one that failed. Minimums and multiples raise the
    quantity, and the offer says so.
    """
    offers = [
        one
        for one in list_supplier_items(connection, on=on, item_ids=[item_id])
        if one.supplier_id not in without
    ]
    return compare_offers(connection, [Wanted(item_id, quantity, need_by, offers)], on)[0]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Units of an item, when they are needed, and what suppliers ask for it.

    With `quoted` what they say about their lead time counts where it is longer than what it took them so far.
    """

    item_id: UUID
    quantity: int
    need_by: date | None
    offers: Sequence[SupplierItem]
    quoted: bool = False


def compare_offers(connection: Connection, wanted: Sequence[Wanted], on: date) -> list[Sequence[SourceOffer]]:
    """For each wanted item what its active suppliers' offers come to on a day, the recommended one first.

    The statements are as many for one item as for all.
    """
    supplier_ids = {offer.supplier_id for one in wanted for offer in one.offers}
    known = {one.id: one for one in list_suppliers(connection, ids=supplier_ids) if one.status == "active"}
    rates = rates_on(connection, {one.currency for one in known.values()}, on) if known else {}
    extra = _extra_costs(connection, known, on)
    calendars = calendars_of(connection, known)
    measured = _lead_days(connection, known, {one.item_id for one in wanted}, on)
    kept = _on_time(connection, known, on)

    def offered(one: Wanted, offer: SupplierItem) -> SourceOffer:
        supplier = known[offer.supplier_id]
        terms = Terms(offer.minimum_quantity, offer.order_multiple)
        valid = terms.next_valid(one.quantity)
        price = price_at(offer.price, offer.breaks, valid)
        landed = None
        if supplier.currency in rates:
            goods, more = extra.get(supplier.id, (0, 0))
            landed = converted(price + (price * more // goods if goods else 0), rates[supplier.currency])
        agreed = supplier.lead_time_days if offer.lead_time_days is None else offer.lead_time_days
        took = measured.get((supplier.id, one.item_id))
        slower = one.quoted and took is not None and (offer.lead_time_days or 0) > took
        days = agreed if took is None or slower else took
        value, further = valid * price, next_break(offer.price, offer.breaks, valid, terms)
        said = (further.explanation if further else "", explain_short(value, supplier.minimum_order))
        return SourceOffer(
            supplier.id,
            supplier.code,
            supplier.risk_class,
            valid,
            f"raised from {one.quantity} by its minimum of {terms.minimum_quantity} in steps of {terms.order_multiple}"
            if valid != one.quantity
            else "",
            price,
            landed,
            days,
            took is not None and not slower,
            kept.get(supplier.id),
            None
            if days is None
            else open_from(
                [calendars[supplier.id]] if supplier.id in calendars else [], on + timedelta(days=days)
            ),
            next_break=further,
            minimum_missing=short_of_minimum(value, supplier.minimum_order),
            terms_why="; ".join(one for one in said if one),
        )

    return [
        rank_sources((offered(one, offer) for offer in one.offers if offer.supplier_id in known), one.need_by)
        for one in wanted
    ]


def rank_sources(offers: Iterable[SourceOffer], need_by: date | None) -> list[SourceOffer]:
    """The offers with the recommended one first, and why each stands where it does. A pure rule."""

    def in_time(one: SourceOffer) -> bool:
        return need_by is None or (one.arrives_on is not None and one.arrives_on <= need_by)

    def fits(one: SourceOffer) -> bool:
        return one.landed_cost is not None and in_time(one) and one.risk_class != "high"

    def order(one: SourceOffer) -> tuple[bool, date, bool, int, str]:
        arrives = date.min if fits(one) else one.arrives_on or date.max
        return not fits(one), arrives, one.landed_cost is None, one.landed_cost or 0, one.code

    ranked = sorted(offers, key=order)
    return [
        replace(one, recommended=place == 0, why=_why(one, in_time(one), fits(one), place == 0))
        for place, one in enumerate(ranked)
    ]


def _why(one: SourceOffer, in_time: bool, fits: bool, first: bool) -> str:
    if fits:
        return "cheapest landed of those that come in time" if first else "comes in time, at a higher cost"
    reasons = [
        *(["its currency has no rate"] if one.landed_cost is None else []),
        *(["when it arrives is not known"] if one.arrives_on is None and not in_time else []),
        *(["it arrives too late"] if one.arrives_on is not None and not in_time else []),
        *(["it is a high risk"] if one.risk_class == "high" else []),
    ]
    return ("none is better: " if first else "") + ", ".join(reasons)


def single_sources(connection: Connection, since: date, until: date) -> Sequence[SingleSource]:
    """Items bought in the period that have fewer than two active suppliers on record, the most spend first.

    Spend is what was sent to suppliers outside, less cancelled units, as the metric `spend` counts it.
    """
    offers = supplier_items_of_active()
    day = func.coalesce(purchase_orders.c.sent_on, purchase_orders.c.created_on)
    spend = func.sum((po_lines.c.quantity - po_lines.c.cancelled_quantity) * po_lines.c.unit_price)
    statement = (
        select(items.c.id, items.c.sku, offers.c.supplier, spend)
        .select_from(po_lines)
        .join(purchase_orders, purchase_orders.c.id == po_lines.c.po_id)
        .join(items, items.c.id == po_lines.c.item_id)
        .join(suppliers, suppliers.c.id == purchase_orders.c.supplier_id)
        .outerjoin(offers, offers.c.item_id == items.c.id)
        .where(
            visible(purchase_orders.c.import_id),
            purchase_orders.c.sent_on.is_not(None) | purchase_orders.c.status.in_(PLACED),
            suppliers.c.internal.is_(False),
            day >= since,
            day <= until,
            func.coalesce(offers.c.sources, 0) < 2,
        )
        .group_by(items.c.id, items.c.sku, offers.c.supplier)
        .order_by(spend.desc(), items.c.sku)
    )
    return [
        SingleSource(id_, sku, code, int(value)) for id_, sku, code, value in connection.execute(statement)
    ]


def supplier_items_of_active() -> Subquery:
    """How many active suppliers each item has, with the code of one of them."""
    return (
        select(
            supplier_items.c.item_id,
            func.count().label("sources"),
            func.min(suppliers.c.code).label("supplier"),
        )
        .join(suppliers, suppliers.c.id == supplier_items.c.supplier_id)
        .where(suppliers.c.status == "active")
        .group_by(supplier_items.c.item_id)
        .subquery()
    )


def _sent_by(on: date) -> ColumnElement[bool]:
    sent = purchase_orders.c.sent_on
    return and_(visible(purchase_orders.c.import_id), sent.is_not(None), sent > on - LOOK_BACK, sent <= on)


def _extra_costs(
    connection: Connection, supplier_ids: Iterable[UUID], on: date
) -> dict[UUID, tuple[int, int]]:
    """Goods, and freight with expedite, ordered from each supplier in the last year."""
    extra = purchase_orders.c.freight_cost + purchase_orders.c.expedite_cost
    statement = (
        select(
            purchase_orders.c.supplier_id,
            func.sum(purchase_orders.c.total - extra),
            func.sum(extra),
        )
        .where(_sent_by(on))
        .group_by(purchase_orders.c.supplier_id)
    )
    rows = fetch_in(connection, statement, purchase_orders.c.supplier_id, supplier_ids)
    return {supplier_id: (int(goods), int(more)) for supplier_id, goods, more in rows if goods}


def _lead_days(
    connection: Connection, supplier_ids: Iterable[UUID], item_ids: Collection[UUID], on: date
) -> dict[tuple[UUID, UUID], int]:
    """Days from sent to accepted by supplier and item in the last year, weighted by units and rounded up."""
    pair = (purchase_orders.c.supplier_id, po_lines.c.item_id)
    statement = (
        select(
            *pair,
            purchase_orders.c.sent_on,
            receipts.c.received_on,
            func.sum(receipt_lines.c.accepted_quantity),
        )
        .select_from(receipt_lines)
        .join(receipts, receipts.c.id == receipt_lines.c.receipt_id)
        .join(po_lines, po_lines.c.id == receipt_lines.c.po_line_id)
        .join(purchase_orders, purchase_orders.c.id == po_lines.c.po_id)
        .where(_sent_by(on), po_lines.c.item_id.in_(list(item_ids)), receipt_lines.c.accepted_quantity > 0)
        .where(stands())
        .group_by(*pair, purchase_orders.c.sent_on, receipts.c.received_on)
    )
    sums: dict[tuple[UUID, UUID], list[int]] = {}
    for supplier_id, item_id, sent_on, came_on, units in fetch_in(
        connection, statement, purchase_orders.c.supplier_id, supplier_ids
    ):
        part = sums.setdefault((supplier_id, item_id), [0, 0])
        part[0] += int(units) * (came_on - sent_on).days
        part[1] += int(units)
    return {key: -(-days // units) for key, (days, units) in sums.items()}


def _on_time(connection: Connection, supplier_ids: Iterable[UUID], on: date) -> dict[UUID, int]:
    """Share of the last year's lines, due before the day, that were complete by the first confirmed day, in 1/100 %."""
    first = po_lines.c.first_promised_on
    statement = (
        select(
            purchase_orders.c.supplier_id,
            func.count(),
            func.sum(case((po_lines.c.completed_on <= first, 1), else_=0)),
        )
        .join(purchase_orders, purchase_orders.c.id == po_lines.c.po_id)
        .where(
            visible(purchase_orders.c.import_id),
            first < on,
            first > on - LOOK_BACK,
            po_lines.c.cancelled_quantity < po_lines.c.quantity,
        )
        .group_by(purchase_orders.c.supplier_id)
    )
    rows = fetch_in(connection, statement, purchase_orders.c.supplier_id, supplier_ids)
    return {supplier_id: int(kept) * 10_000 // int(lines) for supplier_id, lines, kept in rows}
