"""Every metric again, in plain Python over the generated rows, from the words of its definition."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from typing import Any
from uuid import UUID

from erp_core.orders.rules import COMMITTED, GONE
from tests.analytics.company import TODAY, Company, Row, is_placed

Value = float | None
Line = tuple[Row, date | None, dict[str, Any]]


def fraction(numerator: float, denominator: float) -> Value:
    return numerator / denominator if denominator else None


@dataclass
class Oracle:
    """Answers (metric, group by, filter, period) by looping over the company's rows."""

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

    # ---- sales

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

    def ordered(self) -> Iterator[Line]:
        for line, order, dims in self.order_lines():
            units = self.demanded(line, order)
            yield dims, line["ordered_on"], {"line": line, "order": order["id"], "units": units}

    def shipped(self) -> Iterator[Line]:
        parcels = self.company.by_id("shipments")
        by_line = defaultdict(list)
        for row in self.company.rows["shipment_lines"]:
            by_line[row["order_line_id"]].append(row)
        for line, order, dims in self.order_lines():
            if order["import_id"] and line["shipped_quantity"]:
                yield (
                    dims,
                    line["shipped_on"],
                    {"line": line, "units": line["shipped_quantity"], "cost": None},
                )
            for row in by_line[line["id"]]:
                day = parcels[row["shipment_id"]]["shipped_on"]
                yield dims, day, {"line": line, "units": row["quantity"], "cost": row["cost"]}

    def freight(self) -> Iterator[Line]:
        parcels = self.company.by_id("shipments")
        units: dict[UUID, int] = defaultdict(int)
        for row in self.company.rows["shipment_lines"]:
            units[row["shipment_id"]] += row["quantity"]
        lines = {line["id"]: dims for line, _, dims in self.order_lines()}
        for row in self.company.rows["shipment_lines"]:
            parcel = parcels[row["shipment_id"]]
            share = parcel["freight_cost"] * row["quantity"] / units[parcel["id"]]
            yield lines[row["order_line_id"]], parcel["shipped_on"], {"freight": share}

    def promised(self) -> Iterator[Line]:
        for line, order, dims in self.order_lines():
            units = self.demanded(line, order)
            if line["promised_on"] and line["promised_on"] < TODAY and units:
                yield dims, line["promised_on"], {"units": units, "good": line["shipped_by_promise"]}

    def open_orders(self) -> Iterator[Line]:
        for line, order, dims in self.order_lines():
            left = line["quantity"] - line["shipped_quantity"] - line["cancelled_quantity"]
            if order["status"] in COMMITTED and left:
                yield dims, None, {"units": left, "backordered": left - line["reserved_quantity"]}

    def orders(self) -> Iterator[tuple[Row, Row, list[Row]]]:
        lines = defaultdict(list)
        for line in self.rows("order_lines"):
            lines[line["order_id"]].append(line)
        for order in self.rows("orders"):
            dims = {
                "channel": self.codes[order["channel_id"]],
                "customer_country": order["customer_country"],
                "order_status": order["status"],
            }
            yield dims, order, lines[order["id"]]

    def outcomes(self) -> Iterator[Line]:
        for dims, order, lines in self.orders():
            if order["status"] in GONE and not order["import_id"] and order["shipped_on"]:
                units = sum(line["shipped_quantity"] for line in lines)
                days = (order["shipped_on"] - order["ordered_on"]).days
                yield (
                    dims,
                    order["shipped_on"],
                    {"days": days, "units": units, "shipments": order["shipments"]},
                )

    def promises(self) -> Iterator[Line]:
        bad = {"damaged_in_transit", "defective", "wrong_item"}
        backs = self.company.by_id("returns")
        spoilt = {
            backs[row["return_id"]]["order_id"] for row in self.rows("return_lines") if row["reason"] in bad
        }
        for dims, order, lines in self.orders():
            units = sum(self.demanded(line, order) for line in lines)
            if order["promised_on"] and order["promised_on"] < TODAY and units:
                complete = sum(line["shipped_by_promise"] for line in lines) >= units
                yield dims, order["promised_on"], {"good": complete and order["id"] not in spoilt}

    # ---- purchasing

    def po_dims(self, order: Row) -> Row:
        return {
            "supplier": self.codes[order["supplier_id"]],
            "buyer": self.codes[order["buyer_id"]],
            **self.place_dims(order["location_id"]),
            "po_status": order["status"],
        }

    def po_lines(self) -> Iterator[tuple[Row, Row, Row]]:
        orders = self.company.by_id("purchase_orders")
        for line in self.rows("po_lines"):
            order = orders[line["po_id"]]
            yield line, order, self.item_dims[line["item_id"]] | self.po_dims(order)

    def external(self, order: Row) -> bool:
        return not self.company.by_id("suppliers")[order["supplier_id"]]["internal"]

    @staticmethod
    def left(line: Row) -> int:
        return int(line["quantity"] - line["cancelled_quantity"] - line["accepted_quantity"])

    def is_late(self, line: Row, order: Row) -> bool:
        due = line["first_promised_on"] or line["promised_on"] or line["need_by"]
        sent = order["status"] in ("sent", "confirmed", "partly_received")
        return bool(sent and self.left(line) > 0 and due and due < TODAY)

    def created(self) -> Iterator[Line]:
        for _, order, dims in self.po_lines():
            if order["status"] != "cancelled":
                yield dims, order["created_on"], {"order": order["id"]}

    def sent(self) -> Iterator[Line]:
        active = {row["id"] for row in self.company.rows["suppliers"] if row["status"] == "active"}
        sources: dict[UUID, int] = defaultdict(int)
        for row in self.company.rows["supplier_items"]:
            sources[row["item_id"]] += row["supplier_id"] in active
        for line, order, dims in self.po_lines():
            if is_placed(order) and self.external(order):
                share = line["quantity"] * line["unit_price"] / order["total"]
                value = (line["quantity"] - line["cancelled_quantity"]) * line["unit_price"]
                yield (
                    dims,
                    order["sent_on"] or order["created_on"],
                    {
                        "value": value,
                        "single": value if sources[line["item_id"]] < 2 else 0,
                        "freight": order["freight_cost"] * share,
                        "expedite": order["expedite_cost"] * share,
                    },
                )

    def open_pos(self) -> Iterator[Line]:
        for line, order, dims in self.po_lines():
            left = self.left(line)
            if order["status"] in ("approved", "sent", "confirmed", "partly_received") and left > 0:
                late = self.is_late(line, order)
                yield (
                    dims,
                    None,
                    {
                        "units": left,
                        "on_order": left if order["status"] != "approved" else 0,
                        "value": left * line["unit_price"],
                        "late": int(late),
                        "late_value": left * line["unit_price"] if late else 0,
                    },
                )

    def due(self) -> Iterator[Line]:
        for line, order, dims in self.po_lines():
            first = line["first_promised_on"]
            wanted = line["quantity"] - (0 if order["status"] == "closed" else line["cancelled_quantity"])
            if self.external(order) and is_placed(order) and first and first < TODAY and wanted:
                done = line["completed_on"]
                on_time = done is not None and done <= first
                yield (
                    dims,
                    first,
                    {
                        "on_time": on_time,
                        "latest": done is not None and done <= line["promised_on"],
                        "in_full": line["accepted_quantity"] >= wanted and not line["rejected_quantity"],
                        "otif": on_time and not line["rejected_quantity"],
                        "units": wanted,
                        "good": min(line["accepted_by_promise"], wanted),
                    },
                )

    def received(self) -> Iterator[Line]:
        receipts = self.company.by_id("receipts")
        lines = {line["id"]: (line, order, dims) for line, order, dims in self.po_lines()}
        for row in self.company.rows["receipt_lines"]:
            if row["po_line_id"] in lines:
                line, order, dims = lines[row["po_line_id"]]
                yield (
                    dims,
                    receipts[row["receipt_id"]]["received_on"],
                    {"row": row, "line": line, "order": order},
                )

    def lead_times(self) -> Iterator[Line]:
        for dims, day, part in self.received():
            order = part["order"]
            if self.external(order) and order["sent_on"] and part["row"]["accepted_quantity"]:
                yield (
                    dims,
                    day,
                    {"units": part["row"]["accepted_quantity"], "days": (day - order["sent_on"]).days},
                )
        for line, order, dims in self.po_lines():
            if self.external(order) and order["sent_on"] and self.is_late(line, order):
                yield dims, TODAY, {"units": self.left(line), "days": (TODAY - order["sent_on"]).days}

    def approvals(self) -> Iterator[Line]:
        for order in self.rows("purchase_orders"):
            if order["submitted_at"] and order["approved_at"]:
                hours = (order["approved_at"] - order["submitted_at"]).total_seconds() / 3600
                yield self.po_dims(order), order["approved_at"].date(), {"hours": hours}

    def payables(self) -> Iterator[Line]:
        suppliers = self.company.by_id("suppliers")
        for dims, day, part in self.received():
            days = suppliers[part["order"]["supplier_id"]]["payment_days"]
            if days is not None and (TODAY - day).days < days:
                yield dims, None, {"payable": part["row"]["accepted_quantity"] * part["line"]["unit_price"]}

    # ---- returns

    def returned(self) -> Iterator[tuple[Row, Row, Row]]:
        backs = self.company.by_id("returns")
        for line in self.rows("return_lines"):
            back = backs[line["return_id"]]
            if back["status"] != "authorised":
                dims = self.sales_dims(line) | {
                    "return_reason": line["reason"],
                    "disposition": line["disposition"],
                }
                yield dims, back, line

    def by_return_day(self) -> Iterator[Line]:
        for dims, back, line in self.returned():
            loss = line["refund"] - (line["recovered"] or 0)
            yield dims, line["returned_on"], {"return": back["id"], "line": line, "loss": loss}

    def cohort(self) -> Iterator[Line]:
        for dims, _, line in self.returned():
            if line["shipped_on"]:
                yield dims, line["shipped_on"], {"returned": line["quantity"]}

    def disposed(self) -> Iterator[Line]:
        for dims, _, line in self.returned():
            if line["disposed_on"]:
                yield dims, line["disposed_on"], line

    def stranded(self) -> Iterator[Line]:
        for dims, back, line in self.returned():
            if not line["disposed_on"] and not back["import_id"] and (TODAY - line["returned_on"]).days > 14:
                yield dims, None, {"units": line["quantity"]}

    # ---- stock

    def positions(self, as_of: date = TODAY) -> Iterator[Line]:
        units: dict[tuple[UUID, UUID, str], int] = defaultdict(int)
        for row in self.company.rows["stock_moves"]:
            if row["occurred_on"] <= as_of:
                units[row["item_id"], row["from_location_id"], row["from_state"]] -= row["quantity"]
                units[row["item_id"], row["to_location_id"], row["to_state"]] += row["quantity"]
        for (item, place, state), count in units.items():
            if state != "virtual" and count:
                dims = self.item_dims[item] | {**self.place_dims(place), "stock_state": state}
                yield dims, None, {"item": item, "place": place, "state": state, "units": count}

    def unit_cost(self, item: UUID, as_of: date = TODAY) -> Value:
        entries = [
            row
            for row in self.company.rows["cost_entries"]
            if row["item_id"] == item and row["occurred_on"] <= as_of
        ]
        quantity = sum(row["quantity"] for row in entries)
        return sum(row["value"] for row in entries) / quantity if quantity > 0 else None

    def valued(self, as_of: date = TODAY) -> Iterator[Line]:
        for dims, day, part in self.positions(as_of):
            if part["state"] != "received_held":
                cost = self.unit_cost(part["item"], as_of)
                yield dims, day, part | {"value": None if cost is None else part["units"] * cost}

    def aged(self) -> Iterator[Line]:
        valued = list(self.valued())
        held: dict[UUID, int] = defaultdict(int)
        for _, _, part in valued:
            held[part["item"]] += part["units"]
        layers = {item: self.layers(item, units) for item, units in held.items()}
        for dims, day, part in valued:
            for age, units in layers[part["item"]]:
                worth = None if part["value"] is None else part["value"] * units / held[part["item"]]
                old = age is not None and age > 90
                aged = None if worth is None else (worth if old else 0.0)
                yield dims | {"age_bucket": bucket(age)}, day, {"value": worth, "aged": aged}

    def layers(self, item: UUID, units: int) -> list[tuple[int | None, int]]:
        found: list[tuple[int | None, int]] = []
        for row in sorted(self.company.rows["stock_moves"], key=lambda row: row["occurred_on"], reverse=True):
            if row["item_id"] == item and row["from_state"] == "virtual" and units > 0:
                taken = min(units, row["quantity"])
                found.append(((TODAY - row["occurred_on"]).days, taken))
                units -= taken
        return [*found, (None, units)] if units else found

    def per_day(self) -> dict[tuple[UUID, UUID], float]:
        version = self.newest_live()
        total: dict[tuple[UUID, UUID], float] = defaultdict(float)
        for row in self.company.rows["forecast_weeks"]:
            if row["version_id"] == version["id"]:
                total[row["item_id"], row["location_id"]] += row["mean_units"] / version["horizon_days"]
        return total

    def newest_live(self) -> Row:
        live = [
            row
            for row in self.company.rows["forecast_versions"]
            if row["purpose"] == "live" and row["complete"]
        ]
        return max(live, key=lambda row: (row["as_of"], row["published_at"]))

    def outlook(self) -> Iterator[Line]:
        for (item, place), rate in self.per_day().items():
            yield self.item_dims[item] | self.place_dims(place), None, {"per_day": rate}

    def excess(self) -> Iterator[Line]:
        forecast = self.per_day()
        targets = {
            (row["item_id"], row["location_id"]): row["order_up_to"]
            for row in self.company.rows["reorder_points"]
        }
        for dims, day, part in self.positions():
            if part["state"] == "available":
                key = part["item"], part["place"]
                cover = math.floor(forecast.get(key, 0.0) * 90 + 0.5)
                over = max(part["units"] - max(cover, targets.get(key, 0)), 0)
                cost = self.unit_cost(part["item"])
                yield dims, day, {"units": over, "value": None if cost is None else over * cost}

    def turnover(self) -> Iterator[Line]:
        for row in self.company.rows["cost_entries"]:
            days = (TODAY - row["occurred_on"]).days + 1
            shipped = -row["value"] if row["event"] == "shipment" and days <= 365 else 0
            yield (
                self.item_dims[row["item_id"]],
                None,
                {"shipped": shipped, "mean": row["value"] * min(days, 365) / 365},
            )

    def availability(self) -> Iterator[Line]:
        demand: dict[tuple[UUID, UUID, date], int] = defaultdict(int)
        for dims_line, order, _ in self.order_lines():
            units = self.demanded(dims_line, order)
            demand[dims_line["item_id"], dims_line["location_id"], dims_line["ordered_on"]] += units
        for (item, place, day), units in demand.items():
            if units:
                closing = sum(
                    row["change"]
                    for row in self.company.rows["stock_daily"]
                    if (row["item_id"], row["location_id"], row["state"]) == (item, place, "available")
                    and row["day"] <= day
                )
                dims = self.item_dims[item] | self.place_dims(place)
                yield dims, day, {"out": closing <= 0}

    # ---- planning and governance

    def forecast(self) -> Iterator[Line]:
        version = self.newest_live()
        for row in self.company.rows["forecast_weeks"]:
            if row["version_id"] == version["id"]:
                yield self.week_dims(row), row["week"], row

    def backtest(self) -> Iterator[Line]:
        versions = [row for row in self.company.rows["forecast_versions"] if row["purpose"] == "backtest"]
        newest = {row["as_of"]: row["id"] for row in sorted(versions, key=lambda row: row["published_at"])}
        for row in self.company.rows["forecast_weeks"]:
            if row["version_id"] in newest.values() and row["actual_units"] is not None:
                yield self.week_dims(row), row["week"], row

    def week_dims(self, row: Row) -> Row:
        return self.item_dims[row["item_id"]] | self.place_dims(row["location_id"])

    def promoted(self) -> Iterator[Line]:
        for dims, day, part in self.ordered():
            line = part["line"]
            if any(
                promo["item_id"] == line["item_id"]
                and promo["channel_id"] == line["channel_id"]
                and promo["starts_on"] <= day <= promo["ends_on"]
                for promo in self.company.rows["promotions"]
            ):
                yield dims, day, part

    def cases(self, statuses: set[str], by: tuple[str, ...]) -> Iterator[Line]:
        kinds = {"item": "item", "warehouse": "location", "supplier": "supplier"}
        followed = dict.fromkeys(("category", "brand", "abc_class"), "item") | {"legal_entity": "warehouse"}
        wanted = {followed.get(name, name) for name in by}
        for case in self.company.rows["cases"]:
            if case["status"] not in statuses:
                continue
            combinations: list[Row] = [{"exception_kind": case["kind"]}]
            for name, kind in kinds.items():
                subjects = [
                    row["subject_id"]
                    for row in self.company.rows["case_subjects"]
                    if (row["case_id"], row["subject_kind"]) == (case["id"], kind)
                ]
                if name in wanted:
                    combinations = [
                        one | self.subject_dims(name, subject)
                        for one in combinations
                        for subject in subjects or [None]
                    ]
            day = case["closed_at"].date() if case["closed_at"] else None
            for dims in combinations:
                yield dims, day, {"case": case, "share": 1 / len(combinations)}

    def subject_dims(self, name: str, subject: UUID | None) -> Row:
        if name == "item":
            found = self.item_dims.get(subject, {}) if subject else {}
            return {key: found.get(key) for key in ("item", "category", "brand", "abc_class")}
        if name == "warehouse":
            return self.place_dims(subject)
        return {name: self.codes[subject] if subject else None}

    def proposals(self) -> Iterator[Line]:
        status = {row["proposal_id"]: row["status"] for row in self.company.rows["proposal_states"]}
        for row in self.company.rows["proposals"]:
            if status[row["id"]] == "pending":
                yield {"buyer": self.codes[row["requested_by"]]}, None, {}


def bucket(age: int | None) -> str:
    if age is None:
        return "unknown"
    for bound, name in ((30, "0-30"), (60, "31-60"), (90, "61-90"), (180, "91-180"), (365, "181-365")):
        if age <= bound:
            return f"{name} days"
    return "over 365 days"


def time_key(name: str, day: date) -> str:
    if name == "day":
        return day.isoformat()
    if name == "week":
        return (day - timedelta(days=day.weekday())).isoformat()
    quarter = f"{day.year}-Q{(day.month - 1) // 3 + 1}"
    return {"month": day.isoformat()[:7], "quarter": quarter, "year": str(day.year)}[name]


Source = Callable[[Oracle, tuple[str, ...]], Iterator[Line]]
