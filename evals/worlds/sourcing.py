"""What a buyer agrees beside single orders: blanket contracts, and requests for quotation with their answers.

Nothing here is drawn: who and what follows from what was bought before. A contract sets the price that is in force
anyway, so that orders cost what they would without it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from evals.worlds.catalogue import CENT, Catalogue
from evals.worlds.events import (
    CONTRACT,
    DAY,
    QUOTATION,
    Agreed,
    Asked,
    Awarded,
    Event,
    Purchase,
    Quoted,
)
from evals.worlds.parameters import WorldParameters

_HOUR = 3_600
_YEAR = 365
_CONTRACTS = (
    (118, 142, 3, 0.42, "Prices for the season, in return for a fixed quantity"),
    (110, _YEAR, 6, 1.15, "A year's needs of what sells best, at today's prices"),
)
"""Days before the end when it is agreed, days it runs, items, its share of what was bought in as many days, why."""
_REQUESTS = ((24, 14, 9, 3), (6, 11, None, 2))
"""Days before the end when suppliers are asked, days to answer, days before the end of the award, answers."""
_ASKED = 3
_HOLDS = 400
"""Days after the end for which a quotation holds: prices are quoted for the coming year."""
_AWARDED, _DEARER = 0.97, 0.035

Prices = Mapping[tuple[int, int], int]
"""Prices in force, by (item, supplier)."""


class Contracts:
    """Blanket contracts of a world, and what is left of them."""

    def __init__(self, world: WorldParameters, catalogue: Catalogue) -> None:
        self._world = world
        self._catalogue = catalogue
        self._left: dict[tuple[int, int], int] = {}
        self._agreed = 0

    def takes(self, supplier: int, item: int, units: int) -> bool:
        """Whether an order of these units fits its contract, which they then use up; there may be none to mind."""
        left = self._left.get((supplier, item))
        if left is None:
            return True
        if units > left:
            return False
        self._left[supplier, item] = left - units
        return True

    def day(self, day: int, purchases: Sequence[Purchase], prices: Prices) -> Iterator[Event]:
        """The contract that is agreed on a day, if any, with a supplier that has none."""
        for before, runs, count, share, reason in _CONTRACTS:
            if day != max(self._world.days - before, self._world.days * 2 // 5):
                continue
            supplier, bought = self._largest(purchases)
            scale = share * min(runs, _YEAR) / min(day, _YEAR)
            lines = tuple(
                (item, prices[item, supplier], round(units * scale))
                for item, units in bought.most_common(count)
                if round(units * scale)
            )
            if not lines:
                continue
            number, self._agreed = self._agreed, self._agreed + 1
            self._left |= {(supplier, item): units for item, _, units in lines}
            agreed = Agreed(supplier, day, day + runs, lines, reason)
            yield Event("AgreeContract", day * DAY + 8 * _HOUR, (CONTRACT, number), agreed)

    def _largest(self, purchases: Sequence[Purchase]) -> tuple[int, Counter[int]]:
        """The supplier without a contract of which most was bought in a year, and the units by item."""
        since = self._since(purchases)
        taken = {supplier for supplier, _ in self._left}
        spent: Counter[int] = Counter()
        for one in since:
            spent[one.supplier] += one.total * (one.supplier not in taken)
        supplier = spent.most_common(1)[0][0] if spent else 0
        bought: Counter[int] = Counter()
        for one in since:
            for line in one.lines if one.supplier == supplier else ():
                bought[line.item] += line.units
        return supplier, bought

    def _since(self, purchases: Sequence[Purchase]) -> list[Purchase]:
        """Orders of about the last year: those whose goods were needed within it, or are needed yet."""
        latest = max((one.lines[0].need_by for one in purchases), default=0)
        return [one for one in purchases if one.lines[0].need_by > latest - _YEAR]


class Quotations:
    """Requests for quotation of a world: the first is awarded, the second still waits for an answer in the end."""

    def __init__(self, world: WorldParameters, catalogue: Catalogue) -> None:
        self._world = world
        self._catalogue = catalogue
        self._asked: dict[int, Asked] = {}

    def day(self, day: int, purchases: Sequence[Purchase], prices: Prices) -> Iterator[Event]:
        """What is asked, answered and awarded on a day."""
        left = self._world.days - day
        for number, (before, lasts, awarded, answers) in enumerate(_REQUESTS):
            document = (QUOTATION, number)
            if left == before:
                asked = self._asked[number] = self._ask(number, day, day + lasts, purchases)
                yield Event("RequestQuotation", _at(day, 10), document, asked)
            if number not in self._asked:
                continue
            asked = self._asked[number]
            for rank in range(min(answers, len(asked.suppliers))):
                if left == before - 2 - rank:
                    yield Event(
                        "RecordQuotation", _at(day, 11), document, self._answer(asked, rank, day, prices)
                    )
            if left == awarded:
                lines = tuple(range(len(asked.lines)))
                yield Event("AwardQuotation", _at(day, 14), document, Awarded(asked.suppliers[0], lines))

    def _ask(self, number: int, day: int, deadline: int, purchases: Sequence[Purchase]) -> Asked:
        """For what was last bought most of, from a supplier and others of its kind; a different supplier each time."""
        sellers = Counter(one.supplier for one in purchases[-400:])
        first = sellers.most_common(number + 1)[-1][0]
        latest = next(one for one in reversed(purchases) if one.supplier == first)
        others = [
            index
            for index, one in enumerate(self._catalogue.suppliers)
            if index != first and set(one.categories) & set(self._catalogue.suppliers[first].categories)
        ]
        rest = [index for index in sellers if index != first and index not in others]
        largest = sorted(latest.lines, key=lambda line: (-line.units, line.item))[:2]
        return Asked(
            latest.location,
            (first, *[*others, *rest][: _ASKED - 1]),
            deadline,
            day + 45 + self._catalogue.suppliers[first].lead,
            tuple((line.item, line.units * 2) for line in largest),
        )

    def _answer(self, asked: Asked, rank: int, day: int, prices: Prices) -> Quoted:
        """The first supplier is cheaper than it was, the others are dearer than that."""
        first, supplier = asked.suppliers[0], asked.suppliers[rank]
        lines = []
        for index, (item, _) in enumerate(asked.lines):
            source = next(one for one in self._catalogue.items[item].sources if one.supplier == first)
            factor = _AWARDED + _DEARER * rank
            price = round(prices[item, first] * factor / CENT) * CENT
            lines.append((index, max(price, CENT), source.minimum, source.multiple))
        lead = self._catalogue.suppliers[supplier].lead
        return Quoted(supplier, self._world.days + _HOLDS, lead, tuple(lines))


def _at(day: int, hour: int) -> int:
    return day * DAY + hour * _HOUR
