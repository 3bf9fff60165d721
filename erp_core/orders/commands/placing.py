"""Placing a batch of orders: one order per external reference, reserved as far as stock allows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select

from erp_core.finance.costs import Costs
from erp_core.gate.contract import DomainError, Done, Event, Task, Transaction
from erp_core.inventory import locks
from erp_core.inventory.checks import check_items, check_places
from erp_core.inventory.ledger import Bucket, Ledger
from erp_core.inventory.lots.book import LotBook
from erp_core.inventory.reservations import Request, Reservations
from erp_core.master.commands.records import unknown
from erp_core.master.model import channels
from erp_core.master.model_fulfilment import carrier_cutoffs, channel_locations, fulfilment_rules
from erp_core.master.queries import list_locations
from erp_core.master.queries.trade import ANY_RULE
from erp_core.orders.after_shipping import DueOf, follow_parcels
from erp_core.orders.commands.counter import CounterSales
from erp_core.orders.commands.kits import OpenedKits
from erp_core.orders.commands.known import Known, KnownOrders, order_number
from erp_core.orders.commands.new_orders import NewOrders
from erp_core.orders.commands.place import (
    NoWarehouse,
    OrderLine,
    PlaceOrder,
    RepeatedLine,
)
from erp_core.orders.events import LinesBackordered
from erp_core.orders.gross import GrossPrices
from erp_core.orders.in_units import InUnits
from erp_core.orders.model import customers, order_lines
from erp_core.orders.model_service import channel_quotas
from erp_core.orders.nodes import Nodes, Speeds
from erp_core.orders.outages import Rerouting
from erp_core.orders.oversold import raise_oversold
from erp_core.orders.restrictions import Restrictions
from erp_core.orders.rules import hold_reason_of
from erp_core.orders.shares import Shares, lock_oversell
from erp_core.orders.trade import SalesTrade
from erp_core.storage.lookup import fetch_in, there

_CHANNELS = select(
    channels.c.id,
    select(channel_quotas.c.channel_id).where(channel_quotas.c.active).exists().label("shared"),
    channels.c.id.in_(select(channel_locations.c.channel_id)).label("bound"),
    select(fulfilment_rules.c.id)
    .where(fulfilment_rules.c.active, fulfilment_rules.c.locations.is_not(None))
    .exists()
    .label("ruled"),
    select(carrier_cutoffs.c.location_id).exists().label("served"),
    ANY_RULE.label("traded"),
)


def place_orders(
    tasks: Sequence[Task[PlaceOrder]], tx: Transaction, *, due: DueOf | None = None
) -> Sequence[Done | DomainError]:
    """Place the orders one after the other over shared reads and writes. With `due`, who refills hears what was handed over."""
    placing = _Placing(tasks, tx)
    outcomes: list[Done | DomainError] = []
    for task in placing.tasks:
        try:
            outcomes.append(placing.place(task))
        except DomainError as error:
            outcomes.append(error)
    placing.new.write()
    placing.announce()
    return follow_parcels(placing.tasks, tx, outcomes, due=due, tell=False)


class _Placing:
    """One batch: what it has to know, decided order by order, and the rows to write."""

    def __init__(self, tasks: Sequence[Task[PlaceOrder]], tx: Transaction) -> None:
        self._tx = tx
        self._units = InUnits(tx, tasks)
        self._gross = GrossPrices(tx, self._units.tasks)
        tasks = self._gross.tasks
        self._items = check_items(tx, {line.item_id for task in tasks for line in task.command.lines})
        self._kits = OpenedKits(tx, tasks, self._items)
        self.tasks = self._kits.tasks
        commands = [task.command for task in self.tasks]
        self._ledger, self._reservations, self._costs = Ledger.of(tx), Reservations.of(tx), Costs.of(tx)
        self._lots = LotBook.of(tx)
        locks.lock_names(tx.connection, (f"order {one.channel_id} {one.external_ref}" for one in commands))
        self._known = KnownOrders(tx.connection, commands)
        lines = [line for one in commands for line in one.lines]
        self._line_ids = there(tx.connection, order_lines.c.id, (line.line_id for line in lines))
        if self._kits:
            self._items = check_items(tx, {line.item_id for line in lines})
        self._places = check_places(tx, {line.location_id for line in lines if line.location_id is not None})
        self._rerouting = Rerouting(tx, self.tasks, self._places)
        self.tasks = self._rerouting.tasks
        commands = [task.command for task in self.tasks]
        lines = [line for one in commands for line in one.lines]
        rows = fetch_in(tx.connection, _CHANNELS, channels.c.id, (one.channel_id for one in commands))
        self._channels = {row.id for row in rows}
        shared = any(row.shared for row in rows)
        bound, ruled = any(row.bound for row in rows), any(row.ruled for row in rows)
        served = any(row.served for row in rows)
        self._nodes = Nodes(tx, commands, bound=bound, ruled=ruled, served=served)
        self._speeds = Speeds(tx, commands, tx.today)
        if shared:
            lock_oversell(tx, ((one.channel_id, line.item_id) for one in commands for line in one.lines))
        self._customers = there(
            tx.connection,
            customers.c.id,
            {one.customer_id for one in commands if one.customer_id is not None},
        )
        self._warehouses = self._read_warehouses(lines)
        self._restrictions = Restrictions(tx, [*self.tasks, *tasks] if self._kits else tasks)
        self._trade = SalesTrade(
            tx, {line.item_id for line in lines}, none=not any(row.traded for row in rows)
        )
        self._load_stock(commands, shared=shared)
        self._shares = Shares(tx, (line.item_id for line in lines), none=not shared)
        self._oversold: set[UUID] = set()
        self._oversold_items: set[UUID] = set()
        self._short: set[tuple[UUID, UUID]] = set()
        self._short_orders: set[UUID] = set()
        self._last_short: Task[PlaceOrder] | None = None
        counter = [one for one in commands if one.ship_now]
        self._counter = CounterSales(
            tx, counter, self._items, self._gross.unit_prices, self._promisable if self._shares else None
        )
        self.new = NewOrders(tx, self._kits, self._rerouting, self._gross.unit_prices)

    def _read_warehouses(self, lines: Sequence[OrderLine]) -> list[UUID]:
        if all(line.location_id is not None for line in lines):
            return []
        places = list_locations(self._tx.connection)
        kinds = ("warehouse", "third_party")
        return [place.id for place in places if place.kind in kinds and place.rerouted_to is None]

    def _load_stock(self, commands: Sequence[PlaceOrder], *, shared: bool) -> None:
        """Lock what decides about the orders; plain stock that is plenty is not even locked while they are decided."""
        tracked = self._items.tracking
        self._lots.read_stock(tracked)
        wanted = dict.fromkeys(self._lots.buckets(tracked), 0)
        counter_items: set[UUID] = set()
        for one in commands:
            for line in one.lines:
                if line.item_id in tracked:
                    continue
                for place in self._candidates(one, line):
                    free = Bucket.of(line.item_id, place)
                    wanted[free] = wanted.get(free, 0) + line.quantity
                    if not one.ship_now:
                        wanted.setdefault(Bucket.of(line.item_id, place, "reserved"), 0)
            if one.ship_now:
                counter_items.update(line.item_id for line in one.lines if line.item_id in self._items)
        if shared or tracked or counter_items:
            self._ledger.load(wanted)
        else:
            self._ledger.load_plenty(wanted)
        self._costs.load(counter_items)

    def _candidates(self, command: PlaceOrder, line: OrderLine) -> Sequence[UUID]:
        """The places whose stock decides about the line; none for one that will be refused or only held."""
        if line.item_id not in self._items:
            return ()
        if line.location_id is None:
            return self._warehouses
        pays = self._held(command) is None
        return (line.location_id,) if pays and line.location_id in self._places else ()

    def place(self, task: Task[PlaceOrder]) -> Done:
        """Decide one order; nothing of a refused one stays."""
        command = task.command
        first = self._known.first(command)
        if first is not None:
            return Done(
                {"order_id": str(first.id), "number": first.number, "status": first.status, "duplicate": True}
            )
        number = command.number or order_number(command.order_id)
        self._check(command, number)
        places, reason = self._locate(task)
        self._restrictions.check(*self._as_sold(command, places), task.occurred_on)
        goods = {line.item_id for line in command.lines}
        sold = command.channel_id, command.customer_country, goods, task.occurred_on
        self._trade.check_allowed(*sold)
        if command.ship_now:
            self._trade.check_papers(command.order_id, command.shipment_id, *sold)
            return self._hand_over(task, number, places, reason)
        held = self._held(command)
        reserved = [0] * len(command.lines)
        if held is None:
            reserved = self._reserve(task, places)
        complete = all(units == line.quantity for units, line in zip(reserved, command.lines, strict=True))
        waits = "payment_review" if held == "payment_review" else "on_hold"
        status = waits if held else "reserved" if complete else "backordered"
        if status == "backordered":
            self._note_short(task, places, reserved)
        self._accept(task, number, status, places, hold_reason=held)
        for position, place in enumerate(places):
            self.new.add_line(task, position, place, reason, reserved=reserved[position])
        return self._done(task, number, status, *self._told(command), reserved=sum(reserved))

    def _held(self, command: PlaceOrder) -> str | None:
        offered = self._speeds.offered(command)
        return hold_reason_of(command.payment_status, command.fraud_status, offered)

    def _note_short(self, task: Task[PlaceOrder], places: Sequence[UUID], reserved: Sequence[int]) -> None:
        self._last_short = task
        self._short_orders.add(task.command.order_id)
        self._short |= {
            (line.item_id, place)
            for line, place, units in zip(task.command.lines, places, reserved, strict=True)
            if units < line.quantity
        }

    def _told(self, command: PlaceOrder) -> list[Event]:
        if command.order_id not in self._oversold:
            return []
        return [Event("ChannelOversold", "order", command.order_id, 1, {"channel": str(command.channel_id)})]

    def _check(self, command: PlaceOrder, number: str) -> None:
        self._known.check(command, number)
        self._units.check(command)
        if command.channel_id not in self._channels:
            raise unknown("channel", command.channel_id)
        if command.customer_id is not None and command.customer_id not in self._customers:
            raise unknown("customer", command.customer_id)
        for line in command.lines:
            self._items.require(line.item_id, "lines.item_id", lots=True)
            if line.location_id is not None:
                self._places.require(line.location_id, "lines.location_id", picked=True)
        own = {line.line_id for line in command.lines}
        if len(own) < len(command.lines) or not own.isdisjoint(self._line_ids):
            raise RepeatedLine(
                "two lines share an id", field="lines.line_id", remedy="make a new id for every line"
            )
        if self._kits:
            self._kits.check(command)
        self._gross.check(command, self._kits.parts)

    def _locate(self, task: Task[PlaceOrder]) -> tuple[list[UUID], str | None]:
        command = task.command
        given = [line.location_id for line in command.lines]
        named = [place for place in given if place is not None]
        self._nodes.check(command, named)
        if len(named) == len(given):
            return named, None
        if not self._warehouses:
            raise NoWarehouse(
                "no warehouse can fill the order",
                field="lines.location_id",
                remedy="create a warehouse first",
            )
        sold, _ = self._as_sold(command, given)
        allowed = self._restrictions.allowed_places(sold, self._warehouses)
        if not allowed:
            places = [place or self._warehouses[0] for place in given]
            self._restrictions.check(*self._as_sold(command, places), task.occurred_on)
        demand: dict[UUID, int] = {}
        for line in command.lines:
            if line.location_id is None:
                demand[line.item_id] = demand.get(line.item_id, 0) + line.quantity
        available = [
            (place, {item_id: self._promisable(task, item_id, place) for item_id in demand})
            for place in allowed
        ]
        choice = self._nodes.choose(command, demand, available, task.occurred_at)
        if choice is None:
            raise NoWarehouse(
                "no warehouse that may serve the order is there",
                field="lines.location_id",
                remedy="let a warehouse serve the channel, or change the rule that sets the nodes",
            )
        return [place or choice.location_id for place in given], choice.reason

    def _as_sold(
        self, command: PlaceOrder, places: Sequence[UUID | None]
    ) -> tuple[PlaceOrder, Sequence[UUID | None]]:
        return self._kits.as_sold(command, places) if self._kits else (command, places)

    def _reserve(self, task: Task[PlaceOrder], places: Sequence[UUID]) -> list[int]:
        command = task.command
        reserved: list[int] = []
        taken: dict[Bucket, int] = {}
        sets: dict[UUID, int] = {}
        requests: list[Request] = []
        for line, place in zip(command.lines, places, strict=True):
            bucket = Bucket.of(line.item_id, place)
            before = taken.get(bucket, 0)
            part = self._kits.parts.get(line.line_id)
            if part is None:
                units = min(line.quantity, self._promisable(task, line.item_id, place) - before)
            else:
                if part.kit_line_id not in sets:
                    sets[part.kit_line_id] = self._kits.sets(part.kit_line_id, self._free(task, place, taken))
                units = sets[part.kit_line_id] * part.per_kit
            reserved.append(units)
            if units:
                taken[bucket] = before + units
                requests.append(
                    Request(
                        "order",
                        command.order_id,
                        line.line_id,
                        line.item_id,
                        place,
                        units,
                        task.occurred_at,
                        task.audit_id,
                        command.reserve_until,
                        self._lots.minimum_days(command.channel_id, line.item_id),
                    )
                )
        missing: Counter[UUID] = Counter()
        if self._shares:
            for line, units in zip(command.lines, reserved, strict=True):
                missing[line.item_id] += line.quantity - units
            self._shares.require_may_owe(command.channel_id, missing)
        self._reservations.reserve(requests)
        if self._shares:
            for one in requests:
                self._shares.take(command.channel_id, one.item_id, one.location_id, one.quantity)
            if self._shares.owe(command.channel_id, missing):
                self._oversold.add(command.order_id)
                self._oversold_items |= {item_id for item_id, units in missing.items() if units}
        return reserved

    def _promisable(self, task: Task[PlaceOrder], item_id: UUID, place: UUID) -> int:
        channel_id = task.command.channel_id
        days = self._lots.minimum_days(channel_id, item_id)
        free = self._lots.promisable(item_id, place, task.occurred_on, days)
        return self._shares.allowed(channel_id, item_id, place, free)

    def _free(
        self, task: Task[PlaceOrder], place: UUID, taken: Mapping[Bucket, int]
    ) -> Callable[[UUID], int]:
        def free(item_id: UUID) -> int:
            return self._promisable(task, item_id, place) - taken.get(Bucket.of(item_id, place), 0)

        return free

    def _hand_over(
        self, task: Task[PlaceOrder], number: str, places: Sequence[UUID], reason: str | None
    ) -> Done:
        command = task.command
        self._counter.check(command, places, paid=self._held(command) is None)
        sale = self._counter.hand_over(task, places)
        self._accept(task, number, "shipped", places, shipped_on=task.occurred_on, shipments=1)
        for position, line in enumerate(command.lines):
            cost = sale.costs[line.line_id]
            self.new.add_line(task, position, places[position], reason, shipped=line.quantity, cost=cost)
        self.new.add_parcel(task, sale.shipment_id, places[0], sale.costs)
        told = {"shipment_id": str(sale.shipment_id)}
        return self._done(
            task, number, "shipped", Event("OrderShipped", "order", command.order_id, 1, told), **told
        )

    def _accept(
        self, task: Task[PlaceOrder], number: str, status: str, places: Sequence[UUID], **fields: Any
    ) -> None:
        command = task.command
        self._known.remember(
            Known(command.order_id, number, command.channel_id, command.external_ref, status)
        )
        self._restrictions.count(*self._as_sold(command, places), task.occurred_on)
        self._line_ids |= {line.line_id for line in command.lines}
        self.new.add_order(task, number, status, **fields)

    @staticmethod
    def _done(task: Task[PlaceOrder], number: str, status: str, *events: Event, **result: Any) -> Done:
        command = task.command
        placed = Event("OrderPlaced", "order", command.order_id, 1, {"number": number, "status": status})
        return Done(
            {"order_id": str(command.order_id), "number": number, "status": status, **result},
            (placed, *events),
            after={"status": status},
        )

    def announce(self) -> None:
        """Let others know which items were short, where; what is sold beyond what is there is an exception."""
        task = self._last_short
        if task is not None:
            pairs, order_ids = frozenset(self._short), frozenset(self._short_orders)
            self._tx.publish(LinesBackordered(pairs, order_ids, task.occurred_at, task.audit_id))
            raise_oversold(self._tx, self._oversold_items, task.occurred_at, task.audit_id)
