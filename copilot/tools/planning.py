"""Tools over plans: the published forecast, replenishment, and a supplier's record."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from pydantic import Field
from sqlalchemy import Connection

from copilot.agents.answer import Source
from copilot.agents.untrusted import label
from copilot.tools.figures import from_result
from copilot.tools.members import find_member, receiving_places, record_id
from copilot.tools.tool import Fact, Tool, ToolContext, ToolError, ToolInput, ToolOutput, table
from erp_core.analytics.query import MetricQuery, Where
from erp_core.analytics.run import run
from erp_core.master.queries import (
    Names,
    Supplier,
    SupplierItem,
    list_items,
    list_supplier_items,
    list_suppliers,
)
from erp_core.master.rules.prices import price_at
from erp_core.planning.queries import ReorderPoint, latest_forecast, list_reorder_points
from erp_core.procurement.ordering.thresholds import explain_short, next_break
from erp_core.procurement.queries import late_lines, positions
from erp_core.procurement.rules import Position, Recommendation, ReorderTarget, Terms, recommend_quantity
from erp_core.storage.types import money_decimal

ROWS = 100
SUPPLIER_METRICS = (
    "po_count",
    "spend",
    "on_time_rate",
    "supplier_fill_rate",
    "lead_time_days",
    "lead_time_std",
    "defect_rate",
)


class ForecastDemand(ToolInput):
    """What to forecast: an item, a category or brand, or everything; at one warehouse or all."""

    item: str | None = Field(default=None, max_length=120)
    category: str | None = Field(default=None, max_length=80)
    brand: str | None = Field(default=None, max_length=80)
    warehouse: str | None = Field(default=None, max_length=120)
    weeks: int = Field(default=8, ge=1, le=52)


def forecast_demand(given: ForecastDemand, context: ToolContext) -> ToolOutput:
    """Weekly means of the published forecast; the 10 and 90 % levels for one series only, as quantiles do not add up."""
    with context.reading() as connection:
        wanted = _items(connection, given)
        place = record_id(connection, "warehouse", given.warehouse)
        forecast = latest_forecast(
            connection, item_ids=wanted, location_ids=None if place is None else [place]
        )
    if forecast is None or not forecast.item_ids:
        raise ToolError(
            "no_data", "there is no published forecast for that", remedy="run `quartermaster forecast` first"
        )
    version = forecast.version
    days = min(given.weeks * 7, version.horizon_days)
    weeks = -(-days // 7)
    means = forecast.mean[:, :days].sum(axis=0)
    single = len(forecast.item_ids) == 1
    rows = []
    for week in range(weeks):
        part = slice(week * 7, min((week + 1) * 7, days))
        rows.append((version.start_on + timedelta(days=week * 7), _units(means[part].sum())))
    total = _units(means.sum())
    columns: list[tuple[str, str, str | None]] = [
        ("week", "Week from", None),
        ("forecast_units", "Forecast", "units"),
    ]
    facts = {
        "forecast_units": Fact(value=total, unit="units", label="Forecast in all"),
        "weeks": Fact(value=weeks, unit="count", label="Weeks"),
        "series": Fact(value=len(forecast.item_ids), unit="count", label="Item-locations"),
    }
    notes = []
    if weeks < given.weeks:
        notes.append(f"the published forecast ends after {version.horizon_days} days")
    if not single:
        notes.append(
            "sum of means over several items or warehouses; quantiles of single series do not add up"
        )
    source = Source(
        kind="model",
        id=str(version.model_version_id or version.id),
        label=f"Demand forecast of {version.as_of.isoformat()}",
        detail={"forecast_version": str(version.id), "as_of": version.as_of.isoformat()},
    )
    return ToolOutput(
        tables=(table("Demand forecast by week", columns, rows),),
        facts=facts,
        sources=(source,),
        notes=tuple(notes),
        data={"start": version.start_on.isoformat(), "weeks": weeks},
        as_of=version.as_of,
    )


def _items(connection: Connection, given: ForecastDemand) -> list[UUID] | None:
    if given.item is not None:
        found = record_id(connection, "item", given.item)
        return [found] if found else None
    if given.category is None and given.brand is None:
        return None
    category = find_member(connection, "category", given.category).code if given.category else None
    brand = find_member(connection, "brand", given.brand).code if given.brand else None
    return [
        one.id for one in list_items(connection, category=category) if brand is None or one.brand == brand
    ]


def _units(value: Any) -> Decimal:
    return Decimal(repr(round(float(value), 1))).normalize() if float(value) % 1 else Decimal(int(value))


Advised = tuple[ReorderPoint, Position, SupplierItem, Recommendation]


class RecommendReplenishment(ToolInput):
    """For which items, supplier or warehouse to recommend orders."""

    item: str | None = Field(default=None, max_length=120)
    supplier: str | None = Field(default=None, max_length=160)
    warehouse: str | None = Field(default=None, max_length=120)
    category: str | None = Field(default=None, max_length=80)
    limit: int = Field(default=20, ge=1, le=ROWS)


def recommend_replenishment(given: RecommendReplenishment, context: ToolContext) -> ToolOutput:
    """What to order now: up to the order-up-to level, less what is there and coming, at the supplier's terms."""
    with context.reading() as connection:
        item_ids = _items(connection, ForecastDemand(item=given.item, category=given.category))
        place = record_id(connection, "warehouse", given.warehouse)
        supplier = record_id(connection, "supplier", given.supplier)
        points = list_reorder_points(connection, item_ids=item_ids, location_id=place)
        if place is None:
            bought_for = receiving_places(connection)
            points = tuple(one for one in points if one.location_id in bought_for)
        if not points:
            raise ToolError(
                "no_data", "no reorder points are published for that", remedy="run `quartermaster scan` first"
            )
        stock = positions(connection, [(one.item_id, one.location_id) for one in points])
        active = {one.id: one for one in list_suppliers(connection, status="active")}
        offers = _preferred(connection, {one.item_id for one in points}, supplier, context.today, active)
        found: list[Advised] = []
        for point in points:
            offer = offers.get(point.item_id)
            terms = Terms(offer.minimum_quantity, offer.order_multiple) if offer else Terms()
            position = stock[point.item_id, point.location_id]
            advice = recommend_quantity(
                ReorderTarget(point.reorder_point, point.order_up_to), position, terms
            )
            if offer and (advice.quantity > 0 or (given.item and supplier is None)):
                found.append((point, position, offer, advice))
        found.sort(key=lambda one: (-_value(one[2], one[3]), str(one[0].item_id)))
        names = Names.read(
            connection,
            items=[one[0].item_id for one in found],
            locations=[one[0].location_id for one in found],
            suppliers=[one[2].supplier_id for one in found],
        )
    shown = found[: given.limit]
    sees_cost = "see_cost" in context.rights
    rows = [
        (
            names.code(point.item_id),
            label(names.name(point.item_id)),
            names.code(point.location_id),
            advice.quantity,
            names.code(offer.supplier_id),
            position.available,
            position.on_order,
            point.reorder_point,
            point.order_up_to,
            money_decimal(_value(offer, advice)) if sees_cost else None,
        )
        for point, position, offer, advice in shown
    ]
    columns: list[tuple[str, str, str | None]] = [
        ("item", "Item", None),
        ("name", "Name", None),
        ("warehouse", "Warehouse", None),
        ("quantity", "Order", "units"),
        ("supplier", "Supplier", None),
        ("available", "Available", "units"),
        ("on_order", "On order", "units"),
        ("reorder_point", "Reorder point", "units"),
        ("order_up_to", "Order up to", "units"),
        ("amount", "Amount", "money"),
    ]
    due = [one for one in shown if one[3].quantity > 0]
    source = Source(kind="records", id="reorder_points", label="Reorder points and stock positions")
    return ToolOutput(
        tables=(table("Recommended orders", columns, rows, total=len(found)),),
        facts={
            "items": Fact(
                value=sum(1 for one in found if one[3].quantity > 0), unit="count", label="Orders recommended"
            )
        },
        sources=(source,),
        notes=tuple(
            dict.fromkeys(
                [
                    *(
                        f"{names.code(p.item_id)} at {names.code(p.location_id)}: {a.explanation}"
                        for p, _, _, a in shown[:5]
                    ),
                    *(_short_of(found, shown[:5], active, names) if sees_cost else ()),
                ]
            )
        ),
        data={
            "lines": [
                {
                    "item": names.code(point.item_id),
                    "warehouse": names.code(point.location_id),
                    "supplier": names.code(offer.supplier_id),
                    "quantity": advice.quantity,
                }
                for point, _, offer, advice in due
            ]
        },
        as_of=context.today,
    )


