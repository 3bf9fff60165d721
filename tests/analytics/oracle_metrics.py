"""Which rows each metric looks at, and what it makes of the rows of a group. Money in ten-thousandths."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from tests.analytics.oracle import Line, Oracle, Value, fraction, time_key

Parts = list[dict[str, Any]]


@dataclass(frozen=True)
class Rule:
    """`rows(oracle, by)` gives the lines; `value(parts)` the figure of a group, None for no data."""

    rows: Callable[[Oracle, tuple[str, ...]], Iterator[Line]]
    value: Callable[[Parts], Value]


def total(key: str) -> Callable[[Parts], Value]:
    def value(parts: Parts) -> Value:
        known = [part[key] for part in parts if part[key] is not None]
        return sum(known) if known or not parts else None

    return value


def share(
    top: Callable[[dict[str, Any]], float], bottom: Callable[[dict[str, Any]], float]
) -> Callable[[Parts], Value]:
    return lambda parts: fraction(sum(map(top, parts)), sum(map(bottom, parts)))


def of(name: str) -> Callable[[Oracle, tuple[str, ...]], Iterator[Line]]:
    return lambda oracle, _: iter(oracle.lines_of(name))


def several(*names: str) -> Callable[[Oracle, tuple[str, ...]], Iterator[Line]]:
    def rows(oracle: Oracle, _: tuple[str, ...]) -> Iterator[Line]:
        for name in names:
            for dims, day, part in oracle.lines_of(name):
                yield dims, day, {"fact": name, **part}

    return rows


def only(parts: Parts, fact: str) -> Parts:
    return [part for part in parts if part["fact"] == fact]


def state(*names: str) -> Rule:
    return Rule(of("positions"), lambda parts: sum(part["units"] for part in parts if part["state"] in names))


def count(key: str) -> Callable[[Parts], Value]:
    return lambda parts: len({part[key] for part in parts})


def sales(part: dict[str, Any]) -> int:
    return int(part["units"] * part["line"]["unit_price"])


def margin(parts: Parts) -> Value:
    costed = [part for part in parts if part["cost"] is not None]
    if parts and not costed:
        return None
    return sum(sales(part) - part["cost"] for part in costed)


def contribution(parts: Parts) -> Value:
    gross = margin(only(parts, "shipped"))
    if gross is None:
        return None
    freight = sum(part["freight"] for part in only(parts, "freight"))
    lost = sum(part["loss"] for part in only(parts, "by_return_day"))
    return gross - freight - lost - sum(part["credit"] for part in only(parts, "credited"))


def cover(parts: Parts) -> Value:
    available = sum(part["units"] for part in only(parts, "positions") if part["state"] == "available")
    rate = sum(part["per_day"] for part in only(parts, "outlook"))
    if rate == 0:
        return math.inf if available else None
    return available / rate


def exposure(parts: Parts) -> Value:
    stock = only(parts, "valued")
    value = total("value")(stock)
    if value is None:
        return None
    committed = sum(part["value"] for part in only(parts, "open_pos"))
    return value + committed - sum(part["payable"] for part in only(parts, "payables"))


def spread(parts: Parts) -> Value:
    weight = sum(part["units"] for part in parts)
    if len(parts) < 2:
        return None
    mean = sum(part["units"] * part["days"] for part in parts) / weight
    return math.sqrt(sum(part["units"] * (part["days"] - mean) ** 2 for part in parts) / weight)


def open_cases(oracle: Oracle, by: tuple[str, ...]) -> Iterator[Line]:
    return oracle.cases({"open", "assigned", "proposed", "snoozed"}, by)


def resolved_cases(oracle: Oracle, by: tuple[str, ...]) -> Iterator[Line]:
    for dims, day, part in oracle.cases({"resolved"}, by):
        if part["case"]["resolution"] != "no_longer_detected":
            yield dims, day, part


def recovery(parts: Parts) -> Value:
    recovered, lost = total("recovered")(parts), total("written_off")(parts)
    return None if recovered is None or lost is None else fraction(recovered, recovered + lost)


def case_hours(part: dict[str, Any]) -> float:
    case = part["case"]
    return float((case["closed_at"] - case["opened_at"]).total_seconds() / 3600 * part["share"])


def landed(part: dict[str, Any]) -> float:
    value, order = part["row"]["accepted_quantity"] * part["line"]["unit_price"], part["order"]
    return float(value + (order["freight_cost"] + order["expedite_cost"]) * value / order["total"])


def price_gap(part: dict[str, Any]) -> int:
    return int(
        part["row"]["accepted_quantity"] * (part["line"]["unit_price"] - part["line"]["reference_price"])
    )


def received(key: str) -> Callable[[dict[str, Any]], int]:
    return lambda part: int(part["row"][f"{key}_quantity"])


def quantile(percent: int, value: str = "days", weight: str = "units") -> Callable[[Parts], Value]:
    """The smallest value that is repeated often enough, unit by unit."""

    def found(parts: Parts) -> Value:
        units = sorted(part[value] for part in parts for _ in range(part[weight]))
        return units[math.ceil(len(units) * percent / 100) - 1] if units else None

    return found


def restocked(oracle: Oracle, _: tuple[str, ...]) -> Iterator[Line]:
    for dims, day, line in oracle.lines_of("disposed"):
        if line["disposition"] == "restock":
            days = (line["disposed_on"] - line["returned_on"]).days
            yield dims, day, {"units": line["quantity"], "days": days}


def documents(key: str) -> Callable[[Parts], Value]:
    """The share of documents, each counted once."""
    return lambda parts: fraction(
        len({part["id"] for part in parts if part[key]}), len({part["id"] for part in parts})
    )


ON_HAND = (
    "available",
    "reserved",
    "picked",
    "received_held",
    "quarantined",
    "return_pending",
    "refurbishing",
    "damaged",
)
RULES: dict[str, Rule] = {
    "on_hand_units": state(*ON_HAND),
    "available_units": state("available"),
    "reserved_units": state("reserved"),
    "in_transit_units": state("in_transit"),
    "quarantined_units": state("quarantined", "received_held"),
    "return_pending_units": state("return_pending", "refurbishing"),
    "damaged_units": state("damaged"),
    "on_order_units": Rule(of("open_pos"), total("on_order")),
    "backordered_units": Rule(of("open_orders"), total("backordered")),
    "atp_units": Rule(
        several("positions", "open_orders"),
        lambda parts: (
            sum(part["units"] for part in only(parts, "positions") if part["state"] == "available")
            - sum(part["backordered"] for part in only(parts, "open_orders"))
        ),
    ),
    "inventory_value": Rule(of("valued"), total("value")),
    "days_of_supply": Rule(several("positions", "outlook"), cover),
    "excess_units": Rule(of("excess"), total("units")),
    "excess_value": Rule(of("excess"), total("value")),
    "aged_inventory_value": Rule(of("aged"), total("aged")),
    "inventory_value_by_age": Rule(of("aged"), total("value")),
    "inventory_turns": Rule(of("turnover"), share(lambda part: part["shipped"], lambda part: part["mean"])),
    "stockout_days": Rule(of("availability"), total("out")),
    "stockout_rate": Rule(of("availability"), share(lambda part: part["out"], lambda part: 1)),
    "service_level": Rule(of("availability"), share(lambda part: not part["out"], lambda part: 1)),
    "working_capital_exposure": Rule(several("valued", "open_pos", "payables"), exposure),
    "order_count": Rule(of("ordered"), lambda parts: len({part["order"] for part in parts if part["units"]})),
    "ordered_units": Rule(of("ordered"), total("units")),
    "shipped_units": Rule(of("shipped"), total("units")),
    "net_sales": Rule(of("shipped"), lambda parts: sum(map(sales, parts))),
    "average_order_value": Rule(
        several("shipped", "ordered"),
        lambda parts: fraction(
            sum(map(sales, only(parts, "shipped"))),
            len({part["order"] for part in only(parts, "ordered") if part["units"]}),
        ),
    ),
    "gross_margin": Rule(of("shipped"), margin),
    "gross_margin_pct": Rule(
        of("shipped"),
        lambda parts: fraction(
            margin(parts) or 0, sum(sales(part) for part in parts if part["cost"] is not None)
        ),
    ),
    "contribution_margin": Rule(several("shipped", "freight", "by_return_day", "credited"), contribution),
    "markdown_value": Rule(
        of("shipped"),
        lambda parts: sum(
            part["units"] * max(part["line"]["list_price"] - part["line"]["unit_price"], 0) for part in parts
        ),
    ),
    "freight_out_cost": Rule(of("freight"), total("freight")),
    "order_fill_rate": Rule(of("promised"), share(lambda part: part["good"], lambda part: part["units"])),
    "backorder_rate": Rule(
        of("open_orders"), share(lambda part: part["backordered"], lambda part: part["units"])
    ),
    "open_order_units": Rule(of("open_orders"), total("units")),
    "cancel_rate": Rule(
        of("ordered"),
        share(lambda part: part["line"]["cancelled_quantity"], lambda part: part["line"]["quantity"]),
    ),
    "order_cycle_days": Rule(of("outcomes"), share(lambda part: part["days"], lambda part: 1)),
    "split_shipment_rate": Rule(
        of("outcomes"),
        share(lambda part: part["units"] > 1 and part["shipments"] > 1, lambda part: part["units"] > 1),
    ),
    "perfect_order_rate": Rule(of("promises"), share(lambda part: part["good"], lambda part: 1)),
    "po_count": Rule(of("created"), count("order")),
    "spend": Rule(of("sent"), total("value")),
    "open_po_units": Rule(of("open_pos"), total("units")),
    "open_po_value": Rule(of("open_pos"), total("value")),
    "late_po_lines": Rule(of("open_pos"), total("late")),
    "late_po_value": Rule(of("open_pos"), total("late_value")),
    "on_time_rate": Rule(of("due"), share(lambda part: part["on_time"], lambda part: 1)),
    "on_time_latest_rate": Rule(of("due"), share(lambda part: part["latest"], lambda part: 1)),
    "in_full_rate": Rule(of("due"), share(lambda part: part["in_full"], lambda part: 1)),
    "otif_rate": Rule(of("due"), share(lambda part: part["otif"], lambda part: 1)),
    "supplier_fill_rate": Rule(of("due"), share(lambda part: part["good"], lambda part: part["units"])),
    "lead_time_days": Rule(
        of("lead_times"), share(lambda part: part["units"] * part["days"], lambda part: part["units"])
    ),
    "lead_time_std": Rule(of("lead_times"), spread),
    "lead_time_median_days": Rule(of("lead_times"), quantile(50)),
    "lead_time_p90_days": Rule(of("lead_times"), quantile(90)),
    "adherence_days": Rule(
        of("adherence"),
        share(
            lambda part: part["units"] * (part["gap"] or 0),
            lambda part: 0 if part["gap"] is None else part["units"],
        ),
    ),
    "adherence_units": Rule(of("adherence"), total("units")),
    "payables_value": Rule(of("payables"), total("payable")),
    "prepaid_value": Rule(of("prepaid"), total("value")),
    "invoice_match_rate": Rule(of("invoices"), documents("matched")),
    "invoice_dispute_rate": Rule(of("invoices"), documents("waited")),
    "disputed_invoice_value": Rule(of("waiting_invoices"), total("value")),
    "invoice_price_variance": Rule(of("billed"), total("price")),
    "currency_variance": Rule(of("billed"), total("currency")),
    "price_variance": Rule(of("received"), lambda parts: sum(map(price_gap, parts))),
    "received_units": Rule(of("received"), lambda parts: sum(map(received("accepted"), parts))),
    "receipt_accuracy": Rule(of("received"), share(lambda part: part["row"]["exact"], lambda part: 1)),
    "defect_rate": Rule(of("supplied"), share(lambda part: part["defects"], lambda part: part["arrived"])),
    "freight_cost": Rule(of("sent"), total("freight")),
    "landed_cost": Rule(of("received"), lambda parts: sum(map(landed, parts))),
    "expedite_cost": Rule(of("sent"), total("expedite")),
    "single_source_share": Rule(of("sent"), share(lambda part: part["single"], lambda part: part["value"])),
    "approval_cycle_hours": Rule(of("approvals"), share(lambda part: part["hours"], lambda part: 1)),
    "return_count": Rule(of("by_return_day"), count("return")),
    "returned_units": Rule(
        of("by_return_day"), lambda parts: sum(part["line"]["quantity"] for part in parts)
    ),
    "refund_value": Rule(
        several("by_return_day", "credited"),
        lambda parts: (
            sum(part["line"]["refund"] for part in only(parts, "by_return_day"))
            + sum(part["credit"] for part in only(parts, "credited"))
        ),
    ),
    "returns_loss": Rule(of("by_return_day"), total("loss")),
    "return_rate": Rule(
        several("shipped", "cohort"),
        lambda parts: fraction(
            sum(part["returned"] for part in only(parts, "cohort")),
            sum(part["units"] for part in only(parts, "shipped")),
        ),
    ),
    "return_to_stock_days": Rule(
        of("disposed"),
        share(
            lambda part: (
                (part["disposed_on"] - part["returned_on"]).days * part["quantity"]
                if part["disposition"] == "restock"
                else 0
            ),
            lambda part: part["quantity"] if part["disposition"] == "restock" else 0,
        ),
    ),
    "return_to_stock_median_days": Rule(restocked, quantile(50)),
    "return_to_stock_p90_days": Rule(restocked, quantile(90)),
    "stranded_return_units": Rule(of("stranded"), total("units")),
    "recovered_value": Rule(of("disposed"), total("recovered")),
    "recovery_rate": Rule(of("disposed"), recovery),
    "write_off_value": Rule(of("disposed"), total("written_off")),
    "forecast_units": Rule(of("forecast"), total("mean_units")),
    "forecast_wape": Rule(
        of("backtest"),
        share(lambda part: abs(part["mean_units"] - part["actual_units"]), lambda part: part["actual_units"]),
    ),
    "forecast_bias": Rule(
        of("backtest"),
        share(lambda part: part["mean_units"] - part["actual_units"], lambda part: part["actual_units"]),
    ),
    "naive_wape": Rule(
        of("backtest"),
        share(
            lambda part: abs(part["baseline_units"] - part["actual_units"]), lambda part: part["actual_units"]
        ),
    ),
    "promo_units": Rule(of("promoted"), total("units")),
    "proposals_pending": Rule(of("proposals"), lambda parts: len(parts)),
    "exceptions_open": Rule(open_cases, lambda parts: len({part["case"]["id"] for part in parts})),
    "expected_loss": Rule(
        open_cases, lambda parts: sum(part["case"]["expected_loss"] * part["share"] for part in parts)
    ),
    "exception_resolution_hours": Rule(resolved_cases, share(case_hours, lambda part: part["share"])),
}


def answer(
    oracle: Oracle,
    metric: str,
    by: tuple[str, ...] = (),
    *,
    where: Callable[[dict[str, Any]], bool] = lambda dims: True,
    filtered: tuple[str, ...] = (),
    period: tuple[date, date] | None = None,
) -> dict[tuple[Any, ...], Value]:
    """The metric by group; groups by codes, time by the calendar's names."""
    groups: dict[tuple[Any, ...], Parts] = defaultdict(list)
    for dims, day, part in RULES[metric].rows(oracle, by + filtered):
        if day is not None:
            if period is not None and not period[0] <= day <= period[1]:
                continue
            dims = dims | {name: time_key(name, day) for name in ("day", "week", "month", "quarter", "year")}
        if where(dims):
            groups[tuple(dims[name] for name in by)].append(part)
    if not by and not groups:
        return {(): RULES[metric].value([])}
    return {key: RULES[metric].value(parts) for key, parts in groups.items()}
