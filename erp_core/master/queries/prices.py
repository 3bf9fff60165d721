"""Prices by day: what a supplier asks for an item on a day, and every price there ever was."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    Date,
    FromClause,
    Select,
    Subquery,
    and_,
    bindparam,
    func,
    select,
)

from erp_core.master.model import supplier_items, supplier_prices, suppliers
from erp_core.master.rules.periods import Period, in_force
from erp_core.storage.lookup import AnyRow, fetch_in, fetch_in_pairs

Pair = tuple[UUID, UUID]

DAY = "price_day"
PRICES = supplier_prices.alias("price")
_covering = supplier_prices.alias("covering")
_later = supplier_prices.alias("later")


def _current(prices: Any) -> ColumnElement[bool]:
    """The row is the last version of its price."""
    return ~(
        select(_later.c.version)
        .where(
            _later.c.supplier_id == prices.c.supplier_id,
            _later.c.item_id == prices.c.item_id,
            _later.c.valid_from == prices.c.valid_from,
            _later.c.version > prices.c.version,
        )
        .correlate(prices)
        .exists()
    )


def _begun() -> ColumnElement[Any]:
    """The first day of the price in force on the day of the parameter `DAY`, for an outer row of `supplier_items`."""
    day = bindparam(DAY, type_=Date)
    return (
        select(func.max(_covering.c.valid_from))
        .where(
            _covering.c.supplier_id == supplier_items.c.supplier_id,
            _covering.c.item_id == supplier_items.c.item_id,
            _covering.c.valid_from <= day,
            (_covering.c.valid_to.is_(None)) | (_covering.c.valid_to > day),
            _current(_covering),
        )
        .correlate(supplier_items)
        .scalar_subquery()
    )


def with_price(statement: Select[Any]) -> Select[Any]:
    """The statement on `supplier_items` joined to `PRICES`: the price in force on the day of the parameter `DAY`.

    For few rows: each looks its price up. For many, see `EVERY_PRICE`.
    """
    return statement.outerjoin(
        PRICES,
        and_(
            PRICES.c.supplier_id == supplier_items.c.supplier_id,
            PRICES.c.item_id == supplier_items.c.item_id,
            PRICES.c.valid_from == _begun(),
            _current(PRICES),
        ),
    )


def _every_price() -> Subquery:
    """The price in force on the day of the parameter `DAY` of every (supplier, item), in two passes over all prices."""
    day, pair = bindparam(DAY, type_=Date), (supplier_prices.c.supplier_id, supplier_prices.c.item_id)
    versions = select(
        supplier_prices,
        func.row_number()
        .over(partition_by=(*pair, supplier_prices.c.valid_from), order_by=supplier_prices.c.version.desc())
        .label("newest"),
    ).where(supplier_prices.c.valid_from <= day)
    known = versions.subquery()
    begun = func.row_number().over(
        partition_by=(known.c.supplier_id, known.c.item_id), order_by=known.c.valid_from.desc()
    )
    covering = (
        select(known, begun.label("latest"))
        .where(known.c.newest == 1, (known.c.valid_to.is_(None)) | (known.c.valid_to > day))
        .subquery()
    )
    return select(covering).where(covering.c.latest == 1).subquery("every_price")


EVERY_PRICE = _every_price()


def with_every_price(statement: Select[Any]) -> Select[Any]:
    """The statement on `supplier_items` joined to `EVERY_PRICE`."""
    return statement.outerjoin(
        EVERY_PRICE,
        and_(
            EVERY_PRICE.c.supplier_id == supplier_items.c.supplier_id,
            EVERY_PRICE.c.item_id == supplier_items.c.item_id,
        ),
    )


@dataclass(frozen=True, slots=True)
class SupplierItem:
    """What a supplier asks for an item on a day. Price per base unit in ten-thousandths, before `breaks` by quantity:
    (from quantity, price) pairs.
    """

    supplier_id: UUID
    item_id: UUID
    supplier_sku: str | None
    price: int
    minimum_quantity: int
    order_multiple: int
    lead_time_days: int | None
    rank: int
    breaks: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """Who supplies an item, also without a price in force; `standing` is the supplier's status."""

    supplier_id: UUID
    item_id: UUID
    supplier: str
    supplier_name: str
    standing: str
    preferred: bool
    rank: int
    supplier_sku: str | None
    price: int | None
    minimum_quantity: int
    order_multiple: int
    lead_time_days: int | None


