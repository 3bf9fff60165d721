"""Forecasts, promotions, cases and proposals again, in plain Python."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from tests.analytics.company import Row
from tests.analytics.oracle_rows import Line
from tests.analytics.oracle_sales import Sales
from tests.analytics.oracle_stock import Stock


class Planning(Sales, Stock):
    """Forecasts, promotions, cases and proposals again, in plain Python."""

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
