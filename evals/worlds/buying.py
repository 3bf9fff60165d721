"""The buyer's side of the day loop: reviews, purchase orders, deliveries, and the shop's weekly transfer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from evals.worlds.catalogue import CENT, FAR, Catalogue
from evals.worlds.events import (
    DAY,
    PURCHASE,
    TRANSFER,
    Decided,
    Delay,
    Event,
    Promise,
    Purchase,
    PurchaseLine,
    Received,
    Transferred,
)
from evals.worlds.held import draw_decision
from evals.worlds.invoicing import Invoicing
from evals.worlds.messages import Occasion, write_message
from evals.worlds.parameters import WorldParameters
from evals.worlds.replenishment import REVIEW_DAYS, Replenishment
from evals.worlds.sourcing import Contracts
from evals.worlds.stock import Stock
from evals.worlds.supply import Deliveries, Delivery

_HOUR = 3_600
_APPROVAL_FROM = 2_500 * 10_000
_APPROVAL_DAYS = (0, 0, 1, 1, 1, 2, 2, 3, 4, 6)
_REVIEW_OFFSETS = (0, 7, 1, 8, 2, 9, 3, 10, 4, 11)

Scheduled = tuple[str, int, tuple[int, int], Any]


class Buying:
    """Purchase orders of a world. `delays` is the truth about late lines, `purchases` all orders by number.

    What is ordered and accepted is told to `invoicing`; `contracts` says what is ordered under one.
    """

    def __init__(
        self,
        world: WorldParameters,
        catalogue: Catalogue,
        stock: Stock,
        replenishment: Replenishment,
        deliveries: Deliveries,
        rng: np.random.Generator,
        deciding: np.random.Generator,
        invoicing: Invoicing,
        contracts: Contracts,
    ) -> None:
        self._world = world
        self._catalogue = catalogue
        self._places = len(catalogue.locations)
        self._stock = stock
        self._replenishment = replenishment
        self._deliveries = deliveries
        self._rng = rng
        self._deciding = deciding
        self._invoicing = invoicing
        self._contracts = contracts
        self._agenda: dict[int, list[Scheduled]] = {}
        self._on_order = np.zeros(len(catalogue.items) * self._places, dtype=np.int64)
        self._open_units: dict[int, list[int]] = {}
        self._transfers = 0
        self._cells = self._cells_by_supplier()
        self._prices = {
            (index, source.supplier): source.price
            for index, item in enumerate(catalogue.items)
            for source in item.sources
        }
        self.purchases: list[Purchase] = []
        self.deliveries: list[Delivery] = []
        self.sent_on: list[int] = []
        self.delays: list[Delay] = []

    def _cells_by_supplier(self) -> dict[tuple[int, int], np.ndarray]:
        cells: dict[tuple[int, int], list[int]] = {}
        for index, item in enumerate(self._catalogue.items):
            for place in item.stocked:
                if self._catalogue.locations[place].kind == "warehouse":
                    cells.setdefault((item.sources[0].supplier, place), []).append(
                        index * self._places + place
                    )
        return {key: np.array(cells[key]) for key in sorted(cells)}

    def set_prices(self, supplier: int, factor: float) -> Iterator[tuple[int, int, int]]:
        """A supplier changes all its prices; gives (item, rank, new price)."""
        for index, item in enumerate(self._catalogue.items):
            for rank, source in enumerate(item.sources):
                if source.supplier == supplier:
                    price = round(self._prices[index, supplier] * factor / CENT) * CENT
                    self._prices[index, supplier] = price
                    yield index, rank, price

    @property
    def prices(self) -> Mapping[tuple[int, int], int]:
        """The prices in force, by (item, supplier)."""
        return self._prices

    def morning(self, day: int) -> Iterator[tuple[Event, list[tuple[int, int]]]]:
        """What was scheduled for the day, with the (cell, units) that each event brings."""
        for kind, moment, document, data in self._agenda.pop(day, ()):
            arrived: list[tuple[int, int]] = []
            if kind == "ReceiveGoods":
                arrived = self._receive(document[1], data, day)
            elif kind == "ReceiveTransfer":
                arrived = [(item * self._places + data.target, units) for item, units in data.lines]
            elif kind == "DecideHeldGoods":
                arrived = self._decided(document[1], data)
            elif kind in ("CancelPurchaseOrder", "ClosePurchaseOrder"):
                self._drop(document[1])
            yield Event(kind, moment, document, data), arrived

    def _receive(self, number: int, received: Received, day: int) -> list[tuple[int, int]]:
        purchase, still_open = self.purchases[number], self._open_units[number]
        arrived = []
        for line, units, rejected in received.lines:
            accepted = min(units - rejected, still_open[line])
            cell = purchase.lines[line].item * self._places + purchase.location
            still_open[line] -= accepted
            self._on_order[cell] -= accepted
            if accepted:
                arrived.append((cell, accepted))
                self._invoicing.accepted(number, line, accepted)
            if units - rejected > accepted or still_open[line]:
                self._invoicing.undecided(number, line)
            if held := units - rejected - accepted:
                self._let_decide(number, line, held, day)
            if still_open[line] == 0 and accepted:
                self._note_delay(number, line, day)
        return arrived

    def _let_decide(self, number: int, line: int, held: int, day: int) -> None:
        decided, decision = draw_decision(self._deciding, day)
        step = (
            "DecideHeldGoods",
            _at(decided, 15, number),
            (PURCHASE, number),
            Decided(line, held, decision),
        )
        self._agenda.setdefault(decided, []).append(step)

    def _decided(self, number: int, decided: Decided) -> list[tuple[int, int]]:
        purchase = self.purchases[number]
        cell = purchase.lines[decided.line].item * self._places + purchase.location
        if decided.decision != "accept":
            return []
        self._invoicing.accepted(number, decided.line, decided.units)
        return [(cell, decided.units)]

    def _note_delay(self, number: int, line: int, day: int) -> None:
        delivery = self.deliveries[number]
        if day > delivery.promised:
            self.delays.append(
                Delay(number, line, delivery.cause or "partial_delivery", day - delivery.promised)
            )

    def _drop(self, number: int) -> None:
        purchase = self.purchases[number]
        for line, units in enumerate(self._open_units[number]):
            self._on_order[purchase.lines[line].item * self._places + purchase.location] -= units
        self._open_units[number] = [0] * len(purchase.lines)

    def review(self, day: int) -> list[Event]:
        """Purchase orders that the day's supplier reviews lead to, with what happens to them today."""
        events: list[Event] = []
        supplied_from = self._replenishment.stocked_from(day)
        for (supplier, place), cells in self._cells.items():
            if day % REVIEW_DAYS != _REVIEW_OFFSETS[supplier % len(_REVIEW_OFFSETS)]:
                continue
            cells = cells[supplied_from[cells]]
            if len(cells):
                events.extend(self._buy(supplier, place, cells, day))
        return events

    def _buy(self, supplier: int, place: int, cells: np.ndarray, day: int) -> list[Event]:
        point, level = self._replenishment.targets(cells, day)
        on_hand = np.array(
            [self._stock.available[cell] - self._stock.waiting(cell) for cell in cells.tolist()]
        )
        position = on_hand + self._on_order[cells]
        due = position <= point
        if not due.any():
            return []
        wanted = np.flatnonzero(due | (position <= point + 0.45 * (level - point)))
        by_supplier: dict[int, list[tuple[int, int]]] = {}
        for index in wanted.tolist():
            item = int(cells[index]) // self._places
            sources = self._catalogue.items[item].sources
            source = sources[1] if len(sources) > 1 and self._rng.random() < 0.08 else sources[0]
            need = max(source.minimum, int(np.ceil(level[index] - position[index])))
            by_supplier.setdefault(source.supplier, []).append(
                (item, -(-need // source.multiple) * source.multiple)
            )
        urgent = bool((position[due] < 0.5 * point[due]).any())
        events: list[Event] = []
        for chosen, lines in by_supplier.items():
            events.extend(self._order(chosen, place, lines, urgent, day))
        return events

    def _order(
        self, supplier: int, place: int, lines: list[tuple[int, int]], urgent: bool, day: int
    ) -> list[Event]:
        lines = self._up_to_minimum(supplier, lines, urgent)
        if not lines:
            return []
        rng, who = self._rng, self._catalogue.suppliers[supplier]
        rows, prices = [], []
        total = 0
        for item, units in lines:
            price = self._prices[item, supplier]
            agreed = (
                round(price * (1 + rng.uniform(0.01, 0.06)) / CENT) * CENT if rng.random() < 0.05 else None
            )
            beyond = agreed is None and not self._contracts.takes(supplier, item, units)
            rows.append(PurchaseLine(item, units, price if beyond else agreed, day + who.lead + 4))
            prices.append(agreed or price)
            total += units * prices[-1]
            self._on_order[item * self._places + place] += units
        share = rng.uniform(0.06, 0.1) if who.country in FAR else rng.uniform(0.015, 0.035)
        expedite = round(total * 0.05 / CENT) * CENT if urgent and rng.random() < 0.12 else 0
        purchase = Purchase(
            supplier=supplier,
            location=place,
            lines=tuple(rows),
            total=total,
            freight=round(total * share / CENT) * CENT,
            expedite=expedite,
            reason="Stock is running low" if urgent else "Regular review",
        )
        number = len(self.purchases)
        self.purchases.append(purchase)
        self._invoicing.ordered(number, purchase, tuple(prices))
        self._open_units[number] = [line.units for line in rows]
        return self._follow(number, purchase, day)

    def _up_to_minimum(
        self, supplier: int, lines: list[tuple[int, int]], urgent: bool
    ) -> list[tuple[int, int]]:
        """Raise quantities to the supplier's minimum order, or wait for the next review when nothing presses."""
        minimum = self._catalogue.suppliers[supplier].minimum_order
        value = sum(units * self._prices[item, supplier] for item, units in lines)
        if value >= minimum:
            return lines
        if not urgent and value < 0.5 * minimum:
            return []
        raised = dict(lines)
        while value < minimum:
            for item in raised:
                multiple = self._multiple(item, supplier)
                step = multiple * (1 + raised[item] // (8 * multiple))
                raised[item] += step
                value += step * self._prices[item, supplier]
                if value >= minimum:
                    break
        return list(raised.items())

    def _multiple(self, item: int, supplier: int) -> int:
        return next(
            source.multiple for source in self._catalogue.items[item].sources if source.supplier == supplier
        )

    def _follow(self, number: int, purchase: Purchase, day: int) -> list[Event]:
        """The life of an order after the draft: today's steps at once, later ones on the agenda."""
        rng, document = self._rng, (PURCHASE, number)
        needs_approval = purchase.total + purchase.freight + purchase.expedite >= _APPROVAL_FROM
        approved = day + (int(rng.choice(_APPROVAL_DAYS)) if needs_approval else 0)
        sent = approved + int(rng.integers(0, 2))
        value = purchase.total / 10_000
        delivery = self._deliveries.draw(
            purchase.supplier, sent, tuple(line.units for line in purchase.lines), approved - day, value
        )
        self.deliveries.append(delivery)
        self.sent_on.append(sent)
        steps: list[Scheduled] = [
            ("CreatePurchaseOrder", _at(day, 11, number), document, purchase),
            ("SubmitPurchaseOrder", _at(day, 12, number), document, None),
        ]
        if needs_approval:
            steps.append(("ApproveProposal", _at(approved, 13, number), document, None))
        steps.append(("SendPurchaseOrder", _at(sent, 16, number), document, None))
        if delivery.cancelled_on is not None:
            steps.append(
                (
                    "CancelPurchaseOrder",
                    _at(delivery.cancelled_on, 10, number),
                    document,
                    "supplier_cannot_deliver",
                )
            )
        else:
            steps.extend(self._delivery_steps(document, purchase, delivery, sent))
        today = []
        for step in steps:
            if step[1] // DAY == day:
                today.append(Event(*step))
            else:
                self._agenda.setdefault(step[1] // DAY, []).append(step)
        return today

    def _delivery_steps(
        self, document: tuple[int, int], purchase: Purchase, delivery: Delivery, sent: int
    ) -> Iterator[Scheduled]:
        number, lines = document[1], range(len(purchase.lines))
        confirmed = sent + int(self._rng.integers(1, 4))
        arrives = delivery.arrivals[0].day
        answers = self._rng.random() < 0.97 and confirmed < arrives
        if answers:
            promise = Promise(tuple((line, delivery.promised) for line in lines))
            yield "ConfirmPurchaseOrder", _at(confirmed, 9, number), document, promise
        if answers and delivery.repromised is not None and delivery.repromised_on is not None:
            told = max(delivery.repromised_on, confirmed + 1)
            if told < arrives:
                again = tuple((line, delivery.repromised) for line in lines)
                yield (
                    "ChangePurchaseOrderDates",
                    _at(told, 10, number),
                    document,
                    Promise(again, delivery.cause),
                )
        if self._rng.random() < self._world.message_share:
            yield self._mail(document, purchase, delivery, "confirmation", confirmed)
        if delivery.repromised_on is not None and delivery.repromised_on < arrives:
            yield self._mail(document, purchase, delivery, "delay", delivery.repromised_on)
        if self._rng.random() < self._world.hostile_share:
            yield self._mail(document, purchase, delivery, "hostile", sent + 2)
        for arrival in delivery.arrivals:
            yield "ReceiveGoods", _at(arrival.day, 6, number), document, Received(arrival.lines)
        still_open = [line.units for line in purchase.lines]
        for arrival in delivery.arrivals:
            for line, units, rejected in arrival.lines:
                still_open[line] -= min(units - rejected, still_open[line])
        if any(still_open):
            last = delivery.arrivals[-1].day
            yield "ClosePurchaseOrder", _at(last + 12, 10, number), document, "remainder_not_needed"

    def _mail(
        self, document: tuple[int, int], purchase: Purchase, delivery: Delivery, occasion: Occasion, day: int
    ) -> Scheduled:
        due = delivery.repromised if occasion == "delay" and delivery.repromised else delivery.promised
        mail = write_message(
            self._rng,
            occasion,
            po=purchase_number(document[1]),
            supplier=self._catalogue.suppliers[purchase.supplier].name,
            buyer=dict(self._catalogue.users)["buyer"],
            due=self._world.day(due),
            other=self._world.day(due + int(self._rng.integers(-9, 10))),
            cause=delivery.cause,
        )
        return "RecordSupplierMessage", _at(day, 14, document[1]), document, mail

    def transfer(self, day: int, seen: np.ndarray) -> list[Event]:
        """Monday: the shop is filled up from the first warehouse, as far as that has enough."""
        if day % 7:
            return []
        shop = self._places - 1
        lines = []
        for index, item in enumerate(self._catalogue.items):
            if shop not in item.stocked or item.introduced > day:
                continue
            cell, source = index * self._places + shop, index * self._places
            rate = max(seen[cell, max(0, day - 42) : day + 1].sum() / 42, 0.02)
            wanted = int(np.ceil(rate * 24 + 2)) - self._stock.available[cell]
            units = min(wanted, self._stock.available[source] // 2)
            if self._stock.available[cell] <= rate * 10 + 1 and units > 0:
                self._stock.take(source, units)
                seen[source, day] += units
                lines.append((index, units))
        if not lines:
            return []
        number, self._transfers = self._transfers, self._transfers + 1
        moved = Transferred(0, shop, tuple(lines))
        self._agenda.setdefault(day + 2, []).append(
            ("ReceiveTransfer", _at(day + 2, 7, 0), (TRANSFER, number), moved)
        )
        sources = [item * self._places for item, _ in lines]
        takes = tuple((cell, self._stock.available[cell]) for cell in sources)
        return [Event("TransferStock", day * DAY + 22 * _HOUR, (TRANSFER, number), moved, takes)]


def purchase_number(number: int) -> str:
    """A purchase order's number as people quote it."""
    return f"PO-{number + 10_001}"


def _at(day: int, hour: int, number: int) -> int:
    return day * DAY + hour * _HOUR + number % 2_900
