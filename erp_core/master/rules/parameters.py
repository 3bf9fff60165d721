"""Thresholds and deductions of master-data governance: what a company starts with, and what each may be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Parameter:
    """A whole number that a company may set between `low` and `high`."""

    value: int
    low: int
    high: int
    label: str


PARAMETERS: Mapping[str, Parameter] = {
    "item_name_score": Parameter(
        92, 50, 100, "name score from which two items are probable duplicates, of 100"
    ),
    "supplier_name_score": Parameter(
        88, 50, 100, "name score from which two suppliers are probable duplicates, of 100"
    ),
    "automation_quality": Parameter(
        60, 0, 100, "data-quality score from which automation may rest on a record"
    ),
    "longest_lead_time_days": Parameter(365, 1, 730, "days above which a lead time is implausible"),
    "stale_feed_days": Parameter(14, 1, 365, "days after which a feed is stale"),
    "snapshot_units": Parameter(
        2, 0, 1_000_000, "units up to which a stock snapshot may differ from the ledger"
    ),
    "snapshot_percent": Parameter(
        1, 0, 100, "percent of the ledger's units up to which a stock snapshot may differ from it"
    ),
    "packaging_percent": Parameter(
        5, 0, 100, "percent by which size and weight of packaging may differ from the master data"
    ),
    "return_authorisation_days": Parameter(
        45, 1, 730, "days after which an authorised return that nobody sent ends"
    ),
    "class_days": Parameter(365, 28, 730, "days of sales that inventory classes look back on"),
    "class_a_percent": Parameter(80, 1, 99, "share of sales, in percent, that class A makes up"),
    "class_b_percent": Parameter(95, 2, 100, "share of sales, in percent, that classes A and B make up"),
    "fast_percent": Parameter(50, 1, 99, "share of units, in percent, that fast movers make up"),
    "new_days": Parameter(90, 1, 730, "days after its introduction that an item is new"),
    "seasonal_percent": Parameter(
        60, 26, 100, "share of a year's units, in percent, that a season of three months makes up at least"
    ),
    "lead_time_missing": Parameter(20, 0, 100, "deduction: no lead time"),
    "lead_time_implausible": Parameter(15, 0, 100, "deduction: a lead time that cannot be"),
    "unit_missing": Parameter(25, 0, 100, "deduction: no base unit, or an order multiple without a unit"),
    "category_missing": Parameter(20, 0, 100, "deduction: no category"),
    "price_missing": Parameter(25, 0, 100, "deduction: no price in force with any supplier"),
    "price_expired": Parameter(25, 0, 100, "deduction: the last price has run out"),
    "price_implausible": Parameter(20, 0, 100, "deduction: it costs more than it is sold for"),
    "cost_missing": Parameter(10, 0, 100, "deduction: no standard cost"),
    "supplier_missing": Parameter(20, 0, 100, "deduction: nobody supplies it"),
    "probable_duplicate": Parameter(30, 0, 100, "deduction: looks like another record"),
    "stale_feed": Parameter(15, 0, 100, "deduction: the newest feed it rests on is old"),
    "terms_missing": Parameter(20, 0, 100, "deduction: country, payment days or delivery terms missing"),
    "documents_missing": Parameter(35, 0, 100, "deduction: a required document is missing or has run out"),
    "documents_expiring": Parameter(5, 0, 100, "deduction: a required document runs out soon"),
}
