"""What suppliers supply: terms per item, and who is preferred."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field
from sqlalchemy import select

from erp_core.gate.contract import DomainError, Done, NotFound, Registration, Registry, Task, Transaction
from erp_core.master.commands.price_facts import PriceFacts
from erp_core.master.commands.prices import (
    OnSupplierItem,
    Prices,
    SetSupplierPrice,
    SupplierSku,
    set_supplier_prices,
    told,
)
from erp_core.master.commands.records import Today, existing, unknown
from erp_core.master.model import items, supplier_items, suppliers
from erp_core.master.queries.prices import Pair, PriceRecord
from erp_core.master.values import Amount, Units
from erp_core.storage.bulk import update_rows, upsert_replace
from erp_core.storage.locks import lock_names
from erp_core.storage.lookup import fetch_in


class PreferredTaken(DomainError):
    """An item has one preferred supplier."""

    code = "preferred_taken"


class SetSupplierItem(OnSupplierItem):
    """What a supplier asks for an item from today on: price and quantities per base unit. Rank 1 is the preferred
    supplier. Another price than the one in force is a new price record.

    Governed: a price that rises much needs a person's approval.
    """

    price: Amount
    supplier_sku: SupplierSku | None = None
    minimum_quantity: Units = 1
    order_multiple: Units = 1
    lead_time_days: Annotated[int, Field(ge=0, le=730)] | None = None
    rank: Annotated[int, Field(ge=1, le=99)] = 1


class PreferSupplier(OnSupplierItem):
    """Make this supplier of the item the preferred one; the one before takes its rank."""


def set_supplier_items(
    tasks: Sequence[Task[SetSupplierItem]], tx: Transaction
) -> Sequence[Done | DomainError]:
    """Write what suppliers ask for items; the last word on a pair counts."""
    known_suppliers = existing(tx, suppliers, (task.command.supplier_id for task in tasks))
    known_items = existing(tx, items, (task.command.item_id for task in tasks))
    prices = Prices(tx, [task.command.pair for task in tasks])
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
            before = told(prices.in_force(command.pair, task.occurred_on))
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


def _price_from(task: Task[SetSupplierItem], currency: str, prices: Prices) -> None:
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
