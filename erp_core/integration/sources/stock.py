"""Template `opening-stock`: what lies where when the ledger begins, and what it cost."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from erp_core.integration.fields import price, quantity, text_up_to
from erp_core.integration.findings import Chunk, Chunks, Findings
from erp_core.integration.known import Known
from erp_core.integration.rows import StockRow, chunk
from erp_core.integration.sources.template import (
    LOCATION_KIND,
    Field,
    Line,
    Places,
    RowError,
    SetAside,
    Template,
    found,
)

ROWS_PER_CHUNK = 300


class Stock(NamedTuple):
    """A row of `opening-stock`."""

    sku: str
    location: str
    quantity: int
    unit_cost: int | None
    location_kind: str | None


class OpeningStock(Template[Stock]):
    """The first count of each item. An item that the ledger knows is left alone."""

    name = "opening-stock"
    record = Stock
    fields = (
        Field("sku", text_up_to(60), True, "the item"),
        Field("location", text_up_to(40), True, "code of the location"),
        Field("quantity", quantity, True, "base units that lie there, ready to sell"),
        Field("unit_cost", price, False, "landed cost of a base unit, the same at all locations"),
        Field("location_kind", LOCATION_KIND, False, "makes a new location of this kind"),
    )

    def __init__(self) -> None:
        super().__init__()
        self._places: Places | None = None

    def checker(self, known: Known, findings: Findings) -> Callable[[Stock], Stock]:
        """Known codes; an item and location once; one cost an item."""
        self._places = places = Places(known)
        seen: set[tuple[str, str]] = set()
        costs: dict[str, int | None] = {}

        def check(row: Stock) -> Stock:
            sku = found(known.items, "sku", row.sku)
            location = places.location(row.location, row.location_kind)
            if sku in known.stocked:
                raise SetAside("already_stocked")
            if (sku, location) in seen:
                raise RowError(
                    "sku", "stands_twice", f"{sku} at {location} stands twice", "add the quantities"
                )
            if costs.setdefault(sku, row.unit_cost) != row.unit_cost:
                raise RowError(
                    "unit_cost", "cost_differs", f"{sku} has another cost above", "give one cost an item"
                )
            seen.add((sku, location))
            return row._replace(sku=sku, location=location)

        return check

    def lay_out(self, lines: Sequence[Line[Stock]], known: Known, findings: Findings) -> Chunks:
        """All rows of an item in one chunk, for an item is valued once."""
        places = self._places
        assert places is not None
        by_item: defaultdict[str, list[StockRow]] = defaultdict(list)
        for line in lines:
            row = line.row
            by_item[row.sku].append(StockRow(row.sku, row.location, row.quantity, row.unit_cost))

        def chunks() -> Iterator[Chunk]:
            if places.locations:
                yield chunk("items", locations=places.locations.values())
            waiting: list[StockRow] = []
            for rows in by_item.values():
                if waiting and len(waiting) + len(rows) > ROWS_PER_CHUNK:
                    yield chunk("stock", stock=waiting)
                    waiting = []
                waiting += rows
            if waiting:
                yield chunk("stock", stock=waiting)

        return chunks()
