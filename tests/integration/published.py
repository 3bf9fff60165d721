"""Plain-Python oracles over the published files; they share no code with import, semantic layer or agent."""

from __future__ import annotations

import csv
import gzip
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

Figures = dict[Any, Decimal]


def published(path: Path) -> Iterator[dict[str, str]]:
    """The rows of a published file."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as stream:
        yield from csv.DictReader(stream)


@dataclass
class Sale:
    """A line of goods; `left` is what was not cancelled the same day, `back` what came back later."""

    invoice: str
    day: str
    country: str
    sku: str
    price: Decimal
    left: int
    back: int = 0


@dataclass
class Shop:
    """What Online Retail sold and what came back: (day, SKU, units, refund)."""

    sales: list[Sale] = field(default_factory=list)
    returns: list[tuple[str, str, int, Decimal]] = field(default_factory=list)

    def total(
        self,
        key: Callable[[Sale], Any],
        value: Callable[[Sale], Decimal | int],
        when: Callable[[Sale], bool] = lambda sale: True,
    ) -> Figures:
        """Sums of `value` by `key` over the sales of which something was left."""
        sums: Figures = defaultdict(Decimal)
        for sale in self.sales:
            if sale.left and when(sale):
                sums[key(sale)] += value(sale)
        return dict(sums)

    def orders(self, key: Callable[[Sale], Any], when: Callable[[Sale], bool] = lambda sale: True) -> Figures:
        """Different invoices by `key`."""
        found = {(key(sale), sale.invoice) for sale in self.sales if sale.left and when(sale)}
        counts: Figures = defaultdict(Decimal)
        for group, _ in found:
            counts[group] += 1
        return dict(counts)


def read_shop(path: Path) -> Shop:
    """Goods by stock code; each cancellation undoes the customer's latest sales of the item first."""
    shop, stacks = Shop(), defaultdict[tuple[str, str], list[Sale]](list)
    for row in published(path):  # in order of time
        sku, units, price = row["StockCode"].strip().upper(), int(row["Quantity"]), Decimal(row["UnitPrice"])
        day, who, cancels = row["InvoiceDate"][:10], row["CustomerID"], row["InvoiceNo"][0] == "C"
        if not sku[:5].isdigit() or row["InvoiceNo"][0] == "A":
            continue
        if not cancels and units > 0 and (who or price):
            sale = Sale(row["InvoiceNo"], day, row["Country"], sku, price, units)
            shop.sales.append(sale)
            stacks[who, sku].append(sale)
        rest = -units if cancels else 0
        stack = stacks[who, sku] if who else []
        while rest > 0 and stack:
            top = stack[-1]
            undone = min(rest, top.left - top.back)
            if top.day == day:
                top.left -= undone
            else:
                top.back += undone
                shop.returns.append((day, sku, undone, undone * price))
            rest -= undone
            if top.left == top.back:
                stack.pop()
        if rest > 0:
            shop.returns.append((day, sku, rest, rest * price))
    return shop


@dataclass(frozen=True)
class Delivery:
    """A delivery line as known on the as-of day; `arrived` is None while it is open."""

    po: str
    vendor: str
    own: bool
    category: str
    sent: str
    known: str
    due: str
    arrived: str | None
    packs: int
    value: Decimal
    freight: Decimal


def read_deliveries(path: Path, as_of: date) -> list[Delivery]:
    """Every line; a delivery counts once it was recorded, and its freight with it."""
    found = []
    for row in published(path):
        sent, asked, due = (
            row[name]
            for name in (
                "PO Sent to Vendor Date",
                "PQ First Sent to Client Date",
                "Scheduled Delivery Date",
            )
        )
        arrived = row["Delivered to Client Date"]
        seen = max(arrived, row["Delivery Recorded Date"]) <= as_of.isoformat()
        cost = row["Freight Cost (USD)"]
        found.append(
            Delivery(
                row["PO / SO #"],
                " ".join(row["Vendor"].split()),
                row["Fulfill Via"] == "From RDC",
                row["Sub Classification"],
                sent if sent[:1] == "2" else "",
                min(next((day for day in (sent, asked) if day[:1] == "2"), due), due),
                due,
                arrived if seen else None,
                int(row["Line Item Quantity"]),
                int(row["Line Item Quantity"]) * Decimal(row["Pack Price"]),
                Decimal(cost) if seen and cost.replace(".", "", 1).isdigit() else Decimal(0),
            )
        )
    return found


def placed_on(lines: list[Delivery]) -> dict[str, str]:
    """The day each order was sent, or made where nobody wrote down when it was sent."""
    sent: dict[str, list[str]] = defaultdict(list)
    made: dict[str, list[str]] = defaultdict(list)
    for line in lines:
        made[line.po].append(line.known)
        sent[line.po] += [line.sent] if line.sent else []
    return {po: min(sent[po] or days) for po, days in made.items()}
