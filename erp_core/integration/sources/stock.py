"""Template `opening-stock`: what lies where when the ledger begins, and what it cost."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import NamedTuple
from uuid import UUID

from erp_core.gate.contract import DomainError
from erp_core.integration.fields import day, price, quantity, several, text_up_to
from erp_core.integration.findings import Chunk, Chunks, Findings
from erp_core.integration.known import Known
from erp_core.integration.rows import StockRow, chunk, iso
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
from erp_core.inventory.lots.rules import LotFields, Tracking, named_lots

ROWS_PER_CHUNK = 300


class Stock(NamedTuple):
    """A row of `opening-stock`."""

    sku: str
    location: str
    quantity: int
    unit_cost: int | None
    location_kind: str | None
    lot_code: str | None
    expires_on: date | None
    serials: tuple[str, ...] | None


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
        Field("lot_code", text_up_to(60), False, "lot of these units, for an item that is tracked by lot"),
        Field("expires_on", day, False, "the last day the lot may be used, for an item that expires"),
        Field("serials", several(60, 10_000), False, "number of each unit, for an item that has them"),
    )

    def __init__(self) -> None:
        super().__init__()
        self._places: Places | None = None

    def checker(self, known: Known, findings: Findings) -> Callable[[Stock], Stock]:
        """Known codes; an item and location once, of a tracked item each lot; one cost an item."""
        self._places = places = Places(known)
        seen: set[tuple[str, str, str | None]] = set()
        lasts: dict[tuple[str, str], date | None] = {}
        numbers: set[tuple[str, str]] = set()
        costs: dict[str, int | None] = {}

        def check(row: Stock) -> Stock:
            sku = found(known.items, "sku", row.sku)
            location = places.location(row.location, row.location_kind)
            if sku in known.stocked:
                raise SetAside("already_stocked")
            _check_lots(row, known.tracking.get(sku))
            if not row.serials and (sku, location, row.lot_code) in seen:
                raise RowError(
                    "sku", "stands_twice", f"{sku} at {location} stands twice", "add the quantities"
                )
            if row.lot_code and lasts.setdefault((sku, row.lot_code), row.expires_on) != row.expires_on:
                raise RowError(
                    "expires_on", "lot_differs", f"{row.lot_code} has another last day above", "give one"
                )
            again = next((one for one in row.serials or () if (sku, one) in numbers), None)
            if again is not None:
                raise RowError("serials", "stands_twice", f"{again} stands above", "scan each unit once")
            if costs.setdefault(sku, row.unit_cost) != row.unit_cost:
                raise RowError(
                    "unit_cost", "cost_differs", f"{sku} has another cost above", "give one cost an item"
                )
            seen.add((sku, location, row.lot_code))
            numbers.update((sku, one) for one in row.serials or ())
            return row._replace(sku=sku, location=location)

        return check

    def lay_out(self, lines: Sequence[Line[Stock]], known: Known, findings: Findings) -> Chunks:
        """All rows of an item in one chunk, for an item is valued once."""
        places = self._places
        assert places is not None
        by_item: defaultdict[str, list[StockRow]] = defaultdict(list)
        for line in lines:
            row = line.row
            of_lot = (row.lot_code, iso(row.expires_on), row.serials or ())
            by_item[row.sku].append(StockRow(row.sku, row.location, row.quantity, row.unit_cost, *of_lot))

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


def _check_lots(row: Stock, tracking: Tracking | None) -> None:
    """Raise `RowError` where the row says less of its units, or more, than the item is tracked by."""
    said = LotFields(lot_code=row.lot_code, expires_on=row.expires_on, serials=row.serials or ())
    try:
        named_lots(UUID(int=0), tracking, row.quantity, said, field="")
    except DomainError as error:
        raise RowError(error.field or "lot_code", error.code, error.message, error.remedy) from error
