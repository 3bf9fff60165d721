"""Stock, its age, excess and availability again, in plain Python."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from uuid import UUID

from tests.analytics.company import TODAY, Row
from tests.analytics.oracle_rows import Line, Rows, Value


class Stock(Rows):
    """Stock, its age, excess and availability again, in plain Python."""

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
        moves = self.company.rows["stock_moves"]
        taken_back: dict[UUID | None, int] = defaultdict(int)
        for row in moves:
            taken_back[row.get("reverses_id")] += row["quantity"]
        for row in sorted(moves, key=lambda row: row["occurred_on"], reverse=True):
            came = row["from_state"] == "virtual" and row.get("reverses_id") is None
            stands = row["quantity"] - taken_back.get(row["id"], 0)
            if row["item_id"] == item and came and units > 0 and stands > 0:
                taken = min(units, stands)
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


def bucket(age: int | None) -> str:
    if age is None:
        return "unknown"
    for bound, name in ((30, "0-30"), (60, "31-60"), (90, "61-90"), (180, "91-180"), (365, "181-365")):
        if age <= bound:
            return f"{name} days"
    return "over 365 days"
