"""The rows of a generated company with their dimensions, for every part of the oracle."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any
from uuid import UUID

from tests.analytics.company import Company, Row

Value = float | None
Line = tuple[Row, date | None, dict[str, Any]]


def fraction(numerator: float, denominator: float) -> Value:
    return numerator / denominator if denominator else None


@dataclass
class Rows:
    """The company's rows with their dimensions, as every part of the oracle reads them."""

    company: Company
    _lines: dict[str, list[Line]] = field(default_factory=dict)

    def lines_of(self, name: str) -> list[Line]:
        """What the method of this name yields, computed once."""
        if name not in self._lines:
            self._lines[name] = list(getattr(self, name)())
        return self._lines[name]

    @cached_property
    def seen(self) -> set[UUID | None]:
        return {None} | {
            row["import_id"] for row in self.company.rows["import_visibility"] if row["complete"]
        }

    @cached_property
    def item_dims(self) -> dict[UUID, Row]:
        suppliers = self.company.by_id("suppliers")
        dims = {}
        for item in self.company.rows["items"]:
            terms = [row for row in self.company.rows["supplier_items"] if row["item_id"] == item["id"]]
            best = min(terms, key=lambda row: row["rank"], default=None)
            dims[item["id"]] = {
                "item": item["sku"],
                "category": item["category"],
                "brand": item["brand"],
                "abc_class": item["abc_class"],
                "supplier": suppliers[best["supplier_id"]]["code"] if best else None,
            }
        return dims

    @cached_property
    def codes(self) -> dict[UUID, str]:
        tables = ("locations", "channels", "suppliers")
        found = {row["id"]: row["code"] for table in tables for row in self.company.rows[table]}
        return found | {row["id"]: row["login"] for row in self.company.rows["users"]}

    def place_dims(self, location_id: UUID | None) -> Row:
        """The warehouse and whose it is."""
        if location_id is None:
            return {"warehouse": None, "legal_entity": None}
        owner = self.company.by_id("locations")[location_id]["legal_entity_id"]
        entities = self.company.by_id("legal_entities")
        return {
            "warehouse": self.codes[location_id],
            "legal_entity": entities[owner]["code"] if owner else None,
        }

    def rows(self, table: str) -> list[Row]:
        return [row for row in self.company.rows[table] if row.get("import_id") in self.seen]

    def sales_dims(self, line: Row) -> Row:
        return self.item_dims[line["item_id"]] | {
            **self.place_dims(line["location_id"]),
            "channel": self.codes[line["channel_id"]],
            "customer_country": line["customer_country"],
        }

    def order_lines(self) -> Iterator[tuple[Row, Row, Row]]:
        orders = self.company.by_id("orders")
        for line in self.rows("order_lines"):
            order = orders[line["order_id"]]
            yield line, order, self.sales_dims(line) | {"order_status": order["status"]}

    @staticmethod
    def demanded(line: Row, order: Row) -> int:
        by_company = order["cancel_reason"] in ("out_of_stock", "discontinued")
        return line["quantity"] - (0 if by_company else line["cancelled_quantity"])