@dataclass(frozen=True, slots=True)
class PriceRecord:
    """One price record: half-open days, and its version where it corrects an earlier one."""

    supplier_id: UUID
    item_id: UUID
    valid_from: date
    valid_to: date | None
    version: int
    price: int
    currency: str
    breaks: tuple[tuple[int, int], ...]
    contract_reference: str | None


FEW = 100


def _offers(prices: FromClause) -> Select[Any]:
    return (
        select(
            supplier_items.c.supplier_id,
            supplier_items.c.item_id,
            supplier_items.c.supplier_sku,
            prices.c.price,
            supplier_items.c.minimum_quantity,
            supplier_items.c.order_multiple,
            supplier_items.c.lead_time_days,
            supplier_items.c.rank,
            prices.c.breaks,
        )
        .select_from(supplier_items)
        .order_by(supplier_items.c.item_id, supplier_items.c.rank, supplier_items.c.supplier_id)
    )


_OFFERS, _EVERY_OFFER = with_price(_offers(PRICES)), with_every_price(_offers(EVERY_PRICE))


def list_supplier_items(
    connection: Connection,
    *,
    on: date,
    item_ids: Iterable[UUID] | None = None,
    supplier_ids: Iterable[UUID] | None = None,
) -> list[SupplierItem]:
    """What suppliers ask on a day, by item and rank: the first of an item is its preferred supplier.

    A record without a price in force on the day is left out.
    """
    wanted = None if item_ids is None else list(item_ids)
    statement = _EVERY_OFFER if wanted is None or len(wanted) > FEW else _OFFERS
    if supplier_ids is not None:
        statement = statement.where(supplier_items.c.supplier_id.in_(list(supplier_ids)))
    rows = (
        connection.execute(statement, {DAY: on})
        if wanted is None
        else fetch_in(connection, statement, supplier_items.c.item_id, wanted, **{DAY: on})
    )
    return [
        SupplierItem(
            supplier, item, sku, price, minimum, multiple, lead, rank, _pairs(breaks) if breaks else ()
        )
        for supplier, item, sku, price, minimum, multiple, lead, rank, breaks in rows
        if price is not None
    ]


def supplier_items_by_day(
    connection: Connection, asked: Iterable[tuple[UUID, UUID, date]]
) -> dict[tuple[UUID, UUID, date], SupplierItem]:
    """What suppliers ask for items, each on its day, by (supplier, item, day); two statements for any number of days.

    One without a record, or without a price in force on the day, is left out.
    """
    wanted = set(asked)
    pairs = {(supplier, item) for supplier, item, _ in wanted}
    prices: dict[Pair, dict[Period, AnyRow]] = {}
    for row in fetch_in_pairs(connection, _EVERY_VERSION, (PRICES.c.supplier_id, PRICES.c.item_id), pairs):
        of_pair = prices.setdefault((row.supplier_id, row.item_id), {})
        of_pair[Period(row.valid_from, row.valid_to)] = row
    terms = {
        (row.supplier_id, row.item_id): row
        for row in fetch_in_pairs(
            connection, _TERMS, (supplier_items.c.supplier_id, supplier_items.c.item_id), pairs
        )
    }
    found: dict[tuple[UUID, UUID, date], SupplierItem] = {}
    for supplier, item, day in wanted:
        own, known = terms.get((supplier, item)), prices.get((supplier, item), {})
        period = in_force(known, day)
        if own is None or period is None:
            continue
        price = known[period]
        found[supplier, item, day] = SupplierItem(
            supplier,
            item,
            own.supplier_sku,
            price.price,
            own.minimum_quantity,
            own.order_multiple,
            own.lead_time_days,
            own.rank,
            _pairs(price.breaks) if price.breaks else (),
        )
    return found


