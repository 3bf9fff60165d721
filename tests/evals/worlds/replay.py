"""A plain ledger that takes events in any order: what the gate would make of them."""

from __future__ import annotations

from collections.abc import Iterable

from evals.worlds.engine import Story
from evals.worlds.events import Bill, Event


class Replay:
    """Stock, reservations and waiting orders as they follow from events; `wrong` lists what did not fit the story."""

    def __init__(self, story: Story) -> None:
        self.places = len(story.catalogue.locations)
        self.available = list(story.opening)
        self.wrong: list[Event] = []
        self._lines: dict[tuple[int, int], list[int]] = {}
        self._queues: dict[int, list[tuple[int, int, int]]] = {}
        self._open: dict[int, list[list[int]]] = {}
        self._returned: dict[int, list[tuple[int, int]]] = {}
        self._freight: dict[int, int] = {}
        self._billable: dict[tuple[int, int], int] = {}
        self._bills = story.bills
        self.invoices: dict[int, str] = {}

    def batch(self, events: Iterable[Event]) -> None:
        """Take a batch; what it brings to stock is shared out when all of it is posted."""
        arrived: list[tuple[int, int]] = []
        for event in events:
            handle = getattr(self, f"_{event.kind.lower()}", None)
            if handle is not None:
                arrived.extend(handle(event) or ())
        for cell, units in arrived:
            self._share_out(cell, units)

    def _share_out(self, cell: int, units: int) -> None:
        self.available[cell] += units
        for waiting in sorted(self._queues.pop(cell, ())):
            line = self._lines[waiting[1:]]
            got = min(line[2] - line[1] - line[3], self.available[cell])
            self.available[cell] -= got
            line[1] += got
            if line[1] + line[3] < line[2]:
                self._queues.setdefault(cell, []).append(waiting)

    def _placeorder(self, event: Event) -> None:
        for number, line in enumerate(event.data.lines):
            cell = line.item * self.places + line.location
            got = 0 if event.data.payment == "pending" else min(self.available[cell], line.units)
            self.available[cell] -= got
            done = got if event.data.ship_now else 0
            self._lines[event.document[1], number] = [cell, got - done, line.units, done]
            short = got < line.units and event.data.payment != "pending"
            if short:
                self._queues.setdefault(cell, []).append((event.moment, event.document[1], number))
            if short != (cell in event.short):
                self.wrong.append(event)

    def _of(self, order: int) -> list[list[int]]:
        return [line for key, line in self._lines.items() if key[0] == order]

    def _releaseorder(self, event: Event) -> None:
        for line in self._of(event.document[1]):
            if self.available[line[0]] < line[2]:
                self.wrong.append(event)
            self.available[line[0]] -= line[2]
            line[1] = line[2]

    def _shiporder(self, event: Event) -> None:
        for number, units in event.data.lines:
            line = self._lines[event.document[1], number]
            if line[1] < units:
                self.wrong.append(event)
            line[1] -= units
            line[3] += units

    def _cancelorder(self, event: Event) -> list[tuple[int, int]]:
        released = []
        for line in self._of(event.document[1]):
            queue = self._queues.get(line[0], [])
            self._queues[line[0]] = [waiting for waiting in queue if waiting[1] != event.document[1]]
            released.append((line[0], line[1]))
            line[1], line[2] = 0, line[3]
        return [pair for pair in released if pair[1]]

    def _createpurchaseorder(self, event: Event) -> None:
        location = event.data.location
        self._open[event.document[1]] = [
            [line.item * self.places + location, line.units] for line in event.data.lines
        ]
        self._freight[event.document[1]] = event.data.freight + event.data.expedite

    def _receivegoods(self, event: Event) -> list[tuple[int, int]]:
        arrived = []
        for number, units, rejected in event.data.lines:
            line = self._open[event.document[1]][number]
            accepted = min(units - rejected, line[1])
            line[1] -= accepted
            self._accept(event.document[1], number, accepted)
            if accepted:
                arrived.append((line[0], accepted))
        return arrived

    def _decideheldgoods(self, event: Event) -> list[tuple[int, int]]:
        cell = self._open[event.document[1]][event.data.line][0]
        if event.data.decision != "accept":
            return []
        self._accept(event.document[1], event.data.line, event.data.units)
        return [(cell, event.data.units)]

    def _accept(self, purchase: int, line: int, units: int) -> None:
        self._billable[purchase, line] = self._billable.get((purchase, line), 0) + units

    def _recordsupplierinvoice(self, event: Event) -> None:
        bill = event.data
        units = {(one.purchase, one.line): one.units for one in bill.lines}
        if bill.credits is not None:
            wrong = self.invoices[bill.credits] != "matched"
            held = False
        else:
            too_many = any(self._billable.get(key, 0) < billed for key, billed in units.items())
            freight = any(self._freight[purchase] < amount for purchase, amount in bill.freight)
            held = bill.wrong == "price" or too_many or freight
            wrong = held != (bill.wrong is not None)
        self.invoices[event.document[1]] = "held" if held else "matched"
        if not held and bill.credits is None:
            self._use_up(bill)
        if wrong:
            self.wrong.append(event)

    def _use_up(self, bill: Bill) -> None:
        for one in bill.lines:
            self._billable[one.purchase, one.line] -= one.units
        for purchase, amount in bill.freight:
            self._freight[purchase] -= amount

    def _rejectsupplierinvoice(self, event: Event) -> None:
        self._step(event, event.document[1], "held", "rejected")

    def _acceptsupplierinvoice(self, event: Event) -> None:
        self._step(event, event.document[1], "held", "matched")
        self._use_up(self._bills[event.document[1]])

    def _paysupplierinvoices(self, event: Event) -> None:
        for number in event.data.invoices:
            self._step(event, number, "matched", "paid")

    def _step(self, event: Event, invoice: int, before: str, after: str) -> None:
        if self.invoices.get(invoice) != before:
            self.wrong.append(event)
        self.invoices[invoice] = after

    def _transferstock(self, event: Event) -> None:
        for item, units in event.data.lines:
            cell = item * self.places + event.data.source
            if self.available[cell] < units:
                self.wrong.append(event)
            self.available[cell] -= units

    def _receivetransfer(self, event: Event) -> list[tuple[int, int]]:
        return [(item * self.places + event.data.target, units) for item, units in event.data.lines]

    def _authorisereturn(self, event: Event) -> None:
        lines = [(self._lines[event.data.order, line], units) for line, units, _ in event.data.lines]
        if any(line[3] < units for line, units in lines):
            self.wrong.append(event)
        self._returned[event.document[1]] = [(line[0], units) for line, units in lines]

    def _disposereturn(self, event: Event) -> list[tuple[int, int]]:
        goods = self._returned[event.document[1]]
        return [pair for pair, word in zip(goods, event.data.words, strict=True) if word == "restock"]
