"""What suppliers bill, what people do about invoices that do not match, and what is paid each week.

A supplier bills once a month what was accepted since its last invoice, over all its orders; a small sum waits a month.
All of it draws from a stream of its own, so that nothing else in a world depends on it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from evals.worlds.catalogue import CENT, Catalogue
from evals.worlds.events import DAY, INVOICE, PAYMENT, Bill, BilledLine, Event, Paid, Purchase
from evals.worlds.parameters import WorldParameters

_HOUR = 3_600
_MONTH = 28
_PAY_WEEKDAY = 3
_SMALL = 1_000 * 10_000
_WRONG, _WRONG_LATELY = 0.1, 0.35
_SETTLED_AFTER = (3, 29)
_TWICE, _TWICE_LATELY = 0.015, 0.06
_KINDS, _SHARES = ("price", "quantity", "freight"), (0.55, 0.27, 0.18)
_ANSWERS = ("corrected", "credit_received", "price_agreed")
_ANSWER_SHARES = (0.5, 0.35, 0.15)
_STYLES = ("RE-{year}-{serial:05d}", "{serial:06d}", "INV{serial:05d}", "F{year}/{serial:04d}")


@dataclass(slots=True)
class _Order:
    """A purchase order as its supplier's books see it."""

    purchase: Purchase
    prices: tuple[int, ...]
    freight_billed: bool = False


