"""What suppliers supply: terms per item, who is preferred, and prices by day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import Field, StringConstraints, model_validator
from sqlalchemy import Connection, select

from erp_core.gate.contract import (
    Asked,
    Command,
    DomainError,
    Done,
    Facts,
    NotFound,
    ReadSet,
    Registration,
    Registry,
    Task,
    Transaction,
)
from erp_core.master.commands.records import Today, day_of, existing, unknown
from erp_core.master.model import items, supplier_items, supplier_prices, suppliers
from erp_core.master.queries.owners import owner_logins
from erp_core.master.queries.prices import Pair, PriceRecord, list_supplier_items, price_records
from erp_core.master.queries.records import Names
from erp_core.master.rules import relative_change
from erp_core.master.rules.prices import Period, contradicts, in_force
from erp_core.master.values import Amount, Currency, Units
from erp_core.storage.bulk import insert_rows, update_rows, upsert_replace
from erp_core.storage.locks import lock_names
from erp_core.storage.lookup import fetch_in

_Sku = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]


class PreferredTaken(DomainError):
    """An item has one preferred supplier."""

    code = "preferred_taken"


class PriceOverlap(DomainError):
    """Two prices would be in force on the same day."""

    code = "price_overlap"


class WrongCurrency(DomainError):
    """A price in another currency than the supplier's."""

    code = "wrong_currency"


class _OnSupplierItem(Command):
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


class SetSupplierItem(_OnSupplierItem):
    """What a supplier asks for an item from today on: price and quantities per base unit. Rank 1 is the preferred
    supplier. Another price than the one in force is a new price record.

    Governed: a price that rises much needs a person's approval.
    """

    price: Amount
    supplier_sku: _Sku | None = None
    minimum_quantity: Units = 1
    order_multiple: Units = 1
    lead_time_days: Annotated[int, Field(ge=0, le=730)] | None = None
    rank: Annotated[int, Field(ge=1, le=99)] = 1


class SetSupplierPrice(_OnSupplierItem):
    """A price from a day on, up to and not on `valid_to`; without one until another price begins.

    `breaks` are (from quantity, price). With `corrects` it takes the place of the price that begins on the same
    day; one that ends where it begins withdraws that. Governed: much change, or a day in the past, needs approval.
    """

    price: Amount
    valid_from: date
    valid_to: date | None = None
    currency: Currency | None = None
    breaks: Annotated[tuple[tuple[Units, Amount], ...], Field(max_length=20)] = ()
    contract_reference: _Sku | None = None
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


class PreferSupplier(_OnSupplierItem):
    """Make this supplier of the item the preferred one; the one before takes its rank."""


class _Prices:
    """The price records that a batch reads and adds to."""

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

    def write(self, tx: Transaction) -> None:
        """Insert what was added."""
        insert_rows(tx.connection, supplier_prices, self._rows)


def _told(record: PriceRecord | None) -> dict[str, Any] | None:
    if record is None:
        return None
    return {
        "price": record.price,
        "currency": record.currency,
        "valid_from": record.valid_from.isoformat(),
        "valid_to": record.valid_to and record.valid_to.isoformat(),
        "item_id": str(record.item_id),
    }


def set_supplier_items(
    tasks: Sequence[Task[SetSupplierItem]], tx: Transaction
) -> Sequence[Done | DomainError]:
    """Write what suppliers ask for items; the last word on a pair counts."""
    known_suppliers = existing(tx, suppliers, (task.command.supplier_id for task in tasks))
    known_items = existing(tx, items, (task.command.item_id for task in tasks))
    prices = _Prices(tx, [task.command.pair for task in tasks])
    ranks = _Ranks(tx, [task.command.item_id for task in tasks])
    outcomes: list[Done | DomainError] = []
    rows: dict[Pair, dict[str, Any]] = {}
    for task in tasks:
        command = task.command
        try:
            if command.supplier_id not in known_suppliers:
                raise unknown("supplier", command.supplier_id)
            if command.item_id not in known_items:
                raise unknown("item", command.item_id)
            ranks.take(command.pair, command.rank)
            before = _told(prices.in_force(command.pair, task.occurred_on))
            _price_from(task, known_suppliers[command.supplier_id]["currency"], prices)
        except DomainError as error:
            outcomes.append(error)
            continue
        row = command.model_dump(exclude={"occurred_at", "price"})
        rows[command.pair] = row | {"audit_id": task.audit_id}
        after = {"price": command.price, "rank": command.rank, "item_id": str(command.item_id)}
        outcomes.append(Done({"supplier_id": str(command.supplier_id)}, before=before, after=after))
    # Who gives the first rank up is written before who takes it: the index allows one at every moment.
    kept = [column.name for column in supplier_items.columns if not column.primary_key]
    for preferred in (False, True):
        part = [row for row in rows.values() if (row["rank"] == 1) is preferred]
        upsert_replace(tx.connection, supplier_items, part, kept)
    prices.write(tx)
    return outcomes


def _price_from(task: Task[SetSupplierItem], currency: str, prices: _Prices) -> None:
    """Add the price from the task's day on where another one, or none, is in force."""
    command, day = task.command, task.occurred_on
    now = prices.in_force(command.pair, day)
    if now is not None and now.price == command.price:
        return
    record = PriceRecord(*command.pair, day, None, 1, command.price, currency, (), None)
    same_day = now is not None and now.valid_from == day and now.valid_to is None
    prices.add(record, task.audit_id, corrects=same_day)