def _value(offer: SupplierItem, advice: Recommendation) -> int:
    """What the recommended units cost at the break they reach, in the supplier's currency."""
    return advice.quantity * price_at(offer.price, offer.breaks, advice.quantity)


def _short_of(
    found: Sequence[Advised], shown: Sequence[Advised], active: Mapping[UUID, Supplier], names: Names
) -> Iterator[str]:
    """What the first orders stand just short of: a price break, or what all that is found comes to of a minimum order."""
    for point, _, offer, advice in shown:
        terms = Terms(offer.minimum_quantity, offer.order_multiple)
        further = next_break(offer.price, offer.breaks, advice.quantity, terms)
        if further is not None:
            yield f"{names.code(point.item_id)} at {names.code(point.location_id)}: {further.explanation}"
    values: dict[tuple[UUID, UUID], int] = {}
    for point, _, offer, advice in found:
        key = (offer.supplier_id, point.location_id)
        values[key] = values.get(key, 0) + _value(offer, advice)
    for point, _, offer, advice in shown:
        value = values[offer.supplier_id, point.location_id]
        small = explain_short(value, active[offer.supplier_id].minimum_order) if advice.quantity else ""
        if small:
            yield f"from {names.code(offer.supplier_id)} for {names.code(point.location_id)}: {small}"


