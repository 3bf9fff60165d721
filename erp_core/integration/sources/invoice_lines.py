"""Invoice lines as columns of integers, so that a million of them fit in memory."""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime


class Numbers(dict[object, int]):
    """Numbers for values, in order of appearance; `values` gives them back."""

    def __init__(self) -> None:
        super().__init__()
        self.given: list[object] = []

    def __missing__(self, value: object) -> int:
        number = self[value] = len(self.given)
        self.given.append(value)
        return number


@dataclass(slots=True)
class InvoiceLines:
    """Rows of sales and cancellations as columns; texts and moments are numbers into `Numbers`.

    `known` marks rows that an earlier import brought: they take part in matching and are not posted.
    """

    invoice: array[int] = field(default_factory=lambda: array("l"))
    sku: array[int] = field(default_factory=lambda: array("l"))
    quantity: array[int] = field(default_factory=lambda: array("q"))
    at: array[int] = field(default_factory=lambda: array("l"))
    price: array[int] = field(default_factory=lambda: array("q"))
    customer: array[int] = field(default_factory=lambda: array("l"))
    country: array[int] = field(default_factory=lambda: array("l"))
    known: bytearray = field(default_factory=bytearray)
    invoices: Numbers = field(default_factory=Numbers)
    skus: Numbers = field(default_factory=Numbers)
    moments: Numbers = field(default_factory=Numbers)
    customers: Numbers = field(default_factory=Numbers)
    countries: Numbers = field(default_factory=Numbers)
    names: dict[int, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))

    def add(
        self,
        invoice: str,
        sku: str,
        quantity: int,
        when: datetime,
        charged: int,
        customer: str | None,
        country: str,
        description: str,
        known: bool,
    ) -> None:
        """Append an accepted row."""
        number = self.skus[sku]
        self.invoice.append(self.invoices[invoice])
        self.sku.append(number)
        self.quantity.append(quantity)
        self.at.append(self.moments[when])
        self.price.append(charged)
        self.customer.append(self.customers[customer])
        self.country.append(self.countries[country])
        self.known.append(known)
        if description:
            self.names[number][description] += 1

    def when(self, row: int) -> datetime:
        """The moment of a row, as published (UK local time)."""
        found = self.moments.given[self.at[row]]
        assert isinstance(found, datetime)
        return found

    def text(self, numbers: Numbers, column: array[int], row: int) -> str:
        """The text that a row has in a column."""
        return str(numbers.given[column[row]])