class Invoicing:
    """Suppliers' invoices of a world and their payment; `bills` are all of them by number."""

    def __init__(self, world: WorldParameters, catalogue: Catalogue, rng: np.random.Generator) -> None:
        self._world = world
        self._suppliers = catalogue.suppliers
        self._rng = rng
        self._orders: dict[int, _Order] = {}
        self._unbilled: dict[int, dict[tuple[int, int], int]] = {}
        self._waited: set[int] = set()
        self._unsure: set[tuple[int, int]] = set()
        self._agenda: dict[int, list[Event]] = {}
        self._payable: dict[int, list[int]] = {}
        self._serials = [int(rng.integers(100, 4_000)) for _ in catalogue.suppliers]
        self.bills: list[Bill] = []

    def ordered(self, number: int, purchase: Purchase, prices: tuple[int, ...]) -> None:
        """An order was made, at these prices by line."""
        self._orders[number] = _Order(purchase, prices)

    def accepted(self, number: int, line: int, units: int) -> None:
        """Units of a line may be billed."""
        unbilled = self._unbilled.setdefault(self._orders[number].purchase.supplier, {})
        unbilled[number, line] = unbilled.get((number, line), 0) + units

    def undecided(self, number: int, line: int) -> None:
        """More than was ordered came of a line, or its rest is still to come: how much will count is not known yet."""
        self._unsure.add((number, line))

    def day(self, day: int) -> list[Event]:
        """What is recorded, decided and paid on a day."""
        for supplier in range(len(self._suppliers)):
            if day % _MONTH == (supplier * 11 + 3) % _MONTH and self._worth_billing(supplier):
                self._bill(supplier, day)
        events = sorted(self._agenda.pop(day, ()), key=lambda event: event.moment)
        if (self._world.start.weekday() + day) % 7 == _PAY_WEEKDAY:
            events.extend(self._payments(day))
        return events

    def _worth_billing(self, supplier: int) -> bool:
        unbilled = self._unbilled.get(supplier, {})
        value = sum(units * self._orders[number].prices[line] for (number, line), units in unbilled.items())
        waited = supplier in self._waited
        self._waited ^= {supplier} if waited or 0 < value < _SMALL else set()
        return bool(unbilled) and (waited or value >= _SMALL)

    def _bill(self, supplier: int, day: int) -> None:
        unbilled = self._unbilled.pop(supplier)
        lines = tuple(
            BilledLine(number, line, units, self._orders[number].prices[line])
            for (number, line), units in unbilled.items()
        )
        right = Bill(supplier, "", day, 0, lines, tuple(self._freight(unbilled)))
        arrives = day + int(self._rng.integers(1, 6))
        lately = day > self._world.days - _MONTH
        if self._rng.random() >= (_WRONG_LATELY if lately else _WRONG):
            number = self._record(right, arrives)
            self._pay(arrives, number)
            if self._rng.random() < (_TWICE_LATELY if lately else _TWICE):
                self._bill_again(number, arrives)
            return
        wrong = self._mistaken(right)
        number = self._record(wrong, arrives)
        self._resolve(number, right, arrives + int(self._rng.integers(*_SETTLED_AFTER)))

    def _freight(self, unbilled: dict[tuple[int, int], int]) -> Iterator[tuple[int, int]]:
        for number in dict.fromkeys(number for number, _ in unbilled):
            order = self._orders[number]
            agreed = order.purchase.freight + order.purchase.expedite
            if agreed and not order.freight_billed:
                yield number, agreed
            order.freight_billed = True

    def _record(self, bill: Bill, day: int) -> int:
        """Note the invoice under the supplier's next number; it is recorded on `day`."""
        number = len(self.bills)
        supplier = self._suppliers[bill.supplier]
        if not bill.number:
            self._serials[bill.supplier] += int(self._rng.integers(2, 40))
            year, serial = self._world.day(bill.invoiced).year, self._serials[bill.supplier]
            style = _STYLES[bill.supplier % len(_STYLES)]
            bill = bill._replace(number=style.format(year=year, serial=serial))
        self.bills.append(bill._replace(due=bill.invoiced + supplier.payment_days))
        hour = 9 if bill.credits is None else 16
        self._plan("RecordSupplierInvoice", day, hour, number, self.bills[number])
        return number

    def _plan(self, kind: str, day: int, hour: int, number: int, data: object) -> None:
        others = (data.credits,) if isinstance(data, Bill) and data.credits is not None else ()
        event = Event(kind, _at(day, hour, number), (INVOICE, number), data, others=others)
        self._agenda.setdefault(day, []).append(event)

    def _pay(self, day: int, *numbers: int) -> None:
        """Let these be paid together by the last run before the first is due, but after `day`."""
        due = max(self.bills[numbers[0]].due, day)
        run = due - (self._world.start.weekday() + due - _PAY_WEEKDAY) % 7
        self._payable.setdefault(run if run > day else run + 7, []).extend(numbers)

    def _mistaken(self, right: Bill) -> Bill:
        kind = str(self._rng.choice(_KINDS, p=_SHARES))
        sure = [
            index for index, one in enumerate(right.lines) if (one.purchase, one.line) not in self._unsure
        ]
        if kind == "freight" and right.freight:
            (number, agreed), *rest = sorted(right.freight, key=lambda one: -one[1])
            asked = round(agreed * (1 + self._rng.uniform(0.1, 0.3)) / CENT) * CENT + CENT
            return right._replace(freight=((number, asked), *rest), wrong="freight")
        if kind == "quantity" and sure:
            most = max(sure, key=lambda index: right.lines[index].units * right.lines[index].price)
            units = right.lines[most].units
            more = max(1, round(units * self._rng.uniform(0.05, 0.15)))
            lines = list(right.lines)
            lines[most] = lines[most]._replace(units=units + more)
            return right._replace(lines=tuple(lines), wrong="quantity")
        return right._replace(lines=self._dearer(right.lines), wrong="price")

    def _dearer(self, lines: tuple[BilledLine, ...]) -> tuple[BilledLine, ...]:
        """All lines of the largest order at about 4 % more."""
        values: dict[int, int] = {}
        for one in lines:
            values[one.purchase] = values.get(one.purchase, 0) + one.units * one.price
        largest = max(values, key=lambda number: values[number])
        factor = 1 + self._rng.uniform(0.03, 0.05)
        return tuple(
            one._replace(price=max(round(one.price * factor / CENT) * CENT, one.price + CENT))
            if one.purchase == largest
            else one
            for one in lines
        )

    def _resolve(self, number: int, right: Bill, day: int) -> None:
        """Days later: sent back and corrected, or accepted, with or without a credit note."""
        wrong = self.bills[number]
        answer = str(self._rng.choice(_ANSWERS, p=_ANSWER_SHARES))
        follows = day + int(self._rng.integers(1, 6))
        if answer == "corrected" or wrong.wrong == "quantity":
            reason = "quantity" if wrong.wrong == "quantity" else "price"
            self._plan("RejectSupplierInvoice", day, 13, number, reason)
            self._pay(follows, self._record(right._replace(invoiced=day), follows))
            return
        if wrong.wrong == "freight":
            answer = "small_difference"
        self._plan("AcceptSupplierInvoice", day, 14, number, answer)
        notes = [self._record(self._credit(number, right, day), day)] if answer == "credit_received" else []
        self._pay(day, number, *notes)

    def _credit(self, number: int, right: Bill, day: int) -> Bill:
        wrong = self.bills[number]
        lines = tuple(
            now._replace(price=now.price - then.price)
            for now, then in zip(wrong.lines, right.lines, strict=True)
            if now.price > then.price
        )
        return Bill(wrong.supplier, "", day, 0, lines, (), credits=number)

    def _bill_again(self, number: int, day: int) -> None:
        """The same invoice once more, its number written otherwise; somebody finds it and sends it back."""
        first = self.bills[number]
        again = day + int(self._rng.integers(6, 21))
        head, serial = _split(first.number)
        double = self._record(first._replace(number=f"{head}0{serial}", wrong="duplicate"), again)
        self._plan("RejectSupplierInvoice", again + int(self._rng.integers(2, 10)), 13, double, "duplicate")

    def _payments(self, day: int) -> Iterator[Event]:
        by_supplier: dict[int, list[int]] = {}
        for number in sorted(self._payable.pop(day, ())):
            by_supplier.setdefault(self.bills[number].supplier, []).append(number)
        for supplier, numbers in by_supplier.items():
            paid = Paid(supplier, tuple(numbers))
            yield Event(
                "PaySupplierInvoices",
                _at(day, 15, supplier),
                (PAYMENT, numbers[0]),
                paid,
                others=paid.invoices,
            )


def _split(number: str) -> tuple[str, str]:
    """A number's last figures apart from what stands before them."""
    serial = number[len(number.rstrip("0123456789")) :]
    return number[: len(number) - len(serial)], serial


def _at(day: int, hour: int, number: int) -> int:
    return day * DAY + hour * _HOUR + number % 2_900
