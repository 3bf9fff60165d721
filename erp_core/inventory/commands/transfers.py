"""Transfers between locations: shipped, in transit, received."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field
from sqlalchemy import Connection, select

from erp_core.gate.contract import (
    Asked,
    Command,
    DomainError,
    Done,
    Event,
    Facts,
    NotFound,
    ReadSet,
    Registration,
    Registry,
    Task,
    Transaction,
    each,
    facts_each,
)
from erp_core.inventory.checks import Items, Places, check_items, check_places
from erp_core.inventory.commands.stock import StockLine
from erp_core.inventory.ledger import Ledger
from erp_core.inventory.lots.book import LotBook
from erp_core.inventory.lots.rules import first_expired, named_lots
from erp_core.inventory.model import stock_moves
from erp_core.inventory.queries import available_units
from erp_core.inventory.rules import NO_LOT, Bucket, Move, State
from erp_core.master.commands.records import AlreadyExists
from erp_core.master.queries import Names
from erp_core.storage.lookup import fetch_in

_Units = dict[tuple[UUID, UUID], int]


class TransferStock(Command):
    """Send available stock on its way. Governed. It is in transit at the destination until received there."""

    transfer_id: UUID
    from_location_id: UUID
    to_location_id: UUID
    lines: Annotated[tuple[StockLine, ...], Field(min_length=1, max_length=10_000)]

    @property
    def subject(self) -> tuple[str, UUID]:
        """The transfer."""
        return ("transfer", self.transfer_id)


class ReceiveTransfer(Command):
    """Take in what arrived of a transfer: all that is still in transit, or the quantities given.

    What did not arrive stays in transit until it does, or until it is adjusted away.
    """

    transfer_id: UUID
    lines: tuple[StockLine, ...] | None = None

    @property
    def subject(self) -> tuple[str, UUID]:
        """The transfer."""
        return ("transfer", self.transfer_id)


class SameLocation(DomainError):
    """A transfer goes somewhere else."""

    code = "same_location"


class MoreThanInTransit(DomainError):
    """More is received than is on its way."""

    code = "more_than_in_transit"


def transfer_stock(tasks: Sequence[Task[TransferStock]], tx: Transaction) -> Sequence[Done | DomainError]:
    """Move each transfer's lines from available to in transit, all or none."""
    commands = [task.command for task in tasks]
    ledger, lots = Ledger.of(tx), LotBook.of(tx)
    ledger.flush()
    shipped = _shipped(tx, [one.transfer_id for one in commands])
    places = check_places(
        tx, {place for one in commands for place in (one.from_location_id, one.to_location_id)}
    )
    items = check_items(tx, {line.item_id for one in commands for line in one.lines})
    lots.read_stock(items.tracking)
    wanted = _wanted(commands, items, places, lots)
    if items.tracking:
        ledger.load(wanted)
    else:
        ledger.load_plenty(wanted)
    outcomes: list[Done | DomainError] = []
    for task in tasks:
        try:
            _check(task.command, items, places, shipped)
            moves = [
                _move(task, source, task.command.to_location_id, "in_transit", units)
                for source, units in _leaving_lots(task, items, lots)
            ]
            ledger.post(moves)
        except DomainError as error:
            outcomes.append(error)
            continue
        shipped.add(task.command.transfer_id)
        outcomes.append(_sent(task.command))
    return outcomes


def _wanted(
    commands: Sequence[TransferStock], items: Items, places: Places, lots: LotBook
) -> dict[Bucket, int]:
    """Units by bucket that leave, and 0 of those where they are on their way. Which lots leave is chosen later."""
    wanted = dict.fromkeys(lots.buckets(items.tracking, ("available",)), 0)
    for one in commands:
        if one.from_location_id not in places or one.to_location_id not in places:
            continue
        for line in one.lines:
            if line.item_id in items and line.item_id not in items.tracking:
                leaves = Bucket.of(line.item_id, one.from_location_id)
                wanted[leaves] = wanted.get(leaves, 0) + line.quantity
                wanted.setdefault(Bucket.of(line.item_id, one.to_location_id, "in_transit"), 0)
    return wanted


