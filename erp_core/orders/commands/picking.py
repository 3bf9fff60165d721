"""The way of an order through the warehouse: released, picked, packed. Shipping is `ship`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, Any, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select

from erp_core.gate.contract import (
    Command,
    DomainError,
    Done,
    NotFound,
    Registration,
    Registry,
    Task,
    Transaction,
)
from erp_core.inventory.ledger import Ledger
from erp_core.inventory.lots.rules import LotCode
from erp_core.inventory.reservations import NothingReserved, Reservations
from erp_core.inventory.scanning import Barcode
from erp_core.master.commands.records import AlreadyExists
from erp_core.master.queries.reasons import Reasons
from erp_core.master.values import Code, ReasonCode
from erp_core.orders import picking
from erp_core.orders.book import BookOrder, BookPick, OrderBook
from erp_core.orders.carriers import RateShop
from erp_core.orders.kits import require_whole_kits
from erp_core.orders.model import pick_lists
from erp_core.orders.rules import PICK_REASONS
from erp_core.orders.scans import check_scans
from erp_core.orders.splits import SplitPolicy
from erp_core.storage.lookup import fetch_in, there

_PICKS = select(pick_lists.c.id, pick_lists.c.order_id, pick_lists.c.status)


class ReleasePick(Command):
    """Let what is reserved for an order at one place be fetched, now: a pick list for one parcel."""

    order_id: UUID
    pick_id: UUID
    location_id: UUID | None = None

    @property
    def subject(self) -> tuple[str, UUID]:
        """The order."""
        return ("order", self.order_id)


class PickedLine(BaseModel):
    """What was found of an order line: of which lot, which numbered units, under which label."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    line_id: UUID
    quantity: Annotated[int, Field(ge=0, le=10**9)]
    barcode: Barcode | None = None
    lot_code: LotCode | None = None
    serials: Annotated[tuple[LotCode, ...], Field(max_length=10_000)] = ()


class ConfirmPick(Command):
    """The goods of a pick list are on the cart: all of them, or what `lines` say was found.

    What was not found stays reserved for the order, on no pick list.
    """

    pick_id: UUID
    lines: tuple[PickedLine, ...] | None = None
    scanned_location: Code | None = Field(default=None, description="the label of the place, as scanned")

    @property
    def subject(self) -> tuple[str, UUID]:
        """The pick list."""
        return ("pick_list", self.pick_id)


class ConfirmPack(Command):
    """What was picked is in a parcel, ready for the carrier."""

    pick_id: UUID

    @property
    def subject(self) -> tuple[str, UUID]:
        """The pick list."""
        return ("pick_list", self.pick_id)


class CancelPick(Command):
    """Put what was fetched back; it stays reserved for the order."""

    pick_id: UUID
    reason_code: ReasonCode

    @property
    def subject(self) -> tuple[str, UUID]:
        """The pick list."""
        return ("pick_list", self.pick_id)


class MoreThanOnPick(DomainError):
    """A pick list was answered with more than it asks for, or with lines it does not have."""

    code = "more_than_on_pick"


C = TypeVar("C", ConfirmPick, ConfirmPack, CancelPick)


def release_picks(tasks: Sequence[Task[ReleasePick]], tx: Transaction) -> Sequence[Done | DomainError]:
    """Release the orders one after the other."""
    book, order_ids = OrderBook.of(tx), {task.command.order_id for task in tasks}
    book.load(order_ids)
    Reservations.of(tx).load(order_ids)
    taken = there(tx.connection, pick_lists.c.id, (task.command.pick_id for task in tasks))
    some = [book.get(id_) for id_ in order_ids if book.loaded(id_)]
    shop, splits = RateShop(tx.connection, some, tasks[0].occurred_at), SplitPolicy(tx, some)
    outcomes: list[Done | DomainError] = []
    for task in tasks:
        command = task.command
        try:
            order = book.get(command.order_id)
            if command.pick_id in taken:
                raise AlreadyExists(
                    f"pick list {command.pick_id} is there already", field="pick_id", remedy="make a new id"
                )
            before = {"status": order.status}
            pick = picking.release(
                tx, order, splits, command.pick_id, command.location_id, task.occurred_at, task.audit_id
            )
            pick.way = shop.choose(order, pick.location_id, pick.units)
        except DomainError as error:
            outcomes.append(error)
            continue
        taken.add(pick.id)
        outcomes.append(pick_done("OrderPickReleased", order, pick, before))
    return outcomes


