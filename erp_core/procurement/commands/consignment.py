"""Consigned stock: it lies here and is the supplier's, until the company takes it over at the price in force."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field
from sqlalchemy import Connection, select

from erp_core.finance.costs import Costs, CostSource
from erp_core.finance.journal import Journal
from erp_core.gate.contract import (
    Asked,
    Command,
    DomainError,
    Done,
    Event,
    Facts,
    Registration,
    Registry,
    Task,
    Transaction,
    each,
)
from erp_core.inventory.checks import Items, check_items, check_places
from erp_core.inventory.commands import StockLine
from erp_core.inventory.ledger import Bucket, Ledger, Move
from erp_core.inventory.lots.book import LotBook, Source
from erp_core.inventory.lots.rules import named_lots
from erp_core.inventory.model import stock_moves
from erp_core.inventory.rules import CONSIGNED, NO_LOT, OWN, VIRTUAL, EventKind
from erp_core.master.commands.records import AlreadyExists, unknown
from erp_core.master.model import suppliers
from erp_core.master.queries.prices import supplier_items_by_day
from erp_core.master.rules.prices import price_at
from erp_core.master.virtual import SUPPLIER
from erp_core.procurement.errors import NoSupplierRecord
from erp_core.storage.lookup import there


class _Consignment(Command):
    document_id: UUID
    supplier_id: UUID
    location_id: UUID
    lines: Annotated[tuple[StockLine, ...], Field(min_length=1, max_length=1_000)]

    @property
    def subject(self) -> tuple[str, UUID]:
        """The consignment document."""
        return ("consignment", self.document_id)


class ReceiveConsigned(_Consignment):
    """Goods of a supplier are laid down here and stay the supplier's: counted and traced, not valued, not promised."""


class TakeOverConsigned(_Consignment):
    """Buy consigned stock that lies here, at the supplier's price of the day. Governed: it commits money.

    From then on it is the company's own: valued, and promised to whoever waits for it.
    """


def receive_consigned(task: Task[ReceiveConsigned], tx: Transaction) -> Done:
    """Post the units under the supplier's ownership."""
    command = task.command
    items = _checked(task, tx)
    source = Source("consignment", command.document_id, task.occurred_on, task.audit_id, command.supplier_id)
    lots = LotBook.of(tx)
    named = [
        one
        for line in command.lines
        for one in named_lots(line.item_id, items.tracking.get(line.item_id), line.quantity, line)
    ]
    taken = lots.take_in(named, source) if named else []
    parts = [(lot.item_id, lot.id, units) for lot, units, _ in taken]
    parts += [
        (line.item_id, NO_LOT, line.quantity) for line in command.lines if line.item_id not in items.tracking
    ]
    Ledger.of(tx).post(
        [
            _move(task, "receipt", Bucket(item_id, SUPPLIER, VIRTUAL, lot_id, CONSIGNED), units, into=True)
            for item_id, lot_id, units in parts
        ]
    )
    return _done(task, "ConsignedReceived", {})


def take_over_consigned(task: Task[TakeOverConsigned], tx: Transaction) -> Done:
    """Move the units from the supplier's ownership to the company's, and value them."""
    command = task.command
    items = _checked(task, tx)
    prices = _prices(tx.connection, [(command, task.occurred_on)])
    costs, journal = Costs.of(tx), Journal.of(tx)
    ledger, lots = Ledger.of(tx), LotBook.of(tx)
    costs.load({line.item_id for line in command.lines})
    amount, moves = 0, []
    for line in command.lines:
        price = _price(prices, command, line, task.occurred_on)
        named = named_lots(
            line.item_id, items.tracking.get(line.item_id), line.quantity, line, arriving=False
        )
        parts = [(NO_LOT, line.quantity)]
        if named:
            found = lots.find(named)
            lots.require_good((lot.id for lot, _ in found), task.occurred_on)
            parts = [(lot.id, units) for lot, units in found]
        for lot_id, units in parts:
            theirs = Bucket(line.item_id, SUPPLIER, VIRTUAL, lot_id, CONSIGNED)
            ours = Bucket(line.item_id, SUPPLIER, VIRTUAL, lot_id, OWN)
            moves += [
                _move(task, "ownership", theirs, units, into=False),
                _move(task, "ownership", ours, units, into=True),
            ]
        amount += price * line.quantity
    ledger.post(moves)
    currency = tx.connection.scalars(
        select(suppliers.c.currency).where(suppliers.c.id == command.supplier_id)
    ).one()
    for line in command.lines:
        price = _price(prices, command, line, task.occurred_on)
        paid = journal.worth(currency, price * line.quantity, task.occurred_on)
        source = CostSource(
            "receipt",
            "consignment",
            command.document_id,
            task.occurred_on,
            task.audit_id,
            contra="consigned_not_invoiced",
            paid=paid,
        )
        costs.receive(line.item_id, line.quantity, paid.value, source)
    ledger.announce()
    return _done(task, "ConsignedTakenOver", {"amount": amount})


