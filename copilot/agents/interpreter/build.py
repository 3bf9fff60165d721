"""From the parts of a question to a `MetricQuery` (as JSON), alone or as a change to the one before."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from copilot.agents.interpreter import periods
from copilot.agents.interpreter.comparisons import change_wanted
from copilot.agents.interpreter.lexicon import TIME_DIMENSIONS, Lexicon, MemberWord
from copilot.agents.interpreter.parts import Parts
from copilot.agents.interpreter.spans import Annotated
from copilot.agents.interpreter.units import in_unit, unit_asked
from erp_core.analytics.periods import whole_months
from erp_core.analytics.query import Between

Query = dict[str, Any]
_PERCENT = ("percent", "ratio", "%")


def query(parts: Parts, annotated: Annotated, lexicon: Lexicon, today: date) -> Query:
    """A complete query from one question."""
    made: Query = {"metrics": list(parts.metrics)}
    _set_groups(made, parts, lexicon)
    if filters := _where(parts.filters):
        made["where"] = filters
    if any(bound["metric"] for bound in parts.having):
        made["having"] = _bounds(parts, lexicon)
        made.setdefault("by", [parts.implied or "item"])
    _set_order(made, parts)
    _set_time(made, parts, annotated, lexicon, today)
    _order_by_change(made, parts, annotated, lexicon)
    _set_show(made, parts, lexicon)
    return made


_BETWEEN = re.compile(r"\W*(?:between|from)\b", re.IGNORECASE)
_BY_CHANGE = re.compile(
    r"\b(?:sort|order|rank)\w*\b.*\bby (?:the )?(?:change|growth|difference)\b", re.IGNORECASE
)


def _order_by_change(made: Query, parts: Parts, annotated: Annotated, lexicon: Lexicon) -> None:
    """ "Which category fell most" is ordered by the change, not by the figure."""
    wanted = parts.order or _BY_CHANGE.search(annotated.text)
    if not (wanted and made.get("compare") and made.get("by")) or set(made["by"]) & set(TIME_DIMENSIONS):
        return
    metric = made["metrics"][0]
    if _BY_CHANGE.search(annotated.text):
        made["order"] = [
            {"by": f"{metric}_change", "dir": made["order"][0]["dir"] if "order" in made else "desc"}
        ]
    elif direction := change_wanted(annotated.text, lexicon.metrics[metric].direction):
        made["order"] = [{"by": f"{metric}_change", "dir": direction}]


def _set_groups(made: Query, parts: Parts, lexicon: Lexicon) -> None:
    by = list(parts.by)
    if (parts.order or "rank" in parts.show) and not by:
        kept = [dim for dim, excluded, _ in parts.filters if not excluded]
        common = next((dim for dim in kept if kept.count(dim) > 1 and dim != "item"), None)
        by = [parts.implied or common or "item"]
    if parts.contrast or parts.limit is None:
        for dim in {dim for dim, excluded, _ in parts.filters if not excluded}:
            several = sum(1 for d, excluded, _ in parts.filters if d == dim and not excluded) > 1
            if several and parts.contrast and dim not in by:
                by.insert(0, dim)
    if parts.limit and parts.order and parts.per and len(by) > 1:
        made["per"] = parts.per
        by = [parts.per, *(dim for dim in by if dim != parts.per)]
    if by:
        made["by"] = by


def _where(filters: list[tuple[str, bool, MemberWord]]) -> list[dict[str, Any]]:
    grouped: dict[tuple[str, bool], list[str]] = {}
    for dim, excluded, member in filters:
        values = grouped.setdefault((dim, excluded), [])
        if member.code not in values:
            values.append(member.code)
    return [
        {"dim": dim, "op": _operator(excluded, len(values)), "values": values}
        for (dim, excluded), values in grouped.items()
    ]


def _operator(excluded: bool, count: int) -> str:
    if count == 1:
        return "ne" if excluded else "eq"
    return "not_in" if excluded else "in"


def _bounds(parts: Parts, lexicon: Lexicon) -> list[dict[str, Any]]:
    found = []
    for bound in parts.having:
        if bound["metric"] is None:
            continue
        unit = lexicon.metrics[bound["metric"]].unit if bound["metric"] in lexicon.metrics else ""
        values = []
        for value in bound["values"]:
            if isinstance(value, str):
                amount = Decimal(value)
                if unit in _PERCENT and (bound["percent"] or amount > 1):
                    amount /= 100
                value = format(amount.normalize(), "f")
            values.append(value)
        found.append({"metric": bound["metric"], "op": bound["op"], "values": values})
    return found


def _set_order(made: Query, parts: Parts) -> None:
    if parts.order:
        by = parts.order[0]["by"] or made["metrics"][0]
        made["order"] = [{"by": by, "dir": parts.order[0]["dir"]}]
        if parts.limit is not None:
            made["limit"] = parts.limit
    elif parts.limit is not None and made.get("by"):
        made["order"] = [{"by": made["metrics"][0], "dir": "desc"}]
        made["limit"] = parts.limit


def _set_time(made: Query, parts: Parts, annotated: Annotated, lexicon: Lexicon, today: date) -> None:
    period, comparison = annotated.period, annotated.comparison
    positions = bool(made["metrics"]) and all(lexicon.metrics[name].position for name in made["metrics"])
    if period and period.point and positions:
        if period.point != today:
            made["as_of"] = period.point.isoformat()
    elif period:
        made["period"] = period.value
    if comparison and comparison.step and _covers_several(made.get("period"), comparison.unit, today):
        parts.trend, parts.growth, comparison = True, None, None
    between = period and _BETWEEN.match(annotated.text[period.start : period.end])
    if between and parts.growth and not comparison and _whole_months(made["period"]):
        made["by"], parts.growth = [*made.get("by", ()), "month"], None
    compare = comparison.value if comparison else parts.growth
    if comparison and comparison.against:
        compare = _compare_with(made, comparison.against, today)
    if compare:
        made["compare"] = compare
        if "period" not in made and "as_of" not in made:
            unit = (comparison.unit if comparison else None) or (
                "year" if compare == "previous_year" else "month"
            )
            made["period"] = f"this_{unit}"
        if "period" in made:
            made["period"] = _until_today(made["period"], today)
    if parts.trend and not compare and not set(made.get("by", ())) & set(TIME_DIMENSIONS):
        made["by"] = [*made.get("by", ()), _grain_for(made.get("period"), today)]
    several = {dim for dim, _, _ in parts.filters}
    if (
        parts.contrast
        and not several
        and isinstance(made.get("period"), dict)
        and _whole_months(made["period"])
    ):
        made["by"] = [*made.get("by", ()), "month"]


def _covers_several(period: Any, unit: str | None, today: date) -> bool:
    """Whether the period holds more than one of the unit: then "month on month" asks for each of them."""
    span = periods.bounds(period, today) if period else None
    return bool(span and unit and periods.unit_around(unit, span[0])[1] < span[1])


def _until_today(period: periods.Period, today: date) -> periods.Period:
    """A running period ends today where it is compared: half a year is not set against a whole one."""
    span = periods.bounds(period, today)
    return periods.days(span[0], today) if span and span[0] <= today < span[1] else period


def _whole_months(period: dict[str, str]) -> bool:
    """Whether these are a few whole months, which "compare April and May" sets against each other."""
    span = Between.model_validate(period)
    return 2 <= whole_months(span) <= 6


def _compare_with(made: Query, against: periods.Period, today: date) -> str | None:
    """The comparison that a second period stands for; both in one period by its unit where it is none.

    Without a first period it is the running one of the same unit.
    """
    main = made.setdefault("period", f"this_{_grain_of(against, today)}")
    if periods.bounds(periods.before(main, today), today) == periods.bounds(against, today):
        return "previous_period"
    if periods.bounds(periods.before(main, today, "year"), today) == periods.bounds(against, today):
        return "previous_year"
    one, other = periods.bounds(main, today), periods.bounds(against, today)
    if one and other and periods.bounds(periods.before(periods.days(*one), today, "year"), today) == other:
        return "previous_year"
    if one and other:
        made["period"] = periods.days(min(one[0], other[0]), max(one[1], other[1]))
        made["by"] = [*made.get("by", ()), _grain_of(against, today)]
    return None


def _grain_of(period: periods.Period, today: date) -> str:
    """The unit of time that the period is one of."""
    span = periods.bounds(period, today)
    months = whole_months(Between.model_validate(periods.days(*span))) if span else 0
    return {3: "quarter", 12: "year"}.get(months, "month")


def _grain_for(period: Any, today: date) -> str:
    span = periods.bounds(period, today) if period else None
    if span is None:
        return "month"
    length = (span[1] - span[0]).days + 1
    return "day" if length <= 31 else "week" if length <= 100 else "month"


def _set_show(made: Query, parts: Parts, lexicon: Lexicon) -> None:
    if parts.show:
        made["show"] = ["value", *parts.show]
    if "running" in parts.show and not set(made.get("by", ())) & set(TIME_DIMENSIONS):
        made["by"] = [*made.get("by", ()), "month"]
    if "rank" in parts.show and "order" not in made and made["metrics"]:
        direction = "asc" if lexicon.metrics[made["metrics"][0]].direction == "down_good" else "desc"
        made["order"] = [{"by": made["metrics"][0], "dir": direction}]


def changed(
    before: Mapping[str, Any], parts: Parts, annotated: Annotated, lexicon: Lexicon, today: date
) -> Query | None:
    """The query before with what the follow-up names put in its place; None where it names nothing."""
    made: Query = {key: value for key, value in before.items() if value not in (None, [], ())}
    touched = False
    unit = unit_asked(annotated.text)
    if not parts.metrics and unit and len(made["metrics"]) == 1 and not parts.having:
        parts.metrics = [in_unit(made["metrics"][0], unit, "", lexicon)]
    if parts.metrics:
        made["metrics"] = list(parts.metrics)
        for key in ("having", "order", "limit", "per"):
            made.pop(key, None)
        touched = True
    if parts.by and not (parts.order and parts.by == made.get("by")):
        own = [dim for dim in parts.by if dim not in made.get("by", ())]
        made["by"] = [*made.get("by", ()), *own] if parts.also else list(parts.by)
        made.pop("per", None)
        touched = True
    if parts.filters:
        made["where"] = _merged_where(made.get("where", ()), parts.filters)
        touched = True
    if parts.having:
        for bound in parts.having:
            bound["metric"] = bound["metric"] or made["metrics"][0]
        made["having"] = _bounds(parts, lexicon)
        touched = True
    if parts.order or parts.limit:
        touched = True
        if not made.get("by"):
            made["by"] = ["item"]
        if parts.order:
            by = parts.order[0]["by"]
            made["order"] = [
                {
                    "by": by if by in made["metrics"] else made["metrics"][0],
                    "dir": _redirected(parts, made, lexicon),
                }
            ]
        else:
            made.setdefault("order", [{"by": made["metrics"][0], "dir": "desc"}])
        if parts.limit:
            made["limit"] = parts.limit
    touched = _changed_time(made, parts, annotated, lexicon, today) or touched
    if any(lexicon.metrics[name].unit in _PERCENT for name in made["metrics"]):
        parts.show = [name for name in parts.show if name != "share"]
        made["show"] = [name for name in made.get("show", ["value"]) if name != "share"]
    _order_by_change(made, parts, annotated, lexicon)
    if parts.show:
        made["show"] = ["value", *parts.show]
        _set_show(made, parts, lexicon)
        touched = True
    if parts.trend and not set(made.get("by", ())) & set(TIME_DIMENSIONS):
        made["by"] = [*made.get("by", ()), _grain_for(made.get("period"), today)]
        touched = True
    return made if touched else None


def _redirected(parts: Parts, made: Query, lexicon: Lexicon) -> str:
    """The direction of "best" and "worst" needs the metric, which a follow-up may leave out."""
    direction = parts.order[0]["dir"]
    if parts.metrics or parts.order[0].get("by"):
        return direction
    goodness = lexicon.metrics[made["metrics"][0]].direction
    if parts.order[0].get("word") in ("best", "worst") and goodness == "down_good":
        return "asc" if direction == "desc" else "desc"
    return direction


def _merged_where(old: Any, filters: list[tuple[str, bool, MemberWord]]) -> list[dict[str, Any]]:
    new = _where(filters)
    dims = {(one["dim"], one["op"] in ("ne", "not_in")) for one in new}
    kept = [
        dict(one)
        for one in old
        if (one["dim"], one["op"] in ("ne", "not_in")) not in dims
        and (one["dim"] not in {d for d, _ in dims} or one["op"] in ("ne", "not_in"))
    ]
    return kept + new


def _changed_time(made: Query, parts: Parts, annotated: Annotated, lexicon: Lexicon, today: date) -> bool:
    text = annotated.text.casefold()
    shift = _shift(text)
    if shift and not annotated.period and not annotated.comparison:
        if made.get("period"):
            made["period"] = periods.before(made["period"], today, shift)
            return True
    if not (annotated.period or annotated.comparison or parts.growth):
        return False
    holder: Query = {"metrics": made["metrics"], "by": made.get("by", [])}
    if made.get("period") and not annotated.period:
        holder["period"] = made["period"]
    growth = None if made.get("compare") and not annotated.comparison else parts.growth
    _set_time(holder, Parts(growth=growth), annotated, lexicon, today)
    if annotated.period:
        made.pop("period", None)
        made.pop("as_of", None)
    made.update({key: holder[key] for key in ("period", "as_of", "compare") if key in holder})
    return True


def _shift(text: str) -> str | None:
    match = re.search(
        r"\b(?:the |a |one )?(year|quarter|month|week|period) (?:before|earlier|prior|previously|ago)\b|\b(?:the )?(?:one|period) before\b",
        text,
    )
    if not match:
        return None
    return match.group(1) or "period"
