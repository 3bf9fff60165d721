"""Releasing orders to pick by cutoff and capacity, and choosing the carrier by hand."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field
from sqlalchemy import select

from erp_core.gate.contract import Command, DomainError, Done, Registration, Registry, Task, Transaction, each
from erp_core.inventory.reservations import Reservations
from erp_core.master.commands.records import existing, unknown
from erp_core.master.model import locations
from erp_core.master.queries.reasons import Reasons
from erp_core.master.values import ReasonCode
from erp_core.orders import picking
from erp_core.orders.book import BookOrder, OrderBook, Way
from erp_core.orders.carriers import RateShop
from erp_core.orders.commands.picking import load_picks, order_of, pick_done
from erp_core.orders.model_service import pick_capacities
from erp_core.orders.queries.waves import lead_time, ready_to_pick
from erp_core.orders.rules import CARRIER_REASONS
from erp_core.orders.rules.waves import Candidate, plan_wave
from erp_core.orders.splits import SplitPolicy
from erp_core.storage.bulk import upsert_replace

_LOOKED_AT = 2_000


class SetPickCapacity(Command):
    """How many units the people of a place can have on pick lists at once, and how long fetching and packing takes."""

    location_id: UUID
    open_units: Annotated[int, Field(ge=1, le=10**9)]
    lead_minutes: Annotated[int, Field(ge=0, le=7 * 24 * 60)] = 60

    @property
    def subject(self) -> tuple[str, UUID]:
        """The place."""
        return ("location", self.location_id)


class ReleaseWave(Command):
    """Release the most urgent orders of a place to pick, as many as its people can take.

    The earliest carrier cutoff comes first; orders that would be split beyond what is allowed are left out and named. With a `wave_id` they are one wave; without one each goes as hands
    come free: repeat it as often as you like. Orders that wait for goods are left out, unless some were shipped.
    """

    location_id: UUID
    wave_id: UUID | None = None

    @property
    def subject(self) -> tuple[str, UUID]:
        """The place."""
        return ("location", self.location_id)


class ChooseCarrier(Command):
    """Send a parcel with another service than the rules chose. The reason is kept."""

    pick_id: UUID
    service_id: UUID
    reason_code: ReasonCode

    @property
    def subject(self) -> tuple[str, UUID]:
        """The pick list."""
        return ("pick_list", self.pick_id)


class NoSuchService(DomainError):
    """The service does not go from the place to the customer."""

    code = "service_not_offered"


def set_pick_capacity(task: Task[SetPickCapacity], tx: Transaction) -> Done:
    """Write it."""
    command = task.command
    if not existing(tx, locations, [command.location_id]).get(command.location_id, {}).get("physical"):
        raise unknown("location", command.location_id)
    column = pick_capacities.c.location_id
    was = tx.connection.execute(select(pick_capacities).where(column == command.location_id)).one_or_none()
    names = ("open_units", "lead_minutes")
    after = {name: getattr(command, name) for name in names}
    row = {"location_id": command.location_id, **after, "audit_id": task.audit_id}
    upsert_replace(tx.connection, pick_capacities, [row], [*names, "audit_id"])
    before = None if was is None else {name: was._mapping[name] for name in names}
    return Done(before=before, after=after)


def release_wave(task: Task[ReleaseWave], tx: Transaction) -> Done:
    """Plan the wave and release it; orders that somebody else is working on are left for the next one."""
    command, book = task.command, OrderBook.of(tx)
    book.flush()
    capacity, busy, lead = lead_time(tx.connection, command.location_id)
    rows = ready_to_pick(tx.connection, command.location_id, _LOOKED_AT)
    book.load((row.id for row in rows), skip_busy=True)
    found: dict[UUID, tuple[BookOrder, dict[UUID, int]]] = {}
    splits = SplitPolicy(tx, [book.get(row.id) for row in rows if book.loaded(row.id)])
    unsplit = []
    for row in rows:
        if book.loaded(row.id):
            order = book.get(row.id)
            units = picking.units_to_pick(order, command.location_id)
            if units and splits.permits(order, units):
                found[order.id] = order, units
            elif units:
                unsplit.append(str(order.id))
    shop = RateShop(tx.connection, [order for order, _ in found.values()], task.occurred_at + lead)
    ways = {id_: shop.choose(order, command.location_id, units) for id_, (order, units) in found.items()}
    rows_by_id = {row.id: row for row in rows}
    wave = plan_wave(
        (
            Candidate(
                id_,
                sum(units.values()),
                ways[id_].cutoff,
                rows_by_id[id_].priority,
                order.promised_on,
                rows_by_id[id_].ordered_at,
            )
            for id_, (order, units) in found.items()
        ),
        capacity,
        busy,
    )
    Reservations.of(tx).load([one.order_id for one in wave.released])
    events, released = [], []
    for one in wave.released:
        order = found[one.order_id][0]
        pick = picking.release(
            tx,
            order,
            splits,
            tx.new_id(),
            command.location_id,
            task.occurred_at,
            task.audit_id,
            wave_id=command.wave_id,
            way=ways[one.order_id],
        )
        events.append(order.event("OrderPickReleased", pick_id=str(pick.id), units=one.units))
        released.append({"order_id": str(order.id), "pick_id": str(pick.id), "units": one.units})
    total = sum(one.units for one in wave.released)
    return Done(
        {"released": released, "units": total, "waiting": len(wave.waiting), "split_not_allowed": unsplit},
        tuple(events),
        after={"orders": len(released), "units": total, "waiting": len(wave.waiting)},
    )


def choose_carrier(task: Task[ChooseCarrier], tx: Transaction) -> Done:
    """Take the service where it is offered, at its price."""
    command = task.command
    known = load_picks(tx, [command.pick_id])
    order = OrderBook.of(tx).get(order_of(command.pick_id, known))
    pick = picking.find_pick(order, command.pick_id)
    reason = Reasons.of(tx).require(CARRIER_REASONS, command.reason_code)
    shop = RateShop(tx.connection, [order], task.occurred_at)
    offers = shop.offers(order, pick.location_id, pick.units, any_speed=True)
    offer = next((one for one in offers if one.service.id == command.service_id), None)
    if offer is None:
        codes = sorted(one.service.code for one in offers)
        raise NoSuchService(
            "the service does not go from this place to the customer",
            field="service_id",
            remedy=f"choose one of {', '.join(codes)}" if codes else "set up a lane and a cutoff first",
            offered=codes,
        )
    before = {"service": pick.way.service_id and str(pick.way.service_id), "reason": pick.way.reason}
    pick.way = Way.by(offer, reason.code, override=True)
    pick.changed = True
    order.step_to(order.status, task.occurred_at)
    done = pick_done(
        "OrderCarrierChosen", order, pick, before, service=offer.service.code, reason=reason.code
    )
    return done


def register(registry: Registry) -> None:
    """Add the commands."""
    registry.register(Registration(SetPickCapacity, each(set_pick_capacity)))
    registry.register(Registration(ReleaseWave, each(release_wave)))
    registry.register(Registration(ChooseCarrier, each(choose_carrier)))