_EVERY_VERSION = select(
    PRICES.c.supplier_id,
    PRICES.c.item_id,
    PRICES.c.valid_from,
    PRICES.c.valid_to,
    PRICES.c.price,
    PRICES.c.breaks,
).where(_current(PRICES))
_TERMS = select(
    supplier_items.c.supplier_id,
    supplier_items.c.item_id,
    supplier_items.c.supplier_sku,
    supplier_items.c.minimum_quantity,
    supplier_items.c.order_multiple,
    supplier_items.c.lead_time_days,
    supplier_items.c.rank,
)
_SOURCES = select(
    supplier_items.c.supplier_id,
    supplier_items.c.item_id,
    suppliers.c.code,
    suppliers.c.name,
    suppliers.c.status,
    (supplier_items.c.rank == 1).label("preferred"),
    supplier_items.c.rank,
    supplier_items.c.supplier_sku,
    PRICES.c.price,
    supplier_items.c.minimum_quantity,
    supplier_items.c.order_multiple,
    supplier_items.c.lead_time_days,
).select_from(supplier_items.join(suppliers, suppliers.c.id == supplier_items.c.supplier_id))


def _pairs(breaks: Iterable[Sequence[int]]) -> tuple[tuple[int, int], ...]:
    return tuple((start, price) for start, price in breaks)


def list_sources(connection: Connection, item_id: UUID, *, on: date) -> list[Source]:
    """Who supplies an item: the preferred supplier first, then the alternates by rank."""
    rows = connection.execute(
        with_price(_SOURCES)
        .where(supplier_items.c.item_id == item_id)
        .order_by(supplier_items.c.rank, suppliers.c.code),
        {DAY: on},
    )
    return [Source(*row) for row in rows]


_RECORDS = select(
    PRICES.c.supplier_id,
    PRICES.c.item_id,
    PRICES.c.valid_from,
    PRICES.c.valid_to,
    PRICES.c.version,
    PRICES.c.price,
    PRICES.c.currency,
    PRICES.c.breaks,
    PRICES.c.contract_reference,
).order_by(PRICES.c.supplier_id, PRICES.c.item_id, PRICES.c.valid_from, PRICES.c.version)


def price_records(
    connection: Connection, pairs: Iterable[Pair], *, corrected: bool = False
) -> dict[Pair, list[PriceRecord]]:
    """The prices of each (supplier, item) by their first day; with `corrected` also those that were corrected."""
    statement = _RECORDS if corrected else _RECORDS.where(_current(PRICES))
    wanted = list(dict.fromkeys(pairs))
    found: dict[Pair, list[PriceRecord]] = {pair: [] for pair in wanted}
    for row in fetch_in_pairs(connection, statement, (PRICES.c.supplier_id, PRICES.c.item_id), wanted):
        record = PriceRecord(**{**row._mapping, "breaks": _pairs(row.breaks)})
        found[record.supplier_id, record.item_id].append(record)
    return found


def last_prices() -> Subquery:
    """The price of each (supplier, item) that begins last, whatever the day: one row each."""
    last = (
        select(
            _covering.c.supplier_id, _covering.c.item_id, func.max(_covering.c.valid_from).label("valid_from")
        )
        .group_by(_covering.c.supplier_id, _covering.c.item_id)
        .subquery()
    )
    return (
        select(PRICES.c.supplier_id, PRICES.c.item_id, PRICES.c.price, PRICES.c.valid_from, PRICES.c.valid_to)
        .join(
            last,
            and_(
                last.c.supplier_id == PRICES.c.supplier_id,
                last.c.item_id == PRICES.c.item_id,
                last.c.valid_from == PRICES.c.valid_from,
            ),
        )
        .where(_current(PRICES))
        .subquery()
    )
