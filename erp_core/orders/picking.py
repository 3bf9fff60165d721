"""Pick lists of a loaded order: what is fetched at one place for one parcel."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from erp_core.gate.contract import DomainError, NotFound, Transaction
from erp_core.gate.statuses import require_step
from erp_core.inventory.reservations import NothingReserved, Reservations
from erp_core.orders.book import BookOrder, BookPick, Way
from erp_core.orders.rules import COMMITTED, ORDER_STATUSES
from erp_core.orders.splits import SplitPolicy


class PickInProgress(DomainError):
    """The goods are being fetched for a parcel already."""

    code = "pick_in_progress"


class SeveralLocations(DomainError):
    """One parcel leaves from one place."""

    code = "several_locations"


class AlreadyPacked(DomainError):
    """The goods are in a parcel."""

    code = "already_packed"


def pick_at(order: BookOrder, location_id: UUID) -> BookPick | None:
    """The order's open pick list at a place."""
    return next((pick for pick in order.open_picks if pick.location_id == location_id), None)


def units_to_pick(order: BookOrder, location_id: UUID | None = None) -> dict[UUID, int]:
    """Units by line that lie reserved and on no pick list, at this place or anywhere."""
    busy = {pick.location_id for pick in order.open_picks}
    return {
        line.id: line.parts.reserved - line.parts.picked
        for line in order.lines.values()
        if line.parts.reserved > line.parts.picked
        and line.location_id not in busy
        and location_id in (None, line.location_id)
    }


def require_one_place(order: BookOrder, units: dict[UUID, int], location_id: UUID | None) -> UUID:
    """The place of these units. Raises `PickInProgress`, `NothingReserved` or `SeveralLocations`."""
    if not units:
        picks = [pick for pick in order.open_picks if location_id in (None, pick.location_id)]
        if picks:
            raise PickInProgress(
                f"what is reserved for order {order.number} is on a pick list",
                field="pick_id",
                remedy=f"pick, pack and ship pick list {picks[0].id}, or cancel it",
                pick=picks[0].id,
            )
        raise NothingReserved(
            f"nothing is reserved for order {order.number}",
            field="order_id",
            remedy="wait for stock, or cancel what cannot be had",
        )
    places = {order.lines[line_id].location_id for line_id in units}
    if len(places) > 1:
        raise SeveralLocations(
            f"order {order.number} is reserved at several locations",
            field="location_id",
            remedy="send one parcel from each: name the location",
        )
    return places.pop()


def release(
    tx: Transaction,
    order: BookOrder,
    splits: SplitPolicy,
    pick_id: UUID,
    location_id: UUID | None,
    at: datetime,
    audit_id: UUID,
    wave_id: UUID | None = None,
    way: Way | None = None,
) -> BookPick:
    """Put what is reserved at one place on a pick list; its reservations run out no more.

    Raises `IllegalTransition`, `SplitNotAllowed`, and what `require_one_place` raises.
    """
    if order.status not in COMMITTED:
        require_step(ORDER_STATUSES, order.status, "pick_released", f"order {order.number}")
    units = units_to_pick(order, location_id)
    place = require_one_place(order, units, location_id)
    splits.require(order, units)
    pick = BookPick(pick_id, order.id, place, wave_id, "released", at, at, audit_id)
    pick.units, pick.way, pick.new, pick.changed = units, way or Way(), True, True
    order.picks[pick_id] = pick
    Reservations.of(tx).keep(order.id)
    order.advance(at)
    return pick


def confirm(
    tx: Transaction, order: BookOrder, pick: BookPick, found: dict[UUID, int], at: datetime, audit_id: UUID
) -> None:
    """Note what was fetched: `found` units by line, at most those asked for. The rest stays reserved.

    Raises `IllegalTransition` or `NothingReserved`.
    """
    pick.step_to("picked", at)
    taken = {line_id: units for line_id, units in found.items() if units}
    Reservations.of(tx).take(order.id, taken, "picked", at, audit_id, ("pick_list", pick.id))
    for line_id in pick.units:
        pick.units[line_id] = found.get(line_id, 0)
    for line_id, units in taken.items():
        order.lines[line_id].parts.picked += units
        order.lines[line_id].changed = True
    order.advance(at)


def withdraw(tx: Transaction, order: BookOrder, pick: BookPick, at: datetime, audit_id: UUID) -> None:
    """Cancel a pick list: what was fetched goes back to its place and stays reserved for the order.

    The order's status is the caller's to set. Raises `IllegalTransition`.
    """
    fetched = pick.status != "released"
    pick.step_to("cancelled", at)
    if fetched:
        units = {line_id: units for line_id, units in pick.units.items() if units}
        Reservations.of(tx).take(order.id, units, "pending", at, audit_id, ("pick_list", pick.id))
        for line_id, count in units.items():
            order.lines[line_id].parts.picked -= count
            order.lines[line_id].changed = True


def withdraw_unpacked(
    tx: Transaction, order: BookOrder, line_ids: set[UUID], at: datetime, audit_id: UUID
) -> None:
    """Cancel the pick lists that hold any of these lines. Raises `AlreadyPacked`, and cancels none then."""
    picks = [pick for pick in order.open_picks if any(pick.units.get(line_id) for line_id in line_ids)]
    for pick in picks:
        if pick.status == "packed":
            raise AlreadyPacked(
                f"a parcel of order {order.number} is packed",
                field="order_id",
                remedy=f"cancel pick list {pick.id} first, or let the customer return the goods",
                pick=pick.id,
            )
    for pick in picks:
        withdraw(tx, order, pick, at, audit_id)


def find_pick(order: BookOrder, pick_id: UUID) -> BookPick:
    """An open pick list of a loaded order. Raises `NotFound`."""
    if pick_id not in order.picks:
        raise NotFound(
            f"order {order.number} has no open pick list {pick_id}",
            field="pick_id",
            remedy="list the pick lists that are open",
        )
    return order.picks[pick_id]