def _shipped(tx: Transaction, ids: Sequence[UUID]) -> set[UUID]:
    """Those of the transfers that left before."""
    found = select(stock_moves.c.document_id).where(stock_moves.c.document_kind == "transfer").distinct()
    return {row[0] for row in fetch_in(tx.connection, found, stock_moves.c.document_id, ids)}


def _check(command: TransferStock, items: Items, places: Places, shipped: Collection[UUID]) -> None:
    places.require(command.from_location_id, "from_location_id")
    places.require(command.to_location_id, "to_location_id")
    for line in command.lines:
        items.require(line.item_id, lots=True)
    if command.from_location_id == command.to_location_id:
        raise SameLocation(
            "stock is already there", field="to_location_id", remedy="choose another location to transfer to"
        )
    if command.transfer_id in shipped:
        raise AlreadyExists(
            f"transfer {command.transfer_id} was shipped before",
            field="transfer_id",
            remedy="make a new id for a new transfer",
        )


def _sent(command: TransferStock) -> Done:
    units = sum(line.quantity for line in command.lines)
    event = Event("TransferShipped", "transfer", command.transfer_id, 1, {"units": units})
    return Done(
        {"transfer_id": str(command.transfer_id), "units": units}, (event,), after={"in_transit": units}
    )


def _leaving_lots(task: Task[TransferStock], items: Items, lots: LotBook) -> Iterator[tuple[Bucket, int]]:
    """Where what leaves lies, with its units: the lots that are named, or those that expire first."""
    command, place = task.command, task.command.from_location_id
    taken: Counter[UUID] = Counter()
    for line in command.lines:
        tracking = items.tracking.get(line.item_id)
        if tracking is None:
            named_lots(line.item_id, None, line.quantity, line)
            yield Bucket.of(line.item_id, place), line.quantity
            continue
        if line.lot_code is not None or line.serials:
            said = named_lots(line.item_id, tracking, line.quantity, line, arriving=False)
            chosen = [(lot.id, units) for lot, units in lots.find(said)]
        else:
            named_lots(line.item_id, None, line.quantity, line)
            chosen = lots.choose(line.item_id, place, line.quantity, task.occurred_on, taken=taken)
        taken.update(dict(chosen))
        for lot_id, units in chosen:
            yield Bucket.of(line.item_id, place, "available", lot_id), units


def _move(task: Task[Any], source: Bucket, location_id: UUID, state: State, units: int) -> Move:
    target = Bucket.of(source.item_id, location_id, state, source.lot_id)
    document_id = task.command.transfer_id
    return Move("transfer", source, target, units, "transfer", document_id, task.occurred_at, task.audit_id)


def receive_transfer(task: Task[ReceiveTransfer], tx: Transaction) -> Done:
    """Move what arrived from in transit to available at the destination."""
    command = task.command
    waiting = _in_transit(tx, command.transfer_id)
    if waiting is None:
        raise NotFound(
            f"there is no transfer {command.transfer_id}",
            field="transfer_id",
            remedy="ship the transfer first",
        )
    destination, open_units, version = waiting
    lots = LotBook.of(tx)
    arrived = open_units if command.lines is None else _arrived(tx, command.lines, open_units, lots)
    arrived = {pair: units for pair, units in arrived.items() if units}
    if not arrived:
        raise MoreThanInTransit(
            "nothing of this transfer is in transit any more",
            field="transfer_id",
            remedy="adjust stock as found if more has arrived",
        )
    ledger = Ledger.of(tx)
    lots.read(lot_id for _, lot_id in arrived)
    ledger.post(
        [
            _move(
                task,
                Bucket.of(item_id, destination, "in_transit", lot_id),
                destination,
                "available" if lot_id == NO_LOT else lots.get(lot_id).state_on(task.occurred_on),
                units,
            )
            for (item_id, lot_id), units in arrived.items()
        ]
    )
    ledger.announce()
    units = sum(arrived.values())
    missing = sum(open_units.values()) - units
    told = {"units": units, "still_in_transit": missing}
    return Done(
        {"transfer_id": str(command.transfer_id), **told},
        (Event("TransferReceived", "transfer", command.transfer_id, version + 1, told),),
        before={"in_transit": units + missing},
        after={"in_transit": missing},
    )


