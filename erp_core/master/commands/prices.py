"""Prices by day: records that are only added, and never two for one day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import Field, StringConstraints, model_validator
from sqlalchemy import Connection, select

from erp_core.gate.contract import Command, DomainError, Done, NotFound, Task, Transaction
from erp_core.master.commands.records import existing, unknown
from erp_core.master.model import supplier_items, supplier_prices, suppliers
from erp_core.master.queries.prices import Pair, PriceRecord, price_records
from erp_core.master.rules.periods import Period, contradicts, in_force
from erp_core.master.values import Amount, Currency, Units
from erp_core.storage.bulk import insert_rows
from erp_core.storage.locks import lock_names
from erp_core.storage.lookup import fetch_in

SupplierSku = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]


class PriceOverlap(DomainError):
    """Two prices would be in force on the same day."""

    code = "price_overlap"


class WrongCurrency(DomainError):
    """A price in another currency than the supplier's."""

    code = "wrong_currency"


class OnSupplierItem(Command):
    """A command about one item of one supplier."""

    supplier_id: UUID
    item_id: UUID

    @property
    def subject(self) -> tuple[str, UUID]:
        """The supplier."""
        return ("supplier", self.supplier_id)

    @property
    def pair(self) -> Pair:
        """Supplier and item."""
        return (self.supplier_id, self.item_id)


class SetSupplierPrice(OnSupplierItem):
    """A price from a day on, up to and not on `valid_to`; without one until another price begins.

    `breaks` are (from quantity, price). With `corrects` it takes the place of the price that begins on the same
    day; one that ends where it begins withdraws that. Governed: much change, or a day in the past, needs approval.
    """

    price: Amount
    valid_from: date
    valid_to: date | None = None
    currency: Currency | None = None
    breaks: Annotated[tuple[tuple[Units, Amount], ...], Field(max_length=20)] = ()
    contract_reference: SupplierSku | None = None
    corrects: bool = False

    @model_validator(mode="after")
    def _is_sound(self) -> Self:
        if self.valid_to is not None and self.valid_to < self.valid_from:
            raise ValueError("valid_to lies before valid_from")
        if self.valid_to == self.valid_from and not self.corrects:
            raise ValueError("valid_to is valid_from: only a correction may withdraw a price")
        starts = [start for start, _ in self.breaks]
        if starts != sorted(set(starts)):
            raise ValueError("breaks: give each quantity once, the smallest first")
        return self

    @property
    def period(self) -> Period:
        """The days it counts on."""
        return Period(self.valid_from, self.valid_to)


class Prices:
    """The price records that a batch reads and adds to; `write` inserts what was added."""

    def __init__(self, tx: Transaction, pairs: Sequence[Pair]) -> None:
        lock_names(tx.connection, (f"price {supplier} {item}" for supplier, item in pairs))
        self._known = price_records(tx.connection, pairs)
        self._rows: list[dict[str, Any]] = []

    def in_force(self, pair: Pair, day: date) -> PriceRecord | None:
        """The record in force on the day."""
        periods = {Period(one.valid_from, one.valid_to): one for one in self._known[pair]}
        found = in_force(periods, day)
        return None if found is None else periods[found]

    def add(self, record: PriceRecord, audit_id: UUID, *, corrects: bool) -> PriceRecord:
        """Add a record, as the next version of the one of the same first day where it `corrects` it.

        Raises `PriceOverlap`, or `NotFound` where there is nothing to correct.
        """
        pair = (record.supplier_id, record.item_id)
        same = [one for one in self._known[pair] if one.valid_from == record.valid_from]
        if corrects and not same:
            raise NotFound(
                f"no price begins on {record.valid_from}",
                field="valid_from",
                remedy="give the first day of the price to correct, or leave corrects out",
            )
        others = [one for one in self._known[pair] if not (corrects and one in same)]
        period = Period(record.valid_from, record.valid_to)
        for one in others:
            # A withdrawn price still stands on its day: only a correction may take that place.
            if one.valid_from == record.valid_from or contradicts(
                period, Period(one.valid_from, one.valid_to)
            ):
                until = f" until {one.valid_to}" if one.valid_to else ""
                raise PriceOverlap(
                    f"a price is recorded from {one.valid_from}{until} already",
                    field="valid_from",
                    remedy="choose days outside it, or correct it with corrects and its valid_from",
                    valid_from=one.valid_from,
                    valid_to=one.valid_to,
                )
        version = 1 + max((one.version for one in same), default=0)
        added = replace(record, version=version)
        self._known[pair] = [*others, added]
        self._rows.append(
            {
                "supplier_id": added.supplier_id,
                "item_id": added.item_id,
                "valid_from": added.valid_from,
                "version": version,
                "valid_to": added.valid_to,
                "price": added.price,
                "currency": added.currency,
                "breaks": [list(one) for one in added.breaks],
                "contract_reference": added.contract_reference,
                "audit_id": audit_id,
            }
        )
        return added

    def agree(self, record: PriceRecord, audit_id: UUID) -> PriceRecord:
        """Add a price with an end for its days; one that begins on the same day counts again after it.

        Raises `PriceOverlap` where another price with an end, or one that begins later, claims a day of them.
        """
        pair = (record.supplier_id, record.item_id)
        begun = [one for one in self._known[pair] if one.valid_from == record.valid_from]
        added = self.add(record, audit_id, corrects=bool(begun))
        taken = {one.valid_from for one in self._known[pair]}
        for one in begun:
            if record.valid_to is None or record.valid_to in taken:
                continue
            if one.valid_to is None or one.valid_to > record.valid_to:
                self.add(replace(one, valid_from=record.valid_to), audit_id, corrects=False)
        return added

    def write(self, tx: Transaction) -> None:
        """Insert what was added."""
        insert_rows(tx.connection, supplier_prices, self._rows)