def confirm_picks(tasks: Sequence[Task[ConfirmPick]], tx: Transaction) -> Sequence[Done | DomainError]:
    """Move what was found from the shelf to the cart."""

    def confirm(task: Task[ConfirmPick], order: BookOrder, pick: BookPick) -> str:
        found = _found(task.command, pick)
        require_whole_kits(order, found)
        check_scans(tx, order, pick, task.command, task.occurred_at, task.audit_id)
        picking.confirm(tx, order, pick, found, task.occurred_at, task.audit_id)
        return "OrderPicked"

    return _on_picks(tasks, tx, confirm)


def confirm_packs(tasks: Sequence[Task[ConfirmPack]], tx: Transaction) -> Sequence[Done | DomainError]:
    """Note that the parcels are packed; nothing moves."""

    def pack(task: Task[ConfirmPack], order: BookOrder, pick: BookPick) -> str:
        pick.step_to("packed", task.occurred_at)
        order.advance(task.occurred_at)
        return "OrderPacked"

    return _on_picks(tasks, tx, pack)


def cancel_picks(tasks: Sequence[Task[CancelPick]], tx: Transaction) -> Sequence[Done | DomainError]:
    """Put the goods back."""

    def cancel(task: Task[CancelPick], order: BookOrder, pick: BookPick) -> str:
        Reasons.of(tx).require(PICK_REASONS, task.command.reason_code)
        picking.withdraw(tx, order, pick, task.occurred_at, task.audit_id)
        order.advance(task.occurred_at)
        return "OrderPickCancelled"

    return _on_picks(tasks, tx, cancel)


def _on_picks(
    tasks: Sequence[Task[C]], tx: Transaction, step: Callable[[Task[C], BookOrder, BookPick], str]
) -> list[Done | DomainError]:
    """Take a step with each pick list, one after the other over shared reads; `step` gives the event's name."""
    known = load_picks(tx, (task.command.pick_id for task in tasks))
    book = OrderBook.of(tx)
    outcomes: list[Done | DomainError] = []
    for task in tasks:
        try:
            order = book.get(order_of(task.command.pick_id, known))
            pick = picking.find_pick(order, task.command.pick_id)
            before = {"status": order.status, "pick": pick.status}
            event = step(task, order, pick)
        except DomainError as error:
            outcomes.append(error)
            continue
        reason = getattr(task.command, "reason_code", None)
        outcomes.append(pick_done(event, order, pick, before, **({"reason": reason} if reason else {})))
    return outcomes


def load_picks(tx: Transaction, pick_ids: Iterable[UUID]) -> dict[UUID, UUID]:
    """Load the orders of these pick lists, their reservations and stock. Gives the order by pick list."""
    known = {row.id: row.order_id for row in fetch_in(tx.connection, _PICKS, pick_lists.c.id, pick_ids)}
    order_ids = set(known.values())
    reservations = Reservations.of(tx)
    OrderBook.of(tx).load(order_ids)
    reservations.load(order_ids)
    Ledger.of(tx).load(reservations.buckets(order_ids))
    return known


def order_of(pick_id: UUID, known: dict[UUID, UUID]) -> UUID:
    """The order of a pick list that was looked for. Raises `NotFound`."""
    if pick_id not in known:
        raise NotFound(
            f"there is no pick list {pick_id}", field="pick_id", remedy="list the pick lists that are open"
        )
    return known[pick_id]


def _found(command: ConfirmPick, pick: BookPick) -> dict[UUID, int]:
    if command.lines is None:
        return dict(pick.units)
    found: dict[UUID, int] = {}
    for line in command.lines:
        found[line.line_id] = found.get(line.line_id, 0) + line.quantity
    for line_id, units in found.items():
        wanted = pick.units.get(line_id, 0)
        if units > wanted:
            raise MoreThanOnPick(
                f"{units} units of line {line_id} were picked, {wanted} are on the pick list",
                field="lines.quantity",
                remedy=f"put back what is more than {wanted}",
                line=line_id,
                wanted=wanted,
            )
    if not any(found.values()):
        raise NothingReserved(
            "nothing was picked", field="lines", remedy="cancel the pick list where nothing can be found"
        )
    return found


def pick_done(event: str, order: BookOrder, pick: BookPick, before: dict[str, Any], **data: Any) -> Done:
    """The answer to a step of a pick list, with the order's event."""
    units = sum(pick.units.values())
    return Done(
        {"order_id": str(order.id), "pick_id": str(pick.id), "status": order.status, "units": units},
        (order.event(event, pick_id=str(pick.id), units=units, **data),),
        before=before,
        after={"status": order.status, "pick": pick.status, **data},
    )


def register(registry: Registry) -> None:
    """Add the commands of the warehouse."""
    registry.register(Registration(ReleasePick, release_picks))
    registry.register(Registration(ConfirmPick, confirm_picks))
    registry.register(Registration(ConfirmPack, confirm_packs))
    registry.register(Registration(CancelPick, cancel_picks))