def _arrived(tx: Transaction, lines: Sequence[StockLine], open_units: _Units, lots: LotBook) -> _Units:
    """Units by item and lot that the lines say came in: the named lots, or those on their way that expire first.

    Raises `MoreThanInTransit`.
    """
    tracking = check_items(tx, [line.item_id for line in lines]).tracking
    left = Counter(open_units)
    arrived: Counter[tuple[UUID, UUID]] = Counter()
    lots.read(lot_id for _, lot_id in open_units)
    for line in lines:
        tracked = tracking.get(line.item_id)
        if tracked is not None and (line.lot_code is not None or line.serials):
            said = named_lots(line.item_id, tracked, line.quantity, line, arriving=False)
            parts = [((line.item_id, lot.id), units) for lot, units in lots.find(said)]
        elif tracked is not None:
            coming = [
                (lots.get(lot_id), units)
                for (item_id, lot_id), units in left.items()
                if item_id == line.item_id
            ]
            parts = [((line.item_id, lot.id), units) for lot, units in first_expired(coming, line.quantity)]
        else:
            named_lots(line.item_id, None, line.quantity, line)
            parts = [((line.item_id, NO_LOT), line.quantity)]
        found = sum(min(units, left[pair]) for pair, units in parts)
        if found < line.quantity:
            raise MoreThanInTransit(
                f"{line.quantity} units received, {found} are in transit",
                field="lines",
                remedy="receive what is in transit, and adjust the rest as found",
                item=line.item_id,
                received=line.quantity,
                in_transit=found,
            )
        for pair, units in parts:
            left[pair] -= units
            arrived[pair] += units
    return arrived


def _in_transit(tx: Transaction, transfer_id: UUID) -> tuple[UUID, _Units, int] | None:
    """Destination, units on their way by item and lot, and the version; None for a transfer that never left."""
    tx.flush()
    rows = tx.connection.execute(
        select(stock_moves).where(
            stock_moves.c.document_id == transfer_id, stock_moves.c.document_kind == "transfer"
        )
    ).all()
    if not rows:
        return None
    destinations = {
        row.to_location_id for row in rows if row.event == "transfer" and row.to_state == "in_transit"
    }
    units: _Units = {}
    for row in rows:
        pair = (row.item_id, row.lot_id)
        change = (row.to_state == "in_transit") - (row.from_state == "in_transit")
        units[pair] = units.get(pair, 0) + change * row.quantity
    return destinations.pop(), units, len({row.audit_id for row in rows})


def transfer_facts(command: TransferStock, preceding: Sequence[Command], connection: Connection) -> Facts:
    """What the policy weighs: the units that leave."""
    return {"units": sum(line.quantity for line in command.lines)}


def transfer_read_sets(asked: Sequence[Asked[TransferStock]], connection: Connection) -> Sequence[ReadSet]:
    """What each item has available where it leaves; half of what leaves may come or go meanwhile."""
    commands = [one.command for one in asked]
    leaving = [_leaving(one) for one in commands]
    items = {item_id for units in leaving for item_id, _ in units}
    names = Names.read(connection, items=items, locations={one.from_location_id for one in commands})
    available = available_units(connection, items)
    return [
        [
            {
                "fact": f"available of {names.code(pair[0])} at {names.code(pair[1])}",
                "value": available.get(pair, 0),
                "tolerance": max(quantity // 2, 1),
            }
            for pair, quantity in units.items()
        ]
        for units in leaving
    ]


def _leaving(command: TransferStock) -> Counter[tuple[UUID, UUID]]:
    """Units by item and the place they leave: lines of the same item together."""
    units: Counter[tuple[UUID, UUID]] = Counter()
    for line in command.lines:
        units[line.item_id, command.from_location_id] += line.quantity
    return units


def register(registry: Registry) -> None:
    """Add the transfer commands."""
    registry.register(
        Registration(
            TransferStock,
            transfer_stock,
            governed=True,
            facts=facts_each(transfer_facts),
            read_sets=transfer_read_sets,
            compensation="ReverseStock, or a transfer back",
        )
    )
    registry.register(Registration(ReceiveTransfer, each(receive_transfer)))