def told(record: PriceRecord | None) -> dict[str, Any] | None:
    """A price record as the audit log has it."""
    if record is None:
        return None
    return {
        "price": record.price,
        "currency": record.currency,
        "valid_from": record.valid_from.isoformat(),
        "valid_to": record.valid_to and record.valid_to.isoformat(),
        "item_id": str(record.item_id),
    }


def set_supplier_prices(
    tasks: Sequence[Task[SetSupplierPrice]], tx: Transaction
) -> Sequence[Done | DomainError]:
    """Add price records; none is ever changed."""
    known = existing(tx, suppliers, (task.command.supplier_id for task in tasks))
    supplied = _supplied(tx.connection, [task.command.item_id for task in tasks])
    prices = Prices(tx, [task.command.pair for task in tasks])
    outcomes: list[Done | DomainError] = []
    for task in tasks:
        command = task.command
        try:
            outcomes.append(_add_price(task, known.get(command.supplier_id), supplied, prices))
        except DomainError as error:
            outcomes.append(error)
    prices.write(tx)
    return outcomes


def _add_price(
    task: Task[SetSupplierPrice], supplier: dict[str, Any] | None, supplied: set[Pair], prices: Prices
) -> Done:
    command = task.command
    if supplier is None:
        raise unknown("supplier", command.supplier_id)
    if command.pair not in supplied:
        raise NotFound(
            "the supplier does not supply the item",
            field="item_id",
            remedy="record what it asks for the item first, with SetSupplierItem",
        )
    currency = command.currency or supplier["currency"]
    if currency != supplier["currency"]:
        raise WrongCurrency(
            f"supplier {supplier['code']} is paid in {supplier['currency']}, not {currency}",
            field="currency",
            remedy=f"give the price in {supplier['currency']}",
        )
    before = told(prices.in_force(command.pair, command.valid_from))
    record = PriceRecord(
        *command.pair,
        command.valid_from,
        command.valid_to,
        1,
        command.price,
        currency,
        command.breaks,
        command.contract_reference,
    )
    added = prices.add(record, task.audit_id, corrects=command.corrects)
    result = {"supplier_id": str(command.supplier_id), "version": added.version}
    return Done(result, before=before, after=told(added))


def _supplied(connection: Connection, item_ids: Sequence[UUID]) -> set[Pair]:
    statement = select(supplier_items.c.supplier_id, supplier_items.c.item_id)
    rows = fetch_in(connection, statement, supplier_items.c.item_id, item_ids)
    return {(row.supplier_id, row.item_id) for row in rows}