class _Ranks:
    """Who is preferred for each item, as a batch changes it."""

    def __init__(self, tx: Transaction, item_ids: Sequence[UUID]) -> None:
        lock_names(tx.connection, (f"sources of {item_id}" for item_id in item_ids))
        statement = select(supplier_items.c.item_id, supplier_items.c.supplier_id).where(
            supplier_items.c.rank == 1
        )
        rows = fetch_in(tx.connection, statement, supplier_items.c.item_id, item_ids)
        self._preferred: dict[UUID, UUID] = {row.item_id: row.supplier_id for row in rows}

    def take(self, pair: Pair, rank: int) -> None:
        """Give the supplier this rank for the item. Raises `PreferredTaken`."""
        supplier_id, item_id = pair
        holder = self._preferred.get(item_id)
        if rank == 1 and holder not in (None, supplier_id):
            raise PreferredTaken(
                "the item has a preferred supplier already",
                field="rank",
                remedy="give another rank, or use PreferSupplier to change places",
                preferred=holder,
            )
        if rank == 1:
            self._preferred[item_id] = supplier_id
        elif holder == supplier_id:
            del self._preferred[item_id]


def prefer_suppliers(tasks: Sequence[Task[PreferSupplier]], tx: Transaction) -> Sequence[Done | DomainError]:
    """Change places, one item after the other."""
    lock_names(tx.connection, (f"sources of {task.command.item_id}" for task in tasks))
    statement = select(supplier_items.c.supplier_id, supplier_items.c.item_id, supplier_items.c.rank)
    rows = fetch_in(
        tx.connection, statement, supplier_items.c.item_id, [task.command.item_id for task in tasks]
    )
    ranks = {(row.supplier_id, row.item_id): row.rank for row in rows}
    changed: dict[Pair, dict[str, Any]] = {}
    outcomes: list[Done | DomainError] = []
    for task in tasks:
        pair, item_id = task.command.pair, task.command.item_id
        if pair not in ranks:
            outcomes.append(
                NotFound(
                    "the supplier does not supply the item",
                    field="supplier_id",
                    remedy="record what it asks for the item first",
                )
            )
            continue
        holder = next((one for one, rank in ranks.items() if one[1] == item_id and rank == 1), None)
        before = {"preferred": None if holder is None else str(holder[0])}
        if holder is not None and holder != pair:
            ranks[holder] = ranks[pair]
            changed[holder] = _ranked(holder, ranks[pair], task.audit_id)
        ranks[pair] = 1
        changed[pair] = _ranked(pair, 1, task.audit_id)
        after = {"preferred": str(pair[0]), "item_id": str(item_id)}
        outcomes.append(Done({"item_id": str(item_id)}, before=before, after=after))
    for preferred in (False, True):
        update_rows(
            tx.connection,
            supplier_items,
            [row for row in changed.values() if (row["rank"] == 1) is preferred],
        )
    return outcomes


def _ranked(pair: Pair, rank: int, audit_id: UUID) -> dict[str, Any]:
    return {"supplier_id": pair[0], "item_id": pair[1], "rank": rank, "audit_id": audit_id}


def set_supplier_prices(
    tasks: Sequence[Task[SetSupplierPrice]], tx: Transaction
) -> Sequence[Done | DomainError]:
    """Add price records; none is ever changed."""
    known = existing(tx, suppliers, (task.command.supplier_id for task in tasks))
    supplied = _supplied(tx.connection, [task.command.item_id for task in tasks])
    prices = _Prices(tx, [task.command.pair for task in tasks])
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
    task: Task[SetSupplierPrice], supplier: dict[str, Any] | None, supplied: set[Pair], prices: _Prices
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
    before = _told(prices.in_force(command.pair, command.valid_from))
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
    return Done(result, before=before, after=_told(added))


def _supplied(connection: Connection, item_ids: Sequence[UUID]) -> set[Pair]:
    statement = select(supplier_items.c.supplier_id, supplier_items.c.item_id)
    rows = fetch_in(connection, statement, supplier_items.c.item_id, item_ids)
    return {(row.supplier_id, row.item_id) for row in rows}


class PriceFacts:
    """What policy is told of a price: how far it moves and whose data it is; `today` gives the business date."""

    def __init__(self, today: Today) -> None:
        self._today = today

    def of_items(self, asked: Sequence[Asked[SetSupplierItem]], connection: Connection) -> Sequence[Facts]:
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
        commands: Sequence[SetSupplierItem | SetSupplierPrice],
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

    def read_sets(
        self, asked: Sequence[Asked[SetSupplierItem | SetSupplierPrice]], connection: Connection
    ) -> Sequence[ReadSet]:
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


def register(registry: Registry, today: Today) -> None:
    """Add the commands on what suppliers supply; `today` gives the business date."""
    facts = PriceFacts(today)
    registry.register(
        Registration(
            SetSupplierItem,
            set_supplier_items,
            governed=True,
            facts=facts.of_items,
            read_sets=facts.read_sets,
        )
    )
    registry.register(
        Registration(
            SetSupplierPrice,
            set_supplier_prices,
            governed=True,
            facts=facts.of_prices,
            read_sets=facts.read_sets,
        )
    )
    registry.register(Registration(PreferSupplier, prefer_suppliers))
