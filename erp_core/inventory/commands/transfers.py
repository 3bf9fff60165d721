"""Transfers between locations: shipped, in transit, received."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Annotated
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
from erp_core.inventory.checks import check_items, check_places
from erp_core.inventory.commands.stock import StockLine
from erp_core.inventory.ledger import Ledger
from erp_core.inventory.model import stock_moves
from erp_core.inventory.queries import available_units
from erp_core.inventory.rules import Bucket, Move
from erp_core.master.commands.records import AlreadyExists
from erp_core.master.queries import Names


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


def transfer_stock(task: Task[TransferStock], tx: Transaction) -> Done:
    """Move the lines from available to in transit, all or none."""
    command = task.command
    origin, destination = command.from_location_id, command.to_location_id
    places = check_places(tx, [origin, destination])
    places.require(origin, "from_location_id")
    places.require(destination, "to_location_id")
    items = check_items(tx, [line.item_id for line in command.lines])
    for line in command.lines:
        items.require(line.item_id)
    if origin == destination:
        raise SameLocation(
            "stock is already there", field="to_location_id", remedy="choose another location to transfer to"
        )
    if _in_transit(tx, command.transfer_id) is not None:
        raise AlreadyExists(
            f"transfer {command.transfer_id} was shipped before",
            field="transfer_id",
            remedy="make a new id for a new transfer",
        )
    Ledger.of(tx).post(
        [
            Move(
                "transfer",
                Bucket(line.item_id, origin),
                Bucket(line.item_id, destination, "in_transit"),
                line.quantity,
                "transfer",
                command.transfer_id,
                task.occurred_at,
                task.audit_id,
            )
            for line in command.lines
        ]
    )
    units = sum(line.quantity for line in command.lines)
    shipped = Event("TransferShipped", "transfer", command.transfer_id, 1, {"units": units})
    return Done(
        {"transfer_id": str(command.transfer_id), "units": units}, (shipped,), after={"in_transit": units}
    )


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
    arrived: dict[UUID, int] = {}
    for line in command.lines or ():
        arrived[line.item_id] = arrived.get(line.item_id, 0) + line.quantity
    if command.lines is None:
        arrived = {item_id: units for item_id, units in open_units.items() if units}
    for item_id, units in arrived.items():
        if units > open_units.get(item_id, 0):
            raise MoreThanInTransit(
                f"{units} units received, {open_units.get(item_id, 0)} are in transit",
                field="lines",
                remedy="receive what is in transit, and adjust the rest as found",
                item=item_id,
                received=units,
                in_transit=open_units.get(item_id, 0),
            )
    if not arrived:
        raise MoreThanInTransit(
            "nothing of this transfer is in transit any more",
            field="transfer_id",
            remedy="adjust stock as found if more has arrived",
        )
    ledger = Ledger.of(tx)
    ledger.post(
        [
            Move(
                "transfer",
                Bucket(item_id, destination, "in_transit"),
                Bucket(item_id, destination),
                units,
                "transfer",
                command.transfer_id,
                task.occurred_at,
                task.audit_id,
            )
            for item_id, units in arrived.items()
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


def _in_transit(tx: Transaction, transfer_id: UUID) -> tuple[UUID, dict[UUID, int], int] | None:
    """Destination, units on their way by item, and the version; None for a transfer that never left."""
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
    units: dict[UUID, int] = {}
    for row in rows:
        change = (row.to_state == "in_transit") - (row.from_state == "in_transit")
        units[row.item_id] = units.get(row.item_id, 0) + change * row.quantity
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
            each(transfer_stock),
            governed=True,
            facts=facts_each(transfer_facts),
            read_sets=transfer_read_sets,
            compensation="ReverseStock, or a transfer back",
        )
    )
    registry.register(Registration(ReceiveTransfer, each(receive_transfer)))
