"""Orders of the day: which warehouse serves them, what is lost, what waits, when parcels leave."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evals.worlds.catalogue import CENT, Catalogue
from evals.worlds.demand import Demand
from evals.worlds.events import DAY, ORDER, Event, Placed, PlacedLine, Shipped
from evals.worlds.parameters import WorldParameters
from evals.worlds.stock import Stock, Waiting

_HOUR = 3_600
_LOST = 0.62
_OTHER_WAREHOUSE = 0.5
_PENDING = 0.012
_CANCELLED = 0.016
_COUPON = 0.05


class _Open:
    """A web order that is not finished: per line the cell, units wanted, reserved and shipped."""

    __slots__ = ("cells", "number", "patience", "reserved", "together", "wanted")

    def __init__(self, number: int, cells: list[int], wanted: list[int], reserved: list[int]) -> None:
        self.number = number
        self.cells = cells
        self.wanted = wanted
        self.reserved = reserved
        self.together = False
        self.patience = 0


class Sales:
    """Customers' side of the day loop. `lost` lists (cell, day, units) that nobody could order."""

    def __init__(
        self,
        world: WorldParameters,
        catalogue: Catalogue,
        demand: Demand,
        stock: Stock,
        seen: np.ndarray,
        rng: np.random.Generator,
    ) -> None:
        self._world = world
        self._catalogue = catalogue
        self._places = len(catalogue.locations)
        self._stock = stock
        self._seen = seen
        self.lost: list[tuple[int, int, int]] = []
        self.parcels: dict[int, list[tuple[int, int]]] = {}
        self._open: dict[int, _Open] = {}
        self._held: dict[int, list[tuple[int, bool]]] = {}
        self._givings_up: dict[int, list[int]] = {}
        self._regrets: list[tuple[int, int, str]] = []
        self._placed: dict[int, Placed] = {}
        self._lines = np.column_stack((demand.line_item, demand.line_units)).tolist()
        self._first = demand.order_first.tolist()
        self._orders = np.column_stack(
            (demand.order_day, _seconds(demand), demand.order_channel, demand.order_country)
        ).tolist()
        self._trade = (demand.order_trade & (demand.order_channel < len(catalogue.channels) - 1)).tolist()
        self._error = demand.order_error.tolist()
        self._customers = _customers_by_country(catalogue)
        self._line_luck = rng.random((len(self._lines), 2)).tolist()
        self._luck = rng.random((len(self._orders), 6)).tolist()
        self._prices = demand.list_price
        self._discount = demand.discount
        self._routes = _routes(catalogue)
        self._next = 0

    def day(self, day: int) -> list[Event]:
        """All orders of a day, in the order of their time, with cancellations of the same day."""
        events: list[Event] = []
        while self._next < len(self._orders) and self._orders[self._next][0] == day:
            number = self._next
            self._next += 1
            placed = self._place(number, day)
            if placed is None:
                continue
            events.append(placed)
            self._follow(number, placed)
        events.extend(self._cancel(*one) for one in self._regrets)
        self._regrets.clear()
        return [*events, *self._decided_holds(day), *self._impatient(day)]

    def _place(self, number: int, day: int) -> Event | None:
        _, moment, channel, country = self._orders[number]
        counter = self._catalogue.channels[channel].kind == "store"
        error = self._error[number]
        pending = not counter and not error and self._luck[number][0] < _PENDING
        coupon = 0.1 if self._luck[number][1] < _COUPON else 0.0
        lines: list[PlacedLine] = []
        reserved: list[int] = []
        cells: list[int] = []
        takes: list[tuple[int, int]] = []
        short: list[int] = []
        for position in range(self._first[number], self._first[number + 1]):
            item, wanted = self._lines[position]
            cell = self._serving_cell(item, wanted, channel, country, self._line_luck[position][0])
            if cell is None:
                continue
            there = self._stock.available[cell]
            units = wanted
            if there < wanted and not error:
                patient = not counter and (self._trade[number] or self._line_luck[position][1] > _LOST)
                units = wanted if patient else there
                if units < wanted:
                    self.lost.append((cell, day, wanted - units))
                if units == 0:
                    continue
            if not error:
                self._seen[cell, day] += units
            got = 0 if pending else self._stock.take(cell, units)
            list_price = int(self._prices[item, day])
            off = max(float(self._discount[item, channel, day]), coupon)
            price = round(list_price * (1 - off) / CENT) * CENT
            if got < units and not pending:
                self._stock.wait(cell, number, len(lines), units - got)
                short.append(cell)
            lines.append(PlacedLine(item, cell % self._places, units, price, list_price))
            reserved.append(got)
            cells.append(cell)
            takes.append((cell, self._stock.available[cell]))
        if not lines:
            return None
        if not counter:
            self._open[number] = _Open(number, cells, [line.units for line in lines], reserved)
        placed = Placed(
            channel=channel,
            country=self._catalogue.channels[channel].countries[country],
            customer=self._customer(number, self._catalogue.channels[channel].countries[country]),
            promised=day + 3,
            payment="pending" if pending else "cleared",
            ship_now=counter,
            lines=tuple(lines),
        )
        self._placed[number] = placed
        stock = () if pending else tuple(takes)
        return Event("PlaceOrder", moment, (ORDER, number), placed, stock, tuple(short))

    def _customer(self, number: int, country: str) -> int | None:
        known = self._customers.get(country)
        return known[int(self._luck[number][3] * len(known))] if self._trade[number] and known else None

    def _serving_cell(self, item: int, wanted: int, channel: int, country: int, luck: float) -> int | None:
        cells = self._routes[channel][country][item]
        if not cells:
            return None
        first = cells[0]
        if self._stock.available[first] < wanted and luck < _OTHER_WAREHOUSE:
            for other in cells[1:]:
                if self._stock.available[other] >= wanted:
                    return other
        return first

    def _follow(self, number: int, placed: Event) -> None:
        """Plan what follows from an order: nothing at the counter, else a hold, a cancellation or a parcel."""
        if placed.data.ship_now:
            del self._placed[number]
            return
        luck, day = self._luck[number], placed.moment // DAY
        one = self._open[number]
        one.together = luck[2] < 0.4
        one.patience = 12 + int(luck[3] * 35)
        if placed.data.payment == "pending":
            self._held.setdefault(day + 1 + int(luck[4] * 3), []).append((number, luck[5] < 0.75))
            return
        midnight = (day + 1) * DAY - 60
        if self._error[number]:
            self._regrets.append((number, min(placed.moment + 1_500, midnight), "duplicate"))
            return
        if luck[4] < _CANCELLED:
            reason = "customer_request" if luck[5] < 0.85 else "fraud"
            self._regrets.append((number, min(placed.moment + 600 + int(luck[5] * 20_000), midnight), reason))
            return
        self._plan_parcels(number, day, luck[5])
        if any(got < wanted for got, wanted in zip(one.reserved, one.wanted, strict=True)):
            self._givings_up.setdefault(day + one.patience, []).append(number)

    def _plan_parcels(self, number: int, day: int, luck: float) -> None:
        noon = self._orders[number][1] % DAY < 12 * _HOUR
        days = 0 if luck < 0.3 and noon else 1 if luck < 0.86 else 2 if luck < 0.96 else 4
        for place in sorted({cell % self._places for cell in self._open[number].cells}):
            self.parcels.setdefault(day + days, []).append((number, place))

    def served(self, allocations: Sequence[Waiting], day: int) -> tuple[int, ...]:
        """Take note that waiting lines got units; their parcels leave tomorrow. Gives the orders served."""
        for got in allocations:
            one = self._open[got.order]
            one.reserved[got.line] += got.units
            self.parcels.setdefault(day + 1, []).append((got.order, one.cells[got.line] % self._places))
        return tuple(got.order for got in allocations)

    def ship(self, day: int) -> list[Event]:
        """The parcels that leave today: what is reserved, unless the customer wants all of it together."""
        events = []
        for sequence, (number, place) in enumerate(self.parcels.pop(day, ())):
            one = self._open.get(number)
            if one is None:
                continue
            mine = [index for index, cell in enumerate(one.cells) if cell % self._places == place]
            complete = all(one.reserved[index] == one.wanted[index] for index in mine)
            if one.together and not complete:
                continue
            lines = tuple((index, one.reserved[index]) for index in mine if one.reserved[index])
            if not lines:
                continue
            for index, units in lines:
                one.wanted[index] -= units
                one.reserved[index] = 0
            if not any(one.wanted):
                del self._open[number]
            units = sum(units for _, units in lines)
            freight = (380 + 45 * min(units, 12) + 90 * (self._orders[number][2] == 1)) * CENT
            moment = day * DAY + 15 * _HOUR + sequence * 20
            events.append(Event("ShipOrder", moment, (ORDER, number), Shipped(place, lines, freight)))
        return events

    def _decided_holds(self, day: int) -> list[Event]:
        events = []
        for number, paid in self._held.pop(day, ()):
            one = self._open[number]
            moment = day * DAY + 20 * _HOUR
            fits = all(
                self._stock.available[cell] >= units
                for cell, units in zip(one.cells, one.wanted, strict=True)
            )
            if not paid or not fits:
                events.append(self._cancel(number, moment, "payment_failed" if not paid else "out_of_stock"))
                continue
            for index, (cell, units) in enumerate(zip(one.cells, one.wanted, strict=True)):
                one.reserved[index] = self._stock.take(cell, units)
            takes = tuple((cell, self._stock.available[cell]) for cell in one.cells)
            events.append(Event("ReleaseOrder", moment, (ORDER, number), day + 3, takes))
            self._plan_parcels(number, day + 1, 0.5)
        return events

    def _impatient(self, day: int) -> list[Event]:
        events = []
        for number in self._givings_up.pop(day, ()):
            one = self._open.get(number)
            untouched = one is not None and one.wanted == [line.units for line in self._placed[number].lines]
            if one is not None and untouched and one.reserved != one.wanted:
                reason = "customer_request" if self._luck[number][5] < 0.6 else "out_of_stock"
                events.append(self._cancel(number, day * DAY + 21 * _HOUR, reason))
        return events

    def _cancel(self, number: int, moment: int, reason: str) -> Event:
        one = self._open.pop(number)
        others: list[int] = []
        for cell in one.cells:
            self._stock.leave(cell, number)
        for cell, units in zip(one.cells, one.reserved, strict=True):
            if units:
                others.extend(self.served(self._stock.give(cell, units), moment // DAY))
        waited = tuple(
            cell
            for cell, got, wanted in zip(one.cells, one.reserved, one.wanted, strict=True)
            if got < wanted
        )
        gives = tuple((cell, units) for cell, units in zip(one.cells, one.reserved, strict=True) if units)
        return Event("CancelOrder", moment, (ORDER, number), reason, (), waited, gives, tuple(others))

    def placed(self, number: int) -> Placed | None:
        """The order as placed, for those that ship parcels."""
        return self._placed.get(number)


def _seconds(demand: Demand) -> np.ndarray:
    """Strictly increasing moments, so that "the oldest order first" is never a tie."""
    moments = demand.order_day * DAY + demand.order_minute * 60
    span = np.arange(len(moments))
    return np.asarray(np.maximum.accumulate(moments - span) + span)


def _customers_by_country(catalogue: Catalogue) -> dict[str, list[int]]:
    customers: dict[str, list[int]] = {}
    for index, (_, country) in enumerate(catalogue.customers):
        customers.setdefault(country, []).append(index)
    return customers


def _routes(catalogue: Catalogue) -> list[list[list[tuple[int, ...]]]]:
    """Cells by channel, country and item, in order of preference."""
    places = len(catalogue.locations)
    return [
        [
            [
                tuple(index * places + place for place in nodes if place in item.stocked)
                for index, item in enumerate(catalogue.items)
            ]
            for nodes in channel.nodes
        ]
        for channel in catalogue.channels
    ]