def take_over_facts(
    asked: Sequence[Asked[TakeOverConsigned]], connection: Connection
) -> Sequence[Facts | DomainError]:
    """What the policy weighs: the amount at the prices in force, and the units."""
    days = [(one.command, one.occurred_at.date() if one.occurred_at else date.max) for one in asked]
    prices = _prices(connection, days)
    found: list[Facts | DomainError] = []
    for command, on in days:
        try:
            amount = sum(_price(prices, command, line, on) * line.quantity for line in command.lines)
        except DomainError as error:
            found.append(error)
            continue
        found.append({"amount": amount, "units": sum(line.quantity for line in command.lines)})
    return found


_Prices = dict[tuple[UUID, UUID, date], Any]


def _prices(connection: Connection, days: Sequence[tuple[TakeOverConsigned, date]]) -> _Prices:
    asked = ((command.supplier_id, line.item_id, on) for command, on in days for line in command.lines)
    return dict(supplier_items_by_day(connection, asked))


def _price(prices: _Prices, command: TakeOverConsigned, line: StockLine, on: date) -> int:
    record = prices.get((command.supplier_id, line.item_id, on))
    if record is None:
        raise NoSupplierRecord(
            "the supplier has no price in force for the item",
            field="lines.item_id",
            remedy="set the supplier's price for the item first",
            item=line.item_id,
        )
    return price_at(record.price, record.breaks, line.quantity)


def _checked(task: Task[Any], tx: Transaction) -> Items:
    command = task.command
    check_places(tx, [command.location_id]).require(command.location_id)
    items = check_items(tx, {line.item_id for line in command.lines})
    for line in command.lines:
        items.require(line.item_id, "lines.item_id", lots=True)
    if not there(tx.connection, suppliers.c.id, [command.supplier_id]):
        raise unknown("supplier", command.supplier_id)
    tx.flush()
    if there(tx.connection, stock_moves.c.document_id, [command.document_id]):
        raise AlreadyExists(
            f"consignment {command.document_id} was posted before",
            field="document_id",
            remedy="make a new id for a new document",
        )
    return items


def _move(task: Task[Any], event: EventKind, outside: Bucket, units: int, *, into: bool) -> Move:
    """Units of an owner in from outside, or out to there."""
    command = task.command
    here = Bucket(outside.item_id, command.location_id, "available", outside.lot_id, outside.owner)
    source, target = (outside, here) if into else (here, outside)
    return Move(
        event,
        source,
        target,
        units,
        "consignment",
        command.document_id,
        task.occurred_at,
        task.audit_id,
    )


def _done(task: Task[Any], event: str, told: dict[str, Any]) -> Done:
    command = task.command
    units = sum(line.quantity for line in command.lines)
    result = {"document_id": str(command.document_id), "units": units}
    return Done(
        result | told,
        (Event(event, "consignment", command.document_id, 1, result),),
        after={"units": units} | told,
    )


def register(registry: Registry) -> None:
    """Add the commands of consigned stock."""
    registry.register(Registration(ReceiveConsigned, each(receive_consigned)))
    registry.register(
        Registration(
            TakeOverConsigned,
            each(take_over_consigned),
            governed=True,
            facts=take_over_facts,
            compensation="a return to the supplier, by AdjustStock",
        )
    )