def _preferred(
    connection: Connection, item_ids: set[UUID], supplier: UUID | None, today: date, active: Container[UUID]
) -> dict[UUID, SupplierItem]:
    """The offer to buy each item at: the named supplier's, else the best ranked of an active supplier."""
    offers: dict[UUID, SupplierItem] = {}
    for offer in sorted(
        list_supplier_items(connection, on=today, item_ids=item_ids), key=lambda one: one.rank
    ):
        if offer.supplier_id in active and supplier in (None, offer.supplier_id):
            offers.setdefault(offer.item_id, offer)
    return offers


class AssessSupplier(ToolInput):
    """Which supplier."""

    supplier: str = Field(max_length=160)
    period: str = Field(default="last_12_months", max_length=40)


def assess_supplier(given: AssessSupplier, context: ToolContext) -> ToolOutput:
    """A supplier's figures over the period, its terms, and what of it is late now."""
    with context.reading() as connection:
        member = find_member(connection, "supplier", given.supplier, "supplier")
        query = MetricQuery(
            metrics=tuple(
                name for name in SUPPLIER_METRICS if name != "spend" or "see_cost" in context.rights
            ),
            where=(Where(dim="supplier", op="eq", values=(member.code,)),),
            period=given.period,
        )
        result = run(
            connection,
            query,
            today=context.today,
            rights=context.rights,
            computed_at=context.gate.clock.now(),
        )
        late = [one for one in late_lines(connection, context.today) if one.supplier_id == member.id]
        (supplier,) = list_suppliers(connection, ids=[member.id])  # type: ignore[list-item]
        names = Names.read(connection, items=[one.item_id for one in late])
    figures = from_result(result, title=f"{label(member.name)}: figures")
    rows = [
        (
            one.number,
            names.code(one.item_id),
            one.open_quantity,
            one.first_promised_on,
            (context.today - one.first_promised_on).days if one.first_promised_on else None,
        )
        for one in sorted(late, key=lambda one: one.first_promised_on or context.today)
    ]
    columns: list[tuple[str, str, str | None]] = [
        ("number", "Purchase order", None),
        ("item", "Item", None),
        ("open_units", "Open", "units"),
        ("promised", "First promised", None),
        ("days_late", "Days late", "days"),
    ]
    facts = {
        "late_lines": Fact(value=len(late), unit="count", label="Lines late now"),
        "risk_class": Fact(value=supplier.risk_class, label="Risk class"),
        "agreed_lead_time": Fact(value=supplier.lead_time_days, unit="days", label="Agreed lead time"),
    }
    return ToolOutput(
        tables=(*figures.tables, table("Late lines now", columns, rows[:ROWS], total=len(rows))),
        facts=facts,
        sources=figures.sources,
        notes=figures.notes,
        data={"name": label(member.name), "code": member.code, "status": supplier.status},
        query=figures.query,
        as_of=context.today,
    )


TOOLS: tuple[Tool[Any], ...] = (
    Tool(
        "forecast_demand",
        "The published demand forecast by week for an item, category, brand or warehouse.",
        ForecastDemand,
        "read_metrics",
        "read",
        60,
        forecast_demand,
    ),
    Tool(
        "recommend_replenishment",
        "What should be ordered now, how much, from whom and for which warehouse.",
        RecommendReplenishment,
        "read_records",
        "read",
        ROWS,
        recommend_replenishment,
    ),
    Tool(
        "assess_supplier",
        "A supplier's record: punctuality, fill rate, lead times, defects, and lines late now.",
        AssessSupplier,
        "read_metrics",
        "read",
        ROWS,
        assess_supplier,
    ),
)
