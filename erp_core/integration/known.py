"""What the books know already, as readers of files ask for it: each list is read once, when first needed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Engine, Select, func, or_, select

from erp_core.integration.fields import FieldError
from erp_core.inventory.lots.rules import Tracking
from erp_core.inventory.model import stock_balances
from erp_core.master.model import channels, items, locations, supplier_items, suppliers
from erp_core.orders.model import order_lines, orders
from erp_core.procurement.model import purchase_orders
from erp_core.returns.model import return_lines, returns
from erp_core.storage.engine import reading
from erp_core.storage.lookup import fetch_in


class Codes:
    """Codes of a kind: found exactly, else in any case where only one fits."""

    def __init__(self, kind: str, codes: Iterable[str]) -> None:
        self.kind = kind
        self._exact = set(codes)
        self._folded: dict[str, list[str]] = {}
        for code in self._exact:
            self._folded.setdefault(code.casefold(), []).append(code)

    def __contains__(self, code: str) -> bool:
        return code in self._exact or code.casefold() in self._folded

    def add(self, code: str) -> None:
        """Know another code from now on."""
        if code not in self._exact:
            self._exact.add(code)
            self._folded.setdefault(code.casefold(), []).append(code)

    def find(self, code: str) -> str:
        """The code as the books write it; raises `FieldError` for none or several, and never guesses."""
        if code in self._exact:
            return code
        near = self._folded.get(code.casefold(), [])
        if len(near) == 1:
            return near[0]
        if near:
            raise FieldError(
                "ambiguous_code", f"{self.kind} {code!r} fits {', '.join(sorted(near))}", "write it exactly"
            )
        raise FieldError(
            "unknown_code", f"there is no {self.kind} {code!r}", f"import or create the {self.kind} first"
        )


@dataclass(slots=True)
class SoldLine:
    """A line of an earlier order; `left` is what was shipped and has not come back."""

    line_no: int
    sku: str
    location: str
    country: str
    shipped_on: date | None
    unit_price: int
    left: int


class Known:
    """The books as an import finds them; documents of the import itself do not count."""

    def __init__(self, engine: Engine, import_id: UUID, as_of: date) -> None:
        self.import_id = import_id
        self.as_of = as_of
        self._engine = engine

    def _rows(self, statement: Select[Any]) -> list[Any]:
        with reading(self._engine) as connection:
            return list(connection.execute(statement))

    def _codes(self, kind: str, column: Column[Any]) -> Codes:
        return Codes(kind, (code for (code,) in self._rows(select(column))))

    @cached_property
    def items(self) -> Codes:
        """SKUs."""
        return self._codes("item", items.c.sku)

    @cached_property
    def tracking(self) -> dict[str, Tracking]:
        """What is asked of every unit of the items that are tracked, by SKU."""
        flags = (items.c.lot_tracked, items.c.serial_tracked, items.c.expiry_tracked)
        rows = self._rows(select(items.c.sku, *flags).where(or_(*flags[:2])))
        return {row[0]: Tracking(*row) for row in rows}

    @cached_property
    def suppliers(self) -> Codes:
        """Supplier codes."""
        return self._codes("supplier", suppliers.c.code)

    @cached_property
    def locations(self) -> Codes:
        """Codes of physical locations."""
        rows = self._rows(select(locations.c.code).where(locations.c.physical))
        return Codes("location", (code for (code,) in rows))

    @cached_property
    def channels(self) -> Codes:
        """Channel codes."""
        return self._codes("channel", channels.c.code)

    def _elsewhere(self, column: Any) -> Any:
        return or_(column.is_(None), column != self.import_id)

    @cached_property
    def orders(self) -> set[tuple[str, str]]:
        """Channel code and external reference of every order."""
        rows = self._rows(
            select(channels.c.code, orders.c.external_ref)
            .join(orders, orders.c.channel_id == channels.c.id)
            .where(self._elsewhere(orders.c.import_id))
        )
        return {(channel, reference) for channel, reference in rows}

    @cached_property
    def purchase_orders(self) -> set[str]:
        """Numbers of purchase orders."""
        rows = self._rows(
            select(purchase_orders.c.number).where(self._elsewhere(purchase_orders.c.import_id))
        )
        return {number for (number,) in rows}

    @cached_property
    def returns(self) -> set[str]:
        """Numbers of returns."""
        return {
            number
            for (number,) in self._rows(select(returns.c.number).where(self._elsewhere(returns.c.import_id)))
        }

    @cached_property
    def offers(self) -> set[tuple[str, str]]:
        """Supplier code and SKU of every item that a supplier supplies."""
        rows = self._rows(
            select(suppliers.c.code, items.c.sku)
            .join(supplier_items, supplier_items.c.supplier_id == suppliers.c.id)
            .join(items, items.c.id == supplier_items.c.item_id)
        )
        return {(supplier, sku) for supplier, sku in rows}

    @cached_property
    def stocked(self) -> set[str]:
        """SKUs that the ledger knows already."""
        rows = self._rows(
            select(items.c.sku).where(items.c.id.in_(select(stock_balances.c.item_id).distinct()))
        )
        return {sku for (sku,) in rows}

    def sold(self, references: Iterable[str]) -> dict[tuple[str, str], list[SoldLine]]:
        """Lines of earlier orders with what is left to return, by channel and external reference."""
        back = (
            select(func.coalesce(func.sum(return_lines.c.quantity), 0))
            .where(return_lines.c.order_line_id == order_lines.c.id)
            .where(self._elsewhere(return_lines.c.import_id))
            .scalar_subquery()
        )
        statement = (
            select(
                channels.c.code,
                orders.c.external_ref,
                order_lines.c.line_no,
                items.c.sku,
                locations.c.code,
                orders.c.customer_country,
                order_lines.c.shipped_on,
                order_lines.c.unit_price,
                order_lines.c.shipped_quantity - back,
            )
            .join(orders, orders.c.id == order_lines.c.order_id)
            .join(channels, channels.c.id == orders.c.channel_id)
            .join(items, items.c.id == order_lines.c.item_id)
            .join(locations, locations.c.id == order_lines.c.location_id)
            .order_by(orders.c.external_ref, order_lines.c.line_no)
        )
        found: dict[tuple[str, str], list[SoldLine]] = {}
        with reading(self._engine) as connection:
            for channel, reference, *cells in fetch_in(
                connection, statement, orders.c.external_ref, references
            ):
                found.setdefault((channel, reference), []).append(SoldLine(*cells))
        return found
